//! Division of a shared value that is not negative by a public `D`, rounded down (protocol §7).
//!
//! If `D` is a power of two, `y mod D` is a digit. Otherwise each party covers `y` with `R_P` of
//! its own, uniform in the field, `S_P = R_P mod D`; a digit mask, opened beforehand, gives the
//! one-hot vector of `S = S_M + S_D`, and with `c = y + R_M + R_D` (as an integer), `g = c mod D`:
//! `floor(y/D) = floor(c/D) - floor(R_M/D) - floor(R_D/D) - [S > g] - [S > g + D]`.

use super::cover::Cover;
use super::one_hot::OneHot;
use super::opening::{Budget, power_of_two};
use ff::Field;
use rand_chacha::ChaCha20Rng;
use twain_algebra::Fr;
use twain_masks::dpf::{DigitMask, MAX_DOMAIN_BITS, Scratch, lift, share_of};
use twain_masks::{Demand, Material};
use twain_party::{PartyError, Role};

/// A division under way.
pub(super) struct Division {
    divisor: u128,
    mask_bits: u8,
    /// `D = 2^mask_bits`.
    exact: bool,
    /// This party's share of `y`.
    value: Fr,
    mask: Option<DigitMask>,
    /// `R_P`: a multiple of `D` if that is a power of two.
    cover: Option<Cover>,
    one_hot: Option<OneHot>,
}

impl Drop for Division {
    fn drop(&mut self) {
        twain_algebra::erase(std::slice::from_mut(&mut self.value));
    }
}

impl Division {
    /// Whether one division takes this divisor.
    pub fn takes(divisor: u128) -> bool {
        divisor > 1 && mask_bits(divisor) <= u32::from(MAX_DOMAIN_BITS)
    }

    /// Division of values below `2^bits`, not known yet, by a divisor of at least 2.
    pub fn new(
        bits: u32,
        divisor: u128,
        demand: &mut Demand,
        budget: &mut Budget,
        what: &str,
    ) -> Result<Self, PartyError> {
        if !Self::takes(divisor) {
            return Err(PartyError::Unsupported(format!(
                "{what}: two parties divide by powers of two up to 2^{MAX_DOMAIN_BITS}, others below \
                 2^{}, once factors below 2^10 are taken out: a mask is as long as the divisor",
                MAX_DOMAIN_BITS - 1
            )));
        }
        let (mask_bits, low) = (mask_bits(divisor), divisor.ilog2());
        budget.opening(bits.max(low) + 1, what)?;
        budget.lift(1, 2f64.powi(mask_bits as i32))?;
        demand.masks[mask_bits as usize] += 1;
        Ok(Self {
            divisor,
            mask_bits: mask_bits as u8,
            exact: divisor.is_power_of_two(),
            value: Fr::ZERO,
            mask: None,
            cover: None,
            one_hot: None,
        })
    }

    /// Sets the dividend.
    pub fn set_dividend(&mut self, value: Fr) {
        self.value = value;
    }

    /// Takes a mask and draws the cover; this party's part of `S` masked, modulo `2^d`, if any.
    pub fn prepare(
        &mut self,
        material: &mut Material,
        rng: &mut ChaCha20Rng,
    ) -> Result<Option<u32>, PartyError> {
        let mask = material.take_mask(self.mask_bits)?;
        let (masked, cover);
        if self.exact {
            masked = None;
            cover = Cover::above(u32::from(self.mask_bits), rng);
        } else {
            cover = Cover::draw(rng);
            let (_, residue) = cover.divide(self.divisor as u64);
            let sum = u128::from(residue).wrapping_add(mask.position());
            masked = Some((sum & ((1 << self.mask_bits) - 1)) as u32);
        }
        self.cover = Some(cover);
        self.mask = Some(mask);
        Ok(masked)
    }

    /// What [`prepare`](Self::prepare) returned, opened.
    pub fn prepared(&mut self, opened: u32) {
        let opened = opened as usize & ((1 << self.mask_bits) - 1);
        self.one_hot = self.mask.take().map(|mask| OneHot { mask, opened });
    }

    /// This party's part of the masked value.
    pub fn masked(&self, role: Role) -> Fr {
        let cover = self.cover.as_ref().map_or(Fr::ZERO, Cover::in_field);
        let mask = self.mask.as_ref().map_or(Fr::ZERO, |mask| lift(role, mask.position()));
        self.value + cover + mask
    }

    /// This party's share of the result, from the opened value.
    pub fn quotient(&mut self, sum: &Fr, role: Role, scratch: &mut Scratch) -> Fr {
        let Some(cover) = self.cover.take() else { return Fr::ZERO };
        let sum = cover.unwrap(sum);
        if let Some(mask) = self.mask.take() {
            let opened = sum.bits(0, u32::from(self.mask_bits));
            let digit = OneHot { mask, opened }.digit_in_field(role, scratch);
            // 2 is a unit of the field: invert exists.
            let inverse = Option::from(power_of_two(u32::from(self.mask_bits)).invert());
            return (self.value - digit) * inverse.unwrap_or(Fr::ZERO);
        }
        let (whole, residue) = sum.divide(self.divisor as u64);
        let mut carry = 0u128;
        if let Some(one_hot) = &self.one_hot {
            one_hot.visit(scratch, |s, entry| {
                let times = u128::from(s as u64 > residue)
                    + u128::from(s as u64 > residue + self.divisor as u64);
                carry = carry.wrapping_add(entry.wrapping_mul(times));
            });
        }
        let public = if role == Role::Model { whole } else { Fr::ZERO };
        public - cover.divide(self.divisor as u64).0 - lift(role, share_of(role, carry))
    }
}

/// Bits of the mask of a remainder: of a digit, or of the sum of two remainders.
fn mask_bits(divisor: u128) -> u32 {
    log2_exact(divisor).unwrap_or_else(|| (2 * divisor.min(1 << 60)).saturating_sub(2).ilog2() + 1)
}

/// The bits of a power of two; none for another number.
pub(super) fn log2_exact(value: u128) -> Option<u32> {
    value.is_power_of_two().then(|| value.trailing_zeros())
}
