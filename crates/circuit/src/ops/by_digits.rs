//! Square roots and reciprocals of an integer that neither side of a pair knows, digit by digit
//! from the highest. With the digits so far in `r`, and `P` a product of `r` made once a digit,
//! whether the result is at least `r + s` is a comparison linear in what is known: a digit takes
//! one comparison for each of its values, all at once, and a product.
//!
//! - The root closest to `f x` is at least `k` exactly if `k^2 - k + 1 <= f x`; `P = r^2`.
//! - The reciprocal of `|x|` closest to `N` is at least `k` exactly if `(2k - 1) |x|` is below
//!   `2N`, or equal to it and `x` negative (of two the smaller is taken); `P = r |x|`.

use crate::LayoutError;
use crate::program::{Bound, MINUS_ONE, ONE, Recorder, Wire, ZERO};
use twain_graph::numbers::integer_to_field;
use twain_party::Hint;

/// Bits of a digit.
const DIGIT_BITS: u32 = 3;
/// What is compared comes from products of at most this: two parties compare numbers of up to 120
/// bits, and the last digits' values go a few bits beyond.
const MOST_PRODUCT: i128 = 1 << 108;

/// The `y >= 0` for which `y^2` is closest to `factor * x`; 0 of negative `x`. None if `x` may be
/// too large.
pub(super) fn root_by_digits(
    recorder: &mut Recorder,
    factor: i128,
    x: Wire,
) -> Result<Option<Wire>, LayoutError> {
    let Some((low, high)) = recorder.bound(x).integers() else { return Ok(None) };
    let largest = high.max(0).checked_mul(factor).filter(|square| *square <= MOST_PRODUCT);
    let Some(largest) = largest.filter(|_| low >= -MOST_PRODUCT) else { return Ok(None) };
    let largest = largest.unsigned_abs().isqrt() + 1;
    let of_x = number(recorder, factor);
    let root = by_digits(recorder, largest, None, |recorder, root, square, step| {
        let of_root = number(recorder, 1 - 2 * step);
        let constant = number(recorder, step - step * step - 1);
        vec![(of_x, x), (MINUS_ONE, square), (of_root, root), (constant, ONE)]
    });
    root.map(Some)
}

/// The `y` for which `y * x` is closest to `numerator`, of two the smaller; `of_zero` of 0. None if
/// `x` may be too large.
pub(super) fn reciprocal_by_digits(
    recorder: &mut Recorder,
    numerator: i128,
    of_zero: i128,
    x: Wire,
) -> Result<Option<Wire>, LayoutError> {
    let Some((low, high)) = recorder.bound(x).integers() else { return Ok(None) };
    let size = low.unsigned_abs().max(high.unsigned_abs());
    let largest = numerator.unsigned_abs();
    let product = largest.max(1).checked_mul(size);
    if numerator < 0 || product.is_none_or(|product| product > MOST_PRODUCT.unsigned_abs()) {
        return Ok(None);
    }
    let below = recorder.linear(&[(MINUS_ONE, x), (MINUS_ONE, ONE)]);
    let above = recorder.sub(x, ONE);
    let at_least = recorder.hint_id(Hint::NotNegative);
    let signs = recorder.hint(at_least, &[above, below], &[Bound::BIT])?;
    let [positive, negative] = signs[..] else { return Ok(None) };
    let sign = recorder.sub(positive, negative);
    recorder.refine(sign, Bound::SIGN);
    let magnitude = recorder.mul(sign, x);
    recorder.refine(magnitude, Bound::new(0.0, size as f64));
    // 2N, less 1 if x is positive; -1 of 0, for which all digits are 0.
    let [of_positive, of_negative, minus_two] =
        [2 * numerator, 2 * numerator + 1, -2].map(|value| number(recorder, value));
    let result = by_digits(recorder, largest, Some(magnitude), |recorder, _, product, step| {
        let of_x = number(recorder, 1 - 2 * step);
        let limit = [(of_positive, positive), (of_negative, negative), (MINUS_ONE, ONE)];
        [&limit[..], &[(minus_two, product), (of_x, magnitude)]].concat()
    })?;
    let signed = recorder.mul(sign, result);
    let of_zero = number(recorder, of_zero);
    let zero = recorder.linear(&[(ONE, ONE), (MINUS_ONE, positive), (MINUS_ONE, negative)]);
    Ok(Some(recorder.linear(&[(ONE, signed), (of_zero, zero)])))
}

fn number(recorder: &mut Recorder, value: i128) -> Wire {
    recorder.constant(integer_to_field(value))
}

/// The largest `k` up to `largest` for which the combination that `distance` gives is not negative.
/// It is given the digits so far, their product with `factor` (themselves if there is none), and
/// how much `k` is above them.
fn by_digits(
    recorder: &mut Recorder,
    largest: u128,
    factor: Option<Wire>,
    distance: impl Fn(&mut Recorder, Wire, Wire, i128) -> Vec<(Wire, Wire)>,
) -> Result<Wire, LayoutError> {
    let bits = u128::BITS - largest.leading_zeros();
    let hint = recorder.hint_id(Hint::NotNegative);
    let (mut found, mut product) = (ZERO, ZERO);
    for digit in (0..bits.div_ceil(DIGIT_BITS)).rev() {
        let weight = 1i128 << (DIGIT_BITS * digit);
        let of_bit = number(recorder, weight);
        let mut next = vec![(ONE, found)];
        for value in 1..1i128 << DIGIT_BITS {
            let terms = distance(recorder, found, product, value * weight);
            let distance = recorder.linear(&terms);
            let bit = recorder.hint(hint, &[distance], &[Bound::BIT])?;
            next.extend(bit.first().map(|bit| (of_bit, *bit)));
        }
        found = recorder.linear(&next);
        recorder.refine(found, Bound::new(0.0, largest as f64));
        if digit > 0 {
            product = recorder.mul(found, factor.unwrap_or(found));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Source, Sources};
    use proptest::prelude::*;
    use twain_party::{Alone, Kind, Seed, evaluate_hint};

    /// What `program` makes of `x`, which is known to be in a range, and what the hint does.
    fn both(
        hint: Hint,
        (low, high): (i128, i128),
        x: i128,
        program: impl Fn(&mut Recorder, Wire) -> Result<Option<Wire>, LayoutError>,
    ) -> (twain_algebra::Fr, twain_algebra::Fr) {
        let mut recorder = Recorder::new();
        let wires = recorder.sources(1, Kind::Shared, (low, high));
        recorder.inputs.push(Source { name: "x".into(), wires: wires.clone(), length: 1 });
        let result = program(&mut recorder, wires.start).unwrap().unwrap();
        let program = recorder.finish([].into_iter(), [].into_iter(), [].into_iter()).unwrap();
        let batches = program.levels.iter().flat_map(|level| &level.hints);
        for wire in batches.flat_map(|batch| &batch.inputs) {
            assert!(program.bits[*wire as usize] <= 120, "two parties can compare it");
        }
        let value = integer_to_field(x);
        let inputs = [vec![value]];
        let sources = Sources { inputs: Some(&inputs), parameters: Some(&[]) };
        let values = program.run(&mut Alone::new(Seed([1; 32])), &sources).unwrap();
        let mut expected = Vec::new();
        evaluate_hint(&hint, value, &mut expected).unwrap();
        (values.values[result as usize], expected[0])
    }

    fn roots(factor: i128, high: i128, x: i128) -> (twain_algebra::Fr, twain_algebra::Fr) {
        both(Hint::SquareRoot { factor }, (-(1 << 30), high), x, |recorder, x| {
            root_by_digits(recorder, factor, x)
        })
    }

    fn reciprocals(numerator: i128, size: i128, x: i128) -> (twain_algebra::Fr, twain_algebra::Fr) {
        let of_zero = 1 << 59;
        both(Hint::Reciprocal { numerator, of_zero }, (-size, size), x, |recorder, x| {
            reciprocal_by_digits(recorder, numerator, of_zero, x)
        })
    }

    #[test]
    fn roots_of_the_extremes() {
        for (factor, high) in
            [(1, 1 << 30), (128, 1 << 28), (100, 3), (128, 1 << 56), (1, 0), (1 << 40, 1 << 68)]
        {
            for x in [0, 1, 2, 3, high, high - 1, high / 2, -1, -(1 << 30)] {
                let (root, expected) = roots(factor, high, x.min(high));
                assert_eq!(root, expected, "{x} * {factor}");
            }
        }
    }

    #[test]
    fn reciprocals_of_the_extremes() {
        for (numerator, size) in [(1 << 40, 1 << 28), (0, 9), (1, 9), (1 << 80, 1 << 28), (255, 1)]
        {
            for x in [0, 1, 2, 3, 7, size / 2, size - 1, size] {
                for x in [x.min(size), -x.min(size)] {
                    let (result, expected) = reciprocals(numerator, size, x);
                    assert_eq!(result, expected, "{numerator} / {x}");
                }
            }
        }
    }

    #[test]
    fn of_two_reciprocals_the_smaller() {
        for (numerator, x) in [(256, 512), (256, -512), (3, 2), (3, -2), (1 << 30, 1 << 25)] {
            let (result, expected) = reciprocals(numerator, 1 << 30, x);
            assert_eq!(result, expected, "{numerator} / {x}");
        }
    }

    proptest! {
        #[test]
        fn reciprocals_are_the_hint_s(x in -(1i128 << 30)..1 << 30, numerator in 0i128..1 << 45) {
            let (result, expected) = reciprocals(numerator, 1 << 30, x);
            prop_assert_eq!(result, expected);
            let (result, expected) = reciprocals(numerator, 1 << 30, x >> 20);
            prop_assert_eq!(result, expected);
        }

        #[test]
        fn roots_are_the_hint_s(x in 0i128..1 << 40, factor in 1i128..1000) {
            let (root, expected) = roots(factor, 1 << 40, x);
            prop_assert_eq!(root, expected);
        }
    }
}
