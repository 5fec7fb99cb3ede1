//! `setup` and `gen-vk-from-pk`.

use super::{load_circuit, load_settings};
use crate::error::{AtFile, Error};
use crate::files;
use crate::key_files::{
    ExtendedForm, proving_key_bytes, read_proving_key, read_srs, write_keys, write_verifying_key,
};
use crate::observe::{Run, bytes};
use rand_core::OsRng;
use std::path::{Path, PathBuf};
use twain_artifacts::{ArtifactKind, CompiledModel, Destination};
use twain_circuit::{ProductTree, configure, lay_out};
use twain_plonk::{ProvingKey, Srs, generate_keys, generate_keys_watched};

/// Arguments of `setup`.
pub struct Setup {
    /// The compiled circuit.
    pub compiled_circuit: PathBuf,
    /// The SRS, if not the default.
    pub srs: Option<PathBuf>,
    /// Where the verifying key goes.
    pub vk_path: PathBuf,
    /// Where the proving key goes.
    pub pk_path: PathBuf,
    /// Values of fixed inputs.
    pub witness: Option<PathBuf>,
    /// Whether selectors share columns.
    pub compress: bool,
    /// Accept einsums that a proof says next to nothing of: EZKL's circuits do not tie Freivalds'
    /// check to the values used.
    pub allow_unbound_einsums: bool,
}

/// Makes the keys.
pub fn setup(arguments: &Setup, run: &Run) -> Result<(), Error> {
    if let Some(path) = &arguments.witness {
        let reason =
            "setup from a witness (fixed inputs or outputs) is not supported yet; leave -W out";
        return Err(Error::file(path, reason));
    }
    let path = &arguments.compiled_circuit;
    let (compiled, circuit) = load_circuit(path)?;
    super::check_einsums(path, &compiled, arguments.allow_unbound_einsums)?;
    super::warn_of_looseness(&compiled, run);
    let k = compiled.settings.run_args.logrows;
    let format = files::key_format()?;
    // What stands in the way is found before the work.
    drop(Destination::open(&arguments.vk_path, ArtifactKind::VerifyingKey)?);
    drop(Destination::open(&arguments.pk_path, ArtifactKind::ProvingKey)?);
    let watched = run.watched();
    let srs = read_srs(&files::srs_path(&arguments.srs, k)?, k, &mut OsRng, &watched)?;
    let (system, assembly) = (circuit.cs, circuit.assembly);
    let key =
        generate_keys_watched(system, assembly, &srs, arguments.compress, &watched).at(path)?;
    let size = bytes(proving_key_bytes(&key));
    run.step(format!("2^{k} rows; the proving key takes {size}."));
    Ok(write_keys(&arguments.vk_path, &arguments.pk_path, format, &key, &watched)?)
}

/// Makes the keys of a circuit; an SRS of exactly its number of rows. With `compress` selectors
/// share columns, as EZKL's do unless told otherwise.
///
/// # Errors
/// A circuit that cannot be laid out, an SRS of another size.
pub fn keys(compiled: &CompiledModel, srs: &Srs, compress: bool) -> Result<ProvingKey, Error> {
    let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit)?;
    generate_keys(circuit.cs, circuit.assembly, srs, compress).at(Path::new("the circuit"))
}

/// Copies the verifying key out of a proving key.
pub fn vk_from_pk(pk: &Path, settings: &Path, vk: &Path, run: &Run) -> Result<(), Error> {
    let path = settings;
    let settings = load_settings(path)?;
    let (system, _) = configure(&settings, ProductTree::FullySplit).at(path)?;
    let format = files::key_format()?;
    let (k, watched) = (settings.run_args.logrows, run.watched());
    let key = read_proving_key(pk, format, system, k, ExtendedForm::Skip, &watched)?;
    Ok(write_verifying_key(vk, format, key.vk())?)
}
