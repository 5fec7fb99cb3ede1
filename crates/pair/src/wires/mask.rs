//! One mask a wire (protocol §2.2). Input: a source of masks, and numbers of wires; output: masks, each
//! once.

use super::pairs::MaskProducts;
use ff::Field;
use twain_algebra::Fr;
use twain_party::PartyError;

/// A second opening of a wire: it would show the difference of what it hides.
pub(super) const CLAIMED_TWICE: PartyError = PartyError::Bug("a wire is claimed twice");

/// The mask of a wire: uniform, unknown to the peer. To claim the wire consumes it, so a wire is opened
/// under it once:
///
/// ```
/// use twain_algebra::Fr;
/// use twain_pair::wires::{InlineMaskProducts, MaskSeed, Masks};
///
/// # let mut rng = rand_core::OsRng;
/// let mut masks = Masks::new(Box::new(InlineMaskProducts::new(MaskSeed::draw(&mut rng))));
/// let opened = masks.take(3)?.claim(Fr::from(5));
/// // There is no other mask of this wire.
/// assert!(masks.take(3).is_err());
/// # Ok::<(), twain_party::PartyError>(())
/// ```
///
/// ```compile_fail,E0382
/// use twain_algebra::Fr;
/// use twain_pair::wires::{InlineMaskProducts, MaskSeed, Masks};
///
/// # let mut rng = rand_core::OsRng;
/// let mut masks = Masks::new(Box::new(InlineMaskProducts::new(MaskSeed::draw(&mut rng))));
/// let mask = masks.take(3)?;
/// let opened = mask.claim(Fr::from(5));
/// let other = mask.claim(Fr::from(6));
/// # Ok::<(), twain_party::PartyError>(())
/// ```
pub struct Mask(Fr);

impl Mask {
    /// What this side says of a wire of which it holds `share`: the rest beside the mask.
    pub fn claim(mut self, share: Fr) -> Fr {
        share - std::mem::replace(&mut self.0, Fr::ZERO)
    }
}

impl Drop for Mask {
    fn drop(&mut self) {
        twain_algebra::erase(std::slice::from_mut(&mut self.0));
    }
}

/// The masks of one side's wires, of which each can be had once.
pub struct Masks {
    source: Box<dyn MaskProducts>,
    /// Which are taken, 64 wires a word.
    taken: Vec<u64>,
}

impl Masks {
    /// None of them is taken.
    pub fn new(source: Box<dyn MaskProducts>) -> Self {
        Self { source, taken: Vec::new() }
    }

    /// The mask of a wire.
    ///
    /// # Errors
    /// It was taken before.
    pub fn take(&mut self, wire: u32) -> Result<Mask, PartyError> {
        let (word, bit) = (wire as usize / 64, 1 << (wire % 64));
        if self.taken.len() <= word {
            self.taken.resize(word + 1, 0);
        }
        if self.taken[word] & bit != 0 {
            return Err(CLAIMED_TWICE);
        }
        self.taken[word] |= bit;
        Ok(Mask(self.source.mask(wire)))
    }

    /// What the mask of a wire is, for its tag: it is opened by [`take`](Self::take) alone.
    pub(super) fn to_tag(&self, wire: u32) -> Fr {
        self.source.mask(wire)
    }

    /// Where products of masks come from.
    pub(super) fn products(&mut self) -> &mut dyn MaskProducts {
        &mut *self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wires::pairs::InlineMaskProducts;
    use crate::wires::seed::MaskSeed;

    #[test]
    fn a_mask_is_had_once() {
        let seed = MaskSeed::of_bundle(&[3; 32]);
        let mut masks = Masks::new(Box::new(InlineMaskProducts::new(seed.clone())));
        for wire in [0, 63, 64, 1000] {
            let opened = masks.take(wire).expect("the first time").claim(Fr::from(5));
            assert_eq!(opened + seed.mask(wire), Fr::from(5));
            assert!(matches!(masks.take(wire), Err(PartyError::Bug(_))));
        }
    }
}
