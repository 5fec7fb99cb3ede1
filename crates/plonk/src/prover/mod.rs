//! The prover (spec 01 §5), written once over a [`Party`]: whoever holds the witness, or both
//! parties that hold shares of it, make the same proof from the same blinding seeds.
//!
//! Inputs: a proving key, the SRS of its size, the instances, and a [`WitnessSource`]. Output: the
//! bytes of the proof. Commitments, evaluations and openings are linear in the witness, so a party
//! computes its summand and [`twain_party::ProverParty::finish_points`] adds them up; what is not
//! linear is in the modules `permutation`, `lookup` and `numerator`. The party's watcher is told
//! each [`Phase`](twain_party::Phase), and can end the work between any two columns and within the
//! longer steps of one.

mod advice_column;
mod argument;
mod choice;
mod error;
mod graph;
mod lookup;
mod lookup_view;
mod numerator;
mod opening;
mod operands;
mod permutation;
mod quotient;
mod rounds;
mod rows;
mod wire_forms;
mod witness_source;

pub use advice_column::AdviceColumn;
pub use argument::argument_numerator;
pub use error::ProveError;
pub use lookup_view::LookupView;
pub use witness_source::WitnessSource;

use crate::{Challenges, CompiledSystem, Polynomial, ProofWriter, ProvingKey, Srs};
use argument::Commitment;
use error::check_shape;
use ff::Field;
use group::{Curve, prime::PrimeCurveAffine};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use twain_algebra::{Domain, Fr, G1Affine};
use twain_party::{BlindingItem, CellKinds, Kind, Party, Shares, Watched};

/// Bits of a scalar.
const SCALAR_BITS: u32 = 254;

/// Proves that `key`'s circuit has a witness with these instances, one vector (without padding) per
/// instance column. The SRS has exactly the circuit's number of rows.
///
/// A witness that does not satisfy the gates gives a proof that does not verify; a party that holds
/// the values gets an error for wrong copies and lookups.
pub fn prove<P: Party>(
    party: &mut P,
    key: &ProvingKey,
    srs: &Srs,
    instances: &[Vec<Fr>],
    witness: &mut dyn WitnessSource<P>,
) -> Result<Vec<u8>, ProveError> {
    let system = key.system();
    check_shape("log2 of the SRS's size", system.k() as usize, srs.k() as usize)?;
    let mut prover = Prover {
        domain: Domain::new(system.k())?,
        writer: ProofWriter::new(),
        challenges: Challenges {
            circuit: vec![Fr::ZERO; system.challenges().len()],
            ..Default::default()
        },
        polynomials: BTreeMap::new(),
        commitments: BTreeMap::new(),
        watched: party.watched(),
        party,
        key,
        system,
        srs,
    };
    let instances = prover.instances(instances)?;
    let (advice, kinds) = prover.advice(witness)?;
    let (multiplicities, argument_kinds) =
        prover.multiplicities(&instances, &advice, &kinds, witness)?;
    let moved = prover.commit_columns(&instances, &advice, &multiplicities)?;
    let (products, sums) =
        prover.sums(&instances, &advice, &multiplicities, &argument_kinds, moved, witness)?;
    let sums = prover.commit_sums(products, sums, &argument_kinds)?;
    prover.hold_columns(instances, advice, multiplicities, &argument_kinds)?;
    let (pieces, accepted) = prover.quotient(sums)?;
    let x = prover.writer.transcript.squeeze();
    prover.evaluations(x, accepted)?;
    prover.fold_quotient(&pieces, x)?;
    drop(pieces);
    prover.open(x)?;
    Ok(prover.writer.finish())
}

/// A polynomial of the argument by its coefficients.
enum Held<'a> {
    /// Known to every party.
    Public(Cow<'a, [Fr]>),
    /// This party's share, who knows the values on the rows, and which wires these are.
    Secret(Shares, CellKinds, Vec<u32>),
}

struct Prover<'a, P> {
    party: &'a mut P,
    watched: Watched,
    key: &'a ProvingKey,
    system: &'a CompiledSystem,
    srs: &'a Srs,
    domain: Domain,
    writer: ProofWriter,
    challenges: Challenges,
    polynomials: BTreeMap<Polynomial, Held<'a>>,
    /// To the columns of shares.
    commitments: BTreeMap<Polynomial, Commitment>,
}

/// A column of shares to be committed to.
struct Committed<'c> {
    values: &'c [Fr],
    basis: Basis,
    /// Whether every party knows the values, so that these are no shares.
    known: bool,
    /// Who holds what: a share of what another party holds, or no one assigns, is 0.
    kinds: &'c CellKinds,
    /// A bound of the shares on the usable rows, as integers around 0.
    bits: u32,
}

impl<'c> Committed<'c> {
    /// A column of which every party may hold any share.
    fn shares(values: &'c [Fr], basis: Basis) -> Self {
        let kinds = &CellKinds::Uniform(Kind::Shared);
        Self { values, basis, known: false, kinds, bits: SCALAR_BITS }
    }

    /// Values on the rows.
    fn rows(values: &'c [Fr], kinds: &'c CellKinds) -> Self {
        Self { values, basis: Basis::Lagrange, known: false, kinds, bits: SCALAR_BITS }
    }
}

/// Commitments that are being opened.
struct Commitments<T> {
    points: T,
    own: Vec<G1Affine>,
}

impl<T> Commitments<T> {
    /// The commitments, whose sums are to be written.
    fn finish<P: Party<Points = T>>(self, party: &mut P) -> Result<Vec<Commitment>, ProveError> {
        let points = party.finish_points(self.points)?;
        check_shape("opened commitments", self.own.len(), points.len())?;
        let commitments = self.own.into_iter().zip(points);
        Ok(commitments.map(|(own, sum)| Commitment { own, sum }).collect())
    }
}

/// What a column is committed by.
#[derive(Clone, Copy)]
enum Basis {
    /// Coefficients.
    Powers,
    /// Values on the rows.
    Lagrange,
}

impl<P: Party> Prover<'_, P> {
    fn rows(&self) -> usize {
        self.system.rows()
    }

    fn usable(&self) -> usize {
        self.system.usable_rows()
    }

    /// Overwrites `rows` with this party's summand of random values.
    fn blind(&self, column: &mut [Fr], rows: Range<usize>, item: BlindingItem, kind: Kind) {
        let values = self.party.blinding(item, kind, rows.clone());
        column[rows].copy_from_slice(&values);
    }

    /// Commits to columns of shares and writes the commitments.
    fn commit(&mut self, columns: &[Committed]) -> Result<(), ProveError> {
        let commitments = self.begin_commitments(columns)?.finish(self.party)?;
        commitments.iter().for_each(|commitment| self.writer.write_point(&commitment.sum));
        Ok(())
    }

    /// Commits to columns of shares and begins to open the sums.
    fn begin_commitments(
        &mut self,
        columns: &[Committed],
    ) -> Result<Commitments<P::Points>, ProveError> {
        let own = self.own_commitments(columns)?;
        let points = self.party.begin_points(self.writer.transcript.digest(), own.clone())?;
        Ok(Commitments { points, own })
    }

    /// This party's parts of commitments. Of a column that every party knows one party commits to
    /// the whole.
    fn own_commitments(&self, columns: &[Committed]) -> Result<Vec<G1Affine>, ProveError> {
        let (adds_public, holds_values) = (self.party.adds_public(), self.party.holds_values());
        // The other party could time the work: it must not depend on the shares. Where there are
        // none follows from the circuit.
        let held = |kind| kind == Kind::Shared || self.party.adds_public_to(kind);
        let watched = &self.watched;
        let rows = |column: &Committed| -> Result<Vec<u32>, ProveError> {
            watched.check()?;
            let rows = 0..if holds_values { 0 } else { column.values.len() };
            let rows = rows.filter(|row| column.kinds.assigned(*row).is_some_and(held));
            Ok(rows.map(|row| row as u32).collect())
        };
        let rows = columns.iter().map(rows).collect::<Result<Vec<_>, _>>()?;
        let (srs, usable) = (self.srs, self.usable() as u32);
        let part = |(column, rows): (&Committed, &Vec<u32>)| {
            watched.check()?;
            let bases = match column.basis {
                Basis::Powers => srs.g(),
                Basis::Lagrange => srs.g_lagrange(),
            };
            Ok(if column.known && !adds_public {
                G1Affine::identity()
            } else if holds_values {
                bases.msm_unless(column.values, watched)?.to_affine()
            } else {
                let short = if column.bits < SCALAR_BITS { usable } else { 0 };
                let (short, long) = rows.split_at(rows.partition_point(|row| *row < short));
                let short = bases.msm_bounded_at(short, column.values, column.bits, watched)?;
                let long = bases.msm_bounded_at(long, column.values, SCALAR_BITS, watched)?;
                (short + long).to_affine()
            })
        };
        // One after the other would leave threads idle at the end of each.
        let parts = columns.par_iter().zip(&rows).with_max_len(1).map(part);
        match self.party.rehearses() {
            true => Ok(vec![G1Affine::generator(); columns.len()]),
            false => parts.collect(),
        }
    }
}
