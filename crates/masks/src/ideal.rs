//! The ideal functionality of a [`DigitMaskSource`]: both sides run the same dealer from the same
//! seed and keep their own half. For tests of what is built on top.

use crate::dpf::deal;
use crate::material::{BitConversions, BitProducts, Demand, DigitMaskSource, Material, Selections};
use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_party::{PartyError, Role};
use zeroize::Zeroizing;

/// One side's access to the dealer.
pub struct IdealMaterial {
    rng: ChaCha20Rng,
    next_mask: u64,
    /// Draws the position of a mask from its generator and its bits.
    pub position: fn(&mut ChaCha20Rng, u8) -> usize,
}

impl IdealMaterial {
    /// The two sides give the same seed.
    pub fn new(seed: u64) -> Self {
        let position = |rng: &mut ChaCha20Rng, _| rng.next_u32() as usize;
        Self { rng: ChaCha20Rng::seed_from_u64(seed), next_mask: 0, position }
    }

    /// A share of `bit` modulo 2.
    fn bit(&mut self, role: Role, bit: u8) -> u8 {
        let share = self.rng.next_u32() as u8 & 1;
        if role == Role::Model { share } else { share ^ bit }
    }

    /// A share of `value`.
    fn field(&mut self, role: Role, value: Fr) -> Fr {
        let share = Fr::random(&mut self.rng);
        if role == Role::Model { share } else { value - share }
    }

    fn conversions(&mut self, role: Role, bits: &[u8]) -> BitConversions {
        let shares = bits.iter().map(|&bit| self.bit(role, bit)).collect();
        let fields = bits.iter().map(|&bit| self.field(role, Fr::from(u64::from(bit))));
        BitConversions { bits: Zeroizing::new(shares), fields: fields.collect::<Vec<_>>().into() }
    }
}

impl DigitMaskSource for IdealMaterial {
    fn supply(
        &mut self,
        channel: &mut dyn Channel,
        demand: &Demand,
    ) -> Result<Material, PartyError> {
        let role = channel.role();
        let mut material = Material::default();
        for (bits, count) in (0u8..).zip(demand.masks) {
            let mut masks = Vec::with_capacity(count);
            for _ in 0..count {
                let position = (self.position)(&mut self.rng, bits);
                let session = channel.session_id();
                let halves = deal(session, self.next_mask, bits, position, &mut self.rng);
                self.next_mask += 1;
                masks.extend(halves.into_iter().nth(role as usize));
            }
            material.masks.push(masks);
        }
        let mut bits =
            |count| -> Vec<u8> { (0..count).map(|_| self.rng.next_u32() as u8 & 1).collect() };
        let (left, right) = (bits(demand.bit_products), bits(demand.bit_products));
        let (converted, selecting) = (bits(demand.conversions), bits(demand.selections));
        let product: Vec<u8> = left.iter().zip(&right).map(|(l, r)| l & r).collect();
        let [left, right, product] = [left, right, product]
            .map(|bits| Zeroizing::new(bits.into_iter().map(|bit| self.bit(role, bit)).collect()));
        material.bit_products = BitProducts { left, right, product };
        material.conversions = self.conversions(role, &converted);
        let factors: Vec<Fr> = selecting.iter().map(|_| Fr::random(&mut self.rng)).collect();
        let products = factors.iter().zip(&selecting).map(|(f, &bit)| f * Fr::from(u64::from(bit)));
        let products: Vec<Fr> = products.collect();
        let mut shares = |values: Vec<Fr>| -> Vec<Fr> {
            values.into_iter().map(|value| self.field(role, value)).collect()
        };
        let (factors, products) = (shares(factors).into(), shares(products).into());
        let bits = self.conversions(role, &selecting);
        material.selections = Selections { bits, factors, products };
        Ok(material)
    }
}
