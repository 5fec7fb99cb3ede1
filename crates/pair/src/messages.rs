//! Lengths of the messages of a pair that are neither scalars nor correlations, for the side that sends
//! them and for the plan that counts them.

use twain_link::scalars::SCALAR_BYTES;

/// Bytes of the messages of a coin toss: the commitment, and the summand with its nonce.
pub(crate) const COIN_BYTES: [usize; 2] = [32, SCALAR_BYTES + 32];

/// Bytes of a digest of the transcript, before what is opened under it.
pub(crate) const DIGEST_BYTES: usize = 32;
