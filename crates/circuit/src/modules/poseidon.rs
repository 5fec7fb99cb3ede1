//! The Poseidon hash of a tensor: its parameters, its gates, and its regions (spec 04 §7.3, §7.4).
//! Width 2, rate 1, x^5, 8 full and 56 partial rounds.

mod gates;
mod parameters;
mod rows;

pub(crate) use gates::configure;
pub use parameters::poseidon_hash;
pub(crate) use rows::HashModule;

use crate::LayoutError;
use crate::columns::PoseidonColumns;
use crate::layouter::Layouter;
use crate::program::{Wire, ZERO};
use crate::tensor::{AdviceCell, Element, Place, Tensor};
use parameters::{FULL_ROUNDS, PARTIAL_ROUNDS, Parameters};
use rows::Occupied;
use twain_algebra::Fr;
use twain_plonk::{Cell, Column, ColumnKind};

/// The state of the sponge.
type State = [Element; 2];

impl Layouter {
    /// Hashes a tensor. Returns the tensor with its cells in the module; the digest is the next row
    /// of the instance column.
    pub fn hash(&mut self, tensor: &Tensor) -> Result<Tensor, LayoutError> {
        let Some(columns) = self.columns.poseidon.clone() else {
            let text = "module_sizes.poseidon has no entry for the hashed tensors";
            return Err(LayoutError::Settings(text.into()));
        };
        let loaded = self.load(&columns, tensor)?;
        let mut state = self.initial_state(&columns)?;
        for element in &loaded.elements {
            state = self.absorb(&columns, state, *element)?;
            state = self.permute(&columns, state)?;
        }

        let digest = state[0];
        let row = self.recorder.instances.len() as u32;
        let public = self.recorder.opened(digest.wire);
        let first = self.region(&[Occupied::Column(columns.state[0])], 1)?;
        let instance = Element { wire: public, place: Place::Instance(row) };
        let instance = self.write(instance, cell(columns.state[0], first));
        self.equal_cells(instance, digest);
        self.end_region()?;
        Ok(loaded)
    }

    fn region(&mut self, occupied: &[Occupied], rows: usize) -> Result<usize, LayoutError> {
        let first = self.hashes.region(occupied, rows);
        match first + rows <= self.columns.geometry.usable_rows {
            true => Ok(first),
            false => Err(LayoutError::OutOfCells("rows for hashing")),
        }
    }

    fn equal_cells(&mut self, left: Element, right: Element) {
        if let (Place::Cell(l) | Place::ConstantCell(l), Place::Cell(r) | Place::ConstantCell(r)) =
            (left.place, right.place)
        {
            self.copy(l, r);
        }
    }

    /// Cells of the elements that have none yet.
    fn load(&mut self, columns: &PoseidonColumns, tensor: &Tensor) -> Result<Tensor, LayoutError> {
        let missing = |(i, element): (usize, &Element)| (!element.is_assigned()).then_some(i);
        let missing: Vec<usize> = tensor.elements.iter().enumerate().filter_map(missing).collect();
        let Some(last) = missing.last() else { return Ok(tensor.clone()) };
        let mut occupied: Vec<Occupied> = Vec::new();
        for lane in 0..2 {
            if missing.iter().any(|i| i % 2 == lane) {
                occupied.push(Occupied::Column(columns.state[lane]));
            }
        }
        let first = self.region(&occupied, last / 2 + 1)?;
        let mut loaded = tensor.clone();
        for i in missing {
            let at = cell(columns.state[i % 2], first + i / 2);
            loaded.elements[i] = self.write(tensor.elements[i], at);
        }
        self.end_region()?;
        Ok(loaded)
    }

    fn initial_state(&mut self, columns: &PoseidonColumns) -> Result<State, LayoutError> {
        let first = self.region(&columns.state.map(Occupied::Column), 1)?;
        // The capacity names the input as one of any length.
        let capacity = self.recorder.constant(Fr::from_raw([0, 1, 0, 0]));
        let state = [(ZERO, 0), (capacity, 1)].map(|(wire, lane)| {
            let at = cell(columns.state[lane], first);
            // Not shared with other uses of the constant.
            self.write(Element::unplaced(wire), at);
            self.new_constant(wire, at);
            Element { wire, place: Place::ConstantCell(at) }
        });
        self.end_region()?;
        Ok(state)
    }

    /// Adds an element to the first lane.
    fn absorb(
        &mut self,
        columns: &PoseidonColumns,
        state: State,
        element: Element,
    ) -> Result<State, LayoutError> {
        let [h0, h1] = columns.state;
        let occupied = [
            Occupied::Column(h0),
            Occupied::Column(h1),
            Occupied::Selector(columns.pad_and_add.index),
        ];
        let first = self.region(&occupied, 3)?;
        self.write(state[0], cell(h0, first));
        self.write(state[1], cell(h1, first));
        self.write(element, cell(h0, first + 1));
        self.enable(columns.pad_and_add, first + 1);
        let sum = self.recorder.add(state[0].wire, element.wire);
        Ok([
            self.write(Element::unplaced(sum), cell(h0, first + 2)),
            self.write(Element::unplaced(state[1].wire), cell(h1, first + 2)),
        ])
    }

    /// The permutation.
    fn permute(&mut self, columns: &PoseidonColumns, state: State) -> Result<State, LayoutError> {
        let half = FULL_ROUNDS / 2;
        let rows = FULL_ROUNDS + PARTIAL_ROUNDS / 2;
        let mut occupied: Vec<Occupied> = columns.state.map(Occupied::Column).to_vec();
        occupied.push(Occupied::Column(columns.partial_sbox));
        occupied
            .extend(columns.round_constants.as_flattened().iter().copied().map(Occupied::Column));
        occupied.extend([columns.full, columns.partial].map(|s| Occupied::Selector(s.index)));
        let first = self.region(&occupied, rows + 1)?;

        let parameters = self.hashes.parameters.take().unwrap_or_else(Parameters::generate);
        for (word, column) in state.into_iter().zip(columns.state) {
            self.write(word, cell(column, first));
        }
        let mut wires = state.map(|element| element.wire);
        let mut last = state;
        let mut round = 0;
        for i in 0..rows {
            let row = first + i;
            let partial = (half..half + PARTIAL_ROUNDS / 2).contains(&i);
            self.round_constants(columns.round_constants[0], row, parameters.round(round));
            let added = self.add_constants(wires, parameters.round(round));
            if partial {
                self.enable(columns.partial, row);
                let sbox = self.fifth_power(added[0]);
                self.write(Element::unplaced(sbox), cell(columns.partial_sbox, row));
                let middle = self.mix(&parameters, [sbox, added[1]]);
                self.round_constants(columns.round_constants[1], row, parameters.round(round + 1));
                let added = self.add_constants(middle, parameters.round(round + 1));
                let sbox = self.fifth_power(added[0]);
                wires = self.mix(&parameters, [sbox, added[1]]);
                round += 2;
            } else {
                self.enable(columns.full, row);
                let boxed = added.map(|wire| self.fifth_power(wire));
                wires = self.mix(&parameters, boxed);
                round += 1;
            }
            last = [0, 1].map(|lane| {
                let at = cell(columns.state[lane], row + 1);
                self.write(Element::unplaced(wires[lane]), at)
            });
        }
        self.hashes.parameters = Some(parameters);
        Ok(last)
    }

    fn round_constants(&mut self, columns: [Column; 2], row: usize, constants: [Fr; 2]) {
        for (column, constant) in columns.into_iter().zip(constants) {
            self.fixed_values.push((Cell { column, row: row as u32 }, constant));
        }
    }

    fn add_constants(&mut self, state: [Wire; 2], constants: [Fr; 2]) -> [Wire; 2] {
        [0, 1].map(|lane| {
            let constant = self.recorder.constant(constants[lane]);
            self.recorder.add(state[lane], constant)
        })
    }

    fn fifth_power(&mut self, wire: Wire) -> Wire {
        let square = self.recorder.mul(wire, wire);
        let fourth = self.recorder.mul(square, square);
        self.recorder.mul(fourth, wire)
    }

    fn mix(&mut self, parameters: &Parameters, state: [Wire; 2]) -> [Wire; 2] {
        parameters.matrix.map(|row| {
            let row = row.map(|entry| self.recorder.constant(entry));
            self.recorder.linear(&[(row[0], state[0]), (row[1], state[1])])
        })
    }
}

fn cell(column: Column, row: usize) -> AdviceCell {
    debug_assert!(matches!(column.kind, ColumnKind::Advice { .. }), "states are advice cells");
    AdviceCell { column: column.index, row: row as u32 }
}
