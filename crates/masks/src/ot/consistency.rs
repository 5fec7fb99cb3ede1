//! Whether a receiver's choices are the same in all columns of the extension.
//!
//! A receiver sends its choices once a column. If a column holds others, the sender's row is wrong
//! exactly if its `delta` has a 1 there, and whatever shows that (a wrong result, a failed session)
//! gives a bit of `delta` away. So the receiver also sends *check words*: a random linear hash, 128
//! bits, of its choices and of each column, which have to fit together as the rows do (the check of
//! Keller, Orsini and Scholl, CRYPTO 2015, in the form of Roy, *SoftSpokenOT*, CRYPTO 2022: the
//! columns are hashed one by one, not added up first).
//!
//! The hash of rows `r_0, r_1, ...` and of 128 more, `e_0, ..., e_127`, is `128` words
//!
//! ```text
//! word k  =  e_k ^ (exclusive or of r_j where bit k of T_j is 1)
//! ```
//!
//! The `T_j`, of 128 bits, are expanded from a hash of the frame, which fixes all columns. The
//! choices of the `e_k` are random and used for nothing else, so the hash of the choices is
//! uniform, whatever they are. With `t` for the receiver's rows, `q` for the sender's: `q_j = t_j ^
//! c_j * delta`, so word `k` of the `q` is word `k` of the `t`, plus `delta` if bit `k` of the
//! choices' hash is 1.
//!
//! A column whose choices have another hash than the receiver names passes only if its bit of
//! `delta` is guessed. Two columns with different choices have the same hash with probability
//! `2^-128` for each frame that is tried. So to be wrong in `k` columns is to bet on `k` bits of
//! `delta`.

use super::base::COUNT;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use twain_party::Role;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of the check words: the choices' hash, then a word for each of its bits.
pub(super) const CHECK_BYTES: usize = 16 * (1 + COUNT);

/// A hash of rows: word `k` has bit `i` of the hash of column `i`.
pub(super) type RowHash = [u128; COUNT];

/// Which frame it is: of which session, from whom, and how many came before it.
#[derive(Clone, Copy)]
pub(super) struct FrameContext {
    pub session: [u8; 32],
    pub receiver: Role,
    pub counter: u64,
}

/// The linear hash that belongs to a frame.
pub(super) struct LinearHash([u8; 32]);

impl LinearHash {
    /// The one of this frame, which holds the receiver's choices in all columns.
    pub fn of_frame(context: FrameContext, frame: &[u8]) -> Self {
        let hash = Sha256::new_with_prefix(b"twain oblivious transfer check")
            .chain_update(context.session)
            .chain_update([context.receiver as u8])
            .chain_update(context.counter.to_le_bytes())
            .chain_update(frame);
        Self(hash.finalize().into())
    }

    /// The multipliers `T` of the 128 rows of a block.
    fn multipliers(&self, block: usize) -> [u128; COUNT] {
        let mut stream = ChaCha20Rng::from_seed(self.0);
        // A block takes as many words of the stream.
        stream.set_word_pos((block * COUNT * size_of::<u128>() / size_of::<u32>()) as u128);
        std::array::from_fn(|_| u128::from(stream.next_u64()) | u128::from(stream.next_u64()) << 64)
    }

    /// The hash of rows and of the 128 that come last.
    pub fn rows(&self, rows: &[u128], last: &[u128; COUNT]) -> RowHash {
        let add = |mut sum: RowHash, more: RowHash| {
            sum.iter_mut().zip(more).for_each(|(word, more)| *word ^= more);
            sum
        };
        let blocks = rows.par_chunks(COUNT).enumerate().map(|(block, rows)| {
            let mut sum = [0; COUNT];
            // The multipliers are public; the rows are only added.
            for (multiplier, row) in self.multipliers(block).into_iter().zip(rows) {
                let mut rest = multiplier;
                while rest != 0 {
                    sum[rest.trailing_zeros() as usize] ^= row;
                    rest &= rest - 1;
                }
            }
            sum
        });
        add(blocks.reduce(|| [0; COUNT], add), *last)
    }

    /// The same of one bit a row; the last 128 in one word.
    pub fn choices(&self, choices: &[u8], last: u128) -> u128 {
        let blocks = choices.par_chunks(COUNT).enumerate().map(|(block, choices)| {
            let chosen = self.multipliers(block).into_iter().zip(choices);
            chosen.fold(0, |sum, (multiplier, choice)| {
                sum ^ multiplier & 0u128.wrapping_sub(u128::from(choice & 1))
            })
        });
        blocks.reduce(|| 0, |sum, more| sum ^ more) ^ last
    }
}

/// What a receiver sends with its frame.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct CheckWords {
    choices: u128,
    rows: RowHash,
}

impl CheckWords {
    /// Of the receiver's choices and rows, the last 128 apart.
    pub fn new(
        hash: &LinearHash,
        (choices, last_choices): (&[u8], u128),
        (rows, last_rows): (&[u128], &[u128; COUNT]),
    ) -> Self {
        let choices = hash.choices(choices, last_choices);
        Self { choices, rows: hash.rows(rows, last_rows) }
    }

    /// [`CHECK_BYTES`] bytes.
    pub fn append_to(&self, frame: &mut Vec<u8>) {
        let words = std::iter::once(&self.choices).chain(&self.rows);
        words.for_each(|word| frame.extend_from_slice(&word.to_le_bytes()));
    }

    /// From [`CHECK_BYTES`] bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let word = |i: usize| {
            let bytes = bytes.as_chunks::<16>().0.get(i).copied().unwrap_or_default();
            u128::from_le_bytes(bytes)
        };
        Self { choices: word(0), rows: std::array::from_fn(|k| word(1 + k)) }
    }

    /// Whether they fit a sender's rows.
    pub fn fit(
        &self,
        hash: &LinearHash,
        delta: u128,
        (rows, last_rows): (&[u128], &[u128; COUNT]),
    ) -> bool {
        let mut own = hash.rows(rows, last_rows);
        // All at once: which word differs would say which bits of `delta` were not guessed.
        let mut difference = 0;
        for (k, (own, theirs)) in own.iter().zip(&self.rows).enumerate() {
            let chosen = delta & 0u128.wrapping_sub(self.choices >> k & 1);
            difference |= own ^ theirs ^ chosen;
        }
        own.zeroize();
        difference == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(byte: u8) -> LinearHash {
        LinearHash([byte; 32])
    }

    /// The definition, bit by bit.
    #[test]
    fn the_hash_is_linear_as_stated() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut word = || u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
        for count in [0, 1, 127, 128, 129, 300] {
            let rows: Vec<u128> = (0..count).map(|_| word()).collect();
            let last = std::array::from_fn(|_| word());
            let mut stream = ChaCha20Rng::from_seed([5; 32]);
            let mut bytes = vec![0; 16 * count];
            stream.fill_bytes(&mut bytes);
            let bit = |j: usize, k: usize| bytes[16 * j + k / 8] >> (k % 8) & 1;
            let hashed = hash(5).rows(&rows, &last);
            for k in 0..COUNT {
                let chosen = (0..count).filter(|&j| bit(j, k) == 1).map(|j| rows[j]);
                assert_eq!(hashed[k], chosen.fold(last[k], |sum, row| sum ^ row), "{k} of {count}");
            }
            // Of the bits of column 9 it is the hash of choices.
            let column = |rows: &[u128]| -> Vec<u8> {
                rows.iter().map(|row| (row >> 9) as u8 & 1).collect()
            };
            let word = |bits: Vec<u8>| {
                bits.iter().rev().fold(0u128, |word, bit| word << 1 | u128::from(*bit))
            };
            let of_column = hash(5).choices(&column(&rows), word(column(&last)));
            assert_eq!(of_column, word(column(&hashed)));
        }
    }

    /// Frames, sessions, directions and places in the session have hashes of their own.
    #[test]
    fn every_frame_has_its_own_hash() {
        let of = |session: u8, receiver, counter, frame: &[u8]| {
            LinearHash::of_frame(FrameContext { session: [session; 32], receiver, counter }, frame)
                .0
        };
        let all = [
            of(1, Role::Model, 0, &[1, 2]),
            of(2, Role::Model, 0, &[1, 2]),
            of(1, Role::Data, 0, &[1, 2]),
            of(1, Role::Model, 1, &[1, 2]),
            of(1, Role::Model, 0, &[1, 3]),
        ];
        assert!((0..all.len()).all(|i| !all[..i].contains(&all[i])));
    }
}
