//! What a proof of plaintext knowledge takes and gives, in numbers (protocol §2.1, §13).
//!
//! **Masks.** A batch combines at most [`MAX_BATCH`] phases of at most `t/2 + 21 t`, with signs. A
//! response is a number modulo a power of two, [`MASK_BITS`] wider than what it covers. It is sent
//! only if it is so far from the ends of that range that whatever it may cover leaves its mask
//! within it: then every such number is as likely as any other *exactly*, and so is a refusal,
//! whatever was covered. An honest proof is refused once in millions ([`log2_refusal`]), and the
//! session ends then. A response's length is its bound: there is nothing longer to be sent.
//!
//! **What follows from two responses.** Of one row, for two challenges: their difference, which is
//! below `2^bits` in size, over `X^i - X^j`. As `2/(X^i - X^j)` has the coefficients 0, 1, -1 only,
//! twice the quotient is below `N·2^bits` ([`log2_doubled`]): that bounds `2s`, `2e` of the key,
//! and twice a row's combination of phases. Of two combinations that differ in one exponent the
//! same: four times a phase is below `N·2·N·2^bits` ([`log2_proved_phase`]). Hence the factors 4
//! and 2 of an answer ([`crate::Evaluator`]), which make what is short what is used.
//!
//! **Soundness.** A row passes for a ciphertext or key of which this is not true only if one of its
//! two exponents, of `2N` values each, was guessed; rows are independent ([`SOUNDNESS_BITS`]).

use crate::parameters::{ERROR_FLIPS, LOG_DEGREE, PLAINTEXT_MODULUS, SLOTS};

/// Independent repetitions of a proof.
pub const ROWS: usize = 5;
/// Most encryptions of a batch.
pub const MAX_BATCH: usize = 128;
/// How much wider a mask is than what it covers: what is left of the range hides perfectly, so this
/// says only how seldom an honest proof is refused.
pub const MASK_BITS: u32 = 44;

/// Bits of a coefficient of a row's response for a secret key, whose coefficients are at most 1.
pub const SECRET_BITS: u32 = MASK_BITS + ceiling_log2(1);
/// The same for the errors of a public key.
pub const ERROR_BITS: u32 = MASK_BITS + ceiling_log2(ERROR_FLIPS as u128);
/// The same for the combined phases: [`MAX_BATCH`] times `(1/2 + 21) t`.
pub const PHASE_BITS: u32 = MASK_BITS
    + 192
    + ceiling_log2(
        (MAX_BATCH as u128 / 2)
            * (2 * ERROR_FLIPS as u128 + 1)
            * (PLAINTEXT_MODULUS[3] as u128 + 1),
    );

/// The factor of a ciphertext in an answer.
pub const CIPHERTEXT_FACTOR: u64 = 4;
/// The factor of the encryption of zero.
pub const ZERO_FACTOR: u64 = 2;

/// Bits of the probability with which a batch passes that should not.
pub const SOUNDNESS_BITS: u32 = ROWS as u32 * LOG_DEGREE as u32;

/// Bytes of one row's responses in a batch under so many keys.
pub const fn response_bytes(keys: usize) -> usize {
    (PHASE_BITS + keys as u32 * (SECRET_BITS + ERROR_BITS)) as usize * SLOTS / 8
}

/// The least `k` with `number <= 2^k`.
const fn ceiling_log2(number: u128) -> u32 {
    u128::BITS - (number - 1).leading_zeros()
}

/// Logarithm of a bound of what is twice as large as what a row's responses of so many bits are
/// about.
pub fn log2_doubled(bits: u32) -> f64 {
    LOG_DEGREE as f64 + f64::from(bits)
}

/// Logarithm of the bound of four times a proved phase.
pub fn log2_proved_phase() -> f64 {
    LOG_DEGREE as f64 + 1.0 + log2_doubled(PHASE_BITS)
}

/// Bound of an answer's noise, over `t`, for `products` products of proved encryptions under a
/// proved key: four times a phase times a plaintext of at most `t/2`, and the encryption of zero
/// `2(e·w + e1·s)`, `w` ternary.
pub fn proved_noise(products: usize) -> f64 {
    let product = (LOG_DEGREE as f64 + log2_proved_phase() - 1.0).exp2();
    let errors = (LOG_DEGREE as f64 + log2_doubled(ERROR_BITS)).exp2();
    let secret = (LOG_DEGREE as f64 + log2_doubled(SECRET_BITS)).exp2();
    products as f64 * product + errors + f64::from(ERROR_FLIPS) * secret + 1.0
}

/// Logarithm of a bound of the probability that the honest proof of a batch under so many keys is
/// not sent: each coefficient of its responses is within `2^-`[`MASK_BITS`] of its range from
/// either end.
pub fn log2_refusal(keys: usize) -> f64 {
    ((2 * ROWS * SLOTS * (1 + 2 * keys)) as f64).log2() - f64::from(MASK_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_what_is_covered() {
        assert_eq!([1, 2, 3, 4, 5, 21].map(ceiling_log2), [0, 1, 2, 2, 3, 5]);
        assert_eq!([SECRET_BITS, ERROR_BITS, PHASE_BITS], [44, 49, 310]);
        let t = crate::parameters::log2_plaintext_modulus();
        let covered = (MAX_BATCH as f64 * 21.5).log2() + t;
        let spare = f64::from(PHASE_BITS - MASK_BITS) - covered;
        assert!((0.0..1.0).contains(&spare), "{spare}");
        assert_eq!(response_bytes(1), (310 + 44 + 49) * 4096);
        assert_eq!(response_bytes(2) - response_bytes(1), 93 * 4096);
        assert!((-25.0..-23.0).contains(&log2_refusal(1)) && log2_refusal(16) < -20.0);
        assert_eq!(SOUNDNESS_BITS, 75);
    }

    #[test]
    fn noise_is_dominated_by_the_products() {
        let t = crate::parameters::log2_plaintext_modulus();
        assert!((log2_proved_phase() - t - 87.4).abs() < 0.05);
        assert!((proved_noise(1).log2() - t - 101.4).abs() < 0.05);
        assert!((proved_noise(12) / proved_noise(1) - 12.0).abs() < 1e-9);
        // Without products there is the encryption of zero.
        assert!((79.0..80.0).contains(&proved_noise(0).log2()));
    }
}
