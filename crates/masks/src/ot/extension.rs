//! From 128 base transfers to any number of correlated ones: a bit matrix of 128 columns expanded from
//! the base keys and read by rows. The receiver sends, per column, its two expansions and its choices
//! added up; the sender corrects the expansion it knows where the bit of `delta` is 1.

use super::base::{COUNT, Key};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;
use twain_party::Role;
use zeroize::{Zeroize, Zeroizing};

/// Transfers in one frame (16 MiB).
pub(super) const FRAME_TRANSFERS: usize = 1 << 20;

/// Bytes of the frame for `transfers` transfers: whole blocks of 128 rows.
pub(super) fn frame_length(transfers: usize) -> usize {
    16 * COUNT * transfers.div_ceil(COUNT)
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

    /// Appends a block per choice to `rows` and returns the frame for the sender.
    pub fn extend(&mut self, choices: &[u8], rows: &mut Vec<u128>) -> Vec<u8> {
        let blocks = choices.len().div_ceil(COUNT);
        let chosen: Zeroizing<Vec<u128>> =
            Zeroizing::new(choices.chunks(COUNT).map(pack).collect());
        let mut matrix = Zeroizing::new(vec![0u128; COUNT * blocks]);
        let mut frame = vec![0u8; frame_length(choices.len())];
        if blocks == 0 {
            return frame;
        }
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
        append_rows(&matrix, choices.len(), rows);
        frame
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
    pub fn extend(&mut self, frame: &[u8], transfers: usize, rows: &mut Vec<u128>) {
        let blocks = transfers.div_ceil(COUNT);
        let mut matrix = Zeroizing::new(vec![0u128; COUNT * blocks]);
        if blocks == 0 {
            return;
        }
        let delta = self.delta;
        self.columns
            .par_iter_mut()
            .zip(matrix.par_chunks_mut(blocks))
            .zip(frame.par_chunks(16 * blocks))
            .enumerate()
            .for_each(|(i, ((generator, column), message))| {
                generator.draw(column);
                let mask = 0u128.wrapping_sub(delta >> i & 1);
                for (block, bytes) in column.iter_mut().zip(message.as_chunks::<16>().0) {
                    *block ^= u128::from_le_bytes(*bytes) & mask;
                }
            });
        append_rows(&matrix, transfers, rows);
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

/// Reads a matrix of 128 columns by rows.
fn append_rows(matrix: &[u128], count: usize, rows: &mut Vec<u128>) {
    let blocks = matrix.len() / COUNT;
    let start = rows.len();
    rows.resize(start + count, 0);
    rows[start..].par_chunks_mut(COUNT).enumerate().for_each(|(block, rows)| {
        let mut square: [u128; COUNT] = std::array::from_fn(|i| matrix[i * blocks + block]);
        transpose(&mut square);
        rows.copy_from_slice(&square[..rows.len()]);
        square.zeroize();
    });
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
}
