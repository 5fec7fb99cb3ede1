//! Range checks, and what they have in common with lookups of functions: the column of the table
//! that holds a value (spec 03 §5.6).

use crate::LayoutError;
use crate::geometry::Variable;
use crate::layouter::{Layouter, TableColumn, TableUse};
use crate::program::{Bound, Wire, ZERO};
use crate::tensor::Tensor;
use twain_algebra::Fr;
use twain_party::{Hint, Kind};
use twain_plonk::Selector;

/// Most columns of a table in which two parties look something up: the circuit's degree is larger.
pub(crate) const MOST_TABLE_COLUMNS: usize = 64;

impl Layouter {
    /// Constrains elements to a range; returns their new cells.
    pub fn range_check(
        &mut self,
        tensor: &Tensor,
        low: i128,
        high: i128,
    ) -> Result<Tensor, LayoutError> {
        let ranges = &self.columns.ranges;
        let range = ranges.iter().position(|range| (range.low, range.high) == (low, high));
        let Some(range) = range else {
            let text = format!("the range check {low} to {high} is not among the required ones");
            return Err(LayoutError::Settings(text));
        };
        let width = self.columns.ranges[range].columns.len();
        let held_by = self.table_columns(tensor, (low, high), width)?;
        let (a, b) = (self.columns.a, self.columns.b);
        let written = self.assign(a, tensor)?;
        let selectors = self.columns.ranges[range].selectors.clone();
        self.look_up(&written, b, held_by, &selectors)?;
        Ok(written)
    }

    /// The table column that holds each value of a range: the first if there is no other.
    pub fn table_columns(
        &mut self,
        tensor: &Tensor,
        (low, high): (i128, i128),
        width: usize,
    ) -> Result<Vec<TableColumn>, LayoutError> {
        if width == 1 {
            return Ok(vec![TableColumn { index: ZERO, first_bit: None }; tensor.len()]);
        }
        let chunk = self.columns.geometry.table_rows as u64;
        let recorder = &mut self.recorder;
        let index = recorder.hint_id(Hint::ChunkIndex { low, chunk });
        let bits = recorder.hint_id(Hint::Unit { low, high, chunk });
        let numbers: Vec<Wire> =
            (0..width as u64).map(|i| recorder.constant(Fr::from(i))).collect();
        let mut columns = Vec::with_capacity(tensor.len());
        for wire in tensor.wires() {
            let wire = recorder.now(wire);
            // Two parties choose the column's entries by bits, not by polynomials in its number.
            columns.push(if recorder.kind(wire) == Kind::Shared && width <= MOST_TABLE_COLUMNS {
                let bits = recorder.hint(bits, &[wire], &vec![Bound::BIT; width])?;
                let terms: Vec<_> = numbers.iter().copied().zip(bits.iter().copied()).collect();
                let index = recorder.linear(&terms);
                recorder.refine(index, Bound::new(0.0, width as f64 - 1.0));
                TableColumn { index, first_bit: bits.first().copied() }
            } else {
                let index =
                    recorder.hint(index, &[wire], &[Bound::new(0.0, width as f64 - 1.0)])?;
                TableColumn { index: index.first().copied().unwrap_or(ZERO), first_bit: None }
            });
        }
        Ok(columns)
    }

    /// Looks written cells up in a range or static table, each in its column; `selectors` are those
    /// of the table.
    pub fn look_up(
        &mut self,
        written: &Tensor,
        indices: Variable,
        held_by: Vec<TableColumn>,
        selectors: &[Selector],
    ) -> Result<(), LayoutError> {
        let numbers: Vec<Wire> = held_by.iter().map(|column| column.index).collect();
        self.assign_wires(indices, &numbers, &written.dims)?;
        for (i, (wire, column)) in written.wires().zip(held_by).enumerate() {
            let at = self.coordinate(i)?;
            let selector = selectors[at.block * self.inner() + at.inner];
            self.enable(selector, at.row);
            self.uses[selector.index as usize].push(TableUse { wire, row: at.row, column });
        }
        self.cursor += written.len();
        Ok(())
    }
}
