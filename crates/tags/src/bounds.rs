//! With what probability a deviation passes the checks of a session (protocol §24). Every check of
//! tagged values is a polynomial that vanishes at a number the cheater cannot choose; the
//! probability is at most its degree over the field's order, and these add up.

use twain_party::PartyError;

/// Most hashes a cheater may compute to find an opening whose weight suits it.
const LOG2_HASHES: f64 = 128.0;
/// The field has `2^253.6` elements.
const LOG2_ORDER: f64 = 253.59;
/// The probability a session may come to.
const LOG2_LIMIT: f64 = -100.0;

/// What has been checked so far, as the sum of the degrees.
#[derive(Clone, Copy, Debug, Default)]
pub struct Failure {
    degrees: f64,
    /// Most values in one opening: its weight is a hash of what the sender chose.
    longest: f64,
}

impl Failure {
    /// Counts an opening of so many values.
    ///
    /// # Errors
    /// The session would come to more than `2^-100`; it is not counted then, and not to be made.
    pub(crate) fn charge_opening(&mut self, values: usize) -> Result<(), PartyError> {
        let longest = self.longest.max(values as f64);
        self.charge(Self { degrees: self.degrees + values as f64, longest })
    }

    /// Counts a test at a coin, of a polynomial of at most this degree.
    ///
    /// # Errors
    /// As [`Self::charge_opening`].
    pub(crate) fn charge_coin(&mut self, degree: usize) -> Result<(), PartyError> {
        self.charge(Self { degrees: self.degrees + degree as f64, ..*self })
    }

    fn charge(&mut self, charged: Self) -> Result<(), PartyError> {
        if charged.log2() > LOG2_LIMIT {
            let reason = "more values would be tested in this session than its checks are good for";
            return Err(PartyError::Unsupported(reason.into()));
        }
        *self = charged;
        Ok(())
    }

    /// The base-2 logarithm of the probability that a cheater gets past any of it.
    pub fn log2(&self) -> f64 {
        (self.degrees + LOG2_HASHES.exp2() * self.longest).log2() - LOG2_ORDER
    }

    /// The same for a cheater that does not search for hashes.
    pub fn log2_without_search(&self) -> f64 {
        (self.degrees + self.longest).log2() - LOG2_ORDER
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::PrimeField;
    use twain_algebra::Fr;

    #[test]
    fn a_large_proof_fits_and_there_is_an_end() {
        assert_eq!(Fr::NUM_BITS, 254);
        let mut failure = Failure::default();
        // 2^20 rows: 18 tags each, audited, and openings of looked-up values in one frame.
        failure.charge_coin(18 << 20).unwrap();
        failure.charge_opening(1 << 22).unwrap();
        assert!(failure.log2_without_search() < -220.0);
        assert!(failure.log2() < LOG2_LIMIT);
        let before = failure.log2();
        assert!(failure.charge_opening(1 << 30).is_err());
        assert_eq!(failure.log2(), before, "what is refused is not counted");
    }
}
