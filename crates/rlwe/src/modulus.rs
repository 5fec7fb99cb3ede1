//! Arithmetic modulo one prime of the ciphertext modulus, one number at a time: for tables and
//! constants. Bulk work is in [`crate::kernels`].
//!
//! The kernels multiply by Montgomery's method with radix `2^52`, the word of AVX-512 IFMA; the
//! portable path uses the same radix, so that both compute the same numbers.

/// The low 52 bits of a word.
pub const MASK: u64 = (1 << 52) - 1;

/// A prime below 2^48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modulus {
    /// The prime.
    pub prime: u64,
    /// `-1/prime` modulo `2^52`.
    pub negated_inverse: u64,
}

impl Modulus {
    /// `prime` must be odd.
    pub fn new(prime: u64) -> Self {
        let mut inverse = 1u64;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(prime.wrapping_mul(inverse)));
        }
        Self { prime, negated_inverse: inverse.wrapping_neg() & MASK }
    }

    /// `a + b`, both below the prime.
    pub fn add(&self, a: u64, b: u64) -> u64 {
        (a + b) % self.prime
    }

    /// `-a`, below the prime.
    pub fn negate(&self, a: u64) -> u64 {
        (self.prime - a % self.prime) % self.prime
    }

    /// `a * b`.
    pub fn multiply(&self, a: u64, b: u64) -> u64 {
        (u128::from(a) * u128::from(b) % u128::from(self.prime)) as u64
    }

    /// `base^exponent`.
    pub fn power(&self, base: u64, mut exponent: u64) -> u64 {
        let (mut square, mut result) = (base % self.prime, 1);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = self.multiply(result, square);
            }
            square = self.multiply(square, square);
            exponent >>= 1;
        }
        result
    }

    /// `1/a`.
    pub fn invert(&self, a: u64) -> u64 {
        self.power(a, self.prime - 2)
    }

    /// A large integer, least significant word first, reduced.
    pub fn reduce(&self, words: &[u64]) -> u64 {
        let p = u128::from(self.prime);
        words.iter().rev().fold(0u128, |sum, &word| (sum << 64 | u128::from(word)) % p) as u64
    }

    /// `floor(a * 2^52 / prime)` for `a` below the prime: Shoup's quotient.
    pub fn quotient(&self, a: u64) -> u64 {
        ((u128::from(a) << 52) / u128::from(self.prime)) as u64
    }

    /// An element of order exactly `2^log_order`, the same on every machine.
    pub fn root_of_unity(&self, log_order: usize) -> u64 {
        let cofactor = (self.prime - 1) >> log_order;
        // A power of a non-residue has full order: its 2^(log_order-1)-th power is -1.
        let roots = (2..).map(|base| self.power(base, cofactor));
        let mut full = roots.filter(|&r| self.power(r, 1 << (log_order - 1)) == self.prime - 1);
        full.next().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::PRIMES;
    use proptest::prelude::*;

    #[test]
    fn roots_have_full_order() {
        for prime in PRIMES {
            let modulus = Modulus::new(prime);
            let root = modulus.root_of_unity(16);
            assert_eq!(modulus.power(root, 1 << 15), prime - 1);
            assert_eq!(modulus.multiply(root, modulus.invert(root)), 1);
            assert_eq!(prime.wrapping_mul(modulus.negated_inverse) & MASK, MASK);
        }
    }

    proptest! {
        #[test]
        fn reduction_agrees_with_division(words in any::<[u64; 2]>(), which in 0..PRIMES.len()) {
            let modulus = Modulus::new(PRIMES[which]);
            let value = u128::from(words[1]) << 64 | u128::from(words[0]);
            prop_assert_eq!(u128::from(modulus.reduce(&words)), value % u128::from(modulus.prime));
            let a = modulus.reduce(&words);
            prop_assert_eq!(modulus.add(a, modulus.negate(a)), 0);
        }
    }
}
