//! `verify` and `swap-proof-commitments`.

use super::version_warning;
use crate::error::Error;
use crate::files;
use std::path::{Path, PathBuf};
use twain::key_files::{read_verifier_srs, read_verifying_key};
use twain_algebra::G1Affine;
use twain_artifacts::{GraphWitness, Proof, read_settings};
use twain_circuit::{ProductTree, configure};
use twain_plonk::ProofWriter;

/// Depths of the tables' selector trees that EZKL can have hashed into a key (spec 01 §8.1): it starts
/// at 3 plus log2 of its threads.
const TREES: [ProductTree; 9] = [
    ProductTree::FullySplit,
    ProductTree::Depth(3),
    ProductTree::Depth(4),
    ProductTree::Depth(5),
    ProductTree::Depth(6),
    ProductTree::Depth(7),
    ProductTree::Depth(8),
    ProductTree::Depth(9),
    ProductTree::Depth(10),
];

/// Checks a proof, for every form EZKL may have given the key.
pub fn verify(
    settings_path: &Path,
    proof_path: &Path,
    vk_path: &Path,
    srs: Option<PathBuf>,
    reduced_srs: bool,
) -> Result<(), Error> {
    let settings = read_settings(settings_path)?;
    version_warning(settings_path, &settings.version);
    let logrows = settings.run_args.logrows;
    let proof = Proof::read(proof_path)?;
    let srs_path = files::srs_path(&srs, if reduced_srs { 1 } else { logrows })?;
    let srs = read_verifier_srs(&srs_path)?;
    let format = files::key_format()?;
    let mut tried = Vec::new();
    let mut first_error = None;
    for tree in TREES {
        let (system, _) = configure(&settings, tree).map_err(|e| Error::file(settings_path, e))?;
        let key = read_verifying_key(vk_path, format, system, logrows)?;
        if tried.contains(&key.transcript_repr()) {
            continue;
        }
        tried.push(key.transcript_repr());
        match twain_plonk::verify(&key, &srs, &proof.instances, &proof.proof) {
            Ok(()) => {
                println!("verified: true");
                return Ok(());
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    first_error.map_or(Ok(()), |error| {
        Err(Error::file(proof_path, format!("the proof is not valid: {error}")))
    })
}

/// Replaces the leading commitments of a proof by those of a witness, in the order inputs,
/// parameters, outputs (spec 04 §7.6): the proof then verifies only if they are the same.
pub fn swap_commitments(proof_path: &Path, witness_path: &Path) -> Result<(), Error> {
    let mut proof = Proof::read(proof_path)?;
    let witness = GraphWitness::read(witness_path)?;
    let processed =
        [&witness.processed_inputs, &witness.processed_params, &witness.processed_outputs];
    let commitments: Vec<G1Affine> = processed
        .into_iter()
        .flatten()
        .filter_map(|processed| processed.polycommit.as_ref())
        .flatten()
        .flatten()
        .copied()
        .collect();
    if commitments.is_empty() {
        let reason = "it holds no commitments: make it with gen-witness -V vk.key -P SRS from a \
                      circuit with polycommit visibility";
        return Err(Error::file(witness_path, reason));
    }
    let mut writer = ProofWriter::new();
    commitments.iter().for_each(|point| writer.write_point(point));
    let bytes = writer.finish();
    let start = proof.proof.get_mut(..bytes.len()).ok_or_else(|| {
        Error::file(proof_path, "it is shorter than the witness's commitments: another circuit's")
    })?;
    start.copy_from_slice(&bytes);
    proof.hex_proof = Some(format!("0x{}", hex::encode(&proof.proof)));
    Ok(proof.write(proof_path)?)
}
