//! Static lookups and range checks: table columns, selectors, lookups and degree gates
//! (spec 03 §1.4, §1.5), and the contents of the table columns (§1.7).

use super::advice::advice;
use crate::checks::constraint_system_size::{
    MOST_COLUMNS, MOST_SELECTORS, MOST_TERMS, product_within, sum_within,
};
use crate::columns::{Columns, RangeCheck, StaticLookup};
use crate::{LayoutError, functions};
use ff::Field;
use std::sync::Arc;
use twain_algebra::Fr;
use twain_graph::numbers::integer_to_field;
use twain_graph::{LookupOp, Settings};
use twain_party::StaticTable;
use twain_plonk::{Column, ConstraintSystem, Expression, Selector};

/// How the selector expression of a table of several columns is split (spec 01 §8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductTree {
    /// Down to single columns: what EZKL computes with enough threads; for up to 8 columns the only
    /// shape it has.
    FullySplit,
    /// To this depth at most.
    Depth(u32),
}

/// Configures the static lookups, then the range checks, in the order of the settings.
pub(super) fn configure(
    cs: &mut ConstraintSystem,
    columns: &mut Columns,
    settings: &Settings,
    product_tree: ProductTree,
) -> Result<(), LayoutError> {
    let geometry = columns.geometry;
    let cells = geometry.blocks * geometry.inner;
    let (low, high) = settings.run_args.lookup_range;
    let width = match settings.required_lookups.is_empty() {
        true => 0,
        false => geometry.table_columns(low, high)?,
    };
    let tables = settings.required_lookups.len();
    let mut table_columns = product_within(MOST_COLUMNS, &[tables, width])?;
    // The choice of a column has a factor for each of the others.
    let mut terms = product_within(MOST_TERMS, &[tables, cells, width, width])?;
    for (low, high) in &settings.required_range_checks {
        if low > high {
            return Err(LayoutError::Settings(format!("the range {low} to {high} is empty")));
        }
        let width = geometry.table_columns(*low, *high)?;
        table_columns = sum_within(MOST_COLUMNS, table_columns, width)?;
        let more = product_within(MOST_TERMS, &[cells, width, width])?;
        terms = sum_within(MOST_TERMS, terms, more)?;
    }
    product_within(MOST_SELECTORS, &[table_columns, cells])?;

    let mut inputs: Vec<Column> = Vec::new();
    let mut seen: Vec<LookupOp> = Vec::new();
    for op in &settings.required_lookups {
        if seen.contains(op) {
            continue;
        }
        seen.push(*op);
        let table = Arc::new(functions::table(op, low, width, geometry.table_rows)?);
        while inputs.len() < width {
            inputs.push(cs.fixed_column());
        }
        let outputs: Vec<Column> = (0..width).map(|_| cs.fixed_column()).collect();
        let selectors =
            selectors_and_lookups(cs, columns, width, product_tree, |cs, cell, i, e| {
                let default = table.values[i * geometry.table_rows];
                let input =
                    e.scaled(cell.a, integer_to_field(low + (i * geometry.table_rows) as i128));
                let output = e.scaled(cell.o, integer_to_field(default));
                let name = format!("{}, block {}", op.name(), cell.place);
                cs.lookup(name, vec![(input, inputs[i]), (output, outputs[i])]);
            });
        let inputs = inputs.clone();
        columns.lookups.push(StaticLookup { op: *op, table, inputs, outputs, selectors });
    }
    for (position, &(low, high)) in settings.required_range_checks.iter().enumerate() {
        if settings.required_range_checks[..position].contains(&(low, high)) {
            continue;
        }
        let width = geometry.table_columns(low, high)?;
        let table: Vec<Column> = (0..width).map(|_| cs.fixed_column()).collect();
        let selectors =
            selectors_and_lookups(cs, columns, width, product_tree, |cs, cell, i, e| {
                let default = integer_to_field(low + (i * geometry.table_rows) as i128);
                let name = format!("range {low} to {high}, block {}", cell.place);
                cs.lookup(name, vec![(e.scaled(cell.a, default), table[i])]);
            });
        columns.ranges.push(RangeCheck { low, high, columns: table, selectors });
    }
    Ok(())
}

/// The cells of a row that a lookup reads.
struct Cells {
    a: Expression,
    o: Expression,
    place: String,
}

/// The parts of a lookup's input that depend on the selector: `c` picks the cell's value, `rest`
/// (which is 0 then) the default entry.
struct Choice {
    c: Expression,
    rest: Expression,
}

impl Choice {
    fn scaled(&self, value: Expression, default: Fr) -> Expression {
        self.c.clone() * value + self.rest.clone() * Expression::Constant(default)
    }
}

/// One complex selector for each block and inner column, with a lookup for each table column and
/// the gate that keeps the table column's index in range.
fn selectors_and_lookups(
    cs: &mut ConstraintSystem,
    columns: &Columns,
    width: usize,
    product_tree: ProductTree,
    mut lookup: impl FnMut(&mut ConstraintSystem, Cells, usize, Choice),
) -> Vec<Selector> {
    let geometry = &columns.geometry;
    let mut selectors = Vec::new();
    for block in 0..geometry.blocks {
        for y in 0..geometry.inner {
            let selector = cs.complex_selector();
            selectors.push(selector);
            let index = match width {
                1 => Expression::Constant(Fr::ONE),
                _ => cs.query(advice(&columns.b, block, y), 0),
            };
            for i in 0..width {
                let c = Expression::from(selector) * column_choice(&index, i, width, product_tree);
                let rest = Expression::Constant(column_scale(i, width)) - c.clone();
                let cells = Cells {
                    a: cs.query(advice(&columns.a, block, y), 0),
                    o: cs.query(advice(&columns.o, block, y), 0),
                    place: format!("{block}.{y}"),
                };
                lookup(cs, cells, i, Choice { c, rest });
            }
            let mut range = Expression::Constant(if width == 1 { Fr::ZERO } else { Fr::ONE });
            if width > 1 {
                for i in 0..width {
                    let i = Expression::Constant(Fr::from(i as u64));
                    range = range * (index.clone() - i);
                }
            }
            let name = format!("table column index, block {block}.{y}");
            cs.gate(name, vec![Expression::from(selector) * range]);
        }
    }
    selectors
}

/// The polynomial in the index that is not 0 at `excluded` only.
fn column_choice(
    index: &Expression,
    excluded: usize,
    width: usize,
    tree: ProductTree,
) -> Expression {
    if width == 1 {
        return Expression::Constant(Fr::ONE);
    }
    let depth = match tree {
        ProductTree::FullySplit => u32::MAX,
        ProductTree::Depth(depth) => depth,
    };
    product(index, excluded, 0, width, depth)
}

fn product(index: &Expression, excluded: usize, low: usize, high: usize, depth: u32) -> Expression {
    if high - low <= 1 || depth == 0 {
        let factors = (low..high).filter(|j| *j != excluded);
        return factors.fold(Expression::Constant(Fr::ONE), |product, j| {
            let factor = match j {
                0 => index.clone(),
                _ => Expression::Constant(Fr::from(j as u64)) - index.clone(),
            };
            product * factor
        });
    }
    let middle = low + (high - low) / 2;
    product(index, excluded, low, middle, depth - 1)
        * product(index, excluded, middle, high, depth - 1)
}

/// The value of [`column_choice`] at `excluded`: entries of the table column are multiplied by it.
pub(crate) fn column_scale(excluded: usize, width: usize) -> Fr {
    let factor = |j: usize| match j {
        0 => Fr::from(excluded as u64),
        _ => Fr::from(j as u64) - Fr::from(excluded as u64),
    };
    (0..width).filter(|j| *j != excluded).map(factor).product()
}

/// Writes the contents of all table columns into `fixed` (by fixed column, `2^k` zeros each).
pub(crate) fn fill(columns: &Columns, fixed: &mut [Vec<Fr>]) {
    let geometry = &columns.geometry;
    let chunk = geometry.table_rows;
    let mut write =
        |column: &Column, i: usize, width: usize, values: &mut dyn Iterator<Item = i128>| {
            let scale = column_scale(i, width);
            let cells = &mut fixed[column.index as usize][..geometry.usable_rows];
            let mut length = 0;
            for (cell, value) in cells.iter_mut().zip(values.take(chunk)) {
                *cell = integer_to_field(value) * scale;
                length += 1;
            }
            let first = cells[0];
            cells[length..].fill(first);
        };
    for (position, lookup) in columns.lookups.iter().enumerate() {
        let StaticTable { low, values, .. } = &*lookup.table;
        let width = lookup.outputs.len();
        for i in 0..width {
            let first = low + (i * chunk) as i128;
            if position == 0 {
                write(&lookup.inputs[i], i, width, &mut (first..first + chunk as i128));
            }
            let values = values[i * chunk..(i + 1) * chunk].iter().copied();
            write(&lookup.outputs[i], i, width, &mut { values });
        }
    }
    for range in &columns.ranges {
        let width = range.columns.len();
        for (i, column) in range.columns.iter().enumerate() {
            let first = range.low + (i * chunk) as i128;
            write(column, i, width, &mut (first..=range.high));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_the_choice_at_its_column() {
        assert_eq!(column_scale(0, 1), Fr::ONE);
        // At 1 of 3: (index)(2 - index) = 1; at 2: 2 * (1 - 2) = -2; at 0: 1 * 2.
        assert_eq!(column_scale(1, 3), Fr::ONE);
        assert_eq!(column_scale(2, 3), -Fr::from(2));
        assert_eq!(column_scale(0, 3), Fr::from(2));
    }
}
