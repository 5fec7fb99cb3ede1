//! Lays an EZKL graph out as a halo2 circuit and records its witness program.
//!
//! [`settings`] measures the circuit a graph leads to, by a dry run as EZKL's; [`configure`] makes
//! the constraint system from the settings alone; [`lay_out`] places a model in it, so that keys made
//! from the result equal EZKL's (spec 03, spec 04), and records how every cell's value is computed: a
//! [`Program`] that each party of a proof runs over its shares.

mod checks;
mod circuit;
mod columns;
mod configure;
mod decompositions;
mod dispatch;
mod dynamic_tables;
mod einsum;
mod error;
mod functions;
mod geometry;
mod layouter;
mod looked_up;
mod mock;
mod model;
mod modules;
mod ops;
mod program;
mod sizing;
mod step_function;
mod tensor;
mod witness;

pub use checks::proof_warnings::{Warning, warnings};
pub use checks::provable_by_pairs::{PairRefusal, pair_refusals};
pub use checks::rows::{check_public_values, check_tables};
pub use checks::supported_operations::check_supported;
pub use circuit::Circuit;
pub use columns::{
    BaseSelectors, Columns, Combination, DynamicSelectors, EinsumColumns, PairSelectors,
    PoseidonColumns, RangeCheck, SingleSelectors, StaticLookup,
};
pub use configure::{ProductTree, configure};
pub use error::{LayoutError, WitnessError};
pub use geometry::{Geometry, Variable};
pub use mock::{MockFailure, mock};
pub use model::{lay_out, parameters};
pub use program::{InstanceRow, Program, Source, Sources, Step, Wire, WitnessValues};
pub use sizing::settings;
pub use witness::Witness;
