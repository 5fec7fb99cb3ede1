//! Places elements in cells: the cursor, plain and duplicating assignment, constants, copies and
//! selectors (spec 03 §2).

use crate::LayoutError;
use crate::checks::tensor_size::Capacity;
use crate::columns::Columns;
use crate::decompositions::Decompositions;
use crate::dynamic_tables::DynamicTables;
use crate::geometry::{Coordinate, Variable};
use crate::modules::poseidon::HashModule;
use crate::program::{Recorder, Wire, ZERO};
use crate::step_function::StepFunction;
use crate::tensor::{AdviceCell, Element, Place, Tensor};
use std::collections::HashMap;
use std::sync::Arc;
use twain_algebra::Fr;
use twain_plonk::{BitRows, Cell, Column, ColumnKind, ConstraintSystem, Selector};

/// A cell looked up in a range or static table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableUse {
    /// The value looked up.
    pub wire: Wire,
    /// Its row.
    pub row: usize,
    /// The column of the table that it is in.
    pub column: TableColumn,
}

/// Which column of a table holds a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableColumn {
    /// The column's number; 0 if there is one.
    pub index: Wire,
    /// The first of the bits that say which of several it is, of a value neither side knows.
    pub first_bit: Option<Wire>,
}

/// A circuit under construction.
pub(crate) struct Layouter {
    pub columns: Columns,
    pub recorder: Recorder,
    pub decompositions: Decompositions,
    pub capacity: Capacity,
    /// Linear coordinate of the next free cell of the main variables.
    pub cursor: usize,
    /// Linear coordinate of the next free cell of the einsum variables.
    pub einsum_cursor: usize,
    /// The tables of witness values so far.
    pub dynamic: DynamicTables,
    /// Functions of values neither side knows, made so far.
    pub step_functions: Vec<Arc<StepFunction>>,
    /// The unit vectors of indices that stand for others, by index and length.
    pub units: HashMap<(Wire, usize), Vec<Wire>>,
    /// Wires by advice column and row; a column without a cell is empty, a cell not written is 0.
    pub cells: Vec<Vec<Wire>>,
    pub copies: Vec<(Cell, Cell)>,
    pub selectors: Vec<BitRows>,
    /// Uses of range and static tables, by selector.
    pub uses: Vec<Vec<TableUse>>,
    /// The first cell of each constant of the circuit.
    constant_cells: HashMap<Wire, AdviceCell>,
    /// Constants of this region in the order of their first use.
    new_constants: Vec<(Wire, AdviceCell)>,
    /// The rows the hash module took so far.
    pub hashes: HashModule,
    /// Values of fixed cells other than constants and tables.
    pub fixed_values: Vec<(Cell, Fr)>,
    /// Wires of the model's outputs.
    pub outputs: Vec<Vec<Wire>>,
    /// Smallest and largest value that counts as looked up in a static table in every run.
    pub lookup_extremes: (i128, i128),
    /// Constants placed in fixed columns so far, in order.
    pub fixed_constants: Vec<(Cell, Fr)>,
}

impl Layouter {
    pub fn new(cs: &ConstraintSystem, columns: Columns, decompositions: Decompositions) -> Self {
        let rows = columns.geometry.rows();
        Self {
            recorder: Recorder::new(),
            decompositions,
            capacity: Capacity::of_cells(cs.advice_phases().len().saturating_mul(rows)),
            cursor: 0,
            einsum_cursor: 0,
            dynamic: DynamicTables::default(),
            step_functions: Vec::new(),
            units: HashMap::new(),
            cells: vec![Vec::new(); cs.advice_phases().len()],
            copies: Vec::new(),
            selectors: vec![BitRows::new(rows); cs.selectors().len()],
            uses: vec![Vec::new(); cs.selectors().len()],
            constant_cells: HashMap::new(),
            new_constants: Vec::new(),
            hashes: HashModule::default(),
            fixed_values: Vec::new(),
            outputs: Vec::new(),
            lookup_extremes: (0, 0),
            fixed_constants: Vec::new(),
            columns,
        }
    }

    /// Cells of a row.
    pub fn inner(&self) -> usize {
        self.columns.geometry.inner
    }

    /// Moves on to the start of a row.
    pub fn flush(&mut self) {
        self.cursor = self.cursor.next_multiple_of(self.inner());
    }

    /// A constant element.
    pub fn constant(&mut self, value: Fr) -> Element {
        Element::constant(self.recorder.constant(value))
    }

    fn cell(&self, at: AdviceCell) -> Cell {
        let phase = self.columns.phase(at.column);
        let kind = ColumnKind::Advice { phase };
        Cell { column: Column { kind, index: at.column }, row: at.row }
    }

    /// States that two cells are equal.
    pub fn copy(&mut self, left: AdviceCell, right: AdviceCell) {
        let pair = (self.cell(left), self.cell(right));
        self.copies.push(pair);
    }

    /// Writes an element to a cell; the result is bound to it.
    pub fn write(&mut self, element: Element, at: AdviceCell) -> Element {
        let wire = self.recorder.now(element.wire);
        let rows = self.columns.geometry.rows();
        let column = &mut self.cells[at.column as usize];
        if column.is_empty() {
            column.resize(rows, ZERO);
        }
        column[at.row as usize] = wire;
        let place = match element.place {
            Place::Unplaced => Place::Cell(at),
            Place::Cell(old) => {
                self.copy(at, old);
                Place::Cell(at)
            }
            Place::ConstantCell(old) => {
                self.copy(at, old);
                Place::ConstantCell(at)
            }
            Place::Instance(row) => {
                let instance = Cell { column: self.columns.instance, row };
                self.copies.push((self.cell(at), instance));
                Place::Cell(at)
            }
            Place::Constant => {
                match self.constant_cells.get(&wire).copied() {
                    Some(first) => self.copy(at, first),
                    None => {
                        self.constant_cells.insert(wire, at);
                        self.new_constants.push((wire, at));
                    }
                }
                Place::ConstantCell(at)
            }
        };
        Element { wire, place }
    }

    /// Writes an element at a linear coordinate of a variable.
    pub fn write_at(
        &mut self,
        variable: &Variable,
        element: Element,
        linear: usize,
    ) -> Result<Element, LayoutError> {
        let at = variable.coordinate(linear)?;
        Ok(self.write(element, AdviceCell { column: variable.column(at), row: at.row as u32 }))
    }

    /// Writes a tensor from the cursor on, which stays.
    pub fn assign(&mut self, variable: Variable, tensor: &Tensor) -> Result<Tensor, LayoutError> {
        self.assign_from(variable, tensor, self.cursor)
    }

    /// Writes a tensor from a linear coordinate on.
    pub fn assign_from(
        &mut self,
        variable: Variable,
        tensor: &Tensor,
        first: usize,
    ) -> Result<Tensor, LayoutError> {
        let mut elements = Vec::with_capacity(tensor.len());
        for (i, element) in tensor.elements.iter().enumerate() {
            elements.push(self.write_at(&variable, *element, first + i)?);
        }
        Ok(Tensor { elements, dims: tensor.dims.clone() })
    }

    /// Writes values without cells from the cursor on.
    pub fn assign_wires(
        &mut self,
        variable: Variable,
        wires: &[Wire],
        dims: &[usize],
    ) -> Result<Tensor, LayoutError> {
        let elements = wires.iter().map(|wire| Element::unplaced(*wire)).collect();
        let tensor = Tensor::new(elements, dims)?;
        self.assign(variable, &tensor)
    }

    /// Writes operands of an accumulation; the last one of a block is repeated in the first row of
    /// the next (spec 03 §2.6). Returns the number of cells written.
    pub fn assign_duplicated(
        &mut self,
        variable: Variable,
        elements: &[Element],
        first: usize,
    ) -> Result<usize, LayoutError> {
        let block = variable.rows * variable.inner;
        let mut linear = first;
        for element in elements {
            self.write_at(&variable, *element, linear)?;
            linear += 1;
            if linear.is_multiple_of(block) {
                for _ in 0..variable.inner {
                    self.write_at(&variable, *element, linear)?;
                    linear += 1;
                }
            }
        }
        Ok(linear - first)
    }

    /// Writes the running values of an accumulation, one a row; the last one of a block is carried
    /// to the first row of the next, and the two are equal. Returns the last one.
    pub fn assign_running(
        &mut self,
        variable: Variable,
        running: &[Wire],
        first: usize,
        mut row: impl FnMut(&mut Self, Coordinate, bool),
    ) -> Result<Element, LayoutError> {
        let mut linear = first;
        let mut last = None;
        for (i, wire) in running.iter().enumerate() {
            let at = variable.coordinate(linear)?;
            row(self, at, i == 0);
            let written = self.write_at(&variable, Element::unplaced(*wire), linear)?;
            last = Some(written);
            linear += variable.inner;
            if at.row + 1 == variable.rows {
                let carried = self.write_at(&variable, Element::unplaced(*wire), linear)?;
                if let (Place::Cell(from), Place::Cell(to)) = (written.place, carried.place) {
                    self.copy(from, to);
                }
                linear += variable.inner;
            }
        }
        last.ok_or_else(|| LayoutError::Operands("an accumulation of nothing".into()))
    }

    /// Turns a selector on.
    pub fn enable(&mut self, selector: Selector, row: usize) {
        self.selectors[selector.index as usize].set(row);
    }

    /// The coordinate in the main variables of the `i`-th cell from the cursor.
    pub fn coordinate(&self, i: usize) -> Result<Coordinate, LayoutError> {
        self.columns.a.coordinate(self.cursor + i)
    }

    /// A constant of this region in a cell of its own, apart from other uses of the same value.
    pub fn new_constant(&mut self, wire: Wire, at: AdviceCell) {
        self.new_constants.push((wire, at));
    }

    /// Ends a region: its new constants go to the fixed columns, in order.
    pub fn end_region(&mut self) -> Result<(), LayoutError> {
        for (wire, at) in std::mem::take(&mut self.new_constants) {
            let number = self.fixed_constants.len();
            let rows = self.columns.geometry.usable_rows;
            let column = self.columns.constants.get(number / rows);
            let column = *column.ok_or(LayoutError::OutOfCells("constants"))?;
            let cell = Cell { column, row: (number % rows) as u32 };
            let value = self.recorder.constant_value(wire).unwrap_or_default();
            self.fixed_constants.push((cell, value));
            let pair = (cell, self.cell(at));
            self.copies.push(pair);
        }
        Ok(())
    }
}
