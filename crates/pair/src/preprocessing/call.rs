//! The calls to the two sources of correlations, and what tells them apart in a bundle.

use sha2::{Digest, Sha256};
use twain_masks::Demand;
use twain_ole::OleGroup;

/// One call to a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Of [`twain_ole::OleSource::inner_products`].
    Products(Vec<OleGroup>),
    /// Of [`twain_masks::DigitMaskSource::supply`].
    Material(Demand),
}

impl Call {
    /// What is multiplied.
    pub fn products(&self) -> Option<&Vec<OleGroup>> {
        match self {
            Call::Products(groups) => Some(groups),
            Call::Material(_) => None,
        }
    }

    /// What is demanded of masks and bits.
    pub fn demand(&self) -> Option<&Demand> {
        match self {
            Call::Products(_) => None,
            Call::Material(demand) => Some(demand),
        }
    }

    /// Tells calls apart: SHA-256 of all lengths and indices, each as 8 bytes.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"twain call v1");
        let mut number = |value: usize| hash.update((value as u64).to_le_bytes());
        match self {
            Call::Products(groups) => {
                number(0);
                number(groups.len());
                for OleGroup { length, terms } in groups {
                    number(*length);
                    number(terms.len());
                    for (model, data) in terms {
                        number(*model as usize);
                        number(*data as usize);
                    }
                }
            }
            Call::Material(Demand { masks, bit_products, conversions, selections }) => {
                number(1);
                number(masks.len());
                masks.iter().for_each(|count| number(*count));
                [bit_products, conversions, selections].into_iter().for_each(|n| number(*n));
            }
        }
        hash.finalize().into()
    }
}
