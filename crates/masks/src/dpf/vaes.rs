//! The kernels of a mask's tree on four blocks at a time, with AES and 512-bit vectors (VAES,
//! AVX-512). They give the same bytes as [`super::tree`]'s portable ones, against which they are
//! tested.
//!
//! Safety: every function that is compiled for these instructions is private and called only by a
//! function of [`Schedules`] or of [`Vaes`], which exist only where they were detected. Memory is
//! read and written through references to blocks and to arrays of four, unaligned.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

/// Blocks in one vector.
const LANES: usize = 4;
/// Vectors encrypted in one go: enough to hide the latency of a round.
const WIDTH: usize = 8;

/// Round keys of four AES-128 keys: for each round one of each.
type Rounds = [[u128; LANES]; 11];

/// Schedules of AES-128 keys, where the instructions exist. They are not overwritten when dropped:
/// both parties know a mask's keys, and nothing of them is secret.
pub(super) struct Schedules(Vec<Rounds>);

impl Schedules {
    /// One for each key; none where the processor lacks the instructions.
    pub fn new(keys: &[u128]) -> Option<Self> {
        let detected = is_x86_feature_detected!("vaes") && is_x86_feature_detected!("avx512f");
        // SAFETY: the instructions were detected.
        detected.then(|| Self(unsafe { schedules(keys) }))
    }

    /// The kernels under key `number`.
    pub fn of(&self, number: usize) -> Vaes<'_> {
        Vaes { rounds: &self.0[number / LANES], lane: number % LANES }
    }
}

/// The kernels under one key.
#[derive(Clone, Copy)]
pub(super) struct Vaes<'a> {
    rounds: &'a Rounds,
    lane: usize,
}

impl Vaes<'_> {
    /// Children of `nodes`, two for each.
    pub fn next_level(&self, correction: u128, nodes: &[u128], children: &mut [u128]) {
        // SAFETY: a `Vaes` exists.
        unsafe { next_level(*self, correction, nodes, children) }
    }

    /// The exclusive or of the hashes of `nodes`.
    pub fn hash_sum(&self, nodes: &[u128]) -> u128 {
        // SAFETY: a `Vaes` exists.
        unsafe { hash_sum(*self, nodes) }
    }

    /// The hash of each node, plus `last` modulo `2^128` where its control bit is set.
    pub fn shares(&self, last: u128, nodes: &[u128], shares: &mut [u128]) {
        // SAFETY: a `Vaes` exists.
        unsafe { shares_of::<false>(*self, last, nodes, shares) }
    }

    /// Adds the shares to `sums` modulo `2^128`.
    pub fn add_shares(&self, last: u128, nodes: &[u128], sums: &mut [u128]) {
        // SAFETY: a `Vaes` exists.
        unsafe { shares_of::<true>(*self, last, nodes, sums) }
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
fn broadcast(block: &u128) -> __m512i {
    // SAFETY: 16 readable bytes.
    _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(std::ptr::from_ref(block).cast()) })
}

#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast_keys(key: Vaes<'_>) -> Keys {
    let mut vectors = [_mm512_setzero_si512(); 11];
    for (vector, round) in vectors.iter_mut().zip(key.rounds) {
        *vector = broadcast(&round[key.lane % LANES]);
    }
    vectors
}

/// Vectors of keys whose schedules are made in one go: a step waits for the one before it, and two
/// hide that.
const KEY_VECTORS: usize = 2;

#[target_feature(enable = "avx512f,vaes")]
fn schedules(keys: &[u128]) -> Vec<Rounds> {
    let mut schedules = vec![[[0; LANES]; 11]; keys.len().div_ceil(LANES)];
    let (pairs, single) = schedules.as_chunks_mut::<KEY_VECTORS>();
    let (vectors, rest) = keys.as_chunks::<LANES>();
    let (vector_pairs, vectors) = vectors.as_chunks::<KEY_VECTORS>();
    for (keys, schedules) in vector_pairs.iter().zip(&mut *pairs) {
        expand_keys(keys, schedules);
    }
    // Up to a pair of vectors is left over, its second or only one perhaps filled up.
    let last = [padded(rest)];
    let vectors = vectors.iter().chain(last.iter().filter(|_| !rest.is_empty()));
    let mut left = pairs[vector_pairs.len()..].as_flattened_mut().iter_mut().chain(single);
    for (keys, schedule) in vectors.zip(&mut left) {
        expand_keys(std::array::from_ref(keys), std::array::from_mut(schedule));
    }
    schedules
}

/// Four schedules from each vector of keys.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn expand_keys<const N: usize>(keys: &[[u128; LANES]; N], schedules: &mut [Rounds; N]) {
    const CONSTANTS: [i32; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 0x1b, 0x36];
    let mut current = load_all(keys);
    for (schedule, key) in schedules.iter_mut().zip(current) {
        store(&mut schedule[0], key);
    }
    for (round, constant) in (1..).zip(CONSTANTS) {
        let constant = _mm512_set1_epi32(constant);
        for (schedule, key) in schedules.iter_mut().zip(&mut current) {
            // The last word, rotated, in all four columns: the cipher's shift of rows leaves them
            // as they are, so its last round substitutes the word and adds the constant.
            let word = _mm512_ror_epi32::<8>(_mm512_shuffle_epi32::<0xff>(*key));
            let word = _mm512_aesenclast_epi128(word, constant);
            // Each word becomes the sum of itself and those below it, plus that one.
            let one = _mm512_maskz_shuffle_epi32::<0x90>(0xeeee, *key);
            let one = _mm512_xor_si512(*key, one);
            let two = _mm512_maskz_shuffle_epi32::<0x40>(0xcccc, one);
            *key = _mm512_xor_si512(_mm512_xor_si512(one, two), word);
            store(&mut schedule[round], *key);
        }
    }
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
fn next_level(key: Vaes<'_>, correction: u128, nodes: &[u128], children: &mut [u128]) {
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
    let (keys, correction) = (&broadcast_keys(key), broadcast(&correction));
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
fn hash_sum(key: Vaes<'_>, nodes: &[u128]) -> u128 {
    let keys = &broadcast_keys(key);
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
fn shares_of<const ADD: bool>(key: Vaes<'_>, last: u128, nodes: &[u128], out: &mut [u128]) {
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
    let (keys, last) = (&broadcast_keys(key), broadcast(&last));
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
