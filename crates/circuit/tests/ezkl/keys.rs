//! Layouts equal EZKL's: selectors, fixed columns and permutation as in its verifying keys,
//! constraints as its proofs need them, outputs as in its witnesses.

use crate::case::{Case, circuit, small, vector};
use std::path::PathBuf;
use twain_circuit::{Witness, mock};

fn compare(name: &str) {
    let case = Case::new(vector(name));
    assert_eq!(case.key_difference(), None);
    case.verify_proof();
    let values = case.run().expect("a witness");
    let args = &case.compiled.settings.run_args;
    assert_eq!(values.instances, case.witness().instances(args));
}

#[test]
fn one_relu() {
    compare("1l_relu-k8-private");
}

#[test]
fn one_layer() {
    compare("1l_mlp-k9-private");
}

#[test]
fn two_layers() {
    compare("credit_mlp-k10-private");
}

#[test]
fn convolution() {
    compare("tiny_cnn-k11-private");
}

#[test]
fn strided_convolution() {
    compare("small_cnn-k13-private");
}

#[test]
fn fixed_parameters() {
    compare("1l_mlp-k10-fixed");
}

#[test]
fn committed_parameters() {
    compare("1l_mlp-k9-polycommit");
    compare("credit_mlp-k10-polycommit");
}

/// One circuit for each group of operations and columns that the vectors do not have.
#[test]
fn operations_and_modules() {
    let names = [
        "arg-max-k8",
        "average-pool",
        "conv-transpose",
        "erf",
        "floor",
        "freivalds",
        "freivalds-three",
        "gather-nd-input",
        "gru",
        "hashed-all",
        "ln-bounded",
        "logic",
        "max-pool",
        "one-hot",
        "round",
        "rsqrt",
        "scatter-elements-rows",
        "sigmoid-tanh",
        "softmax",
        "top-k-smallest",
    ];
    for name in names {
        assert_eq!(difference(circuit(name)), None, "{name}");
    }
}

#[test]
fn constants_of_one_element() {
    for name in ["gemm_1_1", "conv_1_1", "lstm_1", "spatial_attention"] {
        assert_eq!(difference(small(name)), None, "{name}");
    }
}

/// Every circuit of `tests/interop/circuits.py`: the keys are EZKL's, the witness program gives
/// EZKL's outputs and satisfies the circuit.
#[test]
#[ignore = "needs circuits made by tests/interop/circuits.py"]
fn circuits_made_on_the_spot() {
    let folder = std::env::var("TWAIN_CIRCUITS").expect("TWAIN_CIRCUITS names the folder");
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut folders: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(!folders.is_empty());
    let mut differences = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        differences.extend(difference(folder).map(|text| format!("{name}: {text}")));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn difference(folder: PathBuf) -> Option<String> {
    let case = match Case::try_new(folder) {
        Ok(case) => case,
        Err(error) => return Some(error.to_string()),
    };
    if let Some(difference) = case.key_difference() {
        return Some(difference);
    }
    if case.compiled.model.visibility.input.is_fixed() {
        // The keys are those of zeros, the witness is not.
        return case.run().is_ok().then(|| "a fixed input is not what the keys say".into());
    }
    let values = match case.run() {
        Ok(values) => values,
        Err(error) => return Some(error.to_string()),
    };
    if values.instances != case.witness().instances(&case.compiled.settings.run_args) {
        return Some("the instances differ".into());
    }
    let witness = case.witness();
    let theirs = (witness.min_lookup_inputs, witness.max_lookup_inputs);
    if Witness::new(&case.circuit, &values).lookup_extremes() != theirs {
        return Some("the extremes of lookups differ".into());
    }
    let failures = mock(&case.circuit, &values, 1).expect("a check");
    failures.first().map(|failure| failure.to_string())
}
