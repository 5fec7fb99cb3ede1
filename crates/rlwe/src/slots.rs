//! Between the slots of a plaintext (field elements) and its coefficients.
//!
//! The slots of a polynomial are its values at the odd powers of a `2N`-th root of unity `ψ` of the
//! field: slot `k` belongs to `ψ^(2k + 1)`, so this is a transform on the coset `ψ·⟨ψ²⟩`. Products of
//! polynomials modulo `X^N + 1` are slotwise.

use crate::kernels::LIMBS;
use crate::modulus::MASK;
use crate::parameters::{LOG_DEGREE, SLOTS};
use crate::secret::Coefficients;
use ff::{Field, PrimeField};
use std::sync::LazyLock;
use twain_algebra::{Domain, Fr, erase};

/// The domain of order `N`.
static DOMAIN: LazyLock<Domain> = LazyLock::new(|| {
    Domain::new(LOG_DEGREE as u32).expect("2^15 is below the field's two-adicity of 2^28")
});

/// `ψ`, whose square generates the domain.
static ROOT: LazyLock<Fr> =
    LazyLock::new(|| Fr::ROOT_OF_UNITY.pow_vartime([1 << (Fr::S as usize - LOG_DEGREE - 1)]));

/// The coefficients of the plaintext with these slots (zeros behind them), each plus `(t - 1)/2`,
/// canonical: so minus `(t - 1)/2` they are the representatives nearest to 0.
///
/// # Panics
/// If there are more than `N` slots.
pub fn encode(slots: &[Fr]) -> Coefficients {
    let mut values = vec![Fr::ZERO; SLOTS];
    values[..slots.len()].copy_from_slice(slots);
    DOMAIN.coset_intt(&mut values, *ROOT).expect("a root of unity is not zero");
    let half = -Fr::TWO_INV;
    let mut coefficients = Coefficients::new();
    for (i, value) in values.iter().enumerate() {
        for (vector, limb) in coefficients.0.iter_mut().zip(to_limbs(*value + half)) {
            vector[i] = limb;
        }
    }
    erase(&mut values);
    coefficients
}

/// The slots of the plaintext whose coefficients are these numbers (below `2^256`, not shifted).
pub fn decode(coefficients: &Coefficients) -> Vec<Fr> {
    let limbs = |i: usize| coefficients.0.each_ref().map(|limb| limb[i]);
    let mut values: Vec<Fr> = (0..SLOTS).map(|i| from_limbs(limbs(i))).collect();
    DOMAIN.coset_ntt_in_place(&mut values, *ROOT);
    values
}

/// Four words as five limbs.
const fn split(words: [u64; 4]) -> [u64; LIMBS] {
    let [a, b, c, d] = words;
    [
        a & MASK,
        (a >> 52 | b << 12) & MASK,
        (b >> 40 | c << 24) & MASK,
        (c >> 28 | d << 36) & MASK,
        d >> 16,
    ]
}

/// Canonical limbs of a scalar.
pub fn to_limbs(scalar: Fr) -> [u64; LIMBS] {
    let bytes = scalar.to_repr();
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_ref().as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    split(words)
}

/// The scalar of a number below `2^256` in limbs of 52 bits.
fn from_limbs([a, b, c, d, e]: [u64; LIMBS]) -> Fr {
    Fr::from_raw([a | b << 52, b >> 12 | c << 40, c >> 24 | d << 28, d >> 36 | e << 16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expand::Stream;
    use crate::secret::uniform_scalars;

    /// Coefficients without the shift.
    fn coefficients(slots: &[Fr]) -> Vec<Fr> {
        let limbs = encode(slots);
        let unshift = |i: usize| from_limbs(limbs.0.each_ref().map(|l| l[i])) + Fr::TWO_INV;
        (0..SLOTS).map(unshift).collect()
    }

    fn random(seed: u8, length: usize) -> Vec<Fr> {
        let mut slots = vec![Fr::ZERO; length];
        uniform_scalars(&mut Stream::new(&[seed; 32]), &mut slots);
        slots
    }

    fn unshifted(coefficients: &[Fr]) -> Coefficients {
        let mut limbs = Coefficients::new();
        for (i, value) in coefficients.iter().enumerate() {
            for (vector, limb) in limbs.0.iter_mut().zip(to_limbs(*value)) {
                vector[i] = limb;
            }
        }
        limbs
    }

    #[test]
    fn slots_are_values_of_the_polynomial() {
        let slots = random(1, SLOTS);
        let coefficients = coefficients(&slots);
        for k in [0, 1, 12_345] {
            let point = ROOT.pow_vartime([2 * k as u64 + 1]);
            let value = coefficients.iter().rev().fold(Fr::ZERO, |sum, c| sum * point + c);
            assert_eq!(slots[k], value);
        }
        assert_eq!(*ROOT * *ROOT, DOMAIN.omega());
        assert_eq!(decode(&unshifted(&coefficients)), slots);
    }

    #[test]
    fn constants_are_constant_polynomials_and_missing_slots_are_zero() {
        let minus_one = coefficients(&vec![-Fr::ONE; SLOTS]);
        assert_eq!(minus_one[0], -Fr::ONE);
        assert!(minus_one[1..].iter().all(|c| c.is_zero_vartime()));
        let short = random(2, 5);
        let mut long = short.clone();
        long.resize(SLOTS, Fr::ZERO);
        assert_eq!(coefficients(&short), coefficients(&long));
    }
}
