//! The argument on plain values.

use super::quotient::quotient;
use crate::{
    Alone, BlindingItem, Factors, Kind, KnownPolynomial, Numerator, Operand, PartyError,
    ProverParty, SecretPolynomial, Shares,
};
use ff::Field;
use std::ops::Range;
use twain_algebra::{Fr, G1Affine, vector};

impl ProverParty for Alone {
    fn blinding(&self, item: BlindingItem, kind: Kind, rows: Range<usize>) -> Shares {
        Shares::new(self.seeds.values(item, kind, rows))
    }

    fn open_points(&mut self, parts: &[G1Affine]) -> Result<Vec<G1Affine>, PartyError> {
        Ok(parts.to_vec())
    }

    fn compare(&mut self, _digest: &[u8; 32]) -> Result<(), PartyError> {
        Ok(())
    }

    fn to_multiplicative(&mut self, values: &[Operand]) -> Result<Factors, PartyError> {
        Ok(Factors::new(values.iter().map(|operand| operand.share).collect()))
    }

    fn to_additive(&mut self, factors: Factors, _kinds: &[Kind]) -> Result<Shares, PartyError> {
        Ok(Shares::new(factors.into_vec()))
    }

    fn invert(&mut self, values: &[Operand]) -> Result<Vec<Fr>, PartyError> {
        let mut inverses: Vec<Fr> = values.iter().map(|operand| operand.share).collect();
        if inverses.contains(&Fr::ZERO) {
            return Err(PartyError::ZeroFactor);
        }
        vector::batch_invert(&mut inverses);
        Ok(inverses)
    }

    fn quotient(
        &mut self,
        numerator: &Numerator,
        publics: &[KnownPolynomial<'_>],
        secrets: &[SecretPolynomial<'_>],
        pieces: usize,
    ) -> Result<Vec<Shares>, PartyError> {
        quotient(numerator, publics, secrets, pieces)
    }
}
