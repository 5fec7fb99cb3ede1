//! Structured reference strings: EZKL's `kzgK.srs` (spec 01 §2), snarkjs' `.ptau`, and the check
//! that one is what it claims to be.

mod check;
mod file;
mod ptau;

pub use crate::points::PointCheck;
pub use check::{Powers, SrsError, check};
pub use file::{SrsFile, write_srs};
pub use ptau::PowersOfTau;

/// Largest `k`: BN254's scalar field has no larger domain.
pub const MAX_K: u32 = 28;
