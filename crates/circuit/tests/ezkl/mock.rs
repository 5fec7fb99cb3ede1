//! Witnesses satisfy their circuits, and what does not is named.

use crate::case::{Case, vector};
use ff::Field;
use twain_algebra::Fr;
use twain_circuit::{Sources, Witness, WitnessError, mock, parameters};
use twain_party::{Alone, Seed};

#[test]
fn witnesses_satisfy_their_circuits() {
    for name in ["1l_relu-k8-private", "credit_mlp-k10-private", "tiny_cnn-k11-private"] {
        let case = Case::new(vector(name));
        let values = case.run().expect("a witness");
        let failures = mock(&case.circuit, &values, 10).expect("a check");
        assert_eq!(failures, [], "{name}");
    }
}

#[test]
fn a_public_output_that_is_not_the_models_is_named() {
    let case = Case::new(vector("1l_relu-k8-private"));
    let mut values = case.run().expect("a witness");
    values.instances[1] += Fr::ONE;
    let failures = mock(&case.circuit, &values, 10).expect("a check");
    assert!(!failures.is_empty());
    assert!(failures.iter().all(|failure| failure.constraint == "copy"), "{failures:?}");
    assert!(failures[0].to_string().contains("output 0: copy fails"), "{}", failures[0]);
}

#[test]
fn a_value_out_of_range_is_named() {
    let case = Case::new(vector("1l_relu-k8-private"));
    let mut inputs = case.witness().inputs.clone();
    inputs[0][2] = Fr::from(1 << 24);
    let parameters = parameters(&case.compiled.model);
    let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
    let program = &case.circuit.program;
    let error = program.run_alone(&mut Alone::new(Seed([7; 32])), &sources);
    let Err(WitnessError::OutOfRange { step, value, .. }) = error else {
        panic!("the value 2^24 was accepted for 4 digits in base 64");
    };
    assert!(step.ends_with("(Input)"), "{step}");
    assert_eq!(value, "16777216");
    // A party that may not tell says no more than that.
    let error = program.run(&mut Alone::new(Seed([7; 32])), &sources);
    assert!(matches!(error, Err(WitnessError::Party(twain_party::PartyError::Invalid))));
}

#[test]
fn sources_of_the_wrong_size_are_refused() {
    let case = Case::new(vector("1l_relu-k8-private"));
    let program = &case.circuit.program;
    let run = |inputs: &[Vec<Fr>]| {
        let sources = Sources { inputs: Some(inputs), parameters: None };
        program.run_alone(&mut Alone::new(Seed([7; 32])), &sources)
    };
    assert!(matches!(run(&[]), Err(WitnessError::Sources(_))));
    assert!(matches!(run(&[vec![Fr::ZERO; 4]]), Err(WitnessError::Sources(_))));
    assert!(run(&[vec![Fr::ZERO; 3]]).is_ok());
}

#[test]
fn multiplicities_count_every_row() {
    let case = Case::new(vector("tiny_cnn-k11-private"));
    let values = case.run().expect("a witness");
    let witness = Witness::new(&case.circuit, &values);
    let multiplicities = witness.count(&mut Alone::new(Seed([7; 32]))).expect("counts");
    let arguments = case.circuit.cs.lookup_arguments();
    assert_eq!(multiplicities.len(), arguments.len());
    let usable = case.circuit.columns.geometry.usable_rows;
    for (column, argument) in multiplicities.iter().zip(&arguments) {
        let total: Fr = column.shares.iter().sum();
        assert_eq!(total, Fr::from((usable * argument.inputs.len()) as u64));
        assert!(column.shares[usable..].iter().all(|value| *value == Fr::ZERO));
    }
}
