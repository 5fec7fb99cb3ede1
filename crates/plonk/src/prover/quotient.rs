//! The quotient (spec 01 §5.2 steps 10 to 13): its operands by name, and its commitments.

use super::argument::ProofSoFar;
use super::error::{ProveError, check_shape};
use super::numerator::{self, Leaf};
use super::{Basis, Commitments, Committed, Held, Prover};
use crate::{Polynomial, ProvingKey, RowPolynomials};
use ff::Field;
use rayon::prelude::*;
use std::collections::BTreeMap;
use twain_algebra::Fr;
use twain_party::{
    Accepted, KnownPolynomial, Party, Phase, QuotientOperands, QuotientPart, SecretPolynomial,
    Shares,
};

/// The quotient's operands in order, and where each is.
struct Operands<'a> {
    publics: Vec<KnownPolynomial<'a>>,
    secrets: Vec<SecretPolynomial<'a>>,
    leaves: BTreeMap<Polynomial, Leaf>,
}

impl<'a> Operands<'a> {
    fn new(
        key: &'a ProvingKey,
        rows: &'a RowPolynomials,
        polynomials: &'a BTreeMap<Polynomial, Held<'a>>,
    ) -> Self {
        let mut leaves = BTreeMap::new();
        let (mut publics, mut secrets) = (Vec::new(), Vec::new());
        let of_rows = [
            (Polynomial::FirstRow, &rows.first),
            (Polynomial::LastRow, &rows.last),
            (Polynomial::ActiveRows, &rows.active),
        ];
        for (name, coefficients) in of_rows {
            leaves.insert(name, Leaf::Public(publics.len() as u32));
            publics.push(KnownPolynomial { coefficients, cosets: &[] });
        }
        let cosets = |name: &Polynomial| {
            let of_key = match name {
                Polynomial::Fixed(index) => key.fixed().cosets.get(*index as usize),
                Polynomial::Sigma(index) => key.sigma().cosets.get(*index as usize),
                _ => None,
            };
            of_key.map_or(&[][..], |cosets| cosets)
        };
        for (name, held) in polynomials {
            let leaf = match held {
                Held::Public(coefficients) if is_zero(coefficients) => Leaf::Zero,
                Held::Public(coefficients) => {
                    publics.push(KnownPolynomial { coefficients, cosets: cosets(name) });
                    Leaf::Public(publics.len() as u32 - 1)
                }
                Held::Secret(coefficients, kinds, wires) => {
                    secrets.push(SecretPolynomial { coefficients, kinds, wires });
                    Leaf::Secret(secrets.len() as u32 - 1)
                }
            };
            leaves.insert(*name, leaf);
        }
        Self { publics, secrets, leaves }
    }
}

impl<P: Party> Prover<'_, P> {
    /// The parts of the quotient. Their numerator's weights are powers of `y`, which follows the
    /// commitments to the `sums`: what does not depend on it is begun while these are opened.
    pub(super) fn quotient(
        &mut self,
        sums: Commitments<P::Points>,
    ) -> Result<(Vec<Shares>, Accepted), ProveError> {
        self.watched.enter(Phase::Quotient)?;
        let count = self.system.quotient_pieces();
        let rows = RowPolynomials::new(self.system, &self.domain);
        self.watched.check()?;
        let operands = Operands::new(self.key, &rows, &self.polynomials);
        self.watched.check()?;
        let Operands { publics, secrets, leaves } = operands;
        let leaf = |name: Polynomial| leaves.get(&name).copied().unwrap_or(Leaf::Zero);

        // In place of `y` something as unlikely to make two weights equal.
        self.challenges.y = self.writer.transcript.clone().squeeze();
        let numerator = numerator::numerator(self.system, &self.challenges, leaf);
        let operands = QuotientOperands { publics, secrets, pieces: count };
        let begun = self.party.begin_quotient(&numerator, operands)?;
        let (products, sums_of_lookups) =
            (self.system.permutation_chunks().len(), self.system.lookups().len());
        let names = (0..).map(Polynomial::PermutationProduct).take(products);
        let names = names.chain((0..).map(Polynomial::LookupSum).take(sums_of_lookups));
        let names = names.chain([Polynomial::Random]);
        for (name, commitment) in names.zip(sums.finish(self.party)?) {
            self.writer.write_point(&commitment.sum);
            self.commitments.insert(name, commitment);
        }

        self.challenges.y = self.writer.transcript.squeeze();
        let numerator = numerator::numerator(self.system, &self.challenges, leaf);
        let pieces = self.party.finish_quotient(begun, &numerator)?;
        check_shape("quotient pieces", count, pieces.len())?;
        let list: Vec<_> = pieces.iter().map(|p| Committed::shares(p, Basis::Powers)).collect();
        let part = QuotientPart { pieces: &pieces, commitments: self.own_commitments(&list)? };
        let digest = self.writer.transcript.digest();
        let argument = ProofSoFar::new(
            (self.system, self.srs),
            &self.challenges,
            &self.polynomials,
            &self.commitments,
            &self.watched,
        );
        let (points, accepted) = self.party.open_quotient(digest, part, &argument)?;
        check_shape("commitments of the quotient", count, points.len())?;
        points.iter().for_each(|point| self.writer.write_point(point));
        Ok((pieces, accepted))
    }
}

fn is_zero(coefficients: &[Fr]) -> bool {
    coefficients.par_iter().all(|value| *value == Fr::ZERO)
}
