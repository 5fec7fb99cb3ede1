//! Lays an EZKL graph out as a halo2 circuit and records its witness program.
//!
//! [`settings`] measures the circuit a graph leads to, by a dry run as EZKL's; [`configure`] makes
//! the constraint system from the settings alone; [`lay_out`] places a model in it, so that keys made
//! from the result equal EZKL's (spec 03, spec 04), and records how every cell's value is computed: a
//! [`Program`] that each party of a proof runs over its shares.
//!
//! From a compiled model to a witness that satisfies the circuit:
//!
//! ```
//! use std::path::Path;
//! use twain_artifacts::{CompiledModel, InputFile};
//! use twain_circuit::{ProductTree, Sources, Witness, lay_out, mock, parameters};
//! use twain_party::{Alone, Seed};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = Path::new("../../tests/vectors/1l_relu-k8-private");
//! let CompiledModel { model, settings, .. } = CompiledModel::read(&folder.join("model.compiled"))?;
//! let circuit = lay_out(&model, &settings, ProductTree::FullySplit)?;
//!
//! let inputs = InputFile::read(&folder.join("input.json"))?.quantize(&model)?;
//! let parameters = parameters(&model);
//! let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
//! let values = circuit.run(&mut Alone::new(Seed([1; 32])), &sources)?;
//! assert!(mock(&circuit, &values, 1)?.is_empty());
//! println!("{:?}", Witness::new(&circuit, &values).outputs());
//! # Ok(())
//! # }
//! ```

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
mod multiplied;
mod ops;
mod program;
mod sizing;
mod statement;
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
pub use model::{lay_out, lay_out_owned, parameters};
pub use modules::poseidon::poseidon_hash;
pub use program::{InstanceRow, Program, Source, Sources, Step, Wire, WitnessValues};
pub use sizing::settings;
pub use witness::Witness;
