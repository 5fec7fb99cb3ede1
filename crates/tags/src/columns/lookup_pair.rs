//! Inverses of looked-up wires (protocol §24): what the factors of product columns are for. Input: a random
//! `I` and `f·I` for each wire with mask `f`, both tagged and checked. Output: `1/(f + c)`, tagged, for
//! a public `c`.

use crate::side::{Guarded, Side};
use crate::values::{Public, Tagged};
use ff::Field;
use twain_algebra::{Fr, vector};
use twain_link::channel::Channel;
use twain_party::PartyError;

/// A random `I` and `f·I` for one looked-up wire. It serves once, so it cannot be copied: `(f + c)·I` for
/// two different `c` would show `f`.
pub struct LookupPair {
    pub(super) factor: Tagged,
    pub(super) product: Tagged,
}

impl Side {
    /// `1/(f + c)` for each wire, where `c` are the public `summands`: `w = (f + c)·I` is opened, which is
    /// uniform, and `I/w` is the inverse.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`], also if an `f + c` is 0.
    pub fn inverses(
        &mut self,
        channel: &mut dyn Channel,
        pairs: Vec<LookupPair>,
        summands: &[Public],
    ) -> Result<Vec<Tagged>, PartyError> {
        self.guarded(|side| {
            if pairs.len() != summands.len() {
                return Err(PartyError::Bug("an inverse takes one pair and one summand"));
            }
            let masked = pairs.iter().zip(summands);
            let masked: Vec<Tagged> =
                masked.map(|(pair, c)| &pair.product + &(&pair.factor * *c)).collect();
            let opened = side.open(channel, "inverses of lookups", &masked)?;
            let mut inverses: Vec<Fr> = opened.iter().map(|value| value.0).collect();
            if inverses.contains(&Fr::ZERO) {
                return Err(PartyError::Ended);
            }
            vector::batch_invert(&mut inverses);
            let factors = pairs.iter().zip(inverses);
            Ok(factors.map(|(pair, inverse)| &pair.factor * Public(inverse)).collect())
        })
    }
}
