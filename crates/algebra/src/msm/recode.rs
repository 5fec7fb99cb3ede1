//! From scalars to signed digits of `c` bits.
//!
//! A scalar `v` is replaced by the smaller of `v` and `r − v`, with a sign. Adding half a window to
//! every window but the highest makes each digit independent of the others: window minus half a
//! window, in `[−2^(c−1), 2^(c−1))`. Nothing here branches on a value, only on its length where the
//! caller lets the length be seen.

use ff::PrimeField;
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::point::NEGATIVE;
use crate::{AlgebraError, Fr};

/// Bits of the longest magnitude: half the field's order is below `2^253`.
pub(super) const MAX_BITS: u32 = 253;

/// Windows are at most this wide, so that a digit fits 16 bits.
const MAX_WINDOW: u32 = 16;

/// Narrower windows would not fill the lanes of the reduction.
const MIN_WINDOW: u32 = 4;

/// Scalars in one batch: no power of two, so that the windows of a scalar lie in different cache
/// sets.
const BATCH: usize = 4096 + 32;

/// Order of the field, lowest word first.
const ORDER: [u64; 4] =
    [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];

/// Digits of neighbouring scalars, which all have the same number of windows.
pub(super) struct Batch {
    /// Index of each scalar's base, with [`NEGATIVE`] if the scalar is the negative.
    pub(super) indices: Zeroizing<Vec<u32>>,
    /// Number of windows.
    windows: usize,
    /// All first digits, then all second ones, and so on.
    digits: Zeroizing<Vec<i16>>,
}

impl Batch {
    /// The digits of a window; none if all are zero.
    pub(super) fn digits(&self, window: usize) -> &[i16] {
        let length = self.indices.len();
        if window < self.windows { &self.digits[window * length..][..length] } else { &[] }
    }
}

/// Scalars as digits.
pub(super) struct Recoded {
    pub(super) batches: Vec<Batch>,
    /// Bits of a window.
    pub(super) window_bits: u32,
    /// Number of windows of the longest scalar.
    pub(super) windows: usize,
}

/// Recodes scalars by their own lengths: zeros are left out, short ones have few digits.
pub(super) fn by_length(scalars: &[Fr]) -> Recoded {
    let lengths: Vec<u8> = scalars
        .par_iter()
        .with_min_len(BATCH)
        .map(|scalar| bit_length(&magnitude(scalar).0))
        .collect();
    let mut histogram = [0usize; MAX_BITS as usize + 1];
    for length in &lengths {
        histogram[usize::from(*length)] += 1;
    }
    histogram[0] = 0;
    let window_bits = best_window(&histogram);

    // Scalars with the same number of windows together, otherwise in order.
    let mut classes: Vec<Vec<u32>> = Vec::new();
    for (index, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
        let windows = window_count(u32::from(*length), window_bits);
        if classes.len() <= windows {
            classes.resize_with(windows + 1, Vec::new);
        }
        classes[windows].push(index as u32);
    }
    let windows = classes.len().saturating_sub(1);
    let batches = classes
        .par_iter()
        .enumerate()
        .flat_map(|(windows, indices)| {
            indices
                .par_chunks(BATCH)
                .map(move |indices| batch(scalars, indices, windows, window_bits))
        })
        .map(|(batch, _)| batch)
        .collect();
    Recoded { batches, window_bits, windows }
}

/// Recodes the scalars at `indices`, whose magnitude is below `2^bits`, and leaves out the others;
/// the number of digits does not depend on the values.
pub(super) fn by_bound(
    scalars: &[Fr],
    indices: &[u32],
    bits: u32,
) -> Result<Recoded, AlgebraError> {
    let bounded = bits.min(MAX_BITS);
    let mut histogram = [0usize; MAX_BITS as usize + 1];
    histogram[bounded as usize] = indices.len();
    let window_bits = best_window(&histogram);
    let windows = window_count(bounded, window_bits);
    let (batches, lengths): (Vec<Batch>, Vec<u8>) = indices
        .par_chunks(BATCH)
        .map(|indices| batch(scalars, indices, windows, window_bits))
        .unzip();
    if lengths.iter().any(|length| u32::from(*length) > bounded) {
        return Err(AlgebraError::ScalarTooLong { bits });
    }
    Ok(Recoded { batches, window_bits, windows })
}

/// The digits of the scalars that `indices` selects, and the length of the longest.
fn batch(scalars: &[Fr], indices: &[u32], windows: usize, window_bits: u32) -> (Batch, u8) {
    let length = indices.len();
    let half = 1i32 << (window_bits - 1);
    let mask = (1u64 << window_bits) - 1;
    let mut offset = [0; 4];
    for window in 1..windows as u32 {
        let bit = window * window_bits - 1;
        offset[(bit / 64) as usize] |= 1u64 << (bit % 64);
    }
    let mut digits = Zeroizing::new(vec![0i16; windows * length]);
    let mut signed = Zeroizing::new(Vec::with_capacity(length));
    let mut all_bits = [0; 4];
    for (position, index) in indices.iter().enumerate() {
        let (magnitude, negative) = magnitude(&scalars[*index as usize]);
        signed.push(index | (u32::from(negative) * NEGATIVE));
        all_bits = std::array::from_fn(|word| all_bits[word] | magnitude[word]);
        let sum = add(magnitude, offset);
        for window in 0..windows {
            let bit = window * window_bits as usize;
            let (word, shift) = (bit / 64, bit % 64);
            let above = sum.get(word + 1).copied().unwrap_or(0);
            let joined = u128::from(sum[word]) | u128::from(above) << 64;
            let bits = ((joined >> shift) as u64 & mask) as i32;
            let digit = if window + 1 < windows { bits - half } else { bits };
            digits[window * length + position] = digit as i16;
        }
    }
    (Batch { indices: signed, windows, digits }, bit_length(&all_bits))
}

/// The smaller of the scalar and its negative as an integer, and whether it is the negative.
fn magnitude(scalar: &Fr) -> ([u64; 4], bool) {
    let bytes = scalar.to_repr();
    let (words, _) = bytes.as_ref().as_chunks::<8>();
    let value = std::array::from_fn(|word| u64::from_le_bytes(words[word]));
    let (negative, _) = subtract(ORDER, value);
    let (_, larger) = subtract(negative, value);
    let mask = u64::from(larger).wrapping_neg();
    (std::array::from_fn(|i| (negative[i] & mask) | (value[i] & !mask)), larger)
}

fn subtract(a: [u64; 4], b: [u64; 4]) -> ([u64; 4], bool) {
    let mut borrow = false;
    let difference = std::array::from_fn(|i| {
        let (difference, first) = a[i].overflowing_sub(b[i]);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        borrow = first | second;
        difference
    });
    (difference, borrow)
}

fn add(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut carry = 0;
    std::array::from_fn(|i| {
        let sum = u128::from(a[i]) + u128::from(b[i]) + carry;
        carry = sum >> 64;
        sum as u64
    })
}

/// Number of bits, at most [`MAX_BITS`] for a magnitude.
fn bit_length(words: &[u64; 4]) -> u8 {
    let mut length = 0;
    for (position, word) in words.iter().enumerate() {
        let bits = 64 * position as u32 + 64 - word.leading_zeros();
        length = if *word == 0 { length } else { bits };
    }
    length as u8
}

/// Windows of a scalar of `bits` bits. The digit of the highest window is not centred: it has to
/// stay within half a window, and within 16 bits with sign.
fn window_count(bits: u32, window_bits: u32) -> usize {
    let bits = if window_bits == MAX_WINDOW { bits + 1 } else { bits };
    (bits / window_bits) as usize + 1
}

/// The window width with the least work, given how many scalars there are of each length.
fn best_window(histogram: &[usize; MAX_BITS as usize + 1]) -> u32 {
    /// Weighing a bucket takes two additions.
    const BUCKET_COST: usize = 2;
    let longest = histogram.iter().rposition(|count| *count > 0).unwrap_or(0) as u32;
    let cost = |window_bits: &u32| {
        let additions: usize = histogram
            .iter()
            .enumerate()
            .map(|(bits, count)| count * window_count(bits as u32, *window_bits))
            .sum();
        let buckets = window_count(longest, *window_bits) << (window_bits - 1);
        additions + BUCKET_COST * buckets
    };
    (MIN_WINDOW..=MAX_WINDOW).min_by_key(cost).unwrap_or(MIN_WINDOW)
}
