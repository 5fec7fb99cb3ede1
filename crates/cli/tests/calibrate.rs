//! `calibrate-settings` chooses what EZKL chooses from the same data, and says how good it is.

mod processes;

use processes::{one_error, repository, run, succeed, twain};
use std::collections::HashSet;
use std::fs;
use twain_artifacts::read_settings;

/// Calibrates a model of `tests/onnx` and compares with what EZKL chose; returns the report.
fn calibrated(name: &str) -> String {
    let original = repository("tests/onnx").join(name);
    let folder = tempfile::tempdir().unwrap();
    for file in ["network.onnx", "calibration.json", "settings.json"] {
        fs::copy(original.join(file), folder.path().join(file)).unwrap();
    }
    let said = succeed(folder.path(), &["calibrate-settings", "--report", "report.html"]);
    let found = read_settings(&folder.path().join("settings.json")).unwrap();
    let mut expected = read_settings(&original.join("calibrated.json")).unwrap();
    assert_eq!(found.run_args, expected.run_args, "{name}");
    let ranges = |list: &[(i128, i128)]| list.iter().copied().collect::<HashSet<_>>();
    assert_eq!(ranges(&found.required_range_checks), ranges(&expected.required_range_checks));
    // EZKL's order is another one each time.
    expected.required_range_checks = found.required_range_checks.clone();
    expected.einsum_params.equations = found.einsum_params.equations.clone();
    assert_eq!(found, expected, "{name}");
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("mean_abs_error"));
    said
}

#[test]
fn the_same_choice_and_the_same_errors() {
    let said = calibrated("mlp");
    // As EZKL prints them for its circuit.
    for (name, value) in [
        ("mean_error", "-0.00005410115"),
        ("max_abs_error", "0.00010448694"),
        ("mean_squared_error", "0.0000000045752544"),
        ("mean_abs_percent_error", "0.000117579475"),
    ] {
        let mut lines = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        assert!(lines.any(|line| line == [name, value]), "{name} in {said}");
    }
}

#[test]
fn two_inputs() {
    calibrated("concat");
}

#[test]
fn another_multiplier() {
    calibrated("transpose");
}

#[test]
fn dynamic_and_static_tables() {
    calibrated("pooling");
    calibrated("attention");
}

/// Without inputs there is none that is not of whole numbers: EZKL chooses these scales and rows.
#[test]
fn a_network_without_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let network = repository("tests/onnx/small/arange.onnx");
    fs::copy(network, folder.path().join("network.onnx")).unwrap();
    succeed(folder.path(), &["gen-settings"]);
    succeed(folder.path(), &["calibrate-settings", "-D", r#"{"input_data": []}"#]);
    let args = read_settings(&folder.path().join("settings.json")).unwrap().run_args;
    assert_eq!((args.input_scale, args.param_scale, args.logrows), (0, 13, 15));
}

/// A circuit of another network than the file's is not proposed.
#[test]
fn errors_that_quantisation_does_not_explain() {
    let folder = tempfile::tempdir().unwrap();
    let network = repository("tests/onnx/small/average_pool_pad/network.onnx");
    fs::copy(network, folder.path().join("network.onnx")).unwrap();
    succeed(folder.path(), &["gen-settings"]);
    let before = fs::read(folder.path().join("settings.json")).unwrap();
    let data = r#"{"input_data": [[1.0, 0.5, -0.5, 0.25]]}"#;
    let refused = run(folder.path(), &["calibrate-settings", "-D", data]);
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("count_include_pad"), "{said}");
    assert!(said.contains("something else than the network"), "{said}");
    assert!(said.contains("--accept-error"), "{said}");
    assert_eq!(fs::read(folder.path().join("settings.json")).unwrap(), before);
    succeed(folder.path(), &["calibrate-settings", "-D", data, "--accept-error"]);
    assert_ne!(fs::read(folder.path().join("settings.json")).unwrap(), before);
}

/// As `calibrate-settings | true`: what nobody reads is no reason to stop, and the files are there.
#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["network.onnx", "calibration.json", "settings.json"] {
        fs::copy(repository("tests/onnx/mlp").join(file), folder.path().join(file)).unwrap();
    }
    let before = fs::read(folder.path().join("settings.json")).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = twain(folder.path());
    command.args(["calibrate-settings", "--report", "report.html"]).stdout(writer);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(folder.path().join("report.html").exists());
    assert!(fs::read(folder.path().join("settings.json")).unwrap() != before);
    // A full disk is one.
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = twain(folder.path()).arg("table").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(one_error(&String::from_utf8(output.stderr).unwrap()).contains("standard output"));
}
