//! Which cells the argument multiplies with each other (protocol §11): those of two columns whose
//! product a gate has, and of two columns of one chunk of the permutation (spec 01 §5.5), in the
//! same row; and which stand in tables of witness values. Input: a constraint system and what
//! stands in the cells; output: pairs of values.

use crate::program::Wire;
use std::collections::BTreeSet;
use twain_plonk::{ColumnKind, ConstraintSystem, Expression};

/// The values of all such pairs of cells, but where rows differ.
pub(crate) fn multiplied<'c>(
    cs: &ConstraintSystem,
    cells: &'c [Vec<Wire>],
) -> impl Iterator<Item = (Wire, Wire)> + use<'c> {
    let mut pairs = BTreeSet::new();
    for polynomial in cs.gates().iter().flat_map(|gate| &gate.polynomials) {
        products(polynomial, &mut pairs);
    }
    for chunk in cs.permutation().chunks(cs.degree().saturating_sub(2).max(1)) {
        let advice = chunk.iter().filter(|column| is_advice(column.kind));
        let advice: Vec<u32> = advice.map(|column| column.index).collect();
        for (i, left) in advice.iter().enumerate() {
            pairs.extend(advice[i + 1..].iter().map(|right| (*left, *right)));
        }
    }
    let column = move |index: u32| cells.get(index as usize).map_or(&[][..], Vec::as_slice);
    let both = move |(left, right): (u32, u32)| column(left).iter().zip(column(right));
    pairs.into_iter().flat_map(both).map(|(left, right)| (*left, *right))
}

/// The values in columns that tables of witness values, and what is looked up in them, take. What
/// is inverted of such a tuple follows from its wires (protocol §4), also of one that one side
/// owns: it stands beside cells of others.
pub(crate) fn in_witness_tables<'c>(
    cs: &ConstraintSystem,
    cells: &'c [Vec<Wire>],
) -> impl Iterator<Item = Wire> + use<'c> {
    let columns = |tuple: &Vec<Expression>| -> BTreeSet<u32> {
        tuple.iter().flat_map(|component| products(component, &mut BTreeSet::new())).collect()
    };
    let lookups = cs.lookup_arguments();
    let dynamic = lookups.iter().filter(|lookup| !columns(&lookup.table).is_empty());
    let all: BTreeSet<u32> = dynamic
        .flat_map(|lookup| lookup.inputs.iter().chain([&lookup.table]))
        .flat_map(columns)
        .collect();
    let column = move |index: u32| cells.get(index as usize).map_or(&[][..], Vec::as_slice);
    all.into_iter().flat_map(column).copied()
}

fn is_advice(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Advice { .. })
}

/// Adds the advice columns that an expression multiplies; returns those it queries.
fn products(expression: &Expression, pairs: &mut BTreeSet<(u32, u32)>) -> BTreeSet<u32> {
    match expression {
        Expression::Query(query) if is_advice(query.column.kind) => {
            BTreeSet::from([query.column.index])
        }
        Expression::Query(_)
        | Expression::Constant(_)
        | Expression::Challenge(_)
        | Expression::Selector(_) => BTreeSet::new(),
        Expression::Negated(a) | Expression::Scaled(a, _) => products(a, pairs),
        Expression::Sum(a, b) => &products(a, pairs) | &products(b, pairs),
        Expression::Product(a, b) => {
            let (a, b) = (products(a, pairs), products(b, pairs));
            for left in &a {
                pairs.extend(b.iter().map(|right| (*left.min(right), *left.max(right))));
            }
            &a | &b
        }
    }
}
