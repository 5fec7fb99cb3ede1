//! Kinds of models that users bring: what is refused, and when; what is warned of and has to be
//! accepted.

mod processes;

use processes::{repository, run, succeed};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder with a network of `tests/onnx`.
fn folder_with(network: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(repository("tests/onnx").join(network), folder.path().join("network.onnx")).unwrap();
    folder
}

fn refused(folder: &Path, command: &[&str]) -> String {
    let output = run(folder, command);
    assert!(!output.status.success(), "{command:?}");
    String::from_utf8(output.stderr).unwrap()
}

const SMALL: [&str; 4] = ["--decomp-base", "128", "--decomp-legs", "4"];

#[test]
fn weights_beside_the_model() {
    let folder = folder_with("wrong/external_data.onnx");
    let weights: Vec<u8> = [1.0f32, 2.0, -0.5, 0.25].iter().flat_map(|w| w.to_le_bytes()).collect();
    fs::write(folder.path().join("network.onnx.data"), &weights[..15]).unwrap();
    let said = refused(folder.path(), &["gen-settings"]);
    assert!(said.contains("it has 15 bytes, 16 from byte 0 on are wanted"), "{said}");
    fs::write(folder.path().join("network.onnx.data"), weights).unwrap();
    succeed(folder.path(), &["gen-settings"]);
    succeed(folder.path(), &["compile-circuit"]);
    let data = r#"{"input_data": [[1.0, 1.0]]}"#;
    succeed(folder.path(), &["gen-witness", "-D", data]);
    let witness = fs::read_to_string(folder.path().join("witness.json")).unwrap();
    assert!(witness.contains(r#""rescaled_outputs":[["0.5","2.25"]]"#), "{witness}");
}

/// What is used as a Boolean and is none: the node and the value, before anything is proven.
#[test]
fn numbers_cast_to_booleans() {
    let folder = folder_with("wrong/cast_to_bool.onnx");
    let output = run(folder.path(), &[&["gen-settings", "-K", "12"], &SMALL[..]].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("(Cast)") && said.contains("not scaled to Booleans"), "{said}");
    succeed(folder.path(), &["compile-circuit"]);
    let said = refused(
        folder.path(),
        &["gen-witness", "-D", r#"{"input_data": [[1.0, 2.0], [0.5, 0.5]]}"#],
    );
    assert!(said.contains("(Linear Iff)") && said.contains("used as a Boolean"), "{said}");
    assert!(!folder.path().join("witness.json").exists());
    let data = r#"{"input_data": [[0.5, 0.0], [0.5, 0.5]]}"#;
    succeed(folder.path(), &["gen-witness", "-D", data]);
    succeed(folder.path(), &["mock"]);
}

#[test]
fn integers_that_are_divided() {
    let folder = folder_with("wrong/quotients_of_integers.onnx");
    let output = run(folder.path(), &["gen-settings"]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("(Div)") && said.contains("keep their fraction"), "{said}");
}

/// More public values than rows.
#[test]
fn public_values_that_do_not_fit() {
    let folder = folder_with("cnn/network.onnx");
    let flags = ["gen-settings", "--input-visibility", "public", "-K", "6"];
    succeed(folder.path(), &[&flags[..], &SMALL].concat());
    let said = refused(folder.path(), &["compile-circuit"]);
    assert!(said.contains("66 inputs and outputs are public, and 58 fit 2^6 rows"), "{said}");
    assert!(said.contains("use --logrows 7"), "{said}");
    assert!(!folder.path().join("model.compiled").exists());
}

/// Einsums that a proof says nothing of have to be accepted.
#[test]
fn einsums_that_are_not_tied() {
    let folder = tempfile::tempdir().unwrap();
    let circuit = repository("tests/circuits/freivalds/model.compiled");
    fs::copy(circuit, folder.path().join("model.compiled")).unwrap();
    let srs = repository("tests/vectors/srs/kzg9.srs").display().to_string();
    let setup = ["setup", "--srs-path", &srs];
    let said = refused(folder.path(), &setup);
    assert!(said.contains("Freivalds") && said.contains("--allow-unbound-einsums"), "{said}");
    assert!(said.contains("--disable-freivalds"), "{said}");
    assert!(!folder.path().join("pk.key").exists());
    succeed(folder.path(), &[&setup[..], &["--allow-unbound-einsums"]].concat());
    fs::copy(
        repository("tests/circuits/freivalds/witness.json"),
        folder.path().join("witness.json"),
    )
    .unwrap();
    let prove = ["prove", "--srs-path", &srs];
    assert!(refused(folder.path(), &prove).contains("--allow-unbound-einsums"));
    succeed(folder.path(), &[&prove[..], &["--allow-unbound-einsums"]].concat());
}

/// Said where the circuit is made, with what it would take without.
#[test]
fn einsums_that_are_not_tied_are_named_with_the_settings() {
    let folder = folder_with("small/matmul_1_1_batch/network.onnx");
    let quiet = run(folder.path(), &["gen-settings"]);
    assert!(quiet.status.success() && quiet.stderr.is_empty(), "{quiet:?}");
    let folder = folder_with("attention/network.onnx");
    for command in ["gen-settings", "compile-circuit"] {
        let output = run(folder.path(), &[command]);
        assert!(output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("--disable-freivalds (which takes "), "{said}");
    }
    let output = run(folder.path(), &["gen-settings", "--sound"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains(" with Freivalds' check, which binds nothing")
    );
    assert!(!said.contains("warning"), "{said}");
    let leaks = ["gen-settings", "--sound", "--param-visibility", "polycommit"];
    let output = run(folder.path(), &leaks);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("--sound: parameters are polycommit"), "{said}");
    let output = run(folder.path(), &["gen-settings", "--disable-freivalds"]);
    assert!(!String::from_utf8(output.stderr).unwrap().contains("Freivalds"));
}

/// Files that are not the JSON of inputs, and inputs of another network.
#[test]
fn odd_inputs() {
    let folder = folder_with("small/gemm_1_1/network.onnx");
    succeed(folder.path(), &[&["gen-settings", "-K", "12"], &SMALL[..]].concat());
    succeed(folder.path(), &["compile-circuit"]);
    for (content, part) in [
        ("", "it is empty"),
        ("\u{feff}{\"input_data\": [[0.5]]}", "byte order mark"),
        ("[0.5]", "it is a list, not an object with input_data"),
        ("{\"input_data\": [[NaN]]}", "it contains NaN"),
        ("{\"input_data\": [[-Infinity]]}", "it contains Infinity"),
        ("{\"input_data\": [[1e999]]}", "number out of range"),
        ("{\"input_data\": [[null]]}", "expected a Boolean, a number or a field element"),
        ("{\"input_data\": [[\"0.5\"]]}", "a text must be a field element"),
        ("{\"input_data\": [[true]]}", "the value true is not a number"),
        ("{\"input_data\": [[[0.5]]]}", "expected a Boolean, a number or a field element"),
        ("{\"input_data\": [0.5]}", "one flat list per input"),
        ("{\"input_data\": [[0.5", "EOF"),
        ("{\"inputs\": [[0.5]]}", "missing field `input_data`"),
        ("{}", "missing field `input_data`"),
        ("{\"input_data\": [[0.5], [1.0]]}", "holds 2 lists, but the network has 1 input"),
        ("{\"input_data\": [[0.5, 1.0]]}", "holds 2 elements"),
        ("{\"input_data\": [[]]}", "holds 0 elements"),
        ("{\"input_data\": [[1e30]]}", "out of the range the circuit can hold"),
    ] {
        fs::write(folder.path().join("input.json"), content).unwrap();
        let said = refused(folder.path(), &["gen-witness"]);
        assert!(
            said.starts_with("error: input.json: ") && said.contains(part),
            "{content}: {said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
