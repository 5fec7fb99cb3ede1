//! Masks of wires, random factors and their products in a bundle (protocol §2.2, §21): masks and
//! factors follow from its seed, of the products this side's shares are kept.

use super::call::Call;
use super::records::{SharedRecords, lock};
use crate::wires::{MaskPair, MaskProducts, MaskSeed, Masking};
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_ole::OleSource;
use twain_party::{PartyError, Shares};

/// Hands out the products of masks of a bundle.
pub struct StoredMaskProducts {
    records: SharedRecords,
    seed: MaskSeed,
}

impl StoredMaskProducts {
    pub(super) fn new(records: SharedRecords) -> Result<Self, PartyError> {
        let seed = MaskSeed::of_bundle(lock(&records)?.seed());
        Ok(Self { records, seed })
    }
}

impl MaskProducts for StoredMaskProducts {
    fn mask(&self, masking: Masking) -> Fr {
        self.seed.mask(masking)
    }

    fn products(
        &mut self,
        _: &mut dyn Channel,
        _: &mut dyn OleSource,
        pairs: &[MaskPair],
    ) -> Result<Shares, PartyError> {
        let mut records = lock(&self.records)?;
        records.begin(&Call::MaskProducts(pairs.to_vec()))?;
        records.scalars(pairs.len())
    }
}
