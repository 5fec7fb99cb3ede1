//! The non-polynomial steps of a witness (spec 03 §6), and the lookups that count them.

use crate::{CellKinds, Kind, Operand, Shares};
use std::sync::Arc;

/// Widest value (in bits) whose inverse is looked up rather than computed, if it is shared.
pub const TABLE_OF_INVERSES: u32 = 6;

/// A function that the circuit checks but does not compute.
#[derive(Clone, Debug, PartialEq)]
pub enum Hint {
    /// Sign (-1, 0, 1) and `legs` digits in `base` of the absolute value, most significant first.
    /// A value with `|v| >= base^legs` makes the witness invalid.
    Decompose {
        /// The base, at least 2.
        base: u64,
        /// How many digits.
        legs: u32,
    },
    /// The inverse, and 0 of 0. Of shared values, only of at most [`TABLE_OF_INVERSES`] bits.
    InverseOrZero,
    /// The inverse of a value that is not 0 and that one side knows. For shared ones see
    /// [`LateInverse`](crate::LateInverse).
    Inverse,
    /// `[v = 0]`.
    IsZero,
    /// The quotient by a positive public divisor, rounded half away from zero.
    DivideRound {
        /// The divisor.
        divisor: u128,
    },
    /// `floor(|v - low| / chunk)`: the table column of a range or static lookup that holds `v`.
    ChunkIndex {
        /// First value of the whole table, all columns.
        low: i128,
        /// Values per column.
        chunk: u64,
    },
    /// The value of a table at `v`.
    Table(Arc<StaticTable>),
    /// `[v >= 0]`.
    NotNegative,
    /// The unit vector with a 1 at place `floor((v - low) / chunk)`; `v` must be from `low` to
    /// `high`.
    Unit {
        /// The smallest value.
        low: i128,
        /// The largest value: it belongs to the last place.
        high: i128,
        /// Values of one place.
        chunk: u64,
    },
    /// The `y` for which `y * v` is closest to the numerator, of two the smaller.
    Reciprocal {
        /// The numerator, not negative.
        numerator: i128,
        /// What stands for the reciprocal of 0.
        of_zero: i128,
    },
    /// The `y >= 0` for which `y^2` is closest to `factor * v`; 0 of negative values.
    SquareRoot {
        /// The factor, positive.
        factor: i128,
    },
    /// The `y` for which `scale * 2^y`, rounded half away from zero, is closest to `v`, of several
    /// the largest: the exponent of the logarithm.
    Exponent {
        /// The scale, positive.
        scale: i128,
        /// The exponent is between `-limit` and `limit`.
        limit: u32,
    },
}

impl Hint {
    /// Outputs for each input.
    pub fn outputs(&self) -> usize {
        match self {
            Hint::Decompose { legs, .. } => *legs as usize + 1,
            Hint::Unit { low, high, chunk } => {
                let last = high.abs_diff(*low).checked_div(u128::from(*chunk));
                let last = last.and_then(|last| usize::try_from(last).ok());
                last.map_or(usize::MAX, |last| last.saturating_add(1))
            }
            _ => 1,
        }
    }

    /// The unit vector with a 1 at place `v`, which must be below its length.
    pub fn unit(length: usize) -> Self {
        Hint::Unit { low: 0, high: length as i128 - 1, chunk: 1 }
    }
}

/// A function on `low..low + values.len()`.
#[derive(Debug, PartialEq)]
pub struct StaticTable {
    /// What it computes, for messages.
    pub name: String,
    /// The first argument.
    pub low: i128,
    /// The values.
    pub values: Vec<i128>,
}

/// One hint applied to many inputs.
pub struct HintBatch<'a> {
    /// The function.
    pub hint: Hint,
    /// The inputs.
    pub inputs: &'a [Operand],
    /// Wire of the first output; the outputs of input `i` are the wires
    /// `first_output + i * hint.outputs() ..`. A party may remember how an output came about under
    /// its wire, and use it when [`LookupUse`] names the wire.
    pub first_output: u32,
}

/// A wire looked up in a table.
#[derive(Clone, Copy)]
pub struct LookupUse {
    /// The wire looked up (several cells with the same value may share one).
    pub wire: u32,
    /// Its value.
    pub operand: Operand,
    /// The first wire of the [`Hint::Unit`] that says in which column of the table it is, if there
    /// are several.
    pub column: Option<u32>,
}

/// The multiplicities of a lookup argument (spec 01 §5.4).
#[derive(Clone, Debug)]
pub struct Multiplicities {
    /// A share for each row.
    pub shares: Shares,
    /// Which rows may hold something: the others have no kind, and both shares of them are 0.
    pub kinds: CellKinds,
    /// As integers around 0 the shares are below `2^bits` (254: not known). Follows from the
    /// circuit alone.
    pub bits: u32,
}

impl From<Shares> for Multiplicities {
    /// Any multiplicities, of which nothing is known.
    fn from(shares: Shares) -> Self {
        Self { shares, kinds: CellKinds::Uniform(Kind::Shared), bits: 254 }
    }
}

/// A lookup argument over a table of consecutive integers (a range), one column of it.
pub struct LookupArgument<'a> {
    /// First value of the *whole* table, all columns.
    pub low: i128,
    /// Last value of the whole table.
    pub high: i128,
    /// Values per column.
    pub chunk: u64,
    /// Which column this argument looks up; a use counts here if its chunk index is this number and
    /// otherwise as the column's default (first) entry.
    pub column: u32,
    /// The uses with the selector on.
    pub uses: &'a [LookupUse],
    /// How many rows have the selector off: each counts as the column's first entry.
    pub defaults: u64,
    /// Row that takes the counts of the first entry (the last of its copies, spec 01 §5.4).
    pub default_row: usize,
}
