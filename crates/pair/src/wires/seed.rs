//! What masks are drawn from (protocol §2.2). Input: a seed; output: the mask of each wire, and
//! random factors.

use ff::FromUniformBytes;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};
use twain_algebra::Fr;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A number that one side draws and the other does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masking {
    /// The mask of the wire with this number.
    Wire(u32),
    /// The factor with this number, of those that wires are multiplied by.
    Factor(u32),
}

/// What one side's masks of wires and its random factors follow from; fresh for each proof.
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

    /// The mask or factor of this number: 64 bytes of a ChaCha20 stream, reduced. Masks are in the
    /// stream 0, factors in the stream 1.
    pub fn mask(&self, masking: Masking) -> Fr {
        let mut rng = ChaCha20Rng::from_seed(self.0);
        let (stream, number) = match masking {
            Masking::Wire(wire) => (0, wire),
            Masking::Factor(factor) => (1, factor),
        };
        rng.set_stream(stream);
        rng.set_word_pos(16 * u128::from(number));
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
    fn each_wire_and_each_factor_has_a_mask_of_its_own() {
        let seeds = [MaskSeed([1; 32]), MaskSeed([2; 32]), MaskSeed::of_bundle(&[1; 32])];
        let numbers = || (0..100).chain([u32::MAX - 1, u32::MAX]);
        let masks = seeds.iter().flat_map(|seed| {
            let all = numbers().map(Masking::Wire).chain(numbers().map(Masking::Factor));
            all.map(|masking| seed.mask(masking).to_repr())
        });
        assert_eq!(masks.map(<[u8; 32]>::from).collect::<HashSet<_>>().len(), 3 * 2 * 102);
        assert_eq!(seeds[0].mask(Masking::Wire(5)), seeds[0].mask(Masking::Wire(5)));
    }
}
