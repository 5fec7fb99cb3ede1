//! What can go wrong with an encryption or an answer.

/// Why an encryption, an answer or a message of the peer was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// More values than a plaintext has slots.
    #[error("{got} values do not fit into the {slots} slots of a plaintext")]
    TooManySlots {
        /// Values given.
        got: usize,
        /// Slots of a plaintext.
        slots: usize,
    },
    /// A message of another length than the parameters fix.
    #[error("a message of {got} bytes where the parameters fix {expected}")]
    Length {
        /// Bytes received.
        got: usize,
        /// Bytes due.
        expected: usize,
    },
    /// A residue that is not below its prime.
    #[error("the message holds a residue that is not below its prime {prime}")]
    Residue {
        /// The prime.
        prime: u64,
    },
    /// The answers of a session would hide less than the statistical parameter demands.
    #[error(
        "the answers of this session would be hidden to 2^-{bits:.1} only, and 2^-{required} is \
         required: split the work over several sessions"
    )]
    Budget {
        /// Statistical bits that would be left.
        bits: f64,
        /// Statistical bits required.
        required: u32,
    },
    /// More or fewer encryptions than a proof may be about.
    #[error("a proof about {got} encryptions, where a batch has 1 to {most}")]
    Batch {
        /// Encryptions of the batch.
        got: usize,
        /// Most there may be.
        most: usize,
    },
    /// The peer did not show that its keys and encryptions are what they should be.
    #[error("the peer's proof about its encryptions is wrong")]
    Proof,
    /// A response would be so near an end of its range that it might show what it covers.
    /// Independent of any secret.
    #[error(
        "a proof about this side's encryptions could not be sent, as happens by chance once in \
         millions of proofs: start again"
    )]
    Chance,
    /// An encryption under another key than the one that is to be answered under.
    #[error("an answer under one key to an encryption under another")]
    OtherKey,
}
