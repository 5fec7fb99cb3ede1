//! What a circuit's lookup arguments look up, with the values of a run, and how often
//! (spec 01 §5.4): in tables of consecutive integers, which parties count, or of witness values.

use crate::WitnessError;
use crate::circuit::Circuit;
use crate::program::{Sources, WitnessValues};
use crate::statement::WitnessStatement;
use std::collections::HashMap;
use twain_algebra::Fr;
use twain_party::{LookupUse, Multiplicities, PartyError, Shares, WitnessParty};
use twain_plonk::{Expression, LookupArgument};

/// The lookups of a run.
pub(crate) struct LookedUp {
    tables: Vec<InTable>,
    /// Arguments whose table has witness values, with their positions.
    dynamic: Vec<(usize, LookupArgument)>,
    /// Values in a column of a table.
    chunk: u64,
    default_row: usize,
}

/// The lookups in a column of a table of consecutive integers.
struct InTable {
    column: RangeColumn,
    uses: Vec<LookupUse>,
    /// Rows that look up the default.
    defaults: u64,
}

/// A column of a table of consecutive integers.
#[derive(Clone, Copy)]
struct RangeColumn {
    low: i128,
    high: i128,
    column: u32,
}

impl LookedUp {
    /// The lookups of a run with these values of wires.
    pub fn new(circuit: &Circuit, values: &[Fr]) -> Self {
        let geometry = &circuit.columns.geometry;
        let columns = table_columns(circuit);
        let (mut tables, mut dynamic) = (Vec::new(), Vec::new());
        for (position, argument) in circuit.cs.lookup_arguments().into_iter().enumerate() {
            let fixed = argument.table.first().and_then(fixed_column);
            let Some(column) = fixed.and_then(|fixed| columns.get(&fixed)) else {
                dynamic.push((position, argument));
                continue;
            };
            let selectors = input_selectors(&argument);
            let uses = selectors.iter().flat_map(|index| &circuit.uses[*index as usize]);
            let uses: Vec<LookupUse> = uses
                .map(|item| {
                    let operand = circuit.program.operand(item.wire, values);
                    LookupUse { wire: item.wire, operand, column: item.column.first_bit }
                })
                .collect();
            let rows = argument.inputs.len() * geometry.usable_rows;
            let defaults = (rows - uses.len()) as u64;
            tables.push(InTable { column: *column, uses, defaults });
        }
        let chunk = geometry.table_rows as u64;
        Self { tables, dynamic, chunk, default_row: geometry.usable_rows - 1 }
    }

    /// The arguments that look up in tables of consecutive integers, in their order.
    fn arguments(&self) -> Vec<twain_party::LookupArgument<'_>> {
        let tables = self.tables.iter();
        tables
            .map(|InTable { column, uses, defaults }| twain_party::LookupArgument {
                low: column.low,
                high: column.high,
                chunk: self.chunk,
                column: column.column,
                uses,
                defaults: *defaults,
                default_row: self.default_row,
            })
            .collect()
    }
}

impl LookedUp {
    /// The multiplicities of each argument, in the order of the arguments. `values` are those of
    /// the run.
    ///
    /// # Errors
    /// A failed step of the party.
    pub fn count<P: WitnessParty>(
        &self,
        circuit: &Circuit,
        values: &[Fr],
        party: &mut P,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        let rows = circuit.columns.geometry.rows();
        let counted = party.multiplicities(&self.arguments(), rows);
        let mut counted = counted.map_err(|error| circuit.program.at_step(error))?;
        // In increasing order, so that each goes to its place.
        for (position, argument) in &self.dynamic {
            let column = circuit.count_dynamic(values, party, argument)?;
            counted.insert((*position).min(counted.len()), column.into());
        }
        Ok(counted)
    }
}

impl Circuit {
    /// The multiplicities of an argument whose table has witness values: sums of the program's
    /// wires.
    fn count_dynamic<P: WitnessParty>(
        &self,
        values: &[Fr],
        party: &P,
        argument: &LookupArgument,
    ) -> Result<Shares, PartyError> {
        let geometry = &self.columns.geometry;
        let mut column = Shares::zero(geometry.rows());
        let mut defaults = (argument.inputs.len() * geometry.usable_rows) as u64;
        for selector in input_selectors(argument) {
            let Some(hits) = self.dynamic.hits.get(&selector) else { continue };
            defaults = defaults.saturating_sub(hits.lookups);
            for (row, wire) in &hits.counts {
                column[*row] += self.program.share(*wire, party.adds_public(), values);
            }
        }
        // Rows with the selector off look up a row of zeros: the last one outside the tables.
        let table = argument.table.first().and_then(selector);
        let table = table.and_then(|index| self.assembly.selectors.get(index as usize));
        let outside = |row: &usize| table.is_some_and(|table| !table.get(*row));
        match (0..geometry.usable_rows).rev().find(outside) {
            Some(row) => column[row] += party.public(Fr::from(defaults)),
            None if defaults > 0 => return Err(PartyError::Invalid),
            None => {}
        }
        Ok(column)
    }

    /// Runs the witness program, as [`Program::run`](crate::program::Program::run) does. What is
    /// looked up is tested with the rest, so that it can be counted by parties of which neither
    /// knows it.
    ///
    /// # Errors
    /// As those of the program.
    pub fn run<P: WitnessParty>(
        &self,
        party: &mut P,
        sources: &Sources,
    ) -> Result<WitnessValues, WitnessError> {
        self.program.run_with(party, sources, |party, values| {
            let looked_up = LookedUp::new(self, values);
            let prepared = party.prepare_lookups(&looked_up.arguments());
            prepared.map_err(|error| self.program.at_step(error))?;
            if !party.tests_statements() {
                return Ok(());
            }
            let counted = looked_up.count(self, values, party)?;
            party.test_statement(&WitnessStatement::new(self, values, counted)?)
        })
    }
}

/// The table columns by fixed column.
fn table_columns(circuit: &Circuit) -> HashMap<u32, RangeColumn> {
    let mut tables = HashMap::new();
    let columns = &circuit.columns;
    let mut add = |fixed: &[twain_plonk::Column], low: i128, high: i128| {
        for (column, fixed) in (0..).zip(fixed) {
            tables.insert(fixed.index, RangeColumn { low, high, column });
        }
    };
    for lookup in &columns.lookups {
        let last = lookup.table.low + lookup.table.values.len() as i128 - 1;
        add(&lookup.inputs, lookup.table.low, last);
    }
    for range in &columns.ranges {
        add(&range.columns, range.low, range.high);
    }
    tables
}

/// The selectors of an argument's inputs.
fn input_selectors(argument: &LookupArgument) -> Vec<u32> {
    let selectors = argument.inputs.iter().flatten().filter_map(selector);
    let mut selectors: Vec<u32> = selectors.collect();
    selectors.sort_unstable();
    selectors.dedup();
    selectors
}

/// The fixed column an expression is.
fn fixed_column(expression: &Expression) -> Option<u32> {
    match expression {
        Expression::Query(query) => {
            (query.column.kind == twain_plonk::ColumnKind::Fixed).then_some(query.column.index)
        }
        _ => None,
    }
}

/// The first selector of an expression.
pub(crate) fn selector(expression: &Expression) -> Option<u32> {
    let mut found = None;
    expression.for_each_leaf(&mut |leaf| {
        if let Expression::Selector(selector) = leaf {
            found = found.or(Some(selector.index));
        }
    });
    found
}
