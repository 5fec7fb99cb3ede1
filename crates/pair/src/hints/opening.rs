//! Opening sums of both parties' parts, and what covers a value that is opened (protocol §11).

use ff::PrimeField;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use twain_algebra::Fr;
use twain_link::bits::{exchange_frame, pack_bits, unpack_bits};
use twain_link::channel::Channel;
use twain_party::PartyError;
use zeroize::Zeroize;

/// What the peer can get wrong.
#[derive(Debug, thiserror::Error)]
pub enum DigitsError {
    /// Bytes that are no field element.
    #[error("the peer sent a number that is not below the field's order")]
    NotCanonical,
}

impl From<DigitsError> for PartyError {
    fn from(error: DigitsError) -> Self {
        PartyError::Peer(Box::new(error))
    }
}

/// Parts of one message each way; opened, the sums. Every part must be masked, or its sum be the
/// receiver's output: this is the one place where the digit protocols open anything.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Openings {
    /// Bits, to be added modulo 2.
    pub bits: Vec<u8>,
    /// Numbers, to be added modulo `2^32`.
    pub words: Vec<u32>,
    /// Field elements.
    pub fields: Vec<Fr>,
}

impl Openings {
    /// Exchanges the parts and adds them up; no message if there are none.
    pub fn open(self, channel: &mut dyn Channel, phase: &'static str) -> Result<Self, PartyError> {
        let mut frame = pack_bits(&self.bits);
        let (bits_end, words_end) = (frame.len(), frame.len() + 4 * self.words.len());
        frame.reserve_exact(4 * self.words.len() + 32 * self.fields.len());
        self.words.iter().for_each(|word| frame.extend_from_slice(&word.to_le_bytes()));
        self.fields.iter().for_each(|field| frame.extend_from_slice(field.to_repr().as_ref()));
        let theirs = exchange_frame(channel, phase, frame)?;
        let (head, fields) = theirs.split_at(words_end);
        let (bits, words) = head.split_at(bits_end);
        let bits = self.bits.iter().zip(unpack_bits(bits)).map(|(own, peer)| own ^ peer);
        let words = words.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let words = self.words.iter().zip(words).map(|(own, peer)| own.wrapping_add(peer));
        let fields = self.fields.iter().zip(fields_of(fields)?).map(|(own, peer)| own + peer);
        Ok(Self { bits: bits.collect(), words: words.collect(), fields: fields.collect() })
    }
}

/// Reads field elements of 32 bytes.
pub(super) fn fields_of(bytes: &[u8]) -> Result<Vec<Fr>, DigitsError> {
    let elements = bytes.as_chunks::<32>().0.iter();
    elements
        .map(|bytes| Option::from(Fr::from_repr((*bytes).into())).ok_or(DigitsError::NotCanonical))
        .collect()
}

/// How much the openings so far may have shown, as a statistical distance, and how likely it is that
/// a local lift went wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Budget {
    openings: f64,
    lifts: f64,
}

impl Budget {
    /// What each of the two may add up to in a session: `2^-68`, a sixteenth of all that may be shown
    /// (the flood of products takes the rest).
    const LIMIT: f64 = 1.0 / (1u128 << 68) as f64;

    /// Counts the opening of a value below `2^value_bits`, covered up to `2^mask_bits`.
    pub fn opening(
        &mut self,
        value_bits: u32,
        mask_bits: u32,
        what: &str,
    ) -> Result<(), PartyError> {
        self.openings += 2f64.powi(value_bits as i32 - mask_bits as i32);
        if value_bits > 252 || mask_bits > 252 || self.openings > Self::LIMIT {
            return Err(PartyError::Unsupported(format!(
                "{what}: a value neither side knows may have {value_bits} bits, too many to be \
                 opened under a mask of {mask_bits} bits with statistical security of 64 bits: \
                 use smaller scales (--input-scale, --param-scale)"
            )));
        }
        Ok(())
    }

    /// Counts lifts of numbers of up to `largest`.
    pub fn lift(&mut self, count: usize, largest: f64) -> Result<(), PartyError> {
        self.lifts += count as f64 * (largest + 1.0) / 2f64.powi(128);
        if self.lifts > Self::LIMIT {
            return Err(PartyError::Unsupported(
                "too many or too large numbers to be lifted from shares of 128 bits".into(),
            ));
        }
        Ok(())
    }
}

/// Bits of each party's cover above `low_bits` masked ones.
pub(super) fn cover_bits(low_bits: u32) -> u32 {
    192.min(252u32.saturating_sub(low_bits))
}

/// A uniform number of `bits` bits (at most 192).
pub(super) fn draw(rng: &mut ChaCha20Rng, bits: u32) -> Fr {
    let mut bytes = [0u8; 32];
    rng.fill_bytes(&mut bytes[..24]);
    for (i, byte) in bytes.iter_mut().enumerate() {
        let keep = bits.saturating_sub(8 * i as u32).min(8);
        *byte &= ((1u16 << keep) - 1) as u8;
    }
    let value = Option::from(Fr::from_repr(bytes.into())).unwrap_or_default();
    bytes.zeroize();
    value
}

/// `2^bits` in the field.
pub(super) fn power_of_two(bits: u32) -> Fr {
    let mut bytes = [0u8; 32];
    bytes[(bits / 8) as usize % 32] = 1 << (bits % 8);
    Option::from(Fr::from_repr(bytes.into())).unwrap_or_default()
}

/// The four limbs of an opened sum, lowest first.
pub(super) fn limbs(value: &Fr) -> [u64; 4] {
    let bytes = value.to_repr();
    let (chunks, _) = bytes.as_ref().as_chunks::<8>();
    std::array::from_fn(|i| chunks.get(i).map_or(0, |bytes| u64::from_le_bytes(*bytes)))
}

/// Bits `from .. from + count` (at most 32) of an opened sum.
pub(super) fn bits_of(value: &Fr, from: u32, count: u32) -> usize {
    let limbs = limbs(value);
    let limb = |i: u32| limbs.get(i as usize).copied().unwrap_or(0);
    let wide = u128::from(limb(from / 64)) | u128::from(limb(from / 64 + 1)) << 64;
    (wide >> (from % 64)) as usize & ((1 << count) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;

    #[test]
    fn numbers_by_their_bits() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        for bits in [1, 7, 8, 9, 100, 191, 192] {
            for _ in 0..20 {
                let value = draw(&mut rng, bits);
                let high = limbs(&value)[(bits / 64) as usize % 4];
                assert!(bits == 192 && high == 0 || bits < 192 && high >> (bits % 64) == 0);
            }
        }
        let value = power_of_two(130) * Fr::from(0b1011) + power_of_two(62) * Fr::from(5);
        assert_eq!((bits_of(&value, 130, 4), bits_of(&value, 62, 3)), (0b1011, 5));
        assert_eq!(power_of_two(3), Fr::from(8));
        assert_eq!(power_of_two(200), power_of_two(100).square());
    }

    #[test]
    fn bounds_of_the_protocol() {
        let opening = |bits, mask| Budget::default().opening(bits, mask, "x").is_ok();
        assert!(opening(110, 14 + cover_bits(14)));
        assert!(!opening(180, 14 + cover_bits(14)));
        assert!(!opening(254, 252));
        let mut budget = Budget::default();
        let fits = |budget: &mut Budget| budget.opening(130, 206, "x").is_ok();
        assert!((0..256).all(|_| fits(&mut budget)), "2^8 * 2^-76");
        assert!(!fits(&mut budget), "one more is too many");
        assert!(budget.lift(1 << 24, 2f64.powi(30)).is_ok());
        assert!(budget.lift(1 << 24, 2f64.powi(50)).is_err());
    }
}
