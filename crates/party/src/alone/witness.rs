//! Witness generation on plain values: products, the non-polynomial steps of spec 03 §6 and the
//! multiplicities of spec 01 §5.4, with a share that *is* the value.

use super::integers;
use crate::{
    Alone, Hint, HintBatch, LateInverse, LookupArgument, Multiplicities, Operand, PartyError,
    Shares, Tested, Watched, WireValue, WitnessParty,
};
use ff::{BatchInvert, Field, PrimeField};
use rayon::prelude::*;
use twain_algebra::{Fr, signed_integer};

/// Fewer items than this are not worth a second thread.
const PARALLEL: usize = 1 << 12;

fn field(value: i128) -> Fr {
    let magnitude = Fr::from_u128(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

fn integer(value: Fr) -> Result<i128, PartyError> {
    signed_integer(value).ok_or(PartyError::Invalid)
}

/// The outputs of `hint` for one plain `value`, appended to `outputs`. A value outside the range of
/// the hint is [`PartyError::Invalid`].
pub fn evaluate_hint(hint: &Hint, value: Fr, outputs: &mut Vec<Fr>) -> Result<(), PartyError> {
    let output = match hint {
        Hint::Decompose { base, legs } => return decompose(*base, *legs, value, outputs),
        Hint::Unit { low, high, chunk } => {
            let place = place(integer(value)?, (*low, *high), *chunk).ok_or(PartyError::Invalid)?;
            let first = outputs.len();
            outputs.resize(first.saturating_add(hint.outputs()), Fr::ZERO);
            *outputs.get_mut(first + place).ok_or(PartyError::Invalid)? = Fr::ONE;
            return Ok(());
        }
        Hint::InverseOrZero => value.invert().unwrap_or(Fr::ZERO),
        Hint::Inverse => Option::from(value.invert()).ok_or(PartyError::Invalid)?,
        Hint::IsZero => Fr::from(u64::from(bool::from(value.is_zero()))),
        Hint::DivideRound { divisor } => {
            let value = integer(value)?;
            let magnitude = value.unsigned_abs();
            let remainder = magnitude.checked_rem(*divisor).ok_or(PartyError::Invalid)?;
            // Half away from zero: up exactly if twice the remainder reaches the divisor.
            let up = remainder >= divisor - remainder;
            let quotient = Fr::from_u128(magnitude / divisor + u128::from(up));
            if value < 0 { -quotient } else { quotient }
        }
        Hint::ChunkIndex { low, chunk } => {
            let distance = integer(value)?.abs_diff(*low);
            let index = distance.checked_div(u128::from(*chunk)).ok_or(PartyError::Invalid)?;
            Fr::from_u128(index)
        }
        Hint::Table(table) => {
            let row = integer(value)?.checked_sub(table.low).and_then(|d| usize::try_from(d).ok());
            field(*row.and_then(|row| table.values.get(row)).ok_or(PartyError::Invalid)?)
        }
        Hint::NotNegative => Fr::from(u64::from(integer(value)? >= 0)),
        Hint::Reciprocal { of_zero, .. } if value.is_zero().into() => field(*of_zero),
        Hint::Reciprocal { numerator, .. } => {
            field(integers::reciprocal(integer(value)?, *numerator).ok_or(PartyError::Invalid)?)
        }
        Hint::SquareRoot { factor } => {
            field(integers::square_root(integer(value)?, *factor).ok_or(PartyError::Invalid)?)
        }
        Hint::Exponent { scale, limit } => {
            field(integers::exponent(integer(value)?, *scale, *limit).into())
        }
    };
    outputs.push(output);
    Ok(())
}

/// The place of a value in a unit vector, if it has one.
fn place(value: i128, (low, high): (i128, i128), chunk: u64) -> Option<usize> {
    let inside = (low..=high).contains(&value);
    let place = value.abs_diff(low).checked_div(u128::from(chunk)).filter(|_| inside)?;
    usize::try_from(place).ok()
}

fn decompose(base: u64, legs: u32, value: Fr, outputs: &mut Vec<Fr>) -> Result<(), PartyError> {
    let value = integer(value)?;
    let base = u128::from(base);
    if base < 2 {
        return Err(PartyError::Invalid);
    }
    let first = outputs.len();
    outputs.push(field(value.signum()));
    outputs.resize(first + 1 + legs as usize, Fr::ZERO);
    let mut rest = value.unsigned_abs();
    for digit in outputs[first + 1..].iter_mut().rev() {
        // Digits of usual size: 64-bit division is several times faster.
        let (quotient, remainder) = match (u64::try_from(rest), u64::try_from(base)) {
            (Ok(rest), Ok(base)) => (u128::from(rest / base), rest % base),
            _ => (rest / base, (rest % base) as u64),
        };
        *digit = Fr::from(remainder);
        rest = quotient;
    }
    if rest == 0 { Ok(()) } else { Err(PartyError::Invalid) }
}

/// Sums of the products with the numbers `ends[j-1]..ends[j]`.
pub(super) fn sums(ends: &[u32], product: impl Fn(usize) -> Fr + Sync) -> Vec<Fr> {
    let sum = |j: usize| {
        let start = if j == 0 { 0 } else { ends[j - 1] as usize };
        (start..ends[j] as usize).map(&product).sum()
    };
    (0..ends.len()).into_par_iter().with_min_len(PARALLEL).map(sum).collect()
}

impl WitnessParty for Alone {
    fn watched(&self) -> Watched {
        self.watched.clone()
    }

    fn adds_public(&self) -> bool {
        true
    }

    fn holds_values(&self) -> bool {
        true
    }

    fn claim(&mut self, wires: &[WireValue]) -> Result<Shares, PartyError> {
        Ok(Shares::new(wires.iter().map(|wire| wire.operand.share).collect()))
    }

    fn inner_products(
        &mut self,
        left: &[WireValue],
        right: &[WireValue],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        Ok(sums(ends, |i| left[i].operand.share * right[i].operand.share))
    }

    fn hints(&mut self, batches: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError> {
        batches.iter().map(|batch| hint_batch(batch, &self.watched)).collect()
    }

    fn prepare_lookups(&mut self, _arguments: &[LookupArgument]) -> Result<(), PartyError> {
        Ok(())
    }

    fn multiplicities(
        &mut self,
        arguments: &[LookupArgument],
        rows: usize,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        let multiplicity = |argument| {
            self.watched.check()?;
            Ok(multiplicity(argument, rows)?.into())
        };
        arguments.iter().map(multiplicity).collect()
    }

    fn late_inverses(&mut self, wanted: &[LateInverse<WireValue>]) -> Result<Shares, PartyError> {
        let nonzero = |nonzero: WireValue| nonzero.operand.share;
        let zeros = wanted.iter().map(|wanted| Fr::ONE - wanted.nonzero.map_or(Fr::ONE, nonzero));
        let zeros: Vec<Fr> = zeros.collect();
        let shifted = wanted.iter().zip(&zeros);
        let shifted = shifted.map(|(wanted, zero)| wanted.value.operand.share + zero);
        let mut inverses: Vec<Fr> = shifted.collect();
        if inverses.contains(&Fr::ZERO) {
            return Err(PartyError::Invalid);
        }
        inverses.batch_invert();
        inverses.iter_mut().zip(zeros).for_each(|(inverse, zero)| *inverse -= zero);
        Ok(inverses.into())
    }

    fn check_zero(&mut self, values: &[Fr]) -> Result<Tested, PartyError> {
        let zero = values.iter().all(|value| bool::from(value.is_zero()));
        if zero { Ok(Tested::by_test()) } else { Err(PartyError::Invalid) }
    }

    fn open_instances(&mut self, _: Tested, shares: &[Fr]) -> Result<Vec<Fr>, PartyError> {
        Ok(shares.to_vec())
    }
}

fn hint_batch(batch: &HintBatch, watched: &Watched) -> Result<Vec<Fr>, PartyError> {
    let parts = batch.inputs.par_chunks(PARALLEL).map(|inputs| {
        watched.check()?;
        let mut outputs = Vec::with_capacity(inputs.len() * batch.hint.outputs());
        let evaluate = |input: &Operand| evaluate_hint(&batch.hint, input.share, &mut outputs);
        inputs.iter().try_for_each(evaluate).map(|()| outputs)
    });
    Ok(parts.collect::<Result<Vec<_>, _>>()?.concat())
}

/// Counts the uses by table row of one column. Uses that belong to another column, and rows with
/// the selector off, count as the column's first entry, whose count goes to `default_row`.
fn multiplicity(argument: &LookupArgument, rows: usize) -> Result<Shares, PartyError> {
    let LookupArgument { low, high, chunk, column, uses, defaults, default_row } = *argument;
    if chunk == 0 || default_row >= rows {
        return Err(PartyError::Invalid);
    }
    let chunk = u128::from(chunk);
    let first = u128::from(column) * chunk;
    let length = usize::try_from(chunk).unwrap_or(rows).min(rows);
    let count = |uses: &[crate::LookupUse]| -> Result<Vec<u64>, PartyError> {
        let mut counts = vec![0u64; length];
        for item in uses {
            let value = integer(item.operand.share)?;
            if value < low || value > high {
                return Err(PartyError::Invalid);
            }
            let offset = value.abs_diff(low).checked_sub(first);
            let row = offset.and_then(|offset| usize::try_from(offset).ok()).unwrap_or(0);
            counts[if row < length { row } else { 0 }] += 1;
        }
        Ok(counts)
    };
    // As many parts as threads, no more: each has a histogram of its own.
    let part = uses.len().div_ceil(rayon::current_num_threads()).max(PARALLEL);
    let counts = uses.par_chunks(part).map(count).try_reduce_with(|mut left, right| {
        left.iter_mut().zip(right).for_each(|(l, r)| *l += r);
        Ok(left)
    });
    let mut counts = counts.transpose()?.unwrap_or_else(|| vec![0; length]);
    if counts.is_empty() {
        counts.push(0);
    }
    let default = std::mem::take(&mut counts[0]) + defaults;
    let mut values: Vec<Fr> = counts.into_iter().map(Fr::from).collect();
    values.resize(rows, Fr::ZERO);
    values[default_row] += Fr::from(default);
    Ok(values.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, LookupUse, Seed, StaticTable};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn outputs(hint: Hint, value: i128) -> Result<Vec<Fr>, PartyError> {
        let mut outputs = Vec::new();
        evaluate_hint(&hint, field(value), &mut outputs).map(|()| outputs)
    }

    fn operand(value: i128) -> Operand {
        Operand { share: field(value), kind: Kind::Shared, bits: 254 }
    }

    #[test]
    fn decomposition_of_the_extremes() {
        let hint = || Hint::Decompose { base: 16, legs: 2 };
        let digits =
            |v| outputs(hint(), v).map(|o| o.into_iter().filter_map(signed_integer).collect());
        assert_eq!(digits(-255).ok(), Some(vec![-1, 15, 15]));
        assert_eq!(digits(0).ok(), Some(vec![0, 0, 0]));
        assert_eq!(digits(33).ok(), Some(vec![1, 2, 1]));
        assert!(matches!(outputs(hint(), 256), Err(PartyError::Invalid)));
        assert!(matches!(outputs(hint(), -256), Err(PartyError::Invalid)));
    }

    #[test]
    fn division_rounds_half_away_from_zero() {
        for (value, divisor, quotient) in
            [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (-4, 3, -1), (0, 7, 0)]
        {
            let hint = Hint::DivideRound { divisor };
            assert_eq!(outputs(hint, value).ok(), Some(vec![field(quotient)]));
        }
        assert!(outputs(Hint::DivideRound { divisor: 0 }, 1).is_err());
    }

    #[test]
    fn inverses_chunks_and_tables() {
        assert_eq!(outputs(Hint::InverseOrZero, 0).ok(), Some(vec![Fr::ZERO]));
        assert!(outputs(Hint::Inverse, 0).is_err());
        let zeros = [0, 3, -3].map(|value| outputs(Hint::IsZero, value).unwrap_or_default());
        assert_eq!(zeros, [1, 0, 0].map(|bit| vec![field(bit)]));
        let inverse = outputs(Hint::Inverse, -2).unwrap_or_default();
        assert_eq!(inverse[0] * field(-2), Fr::ONE);
        let chunk = Hint::ChunkIndex { low: -10, chunk: 8 };
        assert_eq!(outputs(chunk, 6).ok(), Some(vec![Fr::from(2)]));
        let table = Arc::new(StaticTable { name: "t".into(), low: -1, values: vec![7, -8] });
        assert_eq!(outputs(Hint::Table(table.clone()), 0).ok(), Some(vec![field(-8)]));
        assert!(outputs(Hint::Table(table), 1).is_err());
    }

    #[test]
    fn unit_vectors_and_signs() {
        let unit = |v| outputs(Hint::unit(3), v);
        assert_eq!(unit(1).ok(), Some(vec![Fr::ZERO, Fr::ONE, Fr::ZERO]));
        assert!(unit(3).is_err() && unit(-1).is_err());
        let column = |v| outputs(Hint::Unit { low: -4, high: 5, chunk: 4 }, v).ok();
        assert_eq!(column(-1), Some([1, 0, 0].map(Fr::from).to_vec()));
        assert_eq!(column(5), Some([0, 0, 1].map(Fr::from).to_vec()));
        assert_eq!((column(6), column(-5)), (None, None));
        let sign = |v| outputs(Hint::NotNegative, v).ok();
        assert_eq!([-1, 0, 1].map(sign), [0, 1, 1].map(|bit| Some(vec![field(bit)])));
        let reciprocal = Hint::Reciprocal { numerator: 8, of_zero: 99 };
        assert_eq!(outputs(reciprocal, 0).ok(), Some(vec![field(99)]));
    }

    #[test]
    fn multiplicities_of_two_columns() {
        // The table -2..=3 in columns of 4 (-2..=1 and 2..=3), 8 rows of which 6 are usable.
        let values = [-2, -2, 1, 2, 3, 3, 3];
        let uses: Vec<_> = values
            .iter()
            .map(|&v| LookupUse { wire: 0, operand: operand(v), column: None })
            .collect();
        let argument = |column| LookupArgument {
            low: -2,
            high: 3,
            chunk: 4,
            column,
            uses: &uses,
            defaults: 10,
            default_row: 5,
        };
        let mut alone = Alone::new(Seed([0; 32]));
        let columns = alone.multiplicities(&[argument(0), argument(1)], 8).unwrap_or_default();
        let expected = [[0u64, 0, 0, 1, 0, 16, 0, 0], [0, 3, 0, 0, 0, 14, 0, 0]];
        for (column, expected) in columns.iter().zip(expected) {
            assert_eq!(column.shares.to_vec(), expected.map(Fr::from).to_vec());
        }
        assert_eq!(columns.len(), 2);
        let outside = [LookupUse { wire: 0, operand: operand(4), column: None }];
        let argument = LookupArgument { uses: &outside, ..argument(0) };
        assert!(alone.multiplicities(&[argument], 8).is_err());
    }

    #[test]
    fn inner_products_by_ends() {
        let value = |i| WireValue { wire: 0, operand: operand(i) };
        let values: Vec<_> = (1..=5).map(value).collect();
        let mut alone = Alone::new(Seed([0; 32]));
        let sums = alone.inner_products(&values, &values, &[2, 2, 5]);
        assert_eq!(sums.ok(), Some(vec![Fr::from(5), Fr::ZERO, Fr::from(50)]));
        assert!(alone.check_zero(&[Fr::ZERO]).is_ok() && alone.check_zero(&[Fr::ONE]).is_err());
    }

    proptest! {
        #[test]
        fn digits_recompose(value in -(1i128 << 42) + 1..1i128 << 42) {
            let digits = outputs(Hint::Decompose { base: 1 << 14, legs: 3 }, value).unwrap_or_default();
            let sum = digits[1..].iter().fold(Fr::ZERO, |sum, d| sum * Fr::from(1 << 14) + d);
            prop_assert_eq!(sum * digits[0], field(value));
        }
    }
}
