//! A constraint system as prover and verifier see it: selectors have become fixed columns
//! (spec 01 §3.6), lookups are packed into arguments (§3.7), degree and blinding are settled.

use crate::assembly::BitRows;
use crate::column::{Challenge, Column, Selector};
use crate::constraint_system::ConstraintSystem;
use crate::error::KeyError;
use crate::expression::Expression;
use crate::lookup::LookupArgument;
use ff::Field;
use twain_algebra::Fr;

/// The two-adicity of the scalar field: no domain is larger than `2^28`.
pub const TWO_ADICITY: u32 = twain_algebra::domain::MAX_K;

/// A constraint system without selectors, for `2^k` rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledSystem {
    /// As configured, plus the selectors' fixed columns and their queries.
    pub(crate) columns: ConstraintSystem,
    gates: Vec<Expression>,
    lookups: Vec<LookupArgument>,
    degree: usize,
    extended_k: u32,
    k: u32,
    blinding_factors: usize,
    compressed: bool,
}

/// A fixed column made of selectors that are never on together: which value each gives its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorColumn {
    members: Vec<usize>,
}

impl SelectorColumn {
    /// The column's `rows` values: `m` where its `m`-th member (from 1) is on, 0 elsewhere.
    pub fn values(&self, selectors: &[BitRows], rows: usize) -> Vec<Fr> {
        let mut values = vec![Fr::ZERO; rows];
        for (position, &member) in self.members.iter().enumerate() {
            let value = Fr::from(position as u64 + 1);
            let active = selectors.get(member).into_iter().flat_map(BitRows::iter);
            active.for_each(|row| {
                if let Some(cell) = values.get_mut(row) {
                    *cell = value;
                }
            });
        }
        values
    }
}

impl CompiledSystem {
    /// Replaces selectors by fixed columns, shared where `compress`, and packs the lookups.
    /// `selectors` are the rows where each is on; without compression they are not looked at.
    pub fn new(
        configured: ConstraintSystem,
        k: u32,
        selectors: &[BitRows],
        compress: bool,
    ) -> Result<(Self, Vec<SelectorColumn>), KeyError> {
        let (degree, blinding_factors) = (configured.degree(), configured.blinding_factors());
        let extended_k = configured.extended_k(k);
        if extended_k > TWO_ADICITY {
            return Err(KeyError::TooLarge { k, degree });
        }
        if 1usize << k < blinding_factors + 3 {
            return Err(KeyError::TooFewRows { k, needed: blinding_factors + 3 });
        }
        let groups = if compress {
            if selectors.len() != configured.selectors.len() {
                let (expected, found) = (configured.selectors.len(), selectors.len());
                return Err(KeyError::SelectorCount { expected, found });
            }
            let expected = (1usize << k).div_ceil(8);
            let lengths = selectors.iter().map(|rows| rows.as_bytes().len()).enumerate();
            if let Some((index, found)) = lengths.into_iter().find(|(_, found)| *found != expected)
            {
                return Err(KeyError::SelectorLength { index, expected, found });
            }
            group_selectors(&configured, selectors, degree)
        } else {
            (0..configured.selectors.len()).map(|i| vec![i]).collect()
        };
        let mut columns = configured;
        let mut replacements = vec![Expression::Constant(Fr::ZERO); columns.selectors.len()];
        for group in &groups {
            let column = columns.fixed_column();
            let query = columns.query(column, 0);
            for (position, &member) in group.iter().enumerate() {
                replacements[member] = member_expression(&query, position as u64 + 1, group.len());
            }
        }
        let replace = |s: Selector| replacements[s.index as usize].clone();
        let replaced = |e: &Expression| e.replace_selectors(&replace);
        let gates = columns.gates.iter().flat_map(|gate| &gate.polynomials).map(replaced).collect();
        let mut lookups = columns.lookup_arguments();
        for argument in &mut lookups {
            for expression in argument.inputs.iter_mut().flatten().chain(&mut argument.table) {
                *expression = replaced(expression);
            }
        }
        let system = Self {
            columns,
            gates,
            lookups,
            degree,
            extended_k,
            k,
            blinding_factors,
            compressed: compress,
        };
        Ok((system, groups.into_iter().map(|members| SelectorColumn { members }).collect()))
    }

    /// log2 of the number of rows.
    pub fn k(&self) -> u32 {
        self.k
    }

    /// Number of rows `n`.
    pub fn rows(&self) -> usize {
        1 << self.k
    }

    /// log2 of the size of the extended domain, on which the quotient's numerator fits.
    pub fn extended_k(&self) -> u32 {
        self.extended_k
    }

    /// Number `u` of rows a circuit may use; row `u` is the last one.
    pub fn usable_rows(&self) -> usize {
        self.rows() - self.blinding_factors - 1
    }

    /// Number `b` of blinding rows after the last one.
    pub fn blinding_factors(&self) -> usize {
        self.blinding_factors
    }

    /// The rotation from row 0 to the last row, `-(b + 1)`.
    pub fn last_rotation(&self) -> i32 {
        -(self.blinding_factors as i32 + 1)
    }

    /// Degree `D` of the system.
    pub fn degree(&self) -> usize {
        self.degree
    }

    /// Number of pieces of the quotient, `D - 1`.
    pub fn quotient_pieces(&self) -> usize {
        self.degree - 1
    }

    /// Whether selectors share columns.
    pub fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Polynomials of all gates, flat.
    pub fn gates(&self) -> &[Expression] {
        &self.gates
    }

    /// The lookup arguments.
    pub fn lookups(&self) -> &[LookupArgument] {
        &self.lookups
    }

    /// Columns of the permutation argument.
    pub fn permutation(&self) -> &[Column] {
        &self.columns.permutation
    }

    /// The permutation columns in chunks of `D - 2`, each with a grand product of its own.
    pub fn permutation_chunks(&self) -> std::slice::Chunks<'_, Column> {
        self.columns.permutation.chunks(self.degree - 2)
    }

    /// Phase of each advice column.
    pub fn advice_phases(&self) -> &[u8] {
        &self.columns.advice_phases
    }

    /// Number of phases: one more than the last phase of a column or challenge.
    pub fn phases(&self) -> u8 {
        let challenges = self.columns.challenges.iter().map(|c| c.phase);
        let last = self.columns.advice_phases.iter().copied().chain(challenges).max();
        last.unwrap_or(0).saturating_add(1)
    }

    /// Whether the advice column holds 1 instead of random values from row `u` on.
    pub fn is_unblinded(&self, advice_column: u32) -> bool {
        self.columns.is_unblinded(advice_column)
    }

    /// Number of fixed columns, those of selectors included.
    pub fn fixed_columns(&self) -> usize {
        self.columns.fixed_columns()
    }

    /// Number of instance columns.
    pub fn instance_columns(&self) -> usize {
        self.columns.instance_columns()
    }

    /// Challenges of the circuit.
    pub fn challenges(&self) -> &[Challenge] {
        &self.columns.challenges
    }

    /// Advice queries in order.
    pub fn advice_queries(&self) -> &[(Column, i32)] {
        self.columns.advice_queries()
    }

    /// Fixed queries in order.
    pub fn fixed_queries(&self) -> &[(Column, i32)] {
        self.columns.fixed_queries()
    }

    /// Instance queries in order.
    pub fn instance_queries(&self) -> &[(Column, i32)] {
        self.columns.instance_queries()
    }
}

/// Sorts the selectors into groups that share a fixed column: those of no simple use alone and
/// first, then greedily, disjoint ones while the replaced gates stay within `degree`.
fn group_selectors(system: &ConstraintSystem, rows: &[BitRows], degree: usize) -> Vec<Vec<usize>> {
    let mut degrees = vec![0usize; system.selectors.len()];
    for polynomial in system.gates.iter().flat_map(|gate| &gate.polynomials) {
        let polynomial_degree = polynomial.degree();
        polynomial.for_each_leaf(&mut |leaf| {
            if let Expression::Selector(Selector { index, simple: true }) = leaf {
                let degree = &mut degrees[*index as usize];
                *degree = polynomial_degree.max(*degree);
            }
        });
    }
    let (alone, mut open): (Vec<usize>, Vec<usize>) =
        (0..degrees.len()).partition(|&i| degrees[i] == 0);
    let mut groups: Vec<Vec<usize>> = alone.into_iter().map(|i| vec![i]).collect();
    while let Some((&founder, others)) = open.split_first() {
        let mut group = vec![founder];
        let mut active = rows[founder].clone();
        let mut highest = degrees[founder];
        let mut left = Vec::new();
        for &candidate in others {
            let highest_with = highest.max(degrees[candidate]);
            let fits = group.len() + 1 + highest_with - 1 <= degree;
            if fits && !active.intersects(&rows[candidate]) {
                group.push(candidate);
                active.union_with(&rows[candidate]);
                highest = highest_with;
            } else {
                left.push(candidate);
            }
        }
        groups.push(group);
        open = left;
    }
    groups
}

/// What is non-zero exactly where the column holds `value`, for a column of values `0..=size`.
fn member_expression(column: &Expression, value: u64, size: usize) -> Expression {
    let others = (1..=size as u64).filter(|&other| other != value);
    others.fold(column.clone(), |product, other| {
        product * (Expression::Constant(Fr::from(other)) - column.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Simple selectors 0..4 in gates of degree 3 (degree of the system 5 by the lookup), on in the
    /// given rows.
    fn groups(on: &[&[usize]]) -> Vec<Vec<usize>> {
        let mut system = ConstraintSystem::new();
        let advice = system.advice_column(0);
        let table = system.fixed_column();
        let complex = system.complex_selector();
        let cell = system.query(advice, 0);
        system.lookup("range", vec![(Expression::from(complex) * cell.clone(), table)]);
        let mut rows = vec![BitRows::new(16)];
        for active in on {
            let selector = Expression::from(system.selector());
            system.gate("square", vec![selector * (cell.clone() * cell.clone())]);
            let mut bits = BitRows::new(16);
            active.iter().for_each(|&row| bits.set(row));
            rows.push(bits);
        }
        let (compiled, columns) = CompiledSystem::new(system, 4, &rows, true).unwrap();
        assert_eq!(compiled.degree(), 5);
        assert!(compiled.gates().iter().all(|gate| gate.degree() <= 5));
        columns.into_iter().map(|column| column.members).collect()
    }

    #[test]
    fn selectors_that_meet_or_exceed_the_degree_stay_apart() {
        assert_eq!(groups(&[&[1], &[2], &[3], &[4]]), [vec![0], vec![1, 2, 3], vec![4]]);
        assert_eq!(groups(&[&[1], &[1, 2], &[3], &[]]), [vec![0], vec![1, 3, 4], vec![2]]);
    }

    #[test]
    fn selector_column_values() {
        let mut rows = vec![BitRows::new(8), BitRows::new(8)];
        rows[0].set(2);
        rows[1].set(5);
        let values = SelectorColumn { members: vec![1, 0] }.values(&rows, 8);
        assert_eq!(values, [0, 0, 2, 0, 0, 1, 0, 0].map(Fr::from));
    }

    #[test]
    fn sizes_are_checked() {
        let mut system = ConstraintSystem::new();
        system.selector();
        let error = |k, selectors: &[BitRows]| {
            CompiledSystem::new(system.clone(), k, selectors, true).unwrap_err()
        };
        assert!(matches!(error(28, &[]), KeyError::TooLarge { .. }));
        assert!(matches!(error(2, &[]), KeyError::TooFewRows { .. }));
        assert!(matches!(error(4, &[]), KeyError::SelectorCount { .. }));
        let long = error(4, &[BitRows::new(17)]);
        assert_eq!(long, KeyError::SelectorLength { index: 0, expected: 2, found: 3 });
    }
}
