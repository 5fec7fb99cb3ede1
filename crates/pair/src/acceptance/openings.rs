//! That the values which a side has given are those of what it has committed to (protocol §26): at
//! each point one combination of its polynomials is opened (KZG), under a random polynomial. Input:
//! polynomials, commitments, tagged values; output: nothing, or the end of the session.

use crate::points::{POINT_BYTES, decode_points, encode_points};
use group::Curve;
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;
use twain_algebra::{Fr, G1, G1Affine, vector};
use twain_link::channel::Channel;
use twain_link::commitment::{COMMITMENT_BYTES, Committed, Purpose};
use twain_party::{Argument, PartyError, PointOpening, Role, Shares};
use twain_tags::{Public, Side, Tagged};

const PHASE: &str = "openings at a point";

/// A polynomial of which each side has a part.
pub(super) struct Parts<'a> {
    /// This side's coefficients.
    pub coefficients: &'a [Fr],
    /// What this side adds to the first one.
    pub constant: Fr,
    /// The commitments to this side's part and to the peer's.
    pub commitments: [G1Affine; 2],
}

/// A polynomial at a point, with the values of both sides' parts there: the model's, the data's.
pub(super) struct Opened<'a> {
    pub parts: Parts<'a>,
    pub values: [Tagged; 2],
}

/// What is opened at one point.
pub(super) struct AtPoint<'a> {
    pub point: Fr,
    pub opened: Vec<Opened<'a>>,
}

/// A random polynomial, by which combinations are hidden; both sides have one.
pub(super) struct Cover<'a> {
    pub parts: Parts<'a>,
    /// The coefficients of both: the model's, the data's.
    pub tagged: [Vec<Tagged>; 2],
}

impl AtPoint<'_> {
    /// This side's combination of its parts.
    fn combined(&self, weights: &[Fr], cover: &Cover) -> Shares {
        let lengths = self.opened.iter().map(|opened| opened.parts.coefficients.len());
        let cover = cover.parts.coefficients;
        let mut sum = Shares::zero(lengths.chain([cover.len(), 1]).max().unwrap_or(1));
        for (Opened { parts, .. }, weight) in self.opened.iter().zip(weights) {
            vector::add_scaled(&mut sum[..parts.coefficients.len()], parts.coefficients, *weight);
            sum[0] += parts.constant * weight;
        }
        vector::add_assign(&mut sum[..cover.len()], cover);
        sum
    }

    /// The commitment to the peer's combination.
    fn theirs(&self, weights: &[Fr], cover: &Cover) -> G1Affine {
        let terms = self.opened.iter().zip(weights);
        let sum = terms.fold(G1::from(cover.parts.commitments[1]), |sum, (opened, weight)| {
            sum + opened.parts.commitments[1] * *weight
        });
        sum.to_affine()
    }

    /// A side's combined value at the point.
    fn value(&self, owner: Role, weights: &[Fr], cover: &Cover) -> Tagged {
        let hidden = cover.tagged[owner as usize].iter().rev();
        let hidden = hidden.fold(Tagged::zero(), |sum, value| &(&sum * Public(self.point)) + value);
        self.opened.iter().zip(weights).fold(hidden, |sum, (opened, weight)| {
            &sum + &(&opened.values[owner as usize] * Public(*weight))
        })
    }
}

/// Tests the openings at all points, of combinations by powers of the challenge `rho`. The
/// witnesses are fixed before either side shows its own: one of the peer's commitments that is a
/// copy cannot be opened by a copy.
///
/// # Errors
/// The link fails, or [`PartyError::Ended`].
pub(super) fn test_openings(
    channel: &mut dyn Channel,
    (side, rng): (&mut Side, &mut ChaCha20Rng),
    argument: &dyn Argument,
    at_points: &[AtPoint],
    cover: &Cover,
    rho: Fr,
) -> Result<(), PartyError> {
    let count: usize = at_points.iter().map(|at| at.opened.len()).sum();
    // From the first power on: the cover has the weight 1.
    let powers = vector::powers(rho, count + 1);
    let mut rest = &powers[1..];
    let weights: Vec<&[Fr]> = at_points
        .iter()
        .map(|at| {
            let (now, later) = rest.split_at(at.opened.len());
            rest = later;
            now
        })
        .collect();

    let role = channel.role();
    let witness = |(at, weights): (&AtPoint, &&[Fr])| {
        let combined = at.combined(weights, cover);
        argument.commit(&Shares::new(vector::divide_by_linear(&combined, at.point)))
    };
    let witnesses = at_points.par_iter().zip(&weights).map(witness);
    let witnesses = witnesses.collect::<Result<Vec<G1Affine>, PartyError>>()?;
    let purpose =
        Purpose { label: "openings at a point", session: channel.session_id(), counter: 0 };
    let own = Committed::new(purpose, role, rng, &encode_points(&witnesses));
    let theirs = channel.exchange(PHASE, own.commitment().to_vec(), COMMITMENT_BYTES)?;

    let value = |owner: Role| {
        let at_points = at_points.iter().zip(&weights);
        at_points.map(move |(at, weights)| at.value(owner, weights, cover))
    };
    let values: Vec<Tagged> = value(Role::Model).chain(value(Role::Data)).collect();
    let opened = side.open(channel, PHASE, &values)?;
    let (of_model, of_data) = opened.split_at(at_points.len());
    let values = match role {
        Role::Model => of_data,
        Role::Data => of_model,
    };
    let theirs = own.reveal(channel, PHASE, &theirs)?;
    if theirs.len() != at_points.len() * POINT_BYTES {
        return Err(PartyError::Ended);
    }
    let theirs = decode_points(&theirs, PHASE)?;
    let openings = at_points.iter().zip(&weights).zip(values).zip(theirs);
    let openings: Vec<PointOpening> = openings
        .map(|(((at, weights), value), witness)| {
            let commitment = at.theirs(weights, cover);
            PointOpening { commitment, point: at.point, value: value.0, witness }
        })
        .collect();
    match openings.iter().all(|opening| argument.opens(opening)) {
        true => Ok(()),
        false => Err(PartyError::Ended),
    }
}
