//! What a vector of words can do, however long it is.

use crate::modulus::MASK;

/// A vector of 64-bit words.
pub trait Lanes: Copy {
    /// As many consecutive words as there are lanes.
    type Block: Copy;
    /// Number of lanes.
    const LANES: usize;

    /// Cuts a slice whose length is a multiple of [`Self::LANES`] into blocks.
    fn blocks(words: &[u64]) -> &[Self::Block];
    /// As [`Self::blocks`].
    fn blocks_mut(words: &mut [u64]) -> &mut [Self::Block];
    /// Reads a block.
    fn load(block: &Self::Block) -> Self;
    /// Writes a block.
    fn store(self, block: &mut Self::Block);
    /// The same word in every lane.
    fn splat(word: u64) -> Self;

    /// Sum modulo 2^64.
    fn add(self, other: Self) -> Self;
    /// Difference modulo 2^64.
    fn sub(self, other: Self) -> Self;
    /// Bitwise and.
    fn and(self, other: Self) -> Self;
    /// The smaller as unsigned numbers.
    fn min(self, other: Self) -> Self;
    /// Shift right by 52, zeros coming in.
    fn shift_52(self) -> Self;
    /// Shift right by a number of bits known to all lanes.
    fn shift(self, bits: u32) -> Self;
    /// `self` plus the low 52 bits of the product of the low 52 bits of `a` and `b`.
    fn low(self, a: Self, b: Self) -> Self;
    /// `self` plus bits 52 to 103 of that product.
    fn high(self, a: Self, b: Self) -> Self;

    /// `Σ a·b` of 52-bit words as `low + 2^52·high`; the terms are few enough for 64-bit words.
    #[inline(always)]
    fn sum_of_products<const K: usize>(factors: &[(Self, Self); K]) -> (Self, Self) {
        let (mut low, mut high) = (Self::splat(0), Self::splat(0));
        for (a, b) in factors {
            (low, high) = (low.low(*a, *b), high.high(*a, *b));
        }
        (low, high)
    }

    /// Shoup's product `y·value - q·prime`, below twice the prime, for `y` below 2^52 and
    /// `quotient = floor(value·2^52 / prime)`.
    #[inline(always)]
    fn shoup(y: Self, value: Self, quotient: Self, prime: Self) -> Self {
        let zero = Self::splat(0);
        let quotient = zero.high(y, quotient);
        zero.low(y, value).sub(zero.low(quotient, prime)).and(Self::splat(MASK))
    }

    /// From two blocks holding 16 consecutive words `0..16`: the words whose bit 2 is clear and
    /// those with bit 2 set, each as `0 1 2 3 8 9 10 11` (`+ 4`). With one lane: unused.
    fn split_4(a: Self, b: Self) -> (Self, Self);
    /// From the result of [`Self::split_4`]: bit 1 clear and set, as `0 1 8 9 4 5 12 13` (`+ 2`).
    fn split_2(a: Self, b: Self) -> (Self, Self);
    /// From the result of [`Self::split_2`]: bit 0 clear and set, as `0 2 8 10 4 6 12 14` (`+ 1`).
    fn split_1(a: Self, b: Self) -> (Self, Self);
    /// Undoes [`Self::split_4`].
    fn join_4(a: Self, b: Self) -> (Self, Self);
    /// Undoes [`Self::split_2`].
    fn join_2(a: Self, b: Self) -> (Self, Self);
    /// Undoes [`Self::split_1`].
    fn join_1(a: Self, b: Self) -> (Self, Self);
    /// One factor for each of the two groups of eight words, in the order of [`Self::split_4`].
    fn spread_2(words: &[u64; 2]) -> Self;
    /// One factor for each of the four groups of four words, in the order of [`Self::split_2`].
    fn spread_4(words: &[u64; 4]) -> Self;
    /// One factor for each of the eight pairs of words, in the order of [`Self::split_1`].
    fn spread_8(words: &[u64; 8]) -> Self;
}

/// A bulk computation.
pub trait Kernel {
    /// Its result.
    type Output;
    /// Does it. Implementations are `#[inline(always)]`, so that they are compiled for the
    /// processor's vectors.
    fn run<L: Lanes>(self) -> Self::Output;
}
