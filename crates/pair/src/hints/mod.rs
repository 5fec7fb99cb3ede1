//! The non-polynomial steps of a witness, and the counts of its lookups, by two parties of which
//! neither knows the values (protocol §7, §13): the `hints` and `multiplicities` of `WitnessParty`.
//!
//! [`Hints`] evaluates values that a party owns locally, by their owner. For shared values it takes
//! material (digit masks, shared bits) from a [`DigitMaskSource`] and opens masked values only. It
//! remembers under each digit's wire the mask and the opened value that made it, which give the
//! one-hot vector of the digit when lookups are counted. What must hold but is not true by
//! construction is collected as *claims*, for the validity test.
//!
//! One call of [`Hints::hints`] takes a constant number of messages, whatever its length:
//! a comparison of values of `w` bits `2 + log2(w / 7)`, a decomposition as many more as it has
//! digits, a division or a lookup one more, an inverse of a wide value two.
//!
//! [`DigitMaskSource`]: twain_masks::DigitMaskSource

mod compare;
mod counts;
mod cover;
mod division;
mod evaluation;
mod inversion;
mod jobs;
mod lookup;
mod one_hot;
mod opening;
mod rounding;
mod side;
#[cfg(test)]
mod tests;

pub use side::Hints;
