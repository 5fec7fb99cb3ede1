//! A row-major matrix handed out by columns: the transforms write eight neighbouring columns per
//! task, which no split into contiguous slices can express.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use rayon::prelude::*;

use crate::Fr;

/// Number of columns in a tile.
pub(crate) const TILE: usize = 8;

/// Eight neighbouring columns of a matrix, the only access to these columns while it lives.
pub(crate) struct ColumnTile<'a> {
    first: *mut Fr,
    rows: usize,
    row_length: usize,
    matrix: PhantomData<&'a mut [Fr]>,
}

// SAFETY: a tile is an exclusive reference to the elements it reaches, see `for_each_column_tile`.
unsafe impl Send for ColumnTile<'_> {}

impl ColumnTile<'_> {
    /// The eight elements of this tile in `row`.
    #[inline(always)]
    pub(crate) fn row(&mut self, row: usize) -> &mut [Fr] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        // SAFETY: `row < rows` and the tile lies within a row, so the piece lies within the matrix;
        // no other tile reaches it, and `&mut self` keeps this tile from lending it twice.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(row * self.row_length), TILE) }
    }
}

/// Calls `work(state, t, tile)` for each tile `t` of eight columns, on all threads; each thread
/// makes its own `state`. `row_length` must be a multiple of eight that divides the length.
pub(crate) fn for_each_column_tile<S>(
    matrix: &mut [Fr],
    row_length: usize,
    state: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, usize, ColumnTile<'_>) + Sync + Send,
) {
    assert!(row_length > 0 && row_length.is_multiple_of(TILE));
    assert!(matrix.len().is_multiple_of(row_length));
    let rows = matrix.len() / row_length;
    let base = MatrixPointer(matrix.as_mut_ptr());
    (0..row_length / TILE).into_par_iter().for_each_init(state, |state, tile| {
        // SAFETY: `tile * TILE < row_length`, so the pointer stays within the first row. Tiles of
        // different numbers share no element, each number is visited once, and the matrix stays
        // exclusively borrowed by this function until all visits are over.
        let first = unsafe { base.get().add(tile * TILE) };
        work(state, tile, ColumnTile { first, rows, row_length, matrix: PhantomData });
    });
}

/// The address of a matrix, shared by the threads that write its disjoint tiles.
struct MatrixPointer(*mut Fr);

// SAFETY: only `for_each_column_tile` uses it, for disjoint tiles.
unsafe impl Sync for MatrixPointer {}

impl MatrixPointer {
    fn get(&self) -> *mut Fr {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_the_matrix_once() {
        let mut matrix = vec![Fr::from(1); 5 * 24];
        for_each_column_tile(
            &mut matrix,
            24,
            || (),
            |(), tile, mut columns| {
                for row in 0..5 {
                    for (lane, value) in columns.row(row).iter_mut().enumerate() {
                        *value += Fr::from((row * 24 + tile * TILE + lane) as u64);
                    }
                }
            },
        );
        let expected: Vec<Fr> = (1..=120).map(Fr::from).collect();
        assert_eq!(matrix, expected);
    }
}
