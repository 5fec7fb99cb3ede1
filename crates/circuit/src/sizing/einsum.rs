//! What sums of products over indices cost: with base operations, or with random linear
//! combinations (spec 05 §4.2, einsum).

use crate::sizing::region::Region;
use crate::sizing::tensor::{Element, Tensor};
use ff::Field;
use std::collections::BTreeMap;
use std::ops::Range;
use twain_algebra::Fr;
use twain_graph::indices::coordinates;

/// An equation's letters with their lengths.
struct Equation {
    inputs: Vec<Vec<char>>,
    output: Vec<char>,
    sizes: BTreeMap<char, usize>,
}

impl Equation {
    fn parse(text: &str, tensors: &[Tensor]) -> Result<Self, String> {
        let misfit = || {
            let shapes: Vec<_> = tensors.iter().map(|tensor| &tensor.dims).collect();
            format!("shapes {shapes:?} do not fit the einsum {text}")
        };
        let (inputs, output) = text.split_once("->").ok_or_else(misfit)?;
        let inputs: Vec<Vec<char>> = inputs.split(',').map(|term| term.chars().collect()).collect();
        let output: Vec<char> = output.chars().collect();
        let mut sizes = BTreeMap::new();
        if inputs.len() != tensors.len() {
            return Err(misfit());
        }
        for (letters, tensor) in inputs.iter().zip(tensors) {
            // A single value stands for an operand without letters (the second of `mk,->mn`).
            if letters.is_empty() && tensor.len() == 1 {
                continue;
            }
            if letters.len() != tensor.dims.len() {
                return Err(misfit());
            }
            for (letter, dim) in letters.iter().zip(&tensor.dims) {
                if *sizes.entry(*letter).or_insert(*dim) != *dim {
                    return Err(misfit());
                }
            }
        }
        for letter in &output {
            sizes.entry(*letter).or_insert(1);
        }
        Ok(Self { inputs, output, sizes })
    }

    /// Without the axes of length 1.
    fn without_units(mut self) -> Self {
        self.sizes.retain(|_, size| *size != 1);
        let kept =
            |letters: &mut Vec<char>| letters.retain(|letter| self.sizes.contains_key(letter));
        self.inputs.iter_mut().for_each(kept);
        self.output.retain(|letter| self.sizes.contains_key(letter));
        self
    }

    /// Letters that occur at least twice among the inputs.
    fn common(&self) -> Vec<char> {
        let count = |letter: &char| self.inputs.iter().flatten().filter(|l| *l == letter).count();
        self.sizes.keys().copied().filter(|letter| count(letter) >= 2).collect()
    }

    fn length(&self, letters: &[char]) -> usize {
        letters.iter().map(|letter| self.sizes[letter]).product()
    }
}

impl Region {
    pub fn einsum(&mut self, text: &str, tensors: &[Tensor]) -> Result<Tensor, String> {
        let equation = Equation::parse(text, tensors)?;
        // EZKL lists the axes of the operands only.
        let listed = equation.sizes.iter().filter(|(l, _)| equation.inputs.concat().contains(l));
        let sizes = listed.map(|(letter, size)| (*letter, *size)).collect();
        self.equations.push((text.to_string(), sizes));
        let mut dims: Vec<usize> = equation.output.iter().map(|l| equation.sizes[l]).collect();
        if dims.is_empty() {
            dims.push(1);
        }
        if !self.freivalds {
            return self.base_einsum(&equation, tensors)?.reshape(&dims);
        }
        let equation = equation.without_units();
        let squeeze = |tensor: &Tensor| {
            let dims = tensor.dims.iter().copied().filter(|dim| *dim != 1).collect();
            Tensor { elements: tensor.elements.clone(), dims }
        };
        let tensors: Vec<Tensor> = tensors.iter().map(squeeze).collect();
        let common = equation.common();
        let free = equation.sizes.keys().filter(|letter| !common.contains(letter)).count();
        if equation.output.is_empty() || common.is_empty() || free < 2 {
            return self.base_einsum(&equation, &tensors)?.reshape(&dims);
        }
        for tensor in &tensors {
            self.assign(&tensor.elements);
        }
        self.random_combinations(&equation);
        Ok(Tensor::values(dims))
    }

    fn base_einsum(&mut self, equation: &Equation, tensors: &[Tensor]) -> Result<Tensor, String> {
        let common = equation.common();
        let reduced = |letter: &&char| !equation.output.contains(letter);
        let as_dots = tensors.len() == 2
            && !equation
                .sizes
                .iter()
                .any(|(letter, size)| *size > 1 && reduced(&letter) && !common.contains(letter));
        let dims: Vec<usize> = equation.output.iter().map(|l| equation.sizes[l]).collect();
        let summed: Vec<char> = common.iter().filter(reduced).copied().collect();
        let others = equation.sizes.keys().filter(|l| reduced(l) && !common.contains(l));
        let others: Vec<char> = others.copied().collect();
        self.flush();
        let mut elements = Vec::with_capacity(dims.iter().product());
        for coordinate in coordinates(&dims) {
            let at: BTreeMap<char, usize> =
                equation.output.iter().copied().zip(coordinate).collect();
            elements.push(self.item(|region| {
                if as_dots {
                    let left = part(&tensors[0], &equation.inputs[0], &at)?;
                    let right = part(&tensors[1], &equation.inputs[1], &at)?;
                    return Ok(region.dot(&left.elements, &right.elements));
                }
                region.sum_of_products(equation, tensors, &at, &[&summed[..], &others].concat())
            })?);
        }
        Tensor::new(elements, dims)
    }

    /// A product for each coordinate of the summed letters, added up one by one.
    fn sum_of_products(
        &mut self,
        equation: &Equation,
        tensors: &[Tensor],
        at: &BTreeMap<char, usize>,
        summed: &[char],
    ) -> Result<Element, String> {
        let dims: Vec<usize> = summed.iter().map(|letter| equation.sizes[letter]).collect();
        let mut sum: Option<Element> = None;
        for coordinate in coordinates(&dims) {
            let mut at = at.clone();
            at.extend(summed.iter().copied().zip(coordinate));
            let mut factors = Vec::with_capacity(tensors.len());
            for (letters, tensor) in equation.inputs.iter().zip(tensors) {
                factors.extend(part(tensor, letters, &at)?.elements);
            }
            let product = self.prod(&factors);
            let scalar = |element| Tensor { elements: vec![element], dims: vec![1] };
            sum = Some(match sum {
                None => product,
                Some(sum) => self.pairwise(&scalar(sum), &scalar(product)).elements[0],
            });
        }
        sum.ok_or_else(|| "an einsum over nothing".into())
    }

    /// Both sides folded with random linear combinations along the output's axes.
    fn random_combinations(&mut self, equation: &Equation) {
        let combine = |region: &mut Self, length: usize, axis: usize| {
            for _ in 0..length / axis.max(1) {
                region.accumulate_einsum(axis, Fr::ZERO);
            }
        };
        let mut length = equation.length(&equation.output);
        for letter in equation.output.iter().rev() {
            let axis = equation.sizes[letter];
            combine(self, length, axis);
            length /= axis.max(1);
        }
        self.einsum_cells += 1;

        let mut tensors = equation.inputs.clone();
        let summed = equation.sizes.keys().filter(|letter| !equation.output.contains(letter));
        for letter in equation.output.iter().chain(summed) {
            while tensors.iter().any(|letters| letters.contains(letter)) {
                let with = tensors.iter().filter(|letters| letters.contains(letter));
                let with: Vec<Vec<char>> = with.cloned().collect();
                let mut union: Vec<char> = with.iter().flatten().copied().collect();
                union.sort_unstable();
                union.dedup();
                let axis = equation.sizes[letter];
                let rest: Vec<char> = union.iter().copied().filter(|l| l != letter).collect();
                let result = match (equation.output.contains(letter), with.len()) {
                    (true, 1) => {
                        combine(self, equation.length(&union), axis);
                        rest
                    }
                    (true, _) => {
                        self.flush_einsum();
                        self.einsum_cells += equation.length(&union);
                        union
                    }
                    (false, count) => {
                        for _ in 0..equation.length(&rest) {
                            for _ in 2..count {
                                self.flush_einsum();
                                self.einsum_cells += axis;
                            }
                            if count == 2 || axis > 1 {
                                self.accumulate_einsum(axis, Fr::ZERO);
                            }
                        }
                        rest
                    }
                };
                tensors.retain(|letters| !with.contains(letters));
                tensors.push(result);
            }
        }
        self.accumulate_einsum(tensors.len(), Fr::ONE);
    }
}

/// The part of an operand at the given positions of some letters.
fn part(tensor: &Tensor, letters: &[char], at: &BTreeMap<char, usize>) -> Result<Tensor, String> {
    if letters.is_empty() {
        return Ok(tensor.clone());
    }
    let range = |(letter, dim): (&char, &usize)| -> Range<usize> {
        at.get(letter).map_or(0..*dim, |position| *position..position + 1)
    };
    let ranges: Vec<_> = letters.iter().zip(&tensor.dims).map(range).collect();
    tensor.slice(&ranges)
}
