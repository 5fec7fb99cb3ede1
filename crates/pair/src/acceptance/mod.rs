//! Before this side shows its part of the quotient: is it one (protocol §26)? Both commit to their
//! pieces hidden by a random multiple of the generator, give the values of all their polynomials at
//! a random point as tagged inputs, show by an opening that these are of what they have committed
//! to, and compute the argument's equation there over tags. Only if it holds are the pieces shown,
//! and evaluations later.
//!
//! Input: tagged spares and triples, left by the witness test; a quotient and its [`Argument`].
//! Output: the commitments to the quotient's pieces, or the end of the session.

mod hidden;
mod openings;
mod point;
mod shape;
mod values;

pub use shape::ArgumentShape;

use ff::Field;
use hidden::Hidden;
use openings::{AtPoint, Cover, Opened, Parts, test_openings};
use point::{PointCircuit, Values};
use rand_chacha::ChaCha20Rng;
use std::collections::HashMap;
use twain_algebra::{Domain, Fr, G1Affine, vector};
use twain_link::channel::Channel;
use twain_party::{Argument, Kind, PartyError, QuotientPart, Shares};
use twain_tags::{Audited, Owned, Public, Triple};
use values::{SecretValues, SharedPolynomial, both, known_values, sum};

/// What the coins of the test are for.
pub(crate) mod coins {
    /// Where the argument's equation is tested.
    pub const POINT: &str = "argument: point";
    /// Combines what is opened there.
    pub const OPENINGS: &str = "argument: openings";
}

/// log2 of the degree of what can be committed to.
const CEREMONY: u32 = 28;

/// A test of an argument that is to come: what was left by the witness test.
pub struct Acceptance {
    pub(crate) audited: Audited,
    pub(crate) shape: ArgumentShape,
    pub(crate) triples: Vec<Triple>,
}

impl Acceptance {
    /// Tests the argument and opens the commitments to the quotient's pieces.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub(crate) fn open_quotient(
        mut self,
        (channel, rng): (&mut dyn Channel, &mut ChaCha20Rng),
        digest: [u8; 32],
        part: &QuotientPart,
        argument: &dyn Argument,
    ) -> Result<Vec<G1Affine>, PartyError> {
        let Self { audited, shape, triples } = &mut self;
        let circuit = PointCircuit::new(&argument.numerator());
        let fits = circuit.secrets() == shape.secrets && circuit.products() == shape.products;
        if !fits || part.pieces.len() != shape.pieces || part.commitments.len() != shape.pieces {
            return Err(PartyError::Bug("an argument has another shape than it said"));
        }
        let domain = Domain::new(shape.k);
        let domain = domain.map_err(|error| PartyError::Unsupported(error.to_string()))?;
        let hidden =
            Hidden::exchange(audited, (channel, &mut *rng), digest, (part, argument), shape)?;

        // All polynomials of both sides are fixed: what they are at a point.
        let zeta = audited.challenge(channel, coins::POINT)?;
        // Commitments are over powers of a ceremony, which has 2^28 of them, not only a circuit's.
        let degree = (shape.pieces + 2) << CEREMONY;
        let Public(zeta) = audited.side().weigh(zeta, degree)?;
        let secrets = SecretValues::of(argument, &shape.secrets, (&domain, zeta))?;
        let inputs = with_pieces(&secrets.own[..secrets.shared.len()], part, &hidden, zeta);
        let given = audited.input(channel, &inputs, inputs.len())?;

        // That these are values of what was committed to.
        let rho = audited.challenge(channel, coins::OPENINGS)?;
        let Public(rho) = audited.side().weigh(rho, inputs.len())?;
        let at_points = at_points(shape, &secrets, (part, &hidden), &given, (&domain, zeta));
        let (commitments, coefficients) = hidden.cover();
        let parts = Parts { coefficients, constant: Fr::ZERO, commitments };
        let cover = Cover { parts, tagged: hidden.tagged_cover() };
        test_openings(channel, (audited.side(), rng), argument, &at_points, &cover, rho)?;

        // That they satisfy the argument.
        let side = audited.side();
        let mut values = Values {
            known: known_values(argument, &circuit, (&domain, zeta))?,
            secret: HashMap::new(),
        };
        for (number, (index, rotation, _)) in secrets.shared.iter().enumerate() {
            values.secret.insert((*index, *rotation), sum(&both(&given, number)));
        }
        for (place, value) in &secrets.known {
            values.secret.insert(*place, side.public(Public(*value), Kind::Shared));
        }
        let zero_test = triples.pop().ok_or(PartyError::Bug("a triple is missing"))?;
        let numerator = circuit.evaluate(side, channel, &values, triples)?;
        let power = zeta.pow_vartime([domain.n() as u64]);
        let mut factor = power - Fr::ONE;
        let mut difference = numerator;
        for number in 0..shape.pieces {
            let piece = sum(&both(&given, secrets.shared.len() + number));
            difference = &difference - &(&(&piece - &hidden.factor(number)) * Public(factor));
            factor *= power;
        }
        side.zero_test(channel, &difference, zero_test)?;
        hidden.show(side, channel)
    }
}

/// This side's values, then those of its hidden pieces.
fn with_pieces(own: &[Fr], part: &QuotientPart, hidden: &Hidden, zeta: Fr) -> Shares {
    let longest = part.pieces.iter().map(|piece| piece.len()).max().unwrap_or(0);
    let powers = vector::powers(zeta, longest);
    let mut inputs = Shares::zero(own.len() + part.pieces.len());
    let (values, of_pieces) = inputs.split_at_mut(own.len());
    values.copy_from_slice(own);
    for (number, (value, piece)) in of_pieces.iter_mut().zip(part.pieces).enumerate() {
        let (_, factor) = hidden.piece(number);
        *value = vector::inner_product(piece, &powers[..piece.len()]) + factor;
    }
    inputs
}

/// What is opened at each point: the secret polynomials, and at `zeta` itself the pieces.
fn at_points<'a>(
    shape: &ArgumentShape,
    secrets: &SecretValues<'a>,
    (part, hidden): (&'a QuotientPart, &Hidden),
    given: &[Owned; 2],
    (domain, zeta): (&Domain, Fr),
) -> Vec<AtPoint<'a>> {
    let first = secrets.shared.len();
    let at_point = |rotation: i32| {
        let of_point = secrets
            .shared
            .iter()
            .enumerate()
            .filter(|(_, (_, of_secret, _))| *of_secret == rotation);
        let mut opened: Vec<Opened> = of_point
            .map(|(number, (_, _, polynomial))| {
                let SharedPolynomial { coefficients, commitments } = *polynomial;
                let parts = Parts { coefficients, constant: Fr::ZERO, commitments };
                Opened { parts, values: both(given, number) }
            })
            .collect();
        if rotation == 0 {
            opened.extend(part.pieces.iter().enumerate().map(|(number, coefficients)| {
                let (commitments, constant) = hidden.piece(number);
                let parts = Parts { coefficients, constant, commitments };
                Opened { parts, values: both(given, first + number) }
            }));
        }
        AtPoint { point: domain.rotate(zeta, rotation), opened }
    };
    shape.rotations().into_iter().map(at_point).collect()
}
