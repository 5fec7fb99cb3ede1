//! The proof system: constraint system, keys, transcript, prover over a Party, verifier.

mod assembly;
mod column;
mod compiled;
mod constraint_system;
mod constraints;
mod error;
mod expression;
mod lookup;
mod opening;
mod polynomial;
mod transcript;

pub use assembly::{Assembly, BitRows};
pub use column::{Cell, Challenge, Column, ColumnKind, Selector};
pub use compiled::{CompiledSystem, SelectorColumn, TWO_ADICITY};
pub use constraint_system::{ConstraintSystem, Gate};
pub use constraints::{Challenges, Constraint, Evaluator, compress, constraints};
pub use error::{KeyError, ProofError};
pub use expression::{Expression, Query};
pub use lookup::{LookupArgument, LookupMap, LookupTable};
pub use opening::{RotationSet, all_rotations, evaluations, opening_queries, rotation_sets};
pub use polynomial::Polynomial;
pub use transcript::{ProofReader, ProofWriter, Transcript};
