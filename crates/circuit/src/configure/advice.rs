//! Families of advice columns in a constraint system.

use crate::geometry::Variable;
use twain_plonk::{Column, ColumnKind, ConstraintSystem};

/// Allocates a family of advice columns and enables equality on them.
pub(super) fn variable(
    cs: &mut ConstraintSystem,
    blocks: usize,
    inner: usize,
    rows: usize,
    unblinded: bool,
    phase: u8,
) -> Variable {
    let first = cs.advice_phases().len() as u32;
    for _ in 0..blocks * inner {
        let column = match unblinded {
            true => cs.unblinded_advice_column(phase),
            false => cs.advice_column(phase),
        };
        cs.enable_equality(column);
    }
    Variable { first, blocks, inner, rows, phase }
}

/// The advice column number `index`.
pub(super) fn advice(variable: &Variable, block: usize, inner: usize) -> Column {
    let index = variable.first + (block * variable.inner + inner) as u32;
    Column { kind: ColumnKind::Advice { phase: variable.phase }, index }
}
