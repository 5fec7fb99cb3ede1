//! The tree of a digit mask: from a root to nodes, from nodes to the shares at the leaves.
//!
//! With `H` the circular correlation robust hash `AES(s(x)) ^ s(x)`, `s(high, low) = (high ^ low,
//! high)`, a node `x` with control bit `t` (its lowest bit) and the level's correction `c` has the
//! children `left = H(x) ^ t*c` and `right = left ^ x`. The last level is hashed under a second
//! cipher and gives the share `H'(x) + t * last`. Both ciphers belong to one mask of one session.

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

/// Blocks encrypted in one call: what the widest implementation takes at once.
const TILE: usize = 64;
/// Levels of the subtrees that are walked one after the other: their nodes stay in the first cache.
const SUBTREE_LEVELS: usize = 10;

/// The ciphers of one mask.
pub(super) struct MaskCipher {
    tree: Aes128Enc,
    leaves: Aes128Enc,
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
            tree: Aes128Enc::new(&Array(part(0))),
            leaves: Aes128Enc::new(&Array(part(1))),
            offset: u128::from_le_bytes(part(2)) & !1,
        }
    }
}

/// Hashes up to [`TILE`] nodes and hands each hash to `put` with its position.
fn hash_tile(cipher: &Aes128Enc, nodes: &[u128], mut put: impl FnMut(usize, u128)) {
    let spread = |node: u128| node.rotate_left(64) ^ (node >> 64 << 64);
    let mut tile = [Array([0u8; 16]); TILE];
    for (block, node) in tile.iter_mut().zip(nodes) {
        block.0 = spread(*node).to_le_bytes();
    }
    cipher.encrypt_blocks(&mut tile[..nodes.len().min(TILE)]);
    for (i, (block, node)) in tile.iter().zip(nodes).enumerate() {
        put(i, u128::from_le_bytes(block.0) ^ spread(*node));
    }
}

/// All ones if the control bit of `node` is set.
fn control_mask(node: u128) -> u128 {
    0u128.wrapping_sub(node & 1)
}

fn next_level(cipher: &MaskCipher, correction: u128, nodes: &[u128], children: &mut [u128]) {
    let tiles = nodes.chunks(TILE).zip(children.chunks_mut(2 * TILE));
    for (nodes, children) in tiles {
        let (pairs, _) = children.as_chunks_mut::<2>();
        hash_tile(&cipher.tree, nodes, |i, hash| {
            let left = hash ^ correction & control_mask(nodes[i]);
            pairs[i] = [left, left ^ nodes[i]];
        });
    }
}

/// Buffers of an expansion, overwritten when dropped.
#[derive(Default)]
pub struct Scratch {
    top: [Vec<u128>; 2],
    subtree: [Vec<u128>; 2],
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.top.iter_mut().chain(&mut self.subtree).for_each(Zeroize::zeroize);
    }
}

/// Walks down from `roots`; the last level's nodes are in the first buffer.
fn descend<'a>(
    cipher: &MaskCipher,
    roots: &[u128],
    corrections: &[u128],
    buffers: &'a mut [Vec<u128>; 2],
) -> &'a [u128] {
    let [nodes, children] = buffers;
    nodes.clear();
    nodes.extend_from_slice(roots);
    for correction in corrections {
        children.resize(2 * nodes.len(), 0);
        next_level(cipher, *correction, nodes, children);
        std::mem::swap(nodes, children);
    }
    nodes
}

/// Visits the nodes below `corrections` in runs: `visit(first index, nodes)`.
fn visit_nodes(
    cipher: &MaskCipher,
    root: u128,
    corrections: &[u128],
    scratch: &mut Scratch,
    mut visit: impl FnMut(usize, &[u128]),
) {
    let (top, bottom) = corrections.split_at(corrections.len().saturating_sub(SUBTREE_LEVELS));
    let roots = descend(cipher, &[root], top, &mut scratch.top);
    for (i, root) in roots.iter().enumerate() {
        let nodes = descend(cipher, &[*root], bottom, &mut scratch.subtree);
        visit(i << bottom.len(), nodes);
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
    visit_nodes(cipher, root, corrections, scratch, |_, nodes| {
        for nodes in nodes.chunks(TILE) {
            hash_tile(&cipher.tree, nodes, |_, hash| sum ^= hash);
        }
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
}

pub(super) fn leaf_sums(
    cipher: &MaskCipher,
    root: u128,
    corrections: &[u128],
    scratch: &mut Scratch,
) -> LeafSums {
    let mut sums = LeafSums::default();
    visit_nodes(cipher, root, corrections, scratch, |first, nodes| {
        for (tile, nodes) in nodes.chunks(TILE).enumerate() {
            let base = first + TILE * tile;
            let (mut total, mut weighted) = (0u128, 0u128);
            let (mut controls, mut weighted_controls) = (0, 0);
            hash_tile(&cipher.leaves, nodes, |i, hash| {
                total = total.wrapping_add(hash);
                weighted = weighted.wrapping_add(hash.wrapping_mul(i as u128));
                controls += nodes[i] as u64 & 1;
                weighted_controls += (nodes[i] as u64 & 1) * i as u64;
            });
            sums.shares = sums.shares.wrapping_add(total);
            let offset = total.wrapping_mul(base as u128);
            sums.weighted_shares = sums.weighted_shares.wrapping_add(weighted).wrapping_add(offset);
            sums.controls += controls;
            sums.weighted_controls += weighted_controls + controls * base as u64;
        }
    });
    sums
}

/// Visits the leaves' raw shares in runs: `visit(first index, shares)`.
pub(super) fn expand(
    cipher: &MaskCipher,
    root: u128,
    corrections: &[u128],
    last: u128,
    scratch: &mut Scratch,
    mut visit: impl FnMut(usize, &[u128]),
) {
    let mut shares = Zeroizing::new([0u128; 1 << SUBTREE_LEVELS]);
    visit_nodes(cipher, root, corrections, scratch, |first, nodes| {
        for (nodes, shares) in nodes.chunks(TILE).zip(shares.chunks_mut(TILE)) {
            hash_tile(&cipher.leaves, nodes, |i, hash| {
                shares[i] = hash.wrapping_add(last & control_mask(nodes[i]));
            });
        }
        visit(first, &shares[..nodes.len()]);
    });
}
