//! Einsum equations, and how Freivalds' check reduces one to a scalar (spec 03 §7, spec 04 §6.1,
//! §6.4).

use crate::LayoutError;
use crate::tensor::Tensor;
use std::collections::BTreeMap;

/// Length of each letter's axis.
pub(crate) type Sizes = BTreeMap<char, usize>;

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

    /// The sizes its operands have; 1 for a letter of the output only.
    pub fn sizes(&self, tensors: &[Tensor]) -> Result<Sizes, LayoutError> {
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

    /// Without the letters of length 1.
    pub fn sanitised(&self, mut sizes: Sizes) -> (Self, Sizes) {
        sizes.retain(|_, size| *size > 1);
        let keep = |letters: &Vec<char>| -> Vec<char> {
            letters.iter().copied().filter(|letter| sizes.contains_key(letter)).collect()
        };
        let inputs = self.inputs.iter().map(keep).collect();
        (Self { inputs, output: keep(&self.output) }, sizes)
    }

    /// Every occurrence of a letter that occurred before, in order.
    pub fn common(&self) -> Vec<char> {
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

    /// Whether a sanitised equation is checked by Freivalds' method where the circuit has it.
    pub fn is_reduced(&self, sizes: &Sizes) -> bool {
        let common = self.common();
        let others = sizes.keys().filter(|letter| !common.contains(letter)).count();
        !self.output.is_empty() && !common.is_empty() && others > 1
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduction {
    /// A random linear combination along an axis, with the challenge of this number.
    Combine { axis: char, challenge: usize },
    /// The product of all operands, no axis removed.
    Multiply,
    /// The sum along an axis of the product of all operands.
    Contract { axis: char },
}

/// A step: operands by number (inputs first, then results), letters and phase of the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanStep {
    pub reduction: Reduction,
    pub operands: Vec<usize>,
    pub letters: Vec<char>,
    pub phase: usize,
}

/// The steps that reduce all operands to scalars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub steps: Vec<PlanStep>,
}

/// An operand that is not reduced yet.
#[derive(Clone)]
struct Live {
    number: usize,
    letters: Vec<char>,
    phase: usize,
}

impl Plan {
    /// The plan of a sanitised equation.
    pub fn new(equation: &Equation) -> Self {
        let inputs = equation.inputs.iter().cloned().enumerate();
        let mut live: Vec<Live> =
            inputs.map(|(number, letters)| Live { number, letters, phase: 0 }).collect();
        let mut plan = Self { steps: Vec::new() };
        for (challenge, axis) in equation.output.iter().copied().enumerate() {
            while let Some(count) = Some(plan.holding(&live, axis).len()).filter(|count| *count > 0)
            {
                let reduction = match count {
                    1 => Reduction::Combine { axis, challenge },
                    _ => Reduction::Multiply,
                };
                plan.step(&mut live, equation.inputs.len(), axis, reduction);
            }
        }
        let mut rest: Vec<char> = equation.inputs.iter().flatten().copied().collect();
        rest.sort_unstable();
        rest.dedup();
        rest.retain(|letter| !equation.output.contains(letter));
        for axis in rest {
            if !plan.holding(&live, axis).is_empty() {
                plan.step(&mut live, equation.inputs.len(), axis, Reduction::Contract { axis });
            }
        }
        plan
    }

    fn holding(&self, live: &[Live], axis: char) -> Vec<Live> {
        live.iter().filter(|operand| operand.letters.contains(&axis)).cloned().collect()
    }

    fn step(&mut self, live: &mut Vec<Live>, inputs: usize, axis: char, reduction: Reduction) {
        let used = self.holding(live, axis);
        let mut letters: Vec<char> =
            used.iter().flat_map(|operand| operand.letters.iter().copied()).collect();
        letters.sort_unstable();
        letters.dedup();
        if reduction != Reduction::Multiply {
            letters.retain(|letter| *letter != axis);
        }
        let phase = match reduction {
            Reduction::Combine { .. } => 1,
            _ => used.iter().map(|operand| operand.phase).max().unwrap_or(0),
        };
        live.retain(|operand| used.iter().all(|other| other.letters != operand.letters));
        let number = inputs + self.steps.len();
        live.push(Live { number, letters: letters.clone(), phase });
        let operands = used.iter().map(|operand| operand.number).collect();
        self.steps.push(PlanStep { reduction, operands, letters, phase });
    }

    /// The cells that are set aside for an equation; none if that exceeds a machine word.
    pub fn length(&self, equation: &Equation, sizes: &Sizes) -> Option<usize> {
        let size = |letter: &char| sizes.get(letter).copied().unwrap_or(1);
        let product = |letters: &[char]| {
            letters.iter().try_fold(1usize, |product, letter| product.checked_mul(size(letter)))
        };
        let mut length = 0usize;
        for end in 1..=equation.output.len() {
            length = length.checked_add(product(&equation.output[..end])?)?;
        }
        for step in &self.steps {
            let axis = match step.reduction {
                Reduction::Combine { axis, .. } | Reduction::Contract { axis } => size(&axis),
                Reduction::Multiply => 1,
            };
            let chained = if step.operands.len() > 2 { step.operands.len() } else { 1 };
            let cells = product(&step.letters)?.checked_mul(axis)?.checked_mul(chained)?;
            length = length.checked_add(cells)?;
        }
        Some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(sizes: &[(char, usize)]) -> Sizes {
        sizes.iter().copied().collect()
    }

    #[test]
    fn a_matrix_product_is_two_combinations_and_a_dot_product() {
        let equation = Equation::parse("mk,kn->mn").expect("an equation");
        let lengths = sizes(&[('m', 3), ('k', 4), ('n', 5)]);
        assert!(equation.is_reduced(&lengths));
        let plan = Plan::new(&equation);
        let kinds: Vec<_> = plan.steps.iter().map(|step| (step.reduction, step.phase)).collect();
        assert_eq!(
            kinds,
            [
                (Reduction::Combine { axis: 'm', challenge: 0 }, 1),
                (Reduction::Combine { axis: 'n', challenge: 1 }, 1),
                (Reduction::Contract { axis: 'k' }, 1),
            ]
        );
        assert_eq!(plan.steps[2].operands, [2, 3]);
        // Output 3 + 15, reductions 4 * 3, 4 * 5 and 4.
        assert_eq!(plan.length(&equation, &lengths), Some(18 + 12 + 20 + 4));
    }

    #[test]
    fn letters_of_length_one_vanish() {
        let equation = Equation::parse("mk,nk->mn").expect("an equation");
        let (equation, lengths) = equation.sanitised(sizes(&[('m', 1), ('k', 4), ('n', 5)]));
        assert_eq!(equation, Equation::parse("k,nk->n").expect("an equation"));
        assert!(!equation.is_reduced(&lengths));
    }
}
