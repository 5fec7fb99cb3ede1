//! Reciprocals and square roots: claimed integers that are shown to be the closest ones, and what
//! is built on them (spec 04 §3.1, §5.2, §5.3, §5.7).

use super::Pairwise;
use super::by_digits::{reciprocal_by_digits, root_by_digits};
use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Bound, ONE, Wire};
use crate::tensor::{Element, Tensor};
use twain_graph::LookupOp;
use twain_graph::numbers::integer_to_field;
use twain_party::{Hint, Kind};

/// Fixed-point factors of a reciprocal's operand and result, and what stands for 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scales {
    pub input: f32,
    pub output: f32,
    pub epsilon: f64,
}

impl Scales {
    /// The reciprocal of 1, and of 0.
    fn numbers(&self) -> Result<(i128, i128), LayoutError> {
        let product = (self.input as i128).checked_mul(self.output as i128);
        let product = product.filter(|product| *product > 0).ok_or_else(|| {
            let (input, output) = (self.input, self.output);
            LayoutError::Operands(format!("a reciprocal of scales {input} and {output}"))
        })?;
        let of_zero = (f64::from(self.output) * (1.0 / self.epsilon)).round() as i128;
        Ok((product, of_zero))
    }
}

/// The only axis of a softmax.
///
/// # Errors
/// It has another number of axes, which EZKL's circuits have not.
pub(crate) fn softmax_axis(axes: &[usize]) -> Result<usize, String> {
    match *axes {
        [axis] => Ok(axis),
        _ => Err(format!(
            "a softmax over the axes {axes:?}: EZKL has it over one axis only (Softmax of opset 12 and \
             before takes all axes from its attribute on: export with opset 13, or flatten them first)"
        )),
    }
}

impl Layouter {
    /// Whether `claim` minimises `distance`, a convex function; of two minima the smaller.
    fn is_minimum(
        &mut self,
        claim: &Tensor,
        mut distance: impl FnMut(&mut Self, &Tensor) -> Result<Tensor, LayoutError>,
    ) -> Result<Tensor, LayoutError> {
        let here = distance(self, claim)?;
        let next = self.pairwise_number(claim, 1, Pairwise::Add)?;
        let above = distance(self, &next)?;
        let previous = self.pairwise_number(claim, 1, Pairwise::Sub)?;
        let below = distance(self, &previous)?;
        let not_above = self.greater_equal(&above, &here)?;
        let not_below = self.greater(&below, &here)?;
        self.and(&not_below, &not_above)
    }

    /// A hint for every element, without cells; of what neither side of a pair knows as a program,
    /// if there is one.
    pub(super) fn claim(
        &mut self,
        tensor: &Tensor,
        hint: Hint,
        bound: Bound,
    ) -> Result<Tensor, LayoutError> {
        let id = self.recorder.hint_id(hint.clone());
        let mut claims = Vec::with_capacity(tensor.len());
        for wire in tensor.wires() {
            let wire = self.recorder.now(wire);
            let program = match self.recorder.kind(wire) {
                Kind::Shared => self.closest_of_secret(&hint, wire)?,
                Kind::Public | Kind::Owned(_) => None,
            };
            match program {
                Some(claim) => {
                    self.recorder.refine(claim, bound);
                    claims.push(claim);
                }
                None => claims.extend(self.recorder.hint(id, &[wire], &[bound])?),
            }
        }
        Tensor::new(claims.into_iter().map(Element::unplaced).collect(), &tensor.dims)
    }

    /// A hint of what neither side knows, as a program of what two parties can do.
    fn closest_of_secret(&mut self, hint: &Hint, x: Wire) -> Result<Option<Wire>, LayoutError> {
        match (self.step_function(hint, x)?, hint) {
            (None, Hint::SquareRoot { factor }) => root_by_digits(&mut self.recorder, *factor, x),
            (None, Hint::Reciprocal { numerator, of_zero }) => {
                reciprocal_by_digits(&mut self.recorder, *numerator, *of_zero, x)
            }
            (steps, _) => Ok(steps),
        }
    }

    /// Values that must be 1.
    pub(super) fn enforce_ones(&mut self, tensor: &Tensor) -> Result<Tensor, LayoutError> {
        self.enforce_equality(tensor, &Tensor::constants(ONE, tensor.len()))
    }

    /// The reciprocal of every element.
    pub fn reciprocal(&mut self, tensor: &Tensor, scales: Scales) -> Result<Tensor, LayoutError> {
        let (numerator, of_zero) = scales.numbers()?;
        let bound = Bound::symmetric(of_zero.saturating_abs().max(numerator) as f64);
        let claim = self.claim(tensor, Hint::Reciprocal { numerator, of_zero }, bound)?;
        let claim = self.decompose(&claim, false)?.input;
        let zero = self.equals_zero(tensor)?;
        let not_zero = self.not(&zero)?;
        let of_zero = Tensor::flat(vec![self.constant(integer_to_field(of_zero))]);
        let claims_zero = self.equals(&claim, &of_zero)?;
        let unit = Tensor::flat(vec![self.constant(integer_to_field(numerator))]);
        let unit = self.pairwise(&unit, &not_zero, Pairwise::Mult)?;
        self.enforce_equality(&zero, &claims_zero)?;
        let minimum = self.is_minimum(&claim, |layouter, claim| {
            let product = layouter.pairwise(claim, tensor, Pairwise::Mult)?;
            layouter.distance(&product, &unit)
        })?;
        let proper = self.pairwise(&minimum, &zero, Pairwise::Add)?;
        self.enforce_ones(&proper)?;
        Ok(claim)
    }

    /// The square root of every element at the fixed-point factor `scale`.
    pub fn square_root(&mut self, tensor: &Tensor, scale: f32) -> Result<Tensor, LayoutError> {
        let factor = scale as i128;
        if factor < 1 {
            return Err(LayoutError::Operands(format!("a square root of scale {scale}")));
        }
        let bound = Bound::new(0.0, self.decompositions.format.limit());
        let claim = self.claim(tensor, Hint::SquareRoot { factor }, bound)?;
        let claim = self.abs(&claim)?;
        let square = self.pairwise_number(tensor, factor, Pairwise::Mult)?;
        let minimum = self.is_minimum(&claim, |layouter, claim| {
            let product = layouter.pairwise(claim, claim, Pairwise::Mult)?;
            layouter.distance(&product, &square)
        })?;
        self.enforce_ones(&minimum)?;
        Ok(claim)
    }

    /// `|left - right|`.
    pub(super) fn distance(
        &mut self,
        left: &Tensor,
        right: &Tensor,
    ) -> Result<Tensor, LayoutError> {
        let difference = self.pairwise(left, right, Pairwise::Sub)?;
        self.abs(&difference)
    }

    /// The exponentials of the elements along an axis, divided by their sum.
    pub fn softmax(
        &mut self,
        tensor: &Tensor,
        axes: &[usize],
        scales: Scales,
    ) -> Result<Tensor, LayoutError> {
        let axis = softmax_axis(axes).map_err(LayoutError::Operands)?;
        let exponential = LookupOp::Exp { scale: scales.input, base: std::f32::consts::E };
        self.lists_along(tensor, axis, |layouter, list| {
            let largest = Tensor::flat(vec![layouter.extreme(list, true)?]);
            let shifted = layouter.pairwise(list, &largest, Pairwise::Sub)?;
            // By the order of the list.
            for wire in shifted.wires() {
                layouter.recorder.refine(wire, Bound::new(f64::NEG_INFINITY, 0.0));
            }
            let powers = layouter.nonlinearity(&shifted, &exponential)?;
            let sum = Tensor::flat(vec![layouter.sum(&powers.elements)?]);
            let reciprocal = layouter.reciprocal(&sum, scales)?;
            Ok(layouter.pairwise(&powers, &reciprocal, Pairwise::Mult)?.elements)
        })
    }
}
