//! The checks of `vectors.rs` on `tests/data` (made with EZKL 23.0.5 from hand-made networks), and
//! on any folder of models:
//! `TWAIN_MODELS=FOLDER cargo test -p twain-artifacts --test folder -- --ignored`, each model a
//! folder with `settings.json`, `model.compiled` and, if there is one, `input.json` and
//! `witness.json`.

use std::fs;
use std::path::{Path, PathBuf};
use twain_artifacts::{
    CompiledModel, GraphWitness, InputFile, LookupExtremes, ProcessedElements, clear_values,
    read_settings, redact,
};
use twain_graph::{InputMapping, NodeKind, SubGraph, SupportedOp};

fn check(folder: &Path) {
    let name = folder.display();
    let settings = read_settings(&folder.join("settings.json")).unwrap();
    let original = fs::read_to_string(folder.join("settings.json")).unwrap();
    assert_eq!(serde_json::to_string(&settings).unwrap(), original, "{name}");

    let compiled = CompiledModel::read(&folder.join("model.compiled")).unwrap();
    let mut again = Vec::new();
    compiled.encode(&mut again).unwrap();
    assert!(again == fs::read(folder.join("model.compiled")).unwrap(), "{name}");
    let made = CompiledModel::new(compiled.model.clone(), compiled.settings.clone());
    assert_eq!(made, compiled, "{name}");

    let Ok(original) = fs::read_to_string(folder.join("witness.json")) else {
        return;
    };
    let witness = GraphWitness::parse(original.as_bytes()).unwrap();
    assert_eq!(serde_json::to_string(&witness).unwrap(), original, "{name}");
    let data = InputFile::read(&folder.join("input.json")).unwrap();
    assert_eq!(data.quantize(&compiled.model).unwrap(), witness.inputs, "{name}");
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
        &compiled.settings,
    );
    assert_eq!(serde_json::to_string(&made).unwrap(), original, "{name}");
}

fn check_all(root: &Path) -> usize {
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|folder| folder.join("model.compiled").exists());
    folders.map(|folder| check(&folder)).count()
}

/// A loop with states, hashes, an index tensor, several kinds of tables: what the vectors have not.
#[test]
fn models_with_what_the_vectors_lack() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    assert_eq!(check_all(&data), 4);
    let read = |name: &str| CompiledModel::read(&data.join(name).join("model.compiled")).unwrap();
    let texts =
        |name| clear_values(&read(name)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(texts("gather"), ["node 2 (Hybrid Gather): indices of shape [2]: [2, 0]"]);
    let redacted = redact(&read("lstm")).unwrap();
    let mut constants = 0;
    redacted.model.for_each_node(&mut |node| {
        if let SupportedOp::Constant(constant) = &node.op {
            assert!(constant.quantized_values.inner.iter().all(|v| *v == Default::default()));
            constants += 1;
        }
    });
    assert!(constants > 4, "those inside the loop as well");
    let refused = |change: &dyn Fn(&mut SubGraph)| {
        let mut model = read("lstm").model;
        for kind in model.graph.nodes.values_mut() {
            if let NodeKind::SubGraph(subgraph) = kind {
                change(subgraph);
            }
        }
        model.validate().unwrap_err().to_string()
    };
    assert!(refused(&|l| l.inputs.truncate(1)).contains("does not map"));
    assert!(refused(&|l| l.out_scales.clear()).contains("scale"));
    assert!(refused(&|l| l.input_mappings[0] = InputMapping::Full).contains("states"));
    let far = InputMapping::Stacked { axis: 9, chunk: 1 };
    assert!(refused(&|l| l.input_mappings[2] = far).contains("axis"));
    assert!(refused(&|l| l.inputs[0].node = 99).contains("output 0 of node 99"));
    let inner = refused(&|l| l.model.graph.outputs[0].slot = 5);
    assert!(inner.contains("(loop), output 5"), "{inner}");
}

#[test]
#[ignore = "needs a folder of models made with EZKL: set TWAIN_MODELS"]
fn a_folder_of_models() {
    let checked = check_all(&PathBuf::from(std::env::var("TWAIN_MODELS").unwrap()));
    assert!(checked > 0);
    println!("{checked} models");
}
