//! What a dry run of the layout counts: cells, constants, tables (spec 05 §4.1).

use crate::sizing::tensor::{Element, Tensor};
use std::collections::HashSet;
use twain_algebra::Fr;
use twain_graph::{AxisLengths, DynamicLookupParams, LookupOp, ShuffleParams};

/// Rows at the end of a column the dry run leaves out.
const RESERVED_ROWS: usize = 6;

/// The counters of a dry run.
pub(crate) struct Region {
    /// Columns of a block.
    pub inner: usize,
    /// Cells of a column.
    rows: usize,
    /// Cells of a block.
    block: usize,
    pub base: u64,
    pub legs: usize,
    pub freivalds: bool,
    /// The linear coordinate of the next cell.
    pub cells: usize,
    /// Distinct constants.
    pub constants: HashSet<Fr>,
    /// The linear coordinate in the columns of Freivalds einsums.
    pub einsum_cells: usize,
    pub equations: Vec<(String, AxisLengths)>,
    /// Tables, in the order of their first use.
    pub lookups: Vec<LookupOp>,
    pub ranges: Vec<(i128, i128)>,
    /// Dynamic lookups so far; within an item, those of the item.
    pub dynamic: DynamicLookupParams,
    /// Shuffles so far; within an item, those of the item.
    pub shuffles: ShuffleParams,
    /// How many distinct constants stand for values nobody knows yet.
    unknown_constants: u64,
}

impl Region {
    pub fn new(
        logrows: u32,
        inner: usize,
        base: u64,
        legs: usize,
        freivalds: bool,
    ) -> Option<Self> {
        let rows = 1usize.checked_shl(logrows)?.checked_sub(RESERVED_ROWS)?;
        let block = rows.checked_mul(inner).filter(|block| *block > 0)?;
        Some(Self {
            inner,
            rows,
            block,
            base,
            legs,
            freivalds,
            cells: 0,
            constants: HashSet::new(),
            einsum_cells: 0,
            equations: Vec::new(),
            lookups: Vec::new(),
            ranges: Vec::new(),
            dynamic: DynamicLookupParams::default(),
            shuffles: ShuffleParams::default(),
            unknown_constants: 0,
        })
    }

    /// Goes to the start of a row.
    pub fn flush(&mut self) {
        self.cells = self.cells.next_multiple_of(self.inner);
    }

    /// Goes to the start of a row of the einsum columns.
    pub fn flush_einsum(&mut self) {
        self.einsum_cells = self.einsum_cells.next_multiple_of(self.inner);
    }

    /// Counts the constants of elements that get a cell.
    pub fn assign(&mut self, elements: &[Element]) {
        for element in elements {
            if let Element::Constant(value) = element {
                self.constants.insert(*value);
            }
        }
    }

    pub fn constant(&mut self, value: Fr) {
        self.constants.insert(value);
    }

    pub fn lookup(&mut self, op: LookupOp, tensor: &Tensor) {
        if !self.lookups.contains(&op) {
            self.lookups.push(op);
        }
        self.assign(&tensor.elements);
        self.cells += tensor.elements.len();
    }

    pub fn range_check(&mut self, elements: &[Element], low: i128, high: i128) {
        if !self.ranges.contains(&(low, high)) {
            self.ranges.push((low, high));
        }
        self.assign(elements);
        self.cells += elements.len();
    }

    /// The cells of `length` operands of an accumulation, some of which are repeated at the ends of
    /// blocks. The dry run takes the row for the phase.
    fn repeated(&self, length: usize, first: usize) -> usize {
        let mut phase = first % self.block / self.inner;
        let (mut position, mut repetitions) = (0, 0);
        loop {
            let past = (position + phase + 1) % self.block;
            position += (self.block - past) % self.block;
            if position >= length {
                return length + repetitions * self.inner;
            }
            position += 1;
            repetitions += 1;
            phase += self.inner;
        }
    }

    /// Counts the cells of an accumulation of `length` operands, filled up with `filler`.
    pub fn accumulate(&mut self, length: usize, filler: Fr) {
        self.flush();
        let padded = length.next_multiple_of(self.inner);
        if padded > length {
            self.constant(filler);
        }
        self.cells += self.repeated(padded, self.cells);
    }

    /// The same in the einsum columns.
    pub fn accumulate_einsum(&mut self, length: usize, filler: Fr) {
        self.flush_einsum();
        let padded = length.next_multiple_of(self.inner);
        if padded > length {
            self.constant(filler);
        }
        self.einsum_cells += self.repeated(padded, self.einsum_cells);
    }

    /// How many cells of the dynamic tables' columns are skipped so that `length` fit one column.
    pub fn dynamic_gap(&self, length: usize) -> Result<usize, String> {
        let rows = self.rows;
        if length > rows {
            return Err(format!(
                "a table of {length} rows does not fit a column of {rows}: use more logrows"
            ));
        }
        let start = self.dynamic.total_dynamic_col_size + self.shuffles.total_shuffle_col_size;
        // A table that would end exactly with the column goes to the next one too.
        let crosses = start / rows != (start + length) / rows;
        Ok(if crosses { rows - start % rows } else { 0 })
    }

    /// Runs one of several independent items: its einsums, dynamic lookups and shuffles are counted
    /// from 0, and its longest dynamic table is forgotten.
    pub fn item<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let einsum_cells = std::mem::take(&mut self.einsum_cells);
        let dynamic = std::mem::take(&mut self.dynamic);
        let shuffles = std::mem::take(&mut self.shuffles);
        let result = run(self);
        self.einsum_cells += einsum_cells;
        self.dynamic.total_dynamic_col_size += dynamic.total_dynamic_col_size;
        self.dynamic.num_dynamic_lookups += dynamic.num_dynamic_lookups;
        self.dynamic.max_dynamic_input_len = dynamic.max_dynamic_input_len;
        self.shuffles.num_shuffles += shuffles.num_shuffles;
        self.shuffles.total_shuffle_col_size += shuffles.total_shuffle_col_size;
        result
    }

    /// A constant whose value is chosen later: different from all others.
    pub fn unknown_constant(&mut self) -> Element {
        self.unknown_constants += 1;
        let far = Fr::from_raw([self.unknown_constants, 0, 0, 1 << 56]);
        Element::Constant(far)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_at_the_end_of_a_block_are_repeated() {
        // Columns of 10 rows, two of them: blocks of 20 cells.
        let region = Region::new(4, 2, 16, 2, true).unwrap();
        assert_eq!(region.repeated(19, 0), 19);
        assert_eq!(region.repeated(20, 0), 22);
        // The phase is 9 rows, so the element of index 10 is the last of its block.
        assert_eq!(region.repeated(10, 18), 10);
        assert_eq!(region.repeated(12, 18), 14);
        // Each repetition moves the following ones.
        assert_eq!(region.repeated(38, 0), 42);
        assert_eq!(region.repeated(37, 0), 39);
    }

    #[test]
    fn a_dynamic_table_stays_in_one_column() {
        // Columns of 10 cells.
        let mut region = Region::new(4, 2, 16, 2, true).unwrap();
        assert_eq!(region.dynamic_gap(9), Ok(0));
        assert_eq!(region.dynamic_gap(10), Ok(10));
        assert!(region.dynamic_gap(11).is_err());
        region.shuffles.total_shuffle_col_size = 7;
        assert_eq!(region.dynamic_gap(2), Ok(0));
        assert_eq!(region.dynamic_gap(3), Ok(3));
        // An item does not see what is there before it.
        assert_eq!(region.item(|item| item.dynamic_gap(3)), Ok(0));
        assert_eq!(region.shuffles.total_shuffle_col_size, 7);
    }

    #[test]
    fn sizes_out_of_range_are_refused() {
        assert!(Region::new(2, 2, 16, 2, true).is_none());
        assert!(Region::new(64, 2, 16, 2, true).is_none());
    }
}
