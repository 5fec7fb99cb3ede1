//! Eight residues modulo a 254-bit prime, in five limbs of 52 bits each: one register per limb.
//!
//! Products are Montgomery products with radix `2^260`. Memory holds four limbs of 64 bits and
//! radix `2^256`. Linear operations do not see the radix; where two values from memory are
//! multiplied, one is read times `2^4`, which makes the product come out with radix `2^256`.
//!
//! *Normal* limbs lie in `[0, 2^52)`. *Loose* limbs are what sums, differences and products leave:
//! signed, below `2^59` in absolute value, with a non-negative value as a whole. Only normal limbs
//! may enter products; [`Limbs::normal`] makes them so. Values stay below `64p`: with
//! `2^260 > 84p`, a product of `x` with a factor below `2p` is below `x/42 + p`.
#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::marker::PhantomData;

/// Mask of a limb.
const MASK: u64 = (1 << 52) - 1;

/// A prime between `2^253` and `2^254`.
pub(crate) trait Prime: Copy + Send + Sync + 'static {
    /// The prime in limbs of 64 bits, lowest first.
    const LIMBS: [u64; 4];
}

/// Five limbs of 52 bits from four of 64, for numbers below `2^256`.
pub(crate) const fn split(x: [u64; 4]) -> [u64; 5] {
    [
        x[0] & MASK,
        ((x[0] >> 52) | (x[1] << 12)) & MASK,
        ((x[1] >> 40) | (x[2] << 24)) & MASK,
        ((x[2] >> 28) | (x[3] << 36)) & MASK,
        x[3] >> 16,
    ]
}

// Loops over the limbs are written out as loops: the closures of `array::from_fn` and `map` go
// through functions of the library that are not always inlined, and then lack the instructions.

/// Constants derived from the prime.
struct Constants<P>(PhantomData<P>);

impl<P: Prime> Constants<P> {
    const PRIME: [u64; 5] = split(P::LIMBS);

    /// `2^260 − p`.
    const COMPLEMENT: [u64; 5] = {
        let mut limbs = [0; 5];
        let mut borrow = 0i64;
        let mut i = 0;
        while i < 5 {
            let limb = borrow - Self::PRIME[i] as i64;
            limbs[i] = limb as u64 & MASK;
            borrow = limb >> 52;
            i += 1;
        }
        limbs
    };

    /// `−1/p` modulo `2^52`, by Newton's iteration.
    const NEGATIVE_INVERSE: u64 = {
        let mut inverse = 1u64;
        let mut i = 0;
        while i < 6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(P::LIMBS[0].wrapping_mul(inverse)));
            i += 1;
        }
        inverse.wrapping_neg() & MASK
    };

    /// `⌊2^260 / p⌋` rounded down so that the quotient estimate never exceeds the quotient.
    const RECIPROCAL: u64 = (1 << 52) / (Self::PRIME[4] + 1);

    /// `k·p` for small `k`.
    const fn multiple(k: u64) -> [u64; 5] {
        let mut limbs = [0; 5];
        let mut carry = 0u128;
        let mut i = 0;
        while i < 5 {
            carry += Self::PRIME[i] as u128 * k as u128;
            limbs[i] = carry as u64 & MASK;
            carry >>= 52;
            i += 1;
        }
        limbs
    }
}

/// Eight residues; see the module's text for the ranges.
#[derive(Clone, Copy)]
pub(crate) struct Limbs<P> {
    limbs: [__m512i; 5],
    prime: PhantomData<P>,
}

// SAFETY (of every `unsafe` block in this file): the intrinsics need AVX-512 F, DQ and IFMA. All
// functions here are reached through `#[target_feature]` functions of the sibling modules, which
// are called only if the processor has these instructions. Loads and stores through pointers are
// argued at their places.

#[inline(always)]
fn splat(value: u64) -> __m512i {
    unsafe { _mm512_set1_epi64(value.cast_signed()) }
}

#[inline(always)]
pub(super) fn zero() -> __m512i {
    unsafe { _mm512_setzero_si512() }
}

/// `accumulator +` the low 52 bits of `a · b`.
#[inline(always)]
fn low(accumulator: __m512i, a: __m512i, b: __m512i) -> __m512i {
    unsafe { _mm512_madd52lo_epu64(accumulator, a, b) }
}

/// `accumulator +` the high 52 bits of `a · b`.
#[inline(always)]
fn high(accumulator: __m512i, a: __m512i, b: __m512i) -> __m512i {
    unsafe { _mm512_madd52hi_epu64(accumulator, a, b) }
}

#[inline(always)]
fn plus(a: __m512i, b: __m512i) -> __m512i {
    unsafe { _mm512_add_epi64(a, b) }
}

#[inline(always)]
fn minus(a: __m512i, b: __m512i) -> __m512i {
    unsafe { _mm512_sub_epi64(a, b) }
}

#[inline(always)]
fn and(a: __m512i, b: __m512i) -> __m512i {
    unsafe { _mm512_and_si512(a, b) }
}

#[inline(always)]
fn or(a: __m512i, b: __m512i) -> __m512i {
    unsafe { _mm512_or_si512(a, b) }
}

#[inline(always)]
fn shift_left(a: __m512i, bits: u32) -> __m512i {
    unsafe { _mm512_sll_epi64(a, _mm_cvtsi32_si128(bits.cast_signed())) }
}

#[inline(always)]
fn shift_right(a: __m512i, bits: u32) -> __m512i {
    unsafe { _mm512_srl_epi64(a, _mm_cvtsi32_si128(bits.cast_signed())) }
}

impl<P: Prime> Limbs<P> {
    #[inline(always)]
    fn new(limbs: [__m512i; 5]) -> Self {
        Self { limbs, prime: PhantomData }
    }

    /// The same number in all lanes, from limbs of 52 bits.
    #[inline(always)]
    pub(crate) fn broadcast(limbs: &[u64; 5]) -> Self {
        Self::new([
            splat(limbs[0]),
            splat(limbs[1]),
            splat(limbs[2]),
            splat(limbs[3]),
            splat(limbs[4]),
        ])
    }

    /// Montgomery product `a·b/2^260`, loose. Both factors normal.
    #[inline(always)]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        let prime = Self::broadcast(&Constants::<P>::PRIME).limbs;
        let negative_inverse = splat(Constants::<P>::NEGATIVE_INVERSE);
        let a = &self.limbs;
        let mut sum = [zero(); 5];
        for b in other.limbs {
            // The chain from one quotient to the next is what limits the speed: it holds two
            // multiplications and two additions, everything else is kept off it.
            let lowest = plus(sum[0], low(zero(), a[0], b));
            let quotient = low(zero(), lowest, negative_inverse);
            // Adding quotient·p makes the low 52 bits zero: it carries unless they were zero.
            let carry = shift_right(plus(lowest, splat(MASK)), 52);
            let mut next = [zero(); 5];
            for i in 0..4 {
                let products = high(low(sum[i + 1], a[i + 1], b), a[i], b);
                next[i] = if i == 0 {
                    plus(low(products, quotient, prime[1]), high(carry, quotient, prime[0]))
                } else {
                    high(low(products, quotient, prime[i + 1]), quotient, prime[i])
                };
            }
            next[4] = high(high(zero(), a[4], b), quotient, prime[4]);
            sum = next;
        }
        Self::new(sum)
    }

    /// Sum, loose.
    #[inline(always)]
    pub(crate) fn add(&self, other: &Self) -> Self {
        let mut limbs = self.limbs;
        for (limb, other) in limbs.iter_mut().zip(&other.limbs) {
            *limb = plus(*limb, *other);
        }
        Self::new(limbs)
    }

    /// `self − other + K·p`, loose; `other` must be below `K·p`.
    #[inline(always)]
    pub(crate) fn sub<const K: u64>(&self, other: &Self) -> Self {
        let multiple = const { Constants::<P>::multiple(K) };
        let mut limbs = self.limbs;
        for i in 0..5 {
            limbs[i] = minus(plus(limbs[i], splat(multiple[i])), other.limbs[i]);
        }
        Self::new(limbs)
    }

    /// `self − other`, loose; `other` must not be greater.
    #[inline(always)]
    pub(crate) fn minus_loose(&self, other: &Self) -> Self {
        let mut limbs = self.limbs;
        for (limb, other) in limbs.iter_mut().zip(&other.limbs) {
            *limb = minus(*limb, *other);
        }
        Self::new(limbs)
    }

    /// `N` times the value, loose; `N` is below `2^6`.
    #[inline(always)]
    pub(crate) fn times_loose<const N: u64>(&self) -> Self {
        let mut limbs = self.limbs;
        for limb in &mut limbs {
            *limb = unsafe { _mm512_mullo_epi64(*limb, splat(N)) };
        }
        Self::new(limbs)
    }

    /// Lanes with the same limbs.
    #[inline(always)]
    pub(crate) fn equal(&self, other: &Self) -> u8 {
        let mut mask = u8::MAX;
        for i in 0..5 {
            mask = unsafe { _mm512_mask_cmpeq_epi64_mask(mask, self.limbs[i], other.limbs[i]) };
        }
        mask
    }

    /// Carries: loose to normal.
    #[inline(always)]
    pub(crate) fn normal(self) -> Self {
        let mut limbs = self.limbs;
        for i in 0..4 {
            limbs[i + 1] = plus(limbs[i + 1], unsafe { _mm512_srai_epi64::<52>(limbs[i]) });
            limbs[i] = and(limbs[i], splat(MASK));
        }
        Self::new(limbs)
    }

    /// From normal, below `64p`, to normal and below `2p`: takes away a multiple of `p` that the
    /// highest limb tells within one and a half.
    #[inline(always)]
    pub(crate) fn below_two_primes(self) -> Self {
        let multiple = high(zero(), self.limbs[4], splat(Constants::<P>::RECIPROCAL));
        let complement = Self::broadcast(&Constants::<P>::COMPLEMENT).limbs;
        let mut limbs = self.limbs;
        for i in 0..5 {
            limbs[i] = low(limbs[i], multiple, complement[i]);
            if i < 4 {
                limbs[i + 1] = high(limbs[i + 1], multiple, complement[i]);
            }
        }
        let mut result = Self::new(limbs).normal();
        result.limbs[4] = and(result.limbs[4], splat(MASK));
        result
    }

    /// From normal, below `2p`, to normal and below `p`.
    #[inline(always)]
    pub(crate) fn below_prime(self) -> Self {
        let less = self.minus_loose(&Self::broadcast(&Constants::<P>::PRIME)).normal();
        let negative = unsafe { _mm512_movepi64_mask(less.limbs[4]) };
        less.select(negative, &self)
    }

    /// Lanes of `other` where `mask` has a bit, own lanes elsewhere.
    #[inline(always)]
    pub(crate) fn select(&self, mask: u8, other: &Self) -> Self {
        let mut limbs = self.limbs;
        for (limb, other) in limbs.iter_mut().zip(&other.limbs) {
            *limb = unsafe { _mm512_mask_blend_epi64(mask, *limb, *other) };
        }
        Self::new(limbs)
    }

    /// From four vectors of 64-bit limbs, times `2^SHIFT`; `SHIFT` is at most four.
    #[inline(always)]
    pub(crate) fn from_words<const SHIFT: u32>(words: [__m512i; 4]) -> Self {
        let mask = splat(MASK);
        let join = |below: __m512i, right: u32, above: __m512i, left: u32| {
            and(or(shift_right(below, right - SHIFT), shift_left(above, left + SHIFT)), mask)
        };
        Self::new([
            and(shift_left(words[0], SHIFT), mask),
            join(words[0], 52, words[1], 12),
            join(words[1], 40, words[2], 24),
            join(words[2], 28, words[3], 36),
            shift_right(words[3], 16 - SHIFT),
        ])
    }

    /// Four vectors of 64-bit limbs; the value must be normal and below `2^256`.
    #[inline(always)]
    pub(crate) fn into_words(self) -> [__m512i; 4] {
        let limbs = self.limbs;
        let join = |below: __m512i, right: u32, above: __m512i, left: u32| {
            or(shift_right(below, right), shift_left(above, left))
        };
        [
            join(limbs[0], 0, limbs[1], 52),
            join(limbs[1], 12, limbs[2], 40),
            join(limbs[2], 24, limbs[3], 28),
            join(limbs[3], 36, limbs[4], 16),
        ]
    }
}

/// Four vectors, one per 64-bit limb, from eight elements of four limbs, two to a vector. Lanes
/// come in an order of their own, which [`to_pairs`] undoes.
#[inline(always)]
pub(crate) fn from_pairs(pairs: [__m512i; 4]) -> [__m512i; 4] {
    unsafe {
        let even =
            [_mm512_unpacklo_epi64(pairs[0], pairs[1]), _mm512_unpacklo_epi64(pairs[2], pairs[3])];
        let odd =
            [_mm512_unpackhi_epi64(pairs[0], pairs[1]), _mm512_unpackhi_epi64(pairs[2], pairs[3])];
        [
            _mm512_shuffle_i64x2::<0x88>(even[0], even[1]),
            _mm512_shuffle_i64x2::<0x88>(odd[0], odd[1]),
            _mm512_shuffle_i64x2::<0xdd>(even[0], even[1]),
            _mm512_shuffle_i64x2::<0xdd>(odd[0], odd[1]),
        ]
    }
}

/// The inverse of [`from_pairs`].
#[inline(always)]
pub(crate) fn to_pairs(words: [__m512i; 4]) -> [__m512i; 4] {
    unsafe {
        let front = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
        let back = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
        let low_even = _mm512_unpacklo_epi64(words[0], words[1]);
        let low_odd = _mm512_unpackhi_epi64(words[0], words[1]);
        let high_even = _mm512_unpacklo_epi64(words[2], words[3]);
        let high_odd = _mm512_unpackhi_epi64(words[2], words[3]);
        [
            _mm512_permutex2var_epi64(low_even, front, high_even),
            _mm512_permutex2var_epi64(low_odd, front, high_odd),
            _mm512_permutex2var_epi64(low_even, back, high_even),
            _mm512_permutex2var_epi64(low_odd, back, high_odd),
        ]
    }
}
