//! The argument on plain values.

use super::quotient::quotient;
use super::witness::sums;
use crate::{
    Accepted, Alone, Argument, BlindingItem, Factors, Inverted, Kind, Numerator, Operand,
    PartyError, ProverParty, QuotientOperands, QuotientPart, Shares, WireValue,
};
use ff::Field;
use std::ops::Range;
use twain_algebra::{Fr, G1Affine, vector};

impl ProverParty for Alone {
    type Points = Vec<G1Affine>;
    type Conversion = Factors;
    type Inversion = Shares;
    type Quotient<'q> = QuotientOperands<'q>;

    fn blinding(&self, item: BlindingItem, kind: Kind, rows: Range<usize>) -> Shares {
        Shares::new(self.seeds.values(item, kind, rows))
    }

    fn begin_points(
        &mut self,
        _digest: [u8; 32],
        parts: Vec<G1Affine>,
    ) -> Result<Vec<G1Affine>, PartyError> {
        Ok(parts)
    }

    fn finish_points(&mut self, points: Vec<G1Affine>) -> Result<Vec<G1Affine>, PartyError> {
        Ok(points)
    }

    fn open_quotient(
        &mut self,
        _digest: [u8; 32],
        part: QuotientPart,
        _argument: &dyn Argument,
    ) -> Result<(Vec<G1Affine>, Accepted), PartyError> {
        Ok((part.commitments, Accepted::by_test()))
    }

    fn open_evaluations(
        &mut self,
        _: Accepted,
        _digest: [u8; 32],
        parts: &[Fr],
    ) -> Result<Vec<Fr>, PartyError> {
        Ok(parts.to_vec())
    }

    fn products_of_shares(
        &mut self,
        left: &[Operand],
        right: &[Operand],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        Ok(sums(ends, |i| left[i].share * right[i].share))
    }

    fn prepare_factors(&mut self, values: &[WireValue]) -> Result<Factors, PartyError> {
        Ok(Factors::new(values.iter().map(|value| value.operand.share).collect()))
    }

    fn begin_factors(&mut self, mut values: Factors, shifts: &[Fr]) -> Result<Factors, PartyError> {
        vector::add_assign(&mut values, shifts);
        Ok(values)
    }

    fn finish_factors(&mut self, values: Factors) -> Result<Factors, PartyError> {
        Ok(values)
    }

    fn to_additive(&mut self, factors: Factors, _kinds: &[Kind]) -> Result<Shares, PartyError> {
        Ok(Shares::new(factors.into_vec()))
    }

    fn begin_inverses(
        &mut self,
        values: &[Inverted],
        multiples: &[u32],
        factors: &[Operand],
    ) -> Result<Shares, PartyError> {
        let mut inverses: Vec<Fr> = values.iter().map(|value| value.operand.share).collect();
        if inverses.contains(&Fr::ZERO) {
            return Err(PartyError::Ended);
        }
        vector::batch_invert(&mut inverses);
        let multiples = multiples.iter().zip(factors);
        let multiple = |(index, factor): (&u32, &Operand)| inverses[*index as usize] * factor.share;
        let multiples: Vec<Fr> = multiples.map(multiple).collect();
        inverses.extend(multiples);
        Ok(Shares::new(inverses))
    }

    fn finish_inverses(&mut self, inverses: Shares) -> Result<Shares, PartyError> {
        Ok(inverses)
    }

    fn begin_quotient<'q>(
        &mut self,
        _: &Numerator,
        operands: QuotientOperands<'q>,
    ) -> Result<QuotientOperands<'q>, PartyError> {
        Ok(operands)
    }

    fn finish_quotient(
        &mut self,
        operands: QuotientOperands<'_>,
        numerator: &Numerator,
    ) -> Result<Vec<Shares>, PartyError> {
        quotient(numerator, &operands.publics, &operands.secrets, operands.pieces, &self.watched)
    }
}
