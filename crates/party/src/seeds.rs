//! The secret randomness of one side of a proof, and what is derived from it.

use crate::{Role, Seed};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sha2::{Digest, Sha256};

/// What one side draws at random: `blinding` enters the proof, `protocol` (masks, factors) never
/// shows.
pub struct PartySeeds {
    /// Seed of the blinding rows.
    pub blinding: Seed,
    /// Seed of everything else.
    pub protocol: Seed,
}

impl PartySeeds {
    /// The generator for one purpose of `role`'s side in one session. A machine cloned with its
    /// randomness diverges with the session's identifier, to which the peer contributes.
    pub fn generator(&self, session_id: [u8; 32], role: Role, purpose: &str) -> ChaCha20Rng {
        let mut hash = Sha256::new();
        hash.update(b"twain protocol randomness");
        hash.update(session_id);
        hash.update([role as u8]);
        hash.update(self.protocol.0);
        hash.update(purpose);
        ChaCha20Rng::from_seed(hash.finalize().into())
    }
}
