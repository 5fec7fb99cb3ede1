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
    /// Degree of its constraints, and the least it would have without inputs.
    pub fn required_degree(&self) -> usize {
        let inputs: usize = self.inputs.iter().map(|tuple| tuple_degree(tuple)).sum();
        (3 + self.inputs.len()).max(tuple_degree(&self.table) + inputs + 2)
    }
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
        let first = arguments.len();
        for (input, name) in table.inputs.iter().zip(&table.names) {
            let degree = tuple_degree(input);
            let open = &mut arguments[first..];
            match open.iter_mut().find(|a| a.required_degree() + degree <= bound) {
                Some(argument) => {
                    argument.inputs.push(input.clone());
                    argument.names.push(name.clone());
                }
                None => arguments.push(LookupArgument {
                    table: table.table.clone(),
                    inputs: vec![input.clone()],
                    names: vec![name.clone()],
                    entry,
                }),
            }
        }
    }
    arguments
}
