//! The kernels of a mask's tree on four blocks at a time, with AES and 512-bit vectors (VAES,
//! AVX-512). They give the same bytes as [`super::tree`]'s portable ones, against which they are tested.
//!
//! Safety: every function that is compiled for these instructions is private and called only by a
//! method of [`Vaes`], which exists only where they were detected. Memory is read and written through
//! references to arrays of 64 bytes, unaligned.
#![allow(unsafe_code)]

use std::arch::x86_64::*;
use zeroize::Zeroize;

/// Blocks in one vector.
const LANES: usize = 4;
/// Vectors encrypted in one go: enough to hide the latency of a round.
const WIDTH: usize = 8;

/// The round keys of an AES-128 key, where the instructions exist.
pub(super) struct Vaes {
    keys: [u128; 11],
}

impl Drop for Vaes {
    fn drop(&mut self) {
        self.keys.zeroize();
    }
}

impl Vaes {
    /// None where the processor lacks the instructions.
    pub fn new(key: &[u8; 16]) -> Option<Self> {
        let detected = is_x86_feature_detected!("aes")
            && is_x86_feature_detected!("sse2")
            && is_x86_feature_detected!("vaes")
            && is_x86_feature_detected!("avx512f");
        // SAFETY: the instructions were detected.
        detected.then(|| Self { keys: unsafe { round_keys(key) } })
    }

    /// Children of `nodes`, two for each.
    pub fn next_level(&self, correction: u128, nodes: &[u128], children: &mut [u128]) {
        // SAFETY: a `Vaes` exists.
        unsafe { next_level(&self.keys, correction, nodes, children) }
    }

    /// The exclusive or of the hashes of `nodes`.
    pub fn hash_sum(&self, nodes: &[u128]) -> u128 {
        // SAFETY: a `Vaes` exists.
        unsafe { hash_sum(&self.keys, nodes) }
    }

    /// The hash of each node, plus `last` modulo `2^128` where its control bit is set.
    pub fn shares(&self, last: u128, nodes: &[u128], shares: &mut [u128]) {
        // SAFETY: a `Vaes` exists.
        unsafe { shares_of::<false>(&self.keys, last, nodes, shares) }
    }

    /// Adds the shares to `sums` modulo `2^128`.
    pub fn add_shares(&self, last: u128, nodes: &[u128], sums: &mut [u128]) {
        // SAFETY: a `Vaes` exists.
        unsafe { shares_of::<true>(&self.keys, last, nodes, sums) }
    }

    /// The sum modulo `2^128`.
    pub fn sum(&self, values: &[u128]) -> u128 {
        // SAFETY: a `Vaes` exists.
        unsafe { sum(values) }
    }

    /// The sum, and the sum weighted by the index, modulo `2^128`.
    pub fn weighted_sum(&self, values: &[u128]) -> (u128, u128) {
        // SAFETY: a `Vaes` exists.
        unsafe { weighted_sum(values) }
    }
}

#[target_feature(enable = "aes,sse2")]
fn round_keys(key: &[u8; 16]) -> [u128; 11] {
    /// Each word becomes the sum of itself and those below it, plus the substituted last word.
    #[target_feature(enable = "aes,sse2")]
    fn step<const CONSTANT: i32>(key: __m128i) -> __m128i {
        let word = _mm_shuffle_epi32::<0xff>(_mm_aeskeygenassist_si128::<CONSTANT>(key));
        let one = _mm_xor_si128(key, _mm_slli_si128::<4>(key));
        let all = _mm_xor_si128(one, _mm_slli_si128::<8>(one));
        _mm_xor_si128(all, word)
    }
    // SAFETY: both are 16 bytes, and every bit pattern is valid for both.
    let mut key: __m128i = unsafe { std::mem::transmute(*key) };
    let mut keys = [0u128; 11];
    let mut put = |i: usize, key: __m128i| {
        // SAFETY: as above.
        keys[i] = unsafe { std::mem::transmute::<__m128i, u128>(key) };
    };
    put(0, key);
    macro_rules! steps {
        ($($i:literal $constant:literal),*) => {$(
            key = step::<$constant>(key);
            put($i, key);
        )*};
    }
    steps!(1 1, 2 2, 3 4, 4 8, 5 16, 6 32, 7 64, 8 128, 9 0x1b, 10 0x36);
    keys
}

type Keys = [__m512i; 11];

#[inline]
#[target_feature(enable = "avx512f")]
fn load(blocks: &[u128; LANES]) -> __m512i {
    // SAFETY: 64 readable bytes.
    unsafe { _mm512_loadu_si512(blocks.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(blocks: &mut [u128; LANES], vector: __m512i) {
    // SAFETY: 64 writable bytes.
    unsafe { _mm512_storeu_si512(blocks.as_mut_ptr().cast(), vector) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast(block: u128) -> __m512i {
    load(&[block; LANES])
}

#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast_keys(keys: &[u128; 11]) -> Keys {
    let mut vectors = [_mm512_setzero_si512(); 11];
    for (vector, key) in vectors.iter_mut().zip(keys) {
        *vector = broadcast(*key);
    }
    vectors
}

/// The hashes of the blocks in `N` vectors.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn hash<const N: usize>(keys: &Keys, nodes: &[__m512i; N]) -> [__m512i; N] {
    let high = _mm512_set_epi64(-1, 0, -1, 0, -1, 0, -1, 0);
    let mut spread = *nodes;
    for node in &mut spread {
        let swapped = _mm512_shuffle_epi32::<0x4e>(*node);
        *node = _mm512_xor_si512(swapped, _mm512_and_si512(*node, high));
    }
    let mut blocks = spread;
    for block in &mut blocks {
        *block = _mm512_xor_si512(*block, keys[0]);
    }
    for key in &keys[1..10] {
        for block in &mut blocks {
            *block = _mm512_aesenc_epi128(*block, *key);
        }
    }
    for (block, node) in blocks.iter_mut().zip(spread) {
        *block = _mm512_xor_si512(_mm512_aesenclast_epi128(*block, keys[10]), node);
    }
    blocks
}

/// All ones in the blocks whose control bit is set.
#[inline]
#[target_feature(enable = "avx512f")]
fn control_masks(nodes: __m512i) -> __m512i {
    let bits = _mm512_and_si512(nodes, _mm512_set_epi64(0, 1, 0, 1, 0, 1, 0, 1));
    _mm512_shuffle_epi32::<0x44>(_mm512_sub_epi64(_mm512_setzero_si512(), bits))
}

/// Sums modulo `2^128`.
#[inline]
#[target_feature(enable = "avx512f")]
fn add(left: __m512i, right: __m512i) -> __m512i {
    let sum = _mm512_add_epi64(left, right);
    // A low half that became smaller carries into the high half beside it.
    let carries = (_mm512_cmplt_epu64_mask(sum, left) & 0x55) << 1;
    _mm512_mask_sub_epi64(sum, carries, sum, _mm512_set1_epi64(-1))
}

/// Up to four blocks, filled up with zeros.
fn padded(blocks: &[u128]) -> [u128; LANES] {
    std::array::from_fn(|i| blocks.get(i).copied().unwrap_or(0))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_all<const N: usize>(blocks: &[[u128; LANES]; N]) -> [__m512i; N] {
    let mut vectors = [_mm512_setzero_si512(); N];
    for (vector, block) in vectors.iter_mut().zip(blocks) {
        *vector = load(block);
    }
    vectors
}

#[target_feature(enable = "avx512f,vaes")]
fn next_level(keys: &[u128; 11], correction: u128, nodes: &[u128], children: &mut [u128]) {
    #[inline]
    #[target_feature(enable = "avx512f,vaes")]
    fn level<const N: usize>(
        keys: &Keys,
        correction: __m512i,
        nodes: &[[u128; LANES]; N],
        children: &mut [[[u128; LANES]; 2]; N],
    ) {
        let nodes = load_all(nodes);
        let hashes = hash(keys, &nodes);
        let first = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
        let second = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
        for ((hash, node), children) in hashes.into_iter().zip(nodes).zip(children) {
            let correction = _mm512_and_si512(control_masks(node), correction);
            let left = _mm512_xor_si512(hash, correction);
            let right = _mm512_xor_si512(left, node);
            let [low, high] = children;
            store(low, _mm512_permutex2var_epi64(left, first, right));
            store(high, _mm512_permutex2var_epi64(left, second, right));
        }
    }
    let (keys, correction) = (&broadcast_keys(keys), broadcast(correction));
    let (vectors, rest) = nodes.as_chunks::<LANES>();
    let (outputs, rest_outputs) = children.as_chunks_mut::<LANES>();
    let (outputs, more) = outputs.as_chunks_mut::<2>();
    let (wide, single) = vectors.as_chunks::<WIDTH>();
    let (wide_outputs, single_outputs) = outputs.as_chunks_mut::<WIDTH>();
    // With fewer than `WIDTH` vectors left over, inputs and outputs are split at the same place.
    for (nodes, children) in wide.iter().zip(wide_outputs) {
        level(keys, correction, nodes, children);
    }
    for (node, children) in single.iter().zip(single_outputs) {
        level(keys, correction, &[*node], std::array::from_mut(children));
    }
    if !rest.is_empty() {
        let mut last = [[[0; LANES]; 2]];
        level(keys, correction, &[padded(rest)], &mut last);
        let mut blocks = last.as_flattened().as_flattened().iter();
        let outputs = more.as_flattened_mut().iter_mut().chain(rest_outputs);
        outputs.zip(&mut blocks).for_each(|(output, block)| *output = *block);
    }
}

#[target_feature(enable = "avx512f,vaes")]
fn hash_sum(keys: &[u128; 11], nodes: &[u128]) -> u128 {
    let keys = &broadcast_keys(keys);
    let mut sum = _mm512_setzero_si512();
    let (vectors, rest) = nodes.as_chunks::<LANES>();
    let (wide, single) = vectors.as_chunks::<WIDTH>();
    for nodes in wide {
        for hash in hash(keys, &load_all(nodes)) {
            sum = _mm512_xor_si512(sum, hash);
        }
    }
    for node in single {
        let [hash] = hash(keys, &[load(node)]);
        sum = _mm512_xor_si512(sum, hash);
    }
    let mut lanes = [0u128; LANES];
    store(&mut lanes, sum);
    if !rest.is_empty() {
        let [hash] = hash(keys, &[load(&padded(rest))]);
        let mut last = [0u128; LANES];
        store(&mut last, hash);
        lanes[0] ^= last[..rest.len()].iter().fold(0, |sum, block| sum ^ block);
    }
    lanes.iter().fold(0, |sum, lane| sum ^ lane)
}

/// The shares of `nodes`, or with `ADD` what is there plus these.
#[target_feature(enable = "avx512f,vaes")]
fn shares_of<const ADD: bool>(keys: &[u128; 11], last: u128, nodes: &[u128], out: &mut [u128]) {
    #[inline]
    #[target_feature(enable = "avx512f,vaes")]
    fn run<const ADD: bool, const N: usize>(
        keys: &Keys,
        last: __m512i,
        nodes: &[[u128; LANES]; N],
        out: &mut [[u128; LANES]; N],
    ) {
        let nodes = load_all(nodes);
        let hashes = hash(keys, &nodes);
        for ((hash, node), out) in hashes.into_iter().zip(nodes).zip(out) {
            let share = add(hash, _mm512_and_si512(control_masks(node), last));
            store(out, if ADD { add(load(out), share) } else { share });
        }
    }
    let (keys, last) = (&broadcast_keys(keys), broadcast(last));
    let (vectors, rest) = nodes.as_chunks::<LANES>();
    let (outputs, rest_outputs) = out[..nodes.len()].as_chunks_mut::<LANES>();
    let (wide, single) = vectors.as_chunks::<WIDTH>();
    let (wide_outputs, single_outputs) = outputs.as_chunks_mut::<WIDTH>();
    for (nodes, out) in wide.iter().zip(wide_outputs) {
        run::<ADD, WIDTH>(keys, last, nodes, out);
    }
    for (node, out) in single.iter().zip(single_outputs) {
        run::<ADD, 1>(keys, last, &[*node], std::array::from_mut(out));
    }
    if !rest.is_empty() {
        let mut last_outputs = [padded(rest_outputs)];
        run::<ADD, 1>(keys, last, &[padded(rest)], &mut last_outputs);
        rest_outputs.copy_from_slice(&last_outputs[0][..rest.len()]);
    }
}

/// Independent chains of additions: enough to hide the latency of one with its carry.
const CHAINS: usize = 4;

#[target_feature(enable = "avx512f")]
fn sum(values: &[u128]) -> u128 {
    let (groups, rest) = values.as_chunks::<{ LANES * CHAINS }>();
    let mut sums = [_mm512_setzero_si512(); CHAINS];
    for group in groups {
        for (sum, vector) in sums.iter_mut().zip(group.as_chunks::<LANES>().0) {
            *sum = add(*sum, load(vector));
        }
    }
    let mut total = rest.iter().fold(0u128, |total, value| total.wrapping_add(*value));
    for sum in sums {
        let mut lanes = [0u128; LANES];
        store(&mut lanes, sum);
        total = lanes.iter().fold(total, |total, lane| total.wrapping_add(*lane));
    }
    total
}

#[target_feature(enable = "avx512f")]
fn weighted_sum(values: &[u128]) -> (u128, u128) {
    const GROUP: usize = LANES * CHAINS;
    let (groups, rest) = values.as_chunks::<GROUP>();
    // A value is added to the second sum once for each group from its own on.
    let mut sums = [_mm512_setzero_si512(); CHAINS];
    let mut from_here = sums;
    for group in groups {
        let vectors = group.as_chunks::<LANES>().0;
        for ((sum, repeated), vector) in sums.iter_mut().zip(&mut from_here).zip(vectors) {
            *sum = add(*sum, load(vector));
            *repeated = add(*repeated, *sum);
        }
    }
    let (mut total, mut weighted) = (0u128, 0u128);
    let count = groups.len() as u128;
    for (chain, (sum, repeated)) in sums.into_iter().zip(from_here).enumerate() {
        let mut lanes = [[0u128; LANES]; 2];
        store(&mut lanes[0], sum);
        store(&mut lanes[1], repeated);
        for (lane, (sum, repeated)) in lanes[0].iter().zip(lanes[1]).enumerate() {
            total = total.wrapping_add(*sum);
            let groups = sum.wrapping_mul(count).wrapping_sub(repeated);
            let within = sum.wrapping_mul((LANES * chain + lane) as u128);
            let all = groups.wrapping_mul(GROUP as u128).wrapping_add(within);
            weighted = weighted.wrapping_add(all);
        }
    }
    for (index, value) in ((GROUP as u128 * count)..).zip(rest) {
        total = total.wrapping_add(*value);
        weighted = weighted.wrapping_add(value.wrapping_mul(index));
    }
    (total, weighted)
}
