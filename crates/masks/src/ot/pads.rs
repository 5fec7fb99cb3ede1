//! Pads: hashes of transfers' blocks, of which a receiver knows the one it chose.
//!
//! Part `p` of the pad of block `x` is `f(f(x) ^ i) ^ f(x)`, where `f` is AES-128 under one key a
//! session and the *tweak* `i` says who sends, which transfer it is, what the pad is for, and `p`
//! (Guo, Katz, Wang and Yu, *Efficient and secure multiparty computation from fixed-key block
//! ciphers*, S&P 2020: tweakable and circular correlation robust, if AES is an ideal permutation).
//!
//! The tweak comes between two ciphers because a receiver may choose its blocks. Were it only added
//! to the block, `f(x ^ i) ^ x`, two transfers with `x ^ i` alike would have pads whose sum is
//! known, also of the blocks that the receiver lacks (a test does it).

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use sha2::{Digest, Sha512};
use twain_party::Role;

/// What a pad is for: one transfer may serve several purposes, each with a pad of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PadUse {
    /// The sign of a digit mask's last correction word.
    MaskSign = 1,
    /// A product of two bits, into bits.
    BitProduct = 2,
    /// A product of two bits, into the field.
    BitToField = 3,
    /// A product of a bit and a field element.
    BitTimesField = 4,
    /// A product of two index bits of a digit mask, for its position.
    MaskPosition = 5,
}

/// The hash of a session.
pub(super) struct PadHash(Aes128Enc);

impl PadHash {
    pub fn new(session: &[u8; 32]) -> Self {
        let hash = Sha512::new_with_prefix(b"twain oblivious transfer pad key")
            .chain_update(session)
            .finalize();
        Self(Aes128Enc::new(&Array(std::array::from_fn(|i| hash[i]))))
    }

    /// `N` parts of the pad of `block` in transfer `index` of the direction in which `sender`
    /// sends.
    pub fn pad<const N: usize>(
        &self,
        sender: Role,
        index: u64,
        block: u128,
        pad_use: PadUse,
    ) -> [u128; N] {
        let mut hidden = Array(block.to_le_bytes());
        self.0.encrypt_block(&mut hidden);
        let hidden = u128::from_le_bytes(hidden.0);
        let mut parts: [_; N] = std::array::from_fn(|part| {
            Array((hidden ^ tweak(sender, index, pad_use, part as u8)).to_le_bytes())
        });
        self.0.encrypt_blocks(&mut parts);
        parts.map(|part| u128::from_le_bytes(part.0) ^ hidden)
    }
}

/// From the lowest byte on: eight of the index, the use, the part, the sender.
fn tweak(sender: Role, index: u64, pad_use: PadUse, part: u8) -> u128 {
    let of_whom = u128::from(sender as u8) << 80;
    u128::from(index) | u128::from(pad_use as u8) << 64 | u128::from(part) << 72 | of_whom
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The definition, with other code for the cipher's key.
    #[test]
    fn pads_are_as_stated() {
        let pads = PadHash::new(&[9; 32]);
        let mut input = b"twain oblivious transfer pad key".to_vec();
        input.extend([9; 32]);
        let cipher = Aes128Enc::new_from_slice(&Sha512::digest(input)[..16]).unwrap();
        let f = |block: u128| {
            let mut block = Array(block.to_le_bytes());
            cipher.encrypt_block(&mut block);
            u128::from_le_bytes(block.0)
        };
        let (index, block) = (0x0102_0304_0506_0708_u64, 77 << 100 | 5);
        let parts: [u128; 3] = pads.pad(Role::Data, index, block, PadUse::BitToField);
        for (part, pad) in (0..).zip(parts) {
            let mut tweak = [0; 16];
            tweak[..8].copy_from_slice(&index.to_le_bytes());
            tweak[8..11].copy_from_slice(&[3, part, 1]);
            assert_eq!(pad, f(f(block) ^ u128::from_le_bytes(tweak)) ^ f(block));
        }
    }

    #[test]
    fn every_transfer_use_part_and_direction_has_its_own() {
        let pads = PadHash::new(&[1; 32]);
        let mut all: Vec<u128> = Vec::new();
        for sender in [Role::Model, Role::Data] {
            for index in [0, 1, 1 << 40] {
                for pad_use in [PadUse::MaskSign, PadUse::BitProduct, PadUse::BitTimesField] {
                    all.extend(pads.pad::<3>(sender, index, 5, pad_use));
                }
            }
        }
        all.extend(PadHash::new(&[2; 32]).pad::<3>(Role::Model, 0, 5, PadUse::MaskSign));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    /// A receiver whose blocks of two transfers differ as the tweaks do. It lacks both other pads.
    /// With the tweak added to the block it knows their sum, whatever the sender's difference is;
    /// with none at all two transfers with one block have one pad.
    #[test]
    fn chosen_blocks_give_no_relation_between_pads_that_are_not_known() {
        let pads = PadHash::new(&[1; 32]);
        let f = |block: u128| {
            let mut block = Array(block.to_le_bytes());
            pads.0.encrypt_block(&mut block);
            u128::from_le_bytes(block.0)
        };
        let tweaks = [4, 7].map(|index| tweak(Role::Model, index, PadUse::BitProduct, 0));
        let block: u128 = 0x1234_5678_9abc_def0 << 50;
        let blocks = [block ^ tweaks[0], block ^ tweaks[1]];
        let (mut sums, mut sums_at_equal) = (HashSet::new(), HashSet::new());
        for delta in (0..50).map(f) {
            let weak = [0, 1].map(|i| f(blocks[i] ^ delta ^ tweaks[i]) ^ blocks[i] ^ delta);
            assert_eq!(weak[0] ^ weak[1], tweaks[0] ^ tweaks[1], "known to the receiver");
            let pad = |index, block| {
                let [pad] = pads.pad(Role::Model, index, block ^ delta, PadUse::BitProduct);
                pad
            };
            sums.insert(pad(4, blocks[0]) ^ pad(7, blocks[1]));
            sums_at_equal.insert(pad(4, block) ^ pad(7, block));
        }
        assert_eq!((sums.len(), sums_at_equal.len()), (50, 50));
        assert!(!sums.contains(&(tweaks[0] ^ tweaks[1])) && !sums_at_equal.contains(&0));
    }
}
