//! What two parties cannot prove yet: asked of a laid-out circuit before they connect.

use crate::circuit::Circuit;
use twain_party::{Hint, Kind};

/// The first part of a circuit that two parties cannot prove on values neither knows, and why.
pub fn refused_in_pairs(circuit: &Circuit) -> Option<String> {
    let program = &circuit.program;
    if circuit.columns.einsum.is_some() {
        let text = "einsums use Freivalds' check, whose second-phase columns two parties cannot \
                    make yet: run gen-settings with disable_freivalds";
        return Some(text.into());
    }
    for batch in program.levels.iter().flat_map(|level| &level.hints) {
        let what = match &program.hints[batch.hint as usize] {
            Hint::Reciprocal { .. } => "reciprocals",
            Hint::SquareRoot { .. } => "square roots",
            Hint::Exponent { .. } => "logarithms",
            Hint::Unit { .. } => "computed indices",
            _ => continue,
        };
        if batch.inputs.iter().any(|wire| program.kind(*wire) == Kind::Shared) {
            let step = program.step_of_wire(batch.first_output);
            return Some(format!("{step}: {what} of values neither side knows are not there yet"));
        }
    }
    circuit.first_dynamic_cell.map(|cell| {
        let step = program.step_of_cell(cell);
        format!("{step}: sorting and lookups in tables of secret values are not there yet")
    })
}
