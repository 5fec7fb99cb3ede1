//! Digit masks and shared bits in a bundle: as they were made, in the order of [`Material`]'s
//! fields.

use super::call::Call;
use super::records::{Records, SharedRecords, lock, scalars_to_bytes};
use twain_link::channel::Channel;
use twain_masks::dpf::{DigitMask, mask_words};
use twain_masks::{BitConversions, BitProducts, Demand, DigitMaskSource, Material, Selections};
use twain_party::PartyError;
use zeroize::Zeroizing;

/// Hands out the material of a bundle.
pub struct StoredMaterial {
    records: SharedRecords,
    /// The bundle's identifier, which the masks' ciphers are derived from.
    id: [u8; 32],
}

impl StoredMaterial {
    pub(super) fn new(records: SharedRecords, id: [u8; 32]) -> Self {
        Self { records, id }
    }
}

impl DigitMaskSource for StoredMaterial {
    fn supply(&mut self, _: &mut dyn Channel, demand: &Demand) -> Result<Material, PartyError> {
        let mut records = lock(&self.records)?;
        records.begin(&Call::Material(demand.clone()))?;
        decode(&mut records, demand, self.id)
    }
}

/// What [`decode`] reads; the lengths follow from the demand.
pub(super) fn encode(material: &Material) -> Zeroizing<Vec<u8>> {
    let words: Vec<Zeroizing<Vec<u128>>> =
        material.masks.iter().flatten().map(DigitMask::to_words).collect();
    let (products, conversions) = (&material.bit_products, &material.conversions);
    let selections = &material.selections;
    let bytes = [
        &products.left,
        &products.right,
        &products.product,
        &conversions.bits,
        &selections.bits.bits,
    ];
    let scalars =
        [&conversions.fields, &selections.bits.fields, &selections.factors, &selections.products];
    let scalars = scalars.map(|scalars| scalars_to_bytes(scalars));
    // With room for all, so that nothing is moved and left behind.
    let length = 16 * words.iter().map(|words| words.len()).sum::<usize>()
        + bytes.iter().map(|bytes| bytes.len()).sum::<usize>()
        + scalars.iter().map(|scalars| scalars.len()).sum::<usize>();
    let mut all = Zeroizing::new(Vec::with_capacity(length));
    words.iter().flat_map(|words| words.iter()).for_each(|word| {
        all.extend_from_slice(&word.to_le_bytes());
    });
    bytes.iter().for_each(|bytes| all.extend_from_slice(bytes));
    scalars.iter().for_each(|scalars| all.extend_from_slice(scalars));
    all
}

fn decode(records: &mut Records, demand: &Demand, id: [u8; 32]) -> Result<Material, PartyError> {
    let mut masks = Vec::with_capacity(demand.masks.len());
    for (bits, count) in demand.masks.into_iter().enumerate() {
        let mut of_width = Vec::with_capacity(count);
        for _ in 0..count {
            let mut words = Zeroizing::new(vec![0; mask_words(bits)]);
            for word in words.iter_mut() {
                *word = records.word()?;
            }
            of_width.extend(DigitMask::from_words(id, bits, &words));
        }
        masks.push(of_width);
    }
    let bit_products = BitProducts {
        left: records.bytes(demand.bit_products)?,
        right: records.bytes(demand.bit_products)?,
        product: records.bytes(demand.bit_products)?,
    };
    let converted = records.bytes(demand.conversions)?;
    let selecting = records.bytes(demand.selections)?;
    let conversions =
        BitConversions { bits: converted, fields: records.scalars(demand.conversions)? };
    let bits = BitConversions { bits: selecting, fields: records.scalars(demand.selections)? };
    let selections = Selections {
        bits,
        factors: records.scalars(demand.selections)?,
        products: records.scalars(demand.selections)?,
    };
    Ok(Material { masks, bit_products, conversions, selections })
}
