//! Model files that cannot be proven: the command fails with one line that names the file, the node
//! and its operator, and says what to do.

mod processes;

use processes::{repository, run};
use std::fs;

/// What `gen-settings` says about a file.
fn complaint(content: &[u8], flags: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("network.onnx"), content).unwrap();
    let output = run(folder.path(), &[&["gen-settings"], flags].concat());
    assert!(!output.status.success());
    assert!(!folder.path().join("settings.json").exists());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("error: network.onnx: "), "{text}");
    text
}

/// The same, about a file of `tests/onnx/wrong`.
fn about(name: &str, flags: &[&str], expected: &[&str]) {
    let content = fs::read(repository("tests/onnx/wrong").join(name)).unwrap();
    let text = complaint(&content, flags);
    for part in expected {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn files_that_are_no_models() {
    assert!(complaint(b"", &[]).contains("the file is empty"));
    let text = complaint(b"{\"input_data\": [[1.0]]}", &[]);
    assert!(text.contains("this is an input file, not an ONNX model"), "{text}");
    let text = complaint(b"<html>", &[]);
    assert!(text.contains("another format") && text.contains("torch.onnx.export"), "{text}");
    let whole = fs::read(repository("tests/onnx/mlp/network.onnx")).unwrap();
    let text = complaint(&whole[..whole.len() / 2], &[]);
    assert!(text.contains("ends early") && text.contains("again"), "{text}");
}

#[test]
fn weights_in_another_file() {
    about(
        "external_data.onnx",
        &[],
        &["`weights`", "network.onnx.data: No such file", "save_as_external_data=False"],
    );
}

#[test]
fn operators_without_a_counterpart() {
    about(
        "unknown_operator.onnx",
        &[],
        &["node `volume` (Det)", "replace it", "docs/operators.md"],
    );
    about("no_circuit.onnx", &[], &["`check`", "replace it", "docs/operators.md"]);
}

#[test]
fn quantised_models() {
    about("int8.onnx", &[], &["node `to_int8` (QuantizeLinear)", "export it in floating point"]);
}

#[test]
fn dimensions_nobody_set() {
    let expected = ["dimension 0 of input `x`", "--variables 'batch_size->1'"];
    about("unnamed_dimension.onnx", &["--variables", "other->1"], &expected);
    about("named_dimension.onnx", &[], &["dimension 0 of input `x`", "--variables 'rows->1'"]);
    let content = fs::read(repository("tests/onnx/wrong/named_dimension.onnx")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("network.onnx"), content).unwrap();
    let output = run(folder.path(), &["gen-settings", "--variables", "batch_size->1,rows->2"]);
    assert!(output.status.success());
}

#[test]
fn operators_outside_what_circuits_have() {
    about("gru_bidirectional.onnx", &[], &["(GRU)", "direction = bidirectional", "two layers"]);
    about("resize_sizes.onnx", &[], &["(Resize)", "sizes", "mode = nearest with whole scales"]);
    about("resize_1_5.onnx", &[], &["(Resize)", "scales are not whole", "mode = nearest"]);
    about("max_pool_ceil.onnx", &[], &["(MaxPool)", "ceil_mode", "3 windows along axis 2"]);
    about("output_is_input.onnx", &[], &["the output `x` is an input", "Identity"]);
    about("softmax_of_axes.onnx", &[], &["Softmax", "axes [1, 2]", "opset 13"]);
    about("scales_of_channels.onnx", &[], &["(DequantizeLinear)", "2 scales", "one scale"]);
}

/// Masks of "minus infinity" are named, and clamped if asked to.
#[test]
fn masks_of_a_softmax() {
    for name in ["causal_mask.onnx", "infinite_mask.onnx"] {
        about(name, &[], &["(Const)", "masks a softmax", "--clamp-masks", "-100"]);
    }
    let masked = |name: &str, flags: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let content = fs::read(repository("tests/onnx/wrong").join(name)).unwrap();
        fs::write(folder.path().join("network.onnx"), content).unwrap();
        let output = run(folder.path(), &[&["gen-settings"], flags].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for name in ["causal_mask.onnx", "infinite_mask.onnx", "mask_of_10000.onnx"] {
        let said = masked(name, &["--clamp-masks"]);
        assert!(said.contains("taken as -100"), "{said}");
    }
    let said = masked("mask_of_10000.onnx", &[]);
    assert!(said.contains("-1e4") && said.contains("--clamp-masks"), "{said}");
}

#[test]
fn sizes_no_keys_are_made_for() {
    let content = fs::read(repository("tests/onnx/mlp/network.onnx")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("network.onnx"), content).unwrap();
    let refused = |flags: &[&str]| {
        let output = run(folder.path(), &[&["gen-settings"], flags].concat());
        assert!(!output.status.success(), "{flags:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused(&["-K", "8"]);
    assert!(said.contains("takes 67 table columns of 2^8 rows"), "{said}");
    assert!(said.contains("use --logrows 9 or more"), "{said}");
    assert!(refused(&["-K", "40"]).contains("logrows: must be 1 to 28"));
}
