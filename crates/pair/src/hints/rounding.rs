//! Division of a shared value by a public `D`, rounded half away from zero (protocol §7).
//!
//! With `y = x + floor(D/2) - [x < 0][D even] + K D`, not negative, the result is `floor(y/D) - K`.
//! A `D` that one division does not take is a product of factors, by which `y` is divided one after
//! the other: `floor(floor(y/a)/b) = floor(y/(ab))`.

use super::division::Division;
use super::opening::Budget;
use ff::{Field, PrimeField};
use twain_algebra::Fr;
use twain_masks::Demand;
use twain_masks::dpf::Scratch;
use twain_party::{PartyError, Role};

/// Odd factors of a divisor are looked for below this.
const SMALL: u128 = 1 << 10;
/// A division by a power of two costs as much as that is large: beyond this many bits it is cheaper
/// in parts.
const TWOS: u32 = 16;

/// A division under way.
pub(super) struct Rounding {
    divisor: u128,
    /// `K`.
    offset: u128,
    /// This party's share of `x`, then of `y`, then of `y` divided so far.
    value: Fr,
    divisions: Vec<Division>,
}

impl Drop for Rounding {
    fn drop(&mut self) {
        twain_algebra::erase(std::slice::from_mut(&mut self.value));
    }
}

impl Rounding {
    /// Division of a value with static bound `2^bits` by a divisor of at least 2.
    pub fn new(
        value: Fr,
        bits: u32,
        divisor: u128,
        demand: &mut Demand,
        budget: &mut Budget,
        what: &str,
    ) -> Result<Self, PartyError> {
        if bits > 120 || divisor > 1 << 120 {
            let text = format!("{what}: dividend and divisor may have 120 bits, as comparisons");
            return Err(PartyError::Unsupported(text));
        }
        // Below 2^(bits + 1), or below twice the divisor.
        let mut left = bits.max(divisor.ilog2()) + 1;
        let mut divisions = Vec::new();
        for factor in factors(divisor) {
            divisions.push(Division::new(left, factor, demand, budget, what)?);
            left = left.saturating_sub(factor.ilog2()).max(1);
        }
        let offset = (1u128 << bits).div_ceil(divisor);
        Ok(Self { divisor, offset, value, divisions })
    }

    /// Whether the sign of the dividend matters.
    pub fn needs_sign(&self) -> bool {
        self.divisor.is_multiple_of(2)
    }

    /// The divisions one after the other, each of which has a round of its own.
    pub fn divisions(&mut self) -> &mut [Division] {
        &mut self.divisions
    }

    /// How many rounds it takes.
    pub fn rounds(&self) -> usize {
        self.divisions.len()
    }

    /// Adds what rounds to `x`, given a share of `[x >= 0]` if it [matters](Self::needs_sign).
    pub fn round(&mut self, role: Role, not_negative: Option<Fr>) {
        if role == Role::Model {
            let (divisor, offset) = (Fr::from_u128(self.divisor), Fr::from_u128(self.offset));
            self.value += Fr::from_u128(self.divisor / 2) + divisor * offset;
            if not_negative.is_some() {
                self.value -= Fr::ONE;
            }
        }
        self.value += not_negative.unwrap_or(Fr::ZERO);
    }

    /// This party's part of the masked value of a round; none if it is done by then.
    pub fn masked(&mut self, round: usize, role: Role) -> Option<Fr> {
        let division = self.divisions.get_mut(round)?;
        division.set_dividend(self.value);
        Some(division.masked(role))
    }

    /// Divides by a round's factor, from the opened value; this party's share of the result, if
    /// that was the last one.
    pub fn divide(
        &mut self,
        round: usize,
        sum: &Fr,
        role: Role,
        scratch: &mut Scratch,
    ) -> Option<Fr> {
        let last = round + 1 == self.divisions.len();
        self.value = self.divisions.get_mut(round)?.quotient(sum, role, scratch);
        let offset = if role == Role::Model { Fr::from_u128(self.offset) } else { Fr::ZERO };
        last.then(|| self.value - offset)
    }
}

/// Factors that one division each takes, as far as small ones are found; their product is the
/// divisor.
fn factors(divisor: u128) -> Vec<u128> {
    let twos = divisor.trailing_zeros();
    if twos <= TWOS && Division::takes(divisor) {
        return vec![divisor];
    }
    let parts = twos.div_ceil(TWOS);
    let mut factors: Vec<u128> =
        (0..parts).map(|i| 1 << (twos / parts + u32::from(i < twos % parts))).collect();
    let mut rest = divisor >> twos;
    // What the small factors found since the last division make.
    let mut product = 1;
    let mut factor = 3;
    while factor < SMALL && rest > 1 && !Division::takes(rest) {
        if !rest.is_multiple_of(factor) {
            factor += 2;
            continue;
        }
        rest /= factor;
        if product > 1 && !Division::takes(product * factor) {
            factors.push(product);
            product = 1;
        }
        product *= factor;
    }
    factors.extend([product, rest].into_iter().filter(|factor| *factor > 1));
    factors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_taken_and_make_the_divisor() {
        for divisor in [2, 1000, 1 << 20, 1 << 21, 1 << 47, 1000 << 30, 49 << 20, 3u128.pow(40)] {
            let factors = factors(divisor);
            assert_eq!(factors.iter().product::<u128>(), divisor);
            assert!(factors.iter().all(|factor| Division::takes(*factor)), "{factors:?}");
        }
        // A prime that is too large.
        assert_eq!(factors(524_309), [524_309]);
        assert!(!Division::takes(524_309));
    }
}
