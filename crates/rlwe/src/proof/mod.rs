//! Proofs of plaintext knowledge: that a batch of encryptions, and the keys they are under, are
//! what they should be up to a factor that answers have (protocol §2.1). Without one, an answer can
//! be made to show the evaluator's operands (`attacks`).
//!
//! ```text
//! Prover::new           ◀── encryptions are sent ──       Batch::new
//! Prover::commit        ◀── CHALLENGE_BYTES ──            Batch::weigh
//!                       ─── COMMITMENT_BYTES ──▶          Weighed::challenge
//! Masked::respond       ◀── CHALLENGE_BYTES ──
//!                       ─── ROWS · response_bytes ──▶     Challenged::verify ─ Proved
//! ```
//!
//! *Zero-knowledge:* responses that are sent are exactly uniform, and whether they are sent does
//! not depend on what they cover ([`crate::bounds`]); the commitment follows from them and the
//! challenges. The phase of a combination is never shown: with it `c1*·s`, and so the key, would
//! follow.

mod prover;
mod statement;
mod verifier;
mod wide;

#[cfg(test)]
mod tests;

pub use prover::{Masked, Openings, Prover};
pub use statement::{BatchId, CHALLENGE_BYTES, COMMITMENT_BYTES};
pub use verifier::{Batch, Challenged, Proved, Received, Verified, Weighed};
