//! `--published-commitment`: a proof about the parameters that were committed to, and no others.
//! What the model's side says at the handshake only makes a mistake show early; what counts is the
//! finished proof, which begins with the commitments (spec 04 §7.6).

use super::commitments::{Committed, digest_points};
use crate::error::Error;
use crate::prover::Prover;
use std::path::{Path, PathBuf};
use twain_algebra::G1Affine;
use twain_artifacts::GraphWitness;
use twain_circuit::Warning;
use twain_link::handshake::Item;
use twain_party::Role;
use twain_plonk::ProofWriter;

/// The name under which both sides compare the commitment.
pub const NAME: &str = "commitment to the parameters";
/// Bytes of a commitment in a proof: both coordinates.
const POINT_BYTES: usize = 64;

/// The commitment to the parameters that this side was given.
pub struct Published {
    path: PathBuf,
    points: Vec<G1Affine>,
    /// How many commitments to inputs come before them in a proof.
    before: usize,
}

impl Published {
    /// Reads the commitment from a witness file, for proofs of the circuit.
    ///
    /// # Errors
    /// A circuit whose proofs show nothing about committed parameters, or whose parameters take
    /// another number of commitments.
    pub fn read(path: &Path, prover: &Prover) -> Result<Self, Error> {
        let Prover { compiled, circuit, .. } = prover;
        let args = &compiled.settings.run_args;
        let refuse = |reason: &str| Err(Error::file(path, reason));
        if !args.param_visibility.is_polycommit() {
            return refuse(
                "there is nothing to compare it with: param_visibility is not polycommit",
            );
        }
        for warning in twain_circuit::warnings(&compiled.model, &compiled.settings) {
            // Other parameters could be computed with than are committed to.
            if matches!(warning, Warning::UntiedParameters { .. } | Warning::UntiedEinsums) {
                return refuse(&format!("a proof of this circuit cannot be held to it: {warning}"));
            }
        }
        let processed = GraphWitness::read(path)?.processed_params.clone();
        let lists = processed.and_then(|processed| processed.polycommit);
        let Some(points) = lists.map(|lists| lists.concat()) else {
            return refuse("it has no commitment to parameters (processed_params)");
        };
        // One column after the other in the order of the tensors, and nothing before them.
        let inputs =
            if args.input_visibility.is_polycommit() { circuit.program.inputs().len() } else { 0 };
        let columns = &circuit.columns.commitments;
        let before = columns.iter().take(inputs).map(|tensor| tensor.columns()).sum();
        let available = columns.get(inputs).map_or(0, |tensor| tensor.columns());
        let values: usize = circuit.program.parameters().iter().map(|source| source.length).sum();
        let expected = values / circuit.columns.geometry.usable_rows + 1;
        if points.len() != expected || points.len() > available {
            let found = points.len();
            return refuse(&format!(
                "it has {found} commitments to parameters, but those of this circuit take \
                 {expected}: it is another circuit's"
            ));
        }
        Ok(Self { path: path.into(), points, before })
    }

    /// Fails unless the commitments in a valid proof are these.
    pub fn check(&self, proof: &[u8]) -> Result<(), Error> {
        let mut writer = ProofWriter::new();
        self.points.iter().for_each(|point| writer.write_point(point));
        let proven = proof.get(self.before * POINT_BYTES..).unwrap_or_default();
        if proven.starts_with(&writer.finish()) {
            return Ok(());
        }
        let reason = "the finished proof is about other parameters than those of this published \
                      commitment: the model's side did not keep to what it said before; nothing was \
                      written";
        Err(Error::file(&self.path, reason))
    }
}

/// What this side tells the peer of the commitment to the parameters: the model's side that of its
/// weights, the data's side the published one if it was given any.
///
/// # Errors
/// The model's side's own weights are others than those published.
pub fn item(
    role: Role,
    prover: &Prover,
    committed: &[Committed],
    published: Option<&Published>,
) -> Result<Option<Item>, Error> {
    if !prover.compiled.settings.run_args.param_visibility.is_polycommit() {
        return Ok(None);
    }
    let expected = published.map(|published| (published, digest_points(&published.points)));
    let own = committed.iter().find_map(Committed::of_parameters);
    Ok(Some(match (role, own, expected) {
        (Role::Model, Some(own), Some((published, expected))) if own != expected => {
            let reason = "the parameters of this circuit are others than those of this published \
                          commitment";
            return Err(Error::file(&published.path, reason));
        }
        (Role::Model, Some(own), _) => own.into(),
        (_, _, Some((_, expected))) => expected.into(),
        _ => Item::Any,
    }))
}
