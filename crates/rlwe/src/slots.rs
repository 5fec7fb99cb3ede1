//! Between the slots of a plaintext (field elements) and its coefficients.
//!
//! The slots of a polynomial are its values at the odd powers of a `2N`-th root of unity `ψ` of the
//! field: slot `k` belongs to `ψ^(2k + 1)`, so this is a transform on the coset `ψ·⟨ψ²⟩`. Products
//! of polynomials modulo `X^N + 1` are slotwise.

use crate::bounds::CIPHERTEXT_FACTOR;
use crate::kernels::LIMBS;
use crate::modulus::MASK;
use crate::parameters::{LOG_DEGREE, PLAINTEXT_MODULUS, SLOTS};
use crate::secret::Coefficients;
use ff::{Field, PrimeField};
use std::sync::LazyLock;
use twain_algebra::vector::mul_assign;
use twain_algebra::{Domain, Fr, erase, kernels};

/// The domain of order `N`.
static DOMAIN: LazyLock<Domain> = LazyLock::new(|| {
    Domain::new(LOG_DEGREE as u32).expect("2^15 is below the field's two-adicity of 2^28")
});

/// `ψ`, whose square generates the domain.
static ROOT: LazyLock<Fr> =
    LazyLock::new(|| Fr::ROOT_OF_UNITY.pow_vartime([1 << (Fr::S as usize - LOG_DEGREE - 1)]));

// The tables are made without the threads of the pool: who waits for a part of one would meanwhile
// begin other work, and find that the table it needs is being made, by itself.

/// `1/ψ^i / 2^256`: takes the coset off the coefficients, and Montgomery's factor off their limbs.
static UNSHIFT: LazyLock<Vec<Fr>> = LazyLock::new(|| {
    let inverse = |x: Fr| x.invert().expect("neither is zero");
    let mut table = vec![Fr::ONE; SLOTS];
    let start = inverse(Fr::from(2).pow_vartime([256]));
    kernels::scale_by_powers(&mut table, start, inverse(*ROOT));
    table
});

/// The same, and a quarter.
static UNSHIFT_QUARTER: LazyLock<Vec<Fr>> = LazyLock::new(|| {
    let mut table = UNSHIFT.clone();
    let factor = Fr::from(CIPHERTEXT_FACTOR).invert().expect("it is not zero");
    kernels::scale(&mut table, factor);
    table
});

/// The coefficients of the plaintext with these slots (zeros behind them), each plus `(t - 1)/2`,
/// canonical: so minus `(t - 1)/2` they are the representatives nearest to 0.
///
/// # Panics
/// If there are more than `N` slots.
pub fn encode(slots: &[Fr]) -> Coefficients {
    encode_with(slots, &UNSHIFT)
}

/// The same of a quarter of the slots: what four encryptions of one are multiplied by.
///
/// # Panics
/// If there are more than `N` slots.
pub fn encode_quarter(slots: &[Fr]) -> Coefficients {
    encode_with(slots, &UNSHIFT_QUARTER)
}

fn encode_with(slots: &[Fr], unshift: &[Fr]) -> Coefficients {
    let mut values = vec![Fr::ZERO; SLOTS];
    values[..slots.len()].copy_from_slice(slots);
    DOMAIN.intt(&mut values);
    mul_assign(&mut values, unshift);
    // The words of a scalar are those of the number times 2^256, which the table has divided by.
    let half = Fr(half_words());
    let mut coefficients = Coefficients::new();
    let [a, b, c, d, e] = &mut coefficients.0;
    let low = a.iter_mut().zip(b.iter_mut()).zip(c.iter_mut());
    let limbs = low.zip(d.iter_mut()).zip(e.iter_mut());
    for (((((a, b), c), d), e), value) in limbs.zip(&values) {
        [*a, *b, *c, *d, *e] = split((*value + half).0);
    }
    erase(&mut values);
    coefficients
}

/// The slots of the plaintext whose coefficients, times `2^256` (Montgomery's factor), are these
/// numbers below `2 t`.
pub fn decode(coefficients: &Coefficients) -> Vec<Fr> {
    let limbs = coefficients.0.each_ref().map(|limb| &limb[..SLOTS]);
    let value = |i: usize| {
        let [a, b, c, d, e] = limbs.map(|limb| limb[i]);
        Fr(reduce([a | b << 52, b >> 12 | c << 40, c >> 24 | d << 28, d >> 36 | e << 16]))
    };
    let mut values: Vec<Fr> = (0..SLOTS).map(value).collect();
    DOMAIN.coset_ntt_in_place(&mut values, *ROOT);
    values
}

/// A number below `2 t` modulo `t`, in constant time.
#[inline(always)]
fn reduce(words: [u64; 4]) -> [u64; 4] {
    let mut difference = [0; 4];
    let mut borrow = false;
    for i in 0..4 {
        let (partial, first) = words[i].overflowing_sub(PLAINTEXT_MODULUS[i]);
        let (word, second) = partial.overflowing_sub(u64::from(borrow));
        difference[i] = word;
        borrow = first | second;
    }
    let keep = u64::from(borrow).wrapping_neg();
    std::array::from_fn(|i| words[i] & keep | difference[i] & !keep)
}

/// `(t - 1)/2`.
const fn half_words() -> [u64; 4] {
    let [a, b, c, d] = PLAINTEXT_MODULUS;
    [a >> 1 | b << 63, b >> 1 | c << 63, c >> 1 | d << 63, d >> 1]
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

/// Limbs of the plaintext modulus.
pub const fn modulus_limbs() -> [u64; LIMBS] {
    split(PLAINTEXT_MODULUS)
}

/// Limbs of `(t - 1)/2`.
pub const fn half_limbs() -> [u64; LIMBS] {
    split(half_words())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expand::Stream;
    use crate::secret::uniform_scalars;

    /// Coefficients without the shift.
    fn coefficients(slots: &[Fr]) -> Vec<Fr> {
        let limbs = encode(slots);
        let base = Fr::from(1 << 52);
        let unshift = |i: usize| {
            let number = limbs.0.iter().rev().fold(Fr::ZERO, |sum, l| sum * base + Fr::from(l[i]));
            number + Fr::TWO_INV
        };
        (0..SLOTS).map(unshift).collect()
    }

    fn random(seed: u8, length: usize) -> Vec<Fr> {
        let mut slots = vec![Fr::ZERO; length];
        uniform_scalars(&mut Stream::new(&[seed; 32]), &mut slots);
        slots
    }

    /// What [`decode`] takes: times 2^256, and for every other one plus the modulus.
    fn prepared(coefficients: &[Fr]) -> Coefficients {
        let mut limbs = Coefficients::new();
        for (i, value) in coefficients.iter().enumerate() {
            let modulus = split(PLAINTEXT_MODULUS).map(|limb| limb * (i as u64 % 2));
            let mut carry = 0;
            for ((vector, limb), more) in limbs.0.iter_mut().zip(split(value.0)).zip(modulus) {
                carry += limb + more;
                vector[i] = carry & MASK;
                carry >>= 52;
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
        assert_eq!(decode(&prepared(&coefficients)), slots);
    }

    #[test]
    fn a_quarter_four_times_is_the_whole() {
        let slots = random(3, SLOTS);
        let quarters: Vec<Fr> =
            slots.iter().map(|slot| *slot * Fr::from(4).invert().unwrap()).collect();
        assert!(encode_quarter(&slots).0 == encode(&quarters).0);
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
