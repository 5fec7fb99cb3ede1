//! Division by a constant (spec 03 §5.9).

use super::Pairwise;
use crate::LayoutError;
use crate::decompositions::SignIs;
use crate::layouter::Layouter;
use crate::program::{Bound, HintId, ONE};
use crate::tensor::{Element, Tensor};
use twain_graph::numbers::integer_to_field;
use twain_party::Hint;

impl Layouter {
    /// The quotient by a positive integer, rounded half away from zero (spec 03 §5.9).
    pub fn divide(&mut self, tensor: &Tensor, divisor: u128) -> Result<Tensor, LayoutError> {
        if divisor == 1 {
            return Ok(tensor.clone());
        }
        let number = i128::try_from(divisor).map_err(|_| LayoutError::TooLarge)?;
        let hint: HintId = self.recorder.hint_id(Hint::DivideRound { divisor });
        let mut quotients = Vec::with_capacity(tensor.len());
        for wire in tensor.wires() {
            let bound = self.recorder.bound(self.recorder.now(wire)).divided(divisor as f64);
            quotients.extend(self.recorder.hint(hint, &[wire], &[bound])?);
        }
        let quotients = quotients.into_iter().map(Element::unplaced).collect();
        let quotients = Tensor::new(quotients, &tensor.dims)?;
        let quotients = self.decompose(&quotients, false)?.input;
        let product = self.pairwise_number(&quotients, number, Pairwise::Mult)?;
        let difference = self.pairwise(tensor, &product, Pairwise::Sub)?;
        // By the definition of the quotient.
        let half = Bound::symmetric((divisor / 2 + 1) as f64);
        for wire in difference.wires() {
            self.recorder.refine(wire, half);
        }
        let distance = self.abs(&difference)?;
        let divisor = Tensor::flat(vec![self.constant(integer_to_field(number))]);
        // The distance is at most half the divisor, so the comparison's outcome is known.
        let less = self.greater_with(&divisor, &distance, SignIs::Positive)?;
        self.enforce_equality(&less, &Tensor::constants(ONE, tensor.len()))?;
        Ok(quotients)
    }
}
