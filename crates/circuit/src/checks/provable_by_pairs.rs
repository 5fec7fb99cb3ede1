//! What two parties cannot prove together yet, although one alone can: found from the circuit,
//! before anything is sent, and said with the node and the way out.

use crate::circuit::Circuit;
use crate::geometry::TABLE_RESERVED_ROWS;
use crate::ops::MOST_TABLE_COLUMNS;
use std::fmt;
use twain_graph::{Model, SupportedOp};
use twain_party::{Hint, Kind};
use twain_plonk::Selector;

/// A reason not to prove a circuit in a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairRefusal {
    /// The nodes, as in other messages, or the part of the settings.
    pub place: String,
    /// What two parties cannot do.
    pub reason: String,
    /// What the user can do.
    pub remedy: String,
}

impl fmt::Display for PairRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.reason, self.remedy)
    }
}

/// Everything about a circuit of `model` that two parties cannot do. What their hints cannot do
/// (bounds of values, bases) is not among it: running or planning the program tells.
pub fn pair_refusals(circuit: &Circuit, model: &Model) -> Vec<PairRefusal> {
    let columns = &circuit.columns;
    let mut refusals = Vec::new();
    refusals.extend(hints(circuit));
    let ranges = columns.ranges.iter().map(|range| {
        let name = format!("the range check {} to {}", range.low, range.high);
        let place = circuit.step_of_use(&range.selectors);
        (name, range.columns.len(), range.high.abs_diff(range.low), place, DECOMP_BASE)
    });
    let lookups = columns.lookups.iter().map(|lookup| {
        let span = lookup.table.values.len().saturating_sub(1) as u128;
        let name = format!("the table {}", lookup.op.name());
        let looks_up = |op: &SupportedOp| *op == SupportedOp::Nonlinear(lookup.op);
        (name, lookup.inputs.len(), span, nodes(model, looks_up), LOOKUP_RANGE)
    });
    for (name, width, span, place, smaller) in ranges.chain(lookups) {
        if width > MOST_TABLE_COLUMNS {
            let rows = span / MOST_TABLE_COLUMNS as u128 + TABLE_RESERVED_ROWS as u128 + 1;
            let logrows = rows.checked_next_power_of_two().map_or(u128::BITS, u128::trailing_zeros);
            refusals.push(PairRefusal {
                place,
                reason: format!(
                    "{name} takes {width} table columns of 2^{} rows, two parties look up in tables \
                     of up to {MOST_TABLE_COLUMNS}: the constraints have the degree of the columns",
                    columns.geometry.k
                ),
                remedy: format!("use --logrows {logrows} or more, or {smaller}"),
            });
        }
    }
    refusals
}

const ALONE: &str = "prove alone, or leave the operation out of the model";
const DECOMP_BASE: &str = "a smaller --decomp-base";
const LOOKUP_RANGE: &str = "a narrower --lookup-range";

/// The nodes with such an operation, wrapped or not.
fn nodes(model: &Model, is_meant: impl Fn(&SupportedOp) -> bool) -> String {
    let mut nodes = Vec::new();
    model.for_each_node(&mut |node| {
        let mut op = &node.op;
        loop {
            op = match op {
                SupportedOp::Rescaled(rescaled) => &rescaled.inner,
                SupportedOp::RebaseScale(rebased) => &rebased.inner,
                _ => break,
            };
        }
        if is_meant(op) {
            nodes.push(node.to_string());
        }
    });
    nodes.join(", ")
}

/// Functions of values neither side knows that two parties cannot evaluate.
fn hints(circuit: &Circuit) -> Option<PairRefusal> {
    let program = &circuit.program;
    program.levels.iter().flat_map(|level| &level.hints).find_map(|batch| {
        let what = match program.hints.get(batch.hint as usize)? {
            Hint::Reciprocal { .. } => "reciprocals",
            Hint::SquareRoot { .. } => "square roots",
            Hint::Exponent { .. } => "logarithms",
            _ => return None,
        };
        let mut inputs = batch.inputs.iter();
        let first_shared = *inputs.find(|wire| program.kind(**wire) == Kind::Shared)?;
        Some(PairRefusal {
            place: program.step_of_wire(batch.first_output).into(),
            reason: format!(
                "two parties cannot compute {what} of values neither knows in so wide a range \
                 (2^{} in size): they compare numbers of up to 120 bits, products of the result too",
                program.bits[first_shared as usize]
            ),
            remedy: ALONE.into(),
        })
    })
}

impl Circuit {
    /// The part of the circuit that first looks something up with one of these selectors.
    fn step_of_use(&self, selectors: &[Selector]) -> String {
        let uses = selectors.iter().filter_map(|selector| self.uses.get(selector.index as usize));
        let first = uses.flatten().map(|item| item.wire).min();
        first.map_or("the settings", |wire| self.program.step_of_wire(wire)).into()
    }
}
