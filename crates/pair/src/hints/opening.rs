//! Opening sums of both parties' parts, and how often that may go wrong (protocol §13).

use ff::PrimeField;
use twain_algebra::Fr;
use twain_link::bits::{exchange_frame, pack_bits, unpack_bits};
use twain_link::channel::Channel;
use twain_link::scalars::{SCALAR_BYTES, decode_scalars, encode_scalars};
use twain_party::PartyError;

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
        frame.reserve_exact(4 * self.words.len() + SCALAR_BYTES * self.fields.len());
        self.words.iter().for_each(|word| frame.extend_from_slice(&word.to_le_bytes()));
        frame.extend(encode_scalars(&self.fields));
        let theirs = exchange_frame(channel, phase, frame)?;
        let (head, fields) = theirs.split_at(words_end);
        let (bits, words) = head.split_at(bits_end);
        let bits = self.bits.iter().zip(unpack_bits(bits)).map(|(own, peer)| own ^ peer);
        let words = words.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let words = self.words.iter().zip(words).map(|(own, peer)| own.wrapping_add(peer));
        let fields =
            self.fields.iter().zip(decode_scalars(fields, phase)?).map(|(own, peer)| own + peer);
        Ok(Self { bits: bits.collect(), words: words.collect(), fields: fields.collect() })
    }
}

/// How likely it is that an opening or a local lift of the session went wrong by chance.
#[derive(Clone, Debug, Default)]
pub(super) struct Budget {
    wraps: f64,
    lifts: f64,
}

impl Budget {
    /// What each of the two may add up to in a session: `2^-68`.
    const LIMIT: f64 = 1.0 / (1u128 << 68) as f64;

    /// Counts the opening of a value below `2^value_bits`: the two sides disagree about whether the
    /// sum has wrapped around the order with probability `2^(value_bits + 1) / order`. (What is
    /// shown does not depend on the value: see [`Cover`](super::cover::Cover).)
    pub fn opening(&mut self, value_bits: u32, what: &str) -> Result<(), PartyError> {
        self.wraps += 2f64.powi(value_bits as i32 + 1 - 253);
        if self.wraps > Self::LIMIT {
            return Err(PartyError::Unsupported(format!(
                "{what}: a value neither side knows may have {value_bits} bits, too many to be \
                 opened under a mask: use smaller scales (--input-scale, --param-scale)"
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

/// `2^bits` in the field.
pub(super) fn power_of_two(bits: u32) -> Fr {
    let mut bytes = [0u8; 32];
    bytes[(bits / 8) as usize % 32] = 1 << (bits % 8);
    Option::from(Fr::from_repr(bytes.into())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two() {
        assert_eq!(power_of_two(3), Fr::from(8));
        assert_eq!(power_of_two(200), power_of_two(100).square());
    }

    #[test]
    fn bounds_of_the_protocol() {
        let opening = |bits| Budget::default().opening(bits, "x").is_ok();
        assert!(opening(184));
        assert!(!opening(185));
        let mut budget = Budget::default();
        assert!((0..256).all(|_| budget.opening(176, "x").is_ok()), "2^8 * 2^-76");
        assert!(budget.opening(176, "x").is_err(), "one more is too many");
        assert!(budget.lift(1 << 24, 2f64.powi(30)).is_ok());
        assert!(budget.lift(1 << 24, 2f64.powi(50)).is_err());
    }
}
