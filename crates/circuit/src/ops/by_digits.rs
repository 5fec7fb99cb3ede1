//! The square root of an integer that neither side of a pair knows, digit by digit from the highest.
//!
//! The root closest to `f x` is at least `k` exactly if `k^2 - k + 1 <= f x`. For `k = r + d`, with the digits so far
//! in `r`, the left side is linear in `r` and `r^2`: a digit takes one comparison for each of its values,
//! all at once, and a product.

use crate::LayoutError;
use crate::program::{Bound, ONE, Recorder, Wire, ZERO};
use twain_graph::numbers::integer_to_field;
use twain_party::Hint;

/// Bits of a digit.
const DIGIT_BITS: u32 = 3;
/// Squares are at most this.
const MOST_SQUARE: i128 = 1 << 100;

/// The `y >= 0` for which `y^2` is closest to `factor * x`; 0 of negative `x`. None if `x` may be too large.
pub(super) fn root_by_digits(
    recorder: &mut Recorder,
    factor: i128,
    x: Wire,
) -> Result<Option<Wire>, LayoutError> {
    let Some((low, high)) = recorder.bound(x).integers() else { return Ok(None) };
    let largest = high.max(0).checked_mul(factor).filter(|square| *square <= MOST_SQUARE);
    let Some(largest) = largest.filter(|_| low >= -MOST_SQUARE) else { return Ok(None) };
    let largest = largest.unsigned_abs().isqrt() + 1;
    let bits = u128::BITS - largest.leading_zeros();
    let hint = recorder.hint_id(Hint::NotNegative);
    let (mut root, mut square) = (ZERO, ZERO);
    for digit in (0..bits.div_ceil(DIGIT_BITS)).rev() {
        let weight = 1i128 << (DIGIT_BITS * digit);
        let mut number = |value: i128| recorder.constant(integer_to_field(value));
        let (of_x, of_square, of_bit) = (number(factor), number(-1), number(weight));
        let mut next = vec![(ONE, root)];
        for value in 1..1i128 << DIGIT_BITS {
            let step = value * weight;
            let of_root = recorder.constant(integer_to_field(1 - 2 * step));
            let constant = recorder.constant(integer_to_field(step - step * step - 1));
            let terms = [(of_x, x), (of_square, square), (of_root, root), (constant, ONE)];
            let distance = recorder.linear(&terms);
            let bit = recorder.hint(hint, &[distance], &[Bound::BIT])?;
            next.extend(bit.first().map(|bit| (of_bit, *bit)));
        }
        root = recorder.linear(&next);
        recorder.refine(root, Bound::new(0.0, largest as f64));
        if digit > 0 {
            square = recorder.mul(root, root);
        }
    }
    Ok(Some(root))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Source, Sources};
    use proptest::prelude::*;
    use twain_party::{Alone, Kind, Seed, evaluate_hint};

    /// The root by the program, and the hint's.
    fn roots(factor: i128, high: i128, x: i128) -> (twain_algebra::Fr, twain_algebra::Fr) {
        let mut recorder = Recorder::new();
        let bound = Bound::new(-(1i128 << 30) as f64, high as f64);
        let wires = recorder.sources(1, Kind::Shared, bound);
        recorder.inputs.push(Source { name: "x".into(), wires: wires.clone(), length: 1 });
        let root = root_by_digits(&mut recorder, factor, wires.start).unwrap().unwrap();
        let program = recorder.finish().unwrap();
        let value = integer_to_field(x);
        let inputs = [vec![value]];
        let sources = Sources { inputs: Some(&inputs), parameters: Some(&[]) };
        let values = program.run(&mut Alone::new(Seed([1; 32])), &sources).unwrap();
        let mut expected = Vec::new();
        evaluate_hint(&Hint::SquareRoot { factor }, value, &mut expected).unwrap();
        (values.values[root as usize], expected[0])
    }

    #[test]
    fn roots_of_the_extremes() {
        for (factor, high) in [(1, 1 << 30), (128, 1 << 28), (100, 3), (128, 1 << 56), (1, 0)] {
            for x in [0, 1, 2, 3, high, high - 1, high / 2, -1, -(1 << 30)] {
                let (root, expected) = roots(factor, high, x.min(high));
                assert_eq!(root, expected, "{x} * {factor}");
            }
        }
    }

    proptest! {
        #[test]
        fn roots_are_the_hint_s(x in 0i128..1 << 40, factor in 1i128..1000) {
            let (root, expected) = roots(factor, 1 << 40, x);
            prop_assert_eq!(root, expected);
        }
    }
}
