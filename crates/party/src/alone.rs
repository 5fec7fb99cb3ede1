//! The party that has no peer: its share is the value, and nothing is sent.

mod integers;
mod program;
mod prover;
mod quotient;
mod witness;

use crate::{BlindingSeeds, Seed, Watched};

pub use witness::evaluate_hint;

/// A single prover.
pub struct Alone {
    seeds: BlindingSeeds,
    watched: Watched,
}

impl Alone {
    /// A prover whose blinding comes from `seed` (32 bytes of the operating system's randomness in
    /// production, fresh for every proof).
    pub fn new(seed: Seed) -> Self {
        Self { seeds: BlindingSeeds::Single(seed), watched: Watched::default() }
    }

    /// A prover that blinds as the two parties with these seeds would.
    pub fn as_pair(model: Seed, data: Seed) -> Self {
        Self { seeds: BlindingSeeds::Both { model, data }, watched: Watched::default() }
    }

    /// The same, watched.
    pub fn watched_by(self, watched: Watched) -> Self {
        Self { watched, ..self }
    }
}
