//! Names of everything a configured circuit allocated, in terms of its layout (spec 03 §1).

use crate::geometry::{Geometry, Variable};
use std::sync::Arc;
use twain_graph::LookupOp;
use twain_party::StaticTable;
use twain_plonk::{Challenge, Column, Selector};

/// The columns and selectors of a circuit.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Sizes.
    pub geometry: Geometry,
    /// Left operands.
    pub a: Variable,
    /// Right operands, and the column indices of lookups.
    pub b: Variable,
    /// Results.
    pub o: Variable,
    /// One unblinded variable for each committed tensor: inputs, parameters, outputs.
    pub commitments: Vec<Variable>,
    /// The three columns of dynamic tables.
    pub dynamic: Option<[Variable; 3]>,
    /// Fixed columns that hold the model's constants; a hash module's column is the last.
    pub constants: Vec<Column>,
    /// The instance column.
    pub instance: Column,
    /// The selectors of the base gates.
    pub base: BaseSelectors,
    /// Static lookups, in the order of the settings.
    pub lookups: Vec<StaticLookup>,
    /// Range checks, in the order of the settings.
    pub ranges: Vec<RangeCheck>,
    /// The selectors of dynamic lookups.
    pub dynamic_lookups: Option<DynamicSelectors>,
    /// The selectors of shuffles.
    pub shuffles: Option<DynamicSelectors>,
    /// The Poseidon module.
    pub poseidon: Option<PoseidonColumns>,
    /// The columns of Freivalds einsums.
    pub einsum: Option<EinsumColumns>,
}

/// Selectors of the base gates, by block and (where the gate is one of a cell) inner column.
#[derive(Clone, Debug, Default)]
pub struct BaseSelectors {
    /// `A + B`, by `block * inner + inner column`.
    pub add: Vec<Selector>,
    /// `A - B`.
    pub sub: Vec<Selector>,
    /// `A * B`.
    pub mult: Vec<Selector>,
    /// First row of a dot product, by block.
    pub dot_init: Vec<Selector>,
    /// Later rows of a dot product.
    pub dot: Vec<Selector>,
    /// Later rows of a product.
    pub cum_prod: Vec<Selector>,
    /// First row of a product.
    pub cum_prod_init: Vec<Selector>,
    /// Later rows of a sum.
    pub sum: Vec<Selector>,
    /// First row of a sum.
    pub sum_init: Vec<Selector>,
}

/// A table of inputs and outputs of a function, and where it is used.
#[derive(Clone, Debug)]
pub struct StaticLookup {
    /// The function.
    pub op: LookupOp,
    /// First and last value of the table, all columns.
    pub table: Arc<StaticTable>,
    /// Table columns of the arguments.
    pub inputs: Vec<Column>,
    /// Table columns of the values.
    pub outputs: Vec<Column>,
    /// Selectors by `block * inner + inner column`.
    pub selectors: Vec<Selector>,
}

/// A table of consecutive integers, and where it is used.
#[derive(Clone, Debug)]
pub struct RangeCheck {
    /// First value.
    pub low: i128,
    /// Last value.
    pub high: i128,
    /// Table columns.
    pub columns: Vec<Column>,
    /// Selectors by `block * inner + inner column`.
    pub selectors: Vec<Selector>,
}

/// The selectors of all dynamic lookups or of all shuffles.
#[derive(Clone, Debug)]
pub struct DynamicSelectors {
    /// Table rows, by block of the table columns.
    pub tables: Vec<Selector>,
    /// Looked-up rows, by `(table block * blocks + block) * inner + inner column`.
    pub inputs: Vec<Selector>,
}

/// The Poseidon module's columns.
#[derive(Clone, Debug)]
pub struct PoseidonColumns {
    /// The state.
    pub state: [Column; 2],
    /// The output of a partial round's s-box.
    pub partial_sbox: Column,
    /// Round constants: of the row's first round, then of its second.
    pub round_constants: [[Column; 2]; 2],
    /// Full rounds, partial rounds, pad-and-add.
    pub full: Selector,
    /// Partial rounds.
    pub partial: Selector,
    /// Absorption of an element.
    pub pad_and_add: Selector,
}

/// The columns and selectors of Freivalds einsums (spec 04 §6).
#[derive(Clone, Debug)]
pub struct EinsumColumns {
    /// `I0, I1` of the first phase, `I2, I3` of the second.
    pub inputs: [Variable; 4],
    /// `Q0` of the first phase, `Q1` of the second.
    pub outputs: [Variable; 2],
    /// Gates of two operands: both of the first phase, mixed, both of the second.
    pub pairs: [PairSelectors; 3],
    /// Gates of one operand: of the first phase, of the second.
    pub singles: [SingleSelectors; 2],
    /// Random linear combinations, by position of the axis in the output.
    pub combinations: Vec<Combination>,
}

/// Selectors of einsum gates with two operands, by block.
#[derive(Clone, Debug, Default)]
pub struct PairSelectors {
    /// Products, by `block * inner + inner column`.
    pub mult: Vec<Selector>,
    /// First row of a dot product.
    pub dot_init: Vec<Selector>,
    /// Later rows of a dot product.
    pub dot: Vec<Selector>,
}

/// Selectors of einsum gates with one operand, by block.
#[derive(Clone, Debug, Default)]
pub struct SingleSelectors {
    /// First row of a sum.
    pub sum_init: Vec<Selector>,
    /// Later rows of a sum.
    pub sum: Vec<Selector>,
    /// First row of a product.
    pub cum_prod_init: Vec<Selector>,
    /// Later rows of a product.
    pub cum_prod: Vec<Selector>,
}

/// A random linear combination along one axis.
#[derive(Clone, Debug)]
pub struct Combination {
    /// The challenge whose powers are the weights.
    pub challenge: Challenge,
    /// First row, by phase of the operand and block.
    pub init: [Vec<Selector>; 2],
    /// Later rows.
    pub accumulate: [Vec<Selector>; 2],
}

impl Columns {
    /// The phase of an advice column.
    pub(crate) fn phase(&self, column: u32) -> u8 {
        let Some(einsum) = &self.einsum else { return 0 };
        let variables = einsum.inputs.iter().chain(&einsum.outputs);
        let mut holds =
            variables.filter(|v| (v.first..v.first + v.columns() as u32).contains(&column));
        holds.next().map_or(0, |variable| variable.phase)
    }
}
