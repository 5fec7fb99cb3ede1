//! The tree of a digit mask: from a root to nodes, from nodes to the shares at the leaves.
//!
//! With `H` the circular correlation robust hash `AES(s(x)) ^ s(x)`, `s(high, low) = (high ^ low,
//! high)`, a node `x` with control bit `t` (its lowest bit) and the level's correction `c` has the
//! children `left = H(x) ^ t*c` and `right = left ^ x`. The last level is hashed under a second
//! cipher and gives the share `H'(x) + t * last`. Both ciphers belong to one mask of one session.

use super::kernels::BlockHash;
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

/// The ciphers of one mask.
pub(super) struct MaskCipher {
    tree: BlockHash,
    leaves: BlockHash,
    /// Public offset of the two roots.
    pub offset: u128,
}

impl MaskCipher {
    pub fn new(session: &[u8; 32], index: u64) -> Self {
        let hash = Sha512::new_with_prefix(b"twain digit mask ciphers")
            .chain_update(session)
            .chain_update(index.to_le_bytes())
            .finalize();
        let part = |i: usize| -> [u8; 16] { std::array::from_fn(|j| hash[16 * i + j]) };
        Self {
            tree: BlockHash::new(&part(0)),
            leaves: BlockHash::new(&part(1)),
            offset: u128::from_le_bytes(part(2)) & !1,
        }
    }

    /// The sum modulo `2^128`.
    pub fn sum(&self, values: &[u128]) -> u128 {
        self.leaves.sum(values)
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

/// Walks down from `roots` and returns the last level's nodes.
fn descend<'a>(
    cipher: &MaskCipher,
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
    for correction in corrections {
        cipher.tree.next_level(*correction, &nodes[..count], &mut children[..2 * count]);
        std::mem::swap(nodes, children);
        count *= 2;
    }
    &nodes[..length]
}

/// Visits the nodes below `corrections` in runs: `visit(first index, nodes)`, those runs that there are.
fn visit_nodes(
    cipher: &MaskCipher,
    root: u128,
    corrections: &[u128],
    runs: Range<usize>,
    scratch: &mut Scratch,
    mut visit: impl FnMut(usize, &[u128]),
) {
    let (top, bottom) = corrections.split_at(corrections.len().saturating_sub(RUN_LEVELS));
    let roots = descend(cipher, &[root], top, &mut scratch.top);
    for (i, roots) in roots.chunks(RUN_ROOTS).enumerate().take(runs.end).skip(runs.start) {
        let nodes = descend(cipher, roots, bottom, &mut scratch.run);
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
    visit_nodes(cipher, root, corrections, ALL_RUNS, scratch, |_, nodes| {
        sum ^= cipher.tree.hash_sum(nodes);
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
        cipher.leaves.shares(0, nodes, &mut *shares);
        let (total, weighted) = cipher.leaves.weighted_sum(&shares[..nodes.len()]);
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
        cipher.leaves.shares(last, nodes, &mut *shares);
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
        cipher.leaves.add_shares(last, head, &mut counts[start..]);
        cipher.leaves.add_shares(last, tail, counts);
    });
}
