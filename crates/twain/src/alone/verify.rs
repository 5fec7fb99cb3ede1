//! `verify` and `swap-proof-commitments`.

use super::load_settings;
use crate::error::Error;
use crate::files;
use crate::key_files::{KeyFileError, check_selectors, read_verifier_srs, read_verifying_keys};
use crate::observe::Run;
use std::path::{Path, PathBuf};
use twain_algebra::G1Affine;
use twain_artifacts::{GraphWitness, Proof};
use twain_plonk::ProofWriter;

/// Checks a proof, for every form EZKL may have given the key, unless the run is ended; the number of its
/// public values.
pub fn verify(
    settings_path: &Path,
    proof_path: &Path,
    vk_path: &Path,
    srs: Option<PathBuf>,
    reduced_srs: bool,
    run: &Run,
) -> Result<usize, Error> {
    let settings = load_settings(settings_path)?;
    let logrows = settings.run_args.logrows;
    let proof = Proof::read(proof_path)?;
    let srs_path = files::srs_path(&srs, if reduced_srs { 1 } else { logrows })?;
    let srs = read_verifier_srs(&srs_path)?;
    let format = files::key_format()?;
    let keys = read_verifying_keys(vk_path, format, &settings).map_err(|error| match error {
        KeyFileError::Layout(error) => Error::file(settings_path, error),
        other => other.into(),
    })?;
    for key in keys.iter().take(1) {
        check_selectors(vk_path, key, &srs_path, &run.watched())?; // the same in all forms
    }
    let Proof { instances, proof, .. } = &proof;
    twain_plonk::verify_any(&keys, &srs, instances, proof)
        .map_err(|error| Error::file(proof_path, format!("the proof is not valid: {error}")))?;
    Ok(instances.iter().map(Vec::len).sum())
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
