//! What masks of wires are drawn from (protocol §2.2). Input: a seed; output: the mask of each number.

use ff::FromUniformBytes;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};
use twain_algebra::Fr;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What the masks of one side's wires follow from; fresh for each proof.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MaskSeed([u8; 32]);

impl MaskSeed {
    /// A seed of this generator.
    pub fn draw(rng: &mut impl RngCore) -> Self {
        let mut seed = Self([0; 32]);
        rng.fill_bytes(&mut seed.0);
        seed
    }

    /// The seed that follows from a bundle's, apart from all else that does.
    pub fn of_bundle(seed: &[u8; 32]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"twain masks of wires v1");
        hash.update(seed);
        Self(hash.finalize().into())
    }

    /// The mask of the wire with this number: 64 bytes of the ChaCha20 stream, reduced.
    pub fn mask(&self, wire: u32) -> Fr {
        let mut rng = ChaCha20Rng::from_seed(self.0);
        rng.set_word_pos(16 * u128::from(wire));
        let mut bytes = [0; 64];
        rng.fill_bytes(&mut bytes);
        let mask = Fr::from_uniform_bytes(&bytes);
        bytes.zeroize();
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::PrimeField;
    use std::collections::HashSet;

    #[test]
    fn each_wire_has_a_mask_of_its_own() {
        let seeds = [MaskSeed([1; 32]), MaskSeed([2; 32]), MaskSeed::of_bundle(&[1; 32])];
        let masks = seeds.iter().flat_map(|seed| {
            (0..100).chain([u32::MAX - 1, u32::MAX]).map(|wire| seed.mask(wire).to_repr())
        });
        assert_eq!(masks.map(<[u8; 32]>::from).collect::<HashSet<_>>().len(), 3 * 102);
        assert_eq!(seeds[0].mask(5), seeds[0].mask(5));
    }
}
