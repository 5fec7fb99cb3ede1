//! Proofs of our witnesses verify under EZKL's keys.

use crate::case::{Case, circuit, vector};
use std::path::PathBuf;
use twain_circuit::Witness;
use twain_party::{Alone, Seed};
use twain_plonk::{generate_keys, prove, verify};

fn prove_and_verify(folder: PathBuf) {
    let case = Case::new(folder);
    let srs = case.srs();
    let (cs, assembly) = (case.circuit.cs.clone(), case.circuit.assembly.clone());
    let keys = generate_keys(cs, assembly, &srs, true).expect("keys");
    let values = case.run().expect("a witness");
    let instances = vec![values.instances.clone()];
    let mut witness = Witness::new(&case.circuit, &values);
    let mut party = Alone::new(Seed([3; 32]));
    let proof = prove(&mut party, &keys, &srs, &instances, &mut witness).expect("a proof");
    verify(&case.ezkl_key(), srs.verifier(), &instances, &proof).expect("a valid proof");
}

#[test]
fn one_relu() {
    prove_and_verify(vector("1l_relu-k8-private"));
}

#[test]
fn two_layers_with_committed_parameters() {
    prove_and_verify(vector("credit_mlp-k10-polycommit"));
}

#[test]
fn convolution() {
    prove_and_verify(vector("tiny_cnn-k11-private"));
}

#[test]
fn hashes_and_static_lookups() {
    prove_and_verify(circuit("hashed-all"));
    prove_and_verify(circuit("sigmoid-tanh"));
}

#[test]
fn tables_of_witness_values() {
    prove_and_verify(circuit("arg-max-k8"));
    prove_and_verify(circuit("scatter-elements-rows"));
}

#[test]
fn two_phases() {
    prove_and_verify(circuit("freivalds"));
}
