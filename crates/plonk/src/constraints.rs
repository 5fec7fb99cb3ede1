//! All constraints of the argument in the order in which `y` folds them (spec 01 §5.7), stated
//! once: an [`Evaluator`] says what values are. The verifier's are scalars, the prover's are nodes
//! of the quotient's numerator.

use crate::column::{Column, ColumnKind};
use crate::compiled::CompiledSystem;
use crate::expression::Expression;
use crate::polynomial::Polynomial;
use ff::{Field, PrimeField};
use twain_algebra::Fr;

/// Where constraints are evaluated.
pub trait Evaluator {
    /// A value.
    type Value: Clone;
    /// A constant.
    fn constant(&mut self, value: Fr) -> Self::Value;
    /// A polynomial, `rotation` rows from the current one.
    fn polynomial(&mut self, polynomial: Polynomial, rotation: i32) -> Self::Value;
    /// A sum.
    fn sum(&mut self, a: Self::Value, b: Self::Value) -> Self::Value;
    /// A difference.
    fn difference(&mut self, a: Self::Value, b: Self::Value) -> Self::Value;
    /// A product.
    fn product(&mut self, a: Self::Value, b: Self::Value) -> Self::Value;
    /// A product with a constant.
    fn scaled(&mut self, a: Self::Value, factor: Fr) -> Self::Value;
}

/// The challenges known when the quotient is computed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenges {
    /// Challenges of the circuit, by index.
    pub circuit: Vec<Fr>,
    /// Compresses the tuples of lookups.
    pub theta: Fr,
    /// Shifts looked-up values; scales positions in the permutation.
    pub beta: Fr,
    /// Shifts the permutation's factors.
    pub gamma: Fr,
    /// Folds the constraints.
    pub y: Fr,
}

/// A constraint: a polynomial that vanishes on all rows. `z` are the permutation's grand products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// A gate polynomial, by position.
    Gate(u32),
    /// The first `z` starts at 1.
    PermutationStart,
    /// The last `z` ends at 0 or 1.
    PermutationEnd,
    /// The `z` of this chunk (not the first) starts where the one before ends.
    PermutationLink(u32),
    /// The `z` of this chunk multiplies up the chunk's factors.
    PermutationStep(u32),
    /// The grand sum of this lookup argument starts at 0.
    LookupStart(u32),
    /// The grand sum of this lookup argument ends at 0.
    LookupEnd(u32),
    /// The grand sum of this lookup argument adds up inputs and multiplicities.
    LookupStep(u32),
}

/// The constraints in order; the first one gets the highest power of `y`.
pub fn constraints(system: &CompiledSystem) -> Vec<Constraint> {
    let mut list: Vec<_> = (0..system.gates().len() as u32).map(Constraint::Gate).collect();
    let chunks = system.permutation_chunks().len() as u32;
    if chunks > 0 {
        list.extend([Constraint::PermutationStart, Constraint::PermutationEnd]);
        list.extend((1..chunks).map(Constraint::PermutationLink));
        list.extend((0..chunks).map(Constraint::PermutationStep));
    }
    for i in 0..system.lookups().len() as u32 {
        let three = [Constraint::LookupStart, Constraint::LookupEnd, Constraint::LookupStep];
        list.extend(three.map(|constraint| constraint(i)));
    }
    list
}

impl From<Column> for Polynomial {
    fn from(column: Column) -> Self {
        match column.kind {
            ColumnKind::Advice { .. } => Polynomial::Advice(column.index),
            ColumnKind::Fixed => Polynomial::Fixed(column.index),
            ColumnKind::Instance => Polynomial::Instance(column.index),
        }
    }
}

impl Expression {
    /// The expression's value; `challenges` are the circuit's (0 for one not known yet).
    pub fn evaluate<E: Evaluator>(&self, challenges: &[Fr], at: &mut E) -> E::Value {
        match self {
            Expression::Constant(value) => at.constant(*value),
            Expression::Selector(s) => at.polynomial(Polynomial::Selector(s.index), 0),
            Expression::Query(query) => at.polynomial(query.column.into(), query.rotation),
            Expression::Challenge(c) => {
                at.constant(challenges.get(c.index as usize).copied().unwrap_or(Fr::ZERO))
            }
            Expression::Negated(a) => {
                let a = a.evaluate(challenges, at);
                at.scaled(a, -Fr::ONE)
            }
            Expression::Sum(a, b) => {
                let a = a.evaluate(challenges, at);
                match &**b {
                    Expression::Negated(b) => {
                        let b = b.evaluate(challenges, at);
                        at.difference(a, b)
                    }
                    b => {
                        let b = b.evaluate(challenges, at);
                        at.sum(a, b)
                    }
                }
            }
            Expression::Product(a, b) => {
                let a = a.evaluate(challenges, at);
                let b = b.evaluate(challenges, at);
                at.product(a, b)
            }
            Expression::Scaled(a, factor) => {
                let a = a.evaluate(challenges, at);
                at.scaled(a, *factor)
            }
        }
    }
}

/// A tuple compressed to one value: Horner's rule in `theta`, the last element has weight 1.
pub fn compress<E: Evaluator>(
    tuple: &[Expression],
    challenges: &Challenges,
    at: &mut E,
) -> E::Value {
    let mut values =
        tuple.iter().map(|e| e.evaluate(&challenges.circuit, at)).collect::<Vec<_>>().into_iter();
    let first = values.next().unwrap_or_else(|| at.constant(Fr::ZERO));
    values.fold(first, |sum, value| {
        let sum = at.scaled(sum, challenges.theta);
        at.sum(sum, value)
    })
}

impl Constraint {
    /// The constraint's value, which is 0 on all rows of a satisfied circuit.
    pub fn evaluate<E: Evaluator>(
        self,
        system: &CompiledSystem,
        challenges: &Challenges,
        at: &mut E,
    ) -> E::Value {
        let last_chunk = (system.permutation_chunks().len() as u32).saturating_sub(1);
        let z = Polynomial::PermutationProduct;
        let phi = Polynomial::LookupSum;
        match self {
            Constraint::Gate(i) => match system.gates().get(i as usize) {
                Some(gate) => gate.evaluate(&challenges.circuit, at),
                None => at.constant(Fr::ZERO),
            },
            Constraint::PermutationStart => {
                let (one, start) = (at.constant(Fr::ONE), at.polynomial(z(0), 0));
                let difference = at.difference(one, start);
                on(Polynomial::FirstRow, difference, at)
            }
            Constraint::PermutationEnd => {
                let end = at.polynomial(z(last_chunk), 0);
                let square = at.product(end.clone(), end.clone());
                let difference = at.difference(square, end);
                on(Polynomial::LastRow, difference, at)
            }
            Constraint::PermutationLink(i) => {
                let start = at.polynomial(z(i), 0);
                let end = at.polynomial(z(i.saturating_sub(1)), system.last_rotation());
                let difference = at.difference(start, end);
                on(Polynomial::FirstRow, difference, at)
            }
            Constraint::PermutationStep(i) => permutation_step(i, system, challenges, at),
            Constraint::LookupStart(i) => {
                let sum = at.polynomial(phi(i), 0);
                on(Polynomial::FirstRow, sum, at)
            }
            Constraint::LookupEnd(i) => {
                let sum = at.polynomial(phi(i), 0);
                on(Polynomial::LastRow, sum, at)
            }
            Constraint::LookupStep(i) => lookup_step(i, system, challenges, at),
        }
    }
}

/// A value where `rows` is 1, and 0 where it is 0.
fn on<E: Evaluator>(rows: Polynomial, value: E::Value, at: &mut E) -> E::Value {
    let rows = at.polynomial(rows, 0);
    at.product(rows, value)
}

/// `l_active (z(wX) prod_j (v_j + beta s_j + gamma) - z(X) prod_j (v_j + beta delta^j X + gamma))`.
fn permutation_step<E: Evaluator>(
    chunk: u32,
    system: &CompiledSystem,
    challenges: &Challenges,
    at: &mut E,
) -> E::Value {
    let columns = system.permutation_chunks().nth(chunk as usize).unwrap_or(&[]);
    let first = u64::from(chunk) * (system.degree() as u64 - 2);
    let mut left = at.polynomial(Polynomial::PermutationProduct(chunk), 1);
    let mut right = at.polynomial(Polynomial::PermutationProduct(chunk), 0);
    for (position, column) in (first..).zip(columns) {
        let value = at.polynomial((*column).into(), 0);
        let gamma = at.constant(challenges.gamma);
        let shifted = at.sum(value, gamma);
        let sigma = at.polynomial(Polynomial::Sigma(position as u32), 0);
        let sigma = at.scaled(sigma, challenges.beta);
        let factor = at.sum(shifted.clone(), sigma);
        left = at.product(left, factor);
        let identity = at.polynomial(Polynomial::Identity, 0);
        let identity = at.scaled(identity, challenges.beta * Fr::DELTA.pow_vartime([position]));
        let factor = at.sum(shifted, identity);
        right = at.product(right, factor);
    }
    let difference = at.difference(left, right);
    on(Polynomial::ActiveRows, difference, at)
}

/// `l_active (t prod F (phi(wX) - phi(X)) - (t sum_i prod_(j != i) F_j - m prod F))`, all inputs
/// `F` and the table `t` compressed and shifted by `beta`.
fn lookup_step<E: Evaluator>(
    argument: u32,
    system: &CompiledSystem,
    challenges: &Challenges,
    at: &mut E,
) -> E::Value {
    let Some(lookup) = system.lookups().get(argument as usize) else {
        return at.constant(Fr::ZERO);
    };
    let shifted = |tuple: &[Expression], at: &mut E| {
        let value = compress(tuple, challenges, at);
        let beta = at.constant(challenges.beta);
        at.sum(value, beta)
    };
    let table = shifted(&lookup.table, at);
    // After each input: the product of all so far, and the sum of the products that leave one out
    // (nothing instead of 1 after the first).
    let mut so_far: Option<(E::Value, Option<E::Value>)> = None;
    for input in &lookup.inputs {
        let factor = shifted(input, at);
        so_far = Some(match so_far {
            None => (factor, None),
            Some((product, without_one)) => {
                let without_older = match without_one {
                    Some(sum) => at.product(sum, factor.clone()),
                    None => factor.clone(),
                };
                let without_one = at.sum(without_older, product.clone());
                (at.product(product, factor), Some(without_one))
            }
        });
    }
    let one = at.constant(Fr::ONE);
    let (product, without_one) = so_far.unwrap_or_else(|| (one.clone(), None));
    let without_one = without_one.unwrap_or(one);
    let next = at.polynomial(Polynomial::LookupSum(argument), 1);
    let here = at.polynomial(Polynomial::LookupSum(argument), 0);
    let step = at.difference(next, here);
    let multiplicity = at.polynomial(Polynomial::Multiplicity(argument), 0);
    let left = at.product(table.clone(), step);
    let left = at.sum(left, multiplicity);
    let left = at.product(product, left);
    let right = at.product(table, without_one);
    let difference = at.difference(left, right);
    on(Polynomial::ActiveRows, difference, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConstraintSystem;

    /// Every polynomial has a value that is a function of its name and rotation.
    struct Named;

    impl Evaluator for Named {
        type Value = Fr;
        fn constant(&mut self, value: Fr) -> Fr {
            value
        }
        fn polynomial(&mut self, polynomial: Polynomial, rotation: i32) -> Fr {
            let name = format!("{polynomial:?} {rotation}");
            name.bytes().fold(Fr::ONE, |sum, byte| sum * Fr::from(257) + Fr::from(u64::from(byte)))
        }
        fn sum(&mut self, a: Fr, b: Fr) -> Fr {
            a + b
        }
        fn difference(&mut self, a: Fr, b: Fr) -> Fr {
            a - b
        }
        fn product(&mut self, a: Fr, b: Fr) -> Fr {
            a * b
        }
        fn scaled(&mut self, a: Fr, factor: Fr) -> Fr {
            a * factor
        }
    }

    /// Against the fractions the lookup constraint stands for, with one to three inputs of two
    /// elements.
    #[test]
    fn several_inputs_share_a_grand_sum() {
        for inputs in 1..=3 {
            let mut system = ConstraintSystem::new();
            let table = [system.fixed_column(), system.fixed_column()];
            let challenge = system.challenge(0);
            let advice: Vec<_> = (0..2 * inputs).map(|_| system.advice_column(0)).collect();
            for pair in advice.chunks(2) {
                let scaled = Expression::from(challenge) * system.query(pair[0], 0);
                let plain = -system.query(pair[1], -1);
                system.lookup("pair", vec![(scaled, table[0]), (plain, table[1])]);
            }
            // A gate that makes room for all inputs in one argument.
            let high = (0..7).map(|_| system.query(advice[0], 0)).reduce(|a, b| a * b).unwrap();
            system.gate("high", vec![high]);
            let (system, _) = CompiledSystem::new(system, 4, &[], true).unwrap();
            assert_eq!(system.lookups().len(), 1);

            let at = &mut Named;
            let circuit = vec![Fr::from(29)];
            let challenges = Challenges {
                circuit,
                theta: Fr::from(31),
                beta: Fr::from(37),
                ..Default::default()
            };
            let shifted = |a: Fr, b: Fr| a * challenges.theta + b + challenges.beta;
            let factors: Vec<Fr> = (0..inputs as u32)
                .map(|i| {
                    let a = at.polynomial(Polynomial::Advice(2 * i), 0) * challenges.circuit[0];
                    shifted(a, -at.polynomial(Polynomial::Advice(2 * i + 1), -1))
                })
                .collect();
            let table = [0, 1].map(|i| at.polynomial(Polynomial::Fixed(i), 0));
            let table = shifted(table[0], table[1]);
            let step = at.polynomial(Polynomial::LookupSum(0), 1)
                - at.polynomial(Polynomial::LookupSum(0), 0);
            let fractions: Fr = factors.iter().map(|f| f.invert().unwrap()).sum();
            let used = at.polynomial(Polynomial::Multiplicity(0), 0) * table.invert().unwrap();
            let expected = at.polynomial(Polynomial::ActiveRows, 0)
                * table
                * factors.iter().product::<Fr>()
                * (step - fractions + used);
            let found = Constraint::LookupStep(0).evaluate(&system, &challenges, at);
            assert_eq!(found, expected, "{inputs} inputs");
        }
    }
}
