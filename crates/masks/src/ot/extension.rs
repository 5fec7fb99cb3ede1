//! From 128 base transfers to any number of correlated ones: a bit matrix of 128 columns expanded
//! from the base keys and read by rows. The receiver sends, per column, its two expansions and its
//! choices added up; the sender corrects the expansion it knows where the bit of `delta` is 1. With
//! 128 transfers more, of random choice, come words by which the sender checks the frame
//! ([`super::consistency`]).

use super::base::{COUNT, Key};
use super::consistency::{CHECK_BYTES, CheckWords, FrameContext, LinearHash};
use crate::error::Deviation;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;
use twain_party::Role;
use zeroize::{Zeroize, Zeroizing};

/// Transfers in one frame (16 MiB).
pub(super) const FRAME_TRANSFERS: usize = 1 << 20;

/// Blocks of 128 rows for `transfers` transfers, and one for the check.
fn blocks_of(transfers: usize) -> usize {
    transfers.div_ceil(COUNT) + 1
}

/// Bytes of the columns for `transfers` transfers: whole blocks.
fn column_bytes(transfers: usize) -> usize {
    16 * COUNT * blocks_of(transfers)
}

/// Bytes of the frame for `transfers` transfers, at least one: columns and check words.
pub(super) fn frame_length(transfers: usize) -> usize {
    column_bytes(transfers) + CHECK_BYTES
}

/// A difference whose lowest bit is public: 1 for the model, so that the sum of both is odd, as the
/// trees of digit masks need.
pub(super) fn draw_delta(role: Role, rng: &mut ChaCha20Rng) -> u128 {
    let mut bytes = [0u8; 16];
    rng.fill_bytes(&mut bytes);
    let delta = u128::from_le_bytes(bytes) & !1 | u128::from(role == Role::Model);
    bytes.zeroize();
    delta
}

/// The generator of a column; both parties draw from it in step.
struct Column(ChaCha20Rng);

impl Column {
    fn new(mut key: Key) -> Self {
        let column = Self(ChaCha20Rng::from_seed(key));
        key.zeroize();
        column
    }

    fn draw(&mut self, blocks: &mut [u128]) {
        let mut bytes = Zeroizing::new(vec![0u8; 16 * blocks.len()]);
        self.0.fill_bytes(&mut bytes);
        let values = bytes.as_chunks::<16>().0.iter().map(|bytes| u128::from_le_bytes(*bytes));
        blocks.iter_mut().zip(values).for_each(|(block, value)| *block = value);
    }
}

pub(super) struct ExtensionReceiver {
    columns: Vec<[Column; 2]>,
}

impl ExtensionReceiver {
    pub fn new(pairs: Vec<[Key; 2]>) -> Self {
        Self { columns: pairs.into_iter().map(|pair| pair.map(Column::new)).collect() }
    }

    /// Appends a block per choice to `rows` and returns the frame for the sender. The choices of
    /// the rows for the check, `last`, are random.
    pub fn extend(
        &mut self,
        context: FrameContext,
        choices: &[u8],
        last: u128,
        rows: &mut Vec<u128>,
    ) -> Vec<u8> {
        let start = rows.len();
        let (mut frame, last_rows) = self.columns(choices, last, rows);
        let hash = LinearHash::of_frame(context, &frame);
        let own = (&rows[start..], &*last_rows);
        CheckWords::new(&hash, (choices, last), own).append_to(&mut frame);
        frame
    }

    /// The frame without check words, and the rows for the check.
    fn columns(
        &mut self,
        choices: &[u8],
        last: u128,
        rows: &mut Vec<u128>,
    ) -> (Vec<u8>, Zeroizing<[u128; COUNT]>) {
        let blocks = blocks_of(choices.len());
        let chosen = choices.chunks(COUNT).map(pack).chain([last]);
        let chosen: Zeroizing<Vec<u128>> = Zeroizing::new(chosen.collect());
        let mut matrix = Zeroizing::new(vec![0u128; COUNT * blocks]);
        let mut frame = Vec::with_capacity(frame_length(choices.len()));
        frame.resize(column_bytes(choices.len()), 0);
        self.columns
            .par_iter_mut()
            .zip(matrix.par_chunks_mut(blocks))
            .zip(frame.par_chunks_mut(16 * blocks))
            .for_each(|(([zero, one], column), message)| {
                zero.draw(column);
                let mut other = Zeroizing::new(vec![0u128; blocks]);
                one.draw(&mut other);
                let message = message.as_chunks_mut::<16>().0;
                for (i, bytes) in message.iter_mut().enumerate() {
                    *bytes = (column[i] ^ other[i] ^ chosen[i]).to_le_bytes();
                }
            });
        (frame, append_rows(&matrix, choices.len(), rows))
    }
}

pub(super) struct ExtensionSender {
    delta: u128,
    columns: Vec<Column>,
}

impl ExtensionSender {
    pub fn new(delta: u128, chosen: Vec<Key>) -> Self {
        Self { delta, columns: chosen.into_iter().map(Column::new).collect() }
    }

    pub fn delta(&self) -> u128 {
        self.delta
    }

    /// Appends `transfers` blocks to `rows`, from the receiver's frame (of [`frame_length`] bytes).
    /// An error if the frame's columns do not hold the same choices: nothing of it may be used
    /// then.
    pub fn extend(
        &mut self,
        context: FrameContext,
        frame: &[u8],
        transfers: usize,
        rows: &mut Vec<u128>,
    ) -> Result<(), Deviation> {
        let start = rows.len();
        let (columns, check_words) = frame.split_at(column_bytes(transfers));
        let last_rows = self.rows(columns, transfers, rows);
        let hash = LinearHash::of_frame(context, columns);
        let own = (&rows[start..], &*last_rows);
        if CheckWords::from_bytes(check_words).fit(&hash, self.delta, own) {
            Ok(())
        } else {
            Err(Deviation::Inconsistent)
        }
    }

    /// Appends the rows of a frame's columns, unchecked; returns those for the check.
    fn rows(
        &mut self,
        columns: &[u8],
        transfers: usize,
        rows: &mut Vec<u128>,
    ) -> Zeroizing<[u128; COUNT]> {
        let blocks = blocks_of(transfers);
        let mut matrix = Zeroizing::new(vec![0u128; COUNT * blocks]);
        let delta = self.delta;
        self.columns
            .par_iter_mut()
            .zip(matrix.par_chunks_mut(blocks))
            .zip(columns.par_chunks(16 * blocks))
            .enumerate()
            .for_each(|(i, ((generator, column), message))| {
                generator.draw(column);
                let mask = 0u128.wrapping_sub(delta >> i & 1);
                for (block, bytes) in column.iter_mut().zip(message.as_chunks::<16>().0) {
                    *block ^= u128::from_le_bytes(*bytes) & mask;
                }
            });
        append_rows(&matrix, transfers, rows)
    }
}

impl Drop for ExtensionSender {
    fn drop(&mut self) {
        self.delta.zeroize();
    }
}

/// Up to 128 bits, the first lowest.
fn pack(bits: &[u8]) -> u128 {
    bits.iter().rev().fold(0, |word, &bit| word << 1 | u128::from(bit & 1))
}

/// Reads a matrix of 128 columns by rows: `count` of them, and those of the last block apart.
fn append_rows(matrix: &[u128], count: usize, rows: &mut Vec<u128>) -> Zeroizing<[u128; COUNT]> {
    let blocks = matrix.len() / COUNT;
    let square = |block: usize| {
        let mut square: Zeroizing<[u128; COUNT]> =
            Zeroizing::new(std::array::from_fn(|i| matrix[i * blocks + block]));
        transpose(&mut square);
        square
    };
    let start = rows.len();
    rows.resize(start + count, 0);
    rows[start..].par_chunks_mut(COUNT).enumerate().for_each(|(block, rows)| {
        rows.copy_from_slice(&square(block)[..rows.len()]);
    });
    square(blocks - 1)
}

/// Transposes a matrix of 128 times 128 bits: halves, quarters, ... change places.
fn transpose(square: &mut [u128; COUNT]) {
    let mut width = COUNT / 2;
    let mut mask = u128::MAX >> width;
    while width > 0 {
        for top in (0..COUNT).filter(|row| row & width == 0) {
            let bottom = top + width;
            let swapped = (square[top] >> width ^ square[bottom]) & mask;
            square[bottom] ^= swapped;
            square[top] ^= swapped << width;
        }
        width /= 2;
        mask ^= mask << width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposition() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut square = [0u128; COUNT];
        Column(rng.clone()).draw(&mut square);
        let original = square;
        transpose(&mut square);
        for _ in 0..500 {
            let (i, j) = (rng.next_u32() as usize % COUNT, rng.next_u32() as usize % COUNT);
            assert_eq!(square[i] >> j & 1, original[j] >> i & 1);
        }
    }

    const CONTEXT: FrameContext =
        FrameContext { session: [3; 32], receiver: Role::Data, counter: 0 };

    /// A receiver and a sender with the `delta` that is drawn from a generator of this seed.
    fn ends(seed: u64) -> (ExtensionReceiver, ExtensionSender) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let delta = draw_delta(Role::Model, &mut rng);
        let mut key = || {
            let mut key = [0; 32];
            rng.fill_bytes(&mut key);
            key
        };
        let pairs: Vec<[Key; 2]> = (0..COUNT).map(|_| [key(), key()]).collect();
        let chosen = pairs.iter().enumerate().map(|(i, pair)| pair[(delta >> i) as usize & 1]);
        let sender = ExtensionSender::new(delta, chosen.collect());
        (ExtensionReceiver::new(pairs), sender)
    }

    /// A receiver that changes choice `i` in column `i` alone: the sender's row is another one
    /// where its `delta` has a 1. Without the check, whatever uses the rows gives all of `delta`
    /// away.
    #[test]
    fn inconsistent_columns_read_the_difference_and_end_it() {
        let choices: Vec<u8> = (0..COUNT).map(|i| (i % 3 == 0) as u8).collect();
        let bend = |frame: &mut [u8]| {
            for i in 0..COUNT {
                let column = i * 16 * blocks_of(COUNT);
                frame[column + i / 8] ^= 1 << (i % 8);
            }
        };
        let (mut receiver, mut sender) = ends(1);
        let (mut received, mut sent) = (Vec::new(), Vec::new());
        let (mut frame, _) = receiver.columns(&choices, 5, &mut received);
        bend(&mut frame);
        sender.rows(&frame, COUNT, &mut sent);
        // All rows at once here; in a session, a bit for every transfer that can be seen to fail.
        let failed = |i: usize, delta: u128| {
            let expected = received[i] ^ delta & 0u128.wrapping_sub(u128::from(choices[i]));
            u128::from(sent[i] != expected) << i
        };
        let read = (0..COUNT).fold(0, |read, i| read | failed(i, sender.delta));
        assert_eq!(read, sender.delta);

        let (mut receiver, mut sender) = ends(1);
        let mut frame = receiver.extend(CONTEXT, &choices, 5, &mut Vec::new());
        bend(&mut frame);
        let end = sender.extend(CONTEXT, &frame, COUNT, &mut Vec::new());
        assert!(matches!(end, Err(Deviation::Inconsistent)));
    }

    /// To be wrong in `k` columns is to bet that the sender's `delta` is 0 there: it is
    /// accepted one time in `2^k`.
    #[test]
    fn a_bet_on_bits_of_the_difference_is_won_by_chance() {
        const RUNS: usize = 256;
        for (bits, expected) in [(1, 96..160), (3, 12..56)] {
            let won = (0..RUNS).filter(|run| {
                let (mut receiver, mut sender) = ends(*run as u64);
                let (choices, last, mut rows) = ([1; 9], 77, Vec::new());
                let (mut frame, last_rows) = receiver.columns(&choices, last, &mut rows);
                let mut bet = 0;
                for column in (0..bits).map(|bit| 20 + 30 * bit) {
                    frame[column * 16 * blocks_of(9)] ^= 1;
                    bet |= 1 << column;
                }
                // The words are those of the frame as it is sent.
                let hash = LinearHash::of_frame(CONTEXT, &frame);
                let words = CheckWords::new(&hash, (&choices, last), (&rows, &last_rows));
                words.append_to(&mut frame);
                let accepted = sender.extend(CONTEXT, &frame, 9, &mut Vec::new()).is_ok();
                assert_eq!(accepted, sender.delta & bet == 0);
                accepted
            });
            let won = won.count();
            assert!(expected.contains(&won), "{won} of {RUNS}");
        }
    }

    /// A frame is accepted as it was made: not with a changed word, in another place of the
    /// session, from the other side or in another session.
    #[test]
    fn frames_are_accepted_as_they_were_made() {
        let accepted = |change: &dyn Fn(&mut Vec<u8>, &mut FrameContext)| {
            let (mut receiver, mut sender) = ends(3);
            let mut frame = receiver.extend(CONTEXT, &[0, 1, 1], 9, &mut Vec::new());
            let mut context = CONTEXT;
            change(&mut frame, &mut context);
            sender.extend(context, &frame, 3, &mut Vec::new()).is_ok()
        };
        assert!(accepted(&|_, _| ()));
        for byte in [column_bytes(3), column_bytes(3) + 16, frame_length(3) - 1] {
            assert!(!accepted(&move |frame, _| frame[byte] ^= 1));
        }
        assert!(!accepted(&|_, context| context.receiver = Role::Model));
        assert!(!accepted(&|_, context| context.counter += 1));
        assert!(!accepted(&|_, context| context.session[0] ^= 1));
    }
}
