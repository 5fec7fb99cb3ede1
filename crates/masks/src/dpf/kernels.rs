//! Bulk operations on the nodes and leaves of a mask's tree, each under one of the mask's AES keys:
//! portable here (the `aes` crate chooses its instructions at run time), on 512-bit vectors where
//! they exist.

#[cfg(target_arch = "x86_64")]
use super::vaes::{Schedules, Vaes};
use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};

/// Blocks encrypted in one call.
const TILE: usize = 64;

/// Hashes under several AES keys, whose schedules are made once and together.
pub(super) enum BlockHashes {
    Portable(Vec<Aes128Enc>),
    #[cfg(target_arch = "x86_64")]
    Vaes(Schedules),
}

impl BlockHashes {
    /// A hash for each key, a block as a little-endian number.
    pub fn new(keys: &[u128]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(schedules) = Schedules::new(keys) {
            return Self::Vaes(schedules);
        }
        Self::portable(keys)
    }

    fn portable(keys: &[u128]) -> Self {
        let schedule = |key: &u128| Aes128Enc::new(&Array(key.to_le_bytes()));
        Self::Portable(keys.iter().map(schedule).collect())
    }

    /// The hash under key `number`.
    pub fn of(&self, number: usize) -> BlockHash<'_> {
        match self {
            Self::Portable(schedules) => BlockHash::Portable(&schedules[number]),
            #[cfg(target_arch = "x86_64")]
            Self::Vaes(schedules) => BlockHash::Vaes(schedules.of(number)),
        }
    }
}

/// `H(x) = AES(s(x)) ^ s(x)` with `s(high, low) = (high ^ low, high)` for one key.
#[derive(Clone, Copy)]
pub(super) enum BlockHash<'a> {
    Portable(&'a Aes128Enc),
    #[cfg(target_arch = "x86_64")]
    Vaes(Vaes<'a>),
}

impl BlockHash<'_> {
    /// Children of `nodes`, two for each, from the first of `children` on.
    pub fn next_level(&self, correction: u128, nodes: &[u128], children: &mut [u128]) {
        let children = &mut children[..2 * nodes.len()];
        let cipher = match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vaes(vaes) => return vaes.next_level(correction, nodes, children),
            Self::Portable(cipher) => cipher,
        };
        for (nodes, children) in nodes.chunks(TILE).zip(children.chunks_mut(2 * TILE)) {
            let (pairs, _) = children.as_chunks_mut::<2>();
            hash_tile(cipher, nodes, |i, hash| {
                let left = hash ^ correction & control_mask(nodes[i]);
                pairs[i] = [left, left ^ nodes[i]];
            });
        }
    }

    /// The exclusive or of the hashes of `nodes`.
    pub fn hash_sum(&self, nodes: &[u128]) -> u128 {
        let cipher = match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vaes(vaes) => return vaes.hash_sum(nodes),
            Self::Portable(cipher) => cipher,
        };
        let mut sum = 0;
        for nodes in nodes.chunks(TILE) {
            hash_tile(cipher, nodes, |_, hash| sum ^= hash);
        }
        sum
    }

    /// The hash of each node, plus `last` modulo `2^128` where its control bit is set, from the
    /// first of `shares` on.
    pub fn shares(&self, last: u128, nodes: &[u128], shares: &mut [u128]) {
        let shares = &mut shares[..nodes.len()];
        let cipher = match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vaes(vaes) => return vaes.shares(last, nodes, shares),
            Self::Portable(cipher) => cipher,
        };
        for (nodes, shares) in nodes.chunks(TILE).zip(shares.chunks_mut(TILE)) {
            hash_tile(cipher, nodes, |i, hash| {
                shares[i] = hash.wrapping_add(last & control_mask(nodes[i]));
            });
        }
    }

    /// Adds the shares of `nodes`, see [`Self::shares`], to the first of `sums` modulo `2^128`.
    pub fn add_shares(&self, last: u128, nodes: &[u128], sums: &mut [u128]) {
        let sums = &mut sums[..nodes.len()];
        let cipher = match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vaes(vaes) => return vaes.add_shares(last, nodes, sums),
            Self::Portable(cipher) => cipher,
        };
        for (nodes, sums) in nodes.chunks(TILE).zip(sums.chunks_mut(TILE)) {
            hash_tile(cipher, nodes, |i, hash| {
                let share = hash.wrapping_add(last & control_mask(nodes[i]));
                sums[i] = sums[i].wrapping_add(share);
            });
        }
    }

    /// The sum modulo `2^128`.
    pub fn sum(&self, values: &[u128]) -> u128 {
        #[cfg(target_arch = "x86_64")]
        if let Self::Vaes(vaes) = self {
            return vaes.sum(values);
        }
        values.iter().fold(0, |sum, value| sum.wrapping_add(*value))
    }

    /// The sum, and the sum weighted by the index, modulo `2^128`.
    pub fn weighted_sum(&self, values: &[u128]) -> (u128, u128) {
        #[cfg(target_arch = "x86_64")]
        if let Self::Vaes(vaes) = self {
            return vaes.weighted_sum(values);
        }
        let mut sums = (0u128, 0u128);
        for (index, value) in (0u128..).zip(values) {
            sums.0 = sums.0.wrapping_add(*value);
            sums.1 = sums.1.wrapping_add(value.wrapping_mul(index));
        }
        sums
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

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::{RngCore, SeedableRng};

    /// All results of one implementation.
    fn results(hash: BlockHash, nodes: &[u128], extra: u128) -> Vec<u128> {
        let count = nodes.len();
        let mut results = vec![0; 2 * count + 9];
        hash.next_level(extra, nodes, &mut results);
        let mut shares = vec![0; count + 9];
        hash.shares(extra, nodes, &mut shares);
        let mut sums = results[..count].to_vec();
        hash.add_shares(extra, nodes, &mut sums);
        hash.add_shares(extra, &nodes[..count / 3], &mut sums[count / 2..]);
        let twice = results[count / 2].wrapping_add(shares[count / 2]);
        assert!(count < 3 || sums[count / 2] == twice.wrapping_add(shares[0]));
        let (sum, weighted) = hash.weighted_sum(&shares);
        assert_eq!(hash.sum(&shares), sum);
        results.extend(shares);
        results.extend(sums);
        results.extend([hash.hash_sum(nodes), sum, weighted]);
        results
    }

    #[test]
    fn vectors_equal_the_portable_kernels() {
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        let mut block = || u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
        for count in [1, 2, 3, 4, 5, 8, 31, 32, 33, 64, 100, 512] {
            let key = block();
            // Some low halves that carry.
            let nodes: Vec<u128> = (0..count)
                .map(|i| if i % 5 == 0 { block() | u128::from(u64::MAX) } else { block() })
                .collect();
            let extra = block() | u128::from(u64::MAX);
            let portable = results(BlockHashes::portable(&[key]).of(0), &nodes, extra);
            assert_eq!(results(BlockHashes::new(&[key]).of(0), &nodes, extra), portable, "{count}");
        }
    }

    /// Schedules that are made together are those of their keys, however many there are.
    #[test]
    fn schedules_of_vectors_equal_the_portable_ones() {
        let mut rng = ChaCha20Rng::seed_from_u64(10);
        let mut block = || u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
        for count in 0..=22 {
            let keys: Vec<u128> = (0..count).map(|_| block()).collect();
            let (hashes, portable) = (BlockHashes::new(&keys), BlockHashes::portable(&keys));
            let nodes = [block(), block(), block()];
            for (number, key) in keys.iter().enumerate() {
                let expected = results(portable.of(number), &nodes, *key);
                assert_eq!(results(hashes.of(number), &nodes, *key), expected);
                let alone = BlockHashes::new(&[*key]);
                assert_eq!(results(alone.of(0), &nodes, *key), expected, "{number} of {count}");
            }
        }
    }

    /// Test vector of FIPS 197, appendix C.1: the hash is AES on a spread block, added to it.
    #[test]
    fn the_cipher_is_aes() {
        let key = u128::from_le_bytes(std::array::from_fn(|i| i as u8));
        let plain = u128::from_le_bytes(std::array::from_fn(|i| 0x11 * i as u8));
        let cipher: [u8; 16] = [
            0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4,
            0xc5, 0x5a,
        ];
        // The node whose spread is `plain`: high = low half of it, low = both halves added.
        let (high, low) = (plain as u64, (plain >> 64) as u64 ^ plain as u64);
        let node = u128::from(high) << 64 | u128::from(low);
        let expected = u128::from_le_bytes(cipher) ^ plain;
        assert_eq!(BlockHashes::new(&[key]).of(0).hash_sum(&[node]), expected);
        assert_eq!(BlockHashes::portable(&[key]).of(0).hash_sum(&[node]), expected);
    }
}
