//! The tree of a digit mask: from a root to nodes, from nodes to the shares at the leaves.
//!
//! With `H_i` the circular correlation robust hash `AES(s(x)) ^ s(x)`,
//! `s(high, low) = (high ^ low, high)`, under the key of level `i`, a node `x` of that level with
//! control bit `t` (its lowest bit) has, for the level's correction `c`, the children
//! `left = H_i(x) ^ t*c` and `right = left ^ x`. The last level is hashed under a key of its own
//! and gives the share `H'(x) + t * last`. All keys belong to one mask of one session.
//!
//! The peer chooses the corrections, so it can make a node that it does not know come back at the
//! next level. Hashed there under the same key, the node would give itself away (`rushing` does
//! it).

use super::kernels::{BlockHash, BlockHashes};
use sha2::{Digest, Sha512};
use std::ops::Range;
use zeroize::{Zeroize, Zeroizing};

/// The last levels are walked for so many of their roots at a time, which is what the kernels take
/// in one go; their nodes stay in the first cache.
const RUN_ROOTS: usize = 32;
const RUN_LEVELS: usize = 4;
/// Nodes of a run.
pub(super) const RUN: usize = RUN_ROOTS << RUN_LEVELS;
/// However many runs there are.
pub(super) const ALL_RUNS: Range<usize> = 0..usize::MAX;

/// The widest mask that is made: its expansion has `2^20` entries.
pub const MAX_DOMAIN_BITS: u8 = 20;

/// Levels of the widest mask.
const LEVELS: usize = MAX_DOMAIN_BITS as usize;

/// The public numbers that are one mask's own.
pub(super) struct MaskKeys {
    /// The AES key of the leaves, then one a level from the root's on.
    keys: [u128; 1 + LEVELS],
    /// Offset of the two roots.
    pub offset: u128,
}

/// How a mask's keys follow from its session and its number.
pub(super) type DeriveKeys = fn(&[u8; 32], u64) -> MaskKeys;

impl MaskKeys {
    /// Those of mask `index` of `session`.
    pub fn derive(session: &[u8; 32], index: u64) -> Self {
        let [root, leaves, offset] = root_leaves_offset(session, index);
        let mut keys = [leaves; 1 + LEVELS];
        // `AES(i) ^ i` under the root key: the hash of the node that is spread to `i`.
        let nodes: [u128; LEVELS] = std::array::from_fn(|i| (i as u128) << 64 | i as u128);
        BlockHashes::new(&[root]).of(0).shares(0, &nodes, &mut keys[1..]);
        Self { keys, offset }
    }

    /// The form that gives the session's difference away: one key for all levels.
    #[cfg(test)]
    pub fn derive_one_for_all_levels(session: &[u8; 32], index: u64) -> Self {
        let [root, leaves, offset] = root_leaves_offset(session, index);
        let mut keys = [root; 1 + LEVELS];
        keys[0] = leaves;
        Self { keys, offset }
    }

    /// Ciphers of the first `levels` levels and of the leaves.
    pub fn cipher(&self, levels: usize) -> MaskCipher {
        MaskCipher(BlockHashes::new(&self.keys[..=levels]))
    }
}

/// The key from which those of the levels follow, the leaves', and the offset of the roots, which
/// leaves the control bits as they are.
fn root_leaves_offset(session: &[u8; 32], index: u64) -> [u128; 3] {
    let hash = Sha512::new_with_prefix(b"twain digit mask keys of levels")
        .chain_update(session)
        .chain_update(index.to_le_bytes())
        .finalize();
    let part = |i: usize| u128::from_le_bytes(std::array::from_fn(|j| hash[16 * i + j]));
    [part(0), part(1), part(2) & !1]
}

/// The ciphers of one mask, in the order of its keys.
pub(super) struct MaskCipher(BlockHashes);

impl MaskCipher {
    /// The hash of the nodes of a level, the root's being level 0.
    pub fn level(&self, level: usize) -> BlockHash<'_> {
        self.0.of(1 + level)
    }

    /// The hash that turns nodes into shares.
    pub fn leaves(&self) -> BlockHash<'_> {
        self.0.of(0)
    }

    /// The sum modulo `2^128`.
    pub fn sum(&self, values: &[u128]) -> u128 {
        self.leaves().sum(values)
    }
}

/// Buffers of an expansion, overwritten when dropped.
#[derive(Default)]
pub struct Scratch {
    top: [Vec<u128>; 2],
    run: [Vec<u128>; 2],
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.top.iter_mut().chain(&mut self.run).for_each(Zeroize::zeroize);
    }
}

/// Walks down from `roots`, nodes of level `first`, and returns the last level's nodes.
fn descend<'a>(
    cipher: &MaskCipher,
    first: usize,
    roots: &[u128],
    corrections: &[u128],
    buffers: &'a mut [Vec<u128>; 2],
) -> &'a [u128] {
    let length = roots.len() << corrections.len();
    let [nodes, children] = buffers;
    for buffer in [&mut *nodes, &mut *children] {
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
    }
    nodes[..roots.len()].copy_from_slice(roots);
    let mut count = roots.len();
    for (level, correction) in (first..).zip(corrections) {
        let hash = cipher.level(level);
        hash.next_level(*correction, &nodes[..count], &mut children[..2 * count]);
        std::mem::swap(nodes, children);
        count *= 2;
    }
    &nodes[..length]
}

/// Visits the nodes below `corrections` in runs: `visit(first index, nodes)`, those runs that there
/// are.
fn visit_nodes(
    cipher: &MaskCipher,
    root: u128,
    corrections: &[u128],
    runs: Range<usize>,
    scratch: &mut Scratch,
    mut visit: impl FnMut(usize, &[u128]),
) {
    let (top, bottom) = corrections.split_at(corrections.len().saturating_sub(RUN_LEVELS));
    let roots = descend(cipher, 0, &[root], top, &mut scratch.top);
    for (i, roots) in roots.chunks(RUN_ROOTS).enumerate().take(runs.end).skip(runs.start) {
        let nodes = descend(cipher, top.len(), roots, bottom, &mut scratch.run);
        visit(i * (RUN_ROOTS << bottom.len()), nodes);
    }
}

/// The sum (exclusive or) of the hashes of all nodes below `corrections`.
pub(super) fn level_sum(
    cipher: &MaskCipher,
    root: u128,
    corrections: &[u128],
    scratch: &mut Scratch,
) -> u128 {
    let mut sum = 0;
    let hash = cipher.level(corrections.len());
    visit_nodes(cipher, root, corrections, ALL_RUNS, scratch, |_, nodes| {
        sum ^= hash.hash_sum(nodes);
    });
    sum
}

/// Sums over all leaves, by which the last correction is found and the position is held.
#[derive(Default)]
pub(super) struct LeafSums {
    /// Of the uncorrected shares.
    pub shares: u128,
    /// Of the uncorrected shares times their index.
    pub weighted_shares: u128,
    /// Of the control bits.
    pub controls: u64,
    /// Of the control bits times their index.
    pub weighted_controls: u64,
    /// The first and the third, run by run.
    pub runs: Vec<(u128, u64)>,
}

pub(super) fn leaf_sums(
    cipher: &MaskCipher,
    root: u128,
    corrections: &[u128],
    scratch: &mut Scratch,
) -> LeafSums {
    let mut sums = LeafSums::default();
    let mut shares = Zeroizing::new([0u128; RUN]);
    visit_nodes(cipher, root, corrections, ALL_RUNS, scratch, |first, nodes| {
        cipher.leaves().shares(0, nodes, &mut *shares);
        let (total, weighted) = cipher.leaves().weighted_sum(&shares[..nodes.len()]);
        sums.shares = sums.shares.wrapping_add(total);
        let weighted = weighted.wrapping_add(total.wrapping_mul(first as u128));
        sums.weighted_shares = sums.weighted_shares.wrapping_add(weighted);
        let mut controls = 0;
        for (start, nodes) in (first as u64..).step_by(64).zip(nodes.chunks(64)) {
            let bits = nodes.iter().rev().fold(0u64, |bits, node| bits << 1 | *node as u64 & 1);
            controls += u64::from(bits.count_ones());
            sums.weighted_controls += start * u64::from(bits.count_ones()) + index_sum(bits);
        }
        sums.controls += controls;
        sums.runs.push((total, controls));
    });
    sums
}

/// The sum of the positions of the bits that are set.
fn index_sum(bits: u64) -> u64 {
    // Positions whose binary digit 0, 1, ... 5 is 1.
    const DIGITS: [u64; 6] = [
        0xaaaa_aaaa_aaaa_aaaa,
        0xcccc_cccc_cccc_cccc,
        0xf0f0_f0f0_f0f0_f0f0,
        0xff00_ff00_ff00_ff00,
        0xffff_0000_ffff_0000,
        0xffff_ffff_0000_0000,
    ];
    let digits = DIGITS.iter().enumerate();
    digits.map(|(i, digit)| u64::from((bits & digit).count_ones()) << i).sum()
}

/// Visits the leaves' raw shares in runs: `visit(first index, shares)`, those runs that there are.
pub(super) fn expand(
    cipher: &MaskCipher,
    root: u128,
    corrections: &[u128],
    last: u128,
    runs: Range<usize>,
    scratch: &mut Scratch,
    mut visit: impl FnMut(usize, &[u128]),
) {
    let mut shares = Zeroizing::new([0u128; RUN]);
    visit_nodes(cipher, root, corrections, runs, scratch, |first, nodes| {
        cipher.leaves().shares(last, nodes, &mut *shares);
        visit(first, &shares[..nodes.len()]);
    });
}

/// Adds the leaves' raw shares to `counts`, entry `i` to entry `i - shift` modulo their number.
pub(super) fn accumulate(
    cipher: &MaskCipher,
    root: u128,
    corrections: &[u128],
    last: u128,
    shift: usize,
    counts: &mut [u128],
    scratch: &mut Scratch,
) {
    let length = counts.len();
    visit_nodes(cipher, root, corrections, ALL_RUNS, scratch, |first, nodes| {
        let start = (first + length - shift % length) % length;
        let (head, tail) = nodes.split_at(nodes.len().min(length - start));
        cipher.leaves().add_shares(last, head, &mut counts[start..]);
        cipher.leaves().add_shares(last, tail, counts);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes::Aes128Enc;
    use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
    use std::collections::HashSet;

    /// The derivation as the protocol states it, with the library's cipher block by block.
    #[test]
    fn keys_of_levels_are_derived_as_stated() {
        let (session, index) = ([3; 32], 0x0102_0304_0506_0708_u64);
        let MaskKeys { keys, offset } = MaskKeys::derive(&session, index);
        let mut input = b"twain digit mask keys of levels".to_vec();
        input.extend(session);
        input.extend([8, 7, 6, 5, 4, 3, 2, 1]);
        let hash = Sha512::digest(input);
        assert_eq!(keys[0].to_le_bytes(), hash[16..32]);
        let [lowest, rest @ ..] = offset.to_le_bytes();
        assert_eq!(lowest, hash[32] & 0xfe);
        assert_eq!(rest, hash[33..48]);
        let root = Aes128Enc::new_from_slice(&hash[..16]).unwrap();
        for (level, key) in keys[1..].iter().enumerate() {
            let mut block = Array([0; 16]);
            block[0] = level as u8;
            root.encrypt_block(&mut block);
            block[0] ^= level as u8;
            assert_eq!(key.to_le_bytes(), block.0, "level {level}");
        }
    }

    #[test]
    fn no_key_serves_two_levels_or_masks() {
        let masks = [([1; 32], 0), ([1; 32], 1), ([2; 32], 0)];
        let keys = masks.map(|(session, index)| MaskKeys::derive(&session, index).keys);
        let distinct: HashSet<u128> = keys.iter().flatten().copied().collect();
        assert_eq!(distinct.len(), 3 * (1 + LEVELS));
    }
}
