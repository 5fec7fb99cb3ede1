//! What both sides of a pair hold alike: the circuit, the keys, the SRS; and how they compare it.

use super::planning::plan;
use super::refusals;
use super::session::{Told, Unready};
use super::tested::Tests;
use crate::alone::warn_of_looseness;
use crate::error::Error;
use crate::observe::Run;
use crate::owners::{self, OwnInputs};
use crate::prover::{Prover, ProverFiles, Unusable};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, redact};
use twain_link::handshake::Item;
use twain_pair::preprocessing::Plan;
use twain_party::{Phase, Role, Watched};
use twain_plonk::Srs;

/// The files of what both sides hold alike.
#[derive(Clone, Debug)]
pub struct CommonFiles {
    /// The circuit, at the data's side the redacted one; the proving key; the SRS.
    pub prover: ProverFiles,
    /// Accept that every proof publishes one exact linear equation of committed values.
    pub allow_polycommit: bool,
    /// What one side says of whose the inputs are; otherwise the data's side owns all.
    pub own_inputs: Option<OwnInputs>,
}

/// What both sides hold alike, and what follows from it; on the model's side the compiled model has
/// the parameters. Sides of many sessions share it.
pub struct Common {
    pub(super) prover: Prover,
    /// Of all of it, by name.
    pub(super) digests: Vec<(String, [u8; 32])>,
    /// The name of fitting bundles in the store.
    pub(super) series: [u8; 32],
    plan: OnceLock<Plan>,
    tests: OnceLock<Tests>,
}

impl Common {
    /// Reads the files and refuses what makes no sense between two parties.
    ///
    /// # Errors
    /// Files that do not fit together, what pairs cannot prove.
    pub fn read(files: &CommonFiles, run: &Run) -> Result<Self, Error> {
        Self::ready(files, run).map_err(|unready| *unready.error)
    }

    /// The same of what is in memory; `allow_polycommit` as in [`CommonFiles`].
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn new(prover: Prover, allow_polycommit: bool) -> Result<Self, Error> {
        let Prover { compiled, circuit, circuit_path, .. } = &prover;
        refusals::check(circuit_path, compiled, circuit, allow_polycommit)?;
        Self::of(prover, &Watched::default()).map_err(|unready| *unready.error)
    }

    /// As [`Self::read`], with what the peer is told of an error.
    pub(super) fn ready(files: &CommonFiles, run: &Run) -> Result<Self, Unready> {
        run.enter(Phase::Load)?;
        let own = files.own_inputs.as_ref();
        let prover = Prover::load(&files.prover, own, &run.watched(), |compiled, circuit| {
            warn_of_looseness(compiled, run);
            let path = &files.prover.compiled_circuit;
            refusals::check(path, compiled, circuit, files.allow_polycommit)
        });
        let prover = prover.or_else(|unusable| match unusable {
            Unusable::Circuit(error) => Err(error).told("its compiled circuit cannot be used"),
            Unusable::Einsums(error) => {
                Err(error).told("it does not accept what a proof of this circuit leaves open")
            }
            Unusable::Owners(error) => Err(error).told("its --own-inputs do not fit the circuit"),
            Unusable::Refused(error) => Err(error.into()),
            Unusable::Key(error) => Err(error).told(OTHER_KEY),
            Unusable::Srs(error) => Err(error).told("its SRS cannot be used"),
        })?;
        Self::of(prover, &run.watched())
    }

    fn of(prover: Prover, watched: &Watched) -> Result<Self, Unready> {
        prover.check_key(watched).told(OTHER_KEY)?;
        let digests = digests(&prover)?;
        let series = series(&digests, &prover.owners);
        Ok(Self { prover, digests, series, plan: OnceLock::new(), tests: OnceLock::new() })
    }

    /// What a proof asks of its sources of correlations; found out once.
    pub(super) fn plan(&self, run: &Run) -> Result<&Plan, Error> {
        run.enter(Phase::Plan)?;
        if let Some(plan) = self.plan.get() {
            return Ok(plan);
        }
        let plan = plan(&self.prover, &run.watched())?;
        Ok(self.plan.get_or_init(|| plan))
    }

    /// What proofs are tested by; found out once.
    pub(super) fn tests(&self) -> Result<&Tests, Error> {
        if let Some(tests) = self.tests.get() {
            return Ok(tests);
        }
        let tests = Tests::of(&self.prover)?;
        Ok(self.tests.get_or_init(|| tests))
    }

    /// The names and digests of what both sides must hold, for the handshake.
    pub(super) fn items(&self) -> Vec<(String, Item)> {
        let digests = self.digests.iter().map(|(name, digest)| (name.clone(), (*digest).into()));
        let owners = owners::item(&self.prover.owners);
        digests.chain(owners.map(|item| (owners::NAME.to_string(), item))).collect()
    }
}

/// What the peer is told of a proving key of another circuit.
const OTHER_KEY: &str = "its proving key is not one of its circuit";

/// Digests of all that both sides hold.
fn digests(prover: &Prover) -> Result<Vec<(String, [u8; 32])>, Error> {
    let Prover { compiled, key, srs, .. } = prover;
    let settings =
        serde_json::to_vec(&compiled.settings).map_err(|error| Error::Usage(error.to_string()))?;
    let columns = key.fixed().values.iter().chain(&key.sigma().values);
    let digests = [
        ("circuit without parameters", circuit_digest(compiled)?),
        ("settings", digest([settings.as_slice()])),
        ("proving key", digest_scalars(columns.flatten())),
        ("verifying key", digest_scalars([&key.vk().transcript_repr()])),
        ("SRS", digest_srs(srs)),
    ];
    Ok(digests.map(|(name, digest)| (name.to_string(), digest)).into())
}

/// The digest of a circuit without its parameters.
pub fn circuit_digest(compiled: &CompiledModel) -> Result<[u8; 32], Error> {
    let redacted = redact(compiled).map_err(|error| Error::Usage(error.to_string()))?;
    let mut circuit = Vec::new();
    redacted.encode(&mut circuit).map_err(|error| Error::Usage(error.to_string()))?;
    Ok(digest([circuit.as_slice()]))
}

/// What the store keeps bundles under: everything their plan follows from, this program's version
/// included.
fn series(digests: &[(String, [u8; 32])], owners: &[Role]) -> [u8; 32] {
    // With other owners the plan is another one.
    let places = owners::places_text(&owners::owned_by(Role::Model, owners));
    let named = [owners::NAME.as_bytes(), places.as_bytes()];
    let version: &[u8] = concat!("twain ", env!("CARGO_PKG_VERSION")).as_bytes();
    let parts = digests.iter().flat_map(|(name, digest)| [name.as_bytes(), digest]);
    let owners = named.into_iter().filter(|_| !places.is_empty());
    digest([version].into_iter().chain(parts).chain(owners))
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
