//! The calls to the sources of correlations, and what tells them apart in a bundle.

use crate::wires::{MaskPair, Masking};
use sha2::{Digest, Sha256};
use twain_masks::Demand;
use twain_ole::{OleGroup, Products};
use twain_party::{Kind, Role};

/// One call to a source of correlations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Of [`twain_ole::OleSource::inner_products_of`].
    Products(Products),
    /// Of [`twain_masks::DigitMaskSource::supply`].
    Material(Demand),
    /// Of [`MaskProducts::products`](crate::wires::MaskProducts::products).
    MaskProducts(Vec<MaskPair>),
}

impl Call {
    /// What is multiplied.
    pub fn products(&self) -> Option<&Products> {
        match self {
            Call::Products(products) => Some(products),
            Call::Material(_) | Call::MaskProducts(_) => None,
        }
    }

    /// What is demanded of masks and bits.
    pub fn demand(&self) -> Option<&Demand> {
        match self {
            Call::Material(demand) => Some(demand),
            Call::Products(_) | Call::MaskProducts(_) => None,
        }
    }

    /// Which masks and random factors are multiplied.
    pub fn mask_pairs(&self) -> Option<&Vec<MaskPair>> {
        match self {
            Call::MaskProducts(pairs) => Some(pairs),
            Call::Products(_) | Call::Material(_) => None,
        }
    }

    /// Tells calls apart: SHA-256 of all lengths and indices, each as 8 bytes.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"twain call v2");
        let mut number = |value: usize| hash.update((value as u64).to_le_bytes());
        match self {
            Call::Products(products) => {
                number(0);
                number(products.points.len());
                number(products.others.len());
                for OleGroup { length, terms } in products.groups() {
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
            Call::MaskProducts(pairs) => {
                number(2);
                number(pairs.len());
                for MaskPair { maskings, kinds } in pairs {
                    for masking in maskings {
                        let (what, index) = match masking {
                            Masking::Wire(wire) => (0, *wire),
                            Masking::Factor(factor) => (1, *factor),
                        };
                        number(what);
                        number(index as usize);
                    }
                    kinds.iter().for_each(|kind| number(kind_number(*kind)));
                }
            }
        }
        hash.finalize().into()
    }
}

fn kind_number(kind: Kind) -> usize {
    match kind {
        Kind::Public => 0,
        Kind::Owned(Role::Model) => 1,
        Kind::Owned(Role::Data) => 2,
        Kind::Shared => 3,
    }
}
