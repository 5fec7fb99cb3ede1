//! The argument as a party sees it that tests it before it shows its quotient (protocol §26).
//! Input: what the prover holds and has committed to by then. Output: an [`Argument`]; and its
//! numerator ahead of time, from the circuit alone ([`argument_numerator`]).

use super::numerator::{Leaf, numerator};
use super::{Commitment, Held, SCALAR_BITS};
use crate::rotation::Rotations;
use crate::verifier::opens;
use crate::{Challenges, CompiledSystem, Polynomial, Srs, Transcript};
use group::Curve;
use std::collections::BTreeMap;
use twain_algebra::{Fr, G1, G1Affine, vector};
use twain_party::{
    Argument, ArgumentPolynomial, Numerator, PartyError, PointOpening, PublicPolynomial, Watched,
};

/// The polynomials of an argument in the order in which its numerator counts them.
struct Names {
    secrets: Vec<Polynomial>,
    known: Vec<Polynomial>,
    leaves: BTreeMap<Polynomial, Leaf>,
}

impl Names {
    fn new(system: &CompiledSystem) -> Self {
        let some = |name: fn(u32) -> Polynomial, count: usize| (0..count as u32).map(name);
        let (lookups, chunks) = (system.lookups().len(), system.permutation_chunks().len());
        let mut secrets: Vec<_> = some(Polynomial::Advice, system.advice_phases().len()).collect();
        secrets.extend(some(Polynomial::Multiplicity, lookups));
        secrets.extend(some(Polynomial::PermutationProduct, chunks));
        secrets.extend(some(Polynomial::LookupSum, lookups));
        let mut known = vec![Polynomial::FirstRow, Polynomial::LastRow, Polynomial::ActiveRows];
        known.extend(some(Polynomial::Fixed, system.fixed_columns()));
        known.extend(some(Polynomial::Sigma, system.permutation().len()));
        known.extend(some(Polynomial::Instance, system.instance_columns()));
        let of_secrets = (0u32..).zip(&secrets).map(|(i, name)| (*name, Leaf::Secret(i)));
        let of_known = (0u32..).zip(&known).map(|(i, name)| (*name, Leaf::Public(i)));
        let leaves = of_secrets.chain(of_known).collect();
        Self { secrets, known, leaves }
    }

    fn numerator(&self, system: &CompiledSystem, challenges: &Challenges) -> Numerator {
        // What is not among them has no value when it is asked for.
        let leaf = |name| self.leaves.get(&name).copied().unwrap_or(Leaf::Public(u32::MAX));
        numerator(system, challenges, leaf)
    }
}

/// The numerator over all of a circuit's polynomials, with any numbers in place of the challenges:
/// what a party has to be ready for that tests its proofs.
pub fn argument_numerator(system: &CompiledSystem) -> Numerator {
    let mut numbers = Transcript::new();
    let challenges = Challenges {
        circuit: system.challenges().iter().map(|_| numbers.squeeze()).collect(),
        theta: numbers.squeeze(),
        beta: numbers.squeeze(),
        gamma: numbers.squeeze(),
        y: numbers.squeeze(),
    };
    Names::new(system).numerator(system, &challenges)
}

/// A proof up to its quotient.
pub(super) struct ProofSoFar<'a> {
    names: Names,
    system: &'a CompiledSystem,
    srs: &'a Srs,
    challenges: &'a Challenges,
    polynomials: &'a BTreeMap<Polynomial, Held<'a>>,
    commitments: &'a BTreeMap<Polynomial, Commitment>,
    watched: &'a Watched,
}

impl<'a> ProofSoFar<'a> {
    pub fn new(
        (system, srs): (&'a CompiledSystem, &'a Srs),
        challenges: &'a Challenges,
        polynomials: &'a BTreeMap<Polynomial, Held<'a>>,
        commitments: &'a BTreeMap<Polynomial, Commitment>,
        watched: &'a Watched,
    ) -> Self {
        let names = Names::new(system);
        Self { names, system, srs, challenges, polynomials, commitments, watched }
    }
}

const NO_SUCH_POLYNOMIAL: PartyError = PartyError::Bug("an argument has no such polynomial");

impl Argument for ProofSoFar<'_> {
    fn numerator(&self) -> Numerator {
        self.names.numerator(self.system, self.challenges)
    }

    fn known(&self, polynomials: &[PublicPolynomial], point: Fr) -> Result<Vec<Fr>, PartyError> {
        let at = Rotations::new(self.system.k(), point);
        let tail = at.lagrange(
            i64::from(self.system.last_rotation()),
            self.system.rows().min(self.system.blinding_factors() + 1),
        );
        let powers = vector::powers(point, self.system.rows());
        let value = |polynomial: &PublicPolynomial| {
            self.watched.check()?;
            let PublicPolynomial::Given(index) = polynomial else { return Ok(point) };
            let name = self.names.known.get(*index as usize).ok_or(NO_SUCH_POLYNOMIAL)?;
            Ok(match name {
                Polynomial::FirstRow => at.lagrange(0, 1)[0],
                Polynomial::LastRow => tail[0],
                Polynomial::ActiveRows => Fr::from(1) - tail.iter().sum::<Fr>(),
                name => match self.polynomials.get(name) {
                    Some(Held::Public(coefficients)) => {
                        vector::inner_product(coefficients, &powers)
                    }
                    _ => return Err(NO_SUCH_POLYNOMIAL),
                },
            })
        };
        polynomials.iter().map(value).collect()
    }

    fn secret(&self, index: u32) -> Result<ArgumentPolynomial<'_>, PartyError> {
        let name = self.names.secrets.get(index as usize).ok_or(NO_SUCH_POLYNOMIAL)?;
        let coefficients = match self.polynomials.get(name).ok_or(NO_SUCH_POLYNOMIAL)? {
            Held::Public(coefficients) => return Ok(ArgumentPolynomial::Known(coefficients)),
            Held::Secret(coefficients, ..) => &coefficients[..],
        };
        let Commitment { own, sum } = self.commitments.get(name).ok_or(NO_SUCH_POLYNOMIAL)?;
        let theirs = (G1::from(*sum) - own).to_affine();
        Ok(ArgumentPolynomial::Shared { coefficients, own: *own, theirs })
    }

    fn commit(&self, coefficients: &[Fr]) -> Result<G1Affine, PartyError> {
        let all: Vec<u32> = (0..coefficients.len() as u32).collect();
        let sum = self.srs.g().msm_bounded_at(&all, coefficients, SCALAR_BITS, self.watched);
        match sum {
            Ok(sum) => Ok(sum.to_affine()),
            Err(_) => Err(self.watched.check().err().unwrap_or(PartyError::Bug("a long scalar"))),
        }
    }

    fn opens(&self, opening: &PointOpening) -> bool {
        opens(self.srs.verifier(), opening)
    }
}
