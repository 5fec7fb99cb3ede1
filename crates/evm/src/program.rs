//! The verifier's arithmetic as a straight-line program: scalars computed from scalars by sums,
//! differences and products, without branches. One contract has it as code, the other reads it.
//!
//! Building it simplifies: equal values are computed once, and operations on constants not at all.

use ff::{Field, PrimeField};
use std::collections::HashMap;
use twain_algebra::Fr;
use twain_plonk::{Evaluator, Polynomial};

/// A value that the contract has before the program runs, or computes between its two halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// A challenge, in the order they are squeezed.
    Challenge(usize),
    /// An evaluation, in the order of the proof.
    Evaluation(usize),
    /// The instance column at `x`.
    Instance,
    /// `x^n`.
    Power,
    /// `1 / (x^n - 1)`.
    VanishingInverse,
    /// The Lagrange polynomial of the first row at `x`.
    FirstRow,
    /// That of the row after the usable ones.
    LastRow,
    /// The sum of those of the usable rows.
    ActiveRows,
    /// The inverse of the first half's result.
    Inverse,
}

/// A value of the program.
pub type Value = usize;

/// How a value comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is there.
    Input(Input),
    /// The same for every proof, as the bytes of its canonical form (hashable).
    Constant([u8; 32]),
    /// `a + b`.
    Sum(Value, Value),
    /// `a - b`.
    Difference(Value, Value),
    /// `a b`.
    Product(Value, Value),
}

/// The values, each after those it is computed from.
#[derive(Debug, Default)]
pub struct Program {
    operations: Vec<Operation>,
    known: HashMap<Operation, Value>,
    /// What stands in constraints for a challenge, or for a multiple of one.
    stand_ins: HashMap<[u8; 32], Value>,
    /// Values of polynomials that are no evaluations of the proof.
    polynomials: HashMap<(Polynomial, i32), Value>,
    /// The first polynomial that a constraint asks for and nothing gives.
    missing: Option<(Polynomial, i32)>,
}

fn bytes(value: Fr) -> [u8; 32] {
    value.to_repr().into()
}

impl Program {
    /// The operation behind a value.
    pub fn operation(&self, value: Value) -> Operation {
        self.operations[value]
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// The polynomial that a constraint asked for and that has no value, if there was one.
    pub fn missing(&self) -> Option<(Polynomial, i32)> {
        self.missing
    }

    /// Lets `value` be that of a polynomial in constraints.
    pub fn name_polynomial(&mut self, polynomial: Polynomial, rotation: i32, value: Value) {
        self.polynomials.insert((polynomial, rotation), value);
    }

    /// The value of a polynomial, if it was named.
    pub fn named(&self, polynomial: Polynomial, rotation: i32) -> Option<Value> {
        self.polynomials.get(&(polynomial, rotation)).copied()
    }

    /// Lets `value` be meant where a constraint has the constant `stand_in`.
    pub fn name_stand_in(&mut self, stand_in: Fr, value: Value) {
        self.stand_ins.insert(bytes(stand_in), value);
    }

    /// An input.
    pub fn input(&mut self, input: Input) -> Value {
        self.push(Operation::Input(input))
    }

    /// A constant.
    pub fn number(&mut self, value: Fr) -> Value {
        self.push(Operation::Constant(bytes(value)))
    }

    /// The constant behind a value, if it is one.
    pub fn as_number(&self, value: Value) -> Option<Fr> {
        match self.operations[value] {
            Operation::Constant(bytes) => Option::from(Fr::from_repr(bytes.into())),
            _ => None,
        }
    }

    /// `a + b`.
    pub fn add(&mut self, a: Value, b: Value) -> Value {
        match (self.as_number(a), self.as_number(b)) {
            (Some(a), Some(b)) => self.number(a + b),
            (Some(zero), None) if zero == Fr::ZERO => b,
            (None, Some(zero)) if zero == Fr::ZERO => a,
            _ => self.push(Operation::Sum(a.min(b), a.max(b))),
        }
    }

    /// `a - b`.
    pub fn sub(&mut self, a: Value, b: Value) -> Value {
        match (self.as_number(a), self.as_number(b)) {
            (Some(a), Some(b)) => self.number(a - b),
            (None, Some(b)) => {
                let minus_b = self.number(-b);
                self.add(a, minus_b)
            }
            _ if a == b => self.number(Fr::ZERO),
            _ => self.push(Operation::Difference(a, b)),
        }
    }

    /// `a b`.
    pub fn mul(&mut self, a: Value, b: Value) -> Value {
        match (self.as_number(a), self.as_number(b)) {
            (Some(a), Some(b)) => self.number(a * b),
            (Some(zero), _) | (_, Some(zero)) if zero == Fr::ZERO => self.number(Fr::ZERO),
            (Some(one), None) if one == Fr::ONE => b,
            (None, Some(one)) if one == Fr::ONE => a,
            _ => self.push(Operation::Product(a.min(b), a.max(b))),
        }
    }

    /// `sum_j values_j factor^j`.
    pub fn horner(&mut self, values: &[Value], factor: Value) -> Value {
        let Some((last, others)) = values.split_last() else {
            return self.number(Fr::ZERO);
        };
        others.iter().rev().fold(*last, |sum, value| {
            let sum = self.mul(sum, factor);
            self.add(sum, *value)
        })
    }

    /// The product of values.
    pub fn product_of(&mut self, values: &[Value]) -> Value {
        let one = self.number(Fr::ONE);
        values.iter().fold(one, |product, value| self.mul(product, *value))
    }

    fn push(&mut self, operation: Operation) -> Value {
        let next = self.operations.len();
        let value = *self.known.entry(operation).or_insert(next);
        if value == next {
            self.operations.push(operation);
        }
        value
    }

    /// Which values `results` are computed from, themselves included.
    pub fn needed(&self, results: &[Value]) -> Vec<bool> {
        let mut needed = vec![false; self.len()];
        results.iter().for_each(|result| needed[*result] = true);
        for value in (0..self.len()).rev() {
            if needed[value] {
                self.operands(value).for_each(|operand| needed[operand] = true);
            }
        }
        needed
    }

    /// What a value is computed from.
    pub fn operands(&self, value: Value) -> impl Iterator<Item = Value> + use<> {
        let (a, b) = match self.operations[value] {
            Operation::Sum(a, b) | Operation::Difference(a, b) | Operation::Product(a, b) => {
                (Some(a), Some(b))
            }
            Operation::Input(_) | Operation::Constant(_) => (None, None),
        };
        a.into_iter().chain(b)
    }
}

/// The constraints are stated over numbers: each challenge has a stand-in there, a constant that no
/// circuit has, and where it comes up the challenge is meant.
impl Evaluator for Program {
    type Value = Value;

    fn constant(&mut self, value: Fr) -> Value {
        match self.stand_ins.get(&bytes(value)) {
            Some(meant) => *meant,
            None => self.number(value),
        }
    }

    fn polynomial(&mut self, polynomial: Polynomial, rotation: i32) -> Value {
        match self.named(polynomial, rotation) {
            Some(value) => value,
            None => {
                self.missing = self.missing.or(Some((polynomial, rotation)));
                self.number(Fr::ZERO)
            }
        }
    }

    fn sum(&mut self, a: Value, b: Value) -> Value {
        self.add(a, b)
    }

    fn difference(&mut self, a: Value, b: Value) -> Value {
        self.sub(a, b)
    }

    fn product(&mut self, a: Value, b: Value) -> Value {
        self.mul(a, b)
    }

    fn scaled(&mut self, a: Value, factor: Fr) -> Value {
        if factor == -Fr::ONE {
            let zero = self.number(Fr::ZERO);
            return self.sub(zero, a);
        }
        let factor = self.constant(factor);
        self.mul(a, factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_computed_once_and_constants_folded() {
        let mut program = Program::default();
        let a = program.input(Input::Evaluation(0));
        let b = program.input(Input::Evaluation(1));
        let (one, zero) = (program.number(Fr::ONE), program.number(Fr::ZERO));
        assert_eq!(program.mul(a, b), program.mul(b, a));
        assert_eq!(program.add(zero, a), a);
        assert_eq!(program.mul(one, b), b);
        assert_eq!(program.mul(zero, b), zero);
        assert_eq!(program.sub(a, a), zero);
        let five = program.number(Fr::from(5));
        let six = program.add(five, one);
        assert_eq!(program.as_number(six), Some(Fr::from(6)));
        // 5 + 6 a + b a^2
        let value = program.horner(&[five, six, b], a);
        let needed = program.needed(&[value]);
        assert!(needed[a] && needed[b] && needed[five] && !needed[one]);
    }

    #[test]
    fn stand_ins_mean_challenges() {
        let mut program = Program::default();
        let beta = program.input(Input::Challenge(0));
        program.name_stand_in(Fr::from(77), beta);
        assert_eq!(program.constant(Fr::from(77)), beta);
        let a = program.input(Input::Evaluation(0));
        let product = program.mul(a, beta);
        assert_eq!(program.scaled(a, Fr::from(77)), product);
        assert_eq!(program.polynomial(Polynomial::Random, 0), program.number(Fr::ZERO));
        assert_eq!(program.missing(), Some((Polynomial::Random, 0)));
    }
}
