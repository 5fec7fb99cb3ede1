//! Digits, and what is built on the sign (spec 03 §5.7–§5.9).

use super::Pairwise;
use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{Bound, HintId, ONE, Wire, ZERO};
use crate::tensor::{Element, Tensor};
use ff::Field;
use std::collections::HashMap;
use twain_algebra::Fr;
use twain_graph::numbers::integer_to_field;
use twain_party::Hint;

/// The decomposition of the circuit's settings, and the wires decomposed with it already.
#[derive(Clone, Debug)]
pub(crate) struct Decompositions {
    pub format: Format,
    /// Sign, digits and recomposition of a wire, which is the recomposition's wire by then.
    known: HashMap<(Wire, Format), Digits>,
}

/// How many digits in which base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Format {
    pub base: u64,
    pub legs: u32,
}

impl Format {
    /// Values that fit are below this in size.
    pub fn limit(&self) -> f64 {
        (self.base as f64).powi(self.legs as i32)
    }

    /// The largest size of a value that fits.
    pub fn largest(&self) -> i128 {
        i128::from(self.base).saturating_pow(self.legs) - 1
    }

    /// Cells of a decomposed value: the sign and the digits.
    pub fn cells(&self) -> usize {
        self.legs as usize + 1
    }
}

impl Decompositions {
    pub fn new(format: Format) -> Self {
        Self { format, known: HashMap::new() }
    }
}

/// A decomposed value.
#[derive(Clone, Debug)]
struct Digits {
    sign: Wire,
    digits: Vec<Wire>,
    /// Running sums of the digits times the powers of the base, one a row.
    running: Vec<Wire>,
    /// The sign times the sum.
    value: Wire,
}

/// The cells of a decomposition.
pub(crate) struct Decomposed {
    /// Sign and digits of each element, most significant first.
    pub digits: Tensor,
    /// The decomposed elements.
    pub input: Tensor,
}

/// What is known of the sign beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignIs {
    Secret,
    /// 1 in every honest run.
    Positive,
}

impl Layouter {
    /// Sign and digits of each element in the circuit's base (spec 03 §5.7). If `zero_sign_matters`, a
    /// zero must have sign 0.
    pub fn decompose(
        &mut self,
        tensor: &Tensor,
        zero_sign_matters: bool,
    ) -> Result<Decomposed, LayoutError> {
        let format = self.decompositions.format;
        self.decompose_with(tensor, format, zero_sign_matters, SignIs::Secret)
    }

    pub fn decompose_with(
        &mut self,
        tensor: &Tensor,
        format: Format,
        zero_sign_matters: bool,
        sign: SignIs,
    ) -> Result<Decomposed, LayoutError> {
        let Format { base, .. } = format;
        let count = tensor.len();
        let (a, o) = (self.columns.a, self.columns.o);
        let input = match tensor.all_assigned() {
            true => tensor.clone(),
            false => self.assign(a, tensor)?,
        };
        let values = self.digits_of(&input, format, sign)?;

        let mut wires = Vec::with_capacity(count * format.cells());
        for value in &values {
            wires.push(value.sign);
            wires.extend_from_slice(&value.digits);
        }
        let mut dims = tensor.dims.clone();
        dims.push(format.cells());
        let digits = self.assign_wires(o, &wires, &dims)?;
        self.cursor += wires.len();

        let per_element = || digits.elements.chunks(format.cells());
        let signs = per_element().map(|cells| cells[0]).collect();
        let signs = self.range_check(&Tensor::new(signs, &tensor.dims)?, -1, 1)?;
        if zero_sign_matters {
            let zero = self.equals_zero_of_sign(&input, &values)?;
            // Nothing is left: the sign times [value = 0] is 0 by construction.
            let product = self.pairwise_cells(&signs, &zero, Pairwise::Mult, &vec![ZERO; count])?;
            self.enforce_equality(&product, &Tensor::constants(ZERO, count))?;
        }
        let only_digits = per_element().flat_map(|cells| cells[1..].to_vec()).collect();
        let high = i128::from(base) - 1;
        let checked = self.range_check(&Tensor::flat(only_digits), 0, high)?;

        let running = values.iter().map(|value| value.running.clone()).collect();
        let sums = self.weighted_sums(&checked.elements, format, running)?;
        let sums = Tensor::new(sums, &tensor.dims)?;
        let recomposed: Vec<Wire> = values.iter().map(|value| value.value).collect();
        let product = self.pairwise_cells(&sums, &signs, Pairwise::Mult, &recomposed)?;
        self.enforce_equality(&input, &product)?;
        Ok(Decomposed { digits, input })
    }

    /// The sums of each value's digits times the powers of the base; `running` are the running sums.
    fn weighted_sums(
        &mut self,
        digits: &[Element],
        format: Format,
        running: Vec<Vec<Wire>>,
    ) -> Result<Vec<Element>, LayoutError> {
        let powers: Vec<Element> = self.powers(format).into_iter().map(Element::constant).collect();
        self.flush();
        let mut sums = Vec::with_capacity(running.len());
        for (digits, running) in digits.chunks(powers.len()).zip(running) {
            let sum = self.dot_cells(digits, &powers, &running)?;
            // With Freivalds einsums the results of all einsums lose their cells.
            sums.push(match self.columns.einsum {
                Some(_) => Element::unplaced(sum.wire),
                None => sum,
            });
        }
        Ok(sums)
    }

    /// The values with these signs and digits (spec 03 §5.7); the last axis of `digits` is that of a
    /// decomposition.
    pub fn recompose(&mut self, digits: &Tensor, format: Format) -> Result<Tensor, LayoutError> {
        let digits = match digits.all_assigned() {
            true => digits.clone(),
            false => {
                let written = self.assign(self.columns.a, digits)?;
                self.cursor += digits.len();
                written
            }
        };
        let dims = &digits.dims[..digits.dims.len().saturating_sub(1)];
        let per_element = || digits.elements.chunks(format.cells());
        let powers = self.powers(format);
        let running = per_element().map(|cells| {
            let wires = cells[1..].iter().map(|cell| cell.wire);
            self.running_digits(&powers, wires)
        });
        let running = running.collect();
        let only_digits: Vec<Element> =
            per_element().flat_map(|cells| cells[1..].to_vec()).collect();
        let sums = Tensor::new(self.weighted_sums(&only_digits, format, running)?, dims)?;
        let signs = per_element().map(|cells| cells[0]).collect();
        self.pairwise(&sums, &Tensor::new(signs, dims)?, Pairwise::Mult)
    }

    /// Running sums of digits times the powers of the base, one a row.
    fn running_digits(&mut self, powers: &[Wire], digits: impl Iterator<Item = Wire>) -> Vec<Wire> {
        let digits: Vec<Wire> = digits.collect();
        let inner = self.inner();
        let mut running: Vec<Wire> = Vec::new();
        for (digits, powers) in digits.chunks(inner).zip(powers.chunks(inner)) {
            let terms = powers.iter().copied().zip(digits.iter().copied());
            let previous = running.last().map(|previous| (ONE, *previous));
            let terms: Vec<_> = previous.into_iter().chain(terms).collect();
            running.push(self.recorder.linear(&terms));
        }
        running
    }

    /// Constants `base^(legs-1), …, base, 1`.
    fn powers(&mut self, Format { base, legs }: Format) -> Vec<Wire> {
        let mut powers = vec![Fr::ONE];
        for _ in 1..legs {
            powers.push(powers[powers.len() - 1] * Fr::from(base));
        }
        powers.into_iter().rev().map(|power| self.recorder.constant(power)).collect()
    }

    /// The wires of a decomposition. From then on the recomposition stands for the value itself: a
    /// value that does not fit must not spread before it is tested (protocol §7.1).
    fn digits_of(
        &mut self,
        tensor: &Tensor,
        format: Format,
        sign: SignIs,
    ) -> Result<Vec<Digits>, LayoutError> {
        let Format { base, legs } = format;
        let mut values: Vec<Wire> = tensor.wires().map(|wire| self.recorder.now(wire)).collect();
        let inputs = values.clone();
        values.retain(|wire| !self.decompositions.known.contains_key(&(*wire, format)));
        // A value that occurs twice is decomposed once.
        let mut seen = std::collections::HashSet::with_capacity(values.len());
        values.retain(|wire| seen.insert(*wire));

        let hint = self.recorder.hint_id(Hint::Decompose { base, legs });
        let mut bounds = vec![Bound::new(0.0, base as f64 - 1.0); format.cells()];
        bounds[0] = Bound::SIGN;
        let outputs = self.recorder.hint(hint, &values, &bounds)?;
        let powers = self.powers(format);
        let mut replaced = HashMap::new();
        for (wire, outputs) in values.into_iter().zip(outputs.chunks(format.cells())) {
            let digits = outputs[1..].to_vec();
            let sign = match sign {
                SignIs::Secret => outputs[0],
                SignIs::Positive => ONE,
            };
            let running = self.running_digits(&powers, digits.iter().copied());
            let sum = running.last().copied().unwrap_or(ZERO);
            let value = self.recorder.mul(sum, sign);
            self.recorder.refine(value, self.recorder.bound(wire));
            self.recorder.replace(wire, value);
            replaced.insert(wire, value);
            let digits = Digits { sign, digits, running, value };
            self.decompositions.known.insert((value, format), digits);
        }
        let known = |wire: Wire| {
            let wire = replaced.get(&wire).copied().unwrap_or(wire);
            self.decompositions.known.get(&(wire, format)).cloned()
        };
        let missing = || LayoutError::Operands("a value was not decomposed".into());
        inputs.into_iter().map(|wire| known(wire).ok_or_else(missing)).collect()
    }

    /// `[value = 0]` of decomposed values, whose sign tells it.
    fn equals_zero_of_sign(
        &mut self,
        tensor: &Tensor,
        values: &[Digits],
    ) -> Result<Tensor, LayoutError> {
        let mut shifted = Vec::with_capacity(values.len());
        let mut zero = Vec::with_capacity(values.len());
        for value in values {
            let nonzero = self.recorder.mul(value.sign, value.sign);
            let is_zero = self.recorder.sub(ONE, nonzero);
            zero.push(is_zero);
            shifted.push(self.recorder.add(value.value, is_zero));
        }
        let inverses = self.recorder.hint_id(Hint::Inverse);
        let inverses = self.recorder.hint(inverses, &shifted, &[Bound::UNKNOWN])?;
        let mut tests = Vec::with_capacity(values.len());
        for ((inverse, is_zero), element) in inverses.into_iter().zip(zero).zip(&tensor.elements) {
            let inverse = self.recorder.sub(inverse, is_zero);
            let nonzero = self.recorder.sub(ONE, is_zero);
            tests.push(super::logic::ZeroTest {
                inverse: super::logic::inverse_element(element, inverse),
                nonzero,
            });
        }
        self.equals_zero_cells(tensor, &tests)
    }

    /// The signs: the cells of the digits.
    pub fn sign(
        &mut self,
        tensor: &Tensor,
        zero_sign_matters: bool,
    ) -> Result<Tensor, LayoutError> {
        let decomposed = self.decompose(tensor, zero_sign_matters)?;
        self.signs_of(&decomposed, &tensor.dims)
    }

    pub fn signs_of(&self, decomposed: &Decomposed, dims: &[usize]) -> Result<Tensor, LayoutError> {
        let step = self.decompositions.format.cells();
        let signs = decomposed.digits.elements.iter().step_by(step).copied().collect();
        Tensor::new(signs, dims)
    }

    pub fn abs(&mut self, tensor: &Tensor) -> Result<Tensor, LayoutError> {
        let sign = self.sign(tensor, false)?;
        let result = self.pairwise(tensor, &sign, Pairwise::Mult)?;
        for (value, size) in tensor.wires().zip(result.wires()) {
            let bound = self.recorder.bound(self.recorder.now(value));
            let mirrored = bound.product(Bound::new(-1.0, -1.0));
            let size_bound = bound.union(mirrored).intersection(Bound::new(0.0, f64::INFINITY));
            self.recorder.refine(size, size_bound);
        }
        Ok(result)
    }

    /// `max(x, 0)` for `slope` 0, otherwise `x` for positive and `slope * x` for other values, times
    /// `2^scale`.
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
