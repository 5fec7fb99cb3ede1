//! Tests for zero and for equality (spec 03 §5.10).

use super::Pairwise;
use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Bound, ONE, Wire, ZERO};
use crate::tensor::{Element, Place, Tensor};
use ff::Field;
use twain_algebra::Fr;
use twain_graph::numbers::integer_to_field;
use twain_party::{Hint, TABLE_OF_INVERSES};

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
        let is_narrow = |bound: Bound| u32::from(bound.bits()) <= TABLE_OF_INVERSES;
        let (narrow, wide): (Vec<Wire>, Vec<Wire>) =
            any.into_iter().partition(|wire| is_narrow(self.recorder.bound(*wire)));
        let hint = self.recorder.hint_id(Hint::InverseOrZero);
        let mut inverses = self.recorder.hint(hint, &narrow, &[Bound::UNKNOWN])?.into_iter();
        let hint = self.recorder.hint_id(Hint::IsZero);
        let mut zeros = self.recorder.hint(hint, &wide, &[Bound::BIT])?.into_iter();
        let mut tests = Vec::with_capacity(tensor.len());
        for ((element, wire), few) in tensor.elements.iter().zip(wires).zip(few) {
            let (inverse, nonzero) = match few {
                Some(values) => self.zero_test_of_few(wire, &values),
                None if is_narrow(self.recorder.bound(wire)) => {
                    let inverse = inverses.next().unwrap_or(ZERO);
                    (inverse, self.recorder.mul(wire, inverse))
                }
                None => {
                    let nonzero = self.recorder.sub(ONE, zeros.next().unwrap_or(ZERO));
                    (self.recorder.inverse(wire, nonzero)?, nonzero)
                }
            };
            self.recorder.refine(nonzero, Bound::BIT);
            tests.push(ZeroTest { inverse: inverse_element(element, inverse), nonzero });
        }
        self.equals_zero_cells(tensor, &tests)
    }

    /// Inverse and `[x != 0]` of a value that can only be one of `values`: for the at most two that
    /// are not 0, polynomials of degree 2 without constant term.
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
}
