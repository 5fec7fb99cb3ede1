//! Eight elements of the scalar field, loaded from and stored to slices of [`Fr`].
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::limbs::{Limbs, Prime, from_pairs, split, to_pairs, zero};
use crate::Fr;
use crate::lanes::Lanes;
use crate::tiles::TILE;

/// The order of the group: modulus of [`Fr`].
#[derive(Clone, Copy)]
pub(crate) struct ScalarPrime;

impl Prime for ScalarPrime {
    const LIMBS: [u64; 4] = [
        0x43e1_f593_f000_0001,
        0x2833_e848_79b9_7091,
        0xb850_45b6_8181_585d,
        0x3064_4e72_e131_a029,
    ];
}

// The loads and stores below read an `Fr` as the four words it wraps. A struct of one field has no
// room for any other layout once its size is that of the field.
const _: () = assert!(size_of::<Fr>() == 32 && align_of::<Fr>() == 8);

/// `2^4`, as a field element: what separates the two radices.
const RADIX_RATIO: u64 = 16;

/// Eight scalars; normal limbs unless a function says loose.
pub(crate) type Scalars = Limbs<ScalarPrime>;

impl Scalars {
    /// Loads eight neighbours, times `2^SHIFT`.
    #[inline(always)]
    pub(crate) fn load_scalars<const SHIFT: u32>(source: &[Fr; TILE]) -> Self {
        let source: *const __m512i = source.as_ptr().cast();
        // SAFETY: eight elements are 256 readable bytes, four unaligned vectors.
        let mut pairs = [zero(); 4];
        for (i, pair) in pairs.iter_mut().enumerate() {
            *pair = unsafe { _mm512_loadu_si512(source.add(i)) };
        }
        Self::from_words::<SHIFT>(from_pairs(pairs))
    }

    /// Stores eight neighbours as they are; below `2^256`.
    #[inline(always)]
    fn store_words(self, target: &mut [Fr]) {
        let target: &mut [Fr; TILE] = target.try_into().expect("eight elements");
        let target: *mut __m512i = target.as_mut_ptr().cast();
        for (i, pair) in to_pairs(self.into_words()).into_iter().enumerate() {
            // SAFETY: eight elements are 256 writable bytes, four unaligned vectors.
            unsafe { _mm512_storeu_si512(target.add(i), pair) }
        }
    }

    /// Stores eight neighbours, from normal limbs below `2p`.
    #[inline(always)]
    pub(crate) fn store_scalars(self, target: &mut [Fr]) {
        self.below_prime().store_words(target);
    }
}

/// The same factor in all lanes, with radix `2^260`.
#[inline(always)]
pub(crate) fn factor(scalar: Fr) -> Scalars {
    Scalars::broadcast(&Scalars::factor(scalar))
}

impl Lanes for Scalars {
    type Factor = [u64; 5];

    fn factor(value: Fr) -> [u64; 5] {
        split((value * Fr::from(RADIX_RATIO)).0)
    }

    #[inline(always)]
    fn load(source: &[Fr], stride: usize) -> Self {
        if stride == 1 {
            return Self::load_scalars::<0>(source[..TILE].try_into().expect("eight elements"));
        }
        assert!(source.len() > (TILE - 1) * stride);
        let source = source.as_ptr();
        // SAFETY: each element is 32 readable bytes, and the assertion covers the last.
        let mut pairs = [zero(); 4];
        for (i, pair) in pairs.iter_mut().enumerate() {
            let (even, odd) = unsafe {
                let even = source.add(2 * i * stride);
                (_mm256_loadu_si256(even.cast()), _mm256_loadu_si256(even.add(stride).cast()))
            };
            *pair = unsafe { _mm512_inserti64x4::<1>(_mm512_castsi256_si512(even), odd) };
        }
        Self::from_words::<0>(from_pairs(pairs))
    }

    #[inline(always)]
    fn store_unreduced(self, target: &mut [Fr]) {
        self.below_two_primes().store_words(target);
    }

    #[inline(always)]
    fn store(self, target: &mut [Fr]) {
        self.below_two_primes().store_scalars(target);
    }

    #[inline(always)]
    fn into_factors(self) -> Self {
        // 2^4 more than the radix 2^260 itself, because the product takes 2^260 away.
        Limbs::mul(&self, &Limbs::broadcast(&RADIX_FACTOR)).normal()
    }

    #[inline(always)]
    fn mul(self, factor: &[u64; 5]) -> Self {
        Limbs::mul(&self, &Limbs::broadcast(factor))
    }

    #[inline(always)]
    fn mul_lanes(self, factors: &Self) -> Self {
        Limbs::mul(&self, factors)
    }

    #[inline(always)]
    fn add(self, other: &Self) -> Self {
        Limbs::add(&self, other)
    }

    #[inline(always)]
    fn sub(self, other: &Self) -> Self {
        Limbs::sub::<2>(&self, other)
    }

    #[inline(always)]
    fn carried(self) -> Self {
        self.normal()
    }
}

/// `2^264` modulo the prime: takes radix `2^256` to `2^260` in a product.
const RADIX_FACTOR: [u64; 5] = split(power_of_two(264));

/// `2^exponent` modulo the prime.
const fn power_of_two(exponent: u32) -> [u64; 4] {
    let prime = ScalarPrime::LIMBS;
    let mut value = [1u64, 0, 0, 0];
    let mut step = 0;
    while step < exponent {
        // Twice a number below the prime stays below 2^255: one subtraction reduces it.
        let doubled = [
            value[0] << 1,
            (value[1] << 1) | (value[0] >> 63),
            (value[2] << 1) | (value[1] >> 63),
            (value[3] << 1) | (value[2] >> 63),
        ];
        let mut less = [0; 4];
        let mut borrow = false;
        let mut i = 0;
        while i < 4 {
            let (difference, first) = doubled[i].overflowing_sub(prime[i]);
            let (difference, second) = difference.overflowing_sub(borrow as u64);
            less[i] = difference;
            borrow = first | second;
            i += 1;
        }
        value = if borrow { doubled } else { less };
        step += 1;
    }
    value
}
