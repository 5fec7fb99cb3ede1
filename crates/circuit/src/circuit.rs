//! A laid-out circuit: what keys are made from, and how a witness is.

use crate::columns::Columns;
use crate::configure::fill_tables;
use crate::dynamic_tables::DynamicTables;
use crate::layouter::{Layouter, TableUse};
use crate::multiplied::{in_witness_tables, multiplied};
use crate::program::{Program, Sources, Wire, WitnessValues, show};
use crate::{LayoutError, WitnessError};
use ff::Field;
use twain_algebra::Fr;
use twain_party::{Alone, signed_integer};
use twain_plonk::{Assembly, Cell, ColumnKind, ConstraintSystem};

/// A circuit: the constraint system, its fixed part, and the witness program with the place of each
/// of its values.
#[derive(Clone, Debug)]
pub struct Circuit {
    /// The constraint system.
    pub cs: ConstraintSystem,
    /// The names of its parts.
    pub columns: Columns,
    /// Fixed values, selectors and copies.
    pub assembly: Assembly,
    /// How the witness is computed.
    pub program: Program,
    /// Values by advice column and row, as the program computes them; a column without a cell is
    /// empty.
    pub(crate) cells: Vec<Vec<Wire>>,
    /// Uses of range and static tables, by selector.
    pub(crate) uses: Vec<Vec<TableUse>>,
    /// Wires of the model's outputs.
    pub(crate) outputs: Vec<Vec<Wire>>,
    /// The tables of witness values.
    pub(crate) dynamic: DynamicTables,
    /// Smallest and largest value that counts as looked up in a static table in every run.
    pub(crate) lookup_extremes: (i128, i128),
}

impl Circuit {
    /// As [`Program::run_alone`], and every value is in the range the circuit checks it for.
    ///
    /// # Errors
    /// As [`Program::run_alone`], and the first value that is not.
    pub fn run_alone(
        &self,
        party: &mut Alone,
        sources: &Sources,
    ) -> Result<WitnessValues, WitnessError> {
        let values = self.program.run_alone(party, sources)?;
        let geometry = &self.columns.geometry;
        for range in &self.columns.ranges {
            let uses = range.selectors.iter().enumerate().flat_map(|(cell, selector)| {
                let uses = self.uses.get(selector.index as usize).into_iter().flatten();
                uses.map(move |checked| (cell, checked))
            });
            for (cell, checked) in uses {
                let value = values.values[checked.wire as usize];
                let number = signed_integer(value);
                if number.is_some_and(|number| (range.low..=range.high).contains(&number)) {
                    continue;
                }
                let (block, inner) = (cell / geometry.inner, cell % geometry.inner);
                let linear = block * geometry.block_cells() + checked.row * geometry.inner + inner;
                let step = self.program.step_of_cell(linear).into();
                let value = show(value);
                return Err(match (range.low, range.high) {
                    (0, 1) => WitnessError::NotBoolean { step, value },
                    (low, high) => {
                        let range = format!("from {low} to {high}");
                        WitnessError::OutOfRange { step, value, range }
                    }
                });
            }
        }
        Ok(values)
    }

    pub(crate) fn new(cs: ConstraintSystem, layouter: Layouter) -> Result<Self, LayoutError> {
        let Layouter {
            columns,
            mut recorder,
            cells,
            copies,
            selectors,
            uses,
            fixed_constants,
            fixed_values,
            outputs,
            dynamic,
            lookup_extremes,
            ..
        } = layouter;
        let rows = columns.geometry.rows();
        let mut fixed = vec![vec![Fr::ZERO; rows]; cs.fixed_columns()];
        fill_tables(&columns, &mut fixed);
        for (cell, value) in fixed_values.into_iter().chain(fixed_constants) {
            fixed[cell.column.index as usize][cell.row as usize] = value;
        }
        let assembly = Assembly { k: columns.geometry.k, fixed, selectors, copies };
        let wire = |cell: Cell| match cell.column.kind {
            ColumnKind::Advice { .. } => {
                cells.get(cell.column.index as usize)?.get(cell.row as usize)
            }
            _ => None,
        };
        for (left, right) in &assembly.copies {
            if let (Some(left), Some(right)) = (wire(*left), wire(*right)) {
                recorder.tie(*left, *right);
            }
        }
        let in_cells = cells.iter().flatten().copied();
        let program =
            recorder.finish(in_cells, multiplied(&cs, &cells), in_witness_tables(&cs, &cells))?;
        Ok(Self { cs, columns, assembly, program, cells, uses, outputs, dynamic, lookup_extremes })
    }
}
