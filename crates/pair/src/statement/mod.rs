//! The witness test over tagged masks (protocol §25): that the witness satisfies what the circuit
//! states, whatever the peer does.
//!
//! Before there is an input, the masks of all wires in cells are tagged ([`TaggedMasks::prepare`]),
//! and so are the products of masks that gates need, checked all at one point (protocol §24). Once
//! the wires are claimed, each is its public `δ` plus tagged masks, so every gate in every row is
//! linear in what is tagged; one combination of all of them, by a coin, must be 0
//! ([`TaggedMasks::test`]). Only then inverses of hidden values are made ([`LateInverses::make`]).

mod late_inverses;
mod preparation;
mod test;
mod wire_masks;

pub use late_inverses::LateInverses;
pub use preparation::TaggedMasks;
