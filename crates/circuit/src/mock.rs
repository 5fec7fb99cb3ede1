//! Checks a witness against its circuit without a proof: every gate, every lookup, every copy, and
//! for what fails the constraint, the node of the graph, the row and the values.

use crate::WitnessError;
use crate::circuit::Circuit;
use crate::looked_up::selector;
use crate::program::{WitnessValues, show};
use crate::witness::Witness;
use ff::{Field, PrimeField};
use rayon::prelude::*;
use std::collections::HashSet;
use std::fmt;
use twain_algebra::Fr;
use twain_party::{Alone, Seed, Shares};
use twain_plonk::{Cell, ColumnKind, Expression, Query};

/// A constraint that a witness does not satisfy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MockFailure {
    /// The gate, the lookup or `copy`.
    pub constraint: String,
    /// The part of the circuit, as `node 5 (Linear Conv)`.
    pub step: String,
    /// The row.
    pub row: usize,
    /// The cells the constraint reads, and their values.
    pub cells: Vec<(String, String)>,
}

impl fmt::Display for MockFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} fails at row {}:", self.step, self.constraint, self.row)?;
        self.cells.iter().try_for_each(|(cell, value)| write!(f, " {cell} = {value}"))
    }
}

/// The values of all columns.
struct Table<'a> {
    circuit: &'a Circuit,
    advice: Vec<Shares>,
    instances: &'a [Fr],
    challenges: Vec<Fr>,
}

/// Checks the values of a local run; at most `limit` failures are reported. Challenges take fixed
/// values: a mistake could pass with a probability no one would bet on, and nothing is proved here.
///
/// # Errors
/// The values that depend on challenges cannot be computed.
pub fn mock(
    circuit: &Circuit,
    values: &WitnessValues,
    limit: usize,
) -> Result<Vec<MockFailure>, WitnessError> {
    let count = circuit.cs.challenges().len() as u64;
    // Powers of a number that is no root of a polynomial in sight.
    let challenges: Vec<Fr> =
        (1..=count).map(|i| Fr::from_u128(u128::MAX / 7).pow_vartime([i])).collect();
    let mut witness = Witness::cell_by_cell(circuit, values);
    if count > 0 {
        witness.meet_challenges(&mut Alone::new(Seed([0; 32])), &challenges)?;
    }
    let mut advice = Vec::with_capacity(circuit.cs.advice_phases().len());
    let mut phases = [witness.columns(true, 0).into_iter(), witness.columns(true, 1).into_iter()];
    for phase in circuit.cs.advice_phases() {
        let column = phases.get_mut(usize::from(*phase)).and_then(Iterator::next);
        advice.push(column.map(|column| column.values).unwrap_or_default());
    }
    let instances = &values.instances;
    Ok(Table { circuit, advice, instances, challenges }.check(limit))
}

impl Table<'_> {
    fn check(&self, limit: usize) -> Vec<MockFailure> {
        let mut failures = self.gates(limit);
        failures.extend(self.lookups(limit));
        failures.extend(self.copies(limit));
        failures.truncate(limit);
        failures
    }

    /// The rows where an expression can differ from 0 (or from its default).
    fn active_rows(&self, expressions: &[Expression]) -> Vec<usize> {
        let rows = self.circuit.columns.geometry.usable_rows;
        match expressions.iter().find_map(selector) {
            Some(index) => self.circuit.assembly.selectors[index as usize].iter().collect(),
            None => (0..rows).collect(),
        }
    }

    fn gates(&self, limit: usize) -> Vec<MockFailure> {
        let check = |gate: &twain_plonk::Gate| {
            let mut failures = Vec::new();
            for polynomial in &gate.polynomials {
                for row in self.active_rows(std::slice::from_ref(polynomial)) {
                    if failures.len() < limit && self.evaluate(polynomial, row) != Fr::ZERO {
                        failures.push(self.failure(
                            &gate.name,
                            std::slice::from_ref(polynomial),
                            row,
                        ));
                    }
                }
            }
            failures
        };
        self.circuit.cs.gates().par_iter().flat_map_iter(check).collect()
    }

    fn lookups(&self, limit: usize) -> Vec<MockFailure> {
        let tuple = |expressions: &[Expression], row: usize| -> Vec<[u8; 32]> {
            expressions.iter().map(|e| self.evaluate(e, row).to_repr().into()).collect()
        };
        let rows = self.circuit.columns.geometry.usable_rows;
        let tables: Vec<_> = self.circuit.cs.lookups().values().collect();
        let check = |table: &&twain_plonk::LookupTable| {
            let entries: HashSet<Vec<[u8; 32]>> =
                (0..rows).map(|row| tuple(&table.table, row)).collect();
            let mut failures = Vec::new();
            for (input, name) in table.inputs.iter().zip(&table.names) {
                for row in self.active_rows(input) {
                    if failures.len() < limit && !entries.contains(&tuple(input, row)) {
                        failures.push(self.failure(name, input, row));
                    }
                }
            }
            failures
        };
        tables.par_iter().flat_map_iter(check).collect()
    }

    fn copies(&self, limit: usize) -> Vec<MockFailure> {
        let copies = self.circuit.assembly.copies.iter();
        let differ = copies.filter(|(left, right)| self.value(*left) != self.value(*right));
        let failure = |(left, right): &(Cell, Cell)| MockFailure {
            constraint: "copy".into(),
            step: self.step(*left).or_else(|| self.step(*right)).unwrap_or_default(),
            row: left.row as usize,
            cells: [left, right].map(|cell| (self.name(*cell), show(self.value(*cell)))).to_vec(),
        };
        differ.take(limit).map(failure).collect()
    }

    fn value(&self, cell: Cell) -> Fr {
        let (column, row) = (cell.column.index as usize, cell.row as usize);
        let value = match cell.column.kind {
            ColumnKind::Advice { .. } => self.advice.get(column).and_then(|c| c.get(row)),
            ColumnKind::Fixed => self.circuit.assembly.fixed.get(column).and_then(|c| c.get(row)),
            ColumnKind::Instance => self.instances.get(row),
        };
        value.copied().unwrap_or_default()
    }

    fn cell(&self, query: &Query, row: usize) -> Cell {
        let rows = self.circuit.columns.geometry.rows() as i64;
        let row = (row as i64 + i64::from(query.rotation)).rem_euclid(rows) as u32;
        Cell { column: query.column, row }
    }

    fn evaluate(&self, expression: &Expression, row: usize) -> Fr {
        match expression {
            Expression::Constant(value) => *value,
            Expression::Selector(selector) => {
                let on = self.circuit.assembly.selectors[selector.index as usize].get(row);
                Fr::from(u64::from(on))
            }
            Expression::Query(query) => self.value(self.cell(query, row)),
            Expression::Challenge(challenge) => {
                self.challenges.get(challenge.index as usize).copied().unwrap_or_default()
            }
            Expression::Negated(a) => -self.evaluate(a, row),
            Expression::Sum(a, b) => self.evaluate(a, row) + self.evaluate(b, row),
            Expression::Product(a, b) => self.evaluate(a, row) * self.evaluate(b, row),
            Expression::Scaled(a, factor) => self.evaluate(a, row) * factor,
        }
    }

    fn failure(&self, constraint: &str, expressions: &[Expression], row: usize) -> MockFailure {
        let mut cells: Vec<Cell> = Vec::new();
        for expression in expressions {
            expression.for_each_leaf(&mut |leaf| {
                if let Expression::Query(query) = leaf {
                    let cell = self.cell(query, row);
                    if !cells.contains(&cell) {
                        cells.push(cell);
                    }
                }
            });
        }
        let step = cells.iter().find_map(|cell| self.step(*cell));
        MockFailure {
            constraint: constraint.into(),
            step: step.unwrap_or_default(),
            row,
            cells: cells.iter().map(|cell| (self.name(*cell), show(self.value(*cell)))).collect(),
        }
    }

    /// The part of the circuit that wrote a cell of the main variables.
    fn step(&self, cell: Cell) -> Option<String> {
        let columns = &self.circuit.columns;
        let advice = matches!(cell.column.kind, ColumnKind::Advice { .. });
        let linear = [columns.a, columns.b, columns.o].iter().find_map(|variable| {
            let offset = cell.column.index.checked_sub(variable.first)? as usize;
            let inside = advice && offset < variable.columns();
            let (block, inner) = (offset / variable.inner, offset % variable.inner);
            let row = block * variable.rows + cell.row as usize;
            inside.then_some(row * variable.inner + inner)
        })?;
        Some(self.circuit.program.step_of_cell(linear).to_owned())
    }

    fn name(&self, cell: Cell) -> String {
        let kind = match cell.column.kind {
            ColumnKind::Advice { .. } => "advice",
            ColumnKind::Fixed => "fixed",
            ColumnKind::Instance => "instance",
        };
        format!("{kind} {} row {}", cell.column.index, cell.row)
    }
}
