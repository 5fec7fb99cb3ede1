//! The quotient on plain values (spec 01 §5.7), on as many cosets of size `n` as it has pieces.
//!
//! On the coset `g·H` the polynomial `X^n` is the constant `c = g^n`. So the quotient's values there
//! are the numerator's divided by `c - 1`, and the inverse transform gives the residue
//! `sum_e c^e·h_e` of its pieces `h_e` (counts §4.1). As many cosets as pieces determine the
//! pieces: the inverse of the Vandermonde matrix of the `c`s recombines them, coset by coset, so no
//! vector is longer than `n`.

use super::program::{Column, Instruction, Operation, Program, Source};
use crate::{
    KnownPolynomial, Numerator, PartyError, SecretPolynomial, Shares, Watched, coset_shifts,
    recombination,
};
use ff::Field;
use rayon::prelude::*;
use twain_algebra::{Domain, Fr, kernels, vector};

/// Points evaluated together: a register of the program is 16 KiB.
const BLOCK: usize = 512;

/// See [`crate::ProverParty::finish_quotient`].
pub(super) fn quotient(
    numerator: &Numerator,
    publics: &[KnownPolynomial<'_>],
    secrets: &[SecretPolynomial<'_>],
    pieces: usize,
    watched: &Watched,
) -> Result<Vec<Shares>, PartyError> {
    let domain = Domain::new(numerator.k).map_err(|error| unsupported(error.to_string()))?;
    let n = domain.n();
    let coefficients = |column| match column {
        Column::Public(index) => publics.get(index as usize).map(|p| p.coefficients),
        Column::Secret(index) => secrets.get(index as usize).map(|s| s.coefficients),
        Column::Identity => Some(&[][..]),
    };
    let known = |column| match column {
        Column::Public(index) => publics.get(index as usize).map_or(&[][..], |p| p.cosets),
        _ => &[],
    };
    let is_zero = |column| {
        column != Column::Identity
            && coefficients(column).is_some_and(|c| c.iter().all(|value| *value == Fr::ZERO))
    };
    let program = Program::compile(numerator, is_zero)?;
    for column in &program.columns {
        let length = coefficients(*column).map(<[Fr]>::len);
        let short = known(*column).iter().any(|values| values.len() != n);
        if *column != Column::Identity && (length != Some(n) || short) {
            return Err(unsupported("a polynomial of the numerator is missing or short".into()));
        }
    }

    let shifts = coset_shifts(numerator.k, pieces)?;
    let constants: Vec<Fr> = shifts.iter().map(|s| s.pow_vartime([n as u64])).collect();
    let recombination = recombination(&constants)?;
    // Room for many columns takes its time, too.
    let zeros = |_| watched.check().map(|()| Shares::zero(n));
    let mut result = (0..pieces).map(zeros).collect::<Result<Vec<Shares>, _>>()?;
    let columns = (0..program.columns.len()).map(zeros);
    let mut columns = columns.collect::<Result<Vec<Shares>, _>>()?;
    let mut values = Shares::zero(n);
    for (coset, shift) in shifts.iter().enumerate() {
        for (column, name) in columns.iter_mut().zip(&program.columns) {
            watched.check()?;
            if let Some(values) = known(*name).get(coset) {
                column.copy_from_slice(values);
            } else if let Some(coefficients) = coefficients(*name).filter(|c| c.len() == n) {
                column.copy_from_slice(coefficients);
                domain.coset_ntt_in_place(column, *shift);
            } else {
                column.copy_from_slice(&vector::powers(domain.omega(), n));
                vector::scale(column, *shift);
            }
        }
        watched.check()?;
        evaluate(&program, &columns, &mut values, watched)?;
        domain.coset_intt(&mut values, *shift).map_err(|error| unsupported(error.to_string()))?;
        for (piece, row) in result.iter_mut().zip(&recombination) {
            vector::add_scaled(piece, &values, row[coset]);
        }
    }
    Ok(result)
}

fn unsupported(text: String) -> PartyError {
    PartyError::Unsupported(text)
}

/// Runs the program on all points, block by block.
fn evaluate(
    program: &Program,
    columns: &[Shares],
    values: &mut [Fr],
    watched: &Watched,
) -> Result<(), PartyError> {
    let n = values.len();
    let block = BLOCK.min(n);
    let workspace = || Workspace {
        registers: (0..program.registers).map(|_| Shares::zero(block)).collect(),
        wrapped: [Shares::zero(block), Shares::zero(block)],
    };
    let blocks = values.par_chunks_mut(block).enumerate();
    blocks.try_for_each_init(workspace, |space, (index, output)| {
        watched.check()?;
        let start = index * block;
        for instruction in &program.instructions {
            space.run(instruction, columns, start);
        }
        let Workspace { registers, wrapped: [wrapped, _] } = space;
        match operand(program.result, registers, columns, start, wrapped) {
            Operand::Constant(constant) => output.fill(constant),
            Operand::Values(result) => output.copy_from_slice(result),
        }
        Ok(())
    })
}

/// What one thread needs to run the program on a block.
struct Workspace {
    registers: Vec<Shares>,
    /// Copies of operands whose rotation wraps around within the block.
    wrapped: [Shares; 2],
}

enum Operand<'a> {
    Constant(Fr),
    Values(&'a [Fr]),
}

/// The values of `source` for the block of points from `start`.
fn operand<'a>(
    source: Source,
    registers: &'a [Shares],
    columns: &'a [Shares],
    start: usize,
    wrapped: &'a mut Shares,
) -> Operand<'a> {
    match source {
        Source::Constant(constant) => Operand::Constant(constant),
        Source::Register(register) => Operand::Values(&registers[register as usize]),
        Source::Column(column, rotation) => {
            let column = &columns[column as usize];
            let (n, block) = (column.len(), wrapped.len());
            let first = (start as i64 + i64::from(rotation)).rem_euclid(n as i64) as usize;
            if first + block <= n {
                return Operand::Values(&column[first..first + block]);
            }
            let (head, tail) = wrapped.split_at_mut(n - first);
            head.copy_from_slice(&column[first..]);
            tail.copy_from_slice(&column[..tail.len()]);
            Operand::Values(wrapped)
        }
    }
}

impl Workspace {
    fn run(&mut self, instruction: &Instruction, columns: &[Shares], start: usize) {
        let Instruction { operation, left, right, destination } = *instruction;
        let mut output = std::mem::take(&mut self.registers[destination as usize]);
        let Workspace { registers, wrapped: [wrapped_left, wrapped_right] } = self;
        let left = operand(left, registers, columns, start, wrapped_left);
        let right = operand(right, registers, columns, start, wrapped_right);
        apply(operation, left, right, &mut output);
        self.registers[destination as usize] = output;
    }
}

fn apply(operation: Operation, left: Operand<'_>, right: Operand<'_>, output: &mut [Fr]) {
    match (operation, left, right) {
        (Operation::Multiply, Operand::Values(a), Operand::Values(b)) => {
            kernels::mul(output, a, b);
        }
        (Operation::Multiply, Operand::Values(a), Operand::Constant(c))
        | (Operation::Multiply, Operand::Constant(c), Operand::Values(a)) => {
            output.copy_from_slice(a);
            kernels::scale(output, c);
        }
        (Operation::Add, Operand::Values(a), Operand::Values(b)) => {
            kernels::add(output, a, b);
        }
        (Operation::Subtract, Operand::Values(a), Operand::Values(b)) => {
            kernels::sub(output, a, b);
        }
        (Operation::Add, Operand::Values(a), Operand::Constant(c))
        | (Operation::Add, Operand::Constant(c), Operand::Values(a)) => {
            output.iter_mut().zip(a).for_each(|(o, a)| *o = *a + c);
        }
        (Operation::Subtract, Operand::Values(a), Operand::Constant(c)) => {
            output.iter_mut().zip(a).for_each(|(o, a)| *o = *a - c);
        }
        (Operation::Subtract, Operand::Constant(c), Operand::Values(a)) => {
            output.iter_mut().zip(a).for_each(|(o, a)| *o = c - *a);
        }
        // The compiler folds constants; this is for completeness.
        (operation, Operand::Constant(a), Operand::Constant(b)) => output.fill(match operation {
            Operation::Add => a + b,
            Operation::Subtract => a - b,
            Operation::Multiply => a * b,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CellKinds, Kind, Node, PublicPolynomial};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    /// `x·X·a(ωX)·b - p·(a + 3 - b(X/ω))`, less the polynomial with the same values on the rows.
    fn numerator(k: u32) -> Numerator {
        let public = |index| PublicPolynomial::Given(index);
        let nodes = vec![
            Node::Public(PublicPolynomial::Identity, 0),
            Node::Secret(0, 1),
            Node::Secret(1, 0),
            Node::Product(0, 1),
            Node::Public(public(0), 0),
            Node::Secret(0, 0),
            Node::Constant(Fr::from(3)),
            Node::Sum(5, 6),
            Node::Secret(1, -1),
            Node::Difference(7, 8),
            Node::InnerProduct {
                terms: vec![(Fr::ONE, 3, 2), (-Fr::ONE, 4, 9)],
                vanishes_on_active_rows: false,
            },
            Node::Public(public(1), 0),
            Node::Public(public(2), 0),
            Node::Product(12, 10),
            Node::Scaled(11, -Fr::ONE),
            Node::Sum(10, 14),
            Node::Sum(15, 13),
        ];
        Numerator { nodes, k, usable_rows: 0 }
    }

    #[test]
    fn the_quotient_times_the_divisor_is_the_numerator() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        // Shorter and longer than a block.
        for k in [3, 11] {
            let domain = Domain::new(k).unwrap();
            let n = domain.n();
            let mut random = || (0..n).map(|_| Fr::random(&mut rng)).collect::<Vec<_>>();
            let (a, b, p) = (random(), random(), random());
            let values = |polynomial: &[Fr]| {
                let mut values = polynomial.to_vec();
                domain.ntt(&mut values);
                values
            };
            let value = |a0: Fr, a1: Fr, b0: Fr, b1: Fr, p: Fr, x: Fr| {
                x * a1 * b0 - p * (a0 + Fr::from(3) - b1)
            };
            let (on_a, on_b, on_p) = (values(&a), values(&b), values(&p));
            let roots = vector::powers(domain.omega(), n);
            let mut rows: Vec<Fr> = (0..n)
                .map(|i| {
                    let (next, before) = ((i + 1) % n, (i + n - 1) % n);
                    value(on_a[i], on_a[next], on_b[i], on_b[before], on_p[i], roots[i])
                })
                .collect();
            domain.intt(&mut rows);
            let zero = vec![Fr::ZERO; n];
            let kinds = CellKinds::Uniform(Kind::Shared);
            let secrets = [&a, &b].map(|coefficients| SecretPolynomial {
                coefficients,
                kinds: &kinds,
                wires: &[],
            });
            let mut publics = [&p, &rows, &zero]
                .map(|coefficients| KnownPolynomial { coefficients, cosets: &[] });
            let pieces =
                quotient(&numerator(k), &publics, &secrets, 3, &Watched::default()).unwrap();
            let shifts = coset_shifts(k, 3).unwrap();
            let cosets =
                shifts.iter().map(|shift| domain.coset_ntt(&p, *shift)).collect::<Vec<_>>();
            publics[0].cosets = &cosets;
            let again =
                quotient(&numerator(k), &publics, &secrets, 3, &Watched::default()).unwrap();
            assert!(pieces.iter().zip(&again).all(|(a, b)| a[..] == b[..]), "k = {k}");
            let x = Fr::from(987_654_321);
            let at = |polynomial: &[Fr], rotation| {
                vector::eval_polynomial(polynomial, domain.rotate(x, rotation))
            };
            let expected =
                value(at(&a, 0), at(&a, 1), at(&b, 0), at(&b, -1), at(&p, 0), x) - at(&rows, 0);
            let power = x.pow_vartime([n as u64]);
            let quotient = pieces.iter().rev().fold(Fr::ZERO, |sum, h| sum * power + at(h, 0));
            assert_eq!(quotient * (power - Fr::ONE), expected, "k = {k}");
        }
    }

    #[test]
    fn bad_numerators_are_errors() {
        let kinds = CellKinds::Uniform(Kind::Shared);
        let short = [Fr::ONE; 3];
        let secret = [SecretPolynomial { coefficients: &short, kinds: &kinds, wires: &[] }];
        let run = |nodes: Vec<Node>, k, pieces| {
            quotient(
                &Numerator { nodes, k, usable_rows: 0 },
                &[],
                &secret,
                pieces,
                &Watched::default(),
            )
        };
        for (nodes, k, pieces) in [
            (vec![Node::Secret(0, 0)], 3, 2),
            (vec![Node::Secret(1, 0)], 3, 2),
            (vec![Node::Scaled(0, Fr::ONE)], 3, 2),
            (vec![Node::Constant(Fr::ONE)], 27, 4),
            (vec![Node::Constant(Fr::ONE)], 60, 1),
        ] {
            assert!(matches!(run(nodes, k, pieces), Err(PartyError::Unsupported(_))), "k = {k}");
        }
    }
}
