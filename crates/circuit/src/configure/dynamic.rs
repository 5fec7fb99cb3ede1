//! Tables whose contents are witness values: dynamic lookups and shuffles (spec 03 §1.6).

use super::advice::{advice, variable};
use crate::LayoutError;
use crate::checks::constraint_system_size::{MOST_SELECTORS, product_within};
use crate::columns::{Columns, DynamicSelectors};
use crate::geometry::{Geometry, Variable, block_count};
use ff::Field;
use twain_algebra::Fr;
use twain_graph::Settings;
use twain_plonk::{ConstraintSystem, Expression};

/// The three table variables, if the circuit has dynamic lookups or shuffles.
pub(super) fn columns(
    cs: &mut ConstraintSystem,
    settings: &Settings,
    geometry: &Geometry,
) -> Result<Option<[Variable; 3]>, LayoutError> {
    if !settings.has_dynamic_columns() {
        return Ok(None);
    }
    let lookups = settings.dynamic_lookup_params.total_dynamic_col_size;
    let shuffles = settings.shuffle_params.total_shuffle_col_size;
    let capacity = lookups.checked_add(shuffles).ok_or(LayoutError::TooLarge)?;
    let rows = geometry.usable_rows;
    let blocks = block_count(capacity, rows)?;
    Ok(Some([(); 3].map(|()| variable(cs, blocks, 1, rows, false, 0))))
}

/// Selectors and lookups: those of dynamic lookups first, then those of shuffles.
pub(super) fn configure(
    cs: &mut ConstraintSystem,
    columns: &mut Columns,
    settings: &Settings,
) -> Result<(), LayoutError> {
    let Some(tables) = columns.dynamic else { return Ok(()) };
    product_within(MOST_SELECTORS, &[2, tables[0].blocks, columns.a.columns()])?;
    if settings.dynamic_lookup_params.num_dynamic_lookups > 0 {
        columns.dynamic_lookups = Some(selectors(cs, columns, &tables, "dynamic lookup"));
    }
    if settings.shuffle_params.num_shuffles > 0 {
        columns.shuffles = Some(selectors(cs, columns, &tables, "shuffle"));
    }
    Ok(())
}

fn selectors(
    cs: &mut ConstraintSystem,
    columns: &Columns,
    tables: &[Variable; 3],
    name: &str,
) -> DynamicSelectors {
    let mut selectors = DynamicSelectors { tables: Vec::new(), inputs: Vec::new() };
    let one = || Expression::Constant(Fr::ONE);
    for q in 0..tables[0].blocks {
        let table_selector = cs.complex_selector();
        selectors.tables.push(table_selector);
        for block in 0..columns.geometry.blocks {
            for y in 0..columns.geometry.inner {
                let selector = cs.complex_selector();
                selectors.inputs.push(selector);
                let mut pairs = vec![(
                    one() * Expression::from(selector),
                    one() * Expression::from(table_selector),
                )];
                for (input, table) in [columns.a, columns.b, columns.o].iter().zip(tables) {
                    let input = cs.query(advice(input, block, y), 0) * Expression::from(selector);
                    let table = cs.query(advice(table, q, 0), 0) * Expression::from(table_selector);
                    pairs.push((input, table));
                }
                cs.lookup_any(format!("{name}, table {q}, block {block}.{y}"), pairs);
            }
        }
    }
    selectors
}
