//! What one party's side of the digit protocols keeps from call to call.

use super::one_hot::{Held, OneHot};
use super::opening::Budget;
use rand_chacha::ChaCha20Rng;
use std::collections::HashMap;
use std::sync::Arc;
use twain_algebra::Fr;
use twain_masks::DigitMaskSource;

/// A table of consecutive integers.
pub(super) type Table = (i128, i128);

/// One party's side of the digit protocols, for one session.
pub struct Hints {
    pub(super) source: Box<dyn DigitMaskSource>,
    pub(super) rng: ChaCha20Rng,
    pub(super) held: HashMap<u32, Held>,
    /// Values that no hint made, by their table and wire.
    pub(super) looked_up: HashMap<(Table, u32), Arc<OneHot>>,
    pub(super) claims: Vec<Fr>,
    /// Owned values that their owner found outside the range of their hint or table, and inverses
    /// of 0 that both found.
    pub(super) failures: u64,
    pub(super) budget: Budget,
    /// Values are zeros, whatever the tables: only what is asked for counts.
    pub(super) rehearses: bool,
}

impl Drop for Hints {
    fn drop(&mut self) {
        twain_algebra::erase(&mut self.claims);
        for held in self.held.values_mut() {
            if let Held::Sign { not_negative, zero } = held {
                twain_algebra::erase(std::slice::from_mut(not_negative));
                twain_algebra::erase(std::slice::from_mut(zero));
            }
        }
    }
}

impl Hints {
    /// `rng` makes the covers of this party's openings: seeded from the operating system's
    /// randomness, the session id and the role, and used for nothing else.
    pub fn new(source: Box<dyn DigitMaskSource>, rng: ChaCha20Rng) -> Self {
        Self {
            source,
            rng,
            held: HashMap::new(),
            looked_up: HashMap::new(),
            claims: Vec::new(),
            failures: 0,
            budget: Budget::default(),
            rehearses: false,
        }
    }

    /// Takes values for zeros that nobody has put in, and may be in no table.
    pub(crate) fn rehearse(&mut self) {
        self.rehearses = true;
    }

    /// Shares of what must be 0 in a valid witness, since the last call: to be tested together with
    /// the circuit's own (protocol §12) before anything that depends on the witness is opened.
    /// Equally many on both sides.
    pub fn take_claims(&mut self) -> Vec<Fr> {
        let mut claims = std::mem::take(&mut self.claims);
        claims.push(Fr::from(std::mem::take(&mut self.failures)));
        claims
    }
}
