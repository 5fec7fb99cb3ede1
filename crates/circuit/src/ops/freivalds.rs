//! Einsums checked by Freivalds' method: random linear combinations of the result and of the
//! operands are compared (spec 04 §6.5). The result itself is not tied to any cell: see `warnings`.

use crate::LayoutError;
use crate::columns::EinsumColumns;
use crate::einsum::{Equation, Plan, PlanStep, Reduction, Sizes};
use crate::geometry::Variable;
use crate::layouter::Layouter;
use crate::program::{ONE, Wire, ZERO};
use crate::tensor::{Element, Place, Tensor, coordinates};
use std::collections::BTreeMap;
use std::ops::Range;
use twain_plonk::Selector;

/// A tensor of the reduction: its letters, its elements and whether they depend on a challenge.
struct Term {
    letters: Vec<char>,
    tensor: Tensor,
    phase: usize,
}

impl Term {
    /// The elements at positions of some letters, the others in order.
    fn slice(&self, positions: &BTreeMap<char, usize>) -> Result<Vec<Element>, LayoutError> {
        let range = |(letter, dim): (&char, &usize)| -> Range<usize> {
            positions.get(letter).map_or(0..*dim, |position| *position..position + 1)
        };
        let ranges: Vec<_> = self.letters.iter().zip(&self.tensor.dims).map(range).collect();
        Ok(self.tensor.slice(&ranges)?.elements)
    }
}

impl Layouter {
    /// The einsum of operands without axes of length 1, as values without cells.
    pub fn freivalds(
        &mut self,
        columns: &EinsumColumns,
        equation: &Equation,
        sizes: &Sizes,
        tensors: Vec<Tensor>,
    ) -> Result<Tensor, LayoutError> {
        let dims: Vec<usize> = equation.output.iter().map(|letter| sizes[letter]).collect();
        let result = self.einsum_values(equation, sizes, &tensors)?;
        let result = Tensor::new(result.into_iter().map(Element::unplaced).collect(), &dims)?;

        let mut squashed = result.elements.clone();
        for (position, letter) in equation.output.iter().enumerate().rev() {
            let phase = usize::from(position + 1 != equation.output.len());
            let mut combined = Vec::new();
            for group in squashed.chunks(sizes[letter]) {
                combined.push(self.combine(columns, position, phase, group)?);
            }
            squashed = combined;
        }
        let [squashed] = squashed[..] else {
            return Err(LayoutError::Operands("an einsum's output did not reduce".into()));
        };
        let squashed = self.write_at(&columns.outputs[1], squashed, self.einsum_cursor)?;
        self.einsum_cursor += 1;

        let mut terms: Vec<Term> = Vec::new();
        for (letters, tensor) in equation.inputs.iter().zip(tensors) {
            terms.push(Term { letters: letters.clone(), tensor, phase: 0 });
        }
        let plan = Plan::new(equation);
        let mut phase = 0;
        for step in &plan.steps {
            let term = self.reduce(columns, step, sizes, &terms)?;
            phase = term.phase;
            terms.push(term);
        }
        let scalars = terms.iter().filter(|term| term.letters.is_empty());
        let scalars: Vec<Element> = scalars.flat_map(|term| term.tensor.elements.clone()).collect();
        let product = self.einsum_product(columns, phase, &scalars)?;
        if let (Place::Cell(left), Place::Cell(right)) = (product.place, squashed.place) {
            self.copy(left, right);
        }
        Ok(result)
    }

    /// The values of an einsum's result.
    fn einsum_values(
        &mut self,
        equation: &Equation,
        sizes: &Sizes,
        tensors: &[Tensor],
    ) -> Result<Vec<Wire>, LayoutError> {
        let dims: Vec<usize> = equation.output.iter().map(|letter| sizes[letter]).collect();
        let summed: Vec<char> =
            sizes.keys().copied().filter(|letter| !equation.output.contains(letter)).collect();
        let ranges: Vec<usize> = summed.iter().map(|letter| sizes[letter]).collect();
        let mut values = Vec::with_capacity(self.capacity.elements(&dims)?);
        for output in coordinates(&dims) {
            let mut positions: BTreeMap<char, usize> =
                equation.output.iter().copied().zip(output).collect();
            let mut pairs = Vec::new();
            for inner in coordinates(&ranges) {
                positions.extend(summed.iter().copied().zip(inner));
                let mut factors = Vec::with_capacity(tensors.len());
                for (letters, tensor) in equation.inputs.iter().zip(tensors) {
                    let axes = letters.iter().zip(&tensor.dims);
                    let index =
                        axes.fold(0, |index, (letter, dim)| index * dim + positions[letter]);
                    factors.push(tensor.elements[index].wire);
                }
                let last = factors.pop().unwrap_or(ONE);
                let rest = factors.into_iter().reduce(|product, f| self.recorder.mul(product, f));
                pairs.push((rest.unwrap_or(ONE), last));
            }
            values.push(self.recorder.accumulate(None, &pairs));
        }
        Ok(values)
    }

    fn einsum_flush(&mut self) {
        self.einsum_cursor = self.einsum_cursor.next_multiple_of(self.inner());
    }

    /// A random linear combination with the powers of a challenge.
    fn combine(
        &mut self,
        columns: &EinsumColumns,
        challenge: usize,
        phase: usize,
        elements: &[Element],
    ) -> Result<Element, LayoutError> {
        let missing = || LayoutError::Settings("einsum_params lacks an equation".into());
        let combination = columns.combinations.get(challenge).ok_or_else(missing)?;
        self.einsum_flush();
        let padded = self.padded(elements, ZERO);
        let powers = self.recorder.challenge_powers(combination.challenge.index, self.inner());
        let mut running: Vec<Wire> = Vec::new();
        for row in padded.chunks(self.inner()) {
            let mut pairs: Vec<(Wire, Wire)> =
                powers.iter().rev().copied().zip(row.iter().map(|e| e.wire)).collect();
            pairs.extend(running.last().map(|last| (powers[powers.len() - 1], *last)));
            running.push(self.recorder.accumulate(None, &pairs));
        }
        let input = columns.inputs[2 * phase];
        let selectors = (&combination.init[phase][..], &combination.accumulate[phase][..]);
        self.accumulate_einsum(&[(input, &padded)], columns.outputs[1], &running, selectors)
    }

    /// Operands and running values from the einsum cursor on.
    fn accumulate_einsum(
        &mut self,
        operands: &[(Variable, &[Element])],
        output: Variable,
        running: &[Wire],
        (init, accumulate): (&[Selector], &[Selector]),
    ) -> Result<Element, LayoutError> {
        let first = self.einsum_cursor;
        let mut length = 0;
        for (variable, elements) in operands {
            length = self.assign_duplicated(*variable, elements, first)?;
        }
        let last = self.assign_running(output, running, first, |layouter, at, starts| {
            let selectors = if starts { init } else { accumulate };
            layouter.enable(selectors[at.block], at.row);
        })?;
        self.einsum_cursor += length;
        Ok(last)
    }

    fn reduce(
        &mut self,
        columns: &EinsumColumns,
        step: &PlanStep,
        sizes: &Sizes,
        terms: &[Term],
    ) -> Result<Term, LayoutError> {
        let operands: Vec<&Term> = step.operands.iter().map(|number| &terms[*number]).collect();
        let dims: Vec<usize> = step.letters.iter().map(|letter| sizes[letter]).collect();
        let mut slices: Vec<Vec<Vec<Element>>> = Vec::new();
        for coordinate in coordinates(&dims) {
            let positions: BTreeMap<char, usize> =
                step.letters.iter().copied().zip(coordinate).collect();
            let slice = operands.iter().map(|term| term.slice(&positions));
            slices.push(slice.collect::<Result<_, _>>()?);
        }
        let phases: Vec<usize> = operands.iter().map(|term| term.phase).collect();
        let elements = match step.reduction {
            Reduction::Combine { challenge, .. } => {
                let combine = |parts: Vec<Vec<Element>>| {
                    self.combine(columns, challenge, phases[0], &parts[0])
                };
                slices.into_iter().map(combine).collect::<Result<_, _>>()?
            }
            Reduction::Multiply => {
                let whole = (0..operands.len())
                    .map(|i| slices.iter().flat_map(|parts| parts[i].clone()).collect());
                self.multiply_all(columns, &phases, whole.collect())?.1
            }
            Reduction::Contract { .. } => {
                let contract = |parts| self.contract(columns, &phases, parts);
                slices.into_iter().map(contract).collect::<Result<_, _>>()?
            }
        };
        let tensor = Tensor::new(elements, &dims)?;
        Ok(Term { letters: step.letters.clone(), tensor, phase: step.phase })
    }

    /// The product of all operands, element by element, from left to right; and its phase.
    fn multiply_all(
        &mut self,
        columns: &EinsumColumns,
        phases: &[usize],
        operands: Vec<Vec<Element>>,
    ) -> Result<(usize, Vec<Element>), LayoutError> {
        let mut operands = phases.iter().copied().zip(operands);
        let nothing = || LayoutError::Operands("an einsum over nothing".into());
        let mut product = operands.next().ok_or_else(nothing)?;
        for operand in operands {
            product = self.multiply(columns, product, operand)?;
        }
        Ok(product)
    }

    fn multiply(
        &mut self,
        columns: &EinsumColumns,
        left: (usize, Vec<Element>),
        right: (usize, Vec<Element>),
    ) -> Result<(usize, Vec<Element>), LayoutError> {
        let (first, second) = if left.0 > right.0 { (right, left) } else { (left, right) };
        self.einsum_flush();
        let (pair, [a, b], phase) = pair_columns(columns, first.0, second.0);
        let start = self.einsum_cursor;
        let wires = first.1.iter().zip(&second.1);
        let wires: Vec<Wire> = wires.map(|(l, r)| self.recorder.mul(l.wire, r.wire)).collect();
        self.assign_from(a, &Tensor::flat(first.1), start)?;
        self.assign_from(b, &Tensor::flat(second.1), start)?;
        let output = columns.outputs[phase];
        let product = wires.iter().map(|wire| Element::unplaced(*wire)).collect();
        let product = self.assign_from(output, &Tensor::flat(product), start)?;
        for i in 0..wires.len() {
            let at = output.coordinate(start + i)?;
            let selector = columns.pairs[pair].mult[at.block * output.inner + at.inner];
            self.enable(selector, at.row);
        }
        self.einsum_cursor += wires.len();
        Ok((phase, product.elements))
    }

    /// The sum of the product of all operands.
    fn contract(
        &mut self,
        columns: &EinsumColumns,
        phases: &[usize],
        operands: Vec<Vec<Element>>,
    ) -> Result<Element, LayoutError> {
        if let ([left, right], [first, second]) = (&operands[..], phases) {
            let (left, right, first, second) = match first > second {
                true => (right, left, *second, *first),
                false => (left, right, *first, *second),
            };
            self.einsum_flush();
            let running = self.running_dot(left, right);
            let (left, right) = (self.padded(left, ZERO), self.padded(right, ZERO));
            let (pair, [a, b], phase) = pair_columns(columns, first, second);
            let selectors = (&columns.pairs[pair].dot_init[..], &columns.pairs[pair].dot[..]);
            let cells = [(a, &left[..]), (b, &right[..])];
            return self.accumulate_einsum(&cells, columns.outputs[phase], &running, selectors);
        }
        let (phase, elements) = self.multiply_all(columns, phases, operands)?;
        if let [element] = elements[..] {
            return Ok(element);
        }
        self.einsum_flush();
        let running = self.running_sum(&elements);
        let padded = self.padded(&elements, ZERO);
        let single = &columns.singles[phase];
        let selectors = (&single.sum_init[..], &single.sum[..]);
        let input = columns.inputs[2 * phase];
        self.accumulate_einsum(&[(input, &padded)], columns.outputs[phase], &running, selectors)
    }

    fn einsum_product(
        &mut self,
        columns: &EinsumColumns,
        phase: usize,
        elements: &[Element],
    ) -> Result<Element, LayoutError> {
        self.einsum_flush();
        let running = self.running_product(elements);
        let padded = self.padded(elements, ONE);
        let single = &columns.singles[phase];
        let selectors = (&single.cum_prod_init[..], &single.cum_prod[..]);
        let input = columns.inputs[2 * phase];
        self.accumulate_einsum(&[(input, &padded)], columns.outputs[phase], &running, selectors)
    }
}

/// The selectors, the operand columns and the phase of the result for operands of two phases, the
/// lower first.
fn pair_columns(
    columns: &EinsumColumns,
    first: usize,
    second: usize,
) -> (usize, [Variable; 2], usize) {
    let [i0, i1, i2, i3] = columns.inputs;
    match (first, second) {
        (0, 0) => (0, [i0, i1], 0),
        (0, _) => (1, [i0, i2], 1),
        _ => (2, [i2, i3], 1),
    }
}
