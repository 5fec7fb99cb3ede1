//! Sizes of the circuit that follow from the settings alone, and the map from a linear coordinate
//! to a cell (spec 03 §0, §1.1, §2.2).

use crate::LayoutError;
use crate::checks::constraint_system_size::{MOST_COLUMNS, product_within};
use twain_graph::Settings;

/// Rows at the end of a column that hold no witness value.
pub(crate) const RESERVED_ROWS: usize = 6;
/// Rows at the end of a column that hold no entry of a lookup table.
pub(crate) const TABLE_RESERVED_ROWS: usize = 8;

/// The size of the circuit's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// log2 of the number of rows.
    pub k: u32,
    /// Usable rows of a column.
    pub usable_rows: usize,
    /// Entries of a lookup table in one column.
    pub table_rows: usize,
    /// Inner columns of a block.
    pub inner: usize,
    /// Blocks of each of the three main variables.
    pub blocks: usize,
}

impl Geometry {
    /// The geometry the settings ask for.
    ///
    /// # Errors
    /// Run arguments out of range; more columns than a circuit can reasonably have.
    pub fn new(settings: &Settings) -> Result<Self, LayoutError> {
        let args = &settings.run_args;
        args.validate().map_err(|error| LayoutError::Settings(error.to_string()))?;
        if args.decomp_base < 2 {
            return Err(LayoutError::Settings("decomp_base must be at least 2".into()));
        }
        let rows = 1usize << args.logrows;
        if rows <= TABLE_RESERVED_ROWS {
            return Err(LayoutError::Settings("logrows must be at least 4".into()));
        }
        let usable_rows = rows - RESERVED_ROWS;
        let inner = args.num_inner_cols;
        let block = usable_rows.checked_mul(inner).ok_or(LayoutError::TooLarge)?;
        let blocks = block_count(settings.total_assignments, block)?;
        product_within(MOST_COLUMNS, &[blocks, inner])?;
        let table_rows = rows - TABLE_RESERVED_ROWS;
        Ok(Self { k: args.logrows, usable_rows, table_rows, inner, blocks })
    }

    /// Rows of the circuit, usable or not.
    pub fn rows(&self) -> usize {
        1 << self.k
    }

    /// Cells of one block of a main variable.
    pub fn block_cells(&self) -> usize {
        self.usable_rows * self.inner
    }

    /// Table columns a range of values takes.
    pub fn table_columns(&self, low: i128, high: i128) -> Result<usize, LayoutError> {
        let columns = high.abs_diff(low) / self.table_rows as u128 + 1;
        product_within(MOST_COLUMNS, &[usize::try_from(columns).unwrap_or(usize::MAX)])
    }
}

/// Blocks of `block` cells for a capacity of `capacity` cells, one spare cell each.
pub(crate) fn block_count(capacity: usize, block: usize) -> Result<usize, LayoutError> {
    let first = capacity / block + 1;
    let blocks = capacity.checked_add(first).ok_or(LayoutError::TooLarge)? / block + 1;
    product_within(MOST_COLUMNS, &[blocks])
}

/// The place of a linear coordinate in a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coordinate {
    pub block: usize,
    pub inner: usize,
    pub row: usize,
}

/// A family of advice columns: block after block, `inner` columns each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Index of the first advice column.
    pub first: u32,
    /// Blocks.
    pub blocks: usize,
    /// Columns of a block.
    pub inner: usize,
    /// Usable rows of a column.
    pub rows: usize,
    /// Phase in which the columns are committed.
    pub phase: u8,
}

impl Variable {
    /// Block, inner column and row of the linear coordinate.
    pub(crate) fn coordinate(&self, linear: usize) -> Result<Coordinate, LayoutError> {
        let block_cells = self.rows * self.inner;
        let block = linear / block_cells;
        if block >= self.blocks {
            return Err(LayoutError::OutOfCells("advice cells"));
        }
        let within = linear % block_cells;
        Ok(Coordinate { block, inner: within % self.inner, row: within / self.inner })
    }

    /// Index of the advice column of a coordinate.
    pub(crate) fn column(&self, at: Coordinate) -> u32 {
        self.first + (at.block * self.inner + at.inner) as u32
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.blocks * self.inner
    }
}
