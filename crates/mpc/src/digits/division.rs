//! Division of a shared value by a public `D`, rounded half away from zero (protocol §4), or of one that
//! is not negative, rounded down: the digits in a base that is no power of two.
//!
//! With `y = x + floor(D/2) - [x < 0][D even] + K D`, not negative, the result is `floor(y/D) - K`.
//! If `D` is a power of two, `y mod D` is a digit. Otherwise each party covers `y` with `R_P` of its
//! own, `S_P = R_P mod D`; a digit mask, opened beforehand, gives the one-hot vector of `S = S_M +
//! S_D`, and with `c = y + R_M + R_D`, `g = c mod D`:
//! `floor(y/D) = floor(c/D) - floor(R_M/D) - floor(R_D/D) - [S > g] - [S > g + D]`.

use super::material::{Demand, Material};
use super::opening::{Budget, bits_of, cover_bits, draw, limbs, power_of_two};
use super::{OneHot, log2_exact};
use crate::dpf::{DigitMask, MAX_DOMAIN_BITS, Scratch, lift, share_of};
use ff::{Field, PrimeField};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use twain_algebra::Fr;
use twain_party::{PartyError, Role};
use zeroize::Zeroize;

/// A division under way.
pub(super) struct Division {
    divisor: u128,
    mask_bits: u8,
    /// `D = 2^mask_bits`.
    exact: bool,
    /// `K`.
    offset: u128,
    /// This party's share of `x`, later of `y`.
    value: Fr,
    mask: Option<DigitMask>,
    /// `floor(R_P / D)` and `S_P`.
    cover: (Fr, u64),
    one_hot: Option<OneHot>,
}

impl Drop for Division {
    fn drop(&mut self) {
        twain_algebra::erase(std::slice::from_mut(&mut self.value));
        twain_algebra::erase(std::slice::from_mut(&mut self.cover.0));
        self.cover.1.zeroize();
    }
}

impl Division {
    /// Division of a value with static bound `2^bits` by a divisor of at least 2.
    pub fn new(
        value: Fr,
        bits: u32,
        divisor: u128,
        demand: &mut Demand,
        budget: &mut Budget,
        what: &str,
    ) -> Result<Self, PartyError> {
        let unsupported = |why: &str| Err(PartyError::Unsupported(format!("{what}: {why}")));
        if bits > 120 {
            return unsupported("the dividend may have more than 120 bits");
        }
        let exact = log2_exact(divisor);
        let mask_bits = exact.unwrap_or((2 * divisor.min(1 << 60) - 2).ilog2() + 1);
        if mask_bits > u32::from(MAX_DOMAIN_BITS) {
            return unsupported(
                "two parties divide by powers of two up to 2^20, others below 2^19",
            );
        }
        let low = divisor.ilog2();
        budget.opening(bits.max(low) + 2, low + cover_bits(low + 1), what)?;
        budget.lift(1, 2f64.powi(mask_bits as i32))?;
        demand.masks[mask_bits as usize] += 1;
        Ok(Self {
            divisor,
            mask_bits: mask_bits as u8,
            exact: exact.is_some(),
            offset: (1u128 << bits).div_ceil(divisor),
            value,
            mask: None,
            cover: (Fr::ZERO, 0),
            one_hot: None,
        })
    }

    /// Division, rounded down, of values below `2^bits` that are not negative and not known yet.
    pub fn rounded_down(
        bits: u32,
        divisor: u128,
        demand: &mut Demand,
        budget: &mut Budget,
        what: &str,
    ) -> Result<Self, PartyError> {
        let mut division = Self::new(Fr::ZERO, bits, divisor, demand, budget, what)?;
        division.offset = 0;
        Ok(division)
    }

    /// Sets the dividend.
    pub fn set_dividend(&mut self, value: Fr) {
        self.value = value;
    }

    /// Whether the sign of the dividend matters.
    pub fn needs_sign(&self) -> bool {
        self.divisor.is_multiple_of(2)
    }

    /// Takes a mask and draws the cover; this party's part of `S` masked, modulo `2^d`, if any.
    pub fn prepare(
        &mut self,
        material: &mut Material,
        rng: &mut ChaCha20Rng,
    ) -> Result<Option<u32>, PartyError> {
        let mask = material.take_mask(self.mask_bits)?;
        let low = self.divisor.ilog2();
        let high = draw(rng, cover_bits(low + 1));
        let mut masked = None;
        if !self.exact {
            let residue = below(self.divisor as u64, rng);
            self.cover = (high, residue);
            let sum = u128::from(residue).wrapping_add(mask.position());
            masked = Some((sum & ((1 << self.mask_bits) - 1)) as u32);
        } else {
            self.cover = (high, 0);
        }
        self.mask = Some(mask);
        Ok(masked)
    }

    /// What [`prepare`](Self::prepare) returned, opened.
    pub fn prepared(&mut self, opened: u32) {
        let opened = opened as usize & ((1 << self.mask_bits) - 1);
        self.one_hot = self.mask.take().map(|mask| OneHot { mask, opened });
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

    /// This party's part of the masked value.
    pub fn masked(&self, role: Role) -> Fr {
        let divisor = Fr::from_u128(self.divisor);
        let cover = self.cover.0 * divisor + Fr::from(self.cover.1);
        let mask = self.mask.as_ref().map_or(Fr::ZERO, |mask| lift(role, mask.position()));
        self.value + cover + mask
    }

    /// This party's share of the result, from the opened value.
    pub fn quotient(&mut self, sum: &Fr, role: Role, scratch: &mut Scratch) -> Fr {
        let model = |value: Fr| if role == Role::Model { value } else { Fr::ZERO };
        let offset = Fr::from_u128(self.offset);
        if let Some(mask) = self.mask.take() {
            let opened = bits_of(sum, 0, u32::from(self.mask_bits));
            let digit = OneHot { mask, opened }.digit_in_field(role, scratch);
            // 2 is a unit of the field: invert exists.
            let inverse = Option::from(power_of_two(u32::from(self.mask_bits)).invert());
            return (self.value - digit) * inverse.unwrap_or(Fr::ZERO) - model(offset);
        }
        let (whole, residue) = divide(limbs(sum), self.divisor as u64);
        let mut carry = 0u128;
        if let Some(one_hot) = &self.one_hot {
            one_hot.visit(scratch, |s, entry| {
                let times = u128::from(s as u64 > residue)
                    + u128::from(s as u64 > residue + self.divisor as u64);
                carry = carry.wrapping_add(entry.wrapping_mul(times));
            });
        }
        model(whole - offset) - self.cover.0 - lift(role, share_of(role, carry))
    }
}

/// A uniform number below `bound`.
fn below(bound: u64, rng: &mut ChaCha20Rng) -> u64 {
    // 128 bits reduced: the bias is below 2^-100 for the bounds in use (below 2^19).
    let wide = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
    (wide % u128::from(bound)) as u64
}

/// Quotient (in the field) and remainder of a number of four limbs.
fn divide(limbs: [u64; 4], divisor: u64) -> (Fr, u64) {
    let divisor = u128::from(divisor);
    let mut remainder = 0u128;
    let mut quotient = Fr::ZERO;
    let shift = power_of_two(64);
    for limb in limbs.into_iter().rev() {
        let part = remainder << 64 | u128::from(limb);
        remainder = part % divisor;
        quotient = quotient * shift + Fr::from_u128(part / divisor);
    }
    (quotient, remainder as u64)
}
