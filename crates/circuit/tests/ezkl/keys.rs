//! Layouts equal EZKL's: selectors, fixed columns and permutation as in its verifying keys,
//! constraints as its proofs need them, outputs as in its witnesses.

use crate::case::{Case, vector};

fn compare(name: &str) {
    let case = Case::new(vector(name));
    case.compare_keys();
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
