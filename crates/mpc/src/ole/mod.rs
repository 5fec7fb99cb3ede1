//! Oblivious linear evaluation: shares of `sum_i a_i * b_i` from operands `a` the model's side holds
//! and operands `b` the data's side holds (protocol §3).
//!
//! [`OleSource`] is the one interface behind which correlations are made: from ring-LWE encryption
//! while the proof runs, from a store filled ahead of time, or, in tests, by a trusted dealer.

mod bgv;
mod ideal;
mod packing;
mod pooled;

pub use bgv::BgvOle;
pub use ideal::{IdealOle, ideal_pair};
pub use pooled::{PooledOle, Supplies};

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

/// Makes shares of products between the two parties.
pub trait OleSource: Send {
    /// This party's share of each group's inner products. Both parties call it with the same groups;
    /// `operands` are this party's own vectors (as long as the groups that name them).
    /// Private: the shares are uniform, and the peer learns nothing but the lengths.
    fn inner_products(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError>;
}

/// Operands or groups that do not fit together: a mistake of the caller, not of the peer.
#[derive(Debug, thiserror::Error)]
enum Misuse {
    #[error("operand {operand} of an inner product is missing or not {length} elements long")]
    Operand { operand: u32, length: usize },
}

/// Checks that every operand a group names is there and as long as the group.
pub(crate) fn check_operands(
    role: Role,
    operands: &[&[Fr]],
    groups: &[OleGroup],
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
