//! What the sides of a proof test of it before they show its quotient (protocol §26), as the prover
//! tells it: the numerator over all of the argument's polynomials, what was committed to of these,
//! and the commitment scheme. Output: [`Accepted`], without which no evaluation is opened.

use crate::{Numerator, PartyError, PublicPolynomial, Shares};
use twain_algebra::{Fr, G1Affine};

/// That the parties have found the quotient to be one, or that there is nobody to doubt it.
/// Evaluations are opened for one only, so no order of steps opens them earlier.
#[derive(Debug)]
#[must_use = "evaluations are opened with it"]
pub struct Accepted(());

impl Accepted {
    /// For an implementation of [`crate::ProverParty::open_quotient`], once its test has passed.
    pub fn by_test() -> Self {
        Self(())
    }
}

/// A secret polynomial of the argument, as this side holds it.
#[derive(Clone, Copy)]
pub enum ArgumentPolynomial<'a> {
    /// After all both sides know its coefficients.
    Known(&'a [Fr]),
    /// Both sides hold shares.
    Shared {
        /// This side's share of the coefficients.
        coefficients: &'a [Fr],
        /// The commitment to this side's share.
        own: G1Affine,
        /// What the other side has committed to.
        theirs: G1Affine,
    },
}

/// That a committed polynomial has this value at this point (KZG).
#[derive(Clone, Copy, Debug)]
pub struct PointOpening {
    /// The commitment.
    pub commitment: G1Affine,
    /// The point.
    pub point: Fr,
    /// The value.
    pub value: Fr,
    /// The commitment to the quotient by `X - point` of the polynomial less its value.
    pub witness: G1Affine,
}

/// A proof that is being made, up to the commitments of its quotient.
pub trait Argument: Sync {
    /// The numerator. Its polynomials are numbered in the same way in all proofs of a circuit, and but
    /// for constants so are its nodes.
    fn numerator(&self) -> Numerator;

    /// The values at a point of polynomials that both sides know.
    ///
    /// # Errors
    /// There is no such polynomial, or the work was ended.
    fn known(&self, polynomials: &[PublicPolynomial], point: Fr) -> Result<Vec<Fr>, PartyError>;

    /// A secret polynomial of the numerator.
    ///
    /// # Errors
    /// There is no such polynomial.
    fn secret(&self, index: u32) -> Result<ArgumentPolynomial<'_>, PartyError>;

    /// Commits to a polynomial by its coefficients, in a time that does not depend on them.
    ///
    /// # Errors
    /// The work was ended.
    fn commit(&self, coefficients: &[Fr]) -> Result<G1Affine, PartyError>;

    /// Whether a commitment opens as is said.
    fn opens(&self, opening: &PointOpening) -> bool;
}

/// This side's part of a quotient.
pub struct QuotientPart<'a> {
    /// Of its pieces, lowest first: the coefficients.
    pub pieces: &'a [Shares],
    /// Commitments to these.
    pub commitments: Vec<G1Affine>,
}
