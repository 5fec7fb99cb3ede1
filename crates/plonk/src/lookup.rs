//! Lookups: collected by table during configuration, then packed into lookup arguments whose degree
//! stays within what the circuit needs anyway (spec 01 §3.7).

use crate::expression::Expression;
use std::collections::BTreeMap;

/// All lookups into one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupTable {
    /// Table tuple.
    pub table: Vec<Expression>,
    /// Input tuples in the order of registration, each as long as the table tuple.
    pub inputs: Vec<Vec<Expression>>,
    /// Name of each input, for messages.
    pub names: Vec<String>,
}

/// Lookups by the text of their table, in the order of the text's bytes.
pub type LookupMap = BTreeMap<String, LookupTable>;

/// One lookup argument of the proof: inputs that are looked up in the same table together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupArgument {
    /// Table tuple.
    pub table: Vec<Expression>,
    /// Input tuples, at least one.
    pub inputs: Vec<Vec<Expression>>,
    /// Name of each input, for messages.
    pub names: Vec<String>,
    /// Position of the table in the lookup map.
    pub entry: usize,
}

impl LookupArgument {
    /// Degree of its constraints.
    pub fn required_degree(&self) -> usize {
        let inputs = self.inputs.iter().map(|tuple| tuple_degree(tuple)).sum();
        required_degree(tuple_degree(&self.table), self.inputs.len(), inputs)
    }
}

/// The degree of an argument with `count` inputs whose degrees add up to `inputs`.
fn required_degree(table: usize, count: usize, inputs: usize) -> usize {
    (3 + count).max(table + inputs + 2)
}

/// The largest degree of a tuple's expressions.
fn tuple_degree(tuple: &[Expression]) -> usize {
    tuple.iter().map(Expression::degree).max().unwrap_or(0)
}

/// Packs the lookups of each table, in order, into the first argument with room.
/// `gate_degree`: the highest degree of a gate polynomial, virtual selectors included.
pub(crate) fn pack(map: &LookupMap, gate_degree: usize) -> Vec<LookupArgument> {
    let single_degree = |table: &LookupTable| {
        let inputs = table.inputs.iter().map(|tuple| tuple_degree(tuple)).max().unwrap_or(0);
        (tuple_degree(&table.table) + 2).max(3) + inputs
    };
    let bound = map.values().map(single_degree).max().unwrap_or(0).max(gate_degree);
    let mut arguments: Vec<LookupArgument> = Vec::new();
    for (entry, table) in map.values().enumerate() {
        let table_degree = tuple_degree(&table.table);
        // Of each argument of this table: the number of its inputs and the sum of their degrees.
        let mut open: Vec<(usize, usize)> = Vec::new();
        let first = arguments.len();
        for (input, name) in table.inputs.iter().zip(&table.names) {
            let degree = tuple_degree(input);
            let fits = |(count, inputs): &(usize, usize)| {
                required_degree(table_degree, *count, *inputs) + degree <= bound
            };
            match open.iter().position(fits) {
                Some(position) => {
                    open[position].0 += 1;
                    open[position].1 += degree;
                    let argument = &mut arguments[first + position];
                    argument.inputs.push(input.clone());
                    argument.names.push(name.clone());
                }
                None => {
                    open.push((1, degree));
                    arguments.push(LookupArgument {
                        table: table.table.clone(),
                        inputs: vec![input.clone()],
                        names: vec![name.clone()],
                        entry,
                    });
                }
            }
        }
    }
    arguments
}
