//! What one prover does who holds everything: EZKL's commands as functions, over files with EZKL's
//! names and formats.

mod calibrate;
mod keys;
mod model;
mod onnx;
mod prove;
mod srs;
mod verify;
mod witness;

pub use calibrate::{Calibrated, Calibration, calibrate};
pub use keys::{Setup, keys, setup, vk_from_pk};
pub use model::{Redaction, bind_params, redact};
pub use onnx::{
    Allowances, Network, compile, generate_settings, generate_sound_settings, random_data, table,
};
pub use prove::{Prove, prove};
pub use srs::{
    download as download_srs, download_file as download_srs_file, generate as generate_srs,
    import as import_srs,
};
pub use verify::{swap_commitments, verify};
pub use witness::{
    commit, generate as generate_witness, hash_inputs, mock, mock_witness, witness,
    witness_of_files,
};

pub(crate) use prove::now;
pub(crate) use witness::{Committer, fresh_seed};

use crate::error::Error;
use crate::observe::Run;
use std::path::Path;
use twain_artifacts::{CompiledModel, read_settings};
use twain_circuit::{Circuit, ProductTree, Warning, lay_out};
use twain_graph::Settings;

/// Reads a compiled model.
pub(crate) fn load_compiled(path: &Path) -> Result<CompiledModel, Error> {
    let compiled = CompiledModel::read(path)?;
    check_version(path, &compiled.settings)?;
    Ok(compiled)
}

/// Reads a compiled model and lays it out.
pub(crate) fn load_circuit(path: &Path) -> Result<(CompiledModel, Circuit), Error> {
    let compiled = load_compiled(path)?;
    let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit)
        .map_err(|error| Error::file(path, error))?;
    Ok((compiled, circuit))
}

/// Says in a line each what the circuit leaves loose or gives away.
pub(crate) fn warn_of_looseness(compiled: &CompiledModel, run: &Run) {
    for warning in twain_circuit::warnings(&compiled.model, &compiled.settings) {
        run.warn(warning.to_string());
    }
}

/// Refuses a circuit whose proofs show next to nothing, unless that is `allowed`.
///
/// # Errors
/// Its einsums use Freivalds' check, which EZKL's circuits do not tie to the values used.
pub(crate) fn check_einsums(
    path: &Path,
    compiled: &CompiledModel,
    allowed: bool,
) -> Result<(), Error> {
    if allowed {
        return Ok(());
    }
    let warnings = twain_circuit::warnings(&compiled.model, &compiled.settings);
    match warnings.into_iter().find(|warning| *warning == Warning::UntiedEinsums) {
        Some(untied) => {
            let reason = format!("{untied}, or accept it with --allow-unbound-einsums");
            Err(Error::file(path, reason))
        }
        None => Ok(()),
    }
}

/// Reads settings.
pub(crate) fn load_settings(path: &Path) -> Result<Settings, Error> {
    let settings = read_settings(path)?;
    check_version(path, &settings)?;
    settings.run_args.validate().map_err(|error| Error::file(path, error))?;
    Ok(settings)
}

/// Refuses what another version of EZKL made: its circuits may be others, and a proof would only
/// fail at its verifier.
fn check_version(path: &Path, settings: &Settings) -> Result<(), Error> {
    let (version, expected) = (&settings.version, twain_graph::EZKL_VERSION);
    if version == expected {
        return Ok(());
    }
    let reason = format!(
        "made by EZKL {version}, not {expected}, whose circuits may differ: make settings, circuit \
         and keys again with this version"
    );
    Err(Error::file(path, reason))
}
