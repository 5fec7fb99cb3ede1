//! Integers closest to a quotient, a root, a power of two (spec 04 §5.2, §5.3, §5.6). The circuit
//! accepts the closest integer and, of two equally close ones, the smaller; so exact arithmetic
//! here gives the value it accepts where EZKL's double precision would round to the other.

/// The `y` for which `y * x` is closest to `numerator`, of two the smaller; none for `x = 0` and on
/// overflow.
pub(super) fn reciprocal(x: i128, numerator: i128) -> Option<i128> {
    let below = numerator.checked_div_euclid(x)?;
    // The Euclidean quotient of a negative divisor is rounded up.
    let below =
        if x < 0 && below.checked_mul(x)? != numerator { below.checked_sub(1)? } else { below };
    let distance = |y: i128| Some(y.checked_mul(x)?.abs_diff(numerator));
    let above = below.checked_add(1)?;
    Some(if distance(below)? <= distance(above)? { below } else { above })
}

/// The `y >= 0` for which `y^2` is closest to `factor * x`; 0 for negative `x`; none on overflow.
pub(super) fn square_root(x: i128, factor: i128) -> Option<i128> {
    let square = x.checked_mul(factor)?.max(0).unsigned_abs();
    let below = square.isqrt();
    // Between `below^2` and `(below + 1)^2 = below^2 + 2 below + 1`.
    let root = if square - below * below > below { below + 1 } else { below };
    i128::try_from(root).ok()
}

/// The exponent between `-limit` and `limit` whose power of two, times `scale` and rounded half
/// away from zero, is closest to `x`; of several the largest.
pub(super) fn exponent(x: i128, scale: i128, limit: u32) -> i32 {
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    let distance = |y: &i32| {
        let power = (scale as f64 * f64::from(*y).exp2()).round() as i128;
        power.abs_diff(x)
    };
    (-limit..=limit).rev().min_by_key(distance).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn of_two_the_smaller() {
        assert_eq!(reciprocal(512, 256), Some(0));
        assert_eq!(reciprocal(-512, 256), Some(-1));
        assert_eq!(reciprocal(3, 256), Some(85));
        assert_eq!(reciprocal(-3, 256), Some(-85));
        assert_eq!(reciprocal(0, 256), None);
        assert_eq!([0, 2, 3, 6, 7].map(|x| square_root(x, 1)), [0, 1, 2, 2, 3].map(Some));
        assert_eq!(square_root(-5, 1), Some(0));
    }

    #[test]
    fn exponents() {
        assert_eq!([128, 191, 192, 193, 64].map(|x| exponent(x, 128, 128)), [0, 0, 1, 1, -1]);
        // Below a half all powers are 0: the largest of them.
        assert_eq!([0, -7].map(|x| exponent(x, 128, 128)), [-9, -9]);
    }

    proptest! {
        #[test]
        fn neighbours_are_no_better(x in -(1i128 << 60)..1i128 << 60, u in 1i128..1 << 40) {
            prop_assume!(x != 0);
            let y = reciprocal(x, u).unwrap();
            let distance = |y: i128| (y * x).abs_diff(u);
            prop_assert!(distance(y) <= distance(y + 1) && distance(y) < distance(y - 1));
            let root = square_root(x.abs(), 128).unwrap();
            let distance = |y: i128| (y * y).abs_diff(x.abs() * 128);
            prop_assert!(distance(root) <= distance(root + 1) && distance(root) <= distance(root - 1));
        }
    }
}
