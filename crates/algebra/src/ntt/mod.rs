//! One direction of a transform of `n = rows · columns` elements, natural order in and out.
//!
//! With input index `j = j₁·columns + j₂` and output index `k = k₁ + rows·k₂`, the first pass
//! transforms the columns, eight neighbouring `j₂` at a time; the second pass evaluates, for eight
//! neighbouring `k₁` at a time, the polynomial in `j₂` on the coset `shift·root^k₁` of the roots of
//! order `columns`. Lanes are neighbours in memory both times, so there are no permutations
//! within lanes, and the bit-reversed order in which a pass ends is undone where it writes.
//! Memory is read and written twice, in runs of at least 256 bytes, with the work of a task in the
//! second-level cache. Every task writes its own part: parallel over `columns/8` and `rows/8`.

mod butterflies;
mod twiddles;

use ff::Field;
use rayon::prelude::*;

use crate::Fr;
use crate::lanes::Lanes;
use crate::tiles::{TILE, for_each_column_tile};
use butterflies::transform;
use twiddles::{LaneTwiddles, UniformTwiddles, bit_reverse, roots_bit_reversed};

/// Base-two logarithm of the shortest length that fills the lanes of both passes.
pub(crate) const MIN_LOG_LENGTH: u32 = 6;

/// Constants of a transform; `L` chooses the implementation.
pub(crate) struct Transform<L: Lanes> {
    log_rows: u32,
    log_columns: u32,
    /// Root of unity of order `rows · columns`.
    root: Fr,
    /// Factor of every output.
    scale: Option<L::Factor>,
    /// Roots of unity in bit-reversed order, as numbers and as factors.
    roots: Vec<Fr>,
    root_factors: Vec<L::Factor>,
    /// Factors of the first pass without a shift.
    columns: UniformTwiddles<L>,
}

/// The two passes as compiled for one instruction set: a pass has to be one function so that the
/// instructions of all that is inlined into it may be used.
pub(crate) struct Passes<L: Lanes> {
    /// First pass: see [`first_pass`].
    pub(crate) first: fn(&FirstPass<'_, L>, &mut [L], usize, &mut [Fr]),
    /// Second pass: see [`second_pass`].
    pub(crate) second: fn(&SecondPass<'_, L>, &mut [L], usize, &mut crate::tiles::ColumnTile<'_>),
}

/// What all tasks of the first pass share.
pub(crate) struct FirstPass<'a, L: Lanes> {
    values: &'a [Fr],
    row_length: usize,
    twiddles: &'a UniformTwiddles<L>,
}

/// What all tasks of the second pass share.
pub(crate) struct SecondPass<'a, L: Lanes> {
    transform: &'a Transform<L>,
    scratch: &'a [Fr],
    shift: Fr,
}

impl<L: Lanes> Transform<L> {
    /// Prepares transforms of length `2^log_length`, at least [`MIN_LOG_LENGTH`], to the powers of
    /// `root`, each output multiplied by `scale`.
    pub(crate) fn new(log_length: u32, root: Fr, scale: Option<Fr>) -> Self {
        debug_assert!(log_length >= MIN_LOG_LENGTH);
        let log_rows = log_length / 2;
        let log_columns = log_length - log_rows;
        let column_root = root.pow_vartime([1u64 << log_rows]);
        let roots = roots_bit_reversed(column_root, log_columns);
        let root_factors = roots.iter().map(|root| L::factor(*root)).collect();
        let columns = UniformTwiddles::new(&roots, log_rows, Fr::ONE);
        let scale = scale.map(L::factor);
        Self { log_rows, log_columns, root, scale, roots, root_factors, columns }
    }

    /// Replaces coefficients by the values at `shift·root^k`. `scratch` has the same length.
    pub(crate) fn run(&self, values: &mut [Fr], scratch: &mut [Fr], shift: Fr, passes: &Passes<L>) {
        let (rows, columns) = (1usize << self.log_rows, 1usize << self.log_columns);
        assert!(values.len() == rows * columns && scratch.len() == values.len());
        let zero = L::load(&[Fr::ZERO; TILE], 1);

        let shifted;
        let twiddles = if shift == Fr::ONE {
            &self.columns
        } else {
            let column_shift = shift.pow_vartime([columns as u64]);
            shifted = UniformTwiddles::new(&self.roots, self.log_rows, column_shift);
            &shifted
        };
        let first = FirstPass { values, row_length: columns, twiddles };
        scratch.par_chunks_exact_mut(rows * TILE).enumerate().for_each_init(
            || vec![zero; rows],
            |buffer, (tile, target)| (passes.first)(&first, buffer, tile, target),
        );

        let second = SecondPass { transform: self, scratch, shift };
        for_each_column_tile(
            values,
            rows,
            || vec![zero; columns],
            |buffer, tile, mut target| (passes.second)(&second, buffer, tile, &mut target),
        );
    }
}

/// Transforms the columns of one tile. The result goes to `target`, eight columns side by side.
#[inline(always)]
pub(crate) fn first_pass<L: Lanes>(
    pass: &FirstPass<'_, L>,
    buffer: &mut [L],
    tile: usize,
    target: &mut [Fr],
) {
    for (entry, row) in buffer.iter_mut().zip(pass.values.chunks_exact(pass.row_length)) {
        *entry = L::load(&row[tile * TILE..][..TILE], 1);
    }
    transform(buffer, pass.twiddles);
    let log_rows = buffer.len().ilog2();
    for (index, entry) in buffer.iter().enumerate() {
        let row = bit_reverse(index, log_rows);
        entry.store_unreduced(&mut target[row * TILE..][..TILE]);
    }
}

/// Transforms the rows `8·tile, …, 8·tile + 7` of the first pass's result, which are columns of the
/// output.
#[inline(always)]
pub(crate) fn second_pass<L: Lanes>(
    pass: &SecondPass<'_, L>,
    buffer: &mut [L],
    tile: usize,
    target: &mut crate::tiles::ColumnTile<'_>,
) {
    let transform_of = pass.transform;
    let column_tile = TILE << transform_of.log_rows;
    for (entries, source) in
        buffer.chunks_exact_mut(TILE).zip(pass.scratch.chunks_exact(column_tile))
    {
        let square = &source[tile * TILE * TILE..][..TILE * TILE];
        for (column, entry) in entries.iter_mut().enumerate() {
            *entry = L::load(&square[column..], TILE);
        }
    }

    let mut shifts = [pass.shift * transform_of.root.pow_vartime([(tile * TILE) as u64]); TILE];
    for lane in 1..TILE {
        shifts[lane] = shifts[lane - 1] * transform_of.root;
    }
    let shifts = L::load(&shifts, 1).into_factors();
    transform(buffer, &LaneTwiddles::new(&transform_of.root_factors, shifts, buffer.len()));

    for (index, entry) in buffer.iter().enumerate() {
        let entry = transform_of.scale.as_ref().map_or(*entry, |scale| entry.mul(scale).carried());
        entry.store(target.row(bit_reverse(index, transform_of.log_columns)));
    }
}
