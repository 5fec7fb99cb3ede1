//! Oblivious linear evaluation: shares of `sum_i a_i * b_i` from operands `a` the model's side
//! holds and operands `b` the data's side holds (protocol §2).
//!
//! [`OleSource`] is the one interface behind which correlations are made: from ring-LWE encryption
//! while the proof runs, from a store filled ahead of time, or, in tests, by a trusted dealer.
//!
//! Input: this party's operands and, the same on both sides, the [`OleGroup`]s that say which are
//! multiplied; a link. Output: this party's shares (`docs/protocol.md`, products).
//!
//! ```
//! use rand_chacha::ChaCha20Rng;
//! use rand_core::SeedableRng;
//! use twain_algebra::Fr;
//! use twain_link::channel::{MemoryChannel, memory_pair};
//! use twain_ole::{BgvOle, OleGroup, OleSource};
//!
//! // Element by element, the sum of two products; the operands of a side are its own.
//! let groups = [OleGroup { length: 2, terms: vec![(0, 0), (1, 1)] }];
//! let side = |mut link: MemoryChannel, seed, operands: [[u64; 2]; 2]| {
//!     let operands = operands.map(|operand| operand.map(Fr::from));
//!     let mut ole = BgvOle::new(ChaCha20Rng::seed_from_u64(seed));
//!     ole.inner_products(&mut link, "example", &[&operands[0], &operands[1]], &groups)
//! };
//! let (model, data) = memory_pair([7; 32]);
//! let (u, v) = std::thread::scope(|scope| {
//!     let data = scope.spawn(|| side(data, 2, [[5, 6], [7, 8]]));
//!     (side(model, 1, [[1, 2], [3, 4]]), data.join().expect("no panic"))
//! });
//! let (u, v) = (u?, v?);
//! assert_eq!(u[0][0] + v[0][0], Fr::from(1 * 5 + 3 * 7));
//! assert_eq!(u[0][1] + v[0][1], Fr::from(2 * 6 + 4 * 8));
//! # Ok::<(), twain_party::PartyError>(())
//! ```

mod bgv;
#[cfg(test)]
mod cheat;
mod components;
#[cfg(feature = "test-utils")]
mod ideal;
mod keys;
mod packing;
mod pooled;
mod steps;
mod together;

pub use bgv::BgvOle;
#[cfg(feature = "test-utils")]
pub use ideal::{IdealOle, ideal_pair};
pub use pooled::PooledOle;
pub use together::Together;

use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_party::{PartyError, Role};

/// A vector of inner products: element `j` is the sum over `terms` of the model's operand times the
/// data's operand, each at `j`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OleGroup {
    /// Length of the operands and of the result.
    pub length: usize,
    /// Pairs of indices: into the model's operands and into the data's.
    pub terms: Vec<(u32, u32)>,
}

/// What one call multiplies; its results come in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Products {
    /// Of values of polynomials at points off the rows: the encryptions of each `N` consecutive
    /// points are under a key of their own (protocol §2.3). Operands of these are none of the
    /// others'.
    pub points: Vec<OleGroup>,
    /// Of anything else.
    pub others: Vec<OleGroup>,
}

impl Products {
    /// All groups, in order.
    pub fn groups(&self) -> impl Iterator<Item = &OleGroup> + Clone {
        self.points.iter().chain(&self.others)
    }
}

impl From<Vec<OleGroup>> for Products {
    /// None of points.
    fn from(others: Vec<OleGroup>) -> Self {
        Self { points: Vec::new(), others }
    }
}

/// Makes shares of products between the two parties.
pub trait OleSource: Send {
    /// This party's share of each group's inner products. Both parties call it with the same
    /// groups; `operands` are this party's own vectors (as long as the groups that name them).
    /// Private: the shares are uniform, and the peer learns nothing but the lengths.
    fn inner_products(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError>;

    /// The same of products some of which are at points. A source that encrypts must tell them
    /// apart; for others the groups are all alike.
    fn inner_products_of(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        products: &Products,
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let groups: Vec<OleGroup> = products.groups().cloned().collect();
        self.inner_products(channel, phase, operands, &groups)
    }

    /// Leaves out a call that was planned. Both parties do, and nothing is sent.
    fn skip(&mut self, _products: &Products) -> Result<(), PartyError> {
        Ok(())
    }
}

/// Operands or groups that do not fit together: a mistake of the caller, not of the peer.
#[derive(Debug, thiserror::Error)]
enum Misuse {
    #[error("operand {operand} of an inner product is missing or not {length} elements long")]
    Operand { operand: u32, length: usize },
}

/// Checks that every operand a group names is there and as long as the group.
pub fn check_operands<'g>(
    role: Role,
    operands: &[&[Fr]],
    groups: impl IntoIterator<Item = &'g OleGroup>,
) -> Result<(), PartyError> {
    for group in groups {
        for &(model, data) in &group.terms {
            let operand = [model, data][role as usize];
            let length = group.length;
            if operands.get(operand as usize).is_none_or(|values| values.len() != length) {
                return Err(PartyError::Peer(Box::new(Misuse::Operand { operand, length })));
            }
        }
    }
    Ok(())
}
