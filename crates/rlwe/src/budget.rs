//! How much of the statistical security of a session is used up by answers, whose floods hide the
//! evaluator's operands (protocol §13). Proofs use up none: their responses are exactly uniform.

use crate::Error;
use crate::bounds::proved_noise;
use crate::parameters::{FLOOD_BITS, LOG_DEGREE, STATISTICAL_BITS};

/// The part of `2^-`[`STATISTICAL_BITS`] that answers may take; masked openings and local lifts
/// have a sixteenth each.
const FLOOD_PART: f64 = 1.0 / 2.0;

/// What the answers of a session have used up.
#[derive(Clone, Copy, Debug, Default)]
pub struct FloodBudget {
    /// Sum of the noise of the answers so far, over `t`.
    noise: f64,
}

impl FloodBudget {
    /// Books `answers` answers of `products` products each.
    ///
    /// # Errors
    /// [`Error::Budget`], and books nothing, if the distance would exceed the flood's part of
    /// `2^-`[`STATISTICAL_BITS`].
    pub fn charge(&mut self, answers: usize, products: usize) -> Result<(), Error> {
        let noise = self.noise + answers as f64 * proved_noise(products);
        let bits = hidden(noise);
        if bits < f64::from(STATISTICAL_BITS) - FLOOD_PART.log2() {
            return Err(Error::Budget { bits, required: STATISTICAL_BITS });
        }
        self.noise = noise;
        Ok(())
    }

    /// Statistical bits of the answers so far.
    pub fn statistical_bits(&self) -> f64 {
        hidden(self.noise)
    }
}

/// `-log2(N·t·noise / (t·2^F))`.
fn hidden(noise: f64) -> f64 {
    f64::from(FLOOD_BITS) - LOG_DEGREE as f64 - noise.log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_covers_a_large_proof_and_ends() {
        // counts §1 at 2^20 rows: 16 n products of one or two terms, 6 n of length six (two cross
        // terms each): 512 answers of 2 products and 192 of 12.
        let mut budget = FloodBudget::default();
        budget.charge(512, 2).unwrap();
        budget.charge(192, 12).unwrap();
        assert!(budget.statistical_bits() >= 72.0);
        let error = budget.charge(1 << 21, 2).unwrap_err();
        assert!(matches!(error, Error::Budget { bits, .. } if bits < 65.0));
        // Refused answers are not booked.
        budget.charge(1, 1).unwrap();
        // The noise of an answer is that of its products.
        let mut one = FloodBudget::default();
        one.charge(1, 12).unwrap();
        let mut twelve = FloodBudget::default();
        twelve.charge(12, 1).unwrap();
        assert!((one.statistical_bits() - twelve.statistical_bits()).abs() < 1e-6);
        assert!((80.0..81.0).contains(&one.statistical_bits()), "{}", one.statistical_bits());
    }
}
