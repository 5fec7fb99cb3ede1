//! Field elements as signed integers.

use crate::Fr;
use ff::PrimeField;

/// The integer a field element stands for: `v` below `2^127`, `-(r - v)` for the `v` above
/// `r - 2^127`. None for all others, which stand for no integer of this range: nothing is cut off,
/// so a bound decided by this conversion holds for the element itself. Does not branch on the
/// value.
pub fn signed_integer(value: Fr) -> Option<i128> {
    let (size, is_positive) = below_2_127(value);
    let (opposite, is_negative) = below_2_127(-value);
    // All ones if it is negative. Both hold for 0, whose two sizes are the same.
    let mask = -i128::from(is_negative);
    let integer = (size & !mask) | (-opposite & mask);
    (is_positive | is_negative).then_some(integer)
}

/// The lower 127 bits, and whether there are no others.
fn below_2_127(value: Fr) -> (i128, bool) {
    let repr = value.to_repr();
    let bytes: &[u8] = repr.as_ref();
    let (low, high) = bytes.split_at(size_of::<u128>());
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, b| sum << 8 | u128::from(*b));
    let (low, high) = (number(low), number(high));
    let integer = low as i128;
    (integer & i128::MAX, (high == 0) & (integer >= 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::Field;
    use proptest::prelude::*;

    /// `r`, as four limbs, lowest first.
    const MODULUS: [u64; 4] =
        [0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029];

    fn power_of_two(exponent: u32) -> Fr {
        Fr::from(2).pow([u64::from(exponent)])
    }

    fn field(integer: i128) -> Fr {
        let size = Fr::from_u128(integer.unsigned_abs());
        if integer < 0 { -size } else { size }
    }

    /// `left - right`, if it is not negative, in four limbs.
    fn difference(left: [u64; 4], right: [u64; 4]) -> Option<[u64; 4]> {
        let mut limbs = [0; 4];
        let mut borrow = false;
        for i in 0..4 {
            let (limb, first) = left[i].overflowing_sub(right[i]);
            let (limb, second) = limb.overflowing_sub(u64::from(borrow));
            (limbs[i], borrow) = (limb, first | second);
        }
        (!borrow).then_some(limbs)
    }

    /// The same by integers of 256 bits, from the number itself and the modulus.
    fn by_wide_integers(number: [u64; 4]) -> Option<i128> {
        let small = |limbs: [u64; 4]| match limbs {
            [low, middle, 0, 0] => i128::try_from(u128::from(middle) << 64 | u128::from(low)).ok(),
            _ => None,
        };
        small(number).or_else(|| Some(-small(difference(MODULUS, number)?)?))
    }

    fn from_limbs(limbs: [u64; 4]) -> Option<Fr> {
        let mut bytes = [0; 32];
        let chunks = bytes.as_chunks_mut::<8>().0.iter_mut();
        chunks.zip(limbs).for_each(|(chunk, limb)| *chunk = limb.to_le_bytes());
        Fr::from_repr(bytes.into()).into()
    }

    #[test]
    fn the_modulus_of_these_tests_is_the_field_s() {
        assert_eq!(from_limbs(MODULUS), None);
        let less_one = difference(MODULUS, [1, 0, 0, 0]).unwrap();
        assert_eq!(from_limbs(less_one), Some(-Fr::ONE));
    }

    #[test]
    fn the_ends_of_the_range() {
        for integer in [0, 1, -1, 1 << 64, -(1 << 64), i128::MAX, -i128::MAX] {
            assert_eq!(signed_integer(field(integer)), Some(integer));
        }
        let first_outside = power_of_two(127);
        assert_eq!(signed_integer(first_outside), None);
        assert_eq!(signed_integer(-first_outside), None);
        assert_eq!(signed_integer(first_outside - Fr::ONE), Some(i128::MAX));
    }

    /// What a conversion by the lower 128 bits alone takes for 0, 1 and other small integers.
    #[test]
    fn elements_whose_lower_bits_are_those_of_a_small_integer() {
        for exponent in 127..=252 {
            for small in [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(1 << 39)] {
                let wide = power_of_two(exponent) + small;
                if exponent > 127 || small == Fr::ZERO {
                    assert_eq!(signed_integer(wide), None, "2^{exponent}");
                    assert_eq!(signed_integer(-wide), None, "-2^{exponent}");
                }
            }
        }
        // About p/2, where the sign changes.
        let half = Fr::from(2).invert().unwrap();
        for value in [half, half - Fr::ONE, half + Fr::ONE, -half] {
            assert_eq!(signed_integer(value), None);
        }
    }

    proptest! {
        #[test]
        fn integers_survive_the_field(value in -(i128::MAX)..=i128::MAX) {
            prop_assert_eq!(signed_integer(field(value)), Some(value));
        }

        #[test]
        fn any_element_is_what_wide_integers_make_of_it(
            limbs: [u64; 4], zeros in 0usize..4, from_above: bool,
        ) {
            // Uniform ones are all too wide: the top limbs are 0 in most of them.
            let mut limbs = limbs;
            limbs[4 - zeros..].fill(0);
            limbs[3] &= u64::MAX >> 2;
            let opposite = difference(MODULUS, limbs).filter(|_| from_above);
            let number = opposite.unwrap_or(limbs);
            let Some(value) = from_limbs(number) else { return Ok(()) };
            prop_assert_eq!(signed_integer(value), by_wide_integers(number));
        }
    }
}
