//! Comparisons, Boolean operations, and what chooses by them (spec 03 §5.8, §5.10).

use super::Pairwise;
use crate::LayoutError;
use crate::decompositions::SignIs;
use crate::layouter::Layouter;
use crate::program::{Bound, ONE, ZERO};
use crate::tensor::{Tensor, broadcast_shape};

impl Layouter {
    /// `[left > right]`.
    pub fn greater(&mut self, left: &Tensor, right: &Tensor) -> Result<Tensor, LayoutError> {
        self.greater_with(left, right, SignIs::Secret)
    }

    /// `[left > right]`, whose outcome may be known beforehand.
    pub fn greater_with(
        &mut self,
        left: &Tensor,
        right: &Tensor,
        sign: SignIs,
    ) -> Result<Tensor, LayoutError> {
        let shape = broadcast_shape(&left.dims, &right.dims);
        let left = left.expand(&shape, self.capacity)?;
        let right = right.expand(&shape, self.capacity)?;
        let difference = self.pairwise(&left, &right, Pairwise::Sub)?;
        let format = self.decompositions.format;
        let decomposed = self.decompose_with(&difference, format, true, sign)?;
        let sign = self.signs_of(&decomposed, &difference.dims)?;
        self.equals(&sign, &Tensor::constant(ONE))
    }

    /// `[left >= right]`.
    pub fn greater_equal(&mut self, left: &Tensor, right: &Tensor) -> Result<Tensor, LayoutError> {
        self.greater_equal_with(left, right, SignIs::Secret)
    }

    /// `[left >= right]`, whose outcome may be known beforehand.
    pub fn greater_equal_with(
        &mut self,
        left: &Tensor,
        right: &Tensor,
        sign: SignIs,
    ) -> Result<Tensor, LayoutError> {
        let left = self.pairwise(left, &Tensor::constant(ONE), Pairwise::Add)?;
        self.greater_with(&left, right, sign)
    }

    /// The elements constrained to 0 and 1.
    pub fn boolean_identity(&mut self, tensor: &Tensor) -> Result<Tensor, LayoutError> {
        let written = self.assign(self.columns.o, tensor)?;
        self.cursor += tensor.len();
        self.range_check(tensor, 0, 1)?;
        for wire in written.wires() {
            self.recorder.claim(wire, Bound::BIT);
        }
        Ok(written)
    }

    /// `yes` where the mask is 1, `no` where it is 0.
    pub fn iff(&mut self, mask: &Tensor, yes: &Tensor, no: &Tensor) -> Result<Tensor, LayoutError> {
        let mask = self.boolean_identity(mask)?;
        let other = self.pairwise(&Tensor::constant(ONE), &mask, Pairwise::Sub)?;
        let yes = self.pairwise(yes, &mask, Pairwise::Mult)?;
        let no = self.pairwise(no, &other, Pairwise::Mult)?;
        self.pairwise(&yes, &no, Pairwise::Add)
    }

    pub fn not(&mut self, mask: &Tensor) -> Result<Tensor, LayoutError> {
        self.iff(mask, &Tensor::constant(ZERO), &Tensor::constant(ONE))
    }

    pub fn and(&mut self, left: &Tensor, right: &Tensor) -> Result<Tensor, LayoutError> {
        let left = self.boolean_identity(left)?;
        let right = self.boolean_identity(right)?;
        self.pairwise(&left, &right, Pairwise::Mult)
    }

    pub fn or(&mut self, left: &Tensor, right: &Tensor) -> Result<Tensor, LayoutError> {
        let right = self.boolean_identity(right)?;
        self.iff(left, left, &right)
    }

    pub fn xor(&mut self, left: &Tensor, right: &Tensor) -> Result<Tensor, LayoutError> {
        let not_left = self.not(left)?;
        let not_right = self.not(right)?;
        let only_left = self.and(left, &not_right)?;
        let only_right = self.and(right, &not_left)?;
        self.pairwise(&only_left, &only_right, Pairwise::Add)
    }

    /// The larger of each pair, or the smaller.
    pub fn extreme_of_two(
        &mut self,
        left: &Tensor,
        right: &Tensor,
        largest: bool,
    ) -> Result<Tensor, LayoutError> {
        let greater = self.greater(left, right)?;
        let not_greater = self.not(&greater)?;
        let (of_left, of_right) = match largest {
            true => (greater, not_greater),
            false => (not_greater, greater),
        };
        let left = self.pairwise(left, &of_left, Pairwise::Mult)?;
        let right = self.pairwise(right, &of_right, Pairwise::Mult)?;
        self.pairwise(&left, &right, Pairwise::Add)
    }

    /// `max(x, 0)` for `slope` 0, otherwise `x` for positive and `slope * x` for other values,
    /// times `2^scale`.
    pub fn leaky_relu(
        &mut self,
        tensor: &Tensor,
        slope: f32,
        scale: i32,
    ) -> Result<Tensor, LayoutError> {
        let sign = self.sign(tensor, false)?;
        let ones = Tensor::constants(ONE, tensor.len()).reshape(&sign.dims)?;
        let mask = self.equals(&sign, &ones)?;
        let positive = self.pairwise(tensor, &mask, Pairwise::Mult)?;
        if slope == 0.0 {
            return Ok(positive);
        }
        let factor = 2f64.powi(scale);
        let positive = self.pairwise_number(&positive, factor.round() as i128, Pairwise::Mult)?;
        let not_mask = self.not(&mask)?;
        let slope = (f64::from(slope) * factor).round() as i128;
        let negative_factor = self.pairwise_number(&not_mask, slope, Pairwise::Mult)?;
        let negative = self.pairwise(tensor, &negative_factor, Pairwise::Mult)?;
        self.pairwise(&positive, &negative, Pairwise::Add)
    }
}
