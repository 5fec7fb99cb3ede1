//! The proof system: constraint system, keys, transcript, prover over a Party, verifier.

mod assembly;
mod column;
mod constraint_system;
mod expression;
mod lookup;

pub use assembly::{Assembly, BitRows};
pub use column::{Cell, Challenge, Column, ColumnKind, Selector};
pub use constraint_system::{ConstraintSystem, Gate};
pub use expression::{Expression, Query};
pub use lookup::{LookupArgument, LookupMap, LookupTable};
