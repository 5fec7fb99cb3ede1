//! Expressions evaluated row by row on columns of shares: what the lookups look up (spec 01 §5.4).
//!
//! Rows are taken in blocks. A party that holds the values evaluates anything; shares can be added
//! and multiplied with what both parties know, and where that factor is 0 the product is public.

use super::advice_column::AdviceColumn;
use super::error::ProveError;
use crate::{Challenges, Evaluator, Expression, Polynomial, compress};
use ff::Field;
use rayon::prelude::*;
use twain_algebra::{Fr, kernels};
use twain_party::{Kind, Role, Shares};

const BLOCK: usize = 1024;

/// The columns that expressions query, `n` values each.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) fixed: &'a [Vec<Fr>],
    pub(super) instances: &'a [Vec<Fr>],
    pub(super) advice: Advice<'a>,
    /// An advice column with the same public value in all rows, instead of its own.
    pub(super) replaced: Option<(u32, Fr)>,
    /// Whether shares are the values.
    pub(super) holds_values: bool,
    /// Whether this party's share takes public summands.
    pub(super) adds_public: bool,
}

/// An expression's values without its advice.
pub(super) struct PublicParts {
    /// The values if all advice were 0; `rows` of them.
    pub(super) values: Shares,
    /// Whether the advice has a factor other than 0.
    pub(super) has_advice: Vec<bool>,
}

/// The advice columns.
#[derive(Clone, Copy)]
pub(super) enum Advice<'a> {
    Columns(&'a [AdviceColumn]),
    /// Zeros that count as secret.
    Blank,
}

/// A compressed tuple of expressions on all rows of a range.
pub(super) enum RowValues {
    /// Known to both parties.
    Known(Shares),
    /// This party's share, and who knows the value.
    Shared(Shares, Vec<Kind>),
}

impl RowValues {
    /// Whether neither party knows one of them.
    pub(super) fn has_shared(&self) -> bool {
        matches!(self, RowValues::Shared(_, kinds) if kinds.contains(&Kind::Shared))
    }
}

impl Rows<'_> {
    /// What both parties know of the tuple compressed with `theta`, plus `offset`, in rows `0..rows`.
    pub(super) fn public_parts(
        &self,
        tuple: &[Expression],
        challenges: &Challenges,
        offset: Fr,
        rows: usize,
    ) -> Result<PublicParts, ProveError> {
        let blank = Rows { advice: Advice::Blank, holds_values: false, adds_public: true, ..*self };
        Ok(match blank.compressed(tuple, challenges, offset, rows)? {
            RowValues::Known(values) => PublicParts { values, has_advice: vec![false; rows] },
            RowValues::Shared(values, kinds) => {
                let has_advice = kinds.into_iter().map(|kind| kind != Kind::Public);
                PublicParts { values, has_advice: has_advice.collect() }
            }
        })
    }

    /// The tuple compressed with `theta`, plus `offset`, in rows `0..rows`.
    pub(super) fn compressed(
        &self,
        tuple: &[Expression],
        challenges: &Challenges,
        offset: Fr,
        rows: usize,
    ) -> Result<RowValues, ProveError> {
        let mut values = Shares::zero(rows);
        let secret = !self.holds_values && tuple.iter().any(queries_advice);
        let mut kinds = vec![Kind::Public; if secret { rows } else { 0 }];
        let evaluate = |start: usize, values: &mut [Fr], kinds: Option<&mut [Kind]>| {
            let mut block = Block { rows: self, start, length: values.len(), failure: None };
            let value = compress(tuple, challenges, &mut block);
            let offset = block.constant(offset);
            let value = block.sum(value, offset);
            match (value, kinds) {
                (Value::Constant(constant), None) => values.fill(constant),
                (Value::Known(known), None) => values.copy_from_slice(&known),
                // Known rows of an expression with secrets: one party holds them, as shares.
                (Value::Constant(constant), Some(_)) if self.adds_public => values.fill(constant),
                (Value::Known(known), Some(_)) if self.adds_public => {
                    values.copy_from_slice(&known);
                }
                (Value::Shared(shares, of_rows), Some(kinds)) => {
                    values.copy_from_slice(&shares);
                    kinds.copy_from_slice(&of_rows);
                }
                _ => {}
            }
            block.failure.map_or(Ok(()), Err)
        };
        if secret {
            let blocks = values.par_chunks_mut(BLOCK).zip(kinds.par_chunks_mut(BLOCK)).enumerate();
            blocks.try_for_each(|(i, (v, k))| evaluate(i * BLOCK, v, Some(k)))?;
            Ok(RowValues::Shared(values, kinds))
        } else {
            let blocks = values.par_chunks_mut(BLOCK).enumerate();
            blocks.try_for_each(|(i, v)| evaluate(i * BLOCK, v, None))?;
            Ok(RowValues::Known(values))
        }
    }
}

/// Whether the expression depends on advice.
pub(super) fn queries_advice(expression: &Expression) -> bool {
    let mut found = false;
    expression.for_each_leaf(&mut |leaf| {
        if let Expression::Query(query) = leaf {
            found |= matches!(Polynomial::from(query.column), Polynomial::Advice(_));
        }
    });
    found
}

/// `length` cells of a column from `start` on, at a rotation; they wrap around.
pub(super) fn cells(column: &[Fr], start: usize, length: usize, rotation: i32) -> Vec<Fr> {
    let n = column.len() as i64;
    let first = (start as i64 + i64::from(rotation)).rem_euclid(n.max(1)) as usize;
    let head = length.min(column.len() - first);
    let mut cells = Vec::with_capacity(length);
    cells.extend_from_slice(&column[first..first + head]);
    cells.extend_from_slice(&column[..length - head]);
    cells
}

/// A block of rows as an evaluator.
struct Block<'a> {
    rows: &'a Rows<'a>,
    start: usize,
    length: usize,
    failure: Option<ProveError>,
}

#[derive(Clone)]
enum Value {
    Constant(Fr),
    Known(Shares),
    Shared(Shares, Vec<Kind>),
}

impl Block<'_> {
    fn fail(&mut self, text: &str) -> Value {
        self.failure = Some(ProveError::Unsupported(text.to_owned()));
        Value::Constant(Fr::ZERO)
    }

    /// The block of `column` at `rotation`.
    fn cells(&self, column: &[Fr], rotation: i32) -> Shares {
        Shares::new(cells(column, self.start, self.length, rotation))
    }

    /// Adds what both parties know to the share that takes it.
    fn add_public(&self, shares: &mut [Fr], kinds: &[Kind], known: impl Iterator<Item = Fr>) {
        for ((share, kind), known) in shares.iter_mut().zip(kinds).zip(known) {
            if (kind.public_side() == Role::Model) == self.rows.adds_public {
                *share += known;
            }
        }
    }
}

/// The kind of a sum. The model's side holds public cells, so with what the data's side owns they
/// make a shared value.
fn sum_kind(a: Kind, b: Kind) -> Kind {
    match (a, b) {
        (Kind::Public, Kind::Owned(Role::Data)) | (Kind::Owned(Role::Data), Kind::Public) => {
            Kind::Shared
        }
        (a, b) => a.join(b),
    }
}

impl Evaluator for Block<'_> {
    type Value = Value;

    fn constant(&mut self, value: Fr) -> Value {
        Value::Constant(value)
    }

    fn polynomial(&mut self, polynomial: Polynomial, rotation: i32) -> Value {
        let rows = self.rows;
        let known = match polynomial {
            Polynomial::Fixed(i) => rows.fixed.get(i as usize),
            Polynomial::Instance(i) => rows.instances.get(i as usize),
            Polynomial::Advice(i) => {
                if let Some((_, value)) = rows.replaced.filter(|(column, _)| *column == i) {
                    return Value::Constant(value);
                }
                let Advice::Columns(columns) = rows.advice else {
                    let kinds = vec![Kind::Shared; self.length];
                    return Value::Shared(Shares::zero(self.length), kinds);
                };
                let Some(column) = columns.get(i as usize) else {
                    return self.fail("an expression queries an advice column that does not exist");
                };
                let shares = self.cells(&column.values, rotation);
                if rows.holds_values {
                    return Value::Known(shares);
                }
                let n = column.values.len() as i64;
                let first = self.start as i64 + i64::from(rotation);
                let wrapped = (first..first + self.length as i64).map(|row| row.rem_euclid(n));
                let kinds = wrapped.map(|row| column.kinds.row(row as usize)).collect();
                return Value::Shared(shares, kinds);
            }
            _ => None,
        };
        match known {
            Some(column) => Value::Known(self.cells(column, rotation)),
            None => self.fail("an expression queries a column that does not exist"),
        }
    }

    fn sum(&mut self, a: Value, b: Value) -> Value {
        match (a, b) {
            (Value::Constant(a), Value::Constant(b)) => Value::Constant(a + b),
            (Value::Constant(constant), Value::Known(mut values))
            | (Value::Known(mut values), Value::Constant(constant)) => {
                values.iter_mut().for_each(|value| *value += constant);
                Value::Known(values)
            }
            (Value::Known(mut a), Value::Known(b)) => {
                kernels::add_assign(&mut a, &b);
                Value::Known(a)
            }
            (Value::Shared(mut shares, kinds), Value::Constant(constant))
            | (Value::Constant(constant), Value::Shared(mut shares, kinds)) => {
                self.add_public(&mut shares, &kinds, std::iter::repeat(constant));
                Value::Shared(shares, kinds)
            }
            (Value::Shared(mut shares, kinds), Value::Known(known))
            | (Value::Known(known), Value::Shared(mut shares, kinds)) => {
                self.add_public(&mut shares, &kinds, known.iter().copied());
                Value::Shared(shares, kinds)
            }
            (Value::Shared(mut a, of_a), Value::Shared(b, of_b)) => {
                kernels::add_assign(&mut a, &b);
                let kinds = of_a.into_iter().zip(of_b).map(|(a, b)| sum_kind(a, b));
                Value::Shared(a, kinds.collect())
            }
        }
    }

    fn difference(&mut self, a: Value, b: Value) -> Value {
        let b = self.scaled(b, -Fr::ONE);
        self.sum(a, b)
    }

    fn product(&mut self, a: Value, b: Value) -> Value {
        match (a, b) {
            (Value::Constant(factor), value) | (value, Value::Constant(factor)) => {
                self.scaled(value, factor)
            }
            (Value::Known(mut a), Value::Known(b)) => {
                kernels::mul_assign(&mut a, &b);
                Value::Known(a)
            }
            (Value::Known(known), Value::Shared(mut shares, mut kinds))
            | (Value::Shared(mut shares, mut kinds), Value::Known(known)) => {
                kernels::mul_assign(&mut shares, &known);
                let zeros = known.iter().zip(&mut kinds).filter(|(k, _)| **k == Fr::ZERO);
                zeros.for_each(|(_, kind)| *kind = Kind::Public);
                Value::Shared(shares, kinds)
            }
            (Value::Shared(..), Value::Shared(..)) => {
                self.fail("a lookup of a product of two secret cells, of which none is a choice")
            }
        }
    }

    fn scaled(&mut self, a: Value, factor: Fr) -> Value {
        match a {
            Value::Constant(a) => Value::Constant(a * factor),
            _ if factor == Fr::ZERO => Value::Constant(Fr::ZERO),
            Value::Known(mut values) => {
                kernels::scale(&mut values, factor);
                Value::Known(values)
            }
            Value::Shared(mut shares, kinds) => {
                kernels::scale(&mut shares, factor);
                Value::Shared(shares, kinds)
            }
        }
    }
}
