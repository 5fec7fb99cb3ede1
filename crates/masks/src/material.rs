//! What the digit protocols consume, made before any value is known: digit masks and bits that the
//! parties share together with their products. [`DigitMaskSource`] is the one interface behind
//! which it is made.

use crate::dpf::{Checked, DigitMask, MAX_DOMAIN_BITS};
use std::ops::AddAssign;
use twain_link::channel::Channel;
use twain_party::{PartyError, Shares};
use zeroize::Zeroizing;

/// How much of everything; follows from the circuit alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Digit masks, by the bits of their domain.
    pub masks: [usize; MAX_DOMAIN_BITS as usize + 1],
    /// Products of two random bits.
    pub bit_products: usize,
    /// Random bits that are shared in the field as well.
    pub conversions: usize,
    /// Random bits shared in the field, with a random field element and the product of the two.
    pub selections: usize,
}

impl Demand {
    /// Whether nothing is demanded.
    pub fn is_nothing(&self) -> bool {
        *self == Demand::default()
    }
}

impl AddAssign<&Demand> for Demand {
    fn add_assign(&mut self, other: &Demand) {
        self.masks.iter_mut().zip(other.masks).for_each(|(count, more)| *count += more);
        self.bit_products += other.bit_products;
        self.conversions += other.conversions;
        self.selections += other.selections;
    }
}

/// Random bits `a`, `b` and their product, each as an exclusive or of both parties' bits (0 or 1).
#[derive(Default)]
pub struct BitProducts {
    /// `a`.
    pub left: Zeroizing<Vec<u8>>,
    /// `b`.
    pub right: Zeroizing<Vec<u8>>,
    /// `a * b`.
    pub product: Zeroizing<Vec<u8>>,
}

/// Random bits, as an exclusive or and as a sum in the field.
#[derive(Default)]
pub struct BitConversions {
    /// This party's bit (0 or 1).
    pub bits: Zeroizing<Vec<u8>>,
    /// Its share in the field of the same bit.
    pub fields: Shares,
}

/// Random bits with random field elements.
#[derive(Default)]
pub struct Selections {
    /// The bits.
    pub bits: BitConversions,
    /// Shares of the field elements.
    pub factors: Shares,
    /// Shares of bit times field element.
    pub products: Shares,
}

/// One party's half of everything in a [`Demand`].
#[derive(Default)]
pub struct Material {
    /// Digit masks by the bits of their domain, the last to be used first. Their order is part of
    /// their check.
    pub masks: Vec<Vec<Checked<DigitMask>>>,
    /// As many as demanded.
    pub bit_products: BitProducts,
    /// As many as demanded.
    pub conversions: BitConversions,
    /// As many as demanded.
    pub selections: Selections,
}

impl Material {
    /// As much as demanded, for planning: masks without values, bits and field elements that are 0.
    pub fn outline(demand: &Demand) -> Self {
        let masks = (0u8..).zip(demand.masks);
        let masks = masks.map(|(bits, n)| (0..n).map(|_| DigitMask::outline(bits)).collect());
        let bits = |count| Zeroizing::new(vec![0; count]);
        let conversions = |count| BitConversions { bits: bits(count), fields: Shares::zero(count) };
        let Demand { bit_products, conversions: converted, selections, .. } = *demand;
        let [left, right, product] = [(); 3].map(|()| bits(bit_products));
        Material {
            masks: masks.collect(),
            bit_products: BitProducts { left, right, product },
            conversions: conversions(converted),
            selections: Selections {
                bits: conversions(selections),
                factors: Shares::zero(selections),
                products: Shares::zero(selections),
            },
        }
    }

    /// Takes out what is demanded.
    pub fn take(&mut self, demand: &Demand) -> Result<Self, PartyError> {
        let short = || PartyError::Unsupported("less material was made than is asked for".into());
        let mut masks = Vec::with_capacity(demand.masks.len());
        for (bits, count) in demand.masks.into_iter().enumerate() {
            masks.push(match self.masks.get_mut(bits) {
                Some(held) => held.split_off(held.len().checked_sub(count).ok_or_else(short)?),
                None if count == 0 => Vec::new(),
                None => return Err(short()),
            });
        }
        let bits = |held: &mut Zeroizing<Vec<u8>>, count| -> Result<_, PartyError> {
            let rest = held.len().checked_sub(count).ok_or_else(short)?;
            Ok(Zeroizing::new(held.split_off(rest)))
        };
        let fields = |held: &mut Shares, count| -> Result<_, PartyError> {
            let rest = held.len().checked_sub(count).ok_or_else(short)?;
            let (rest, taken) = held.split_at(rest);
            let (rest, taken) = (Shares::new(rest.to_vec()), Shares::new(taken.to_vec()));
            *held = rest;
            Ok(taken)
        };
        let convert = |held: &mut BitConversions, count| -> Result<_, PartyError> {
            let bits = bits(&mut held.bits, count)?;
            Ok(BitConversions { bits, fields: fields(&mut held.fields, count)? })
        };
        let Demand { bit_products, conversions, selections, .. } = *demand;
        Ok(Material {
            masks,
            bit_products: BitProducts {
                left: bits(&mut self.bit_products.left, bit_products)?,
                right: bits(&mut self.bit_products.right, bit_products)?,
                product: bits(&mut self.bit_products.product, bit_products)?,
            },
            conversions: convert(&mut self.conversions, conversions)?,
            selections: Selections {
                bits: convert(&mut self.selections.bits, selections)?,
                factors: fields(&mut self.selections.factors, selections)?,
                products: fields(&mut self.selections.products, selections)?,
            },
        })
    }

    /// Takes the next mask below `2^bits`.
    pub fn take_mask(&mut self, bits: u8) -> Result<DigitMask, PartyError> {
        let mask = self.masks.get_mut(usize::from(bits)).and_then(Vec::pop);
        mask.map(Checked::into_inner)
            .ok_or_else(|| PartyError::Unsupported(format!("no digit mask of {bits} bits is left")))
    }
}

/// Makes material. Both parties call it with the same demand; what it returns is consumed once.
pub trait DigitMaskSource: Send {
    /// Exactly what is demanded.
    fn supply(
        &mut self,
        channel: &mut dyn Channel,
        demand: &Demand,
    ) -> Result<Material, PartyError>;
}
