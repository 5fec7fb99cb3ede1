//! The pieces of a quotient, hidden until they are accepted (protocol §26): each commitment plus a
//! random multiple of the generator, and with them a random polynomial. Input: this side's part;
//! output: the same of both sides, fixed, with tagged random numbers.

use super::{ArgumentShape, sum};
use crate::points::{POINT_BYTES, decode_points, encode_points};
use ff::Field;
use group::Curve;
use rand_chacha::ChaCha20Rng;
use twain_algebra::{Fr, G1, G1Affine};
use twain_link::channel::Channel;
use twain_party::{Argument, PartyError, QuotientPart, Shares};
use twain_rlwe::uniform_scalars;
use twain_tags::{Audited, Owned, Side, Tagged};

const PHASE: &str = "hidden quotient";

/// What both sides have fixed of a quotient.
pub(super) struct Hidden {
    generator: G1Affine,
    /// How many pieces there are; the random polynomial comes after them.
    pieces: usize,
    /// Commitments of this side and of the peer.
    own: Vec<G1Affine>,
    theirs: Vec<G1Affine>,
    /// This side's factors of the generator, then the coefficients of its random polynomial.
    random: Shares,
    /// The same of both sides, tagged.
    tagged: [Owned; 2],
}

impl Hidden {
    /// Fixes the pieces of both sides, whose transcripts are in step.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub fn exchange(
        audited: &mut Audited,
        (channel, rng): (&mut dyn Channel, &mut ChaCha20Rng),
        digest: [u8; 32],
        (part, argument): (&QuotientPart, &dyn Argument),
        shape: &ArgumentShape,
    ) -> Result<Self, PartyError> {
        let mut random = Shares::zero(shape.pieces + shape.cover());
        uniform_scalars(rng, &mut random);
        let (factors, cover) = random.split_at(shape.pieces);
        let generator = argument.commit(&[Fr::ONE])?;
        let pieces = part.commitments.iter().zip(factors);
        let mut own: Vec<G1Affine> = pieces
            .map(|(piece, factor)| (G1::from(*piece) + generator * *factor).to_affine())
            .collect();
        own.push(argument.commit(cover)?);
        let theirs = exchange_points(channel, digest, &own)?;
        let tagged = audited.input(channel, &random, random.len())?;
        Ok(Self { generator, pieces: shape.pieces, own, theirs, random, tagged })
    }

    /// The commitments of both sides to a hidden piece, and what this side has added to it.
    pub fn piece(&self, number: usize) -> ([G1Affine; 2], Fr) {
        ([self.own[number], self.theirs[number]], self.random[number])
    }

    /// What both sides have added to a piece.
    pub fn factor(&self, number: usize) -> Tagged {
        sum(&self.tagged.each_ref().map(|side| side.get(number)))
    }

    /// The random polynomials: the commitments of both sides, and this side's coefficients.
    pub fn cover(&self) -> ([G1Affine; 2], &[Fr]) {
        ([self.own[self.pieces], self.theirs[self.pieces]], &self.random[self.pieces..])
    }

    /// The tagged coefficients of both: the model's, the data's.
    pub fn tagged_cover(&self) -> [Vec<Tagged>; 2] {
        let coefficients = |side: &Owned| (self.pieces..side.len()).map(|i| side.get(i)).collect();
        self.tagged.each_ref().map(coefficients)
    }

    /// Shows the pieces: the commitments to the sums of both sides'.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub fn show(
        self,
        side: &mut Side,
        channel: &mut dyn Channel,
    ) -> Result<Vec<G1Affine>, PartyError> {
        let factors: Vec<Tagged> = (0..self.pieces).map(|number| self.factor(number)).collect();
        let factors = side.open(channel, PHASE, &factors)?;
        let pieces = self.own.iter().zip(&self.theirs).zip(factors);
        let shown = pieces.map(|((own, theirs), factor)| {
            (G1::from(*own) + theirs - self.generator * factor.0).to_affine()
        });
        Ok(shown.collect())
    }
}

/// Exchanges points, with the digest of the transcript up to them.
fn exchange_points(
    channel: &mut dyn Channel,
    digest: [u8; 32],
    own: &[G1Affine],
) -> Result<Vec<G1Affine>, PartyError> {
    let frame = [&digest[..], &encode_points(own)].concat();
    let length = digest.len() + own.len() * POINT_BYTES;
    let theirs = channel.exchange(PHASE, frame, length)?;
    match theirs.split_first_chunk() {
        Some((of_peer, points)) if *of_peer == digest => decode_points(points, PHASE),
        _ => Err(PartyError::Ended),
    }
}
