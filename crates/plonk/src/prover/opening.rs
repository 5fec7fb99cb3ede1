//! Evaluations and the SHPLONK opening (spec 01 §5.2 steps 14 and 15, §5.8).
//!
//! Both are linear: every party does them on its shares, and polynomials that all know enter one
//! party's. Dividing by `X - s` and dropping the remainder is linear too, and the remainders add up
//! to what the protocol subtracts before it divides; so the interpolation polynomials of §5.8 need
//! not be computed.

use super::error::{ProveError, check_shape};
use super::{Basis, Committed, Held, Prover};
use crate::{Polynomial, all_rotations, evaluations, rotation_sets};
use ff::Field;
use std::collections::{BTreeSet, HashMap};
use twain_algebra::{Fr, vector};
use twain_party::{Accepted, CellKinds, Kind, Party, Phase, Shares};

/// Terms of a sum of vectors that are added while its blocks are in the caches.
const TERMS_AT_ONCE: usize = 32;

impl<P: Party> Prover<'_, P> {
    /// Opens the evaluations at `x` and its rotations, and writes them.
    pub(super) fn evaluations(&mut self, x: Fr, accepted: Accepted) -> Result<(), ProveError> {
        self.watched.enter(Phase::Evaluations)?;
        let list = evaluations(self.system);
        let rotations: BTreeSet<i32> = list.iter().map(|(_, rotation)| *rotation).collect();
        let mut values = HashMap::new();
        for rotation in rotations {
            let powers = vector::powers(self.domain.rotate(x, rotation), self.rows());
            for key in list.iter().filter(|(_, of_query)| *of_query == rotation) {
                self.watched.check()?;
                let coefficients = match self.polynomials.get(&key.0) {
                    Some(Held::Public(coefficients)) => &coefficients[..],
                    Some(Held::Secret(coefficients, ..)) => &coefficients[..],
                    None => return Err(missing(key.0)),
                };
                values.entry(*key).or_insert_with(|| vector::inner_product(coefficients, &powers));
            }
        }
        let secret = |name| matches!(self.polynomials.get(&name), Some(Held::Secret(..)));
        let secrets: Vec<_> = list.iter().copied().filter(|(name, _)| secret(*name)).collect();
        let parts: Vec<Fr> = secrets.iter().filter_map(|key| values.get(key).copied()).collect();
        let opened =
            self.party.open_evaluations(accepted, self.writer.transcript.digest(), &parts)?;
        check_shape("opened evaluations", parts.len(), opened.len())?;
        values.extend(secrets.into_iter().zip(opened));
        for key in list {
            let value = values.get(&key).ok_or_else(|| missing(key.0))?;
            self.writer.write_scalar(value);
        }
        Ok(())
    }

    /// Keeps the quotient folded at `x`, `sum_i x^(n i) h_i(X)`.
    pub(super) fn fold_quotient(&mut self, pieces: &[Shares], x: Fr) -> Result<(), ProveError> {
        let factors = vector::powers(x.pow_vartime([self.rows() as u64]), pieces.len());
        let terms: Vec<_> = pieces.iter().map(|piece| &piece[..]).zip(factors).collect();
        let folded = self.linear_combination(&terms)?;
        let kinds = CellKinds::Uniform(Kind::Shared);
        self.polynomials
            .insert(Polynomial::FoldedQuotient, Held::Secret(folded, kinds, Vec::new()));
        Ok(())
    }

    /// The multi-opening.
    pub(super) fn open(&mut self, x: Fr) -> Result<(), ProveError> {
        self.watched.enter(Phase::Opening)?;
        let sets = rotation_sets(self.system);
        let fold = self.writer.transcript.squeeze();
        let weight = self.writer.transcript.squeeze();
        let mut folded = Vec::with_capacity(sets.len());
        let mut quotient = Shares::zero(self.rows());
        let mut power = Fr::ONE;
        for set in &sets {
            let sum = self.folded(&set.polynomials, fold)?;
            let mut part = sum.clone();
            for rotation in &set.rotations {
                self.watched.check()?;
                part = divide(part, self.domain.rotate(x, *rotation));
            }
            vector::add_scaled(&mut quotient[..part.len()], &part, power);
            folded.push(sum);
            power *= weight;
        }
        self.commit(&[Committed::shares(&quotient, Basis::Powers)])?;

        let u = self.writer.transcript.squeeze();
        let vanishing = |rotations: &[i32]| -> Fr {
            rotations.iter().map(|rotation| u - self.domain.rotate(x, *rotation)).product()
        };
        let union = all_rotations(&sets);
        // All of `Z_i` normalised by the first, so that it is 1.
        let others = |set: &[i32]| -> Vec<i32> {
            union.iter().copied().filter(|rotation| !set.contains(rotation)).collect()
        };
        let first = sets.first().map_or(Fr::ONE, |set| vanishing(&others(&set.rotations)));
        let inverse = Option::<Fr>::from(first.invert())
            .ok_or(ProveError::Party(twain_party::PartyError::Ended))?;
        let mut terms = Vec::with_capacity(sets.len() + 1);
        let mut power = inverse;
        for (set, sum) in sets.iter().zip(&folded) {
            terms.push((&sum[..], power * vanishing(&others(&set.rotations))));
            power *= weight;
        }
        terms.push((&quotient[..], -vanishing(&union) * inverse));
        let linear = self.linear_combination(&terms)?;
        let witness = divide(linear, u);
        self.commit(&[Committed::shares(&witness, Basis::Powers)])
    }

    /// This party's share of `sum_j fold^j p_j`.
    fn folded(&self, polynomials: &[Polynomial], fold: Fr) -> Result<Shares, ProveError> {
        let mut terms: Vec<(&[Fr], Fr)> = Vec::with_capacity(polynomials.len());
        let mut power = Fr::ONE;
        for name in polynomials {
            match self.polynomials.get(name) {
                Some(Held::Secret(coefficients, ..)) => terms.push((coefficients, power)),
                Some(Held::Public(coefficients)) if self.party.adds_public() => {
                    terms.push((coefficients, power));
                }
                Some(Held::Public(_)) => {}
                None => return Err(missing(*name)),
            }
            power *= fold;
        }
        self.linear_combination(&terms)
    }

    /// `sum factor * vector` over all rows. Of many vectors it takes seconds: between some of them
    /// the work may be ended.
    fn linear_combination(&self, terms: &[(&[Fr], Fr)]) -> Result<Shares, ProveError> {
        let mut sum = Shares::zero(self.rows());
        for some in terms.chunks(TERMS_AT_ONCE) {
            self.watched.check()?;
            vector::add_linear_combination(&mut sum, some);
        }
        Ok(sum)
    }
}

/// The quotient by `X - root`, without the remainder.
fn divide(coefficients: Shares, root: Fr) -> Shares {
    Shares::new(vector::divide_by_linear(&coefficients, root))
}

fn missing(name: Polynomial) -> ProveError {
    ProveError::Unsupported(format!("the key opens {name:?}, which it does not have"))
}
