//! Eight words at a time: AVX-512 with IFMA.
//!
//! Safety: every intrinsic below needs `avx512f` or `avx512ifma`. [`Vector`] is private to this
//! module and only [`run`] names it, which checks both once per process and enters a function
//! compiled for them; all methods are inlined into that. Loads and stores go through references to
//! `[u64; 8]`, and the instructions ask for no alignment.

#![allow(unsafe_code)]

use super::operations::{Kernel, Lanes};
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
struct Vector(__m512i);

/// Whether this processor has the instructions.
pub fn is_available() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
}

/// Runs a kernel on vectors. Must only be called if [`is_available`].
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    assert!(is_available());
    // Safety: the processor has what `run_vectors` is compiled for.
    unsafe { run_vectors(kernel) }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn run_vectors<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Vector>()
}

/// Two-source permutation; bit 3 of an index chooses `b`.
#[inline(always)]
fn permute(a: Vector, b: Vector, indices: [u64; 8]) -> Vector {
    // Safety: module text.
    unsafe { Vector(_mm512_permutex2var_epi64(a.0, Vector::load(&indices).0, b.0)) }
}

// Safety of all blocks below: module text.
impl Lanes for Vector {
    type Block = [u64; 8];
    const LANES: usize = 8;

    #[inline(always)]
    fn blocks(words: &[u64]) -> &[[u64; 8]] {
        words.as_chunks().0
    }
    #[inline(always)]
    fn blocks_mut(words: &mut [u64]) -> &mut [[u64; 8]] {
        words.as_chunks_mut().0
    }
    #[inline(always)]
    fn load(block: &[u64; 8]) -> Self {
        Self(unsafe { _mm512_loadu_si512(block.as_ptr().cast()) })
    }
    #[inline(always)]
    fn store(self, block: &mut [u64; 8]) {
        unsafe { _mm512_storeu_si512(block.as_mut_ptr().cast(), self.0) }
    }
    #[inline(always)]
    fn splat(word: u64) -> Self {
        Self(unsafe { _mm512_set1_epi64(word as i64) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(unsafe { _mm512_add_epi64(self.0, other.0) })
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(unsafe { _mm512_sub_epi64(self.0, other.0) })
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(unsafe { _mm512_and_si512(self.0, other.0) })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(unsafe { _mm512_min_epu64(self.0, other.0) })
    }
    #[inline(always)]
    fn shift_52(self) -> Self {
        Self(unsafe { _mm512_srli_epi64::<52>(self.0) })
    }
    #[inline(always)]
    fn shift(self, bits: u32) -> Self {
        Self(unsafe { _mm512_srl_epi64(self.0, _mm_cvtsi64_si128(i64::from(bits))) })
    }
    #[inline(always)]
    fn low(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm512_madd52lo_epu64(self.0, a.0, b.0) })
    }
    #[inline(always)]
    fn high(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm512_madd52hi_epu64(self.0, a.0, b.0) })
    }

    #[inline(always)]
    fn split_4(a: Self, b: Self) -> (Self, Self) {
        (permute(a, b, [0, 1, 2, 3, 8, 9, 10, 11]), permute(a, b, [4, 5, 6, 7, 12, 13, 14, 15]))
    }
    #[inline(always)]
    fn split_2(a: Self, b: Self) -> (Self, Self) {
        (permute(a, b, [0, 1, 4, 5, 8, 9, 12, 13]), permute(a, b, [2, 3, 6, 7, 10, 11, 14, 15]))
    }
    #[inline(always)]
    fn split_1(a: Self, b: Self) -> (Self, Self) {
        unsafe { (Self(_mm512_unpacklo_epi64(a.0, b.0)), Self(_mm512_unpackhi_epi64(a.0, b.0))) }
    }
    #[inline(always)]
    fn join_4(a: Self, b: Self) -> (Self, Self) {
        (permute(a, b, [0, 1, 2, 3, 8, 9, 10, 11]), permute(a, b, [4, 5, 6, 7, 12, 13, 14, 15]))
    }
    #[inline(always)]
    fn join_2(a: Self, b: Self) -> (Self, Self) {
        (permute(a, b, [0, 1, 8, 9, 2, 3, 10, 11]), permute(a, b, [4, 5, 12, 13, 6, 7, 14, 15]))
    }
    #[inline(always)]
    fn join_1(a: Self, b: Self) -> (Self, Self) {
        unsafe { (Self(_mm512_unpacklo_epi64(a.0, b.0)), Self(_mm512_unpackhi_epi64(a.0, b.0))) }
    }
    #[inline(always)]
    fn spread_2(words: &[u64; 2]) -> Self {
        let [a, b] = *words;
        Self::load(&[a, a, a, a, b, b, b, b])
    }
    #[inline(always)]
    fn spread_4(words: &[u64; 4]) -> Self {
        unsafe {
            let four = _mm512_castsi256_si512(_mm256_loadu_si256(words.as_ptr().cast()));
            let indices = Self::load(&[0, 0, 2, 2, 1, 1, 3, 3]).0;
            Self(_mm512_permutexvar_epi64(indices, four))
        }
    }
    #[inline(always)]
    fn spread_8(words: &[u64; 8]) -> Self {
        let indices = Self::load(&[0, 1, 4, 5, 2, 3, 6, 7]).0;
        Self(unsafe { _mm512_permutexvar_epi64(indices, Self::load(words).0) })
    }
}
