//! The natural logarithm without a table as wide as its argument (spec 04 §5.6): the closest power
//! of two, from a table of powers, and a straight line to the next one.

use super::Pairwise;
use super::optimum::Scales;
use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Bound, MINUS_ONE, ONE};
use crate::tensor::Tensor;
use twain_graph::LookupOp;
use twain_graph::numbers::integer_to_field;
use twain_party::Hint;

/// Exponents are between this and its negative.
const MOST_EXPONENT: u32 = 128;

impl Layouter {
    /// The logarithm of every element at the fixed-point factor `scale`, at its fourth power.
    pub fn logarithm(
        &mut self,
        tensor: &Tensor,
        scale: f32,
        epsilon: f64,
    ) -> Result<Tensor, LayoutError> {
        let factor = scale as i128;
        let cube = factor.checked_pow(3).filter(|_| factor > 0);
        let cube =
            cube.ok_or_else(|| LayoutError::Operands(format!("a logarithm of scale {scale}")))?;
        let ln_2 = (f64::from(std::f32::consts::LN_2) * f64::from(scale)).round() as i128;
        let scales = Scales { input: scale, output: scale * scale, epsilon };
        let x = match tensor.all_assigned() {
            true => tensor.clone(),
            false => self.assign(self.columns.a, tensor)?,
        };
        let count = x.len();

        let hint = Hint::Exponent { scale: factor, limit: MOST_EXPONENT };
        let exponent = self.claim(&x, hint, Bound::symmetric(f64::from(MOST_EXPONENT)))?;
        let exponent = self.decompose(&exponent, true)?.input;
        self.cursor += count;
        let table = LookupOp::PowersOfTwo { scale };
        self.counts_as_looked_up(-i128::from(MOST_EXPONENT), i128::from(MOST_EXPONENT));
        let power = self.nonlinearity(&exponent, &table)?;
        let below = self.pairwise_number(&exponent, 1, Pairwise::Sub)?;
        let above = self.pairwise_number(&exponent, 1, Pairwise::Add)?;
        let power_below = self.nonlinearity(&below, &table)?;
        let power_above = self.nonlinearity(&above, &table)?;

        let difference = self.pairwise(&x, &power, Pairwise::Sub)?;
        let distance = self.abs(&difference)?;
        let distance_above = self.distance(&x, &power_above)?;
        let distance_below = self.distance(&x, &power_below)?;
        let not_above = self.greater_equal(&distance_above, &distance)?;
        let not_below = self.greater_equal(&distance_below, &distance)?;
        let closest = self.and(&not_above, &not_below)?;
        let ones = Tensor::constants(ONE, count).reshape(&x.dims)?;
        let ones = self.assign(self.columns.b, &ones)?;
        self.enforce_equality(&closest, &ones)?;

        let sign = self.sign(&difference, true)?;
        let negative = self.equals(&sign, &Tensor::constant(MINUS_ONE))?;
        let positive = self.not(&negative)?;
        let gap_below = self.pairwise(&power, &power_below, Pairwise::Sub)?;
        let gap_above = self.pairwise(&power_above, &power, Pairwise::Sub)?;
        let mut parts = Vec::with_capacity(2);
        for (gap, applies) in [(gap_below, negative), (gap_above, positive)] {
            let slope = self.reciprocal(&gap, scales)?;
            let step = self.pairwise(&slope, &difference, Pairwise::Mult)?;
            parts.push(self.pairwise(&step, &applies, Pairwise::Mult)?);
        }
        let mut sum = self.pairwise_number(&exponent, cube, Pairwise::Mult)?;
        for part in parts {
            sum = self.pairwise(&sum, &part, Pairwise::Add)?;
        }
        let ln_2 = Tensor::flat(vec![self.constant(integer_to_field(ln_2))]);
        self.pairwise(&sum, &ln_2, Pairwise::Mult)
    }
}
