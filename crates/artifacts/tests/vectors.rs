//! Every file of EZKL's that is read comes out the same, and what is computed from them agrees.

mod common;

use common::{FOLDERS, bytes, path};
use std::fs;
use twain_artifacts::{
    ArtifactError, CompiledModel, GraphWitness, InputElement, InputFile, LookupExtremes, Processed,
    ProcessedElements, Proof, bind_params, clear_values, parse_settings, read_settings, redact,
    write_settings,
};
use twain_graph::{CheckMode, PolyOp, SupportedOp, Visibility};

fn model(folder: &str) -> CompiledModel {
    CompiledModel::read(&path(folder, "model.compiled")).unwrap()
}

fn witness(folder: &str) -> GraphWitness {
    GraphWitness::read(&path(folder, "witness.json")).unwrap()
}

fn encoded(model: &CompiledModel) -> Vec<u8> {
    let mut bytes = Vec::new();
    model.encode(&mut bytes).unwrap();
    bytes
}

#[test]
fn settings_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("settings.json");
    for name in FOLDERS {
        let settings = read_settings(&path(name, "settings.json")).unwrap();
        settings.run_args.validate().unwrap();
        write_settings(&copy, &settings).unwrap();
        assert_eq!(fs::read(&copy).unwrap(), bytes(name, "settings.json"), "{name}");
        let mut compiled = model(name).settings;
        assert_eq!(compiled.check_mode, CheckMode::UNSAFE);
        compiled.check_mode = settings.check_mode;
        assert_eq!(compiled, settings, "{name}");
    }
}

#[test]
fn compiled_models_round_trip() {
    for name in FOLDERS {
        let original = bytes(name, "model.compiled");
        let compiled = CompiledModel::parse(&original).unwrap();
        assert!(encoded(&compiled) == original, "{name}");
        let made = CompiledModel::new(compiled.model.clone(), compiled.settings.clone());
        assert_eq!(made, compiled, "{name}");
        let followed = [original.as_slice(), b"more"].concat();
        assert_eq!(
            CompiledModel::parse(&followed).unwrap(),
            compiled,
            "trailing bytes are ignored"
        );
    }
}

#[test]
fn witnesses_round_trip_and_are_made_the_same() {
    for name in FOLDERS {
        let original = String::from_utf8(bytes(name, "witness.json")).unwrap();
        let witness = GraphWitness::parse(original.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&witness).unwrap(), original, "{name}");
        assert_eq!(witness.foreign_version(), None);
        let made = GraphWitness::new(
            witness.inputs.clone(),
            witness.outputs.clone(),
            ProcessedElements {
                inputs: witness.processed_inputs.clone(),
                params: witness.processed_params.clone(),
                outputs: witness.processed_outputs.clone(),
            },
            LookupExtremes {
                max_lookup_inputs: witness.max_lookup_inputs,
                min_lookup_inputs: witness.min_lookup_inputs,
                max_range_size: witness.max_range_size,
            },
            &model(name).settings,
        );
        assert_eq!(serde_json::to_string(&made).unwrap(), original, "{name}");
    }
}

#[test]
fn hashes_are_shown_one_by_one() {
    let mut settings = model(FOLDERS[3]).settings;
    let hash = witness(FOLDERS[3]).outputs[0][0];
    let hashed = Some(Processed { poseidon_hash: Some(vec![hash, hash]), polycommit: None });
    let made = GraphWitness::new(
        vec![vec![]],
        vec![vec![hash]],
        ProcessedElements { inputs: hashed.clone(), params: hashed, outputs: None },
        LookupExtremes::default(),
        &settings,
    );
    assert_eq!(made.pretty_elements.as_ref().unwrap().processed_inputs.len(), 2);
    assert_eq!(made.instances(&settings.run_args).len(), 5);
    settings.run_args.output_visibility = Visibility::Private;
    assert_eq!(made.instances(&settings.run_args).len(), 4);
    let public = made.pretty_public_inputs(&settings.run_args).unwrap();
    assert!(public.outputs.is_empty() && public.processed_params.len() == 2);
}

#[test]
fn inputs_quantise_to_the_witness() {
    for name in FOLDERS {
        let data = InputFile::read(&path(name, "input.json")).unwrap();
        assert_eq!(data.quantize(&model(name).model).unwrap(), witness(name).inputs, "{name}");
        let text = serde_json::to_string(&data).unwrap();
        assert_eq!(InputFile::parse(text.as_bytes()).unwrap(), data, "{name}");
    }
}

#[test]
fn inputs_in_other_words() {
    let compiled = model("1l_relu-k8-private");
    let witness = witness("1l_relu-k8-private");
    let file = path("1l_relu-k8-private", "input.json");
    let arguments = [
        file.to_str().unwrap().to_string(),
        format!("@{}", file.display()),
        fs::read_to_string(&file).unwrap(),
    ];
    for argument in arguments {
        let data = InputFile::from_argument(&argument).unwrap();
        assert_eq!(data.quantize(&compiled.model).unwrap(), witness.inputs);
    }
    let mut felts = InputFile { input_data: vec![], output_data: None };
    felts.input_data.push(witness.inputs[0].iter().map(|v| InputElement::Field(*v)).collect());
    let text = serde_json::to_string(&felts).unwrap();
    assert_eq!(
        InputFile::parse(text.as_bytes()).unwrap().quantize(&compiled.model).unwrap(),
        witness.inputs
    );

    let refused = |argument: &str| match InputFile::from_argument(argument) {
        Ok(data) => data.quantize(&compiled.model).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(refused("{\"input_data\":[[1,2]]}").contains("2 elements"));
    assert!(refused("{\"input_data\":[]}").contains("0 lists"));
    assert!(refused("{\"input_data\":[[1,2,true]]}").contains("element 2 of list 0"));
    assert!(refused("{\"input_data\":[[1,2,1e60]]}").contains("smaller scale"));
    assert!(refused("{\"input_data\":[[1,2,\"0x00\"]]}").contains("64 hexadecimal digits"));
    assert!(refused("{\"input_data\":[[1,2").contains("command line"));
    assert!(refused("no-such-file.json").contains("no-such-file.json"));
}

#[test]
fn proofs_round_trip_and_show_the_witness_s_public_part() {
    for name in FOLDERS {
        let original = String::from_utf8(bytes(name, "proof.json")).unwrap();
        let proof = Proof::parse(original.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&proof).unwrap(), original, "{name}");
        let (witness, settings) = (witness(name), model(name).settings);
        let made = Proof::new(
            vec![witness.instances(&settings.run_args)],
            proof.proof.clone(),
            None,
            witness.pretty_public_inputs(&settings.run_args),
            proof.timestamp.unwrap(),
        );
        assert_eq!(serde_json::to_string(&made).unwrap(), original, "{name}");
    }
}

#[test]
fn redaction_keeps_everything_but_the_parameters() {
    for name in FOLDERS {
        let compiled = model(name);
        if name.contains("fixed") {
            assert!(redact(&compiled).unwrap_err().to_string().contains("fixed"));
            continue;
        }
        let redacted = redact(&compiled).unwrap();
        let (before, after) = (encoded(&compiled), encoded(&redacted));
        assert_eq!(before.len(), after.len(), "{name}");
        assert_eq!(CompiledModel::parse(&after).unwrap(), redacted);
        assert!(redacted.is_redacted() && !compiled.is_redacted());
        let mut constants = 0;
        let mut restored = redacted.clone();
        restored.witness = compiled.witness.clone();
        restored.model.for_each_node_mut(&mut |node| {
            if let SupportedOp::Constant(constant) = &mut node.op {
                constants += 1;
                assert!(constant.quantized_values.inner.iter().all(|v| *v == Default::default()));
                compiled.model.for_each_node(&mut |original| match &original.op {
                    SupportedOp::Constant(other) if original.idx == node.idx => {
                        constant.quantized_values.inner = other.quantized_values.inner.clone();
                    }
                    _ => {}
                });
            }
        });
        assert_eq!(restored, compiled, "{name}");
        assert_eq!(constants == 0, name.contains("relu"), "{name}");
    }
}

#[test]
fn what_stays_in_clear_is_listed() {
    let mut leaky = model("1l_relu-k8-private");
    assert_eq!(clear_values(&leaky), [], "ReLU has no parameter");
    leaky.model.for_each_node_mut(&mut |node| {
        if let SupportedOp::Linear(PolyOp::LeakyReLU { slope, .. }) = &mut node.op {
            *slope = 0.25;
        }
    });
    let texts: Vec<String> = clear_values(&leaky).iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["node 2 (Linear LeakyReLU): slope 0.25"]);
    let fixed = clear_values(&model("1l_mlp-k10-fixed"));
    assert!(fixed.iter().any(|value| value.value.starts_with("fixed values of shape")));
}

#[test]
fn binding_gives_every_parameter_two_uses() {
    let mut compiled = model("credit_mlp-k10-private");
    assert_eq!(bind_params(&mut compiled), 4);
    assert_eq!(bind_params(&mut compiled), 0);
    CompiledModel::parse(&encoded(&compiled)).unwrap();
}

#[test]
fn errors_name_the_file_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("model.compiled");
    let original = bytes("1l_relu-k8-private", "model.compiled");
    fs::write(&wrong, &original[..500]).unwrap();
    let text = CompiledModel::read(&wrong).unwrap_err().to_string();
    assert!(text.contains("model.compiled") && text.contains("compile-circuit"), "{text}");
    fs::write(&wrong, "{}").unwrap();
    let text = read_settings(&wrong).unwrap_err().to_string();
    assert!(text.contains("run_args") && text.contains("gen-settings"), "{text}");
    let missing = folder.path().join("none");
    assert!(matches!(Proof::read(&missing), Err(ArtifactError::Missing { .. })));
    let nowhere = folder.path().join("no/folder/witness.json");
    let error = witness(FOLDERS[0]).write(&nowhere).unwrap_err();
    assert!(matches!(error, ArtifactError::Write { .. }));
}

#[test]
fn confidential_files_are_the_owner_s() {
    let folder = tempfile::tempdir().unwrap();
    let (secret, public) = (folder.path().join("witness.json"), folder.path().join("proof.json"));
    witness(FOLDERS[0]).write(&secret).unwrap();
    Proof::read(&path(FOLDERS[0], "proof.json")).unwrap().write(&public).unwrap();
    assert_eq!(fs::read(&secret).unwrap(), bytes(FOLDERS[0], "witness.json"));
    assert_eq!(fs::read(&public).unwrap(), bytes(FOLDERS[0], "proof.json"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o077, 0);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn settings_of_another_version_are_told() {
    let text = String::from_utf8(bytes(FOLDERS[0], "settings.json")).unwrap();
    let older = text.replace("\"23.0.5\"", "\"22.3.0\"");
    let settings = parse_settings(older.as_bytes()).unwrap();
    assert_eq!(settings.foreign_version(), Some("22.3.0"));
}

/// EZKL 23.0.5 reads these exactly (observed in the settings of a compiled model); a quick parser
/// of decimals is one unit in the last place off.
#[test]
fn decimals_are_read_exactly() {
    let text = String::from_utf8(bytes(FOLDERS[0], "settings.json")).unwrap();
    for (decimal, bits) in [
        ("0.0000036645462139865876", 4525763091360536046),
        ("0.00000003596921160869413", 4495524342066501085),
    ] {
        let changed = text.replace("2.220446049250313e-16", decimal);
        let epsilon = parse_settings(changed.as_bytes()).unwrap().run_args.epsilon.unwrap();
        assert_eq!(epsilon.to_bits(), bits);
    }
}

#[test]
fn zeros_alone_are_not_taken_for_a_redacted_model() {
    let mut zeros = model("1l_mlp-k9-private");
    zeros.model.for_each_node_mut(&mut |node| {
        if let SupportedOp::Constant(constant) = &mut node.op {
            constant.quantized_values.inner.fill(Default::default());
        }
    });
    assert!(!CompiledModel::parse(&encoded(&zeros)).unwrap().is_redacted());
    let redacted = redact(&zeros).unwrap();
    assert!(CompiledModel::parse(&encoded(&redacted)).unwrap().is_redacted());
}
