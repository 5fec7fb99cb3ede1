//! Inverses of looked-up tuples (protocol §24): what the factors of product columns are for. Input:
//! a random `I` and `f_t·I` for each tuple of masks `f_t`, all tagged and checked. Output:
//! `1/(Σ w_t f_t + c)`, tagged, for public `w_t` and `c`.

use crate::side::{Guarded, Side};
use crate::values::{Public, Tagged};
use ff::Field;
use twain_algebra::{Fr, vector};
use twain_link::channel::Channel;
use twain_party::PartyError;

/// A random `I`, and `f_t·I` for each component `f_t` of one looked-up tuple. It serves once, so it
/// cannot be copied: `(f + c)·I` for two different `c` would show `f`.
pub struct LookupPair {
    pub(super) factor: Tagged,
    pub(super) products: Vec<Tagged>,
}

/// What is inverted of a looked-up tuple: `Σ weights[t]·f_t + summand`.
pub struct Denominator {
    /// One for each component.
    pub weights: Vec<Fr>,
    /// Without any mask.
    pub summand: Fr,
}

impl Side {
    /// The inverse of what is wanted of each tuple, `d`: `w = d·I` is opened, which is uniform, and
    /// `I/w` is the inverse.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`], also if a `d` is 0.
    pub fn inverses(
        &mut self,
        channel: &mut dyn Channel,
        pairs: Vec<LookupPair>,
        wanted: &[Denominator],
    ) -> Result<Vec<Tagged>, PartyError> {
        self.guarded(|side| {
            let fits = |(pair, wanted): (&LookupPair, &Denominator)| {
                pair.products.len() == wanted.weights.len()
            };
            if pairs.len() != wanted.len() || !pairs.iter().zip(wanted).all(fits) {
                return Err(PartyError::Bug("an inverse takes one pair and a weight a component"));
            }
            let masked =
                pairs.iter().zip(wanted).map(|(pair, Denominator { weights, summand })| {
                    let start = &pair.factor * Public(*summand);
                    let terms = pair.products.iter().zip(weights);
                    terms.fold(start, |sum, (product, weight)| &sum + &(product * Public(*weight)))
                });
            let masked: Vec<Tagged> = masked.collect();
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
