//! Polynomials of a constraint system, multiplied out. Input: an expression; output: its monomials,
//! each a coefficient, factors that the circuit fixes, and cells of the witness.

use ff::Field;
use std::collections::BTreeMap;
use twain_algebra::Fr;
use twain_party::PartyError;
use twain_plonk::{Assembly, ColumnKind, Expression};

/// A factor that the circuit fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum FixedFactor {
    Selector(u32),
    Cell(u32, i32),
}

/// An advice column, and rows from the current one.
pub(super) type AdviceFactor = (u32, i32);

/// A product.
#[derive(Clone, Debug)]
pub(super) struct Monomial {
    coefficient: Fr,
    fixed: Vec<FixedFactor>,
    /// Cells of the witness.
    pub advice: Vec<AdviceFactor>,
}

impl Monomial {
    /// What the cells are multiplied with in a row; 0 where a selector is off.
    pub fn coefficient(&self, assembly: &Assembly, row: usize) -> Fr {
        let mut coefficient = self.coefficient;
        for factor in &self.fixed {
            match *factor {
                FixedFactor::Selector(index) => {
                    let selector = assembly.selectors.get(index as usize);
                    if !selector.is_some_and(|rows| rows.get(row)) {
                        return Fr::ZERO;
                    }
                }
                FixedFactor::Cell(column, rotation) => {
                    let column = assembly.fixed.get(column as usize);
                    let value =
                        column.and_then(|column| column.get(at(row, rotation, column.len())));
                    match value {
                        Some(value) if *value != Fr::ZERO => coefficient *= value,
                        _ => return Fr::ZERO,
                    }
                }
            }
        }
        coefficient
    }
}

/// The row that is `rotation` from this one; the last is before the first.
pub(super) fn at(row: usize, rotation: i32, rows: usize) -> usize {
    (row as i64 + i64::from(rotation)).rem_euclid(rows.max(1) as i64) as usize
}

type Factors = (Vec<FixedFactor>, Vec<AdviceFactor>);

/// Multiplies an expression out.
///
/// # Errors
/// It has a challenge of a second phase, or a cell of an instance column.
pub(super) fn monomials(expression: &Expression) -> Result<Vec<Monomial>, PartyError> {
    let sum = expanded(expression)?.into_iter();
    let sum = sum.filter(|(_, coefficient)| *coefficient != Fr::ZERO);
    Ok(sum.map(|((fixed, advice), coefficient)| Monomial { coefficient, fixed, advice }).collect())
}

fn expanded(expression: &Expression) -> Result<BTreeMap<Factors, Fr>, PartyError> {
    let single = |factors: Factors| Ok(BTreeMap::from([(factors, Fr::ONE)]));
    match expression {
        Expression::Constant(value) => Ok(BTreeMap::from([(Factors::default(), *value)])),
        Expression::Selector(selector) => {
            single((vec![FixedFactor::Selector(selector.index)], Vec::new()))
        }
        Expression::Query(query) => match query.column.kind {
            ColumnKind::Fixed => {
                single((vec![FixedFactor::Cell(query.column.index, query.rotation)], Vec::new()))
            }
            ColumnKind::Advice { .. } => {
                single((Vec::new(), vec![(query.column.index, query.rotation)]))
            }
            ColumnKind::Instance => Err(not_covered("a gate on public values")),
        },
        Expression::Challenge(_) => Err(not_covered("a gate of a second phase")),
        Expression::Negated(a) => Ok(scaled(expanded(a)?, -Fr::ONE)),
        Expression::Scaled(a, factor) => Ok(scaled(expanded(a)?, *factor)),
        Expression::Sum(a, b) => {
            let mut sum = expanded(a)?;
            for (factors, coefficient) in expanded(b)? {
                *sum.entry(factors).or_default() += coefficient;
            }
            Ok(sum)
        }
        Expression::Product(a, b) => {
            let (a, b) = (expanded(a)?, expanded(b)?);
            let mut product = BTreeMap::<Factors, Fr>::new();
            for ((a_fixed, a_advice), a) in &a {
                for ((b_fixed, b_advice), b) in &b {
                    let mut fixed = [&a_fixed[..], b_fixed].concat();
                    let mut advice = [&a_advice[..], b_advice].concat();
                    fixed.sort_unstable();
                    // A selector is 0 or 1.
                    fixed.dedup_by(|a, b| a == b && matches!(a, FixedFactor::Selector(_)));
                    advice.sort_unstable();
                    *product.entry((fixed, advice)).or_default() += a * b;
                }
            }
            Ok(product)
        }
    }
}

fn scaled(mut sum: BTreeMap<Factors, Fr>, factor: Fr) -> BTreeMap<Factors, Fr> {
    sum.values_mut().for_each(|coefficient| *coefficient *= factor);
    sum
}

/// Why a circuit's statement is not one that is tested.
pub(super) fn not_covered(what: &str) -> PartyError {
    PartyError::Unsupported(format!("{what} cannot be tested against a peer that cheats yet"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use twain_plonk::{ConstraintSystem, Selector};

    /// `s·(x - c·(y + 2)·y)` has three monomials, and a selector's square is the selector.
    #[test]
    fn products_are_multiplied_out() {
        let mut cs = ConstraintSystem::new();
        let (x, y, c) = (cs.advice_column(0), cs.advice_column(0), cs.fixed_column());
        let s: Selector = cs.selector();
        let [x, y, c] = [cs.query(x, 0), cs.query(y, -1), cs.query(c, 0)];
        let two = Expression::from(Fr::from(2));
        let inner = x - c * (y.clone() + two) * y;
        let s = Expression::from(s);
        let found = monomials(&(s.clone() * (s * inner))).unwrap();
        let advice: Vec<_> = found.iter().map(|monomial| monomial.advice.clone()).collect();
        assert_eq!(found.len(), 3);
        for factors in [vec![(0, 0)], vec![(1, -1)], vec![(1, -1), (1, -1)]] {
            assert!(advice.contains(&factors), "{advice:?}");
        }
        let assembly = Assembly {
            k: 3,
            fixed: vec![vec![Fr::from(5); 8]],
            selectors: vec![{
                let mut rows = twain_plonk::BitRows::new(8);
                rows.set(6);
                rows
            }],
            copies: Vec::new(),
        };
        for monomial in &found {
            assert_eq!(monomial.coefficient(&assembly, 5), Fr::ZERO);
            let expected = match monomial.advice.len() {
                2 => -Fr::from(5),
                _ if monomial.advice == [(0, 0)] => Fr::ONE,
                _ => -Fr::from(10),
            };
            assert_eq!(monomial.coefficient(&assembly, 6), expected);
        }
        assert_eq!((at(0, -1, 8), at(7, 1, 8), at(3, 2, 8)), (7, 0, 5));
    }
}
