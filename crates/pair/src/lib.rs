//! One side of a pair: [`TwoParty`], the `Party` of two processes and a channel between them over
//! additive shares, and all it consumes made ahead of time ([`preprocessing`]).
//!
//! Input: a link in its session (`twain-link`), this side's seeds, and a [`preprocessing::Plan`] of the
//! circuit or a bundle (`twain-store`). Output: the traits of `twain-party`, over which the witness
//! interpreter and the prover are written. Products come from `twain-ole`, digits from `twain-masks`
//! (`docs/protocol.md`: factors and inverses, digits, the quotient, preprocessing).

pub mod arithmetic;
mod factors;
pub mod hints;
pub mod preprocessing;
mod quotient;
mod rehearsal;
mod two_party;

pub use rehearsal::rehearse;
pub use two_party::TwoParty;
