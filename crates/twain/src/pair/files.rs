//! What both sides of a pair hold alike: the circuit, the keys, the SRS; and how they compare it.

use super::refusals;
use super::session::{Told, Unready};
use crate::alone::{load_circuit, refuse_untied_einsums, warn_of_looseness};
use crate::error::{AtFile, Error};
use crate::key_files::{ExtendedForm, read_proving_key, read_srs};
use crate::observe::Run;
use rand_core::OsRng;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, redact};
use twain_circuit::Circuit;
use twain_plonk::{ProvingKey, Srs};

/// The files of what both sides hold alike.
#[derive(Clone, Debug)]
pub struct CommonFiles {
    /// The compiled circuit; at the data's side the redacted one.
    pub compiled_circuit: PathBuf,
    /// The proving key.
    pub pk_path: PathBuf,
    /// The SRS, if not EZKL's default for the number of rows.
    pub srs_path: Option<PathBuf>,
    /// Accept that every proof publishes one exact linear equation of committed values.
    pub allow_polycommit: bool,
    /// Accept that the proof says nothing of the einsums.
    pub allow_unbound_einsums: bool,
}

/// What both sides hold alike; on the model's side the compiled model has the parameters.
pub struct Common {
    pub compiled: CompiledModel,
    pub circuit: Circuit,
    pub key: ProvingKey,
    pub srs: Srs,
}

impl Common {
    /// Reads the files and refuses what makes no sense between two parties.
    pub fn read(files: &CommonFiles, run: &Run) -> Result<Self, Unready> {
        let CommonFiles { compiled_circuit, pk_path, srs_path, allow_polycommit, .. } = files;
        let loaded = load_circuit(compiled_circuit);
        let (compiled, circuit) = loaded.told("its compiled circuit cannot be used")?;
        refuse_untied_einsums(compiled_circuit, &compiled, files.allow_unbound_einsums)?;
        warn_of_looseness(&compiled, run);
        refusals::check(compiled_circuit, &compiled, &circuit, *allow_polycommit)?;
        let logrows = compiled.settings.run_args.logrows;
        let format = crate::files::key_format()?;
        let srs_path = crate::files::srs_path(srs_path, logrows)?;
        let extended = ExtendedForm::faster();
        let (key, srs) = rayon::join(
            || read_proving_key(pk_path, format, circuit.cs.clone(), logrows, extended),
            || read_srs(&srs_path, logrows, &mut OsRng),
        );
        let key = key.map_err(Error::from).told("its proving key is not one of its circuit")?;
        let srs = srs.map_err(Error::from).told("its SRS cannot be used")?;
        // The peer may have handed the key over.
        twain_plonk::check_key(&key, &circuit.cs, &circuit.assembly)
            .at(pk_path)
            .told("its proving key is not one of its circuit")?;
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
        let digests = [
            ("circuit without parameters", digest([circuit.as_slice()])),
            ("settings", digest([settings.as_slice()])),
            ("proving key", digest_scalars(columns.flatten())),
            ("verifying key", digest_scalars([&key.vk().transcript_repr()])),
            ("SRS", digest_srs(srs)),
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

/// The same of everything that is used of an SRS: a circuit's powers, their Lagrange form, and the
/// points of G2.
fn digest_srs(srs: &Srs) -> [u8; 32] {
    let (g2, s_g2) = srs.g2();
    let points = [srs.g(), srs.g_lagrange()].into_iter();
    let points = points.flat_map(|bases| bases.points(0..bases.len()));
    let twist =
        [g2.x, g2.y, s_g2.x, s_g2.y].into_iter().flat_map(|value| [*value.c0(), *value.c1()]);
    let coordinates = points.flat_map(|point| [point.x, point.y]).chain(twist);
    digest(coordinates.map(|coordinate| coordinate.to_bytes()))
}

/// The same of scalars.
pub fn digest_scalars<'a>(scalars: impl IntoIterator<Item = &'a Fr>) -> [u8; 32] {
    digest(scalars.into_iter().map(|scalar| scalar.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use group::Curve;
    use twain_algebra::{G1Affine, G2Affine};

    #[test]
    fn every_point_of_an_srs_is_compared() {
        const K: u32 = 2;
        let points = |from: u64| -> Vec<G1Affine> {
            let multiples = (from..from + (1 << K)).map(Fr::from);
            multiples.map(|multiple| (G1Affine::generator() * multiple).to_affine()).collect()
        };
        let twist = |multiple: u64| (G2Affine::generator() * Fr::from(multiple)).to_affine();
        let of = |points: [Vec<G1Affine>; 2], [g2, s_g2]: [u64; 2]| {
            let [g, g_lagrange] = points;
            digest_srs(&Srs::new(K, g, g_lagrange, twist(g2), twist(s_g2)).unwrap())
        };
        let own = [points(1), points(9)];
        let mut digests = vec![of(own.clone(), [1, 2]), of(own.clone(), [1, 3])];
        digests.push(of(own.clone(), [3, 2]));
        for basis in 0..2 {
            for index in 0..1 << K {
                let mut changed = own.clone();
                changed[basis][index] = -changed[basis][index];
                digests.push(of(changed, [1, 2]));
            }
        }
        assert_eq!(digests[0], of(own, [1, 2]));
        let all = digests.len();
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), all);
    }
}
