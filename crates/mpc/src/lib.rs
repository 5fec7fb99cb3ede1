//! The second party: digits, preprocessing.

pub mod arithmetic;
pub mod digits;
mod factors;
pub mod preprocessing;
mod quotient;
mod two_party;

pub use two_party::TwoParty;
