//! Sums of products over indices, with base operations (spec 03 §5.5).

use super::Pairwise;
use crate::LayoutError;
use crate::layouter::Layouter;
use crate::tensor::{Element, Tensor, coordinates};
use std::collections::BTreeMap;
use std::ops::Range;

/// An equation such as `mk,nk->mn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Equation {
    pub inputs: Vec<Vec<char>>,
    pub output: Vec<char>,
}

impl Equation {
    pub fn parse(text: &str) -> Result<Self, LayoutError> {
        let (inputs, output) = text
            .split_once("->")
            .ok_or_else(|| LayoutError::Operands(format!("the einsum {text} has no output")))?;
        let letters = |term: &str| term.trim().chars().collect::<Vec<char>>();
        Ok(Self { inputs: inputs.split(',').map(letters).collect(), output: letters(output) })
    }

    /// Length of each letter's axis.
    pub fn sizes(&self, tensors: &[Tensor]) -> Result<BTreeMap<char, usize>, LayoutError> {
        let fail = || {
            let shapes: Vec<_> = tensors.iter().map(|tensor| &tensor.dims).collect();
            LayoutError::Operands(format!("shapes {shapes:?} do not fit the einsum {self:?}"))
        };
        if tensors.len() != self.inputs.len() {
            return Err(fail());
        }
        let mut sizes = BTreeMap::new();
        for (letters, tensor) in self.inputs.iter().zip(tensors) {
            if letters.len() != tensor.dims.len() {
                return Err(fail());
            }
            for (letter, dim) in letters.iter().zip(&tensor.dims) {
                if *sizes.entry(*letter).or_insert(*dim) != *dim {
                    return Err(fail());
                }
            }
        }
        for letter in &self.output {
            sizes.entry(*letter).or_insert(1);
        }
        Ok(sizes)
    }

    /// Every occurrence of a letter that occurred before, in order.
    fn common(&self) -> Vec<char> {
        let mut seen = Vec::new();
        let mut common = Vec::new();
        for letter in self.inputs.iter().flatten() {
            match seen.contains(letter) {
                true => common.push(*letter),
                false => seen.push(*letter),
            }
        }
        common
    }
}

/// The part of an operand at the given positions of some letters.
fn slice(
    tensor: &Tensor,
    letters: &[char],
    positions: &BTreeMap<char, usize>,
) -> Result<Tensor, LayoutError> {
    let range = |(letter, dim): (&char, &usize)| -> Range<usize> {
        positions.get(letter).map_or(0..*dim, |position| *position..position + 1)
    };
    let ranges: Vec<_> = letters.iter().zip(&tensor.dims).map(range).collect();
    tensor.slice(&ranges)
}

impl Layouter {
    /// The einsum of the operands.
    pub fn einsum(&mut self, equation: &str, tensors: &[Tensor]) -> Result<Tensor, LayoutError> {
        let equation = Equation::parse(equation)?;
        let sizes = equation.sizes(tensors)?;
        let mut dims: Vec<usize> = equation.output.iter().map(|letter| sizes[letter]).collect();
        let common = equation.common();
        let others = sizes.iter().filter(|(letter, _)| !common.contains(letter));
        let others: usize = others
            .map(|(letter, size)| if equation.output.contains(letter) { 1 } else { *size })
            .product();
        let as_dots = others == 1 && tensors.len() == 2;
        // The letters that are summed over in a repeated way; a letter in three operands would be
        // counted twice.
        let summed = |letter: &&char| !equation.output.contains(letter) && sizes[*letter] > 1;
        let repeated: Vec<&char> = common.iter().filter(summed).collect();
        let twice = (1..repeated.len()).any(|i| repeated[..i].contains(&repeated[i]));
        if !as_dots && twice {
            let text = format!("the einsum {equation:?} sums over an index of three operands");
            return Err(LayoutError::Operands(text));
        }

        self.flush();
        let mut elements = Vec::with_capacity(dims.iter().product());
        for coordinate in coordinates(&dims) {
            let positions: BTreeMap<char, usize> =
                equation.output.iter().copied().zip(coordinate).collect();
            let slices = equation.inputs.iter().zip(tensors);
            let slices = slices.map(|(letters, tensor)| slice(tensor, letters, &positions));
            let slices = slices.collect::<Result<Vec<_>, _>>()?;
            elements.push(match &slices[..] {
                [left, right] if as_dots => self.dot(&left.elements, &right.elements)?,
                _ => self.sum_of_products(&equation, &common, &sizes, &slices)?,
            });
        }
        if dims.is_empty() {
            dims.push(1);
        }
        Tensor::new(elements, &dims)
    }

    fn sum_of_products(
        &mut self,
        equation: &Equation,
        common: &[char],
        sizes: &BTreeMap<char, usize>,
        slices: &[Tensor],
    ) -> Result<Element, LayoutError> {
        let ranges: Vec<usize> = common
            .iter()
            .map(|letter| if equation.output.contains(letter) { 1 } else { sizes[letter] })
            .collect();
        let mut sum: Option<Tensor> = None;
        for assignment in coordinates(&ranges) {
            let positions: BTreeMap<char, usize> = common.iter().copied().zip(assignment).collect();
            let parts = equation.inputs.iter().zip(slices);
            let parts = parts.map(|(letters, tensor)| slice(tensor, letters, &positions));
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            let counts: Vec<usize> = parts.iter().map(Tensor::len).collect();
            for tuple in coordinates(&counts) {
                let factors = parts.iter().zip(tuple).map(|(part, i)| part.elements[i]);
                let factors: Vec<Element> = factors.collect();
                let product = Tensor::flat(vec![self.prod(&factors)?]);
                sum = Some(match sum {
                    None => product,
                    Some(sum) => self.pairwise(&sum, &product, Pairwise::Add)?,
                });
            }
        }
        let sum = sum.and_then(|sum| sum.elements.first().copied());
        sum.ok_or_else(|| LayoutError::Operands("an einsum over nothing".into()))
    }
}
