//! One word at a time: the portable path, and the reference the vectors are tested against.

use super::operations::Lanes;
use crate::modulus::MASK;

/// One word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar(u64);

/// The product of the low 52 bits.
#[inline(always)]
fn product(a: Scalar, b: Scalar) -> u128 {
    u128::from(a.0 & MASK) * u128::from(b.0 & MASK)
}

impl Lanes for Scalar {
    type Block = u64;
    const LANES: usize = 1;

    #[inline(always)]
    fn blocks(words: &[u64]) -> &[u64] {
        words
    }
    #[inline(always)]
    fn blocks_mut(words: &mut [u64]) -> &mut [u64] {
        words
    }
    #[inline(always)]
    fn load(block: &u64) -> Self {
        Self(*block)
    }
    #[inline(always)]
    fn store(self, block: &mut u64) {
        *block = self.0;
    }
    #[inline(always)]
    fn splat(word: u64) -> Self {
        Self(word)
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
    #[inline(always)]
    fn shift_52(self) -> Self {
        Self(self.0 >> 52)
    }
    #[inline(always)]
    fn shift(self, bits: u32) -> Self {
        Self(self.0 >> bits)
    }
    #[inline(always)]
    fn low(self, a: Self, b: Self) -> Self {
        Self(self.0.wrapping_add(product(a, b) as u64 & MASK))
    }
    #[inline(always)]
    fn high(self, a: Self, b: Self) -> Self {
        Self(self.0.wrapping_add((product(a, b) >> 52) as u64))
    }
    #[inline(always)]
    fn sum_of_products<const K: usize>(factors: &[(Self, Self); K]) -> (Self, Self) {
        let product = |(a, b): &(Self, Self)| u128::from(a.0) * u128::from(b.0);
        let sum: u128 = factors.iter().map(product).sum();
        (Self(sum as u64 & MASK), Self((sum >> 52) as u64))
    }

    // The result fits a word, so words that overflow do not matter, and nothing has to be masked.
    #[inline(always)]
    fn shoup(y: Self, value: Self, quotient: Self, prime: Self) -> Self {
        // Shifted so that the high word of the product is the result.
        let quotient = ((u128::from(y.0) * u128::from(quotient.0 << 12)) >> 64) as u64;
        Self(y.0.wrapping_mul(value.0).wrapping_sub(quotient.wrapping_mul(prime.0)))
    }

    // With one lane a transform pairs words by their index: nothing to rearrange.
    #[inline(always)]
    fn split_4(a: Self, b: Self) -> (Self, Self) {
        (a, b)
    }
    #[inline(always)]
    fn split_2(a: Self, b: Self) -> (Self, Self) {
        (a, b)
    }
    #[inline(always)]
    fn split_1(a: Self, b: Self) -> (Self, Self) {
        (a, b)
    }
    #[inline(always)]
    fn join_4(a: Self, b: Self) -> (Self, Self) {
        (a, b)
    }
    #[inline(always)]
    fn join_2(a: Self, b: Self) -> (Self, Self) {
        (a, b)
    }
    #[inline(always)]
    fn join_1(a: Self, b: Self) -> (Self, Self) {
        (a, b)
    }
    #[inline(always)]
    fn spread_2(words: &[u64; 2]) -> Self {
        Self(words[0])
    }
    #[inline(always)]
    fn spread_4(words: &[u64; 4]) -> Self {
        Self(words[0])
    }
    #[inline(always)]
    fn spread_8(words: &[u64; 8]) -> Self {
        Self(words[0])
    }
}
