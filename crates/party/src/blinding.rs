//! Randomness that enters the proof, addressed by item and row rather than drawn in turn, so that
//! the same seeds give the same proof on any number of threads and of parties (protocol §14).

use crate::{Kind, Role};
use ff::{Field, FromUniformBytes};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::ops::Range;
use twain_algebra::Fr;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A blinding seed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed(pub [u8; 32]);

/// What a random value is for; with a row it is the address of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlindingItem {
    /// Rows of an advice column, by column index.
    Advice(u32),
    /// Rows of the multiplicity column of a lookup argument.
    Multiplicity(u32),
    /// Rows of a permutation product, by chunk.
    PermutationProduct(u32),
    /// Rows of the grand sum of a lookup argument.
    LookupSum(u32),
    /// Coefficients of the random polynomial.
    RandomPolynomial,
}

impl BlindingItem {
    fn stream(self) -> u64 {
        let (tag, index) = match self {
            BlindingItem::Advice(i) => (0u64, i),
            BlindingItem::Multiplicity(i) => (1, i),
            BlindingItem::PermutationProduct(i) => (2, i),
            BlindingItem::LookupSum(i) => (3, i),
            BlindingItem::RandomPolynomial => (4, 0),
        };
        tag << 32 | u64::from(index)
    }
}

/// The seeds a party holds.
#[derive(Clone)]
pub enum BlindingSeeds {
    /// One seed for everything that is secret: production, alone.
    Single(Seed),
    /// This party's own seed: in pairs.
    Own(Role, Seed),
    /// Both parties' seeds: alone, to reproduce what a pair makes.
    Both {
        /// The model's seed.
        model: Seed,
        /// The data's seed.
        data: Seed,
    },
}

impl BlindingSeeds {
    /// This holder's summand of the random values at `rows` of `item`.
    pub fn values(&self, item: BlindingItem, kind: Kind, rows: Range<usize>) -> Vec<Fr> {
        let mut sum = vec![Fr::ZERO; rows.len()];
        let mut add = |seed: &Seed| add_values(seed, item, rows.clone(), &mut sum);
        let blinds = |role| kind == Kind::Shared || kind == Kind::Owned(role);
        match self {
            BlindingSeeds::Single(seed) if kind != Kind::Public => add(seed),
            BlindingSeeds::Own(role, seed) if blinds(*role) => add(seed),
            BlindingSeeds::Both { model, data } => {
                if blinds(Role::Model) {
                    add(model);
                }
                if blinds(Role::Data) {
                    add(data);
                }
            }
            _ => {}
        }
        sum
    }
}

/// Adds to `sum` the values at `rows`: 64 bytes of the ChaCha20 stream numbered by `item`, reduced.
fn add_values(seed: &Seed, item: BlindingItem, rows: Range<usize>, sum: &mut [Fr]) {
    let mut rng = ChaCha20Rng::from_seed(seed.0);
    rng.set_stream(item.stream());
    rng.set_word_pos(16 * rows.start as u128);
    for value in sum {
        let mut bytes = [0u8; 64];
        rng.fill_bytes(&mut bytes);
        *value += Fr::from_uniform_bytes(&bytes);
        bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_addressed_and_add_up() {
        let (model, data) = (Seed([1; 32]), Seed([2; 32]));
        let item = BlindingItem::LookupSum(3);
        let own = |role, seed: &Seed, rows| {
            BlindingSeeds::Own(role, seed.clone()).values(item, Kind::Shared, rows)
        };
        let both = BlindingSeeds::Both { model: model.clone(), data: data.clone() };
        let whole = both.values(item, Kind::Shared, 10..20);
        let (m, d) = (own(Role::Model, &model, 12..20), own(Role::Data, &data, 12..20));
        for i in 0..8 {
            assert_eq!(whole[i + 2], m[i] + d[i]);
        }
        let owned = both.values(item, Kind::Owned(Role::Data), 12..20);
        assert_eq!(owned, d);
        assert_ne!(both.values(BlindingItem::LookupSum(4), Kind::Shared, 10..20), whole);
        assert_eq!(both.values(item, Kind::Public, 0..4), vec![Fr::ZERO; 4]);
    }
}
