//! What covers a value that is opened under a digit mask, over the whole width of the field
//! (section "Digits, signs, division, lookups" of docs/protocol.md).
//!
//! In: the modulus that the mask covers (`2^d`, or a divisor). Out: this party's cover, to be added
//! to its part; later, from the opened sum, that sum as an integer, of which the remainder by the
//! modulus and the quotient mean something.
//!
//! The opened sum is `c = x + r + R_M + R_D` modulo the field's order `p`, each cover `R_P` a
//! multiple of the modulus, uniform below `p`. So `c` is within `modulus / p` of uniform *whatever
//! `x` is*, in range or not: bounds of values are a matter of correctness, not of secrecy. Whether
//! the integer sum has wrapped around `p` each party sees by itself: if it has not, `c` is at least
//! its own cover, and if it has, `c` is below it, but for probability `2^(bits of x + 1) / p`.

use ff::PrimeField;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use twain_algebra::Fr;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The field's order, lowest limb first.
const ORDER: [u64; 4] =
    [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];

/// One party's cover of one opening.
#[derive(ZeroizeOnDrop)]
pub(super) struct Cover([u64; 4]);

impl Cover {
    /// A uniform number below the order: its quotient and remainder by a divisor far below the
    /// order are uniform and independent.
    pub fn draw(rng: &mut ChaCha20Rng) -> Self {
        let mut bytes = [0u8; 32];
        loop {
            rng.fill_bytes(&mut bytes);
            bytes[31] &= 0x3f;
            if let Some(value) = Option::<Fr>::from(Fr::from_repr(bytes.into())) {
                bytes.zeroize();
                return Self(limbs(&value));
            }
        }
    }

    /// A uniform multiple of `2^bits` (`bits` below 128) below the order.
    pub fn above(bits: u32, rng: &mut ChaCha20Rng) -> Self {
        let mut cover = Self::draw(rng);
        let kept = !((1u128 << bits) - 1);
        cover.0[0] &= kept as u64;
        cover.0[1] &= (kept >> 64) as u64;
        cover
    }

    /// As a summand of this party's part.
    pub fn in_field(&self) -> Fr {
        let mut bytes = [0u8; 32];
        for (bytes, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *bytes = limb.to_le_bytes();
        }
        // It is below the order by construction.
        let value = Option::from(Fr::from_repr(bytes.into())).unwrap_or_default();
        bytes.zeroize();
        value
    }

    /// Quotient (in the field) and remainder.
    pub fn divide(&self, divisor: u64) -> (Fr, u64) {
        divide(self.0, divisor)
    }

    /// The opened sum before it wrapped around the order, if it did.
    pub fn unwrap(&self, sum: &Fr) -> Unwrapped {
        let sum = limbs(sum);
        let below = sum.iter().zip(&self.0).fold(0, |borrow, (sum, own)| {
            let (difference, first) = sum.overflowing_sub(*own);
            u64::from(first) | u64::from(difference.overflowing_sub(borrow).1)
        });
        // All ones or zeros: this party's cover is secret, so no branch depends on it.
        let added = below.wrapping_neg();
        let mut carry = 0u128;
        Unwrapped(std::array::from_fn(|i| {
            carry += u128::from(sum[i]) + u128::from(ORDER[i] & added);
            let limb = carry as u64;
            carry >>= 64;
            limb
        }))
    }
}

/// An opened sum as an integer, below twice the order.
pub(super) struct Unwrapped([u64; 4]);

impl Unwrapped {
    /// Bits `from .. from + count` (at most 32).
    pub fn bits(&self, from: u32, count: u32) -> usize {
        let limb = |i: u32| self.0.get(i as usize).copied().unwrap_or(0);
        let wide = u128::from(limb(from / 64)) | u128::from(limb(from / 64 + 1)) << 64;
        (wide >> (from % 64)) as usize & ((1 << count) - 1)
    }

    /// Quotient (in the field) and remainder.
    pub fn divide(&self, divisor: u64) -> (Fr, u64) {
        divide(self.0, divisor)
    }
}

/// The four limbs of a field element, lowest first.
fn limbs(value: &Fr) -> [u64; 4] {
    let bytes = value.to_repr();
    let (chunks, _) = bytes.as_ref().as_chunks::<8>();
    std::array::from_fn(|i| chunks.get(i).map_or(0, |bytes| u64::from_le_bytes(*bytes)))
}

/// Quotient (in the field) and remainder of a number of four limbs.
fn divide(limbs: [u64; 4], divisor: u64) -> (Fr, u64) {
    let divisor = u128::from(divisor);
    let mut remainder = 0u128;
    let mut quotient = Fr::zero();
    let shift = Fr::from_u128(1 << 64);
    for limb in limbs.into_iter().rev() {
        let part = remainder << 64 | u128::from(limb);
        remainder = part % divisor;
        quotient = quotient * shift + Fr::from_u128(part / divisor);
    }
    (quotient, remainder as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::Field;
    use rand_core::SeedableRng;

    fn rng() -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(3)
    }

    #[test]
    fn the_order_is_the_fields() {
        let mut largest = ORDER;
        largest[0] -= 1;
        assert_eq!(limbs(&-Fr::ONE), largest);
    }

    #[test]
    fn multiples_of_what_the_mask_covers() {
        let mut rng = rng();
        for bits in [0, 1, 14, 63, 64, 65, 121, 127] {
            let cover = Cover::above(bits, &mut rng);
            assert_eq!(limbs(&cover.in_field()), cover.0);
            let wide = u128::from(cover.0[0]) | u128::from(cover.0[1]) << 64;
            assert_eq!(wide & ((1 << bits) - 1), 0);
        }
    }

    /// Both parties find the same integer, whose remainder is that of value and mask: 20,000 sums.
    #[test]
    fn both_sides_unwrap_alike() {
        let mut rng = rng();
        let mut wrapped = 0;
        for i in 0..20_000u64 {
            let (bits, x) = (1 + (i % 100) as u32, u128::from(rng.next_u64()) << (i % 30));
            let covers = [Cover::above(bits, &mut rng), Cover::above(bits, &mut rng)];
            let sum = Fr::from_u128(x) + covers[0].in_field() + covers[1].in_field();
            let [model, data] = covers.map(|cover| cover.unwrap(&sum));
            assert_eq!(model.0, data.0);
            let count = bits.min(32);
            assert_eq!(model.bits(0, count) as u128, x & ((1 << count) - 1));
            wrapped += u32::from(limbs(&sum) != model.0);
        }
        assert!((9_000..11_000).contains(&wrapped), "{wrapped} of 20000 have wrapped");
    }

    #[test]
    fn quotients_of_sums_that_wrapped() {
        let mut rng = rng();
        for divisor in [3, 1000, 524_287] {
            for _ in 0..2_000 {
                let x = rng.next_u64() >> 20;
                let covers = [Cover::draw(&mut rng), Cover::draw(&mut rng)];
                let sum = Fr::from(x) + covers[0].in_field() + covers[1].in_field();
                let (quotient, residue) = covers[0].unwrap(&sum).divide(divisor);
                let parts = covers.map(|cover| cover.divide(divisor));
                let inner = x + parts[0].1 + parts[1].1;
                assert_eq!(residue, inner % divisor);
                assert_eq!(quotient, parts[0].0 + parts[1].0 + Fr::from(inner / divisor));
            }
        }
    }
}
