//! Static bounds of wires (protocol §7.1): intervals that hold in any run with inputs and
//! parameters in range, propagated through sums and products.

use twain_algebra::Fr;
use twain_party::signed_integer;

/// An interval of integers. Ends are exact up to 2^24 and rounded outwards beyond.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bound {
    low: f32,
    high: f32,
}

impl Bound {
    /// Any field element.
    pub const UNKNOWN: Bound = Bound { low: f32::NEG_INFINITY, high: f32::INFINITY };
    /// 0 or 1.
    pub const BIT: Bound = Bound { low: 0.0, high: 1.0 };
    /// -1, 0 or 1.
    pub const SIGN: Bound = Bound { low: -1.0, high: 1.0 };

    /// The integers from `low` to `high`.
    pub fn new(low: f64, high: f64) -> Self {
        if low.is_nan() || high.is_nan() {
            return Self::UNKNOWN;
        }
        let (l, h) = (low as f32, high as f32);
        let low = if f64::from(l) > low { l.next_down() } else { l };
        let high = if f64::from(h) < high { h.next_up() } else { h };
        Self { low, high }
    }

    /// The integers of at most this size.
    pub fn symmetric(size: f64) -> Self {
        Self::new(-size, size)
    }

    /// One value.
    pub fn exact(value: Fr) -> Self {
        let integer = signed_integer(value).map(|integer| integer as f64);
        integer.map_or(Self::UNKNOWN, |integer| Self::new(integer, integer))
    }

    fn ends(self) -> (f64, f64) {
        (f64::from(self.low), f64::from(self.high))
    }

    /// The ends, if there are any.
    pub fn integers(self) -> Option<(i128, i128)> {
        let finite = self.low.is_finite() && self.high.is_finite();
        finite.then_some((self.low as i128, self.high as i128))
    }

    /// Sums of a value of each.
    pub fn sum(self, other: Bound) -> Bound {
        let ((a, b), (c, d)) = (self.ends(), other.ends());
        Self::new(a + c, b + d)
    }

    /// Products of a value of each.
    pub fn product(self, other: Bound) -> Bound {
        let ((a, b), (c, d)) = (self.ends(), other.ends());
        // 0 * infinity is 0 here: the zero is exact.
        let times = |x: f64, y: f64| if x == 0.0 || y == 0.0 { 0.0 } else { x * y };
        let corners = [times(a, c), times(a, d), times(b, c), times(b, d)];
        let low = corners.into_iter().fold(f64::INFINITY, f64::min);
        let high = corners.into_iter().fold(f64::NEG_INFINITY, f64::max);
        Self::new(low, high)
    }

    /// Squares of values.
    pub fn square(self) -> Bound {
        let product = self.product(self);
        Self { low: product.low.max(0.0), high: product.high }
    }

    /// Quotients by `divisor`, rounded.
    pub fn divided(self, divisor: f64) -> Bound {
        let (low, high) = self.ends();
        Self::new((low / divisor - 1.0).floor(), (high / divisor + 1.0).ceil())
    }

    /// Values in both intervals.
    pub fn intersection(self, other: Bound) -> Bound {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }

    /// Values in either interval.
    pub fn union(self, other: Bound) -> Bound {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// The least `b` with `|v| < 2^b` for all values; 254 if there is none.
    pub fn bits(self) -> u8 {
        let size = f64::from(self.low.abs().max(self.high.abs()));
        // Beyond 2^24 the ends are rounded: one bit more.
        let slack = if size > 2f64.powi(24) { 1.0 } else { 0.0 };
        let bits = (size + 1.0).log2().ceil() + slack;
        if bits < 253.0 { bits as u8 } else { 254 }
    }

    /// The values, if they are at most three and 0 is among them.
    pub fn few_values(self) -> Option<Vec<i64>> {
        let (low, high) = self.ends();
        let few = low <= 0.0 && high >= 0.0 && high - low <= 2.0;
        few.then(|| (low as i64..=high as i64).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::Field;
    use proptest::prelude::*;

    #[test]
    fn bits_of_the_usual_ranges() {
        assert_eq!(Bound::BIT.bits(), 1);
        assert_eq!(Bound::new(0.0, 16383.0).bits(), 14);
        assert_eq!(Bound::new(-16384.0, 0.0).bits(), 15);
        assert_eq!(Bound::exact(Fr::ZERO).bits(), 0);
        assert_eq!(Bound::UNKNOWN.bits(), 254);
        assert_eq!(Bound::SIGN.sum(Bound::exact(-Fr::ONE)).few_values(), Some(vec![-2, -1, 0]));
        assert_eq!(Bound::SIGN.square(), Bound::BIT);
        assert_eq!(Bound::UNKNOWN.product(Bound::exact(Fr::ZERO)).bits(), 0);
    }

    proptest! {
        #[test]
        fn intervals_hold_their_values(
            a in -(1i64 << 40)..1i64 << 40, b in -(1i64 << 40)..1i64 << 40,
            slack_a in 0i64..1 << 30, slack_b in 0i64..1 << 30,
        ) {
            let left = Bound::new((a - slack_a) as f64, (a + slack_a) as f64);
            let right = Bound::new((b - slack_b) as f64, (b + slack_b) as f64);
            let holds = |bound: Bound, value: i128| {
                let (low, high) = bound.ends();
                low as i128 <= value && value <= high as i128 && value.abs() < 1i128 << bound.bits()
            };
            prop_assert!(holds(left.sum(right), i128::from(a) + i128::from(b)));
            prop_assert!(holds(left.product(right), i128::from(a) * i128::from(b)));
            prop_assert!(holds(left.square(), i128::from(a) * i128::from(a)));
            prop_assert!(holds(left.union(right), i128::from(a)));
        }
    }
}
