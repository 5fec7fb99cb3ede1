//! Which looked-up values are a cell of the witness, or two, but for numbers that both parties
//! know, a factor each and an offset. On most rows it is a selector times the cell, plus what is
//! looked up where there is none; of a function's argument and value it is both cells, and of an
//! entry of a table of witness values, too, if its place is one.
//!
//! Input: a tuple of expressions and the columns; output: row by row the wires that the cells are,
//! if they are secret, with these numbers.

use super::error::ProveError;
use super::rows::{Advice, Rows, cells};
use crate::{Challenges, Evaluator, Expression, Polynomial, compress};
use ff::Field;
use rayon::prelude::*;
use twain_algebra::Fr;
use twain_party::{Kind, WireForm, WireTerm};

const BLOCK: usize = 1024;

/// The rows where a value is such a cell, in order.
#[derive(Default)]
pub(super) struct WireForms(Vec<(usize, WireForm)>);

impl WireForms {
    /// Of the tuple compressed with `theta`, plus `offset`, in rows `0..rows`.
    pub(super) fn of(
        columns: &Rows<'_>,
        tuple: &[Expression],
        challenges: &Challenges,
        offset: Fr,
        rows: usize,
    ) -> Result<Self, ProveError> {
        let of_block = |number: usize| {
            let start = number * BLOCK;
            let length = BLOCK.min(rows - start);
            let mut block = Block { columns, start, length, fails: false };
            let value = compress(tuple, challenges, &mut block);
            let offset = block.constant(offset);
            let value = block.sum(value, offset);
            if block.fails {
                let text = "an expression queries a column that does not exist";
                return Err(ProveError::Unsupported(text.to_owned()));
            }
            let of_row = |row| match value.row(row) {
                RowForm::Wire(form) => Some((start + row, form)),
                RowForm::Known(_) | RowForm::Other => None,
            };
            Ok((0..length).filter_map(of_row).collect())
        };
        let blocks = (0..rows.div_ceil(BLOCK)).into_par_iter().map(of_block);
        let blocks = blocks.collect::<Result<Vec<Vec<_>>, _>>()?;
        Ok(Self(blocks.concat()))
    }

    /// The form of a row's value, if it has one.
    pub(super) fn get(&self, row: usize) -> Option<WireForm> {
        let place = self.0.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        Some(self.0[place].1)
    }
}

/// What a value is in a row.
#[derive(Clone, Copy)]
enum RowForm {
    /// Known to both parties.
    Known(Fr),
    Wire(WireForm),
    /// Anything else.
    Other,
}

impl RowForm {
    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (RowForm::Known(a), RowForm::Known(b)) => RowForm::Known(a + b),
            (RowForm::Wire(form), RowForm::Known(known))
            | (RowForm::Known(known), RowForm::Wire(form)) => {
                RowForm::Wire(WireForm { offset: form.offset + known, ..form })
            }
            (RowForm::Wire(a), RowForm::Wire(b)) if a.second.is_none() && b.second.is_none() => {
                let (factor, offset) = (a.first.factor + b.first.factor, a.offset + b.offset);
                match a.first.wire == b.first.wire {
                    true if factor == Fr::ZERO => RowForm::Known(offset),
                    true => {
                        let first = WireTerm { factor, ..a.first };
                        RowForm::Wire(WireForm { first, offset, second: None })
                    }
                    false => {
                        RowForm::Wire(WireForm { offset, first: a.first, second: Some(b.first) })
                    }
                }
            }
            _ => RowForm::Other,
        }
    }

    fn times(self, known: Fr) -> Self {
        match self {
            _ if known == Fr::ZERO => RowForm::Known(Fr::ZERO),
            RowForm::Known(value) => RowForm::Known(value * known),
            RowForm::Wire(WireForm { first, second, offset }) => {
                let term = |term: WireTerm| WireTerm { factor: term.factor * known, ..term };
                let (first, second, offset) = (term(first), second.map(term), offset * known);
                RowForm::Wire(WireForm { first, second, offset })
            }
            RowForm::Other => RowForm::Other,
        }
    }
}

/// A value on a block of rows.
#[derive(Clone)]
enum Value {
    Constant(Fr),
    Known(Vec<Fr>),
    Forms(Vec<RowForm>),
}

impl Value {
    fn row(&self, row: usize) -> RowForm {
        match self {
            Value::Constant(value) => RowForm::Known(*value),
            Value::Known(values) => RowForm::Known(values[row]),
            Value::Forms(forms) => forms[row],
        }
    }
}

/// A block of rows as an evaluator.
struct Block<'a> {
    columns: &'a Rows<'a>,
    start: usize,
    length: usize,
    fails: bool,
}

impl Block<'_> {
    fn fail(&mut self) -> Value {
        self.fails = true;
        Value::Constant(Fr::ZERO)
    }
}

impl Evaluator for Block<'_> {
    type Value = Value;

    fn constant(&mut self, value: Fr) -> Value {
        Value::Constant(value)
    }

    fn polynomial(&mut self, polynomial: Polynomial, rotation: i32) -> Value {
        let Rows { fixed, instances, advice, .. } = *self.columns;
        let known = match polynomial {
            Polynomial::Fixed(i) => fixed.get(i as usize),
            Polynomial::Instance(i) => instances.get(i as usize),
            Polynomial::Advice(i) => {
                let Advice::Columns(columns) = advice else {
                    return Value::Forms(vec![RowForm::Other; self.length]);
                };
                let Some(column) = columns.get(i as usize) else { return self.fail() };
                let first = self.start as i64 + i64::from(rotation);
                let rows = first..first + self.length as i64;
                let form = |row: i64| {
                    let row = row.rem_euclid(column.values.len() as i64) as usize;
                    match (column.kinds.assigned(row), column.wires.get(row)) {
                        // A cell that no one assigns is 0.
                        (None, _) => RowForm::Known(Fr::ZERO),
                        (Some(kind), Some(wire)) if kind != Kind::Public => {
                            let factor = Fr::ONE;
                            RowForm::Wire(WireTerm { wire: *wire, kind, factor }.into())
                        }
                        (Some(Kind::Public), _) => {
                            column.publics.get(row).map_or(RowForm::Other, |v| RowForm::Known(*v))
                        }
                        _ => RowForm::Other,
                    }
                };
                return Value::Forms(rows.map(form).collect());
            }
            _ => None,
        };
        match known {
            Some(column) => Value::Known(cells(column, self.start, self.length, rotation)),
            None => self.fail(),
        }
    }

    fn sum(&mut self, a: Value, b: Value) -> Value {
        match (a, b) {
            (Value::Constant(a), Value::Constant(b)) => Value::Constant(a + b),
            (a, b) => Value::Forms((0..self.length).map(|i| a.row(i).plus(b.row(i))).collect()),
        }
    }

    fn difference(&mut self, a: Value, b: Value) -> Value {
        let b = self.scaled(b, -Fr::ONE);
        self.sum(a, b)
    }

    fn product(&mut self, a: Value, b: Value) -> Value {
        let product = |i| match (a.row(i), b.row(i)) {
            (RowForm::Known(known), form) | (form, RowForm::Known(known)) => form.times(known),
            _ => RowForm::Other,
        };
        Value::Forms((0..self.length).map(product).collect())
    }

    fn scaled(&mut self, a: Value, factor: Fr) -> Value {
        match a {
            Value::Constant(a) => Value::Constant(a * factor),
            a => Value::Forms((0..self.length).map(|i| a.row(i).times(factor)).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prover::advice_column::AdviceColumn;
    use crate::{Column, ColumnKind, Query};
    use twain_party::{CellKinds, Role, Shares};

    fn query(kind: ColumnKind, index: u32, rotation: i32) -> Expression {
        Expression::Query(Query { column: Column { kind, index }, rotation, query_index: 0 })
    }

    fn advice(index: u32, rotation: i32) -> Expression {
        query(ColumnKind::Advice { phase: 0 }, index, rotation)
    }

    /// `selector * cell + (1 - selector) * 7`, as a lookup has it, and sums with other cells.
    #[test]
    fn a_value_has_a_form_if_it_is_one_secret_cell_but_for_what_both_know() {
        let number = Fr::from;
        let fixed = [[0, 1, 2, 1, 1, 1].map(number).to_vec()];
        let (shared, owned) = (Some(Kind::Shared), Some(Kind::Owned(Role::Data)));
        let column = |kinds: [Option<Kind>; 6], wires: &[u32]| AdviceColumn {
            values: Shares::zero(6),
            kinds: CellKinds::Rows(kinds.to_vec()),
            wires: wires.to_vec(),
            publics: Vec::new(),
        };
        // The last row is random: no wire of the witness.
        let columns = [
            column(
                [shared, shared, shared, owned, Some(Kind::Public), shared],
                &[10, 11, 12, 13, 14],
            ),
            column([None, None, shared, None, None, None], &[0, 0, 12, 0, 0]),
        ];
        let rows = Rows {
            fixed: &fixed,
            instances: &[],
            advice: Advice::Columns(&columns),
            replaced: None,
            holds_values: false,
            adds_public: true,
        };
        let challenges = Challenges { theta: number(100), ..Challenges::default() };
        let forms = |tuple: &[Expression]| {
            let forms = WireForms::of(&rows, tuple, &challenges, number(3), 6).unwrap();
            (0..6).map(|row| forms.get(row)).collect::<Vec<_>>()
        };
        let term = |wire: u32, factor| {
            let kind = if wire == 13 { Kind::Owned(Role::Data) } else { Kind::Shared };
            WireTerm { wire, kind, factor: number(factor) }
        };
        let form = |wire: u32, factor, offset| {
            Some(WireForm { offset: number(offset), ..term(wire, factor).into() })
        };

        let selector = query(ColumnKind::Fixed, 0, 0);
        let (one, seven) = (Expression::Constant(Fr::ONE), Expression::Constant(number(7)));
        let lookup = selector.clone() * advice(0, 0) + (one - selector) * seven;
        let minus_four = WireForm { offset: -number(4), ..form(12, 2, 0).unwrap() };
        let of_owner = form(13, 1, 3);
        let expected = [None, form(11, 1, 3), Some(minus_four), of_owner, None, None];
        assert_eq!(forms(std::slice::from_ref(&lookup)), expected);

        // Where the other column is empty the tuple is the one cell, times the challenge.
        let tuple = [lookup, advice(1, 0)];
        let same = WireForm { offset: -number(697), ..form(12, 201, 0).unwrap() };
        let of_owner = form(13, 100, 3);
        assert_eq!(forms(&tuple), [None, form(11, 100, 3), Some(same), of_owner, None, None]);

        // Two wires have one, three, a product of two, and a wire less itself have none; a cell of
        // another row has.
        let two = [advice(0, 0), advice(0, 1)];
        let both = WireForm { second: Some(term(11, 1)), ..form(10, 100, 3).unwrap() };
        assert_eq!(forms(&two)[0], Some(both));
        let three = advice(0, 0) + advice(0, 1) + advice(0, 2);
        assert_eq!(forms(&[three])[0], None);
        assert_eq!(forms(&[advice(0, 0) * advice(0, 0)]), [None; 6]);
        assert_eq!(forms(&[advice(0, 0) - advice(0, 0)]), [None; 6]);
        assert_eq!(forms(&[advice(0, 1)])[0], form(11, 1, 3));
    }
}
