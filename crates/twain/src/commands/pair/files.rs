//! What both sides of a pair hold alike: the circuit, the keys, the SRS; and how they compare it.

use super::refusals;
use super::session::{Told, Unready};
use crate::arguments::{Pair, SrsPath};
use crate::commands::{load_circuit, warn_of_looseness};
use crate::error::Error;
use crate::files;
use rand_core::OsRng;
use sha2::{Digest, Sha256};
use std::path::Path;
use twain::key_files::{ExtendedForm, read_proving_key, read_srs};
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, redact};
use twain_circuit::Circuit;
use twain_plonk::{ProvingKey, Srs};

/// What both sides hold alike; on the model's side the compiled model has the parameters.
pub struct Common {
    pub compiled: CompiledModel,
    pub circuit: Circuit,
    pub key: ProvingKey,
    pub srs: Srs,
}

impl Common {
    /// Reads the files and refuses what makes no sense between two parties.
    pub fn read(
        compiled_circuit: &Path,
        pk_path: &Path,
        srs: &SrsPath,
        pair: &Pair,
    ) -> Result<Self, Unready> {
        let loaded = load_circuit(compiled_circuit);
        let (compiled, circuit) = loaded.told("its compiled circuit cannot be used")?;
        warn_of_looseness(&compiled);
        refusals::check(compiled_circuit, &compiled, &circuit, pair)?;
        let logrows = compiled.settings.run_args.logrows;
        let format = files::key_format()?;
        let srs_path = files::srs_path(&srs.srs_path, logrows)?;
        let extended = ExtendedForm::faster();
        let (key, srs) = rayon::join(
            || read_proving_key(pk_path, format, circuit.cs.clone(), logrows, extended),
            || read_srs(&srs_path, logrows, &mut OsRng),
        );
        let key = key.map_err(Error::from).told("its proving key is not one of its circuit")?;
        let srs = srs.map_err(Error::from).told("its SRS cannot be used")?;
        Ok(Self { compiled, circuit, key, srs })
    }

    /// Digests of all of it.
    pub fn digests(&self) -> Result<Vec<(String, [u8; 32])>, Error> {
        let Self { compiled, key, srs, .. } = self;
        let redacted = redact(compiled).map_err(|error| Error::Usage(error.to_string()))?;
        let mut circuit = Vec::new();
        redacted.encode(&mut circuit).map_err(|error| Error::Usage(error.to_string()))?;
        let settings = serde_json::to_vec(&compiled.settings)
            .map_err(|error| Error::Usage(error.to_string()))?;
        let columns = key.fixed().values.iter().chain(&key.sigma().values);
        let points = srs.g().points(0..srs.g().len());
        let points = points.iter().flat_map(|point| [point.x.to_bytes(), point.y.to_bytes()]);
        let digests = [
            ("circuit without parameters", digest([circuit.as_slice()])),
            ("settings", digest([settings.as_slice()])),
            ("proving key", digest_scalars(columns.flatten())),
            ("verifying key", digest_scalars([&key.vk().transcript_repr()])),
            ("SRS", digest(points)),
        ];
        Ok(digests.map(|(name, digest)| (name.to_string(), digest)).into())
    }
}

/// What the store keeps bundles under: everything their plan follows from, this program's version
/// included.
pub fn series(digests: &[(String, [u8; 32])]) -> [u8; 32] {
    let version: &[u8] = concat!("twain ", env!("CARGO_PKG_VERSION")).as_bytes();
    let parts = digests.iter().flat_map(|(name, digest)| [name.as_bytes(), digest]);
    digest([version].into_iter().chain(parts))
}

/// SHA-256 of the parts, one after the other.
pub fn digest(parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.into_iter().for_each(|part| hash.update(part.as_ref()));
    hash.finalize().into()
}

/// The same of scalars.
pub fn digest_scalars<'a>(scalars: impl IntoIterator<Item = &'a Fr>) -> [u8; 32] {
    digest(scalars.into_iter().map(|scalar| scalar.to_bytes()))
}
