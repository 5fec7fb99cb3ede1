//! Sums of products over indices, with base operations (spec 03 §5.5).

use super::Pairwise;
use crate::LayoutError;
use crate::einsum::{Equation, Sizes};
use crate::layouter::Layouter;
use crate::tensor::{Element, Tensor, coordinates};
use std::collections::BTreeMap;
use std::ops::Range;

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
        // A single value stands for an operand without letters (such as the first of `,n->mn`).
        let scalars = equation.inputs.iter().zip(tensors).map(|(letters, tensor)| {
            match letters.is_empty() && tensor.len() == 1 {
                true => tensor.clone().reshape(&[]),
                false => Ok(tensor.clone()),
            }
        });
        let tensors = &scalars.collect::<Result<Vec<Tensor>, _>>()?;
        let sizes = equation.sizes(tensors)?;
        let Some(columns) = self.columns.einsum.clone() else {
            return self.direct_einsum(&equation, &sizes, tensors);
        };
        let output: Vec<usize> = equation.output.iter().map(|letter| sizes[letter]).collect();
        let (equation, sizes) = equation.sanitised(sizes);
        let mut squeezed = Vec::with_capacity(tensors.len());
        for (letters, tensor) in equation.inputs.iter().zip(tensors) {
            let dims: Vec<usize> = letters.iter().map(|letter| sizes[letter]).collect();
            squeezed.push(tensor.clone().reshape(&dims)?);
        }
        let result = match equation.is_reduced(&sizes) {
            true => self.freivalds(&columns, &equation, &sizes, squeezed)?,
            // The cells of the result are dropped.
            false => self.direct_einsum(&equation, &sizes, &squeezed)?,
        };
        let dims = if output.is_empty() { vec![1] } else { output };
        Tensor::new(result.wires().map(Element::unplaced).collect(), &dims)
    }

    /// The einsum with base operations.
    fn direct_einsum(
        &mut self,
        equation: &Equation,
        sizes: &Sizes,
        tensors: &[Tensor],
    ) -> Result<Tensor, LayoutError> {
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
        let mut elements = Vec::with_capacity(self.capacity.elements(&dims)?);
        for coordinate in coordinates(&dims) {
            let positions: BTreeMap<char, usize> =
                equation.output.iter().copied().zip(coordinate).collect();
            let slices = equation.inputs.iter().zip(tensors);
            let slices = slices.map(|(letters, tensor)| slice(tensor, letters, &positions));
            let slices = slices.collect::<Result<Vec<_>, _>>()?;
            elements.push(match &slices[..] {
                [left, right] if as_dots => self.dot(&left.elements, &right.elements)?,
                _ => self.sum_of_products(equation, &common, sizes, &slices)?,
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
        sizes: &Sizes,
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
