//! Digit masks: a uniform secret `r` below `2^d` and additive shares, in the integers modulo
//! `2^128`, of the vector that is 1 at `r` and 0 elsewhere (protocol §6).
//!
//! A mask is kept as a key of a distributed point function in the form of Guo, Yang, Wang, Zhang,
//! Xie, Zhang and Zhao (*Half-Tree*, EUROCRYPT 2023): a binary tree of blocks in which the two
//! parties' nodes are equal off the path to `r` and differ by the session's common difference on
//! it. Keys are made by both parties together after Doerner and shelat (CCS 2017), see `generate`,
//! and their positions checked against a peer that deviates, see `positions`. Only a [`Checked`]
//! mask is used.
//!
//! A share is positive for the model's side and negated for the data's; the functions here that
//! return *raw* sums leave that to [`share_of`], once per sum.

#[cfg(test)]
mod cheat;
mod checked;
#[cfg(feature = "test-utils")]
mod deal;
mod generate;
mod kernels;
mod mask;
mod positions;
#[cfg(test)]
mod rushing;
#[cfg(test)]
mod tests;
mod tree;
#[cfg(target_arch = "x86_64")]
mod vaes;

pub use checked::Checked;
#[cfg(feature = "test-utils")]
pub use deal::deal;
pub(crate) use generate::{generate, schedule};
pub use mask::{DigitMask, lift, mask_words, share_of};
pub use tree::{MAX_DOMAIN_BITS, Scratch};
