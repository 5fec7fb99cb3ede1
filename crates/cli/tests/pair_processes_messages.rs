//! What people read of a pair, from two processes over loopback: what stops them, said on both
//! sides in one line each; who learns the outputs; what a run is expected to take.

mod processes;

use ff::Field;
use processes::{Ended, Running, Side, Site, free_ports, repository, run, twain};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, GraphWitness};
use twain_graph::{NodeKind, RunArgs, SupportedOp, Visibility};
use twain_link::channel::tls::{ConnectOptions, PeerPolicy, Timeouts, Unwatched, connect};
use twain_link::handshake::{Item, Manifest, handshake};
use twain_link::identity::Identity;
use twain_party::Role;

const RELU: &str = "1l_relu-k8-private";
const DENSE: &str = "1l_mlp-k9-private";

/// Both sides stop, each with a message that contains `name`.
fn both_name(site: &Site, name: &str) {
    both_name_with(site, name, ["--connect-timeout", "20"].map(|flag| [flag; 2]));
}

/// The same with a pair of flags, the model's and the data's, at a time.
fn both_name_with<const N: usize>(site: &Site, name: &str, flags: [[&str; 2]; N]) {
    let [model, data] = free_ports();
    let side = |side: Side, own, remote| {
        let flags = flags.map(|flags| flags[side as usize]);
        let flags: Vec<&str> = flags.into_iter().filter(|flag| !flag.is_empty()).collect();
        site.start(side, own, remote, &flags)
    };
    let sides = [side(Side::Model, model, data), side(Side::Data, data, model)];
    for side in sides.map(Running::end) {
        let message = side.failed();
        assert!(message.contains(name), "{name}: {message}");
    }
}

#[test]
fn files_that_differ() {
    let site = Site::vector(RELU);
    let own_files = |side: Side, files: &[(&str, &Path)], name: &str| {
        let kept: Vec<Vec<u8>> =
            files.iter().map(|(file, _)| fs::read(site.file(side, file)).unwrap()).collect();
        for (file, other) in files {
            fs::copy(other, site.file(side, file)).unwrap();
        }
        both_name(&site, name);
        for ((file, _), content) in files.iter().zip(kept) {
            fs::write(site.file(side, file), content).unwrap();
        }
    };
    // Another SRS, and keys made with it: of the same circuit.
    let data = site.folder(Side::Data);
    let other = |name: &str| site.path(name);
    for arguments in [
        ["gen-srs", "--logrows", "8", "--srs-path", "../other.srs"].as_slice(),
        &["setup", "--srs-path", "../other.srs", "--vk-path", "../o.vk", "--pk-path", "../o.pk"],
    ] {
        processes::succeed(&data, arguments);
    }
    own_files(Side::Data, &[("kzg.srs", &other("other.srs"))], "SRS");
    own_files(Side::Model, &[("pk.key", &other("o.pk"))], "verifying key");
}

#[test]
fn settings_that_differ() {
    let source = repository("tests/vectors").join(DENSE);
    let site = Site::new(&source);
    let mut compiled =
        twain_artifacts::CompiledModel::read(&source.join("model.compiled")).unwrap();
    compiled.settings.run_args.epsilon = Some(1e-9);
    compiled.write(&site.file(Side::Model, "model.compiled")).unwrap();
    both_name(&site, "settings");
}

#[test]
fn the_same_role_twice() {
    let site = Site::vector(RELU);
    let [first, second] = free_ports();
    let start = |own, remote, identity: &str, pinned: Side| {
        let mut command = site.prove(Side::Model, own, remote);
        command.args(["--peer", site.fingerprint(pinned)]);
        command.current_dir(site.folder(Side::Model));
        let command = replace(command, "identity", identity);
        Running::start(command, site.file(Side::Model, "proof.json"))
    };
    let own = start(first, second, "identity", Side::Data);
    let other = start(second, first, "../data/identity", Side::Model);
    for side in [own.end(), other.end()] {
        let message = side.failed();
        assert!(message.contains("both sides are the model's side"), "{message}");
    }
}

#[test]
fn other_commands() {
    let site = Site::vector(RELU);
    let [model, data] = free_ports();
    let model_side = site.start(Side::Model, model, data, &[]);
    let data_side = site.start_command("preprocess", Side::Data, [data, model], &["--proofs", "3"]);
    let expected = "differ in: command (model: prove, data: preprocess --proofs 3)";
    for side in [model_side, data_side].map(Running::end) {
        assert!(side.failed().ends_with(expected), "{}", side.stderr);
    }
}

/// The command with the value of one flag replaced.
fn replace(command: std::process::Command, flag: &str, value: &str) -> std::process::Command {
    let name = format!("--{flag}");
    let mut next = false;
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| {
            let argument = argument.to_os_string();
            let taken = if next { value.into() } else { argument.clone() };
            next = argument == *name;
            taken
        })
        .collect();
    let mut replaced = twain(command.get_current_dir().expect("a folder"));
    replaced.args(arguments);
    replaced
}

#[test]
fn another_key_than_the_pinned_one() {
    let site = Site::vector(RELU);
    let [model, data] = free_ports();
    let mut suspicious = site.prove(Side::Model, model, data);
    let stranger = processes::succeed(&site.folder(Side::Model), &["identity", "--identity", "x"]);
    suspicious.args(["--peer", stranger.trim()]);
    let suspicious = Running::start(suspicious, site.file(Side::Model, "proof.json"));
    let refused = site.start(Side::Data, data, model, &["--connect-timeout", "5"]).end();
    let suspicious = suspicious.end();
    let expected = site.fingerprint(Side::Data);
    assert!(suspicious.failed().contains(expected), "{}", suspicious.stderr);
    assert!(refused.failed().contains("refuses this side's key"), "{}", refused.stderr);
}

#[test]
fn without_a_terminal_a_key_found_by_dialling_is_to_be_compared() {
    let site = Site::vector(RELU);
    let [model, data] = free_ports();
    let unsure = site.prove(Side::Data, data, model);
    let unsure = Running::start(unsure, site.file(Side::Data, "proof.json"));
    let sure = site.start(Side::Model, model, data, &["--connect-timeout", "5"]).end();
    let unsure = unsure.end();
    let advice = format!("only if it is the same give --peer {}", site.fingerprint(Side::Model));
    assert!(unsure.failed().contains(&advice), "{}", unsure.stderr);
    assert!(sure.failed().contains("does not know this side's key yet"), "{}", sure.stderr);
}

#[test]
fn a_stranger_is_never_suggested_as_the_peer() {
    let site = Site::vector(RELU);
    let [data, nobody] = free_ports();
    let mut unsure = site.prove(Side::Data, data, nobody);
    unsure.args(["--connect-timeout", "6"]);
    let unsure = Running::start(unsure, site.file(Side::Data, "proof.json"));
    let [own, _] = free_ports();
    let stranger = site.start(Side::Model, own, data, &["--connect-timeout", "5"]).end();
    let unsure = unsure.end();
    let key = site.fingerprint(Side::Model);
    let note = format!("a stranger with the key {key} connected from 127.0.0.1: not the peer");
    assert!(unsure.failed().contains(&note), "{}", unsure.stderr);
    assert!(
        unsure.failed().contains("`twain identity` prints on its machine"),
        "{}",
        unsure.stderr
    );
    assert!(!unsure.stderr.contains("--peer sha256"), "{}", unsure.stderr);
    // Said at once, and in the error.
    assert_eq!(unsure.stderr.matches(key).count(), 2, "{}", unsure.stderr);
    let advice = format!("it must be started with --peer {key}");
    assert!(stranger.failed().contains(&advice), "{}", stranger.stderr);
}

/// A side's own error names `own`, the other side's `told`.
fn one_stops_both(site: &Site, side: Side, own: &str, told: &str) {
    let ended = site.pair(&["--connect-timeout", "20"]);
    let (mine, theirs) = (&ended[side as usize], &ended[side.other() as usize]);
    assert!(mine.failed().contains(own), "{}", mine.stderr);
    assert!(theirs.failed().contains(told), "{}", theirs.stderr);
    assert!(theirs.failed().contains(&format!("the {}'s side cannot start", side.name())));
}

#[test]
fn what_is_wrong_on_one_side_is_told_to_both() {
    let site = Site::vector(DENSE);
    let input = site.file(Side::Data, "input.json");
    let good = fs::read(&input).unwrap();
    fs::write(&input, r#"{"input_data": [[0.5, 0.5]]}"#).unwrap();
    let shape =
        "list 0 of input_data holds 2 elements, but input 0 of the network has shape [1, 3]";
    one_stops_both(&site, Side::Data, shape, &format!("its input has the wrong shape: {shape}"));
    fs::write(&input, r#"{"input_data": [[0.5, "#).unwrap();
    one_stops_both(&site, Side::Data, "input.json", "its input cannot be read");
    fs::write(&input, r#"{"input_data": [[1e300, 0.5, 0.5]]}"#).unwrap();
    one_stops_both(&site, Side::Data, "input.json", "its input cannot be used");
    fs::write(&input, good).unwrap();
    // The key of another circuit.
    let other = Site::vector(RELU);
    let key = site.file(Side::Data, "pk.key");
    fs::copy(other.file(Side::Data, "pk.key"), &key).unwrap();
    one_stops_both(&site, Side::Data, "pk.key", "its proving key is not one of its circuit");
    fs::copy(site.file(Side::Model, "pk.key"), &key).unwrap();
    let redacted = site.file(Side::Data, "model.compiled");
    fs::copy(redacted, site.file(Side::Model, "model.compiled")).unwrap();
    one_stops_both(&site, Side::Model, "redacted", "it has the redacted circuit");
}

#[test]
fn without_a_peer_the_reason_is_still_the_last_line() {
    let site = Site::vector(RELU);
    fs::remove_file(site.file(Side::Data, "input.json")).unwrap();
    let [own, remote] = free_ports();
    let ended = site.start(Side::Data, own, remote, &["--connect-timeout", "0.2"]).end();
    assert!(ended.failed().contains("input.json"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("The peer will learn"), "{}", ended.stderr);
}

/// Gives the model's side another value for the third parameter of the first tensor.
fn set_parameter(site: &Site, value: Fr) {
    let path = site.file(Side::Model, "model.compiled");
    let mut compiled = CompiledModel::read(&path).unwrap();
    let constants = compiled.model.graph.nodes.values_mut().filter_map(|kind| match kind {
        NodeKind::Node(node) => match &mut node.op {
            SupportedOp::Constant(constant) => Some(constant),
            _ => None,
        },
        NodeKind::SubGraph(_) => None,
    });
    constants.map(|constant| constant.quantized_values.inner[2] = value).next().unwrap();
    compiled.write(&path).unwrap();
}

#[test]
fn a_value_out_of_range_stops_both_with_the_same_words() {
    let site = Site::vector(DENSE);
    // In range; what the layer makes of it is not.
    set_parameter(&site, Fr::from(1 << 39));
    let [model, data] = site.pair(&[]);
    assert!(model.failed().contains("outside the range"), "{}", model.stderr);
    assert_eq!(model.failed(), data.failed());
}

/// What masks do not hide is refused before this side connects, whatever circuit checks it
/// (`crates/circuit/tests/bounds.rs` says what it showed, and tries all visibilities).
#[test]
fn what_is_too_wide_for_masks_is_named_and_told() {
    let site = Site::vector(DENSE);
    let wide = Fr::from(2).pow([201]);
    for value in [-wide, Fr::from(1 << 40)] {
        set_parameter(&site, value);
        let own = "model.compiled: element 2 of the constant of node 1 is not in the range \
                   -1099511627775 to 1099511627775, for which the masks";
        one_stops_both(&site, Side::Model, own, "a parameter is too wide for a pair");
    }

    let folder = tempfile::tempdir().unwrap();
    let network = repository("tests/vectors").join(DENSE).join("network.onnx");
    let input = repository("tests/vectors").join(DENSE).join("input.json");
    fs::copy(network, folder.path().join("network.onnx")).unwrap();
    fs::copy(input, folder.path().join("input.json")).unwrap();
    let settings = ["gen-settings", "--ignore-range-check-inputs-outputs", "--logrows", "9"];
    let small = ["--decomp-base", "64", "--decomp-legs", "4"];
    processes::succeed(folder.path(), &[&settings[..], &small].concat());
    processes::succeed(folder.path(), &["compile-circuit"]);
    let unchecked = Site::new(folder.path());
    for site in [unchecked, Site::vector(DENSE)] {
        let of = |value: Fr| twain_artifacts::field_to_hex(&value);
        for value in [wide, -wide, Fr::from(1 << 24)] {
            let input = serde_json::json!({"input_data": [[0.5, of(value), of(wide)]]});
            fs::write(site.file(Side::Data, "input.json"), input.to_string()).unwrap();
            let own = "input.json: element 1 of input 0 is not in the range -16777215 to 16777215, \
                       for which the masks";
            one_stops_both(
                &site,
                Side::Data,
                own,
                "a value of its input is out of the circuit's range",
            );
        }
        let input = serde_json::json!({"input_data": [[0.5, of(-Fr::from((1 << 24) - 1)), 0.5]]});
        fs::write(site.file(Side::Data, "input.json"), input.to_string()).unwrap();
        site.prove_and_verify(&[]);
    }
}

#[test]
fn part_of_the_flags_is_a_wrong_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["prove", "--id", "model"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("--remote-peer"), "{text}");
}

#[test]
fn one_s_own_key_as_the_peer_s() {
    let site = Site::vector(RELU);
    for side in Side::BOTH {
        let [own, remote] = free_ports();
        let mut command = site.prove(side, own, remote);
        command.args(["--peer", site.fingerprint(side)]);
        let ended = Running::start(command, site.file(side, "proof.json")).end();
        assert!(ended.failed().contains("its own key"), "{}", ended.stderr);
    }
}

#[test]
fn another_version() {
    let site = Site::vector(RELU);
    let [own, remote] = free_ports();
    let data = site.start(Side::Data, own, remote, &["--connect-timeout", "20"]);
    let identity = Identity::load_or_create(&site.file(Side::Model, "identity")).unwrap();
    let (local, remote) = (format!("127.0.0.1:{remote}"), format!("127.0.0.1:{own}"));
    let mut channel = connect(ConnectOptions {
        role: Role::Model,
        identity: &identity,
        local: Some(&local),
        remote: Some(&remote),
        peer: PeerPolicy::Pinned(site.fingerprint(Side::Data).parse().unwrap()),
        connect_timeout: Duration::from_secs(20),
        watcher: &Unwatched,
        timeouts: Timeouts::default(),
    })
    .unwrap();
    let item = ("version of twain".to_string(), Item::Text("9.9.9".into()));
    let error = handshake(&mut channel, &Manifest::new([item]).unwrap()).unwrap_err().to_string();
    let expected = format!("version of twain (model: 9.9.9, data: {})", env!("CARGO_PKG_VERSION"));
    assert!(error.contains(&expected), "{error}");
    let data = data.end();
    assert!(data.failed().contains(&expected), "{}", data.stderr);
}

/// The folder of a vector, with private outputs.
fn with_private_outputs(folder: &Path) -> PathBuf {
    let source = repository("tests/vectors").join(DENSE);
    let mut compiled = CompiledModel::read(&source.join("model.compiled")).unwrap();
    compiled.settings.run_args.output_visibility = Visibility::Private;
    compiled.model.visibility.output = Visibility::Private;
    compiled.settings.model_instance_shapes.clear();
    let circuit = folder.join("circuit");
    fs::create_dir(&circuit).unwrap();
    compiled.write(&circuit.join("model.compiled")).unwrap();
    twain_artifacts::write_settings(&circuit.join("settings.json"), &compiled.settings).unwrap();
    fs::copy(source.join("input.json"), circuit.join("input.json")).unwrap();
    circuit
}

#[test]
fn private_outputs_are_learnt_by_whom_both_say() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new(&with_private_outputs(folder.path()));
    let outputs = |side: Side| -> Option<Value> {
        let file = site.file(side, "output.json");
        let text = fs::read_to_string(&file).ok()?;
        fs::remove_file(file).unwrap();
        Some(serde_json::from_str(&text).unwrap())
    };
    let expected =
        GraphWitness::read(&repository("tests/vectors").join(DENSE).join("witness.json"));
    let expected = expected.unwrap();
    let expected: Vec<String> =
        expected.outputs[0].iter().map(twain_artifacts::field_to_hex).collect();
    for (reveal, knows) in [("", [false; 2]), ("data", [false, true]), ("both", [true; 2])] {
        let flags = if reveal.is_empty() { vec![] } else { vec!["--reveal-output", reveal] };
        site.prove_and_verify(&flags);
        for (side, knows) in Side::BOTH.into_iter().zip(knows) {
            let outputs = outputs(side);
            assert_eq!(outputs.is_some(), knows, "{reveal}");
            if let Some(outputs) = outputs {
                assert_eq!(outputs["outputs"], serde_json::json!([expected]));
                assert_eq!(outputs["rescaled_outputs"][0].as_array().unwrap().len(), 4);
            }
        }
    }
    let flags = [["--reveal-output"; 2], ["model", "both"]];
    both_name_with(&site, "--reveal-output (model: model, data: both)", flags);
    both_name_with(&site, "--trust-peer (model: yes, data: no)", [["--trust-peer", ""]]);
    let public = Site::vector(DENSE);
    for side in public.pair(&["--reveal-output", "both"]) {
        assert!(side.failed().contains("the outputs are public"), "{}", side.stderr);
    }
}

#[test]
fn what_pairs_cannot_prove_is_refused_by_node_before_any_other_file_is_read() {
    let refused = |circuit: &str, change: &dyn Fn(&mut RunArgs), parts: &[&str]| {
        let source = repository("tests").join(circuit).join("model.compiled");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model.compiled");
        let mut compiled = CompiledModel::read(&source).unwrap();
        change(&mut compiled.settings.run_args);
        compiled.model.visibility.params = compiled.settings.run_args.param_visibility.clone();
        compiled.write(&file).unwrap();
        let mut command = twain(folder.path());
        command.args(["prove", "--id", "data", "--identity", "identity", "-M"]).arg(file);
        command.args(["--local-addr", "127.0.0.1:0", "--remote-peer", "127.0.0.1:1"]);
        let ended = Running::start(command, folder.path().join("proof.json")).end();
        parts.iter().for_each(|part| assert!(ended.failed().contains(part), "{}", ended.stderr));
    };
    let table = "takes 86 table columns";
    let remedies = ["model.compiled", table, "--logrows 6", "--decomp-base"];
    let narrow = |args: &mut RunArgs| {
        (args.param_visibility, args.logrows) = (Visibility::Private, 5);
    };
    refused("circuit_classes/nine_table_columns-k8", &narrow, &remedies);
    let fixed = ["param_visibility is fixed", "the parameters are part of the keys"];
    refused("vectors/1l_mlp-k10-fixed", &|_| (), &fixed);
    let committed = ["param_visibility is polycommit", "one exact linear equation"];
    refused("vectors/1l_mlp-k9-polycommit", &|_| (), &committed);
}

/// The value of a key in the one line of JSON that has it.
fn line_with(side: &Ended, key: &str) -> Value {
    let lines = side.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found: Vec<Value> = lines.filter(|line| !line[key].is_null()).collect();
    assert_eq!(found.len(), 1, "{key}: {}", side.stderr);
    found[0].clone()
}

#[test]
fn the_forecast_comes_true() {
    for name in [RELU, DENSE, "tiny_cnn-k11-private"] {
        let site = Site::vector(name);
        site.preprocess(&[]);
        // What the tests of the peer take is an estimate; all else is exact.
        let trusts = [(true, "bundled"), (true, "inline"), (false, "inline")];
        for (trusts_peer, origin) in trusts {
            let trust = if trusts_peer { &["--trust-peer"][..] } else { &[] };
            for side in site.pair(&[&["--log-format", "json"], trust].concat()) {
                let expected = line_with(&side, "expected")["expected"][origin].clone();
                let costs = line_with(&side, "phases");
                // What is not in the forecast: handshake, choice of a bundle, farewell.
                for (what, beside) in [("sent", 4e3), ("received", 4e3), ("rounds", 5.0)] {
                    let forecast = expected[what].as_f64().unwrap();
                    let actual = costs["traffic"][what].as_f64().unwrap();
                    let beside = if trusts_peer { beside } else { 0.1 * actual };
                    let fits = (actual - forecast).abs() <= beside;
                    assert!(fits, "{name}, {origin}, {what}: {forecast} for {actual}");
                }
                let memory = line_with(&side, "expected")["expected"]["memory"].as_f64().unwrap();
                let actual = costs["peak_memory"].as_f64().unwrap();
                let fits =
                    actual < 1.25 * memory && (origin == "bundled" || memory < 1.25 * actual);
                assert!(fits, "{name}, {origin}, memory: {memory} for {actual}");
                let json = |line: &str| serde_json::from_str::<Value>(line).is_ok();
                assert!(side.stderr.lines().all(json), "{}", side.stderr);
                assert_eq!(side.code, Some(0));
            }
        }
    }
}
