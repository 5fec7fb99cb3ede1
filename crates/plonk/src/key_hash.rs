//! The scalar that stands for a verifying key in the transcript (spec 01 §4.5): a hash of a text
//! that spells out the domain, the constraint system and the commitments, with the spaces and
//! commas of Rust's one-line debug output.

use crate::column::{Column, ColumnKind};
use crate::compiled::CompiledSystem;
use crate::expression::{Expression, scalar_text};
use ff::{Field, FromUniformBytes, PrimeField};
use std::fmt::{self, Display, Formatter};
use twain_algebra::{Fq, Fr, G1Affine};

/// The representative of a key with these parts.
pub(crate) fn representative(
    system: &CompiledSystem,
    fixed_commitments: &[G1Affine],
    permutation_commitments: &[G1Affine],
) -> Fr {
    hash(&pinned_text(system, fixed_commitments, permutation_commitments))
}

fn hash(text: &str) -> Fr {
    let mut state =
        blake2b_simd::Params::new().hash_length(64).personal(b"Halo2-Verify-Key").to_state();
    state.update(&(text.len() as u64).to_le_bytes());
    state.update(text.as_bytes());
    Fr::from_uniform_bytes(state.finalize().as_array())
}

fn pinned_text(
    system: &CompiledSystem,
    fixed_commitments: &[G1Affine],
    permutation_commitments: &[G1Affine],
) -> String {
    let columns = &system.columns;
    // Without compression the selectors are gone; with it their number still shows.
    let selectors = if system.is_compressed() { columns.selectors().len() } else { 0 };
    let challenges = if columns.challenges().is_empty() {
        String::new()
    } else {
        let advice = List(columns.advice_phases(), |phase, f| write!(f, "Phase({phase})"));
        let phases = List(columns.challenges(), |c, f| write!(f, "Phase({})", c.phase));
        format!(
            "num_challenges: {}, advice_column_phase: {advice}, challenge_phase: {phases}, ",
            columns.challenges().len()
        )
    };
    let lookups = List(system.lookups(), |lookup, f| {
        let (table, inputs) = (List(&lookup.table, expression), List(&lookup.inputs, tuple));
        write!(f, "Argument {{ table_expressions: {table}, inputs_expressions: {inputs} }}")
    });
    let map: Vec<_> = columns.lookups().iter().collect();
    let map = map.iter().map(|(key, lookup)| {
        let (table, inputs) = (List(&lookup.table, expression), List(&lookup.inputs, tuple));
        format!("{key:?}: LookupTracker {{ table: {table}, inputs: {inputs} }}")
    });
    let map: Vec<String> = map.collect();
    format!(
        "PinnedVerificationKey {{ base_modulus: \"{}\", scalar_modulus: \"{}\", \
         domain: PinnedEvaluationDomain {{ k: {}, extended_k: {}, omega: {} }}, \
         cs: PinnedConstraintSystem {{ num_fixed_columns: {}, num_advice_columns: {}, \
         num_instance_columns: {}, num_selectors: {selectors}, {challenges}\
         gates: {}, advice_queries: {}, instance_queries: {}, fixed_queries: {}, \
         permutation: Argument {{ columns: {} }}, lookups: {lookups}, lookups_map: {{{}}}, \
         constants: {}, minimum_degree: None }}, \
         fixed_commitments: {}, permutation: VerifyingKey {{ commitments: {} }} }}",
        modulus_text::<Fq>(),
        modulus_text::<Fr>(),
        system.k(),
        system.extended_k(),
        scalar_text(&root_of_unity(system.k())),
        system.fixed_columns(),
        columns.advice_phases().len(),
        system.instance_columns(),
        List(system.gates(), expression),
        List(columns.advice_queries(), query),
        List(columns.instance_queries(), query),
        List(columns.fixed_queries(), query),
        List(columns.permutation(), column),
        map.join(", "),
        List(columns.constants(), column),
        List(fixed_commitments, point),
        List(permutation_commitments, point),
    )
}

/// The modulus, as a scalar is printed: one more than the largest element.
fn modulus_text<F: PrimeField>() -> String {
    // All moduli are odd, so adding 1 to the even -1 changes the last digit only.
    let mut text = scalar_text(&-F::ONE);
    let last = text.pop().and_then(|digit| digit.to_digit(16)).unwrap_or(0);
    text.extend(char::from_digit(last + 1, 16));
    text
}

/// The generator of the domain of `2^k` rows.
fn root_of_unity(k: u32) -> Fr {
    Fr::ROOT_OF_UNITY.pow_vartime([1u64 << Fr::S.saturating_sub(k)])
}

/// `[a, b, …]` with the given way to write an item.
struct List<'a, T, W: Fn(&T, &mut Formatter<'_>) -> fmt::Result>(&'a [T], W);

impl<T, W: Fn(&T, &mut Formatter<'_>) -> fmt::Result> Display for List<'_, T, W> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, item) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            self.1(item, f)?;
        }
        f.write_str("]")
    }
}

fn column(column: &Column, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "Column {{ index: {}, column_type: ", column.index)?;
    match column.kind {
        ColumnKind::Advice { phase: 0 } => f.write_str("Advice")?,
        ColumnKind::Advice { phase } => write!(f, "Advice {{ phase: Phase({phase}) }}")?,
        ColumnKind::Fixed => f.write_str("Fixed")?,
        ColumnKind::Instance => f.write_str("Instance")?,
    }
    f.write_str(" }")
}

fn query((of, rotation): &(Column, i32), f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str("(")?;
    column(of, f)?;
    write!(f, ", Rotation({rotation}))")
}

fn point(point: &G1Affine, f: &mut Formatter<'_>) -> fmt::Result {
    if bool::from(point.x.is_zero() & point.y.is_zero()) {
        return f.write_str("Infinity");
    }
    write!(f, "({}, {})", scalar_text(&point.x), scalar_text(&point.y))
}

#[allow(clippy::ptr_arg)] // the items of a list of tuples
fn tuple(tuple: &Vec<Expression>, f: &mut Formatter<'_>) -> fmt::Result {
    List(tuple, expression).fmt(f)
}

fn expression(e: &Expression, f: &mut Formatter<'_>) -> fmt::Result {
    let two = |f: &mut Formatter<'_>, name: &str, a: &Expression, b: &Expression| {
        write!(f, "{name}(")?;
        expression(a, f)?;
        f.write_str(", ")?;
        expression(b, f)?;
        f.write_str(")")
    };
    match e {
        Expression::Constant(value) => write!(f, "Constant({})", scalar_text(value)),
        Expression::Selector(s) => write!(f, "Selector(Selector({}, {}))", s.index, s.simple),
        Expression::Query(query) => {
            let (kind, phase) = match query.column.kind {
                ColumnKind::Advice { phase } => ("Advice", phase),
                ColumnKind::Fixed => ("Fixed", 0),
                ColumnKind::Instance => ("Instance", 0),
            };
            let (index, column, rotation) = (query.query_index, query.column.index, query.rotation);
            write!(f, "{kind} {{ query_index: {index}, column_index: {column}, ")?;
            write!(f, "rotation: Rotation({rotation})")?;
            if phase > 0 {
                write!(f, ", phase: Phase({phase})")?;
            }
            f.write_str(" }")
        }
        Expression::Challenge(c) => {
            write!(f, "Challenge(Challenge {{ index: {}, phase: Phase({}) }})", c.index, c.phase)
        }
        Expression::Negated(a) => {
            f.write_str("Negated(")?;
            expression(a, f)?;
            f.write_str(")")
        }
        Expression::Sum(a, b) => two(f, "Sum", a, b),
        Expression::Product(a, b) => two(f, "Product", a, b),
        Expression::Scaled(a, factor) => {
            f.write_str("Scaled(")?;
            expression(a, f)?;
            write!(f, ", {})", scalar_text(factor))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConstraintSystem;

    #[test]
    fn known_hash() {
        let expected = "0x1bd1f3f9b781b006d4656f17a9fde9655f921a4e1be19b0f1198814672eec020";
        assert_eq!(scalar_text(&hash("abc")), expected);
    }

    #[test]
    fn text_of_a_system_with_phases_and_without_compression() {
        let mut configured = ConstraintSystem::new();
        let first = configured.advice_column(0);
        let second = configured.advice_column(1);
        let challenge = configured.challenge(0);
        let selector = configured.selector();
        let (first, second) = (configured.query(first, 0), configured.query(second, -1));
        let product = Expression::from(challenge) * first * Fr::from(2);
        configured.gate("g", vec![Expression::from(selector) * (second - product)]);
        let (system, _) = CompiledSystem::new(configured, 4, &[], false).unwrap();
        let text = pinned_text(&system, &[], &[]);
        let expected = format!(
            "num_fixed_columns: 1, num_advice_columns: 2, num_instance_columns: 0, num_selectors: 0, \
             num_challenges: 1, advice_column_phase: [Phase(0), Phase(1)], challenge_phase: [Phase(0)], \
             gates: [Product(Fixed {{ query_index: 0, column_index: 0, rotation: Rotation(0) }}, \
             Sum(Advice {{ query_index: 1, column_index: 1, rotation: Rotation(-1), phase: Phase(1) }}, \
             Negated(Scaled(Product(Challenge(Challenge {{ index: 0, phase: Phase(0) }}), \
             Advice {{ query_index: 0, column_index: 0, rotation: Rotation(0) }}), {}))))], \
             advice_queries: [(Column {{ index: 0, column_type: Advice }}, Rotation(0)), \
             (Column {{ index: 1, column_type: Advice {{ phase: Phase(1) }} }}, Rotation(-1))], \
             instance_queries: [], \
             fixed_queries: [(Column {{ index: 0, column_type: Fixed }}, Rotation(0))], \
             permutation: Argument {{ columns: [] }}, lookups: [], lookups_map: {{}}, constants: [], \
             minimum_degree: None }}, fixed_commitments: [], \
             permutation: VerifyingKey {{ commitments: [] }} }}",
            scalar_text(&Fr::from(2)),
        );
        assert!(text.ends_with(&expected), "{text}");
    }
}
