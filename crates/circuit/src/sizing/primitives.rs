//! What the building blocks of layouts cost (spec 05 §4.2).

use crate::sizing::region::Region;
use crate::sizing::tensor::{Element, Tensor, broadcast_shape};
use ff::Field;
use std::ops::Range;
use twain_algebra::Fr;
use twain_graph::indices::coordinates;
use twain_graph::numbers::integer_to_field;

/// The constant 1.
pub(crate) fn one() -> Tensor {
    Tensor::constant(Fr::ONE)
}

impl Region {
    /// Element-wise sum, difference or product.
    pub fn pairwise(&mut self, left: &Tensor, right: &Tensor) -> Tensor {
        self.assign(&left.elements);
        self.assign(&right.elements);
        let result = Tensor::values(broadcast_shape(&left.dims, &right.dims));
        self.cells += result.len();
        result
    }

    pub fn pairwise_number(&mut self, tensor: &Tensor, number: i128) -> Tensor {
        self.pairwise(tensor, &Tensor::constant(integer_to_field(number)))
    }

    /// Equality with constants or with another tensor.
    pub fn enforce_equal(&mut self, left: &Tensor, right: &Tensor) {
        self.assign(&left.elements);
        self.assign(&right.elements);
        self.cells += left.len();
    }

    pub fn identity(&mut self, tensor: &Tensor) -> Tensor {
        self.assign(&tensor.elements);
        self.cells += tensor.len();
        tensor.clone()
    }

    pub fn boolean(&mut self, tensor: &Tensor) {
        self.assign(&tensor.elements);
        self.cells += tensor.len();
        self.range_check(&tensor.elements, 0, 1);
    }

    /// Whether elements are 0.
    pub fn equals_zero(&mut self, tensor: &Tensor) -> Tensor {
        let inverse = |element: &Element| match element {
            Element::Constant(value) => Element::Constant(value.invert().unwrap_or(Fr::ZERO)),
            Element::Value => Element::Value,
        };
        let inverses = tensor.elements.iter().map(inverse).collect();
        let inverses = Tensor { elements: inverses, dims: tensor.dims.clone() };
        let product = self.pairwise(tensor, &inverses);
        let zero = self.pairwise(&one(), &product);
        let check = self.pairwise(tensor, &zero);
        self.enforce_equal(&check, &Tensor::constant(Fr::ZERO));
        zero
    }

    pub fn equals(&mut self, left: &Tensor, right: &Tensor) -> Tensor {
        let difference = self.pairwise(left, right);
        self.equals_zero(&difference)
    }

    /// Sign and digits in the circuit's base.
    pub fn decompose(&mut self, tensor: &Tensor, zero_sign_matters: bool) -> Result<(), String> {
        self.decompose_to(tensor, self.base, self.legs, zero_sign_matters)
    }

    /// Sign and `legs` digits in a base.
    pub fn decompose_to(
        &mut self,
        tensor: &Tensor,
        base: u64,
        legs: usize,
        zero_sign_matters: bool,
    ) -> Result<(), String> {
        self.assign(&tensor.elements);
        self.cells += tensor.len() * (legs + 1);
        let signs = Tensor::values(tensor.dims.clone());
        self.range_check(&signs.elements, -1, 1);
        if zero_sign_matters {
            let zero = self.equals_zero(tensor);
            let product = self.pairwise(&zero, &signs);
            self.enforce_equal(&product, &Tensor::constant(Fr::ZERO));
        }
        let mut dims = tensor.dims.clone();
        dims.push(legs);
        let digits = Tensor::values(dims);
        self.range_check(&digits.elements, 0, i128::from(base) - 1);
        let sums = self.weigh_digits(&digits, base)?;
        let product = self.pairwise(&sums, &signs);
        self.enforce_equal(tensor, &product);
        Ok(())
    }

    /// The numbers of digits along the last axis, the highest first.
    pub fn weigh_digits(&mut self, digits: &Tensor, base: u64) -> Result<Tensor, String> {
        let dims = digits.dims.clone();
        let legs = dims.last().copied().unwrap_or_default();
        let letters: String = ('a'..='z').take(dims.len()).collect();
        if letters.len() != dims.len() {
            return Err(format!("digits of a tensor of rank {}", dims.len()));
        }
        let equation = format!("{letters},{letters}->{}", &letters[..letters.len() - 1]);
        let base = Fr::from(base);
        let powers = std::iter::successors(Some(Fr::ONE), |power| Some(power * base));
        let mut powers: Vec<Element> = powers.take(legs).map(Element::Constant).collect();
        powers.reverse();
        let count = digits.len() / legs.max(1);
        let elements = (0..count).flat_map(|_| powers.iter().copied()).collect();
        self.einsum(&equation, &[digits.clone(), Tensor::new(elements, dims)?])
    }

    pub fn sign(&mut self, tensor: &Tensor, zero_sign_matters: bool) -> Result<Tensor, String> {
        self.decompose(tensor, zero_sign_matters)?;
        Ok(Tensor::values(tensor.dims.clone()))
    }

    pub fn abs(&mut self, tensor: &Tensor) -> Result<Tensor, String> {
        let sign = self.sign(tensor, false)?;
        Ok(self.pairwise(tensor, &sign))
    }

    pub fn greater(&mut self, left: &Tensor, right: &Tensor) -> Result<Tensor, String> {
        let difference = self.pairwise(left, right);
        let sign = self.sign(&difference, true)?;
        Ok(self.equals(&sign, &one()))
    }

    pub fn greater_equal(&mut self, left: &Tensor, right: &Tensor) -> Result<Tensor, String> {
        let left = self.pairwise(left, &one());
        self.greater(&left, right)
    }

    pub fn iff(&mut self, mask: &Tensor, yes: &Tensor, no: &Tensor) -> Tensor {
        self.boolean(mask);
        let not = self.pairwise(&one(), mask);
        let yes = self.pairwise(yes, mask);
        let no = self.pairwise(no, &not);
        self.pairwise(&yes, &no)
    }

    pub fn not(&mut self, mask: &Tensor) -> Tensor {
        self.iff(mask, &Tensor::constant(Fr::ZERO), &one())
    }

    pub fn and(&mut self, left: &Tensor, right: &Tensor) -> Tensor {
        self.boolean(left);
        self.boolean(right);
        self.pairwise(left, right)
    }

    pub fn or(&mut self, left: &Tensor, right: &Tensor) -> Tensor {
        self.boolean(right);
        self.iff(left, left, right)
    }

    pub fn xor(&mut self, left: &Tensor, right: &Tensor) -> Tensor {
        let (not_left, not_right) = (self.not(left), self.not(right));
        let only_left = self.and(left, &not_right);
        let only_right = self.and(right, &not_left);
        self.pairwise(&only_left, &only_right)
    }

    /// The larger or the smaller of two.
    pub fn extreme(&mut self, left: &Tensor, right: &Tensor) -> Result<Tensor, String> {
        let greater = self.greater(left, right)?;
        let not = self.not(&greater);
        let first = self.pairwise(left, &greater);
        let second = self.pairwise(right, &not);
        Ok(self.pairwise(&first, &second))
    }

    pub fn leaky_relu(
        &mut self,
        tensor: &Tensor,
        slope: f32,
        scale: i32,
    ) -> Result<Tensor, String> {
        let sign = self.sign(tensor, false)?;
        let mask = self.equals(&sign, &one());
        let positive = self.pairwise(tensor, &mask);
        if slope == 0.0 {
            return Ok(positive);
        }
        let factor = 2f64.powi(scale);
        let positive = self.pairwise_number(&positive, factor.round() as i128);
        let not = self.not(&mask);
        let slope = (f64::from(slope) * factor).round() as i128;
        let factor = self.pairwise_number(&not, slope);
        let negative = self.pairwise(tensor, &factor);
        Ok(self.pairwise(&positive, &negative))
    }

    /// The rounded quotient by a positive integer.
    pub fn divide(&mut self, tensor: &Tensor, divisor: i128) -> Result<Tensor, String> {
        if divisor == 1 {
            return Ok(tensor.clone());
        }
        let quotient = Tensor::values(tensor.dims.clone());
        self.decompose(&quotient, false)?;
        let product = self.pairwise_number(&quotient, divisor);
        let distance = self.distance(tensor, &product)?;
        let divisor = Tensor::constant(integer_to_field(divisor));
        let less = self.greater(&divisor, &distance)?;
        self.enforce_equal(&less, &one());
        Ok(quotient)
    }

    pub fn dot(&mut self, left: &[Element], right: &[Element]) -> Element {
        self.assign(left);
        self.assign(right);
        self.accumulate(left.len(), Fr::ZERO);
        Element::Value
    }

    pub fn sum(&mut self, elements: &[Element]) -> Element {
        if let [element] = elements {
            return *element;
        }
        self.assign(elements);
        self.accumulate(elements.len(), Fr::ZERO);
        Element::Value
    }

    pub fn prod(&mut self, elements: &[Element]) -> Element {
        self.assign(elements);
        self.accumulate(elements.len(), Fr::ONE);
        Element::Value
    }

    /// The distance of two tensors.
    pub fn distance(&mut self, left: &Tensor, right: &Tensor) -> Result<Tensor, String> {
        let difference = self.pairwise(left, right);
        self.abs(&difference)
    }

    pub fn less_equal(&mut self, left: &Tensor, right: &Tensor) -> Result<Tensor, String> {
        self.greater_equal(right, left)
    }

    /// Applies a reduction to the elements along `axes`, whose lengths become 1.
    pub fn along_axes(
        &mut self,
        tensor: &Tensor,
        axes: &[usize],
        reduce: impl Fn(&mut Self, &[Element]) -> Result<Element, String>,
    ) -> Result<Tensor, String> {
        let mut dims = tensor.dims.clone();
        for axis in axes {
            *dims.get_mut(*axis).ok_or_else(|| format!("no axis {axis}"))? = 1;
        }
        let mut elements = Vec::with_capacity(dims.iter().product());
        for coordinate in coordinates(&dims) {
            let range = |(axis, c): (usize, &usize)| -> Range<usize> {
                if axes.contains(&axis) { 0..tensor.dims[axis] } else { *c..c + 1 }
            };
            let ranges: Vec<_> = coordinate.iter().enumerate().map(range).collect();
            let slice = tensor.slice(&ranges)?;
            elements.push(self.item(|region| reduce(region, &slice.elements))?);
        }
        Tensor::new(elements, dims)
    }
}
