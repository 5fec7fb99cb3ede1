//! EZKL's own proofs are accepted, and nothing that differs from them is.

mod base_circuit;

use base_circuit::{configured, folders, key_bytes, key_parts, proof, verifier_srs};
use ff::Field;
use twain_algebra::Fr;
use twain_plonk::{
    CompiledSystem, ConstraintSystem, KeyError, ProofError, VerifyingKey, evaluations,
    rotation_sets, verify, verify_any,
};

fn key(folder: &std::path::Path) -> VerifyingKey {
    let system = configured(folder);
    let parts = key_parts(&system, &key_bytes(folder));
    VerifyingKey::new(system, parts).unwrap()
}

#[test]
fn real_proofs_are_accepted() {
    for folder in folders() {
        let key = key(&folder);
        let (instances, bytes) = proof(&folder);
        let srs = verifier_srs(key.system().k());
        verify(&key, &srs, &instances, &bytes).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
        // As EZKL does, the verifier ignores what follows the proof.
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(verify(&key, &srs, &instances, &longer), Ok(()));
    }
}

#[test]
fn every_item_of_a_proof_counts() {
    let folder = &folders()[3];
    let key = key(folder);
    let (instances, bytes) = proof(folder);
    let srs = verifier_srs(key.system().k());
    // The lowest bit of every 32-byte item: a coordinate or an evaluation.
    for end in (31..bytes.len()).step_by(32 * 7) {
        let mut changed = bytes.clone();
        changed[end] ^= 1;
        assert!(verify(&key, &srs, &instances, &changed).is_err(), "byte {end}");
    }
    let scalars = bytes.len() - 3 * 64;
    let mut changed = bytes.clone();
    changed[scalars + 31] ^= 1;
    assert_eq!(verify(&key, &srs, &instances, &changed), Err(ProofError::Rejected));
    let short = verify(&key, &srs, &instances, &bytes[..bytes.len() - 1]);
    assert!(matches!(short, Err(ProofError::Truncated { .. })));
    changed[scalars..scalars + 32].fill(0xff);
    let error = verify(&key, &srs, &instances, &changed);
    assert!(matches!(error, Err(ProofError::NotCanonical { offset, .. }) if offset == scalars));
    changed = bytes.clone();
    changed[31] ^= 1;
    let error = verify(&key, &srs, &instances, &changed);
    assert!(matches!(error, Err(ProofError::NotOnCurve { offset: 0, .. })));
}

#[test]
fn instances_keys_and_systems_count() {
    let folder = &folders()[3];
    let good = key(folder);
    let (instances, bytes) = proof(folder);
    let srs = verifier_srs(good.system().k());
    let mut changed = instances.clone();
    changed[0][1] += Fr::ONE;
    assert_eq!(verify(&good, &srs, &changed, &bytes), Err(ProofError::Rejected));
    // Padding with a zero is another statement, although the column is the same.
    let mut padded = instances.clone();
    padded[0].push(Fr::ZERO);
    assert_eq!(verify(&good, &srs, &padded, &bytes), Err(ProofError::Rejected));
    let none = verify(&good, &srs, &[], &bytes);
    assert_eq!(none, Err(ProofError::InstanceColumns { expected: 1, found: 0 }));
    padded[0].resize(251, Fr::ZERO);
    let long = verify(&good, &srs, &padded, &bytes);
    assert_eq!(long, Err(ProofError::InstanceRows { limit: 250, found: 251 }));

    // Another selector row: same commitments, another key only if compression changes.
    let system = configured(folder);
    let mut parts = key_parts(&system, &key_bytes(folder));
    parts.fixed_commitments.swap(0, 1);
    let bad = VerifyingKey::new(system.clone(), parts.clone()).unwrap();
    assert_eq!(verify(&bad, &srs, &instances, &bytes), Err(ProofError::Rejected));
    assert_eq!(verify_any([&bad, &good], &srs, &instances, &bytes), Ok(1));
    assert_eq!(verify_any([&bad, &bad], &srs, &instances, &bytes), Err(ProofError::Rejected));

    parts.fixed_commitments[2].x += twain_algebra::Fq::ONE;
    let error = VerifyingKey::new(system.clone(), parts.clone());
    assert_eq!(error, Err(KeyError::NotOnCurve { what: "fixed columns", index: 2 }));
    parts.permutation_commitments.pop();
    parts.fixed_commitments.pop();
    let error = VerifyingKey::new(system, parts).unwrap_err();
    assert!(matches!(error, KeyError::Commitments { expected: 12, found: 11, .. }));
}

/// Numbers of spec 01 appendix A.
#[test]
fn shape_of_the_base_circuit() {
    let folder = &folders()[3];
    let key = key(folder);
    let system: &CompiledSystem = key.system();
    assert_eq!((system.degree(), system.blinding_factors(), system.k()), (5, 5, 8));
    assert_eq!((system.extended_k(), system.usable_rows(), system.fixed_columns()), (10, 250, 12));
    assert_eq!((system.lookups().len(), system.permutation_chunks().len()), (4, 3));
    assert_eq!(evaluations(system).len(), 48);
    let sets = rotation_sets(system);
    let sizes: Vec<_> = sets.iter().map(|s| (s.rotations.len(), s.polynomials.len())).collect();
    assert_eq!(sizes, [(1, 31), (2, 1), (3, 2), (2, 5)]);
}

/// A single table of ten columns: the order of the map is that of text, and the chunks stay within
/// the degree (spec 01 §0, row "9-column range table": 19 arguments there with a second range).
#[test]
fn lookups_are_sorted_as_text() {
    let mut system = ConstraintSystem::new();
    let advice = system.advice_column(0);
    let columns: Vec<_> = (0..12).map(|_| system.fixed_column()).collect();
    for column in columns {
        let input = system.query(advice, 0);
        system.lookup("table", vec![(input, column)]);
    }
    let keys: Vec<_> = system.lookups().keys().cloned().collect();
    assert_eq!(keys[1..4], ["fixed[10][0]", "fixed[11][0]", "fixed[1][0]"]);
    assert_eq!(system.lookup_arguments().len(), 12);
}
