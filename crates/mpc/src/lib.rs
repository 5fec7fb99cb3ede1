//! The second party: digit masks, preprocessing.

pub mod arithmetic;
pub mod digits;
pub mod dpf;
mod factors;
pub mod ot;
pub mod preprocessing;
mod quotient;
pub mod store;
mod two_party;

pub use two_party::TwoParty;
