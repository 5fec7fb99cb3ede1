//! One mask a wire, and random factors for one use each (protocol §2.2). Input: a source of them,
//! and numbers of wires; output: masks and factors, each once.

use super::pairs::MaskProducts;
use super::seed::Masking;
use ff::Field;
use std::ops::Range;
use twain_algebra::Fr;
use twain_party::PartyError;

/// A second opening of a wire: it would show the difference of what it hides.
pub(super) const CLAIMED_TWICE: PartyError = PartyError::Bug("a wire is claimed twice");

/// The mask of a wire: uniform, unknown to the peer. To claim the wire consumes it, so a wire is
/// opened under it once:
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

/// The masks of one side's wires and its random factors, of which each can be had once.
pub struct Masks {
    source: Box<dyn MaskProducts>,
    /// Which masks are taken, 64 wires a word.
    taken: Vec<u64>,
    /// How many factors are taken, from the first on.
    factors: u32,
}

impl Masks {
    /// None of them is taken.
    pub fn new(source: Box<dyn MaskProducts>) -> Self {
        Self { source, taken: Vec::new(), factors: 0 }
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
        Ok(Mask(self.source.mask(Masking::Wire(wire))))
    }

    /// The numbers of so many factors that were not had before.
    pub(super) fn next_factors(&mut self, count: usize) -> Result<Range<u32>, PartyError> {
        let first = self.factors;
        let end = u32::try_from(count).ok().and_then(|count| first.checked_add(count));
        self.factors = end.ok_or_else(|| {
            PartyError::Unsupported("more random factors than 32 bits number".into())
        })?;
        Ok(first..self.factors)
    }

    /// What the mask of a wire is, for its tag: it is opened by [`take`](Self::take) alone.
    pub(super) fn to_tag(&self, wire: u32) -> Fr {
        self.source.mask(Masking::Wire(wire))
    }

    /// Where products of masks come from.
    pub(super) fn source(&mut self) -> &mut dyn MaskProducts {
        &mut *self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wires::pairs::InlineMaskProducts;
    use crate::wires::seed::MaskSeed;

    #[test]
    fn a_factor_is_had_once() {
        let mut masks =
            Masks::new(Box::new(InlineMaskProducts::new(MaskSeed::of_bundle(&[3; 32]))));
        assert_eq!(masks.next_factors(5).expect("some"), 0..5);
        assert_eq!(masks.next_factors(0).expect("none"), 5..5);
        assert_eq!(masks.next_factors(2).expect("others"), 5..7);
        assert!(masks.next_factors(u32::MAX as usize).is_err());
        assert_eq!(masks.next_factors(1).expect("none was given away"), 7..8);
    }

    #[test]
    fn a_mask_is_had_once() {
        let seed = MaskSeed::of_bundle(&[3; 32]);
        let mut masks = Masks::new(Box::new(InlineMaskProducts::new(seed.clone())));
        for wire in [0, 63, 64, 1000] {
            let opened = masks.take(wire).expect("the first time").claim(Fr::from(5));
            assert_eq!(opened + seed.mask(Masking::Wire(wire)), Fr::from(5));
            assert!(matches!(masks.take(wire), Err(PartyError::Bug(_))));
        }
    }
}
