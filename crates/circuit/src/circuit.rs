//! A laid-out circuit: what keys are made from, and how a witness is.

use crate::LayoutError;
use crate::columns::Columns;
use crate::configure::fill_tables;
use crate::dynamic_tables::DynamicTables;
use crate::layouter::{Layouter, TableUse};
use crate::program::{Program, Wire};
use ff::Field;
use twain_algebra::Fr;
use twain_plonk::{Assembly, ConstraintSystem};

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
    /// Wires by advice column and row; a column without a cell is empty.
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
    pub(crate) fn new(cs: ConstraintSystem, layouter: Layouter) -> Result<Self, LayoutError> {
        let Layouter {
            columns,
            recorder,
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
        let program = recorder.finish()?;
        Ok(Self { cs, columns, assembly, program, cells, uses, outputs, dynamic, lookup_extremes })
    }
}
