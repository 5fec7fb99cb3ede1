//! What a circuit's layout hands to key generation: fixed values, selector activations and copy
//! constraints (spec 01 §4.1, §4.2).

use crate::column::Cell;
use twain_algebra::Fr;

/// One bit for each row; bit `i mod 8`, from the lowest, of byte `i / 8` is row `i`, as in key
/// files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitRows {
    bytes: Vec<u8>,
}

impl BitRows {
    /// No row set; `rows` is rounded up to a multiple of 8.
    pub fn new(rows: usize) -> Self {
        Self { bytes: vec![0; rows.div_ceil(8)] }
    }

    /// From the bytes of a key file.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The bytes of a key file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Sets a row. Rows outside are the caller's mistake and panic, like an index of a slice.
    pub fn set(&mut self, row: usize) {
        self.bytes[row / 8] |= 1 << (row % 8);
    }

    /// Whether a row is set; rows outside are not.
    pub fn get(&self, row: usize) -> bool {
        self.bytes.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
    }

    /// Whether some row is set in both.
    pub fn intersects(&self, other: &BitRows) -> bool {
        self.bytes.iter().zip(&other.bytes).any(|(a, b)| a & b != 0)
    }

    /// Adds the rows of `other`.
    pub fn union_with(&mut self, other: &BitRows) {
        self.bytes.iter_mut().zip(&other.bytes).for_each(|(a, b)| *a |= b);
    }

    /// The rows that are set, in increasing order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let bytes = self.bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
        bytes.flat_map(|(i, byte)| {
            (0..8).filter(move |b| byte >> b & 1 == 1).map(move |b| 8 * i + b)
        })
    }
}

/// The fixed part of a laid-out circuit with `2^k` rows.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// log2 of the number of rows.
    pub k: u32,
    /// Values of the configured fixed columns, `2^k` each, tables padded as spec 01 §4.1 says.
    pub fixed: Vec<Vec<Fr>>,
    /// Rows where each selector is on, in the order of the selectors.
    pub selectors: Vec<BitRows>,
    /// Copy constraints in the order of synthesis (the order decides the permutation).
    pub copies: Vec<(Cell, Cell)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits() {
        let (mut a, mut b) = (BitRows::new(20), BitRows::new(20));
        [0, 9, 19].into_iter().for_each(|row| a.set(row));
        b.set(8);
        assert!(!a.intersects(&b) && a.get(9) && !a.get(8) && !a.get(1000));
        b.union_with(&a);
        assert_eq!(b.iter().collect::<Vec<_>>(), [0, 8, 9, 19]);
        assert_eq!(a.as_bytes(), [1, 2, 8]);
    }
}
