//! Tests for zero, comparisons and Boolean operations (spec 03 §5.10).

use super::Pairwise;
use super::decompose::SignIs;
use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Bound, ONE, Wire, ZERO};
use crate::tensor::{Element, Place, Tensor, broadcast_shape};
use ff::Field;
use twain_algebra::Fr;
use twain_graph::numbers::integer_to_field;
use twain_party::Hint;

/// The wires of a test for zero.
pub(super) struct ZeroTest {
    /// The inverse, 0 of 0.
    pub inverse: Element,
    /// `[value != 0]`.
    pub nonzero: Wire,
}

/// The inverse of an unplaced constant is an unplaced constant; any other is a fresh value.
pub(super) fn inverse_element(of: &Element, inverse: Wire) -> Element {
    match of.place {
        Place::Constant => Element::constant(inverse),
        _ => Element::unplaced(inverse),
    }
}

impl Layouter {
    /// `[x = 0]`.
    pub fn equals_zero(&mut self, tensor: &Tensor) -> Result<Tensor, LayoutError> {
        let wires: Vec<Wire> = tensor.wires().map(|wire| self.recorder.now(wire)).collect();
        let few: Vec<_> =
            wires.iter().map(|wire| self.recorder.bound(*wire).few_values()).collect();
        let any = wires.iter().zip(&few).filter(|(_, few)| few.is_none()).map(|(wire, _)| *wire);
        let any: Vec<Wire> = any.collect();
        let hint = self.recorder.hint_id(Hint::InverseOrZero);
        let mut inverses = self.recorder.hint(hint, &any, &[Bound::UNKNOWN])?.into_iter();
        let mut tests = Vec::with_capacity(tensor.len());
        for ((element, wire), few) in tensor.elements.iter().zip(wires).zip(few) {
            let (inverse, nonzero) = match few {
                Some(values) => self.zero_test_of_few(wire, &values),
                None => {
                    let inverse = inverses.next().unwrap_or(ZERO);
                    (inverse, self.recorder.mul(wire, inverse))
                }
            };
            self.recorder.refine(nonzero, Bound::BIT);
            tests.push(ZeroTest { inverse: inverse_element(element, inverse), nonzero });
        }
        self.equals_zero_cells(tensor, &tests)
    }

    /// Inverse and `[x != 0]` of a value that can only be one of `values`: for the at most two that are
    /// not 0, polynomials of degree 2 without constant term.
    fn zero_test_of_few(&mut self, wire: Wire, values: &[i64]) -> (Wire, Wire) {
        let number = |value: i64| integer_to_field(i128::from(value));
        let points: Vec<Fr> = values.iter().filter(|v| **v != 0).map(|v| number(*v)).collect();
        let inverse = |point: &Fr| point.invert().unwrap_or(Fr::ZERO);
        match points[..] {
            [] => (ZERO, ZERO),
            [point] => {
                let inverse = self.recorder.constant(inverse(&point));
                let nonzero = self.recorder.linear(&[(inverse, wire)]);
                let inverse = self.recorder.linear(&[(inverse, nonzero)]);
                (inverse, nonzero)
            }
            [a, b, ..] => {
                let square = self.recorder.mul(wire, wire);
                let mut through = |at_a: Fr, at_b: Fr| {
                    // s*x^2 + t*x with the two values at a and b.
                    let (slope_a, slope_b) = (at_a * inverse(&a), at_b * inverse(&b));
                    let s = (slope_a - slope_b) * inverse(&(a - b));
                    let t = slope_a - s * a;
                    let (s, t) = (self.recorder.constant(s), self.recorder.constant(t));
                    self.recorder.linear(&[(s, square), (t, wire)])
                };
                (through(inverse(&a), inverse(&b)), through(Fr::ONE, Fr::ONE))
            }
        }
    }

    /// The cells of a test for zero.
    pub(super) fn equals_zero_cells(
        &mut self,
        tensor: &Tensor,
        tests: &[ZeroTest],
    ) -> Result<Tensor, LayoutError> {
        let count = tensor.len();
        let inverses = tests.iter().map(|test| test.inverse).collect();
        let inverses = Tensor::new(inverses, &tensor.dims)?;
        let nonzero: Vec<Wire> = tests.iter().map(|test| test.nonzero).collect();
        let product = self.pairwise_cells(tensor, &inverses, Pairwise::Mult, &nonzero)?;
        let zero = self.pairwise(&Tensor::constant(ONE), &product, Pairwise::Sub)?;
        for wire in zero.wires() {
            self.recorder.refine(wire, Bound::BIT);
        }
        // x * [x = 0] is 0 by construction.
        let check = self.pairwise_cells(tensor, &zero, Pairwise::Mult, &vec![ZERO; count])?;
        self.enforce_equality(&check, &Tensor::constants(ZERO, count))?;
        Ok(zero)
    }

    /// `[left = right]`.
    pub fn equals(&mut self, left: &Tensor, right: &Tensor) -> Result<Tensor, LayoutError> {
        let difference = self.pairwise(left, right, Pairwise::Sub)?;
        self.equals_zero(&difference)
    }

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
}
