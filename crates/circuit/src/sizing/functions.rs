//! What rounded functions of numbers a prover knows cost: reciprocals, roots, logarithms, rounding,
//! softmax (spec 05 §4.2, spec 04 §3.1, §5).

use crate::ops::softmax_axis;
use crate::sizing::primitives::one;
use crate::sizing::region::Region;
use crate::sizing::tensor::{Element, Tensor};
use ff::Field;
use twain_algebra::Fr;
use twain_graph::LookupOp;
use twain_graph::numbers::integer_to_field;

/// How numbers are brought to whole multiples of their scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rounding {
    Down,
    Up,
    HalfAway,
    HalfToEven,
}

fn number(integer: i128) -> Tensor {
    Tensor::constant(integer_to_field(integer))
}

impl Region {
    /// Whether a convex function of a tensor is least there.
    fn is_least(
        &mut self,
        tensor: &Tensor,
        function: impl Fn(&mut Self, &Tensor) -> Result<Tensor, String>,
    ) -> Result<Tensor, String> {
        let here = function(self, tensor)?;
        let next = self.pairwise(tensor, &one());
        let after = function(self, &next)?;
        let previous = self.pairwise(tensor, &one());
        let before = function(self, &previous)?;
        let not_after = self.less_equal(&here, &after)?;
        let not_before = self.greater(&before, &here)?;
        Ok(self.and(&not_before, &not_after))
    }

    /// The rounded reciprocal, from one scale to another; that of 0 is a large constant.
    pub fn reciprocal(
        &mut self,
        tensor: &Tensor,
        scales: (f32, f32),
        eps: f64,
    ) -> Result<Tensor, String> {
        let unit = number((scales.0 as i128).saturating_mul(scales.1 as i128));
        let of_zero = number((f64::from(scales.1) * (1.0 / eps)).round() as i128);
        let claimed = Tensor::values(tensor.dims.clone());
        self.decompose(&claimed, false)?;
        let zero = self.equals_zero(tensor);
        let not_zero = self.not(&zero);
        let is_large = self.equals(&claimed, &of_zero);
        let masked = self.pairwise(&unit, &not_zero);
        self.enforce_equal(&zero, &is_large);
        let least = self.is_least(&claimed, |region, claimed| {
            let product = region.pairwise(claimed, tensor);
            region.distance(&product, &masked)
        })?;
        let holds = self.pairwise(&least, &zero);
        self.enforce_equal(&holds, &one());
        Ok(claimed)
    }

    /// The rounded square root.
    pub fn square_root(&mut self, tensor: &Tensor, scale: f32) -> Result<Tensor, String> {
        let claimed = Tensor::values(tensor.dims.clone());
        let claimed = self.abs(&claimed)?;
        let scaled = self.pairwise(tensor, &number(scale as i128));
        let least = self.is_least(&claimed, |region, claimed| {
            let square = region.pairwise(claimed, claimed);
            region.distance(&square, &scaled)
        })?;
        self.enforce_equal(&least, &one());
        Ok(claimed)
    }

    /// The logarithm, linear between powers of 2.
    pub fn logarithm(&mut self, tensor: &Tensor, scale: f32, eps: f64) -> Result<Tensor, String> {
        let integer = scale as i128;
        let cube = integer.saturating_mul(integer).saturating_mul(integer);
        let ln_2 = (f64::from(std::f32::consts::LN_2) * f64::from(scale)).round() as i128;
        let powers = LookupOp::PowersOfTwo { scale };
        let exponent = Tensor::values(tensor.dims.clone());
        self.assign(&tensor.elements);
        self.decompose(&exponent, true)?;
        self.cells += tensor.len();
        self.lookup(powers, &exponent);
        for neighbour in [0, 1].map(|_| self.pairwise(&exponent, &one())) {
            self.lookup(powers, &neighbour);
        }
        let power = Tensor::values(tensor.dims.clone());
        let difference = self.pairwise(tensor, &power);
        let here = self.abs(&difference)?;
        let after = self.distance(tensor, &power)?;
        let before = self.distance(tensor, &power)?;
        let not_after = self.less_equal(&here, &after)?;
        let not_before = self.less_equal(&here, &before)?;
        let closest = self.and(&not_after, &not_before);
        self.enforce_equal(&closest, &one());
        let sign = self.sign(&difference, true)?;
        let below = self.equals(&sign, &number(-1));
        let above = self.not(&below);
        let gaps = [0, 1].map(|_| self.pairwise(&power, &power));
        let scales = (scale, scale * scale);
        for (gap, side) in gaps.iter().zip([&below, &above]) {
            let slope = self.reciprocal(gap, scales, eps)?;
            let term = self.pairwise(&slope, &difference);
            self.pairwise(&term, side);
        }
        let whole = self.pairwise(&exponent, &number(cube));
        let sum = self.pairwise(&whole, &power);
        let sum = self.pairwise(&sum, &power);
        Ok(self.pairwise(&sum, &number(ln_2)))
    }

    /// Multiples of the scale near a tensor's elements.
    pub fn round(
        &mut self,
        tensor: &Tensor,
        scale: f32,
        legs: usize,
        rounding: Rounding,
    ) -> Result<Tensor, String> {
        let base = scale as u64;
        if legs < 2 || base < 2 {
            return Err(format!("rounding with {legs} digits in base {base}"));
        }
        self.decompose_to(tensor, base, legs, true)?;
        let middle = number((scale / 2.0).round() as i128);
        let (prologue, direction) = match rounding {
            Rounding::Down => (Some(number(-1)), number(-1)),
            Rounding::Up => (Some(one()), one()),
            Rounding::HalfAway => (Some(middle.clone()), one()),
            Rounding::HalfToEven => (None, one()),
        };
        if let Some(constant) = prologue {
            self.assign(&constant.elements);
            self.cells += 1;
        }
        let digit = Tensor::values(vec![1]);
        for _ in 0..tensor.len() {
            self.item(|region| {
                let carry = match rounding {
                    Rounding::Down | Rounding::Up => {
                        let zero = region.equals_zero(&digit);
                        let not_zero = region.not(&zero);
                        let away = region.equals(&digit, &direction);
                        region.and(&not_zero, &away)
                    }
                    Rounding::HalfAway => {
                        let positive = region.equals(&digit, &one());
                        let negative = region.equals(&digit, &number(-1));
                        let large = region.greater_equal(&digit, &middle)?;
                        let up = region.and(&positive, &large);
                        let down = region.and(&negative, &large);
                        region.or(&up, &down)
                    }
                    Rounding::HalfToEven => {
                        let half = region.equals(&digit, &middle);
                        region.lookup(LookupOp::IsOdd, &digit);
                        let tie = region.and(&digit, &half);
                        let large = region.greater(&digit, &middle)?;
                        region.or(&tie, &large)
                    }
                };
                region.pairwise(&digit, &carry);
                Ok::<_, String>(())
            })?;
        }
        // Signs and digits together, the last digit replaced by 0.
        self.constant(Fr::ZERO);
        self.cells += tensor.len() * (legs + 1);
        let mut dims = tensor.dims.clone();
        dims.push(legs);
        let mut digits = Tensor::values(dims);
        digits.elements.iter_mut().skip(legs - 1).step_by(legs).for_each(|last| {
            *last = Element::Constant(Fr::ZERO);
        });
        let sums = self.weigh_digits(&digits, base)?;
        Ok(self.pairwise(&sums, &Tensor::values(tensor.dims.clone())))
    }

    /// Exponentials divided by their sum.
    pub fn softmax(
        &mut self,
        tensor: &Tensor,
        axes: &[usize],
        scales: (f32, f32),
        eps: f64,
    ) -> Result<Tensor, String> {
        softmax_axis(axes)?;
        let exponential = LookupOp::Exp { scale: scales.0, base: std::f32::consts::E };
        self.along(tensor, axes, None, |region, slice| {
            let largest = region.extreme_of(&slice.elements)?;
            let largest = Tensor { elements: vec![largest], dims: vec![1] };
            let shifted = region.pairwise(slice, &largest);
            region.lookup(exponential, &shifted);
            let powers = Tensor::values(slice.dims.clone());
            let powers = region.identity(&powers);
            let sum = region.sum(&powers.elements);
            let sum = Tensor { elements: vec![sum], dims: vec![1] };
            let share = region.reciprocal(&sum, scales, eps)?;
            region.pairwise(&powers, &share);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Costs of spec 04 §11 for two digits and two columns.
    #[test]
    fn costs_per_element() {
        let cost = |run: &dyn Fn(&mut Region, &Tensor) -> Result<Tensor, String>| {
            let mut region = Region::new(11, 2, 128, 2, true).unwrap();
            run(&mut region, &Tensor::values(vec![6])).unwrap();
            region.cells
        };
        assert_eq!(cost(&|r, t| r.reciprocal(t, (16.0, 16.0), 0.1)), 6 * 120);
        assert_eq!(cost(&|r, t| r.square_root(t, 16.0)), 6 * 104);
        // With the cell that fills the last row.
        assert_eq!(cost(&|r, t| r.round(t, 16.0, 2, Rounding::Down)), 6 * 43 + 2);
        assert_eq!(cost(&|r, t| r.round(t, 16.0, 2, Rounding::HalfAway)), 6 * 74 + 2);
        assert_eq!(cost(&|r, t| r.round(t, 16.0, 2, Rounding::HalfToEven)), 6 * 64);
    }
}
