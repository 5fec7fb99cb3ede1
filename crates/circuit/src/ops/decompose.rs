//! Sign and digits (spec 03 §5.7, §5.8).

use super::Pairwise;
use super::zero::{ZeroTest, inverse_element};
use crate::LayoutError;
use crate::decompositions::{Digits, Format, SignIs};
use crate::layouter::Layouter;
use crate::program::{Bound, ONE, Wire, ZERO};
use crate::tensor::{Element, Tensor};
use ff::Field;
use std::collections::HashMap;
use twain_algebra::Fr;
use twain_party::Hint;

/// The cells of a decomposition.
pub(crate) struct Decomposed {
    /// Sign and digits of each element, most significant first.
    pub digits: Tensor,
    /// The decomposed elements.
    pub input: Tensor,
}

impl Layouter {
    /// Sign and digits of each element in the circuit's base (spec 03 §5.7). If
    /// `zero_sign_matters`, a zero must have sign 0.
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

    /// The sums of each value's digits times the powers of the base; `running` are the running
    /// sums.
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

    /// The values with these signs and digits (spec 03 §5.7); the last axis of `digits` is that of
    /// a decomposition.
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
        let mut tests = Vec::with_capacity(values.len());
        for (value, element) in values.iter().zip(&tensor.elements) {
            let nonzero = self.recorder.mul(value.sign, value.sign);
            let inverse = self.recorder.inverse(value.value, nonzero)?;
            tests.push(ZeroTest { inverse: inverse_element(element, inverse), nonzero });
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
}
