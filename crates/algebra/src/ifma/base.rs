//! Eight elements of the base field, and the inner loops of the bucket method over them.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use halo2curves::bn256::Fq;

use super::limbs::{Limbs, Prime, from_pairs, split, to_pairs, zero};
use crate::G1;
use crate::msm::addition::{self, Additions};
use crate::msm::point::{BASE_PRIME, BaseLanes, NEGATIVE, Point};
use crate::msm::reduction;

/// The modulus of [`Fq`].
#[derive(Clone, Copy)]
pub(crate) struct BasePrime;

impl Prime for BasePrime {
    const LIMBS: [u64; 4] = BASE_PRIME;
}

/// `2^4`: takes the radix `2^256` of [`Fq`] to `2^260`.
pub(crate) const RADIX_RATIO: Fq = Fq::from_raw([16, 0, 0, 0]);

/// `1/2^4`.
const INVERSE_RATIO: Fq = Fq::from_raw([
    0x71d2_4ecc_d9c6_4e78,
    0xa538_cbf1_cac0_01ef,
    0x77ad_2736_a8d8_c1b4,
    0x1b38_6c20_9eab_ea17,
]);

/// Eight.
const LANES: usize = 8;

/// Eight base-field elements.
pub(crate) type Base = Limbs<BasePrime>;

// Loads and stores below read `Fq` as the four words it wraps, and a point as eight.
const _: () = assert!(size_of::<Fq>() == 32 && align_of::<Fq>() == 8);
const _: () = assert!(size_of::<Point>() == 64 && align_of::<Point>() == 64);

/// Transposes eight rows of eight words.
#[inline(always)]
fn transpose(rows: [__m512i; 8]) -> [__m512i; 8] {
    let mut columns = rows;
    // SAFETY (of every `unsafe` block with intrinsics only): reached through the functions with
    // `#[target_feature]` below, which run only on processors with the instructions.
    unsafe {
        for parity in 0..2 {
            let mut pairs = [zero(); 4];
            for (i, pair) in pairs.iter_mut().enumerate() {
                let (above, below) = (rows[2 * i], rows[2 * i + 1]);
                *pair = if parity == 0 {
                    _mm512_unpacklo_epi64(above, below)
                } else {
                    _mm512_unpackhi_epi64(above, below)
                };
            }
            let [a, b, c, d] = pairs;
            let even_low = _mm512_shuffle_i64x2::<0x88>(a, b);
            let odd_low = _mm512_shuffle_i64x2::<0xdd>(a, b);
            let even_high = _mm512_shuffle_i64x2::<0x88>(c, d);
            let odd_high = _mm512_shuffle_i64x2::<0xdd>(c, d);
            columns[parity] = _mm512_shuffle_i64x2::<0x88>(even_low, even_high);
            columns[2 + parity] = _mm512_shuffle_i64x2::<0x88>(odd_low, odd_high);
            columns[4 + parity] = _mm512_shuffle_i64x2::<0xdd>(even_low, even_high);
            columns[6 + parity] = _mm512_shuffle_i64x2::<0xdd>(odd_low, odd_high);
        }
    }
    columns
}

impl BaseLanes for Base {
    const LANES: usize = LANES;
    type Indices = [u32; LANES];
    type Elements = [Fq; LANES];

    #[inline(always)]
    fn indices(list: &[u32]) -> &[[u32; LANES]] {
        list.as_chunks().0
    }

    #[inline(always)]
    fn splat(value: Fq) -> Self {
        Self::from_elements(&[value; LANES])
    }

    #[inline(always)]
    fn from_elements(values: &[Fq; LANES]) -> Self {
        let scaled: [Fq; LANES] = std::array::from_fn(|lane| values[lane] * RADIX_RATIO);
        let source: *const __m512i = scaled.as_ptr().cast();
        // SAFETY: eight elements are 256 readable bytes.
        let mut pairs = [zero(); 4];
        for (i, pair) in pairs.iter_mut().enumerate() {
            *pair = unsafe { _mm512_loadu_si512(source.add(i)) };
        }
        // `from_pairs` leaves lanes 1 and 2, and 5 and 6, exchanged.
        Self::from_words::<0>(exchange(from_pairs(pairs)))
    }

    #[inline(always)]
    fn to_elements(self) -> [Fq; LANES] {
        let mut values = [Fq::zero(); LANES];
        let target: *mut __m512i = values.as_mut_ptr().cast();
        for (i, pair) in to_pairs(exchange(self.into_words())).into_iter().enumerate() {
            // SAFETY: eight elements are 256 writable bytes.
            unsafe { _mm512_storeu_si512(target.add(i), pair) }
        }
        values.map(|value| value * INVERSE_RATIO)
    }

    #[inline(always)]
    fn load(points: &[Point], indices: &[u32; LANES]) -> (Self, Self) {
        let mut rows = [zero(); 8];
        for (row, index) in rows.iter_mut().zip(indices) {
            let point: *const Point = &points[(index & !NEGATIVE) as usize];
            // SAFETY: a point is 64 readable bytes, aligned to 64.
            *row = unsafe { _mm512_load_si512(point.cast()) };
        }
        let [x0, x1, x2, x3, y0, y1, y2, y3] = transpose(rows);
        let (x, y) =
            (Self::from_words::<0>([x0, x1, x2, x3]), Self::from_words::<0>([y0, y1, y2, y3]));
        // SAFETY: eight indices are 32 readable bytes.
        let negative = unsafe { _mm256_movepi32_mask(_mm256_loadu_si256(indices.as_ptr().cast())) };
        let prime = Self::broadcast(&split(BASE_PRIME));
        (x, y.select(negative, &prime.minus_loose(&y).normal()))
    }

    #[inline(always)]
    fn prefetch(points: &[Point], indices: &[u32; LANES]) {
        for index in indices {
            let point: *const Point = &points[(index & !NEGATIVE) as usize];
            unsafe { _mm_prefetch::<_MM_HINT_T0>(point.cast()) };
        }
    }

    #[inline(always)]
    fn store(x: Self, y: Self, points: &mut [Point], indices: &[u32; LANES]) {
        let ([x0, x1, x2, x3], [y0, y1, y2, y3]) = (x.into_words(), y.into_words());
        for (row, index) in transpose([x0, x1, x2, x3, y0, y1, y2, y3]).into_iter().zip(indices) {
            let point: *mut Point = &mut points[*index as usize];
            // SAFETY: a point is 64 writable bytes, aligned to 64.
            unsafe { _mm512_store_si512(point.cast(), row) }
        }
    }

    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        Limbs::mul(self, other).normal()
    }

    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        Limbs::add(self, other).normal()
    }

    #[inline(always)]
    fn times<const N: u64>(&self) -> Self {
        Limbs::times_loose::<N>(self).normal()
    }

    #[inline(always)]
    fn sub<const K: u64>(&self, other: &Self) -> Self {
        Limbs::sub::<K>(self, other).normal()
    }

    #[inline(always)]
    fn reduced(self) -> Self {
        self.below_two_primes()
    }

    #[inline(always)]
    fn canonical(self) -> Self {
        self.below_two_primes().below_prime()
    }

    #[inline(always)]
    fn equal(&self, other: &Self) -> u8 {
        Limbs::equal(self, other)
    }

    #[inline(always)]
    fn select(&self, mask: u8, other: &Self) -> Self {
        Limbs::select(self, mask, other)
    }
}

/// Exchanges the lanes that [`from_pairs`] leaves out of order.
#[inline(always)]
fn exchange(words: [__m512i; 4]) -> [__m512i; 4] {
    unsafe {
        let order = _mm512_setr_epi64(0, 2, 1, 3, 4, 6, 5, 7);
        let mut exchanged = words;
        for word in &mut exchanged {
            *word = _mm512_permutexvar_epi64(order, *word);
        }
        exchanged
    }
}

/// [`addition::add_pairs`] on a processor with the instructions.
///
/// # Panics
/// If the processor lacks them.
pub(crate) fn add_pairs(
    points: &[Point],
    additions: &Additions,
    out: &mut [Point],
    prefix: &mut Vec<Base>,
) {
    #[target_feature(enable = "avx512f,avx512ifma,avx512vl,avx512dq,avx512bw")]
    fn compiled(
        points: &[Point],
        additions: &Additions,
        out: &mut [Point],
        prefix: &mut Vec<Base>,
    ) {
        addition::add_pairs(points, additions, out, prefix);
    }
    assert!(super::available());
    // SAFETY: asserted.
    unsafe { compiled(points, additions, out, prefix) }
}

/// [`reduction::reduce_buckets`] on a processor with the instructions.
///
/// # Panics
/// If the processor lacks them.
pub(crate) fn reduce_buckets(buckets: &[Point]) -> G1 {
    #[target_feature(enable = "avx512f,avx512ifma,avx512vl,avx512dq,avx512bw")]
    fn compiled(buckets: &[Point]) -> G1 {
        reduction::reduce_buckets::<Base>(buckets)
    }
    assert!(super::available());
    // SAFETY: asserted.
    unsafe { compiled(buckets) }
}
