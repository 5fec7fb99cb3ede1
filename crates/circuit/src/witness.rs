//! A run's values in the places the prover asks for: advice columns with the kinds of their cells.

use crate::WitnessError;
use crate::circuit::Circuit;
use crate::columns::Columns;
use crate::layouter::TableUse;
use crate::looked_up::LookedUp;
use crate::program::{Wire, WitnessValues, ZERO};
use ff::Field;
use rayon::prelude::*;
use twain_algebra::Fr;
use twain_party::{
    CellKinds, Kind, Multiplicities, PartyError, Role, Shares, WitnessParty, signed_integer,
};
use twain_plonk::{AdviceColumn, LookupView, ProveError, WitnessSource};

/// A circuit with the values of a run.
#[derive(Clone, Debug)]
pub struct Witness<'a> {
    circuit: &'a Circuit,
    values: &'a WitnessValues,
    /// The values with those of the second phase, once its challenges are known.
    second: Option<Shares>,
    /// Whether a cell has the value that is computed for it, and not that of its wire.
    cell_by_cell: bool,
}

impl<'a> Witness<'a> {
    /// The witness of a circuit whose program gave these values.
    pub fn new(circuit: &'a Circuit, values: &'a WitnessValues) -> Self {
        Self { circuit, values, second: None, cell_by_cell: false }
    }

    /// The same, with the value in each cell that the program computes for it: for who looks for
    /// cells that are tied and differ.
    pub(crate) fn cell_by_cell(circuit: &'a Circuit, values: &'a WitnessValues) -> Self {
        Self { cell_by_cell: true, ..Self::new(circuit, values) }
    }

    /// What stands in the cells of an advice column.
    fn wires(&self, column: usize) -> Vec<Wire> {
        let values = self.circuit.cells[column].iter();
        match self.cell_by_cell {
            true => values.copied().collect(),
            false => values.map(|value| self.circuit.program.wires[*value as usize]).collect(),
        }
    }

    /// The model's outputs: this party's shares, and the values of public ones.
    pub fn outputs(&self) -> Vec<Vec<Fr>> {
        let value = |wire: &Wire| self.values.values[*wire as usize];
        self.circuit.outputs.iter().map(|wires| wires.iter().map(value).collect()).collect()
    }

    /// This party's shares of the model's outputs: they add up over all parties, also where the
    /// output is public.
    pub fn output_shares(&self, adds_public: bool) -> Vec<Shares> {
        let program = &self.circuit.program;
        // Of the wires in cells, about which there are tests.
        let wire = |value: &Wire| program.wires[*value as usize];
        let share = |value: &Wire| program.share(wire(value), adds_public, &self.values.values);
        let tensors = self.circuit.outputs.iter();
        tensors.map(|wires| Shares::new(wires.iter().map(share).collect())).collect()
    }

    /// Smallest and largest value looked up in a static table of a local run; zeros without any.
    /// What EZKL counts as looked up in every run is among them.
    pub fn lookup_extremes(&self) -> (i128, i128) {
        let start = self.circuit.lookup_extremes;
        let selectors = self.circuit.columns.lookups.iter().flat_map(|lookup| &lookup.selectors);
        let uses = selectors.flat_map(|selector| &self.circuit.uses[selector.index as usize]);
        let values = uses.filter_map(|item| signed_integer(self.values.values[item.wire as usize]));
        values.fold(start, |(low, high), value| (low.min(value), high.max(value)))
    }

    /// The advice columns of a phase, in the order of their indices.
    pub fn columns(&self, adds_public: bool, phase: u8) -> Vec<AdviceColumn> {
        let phases = self.circuit.cs.advice_phases();
        let columns: Vec<usize> = (0..phases.len()).filter(|i| phases[*i] == phase).collect();
        columns.into_par_iter().map(|index| self.column(adds_public, index)).collect()
    }

    fn column(&self, adds_public: bool, index: usize) -> AdviceColumn {
        let geometry = &self.circuit.columns.geometry;
        let wires = self.wires(index);
        if wires.is_empty() {
            let values = Shares::zero(geometry.rows());
            let kinds = CellKinds::Rows(Vec::new());
            return AdviceColumn { values, kinds, wires, publics: Vec::new() };
        }
        let program = &self.circuit.program;
        let values = self.known();
        // What no one assigns is this wire; a zero that someone assigns may be as well.
        let kind = |wire: &Wire| (*wire != ZERO).then(|| program.kind(*wire));
        let share = |wire: &Wire| program.share(*wire, adds_public, values);
        let public = |wire: Wire| match program.kind(wire) {
            Kind::Public => values[wire as usize],
            _ => Fr::ZERO,
        };
        // Entries of tables of witness values stand beside places and numbers that are public.
        let publics = match self.circuit.columns.dynamic {
            Some(_) => wires.iter().map(|wire| public(*wire)).collect(),
            None => Vec::new(),
        };
        AdviceColumn {
            values: wires.iter().map(share).collect::<Vec<Fr>>().into(),
            kinds: CellKinds::Rows(wires.iter().map(kind).collect()),
            publics,
            wires,
        }
    }

    /// Computes the values that depend on the circuit's challenges.
    ///
    /// # Errors
    /// A failed step of the party.
    pub fn meet_challenges<P: WitnessParty>(
        &mut self,
        party: &mut P,
        challenges: &[Fr],
    ) -> Result<(), WitnessError> {
        let mut values = self.values.values.clone();
        self.circuit.program.run_second(party, &mut values, challenges)?;
        self.second = Some(values);
        Ok(())
    }

    fn known(&self) -> &[Fr] {
        self.second.as_ref().unwrap_or(&self.values.values)
    }

    /// For an advice column that says in which column of a table another cell is looked up: its
    /// bits, by the columns of the table (`WitnessSource::choice_bits`).
    fn choice_bits(&self, adds_public: bool, index: u32) -> Option<Vec<AdviceColumn>> {
        let Columns { geometry, b, lookups, ranges, .. } = &self.circuit.columns;
        let cell = index.checked_sub(b.first).filter(|cell| (*cell as usize) < b.columns())?;
        let lookups = lookups.iter().map(|lookup| (&lookup.selectors, lookup.inputs.len()));
        let ranges = ranges.iter().map(|range| (&range.selectors, range.columns.len()));
        let tables = lookups.chain(ranges).filter(|(_, width)| *width > 1);
        let tables: Vec<_> =
            tables.filter_map(|(all, width)| Some((all.get(cell as usize)?, width))).collect();
        let width = tables.iter().map(|(_, width)| *width).max()?;
        let program = &self.circuit.program;
        let mut values = vec![Shares::zero(geometry.rows()); width];
        let mut kinds = vec![vec![None; geometry.rows()]; width];
        for (selector, width) in tables {
            for TableUse { row, column, .. } in &self.circuit.uses[selector.index as usize] {
                let kind = program.kind(column.index);
                let share = program.share(column.index, adds_public, self.known());
                let holds = adds_public == (kind.public_side() == Role::Model);
                for bit in 0..width {
                    values[bit][*row] = match column.first_bit {
                        Some(first) => {
                            program.share(first + bit as Wire, adds_public, self.known())
                        }
                        None => Fr::from(u64::from(holds && share == Fr::from(bit as u64))),
                    };
                    kinds[bit][*row] = Some(kind);
                }
            }
        }
        let columns = values.into_iter().zip(kinds);
        let column = |(values, kinds)| AdviceColumn {
            values,
            kinds: CellKinds::Rows(kinds),
            wires: Vec::new(),
            publics: Vec::new(),
        };
        Some(columns.map(column).collect())
    }
}

impl Witness<'_> {
    /// The multiplicities of each lookup argument, in the order of the arguments.
    ///
    /// # Errors
    /// A failed step of the party.
    pub fn count<P: WitnessParty>(&self, party: &mut P) -> Result<Vec<Multiplicities>, PartyError> {
        let values = &self.values.values;
        LookedUp::new(self.circuit, values).count(self.circuit, values, party)
    }
}

impl<P: WitnessParty> WitnessSource<P> for Witness<'_> {
    fn advice(
        &mut self,
        party: &mut P,
        phase: u8,
        challenges: &[Fr],
    ) -> Result<Vec<AdviceColumn>, ProveError> {
        if phase > 0 {
            let met = self.meet_challenges(party, challenges);
            met.map_err(|error| match error {
                WitnessError::Party(error) => ProveError::Party(error),
                error => ProveError::Witness(Box::new(error)),
            })?;
        }
        Ok(self.columns(party.adds_public(), phase))
    }

    fn choice_bits(&self, party: &P, column: u32) -> Option<Vec<AdviceColumn>> {
        Witness::choice_bits(self, party.adds_public(), column)
    }

    fn multiplicities(
        &mut self,
        party: &mut P,
        lookups: &LookupView<'_>,
    ) -> Result<Vec<Multiplicities>, ProveError> {
        // Who holds the values counts them row by row, whether or not the program says how.
        match self.circuit.columns.dynamic.is_some() && party.holds_values() {
            true => lookups.count(),
            false => Ok(self.count(party)?),
        }
    }
}
