//! Polynomial expressions over queried cells (spec 01 §3.2).
//!
//! The shape of the tree is part of the key's hash, so building one never simplifies:
//! `a - b` is `Sum(a, Negated(b))`, and `0 + x` stays as it is.

use crate::column::{Challenge, Column, ColumnKind, Selector};
use ff::PrimeField;
use std::fmt::Write as _;
use std::ops::{Add, Mul, Neg, Sub};
use std::sync::Arc;
use twain_algebra::Fr;

/// A cell relative to the current row, as registered with the constraint system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// The column.
    pub column: Column,
    /// Rows from the current one (negative: earlier rows).
    pub rotation: i32,
    /// Position in the list of queries of the column's kind.
    pub query_index: u32,
}

/// An expression; cloning shares the subtrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// A constant.
    Constant(Fr),
    /// A virtual selector; absent after key generation.
    Selector(Selector),
    /// A cell of the current or a nearby row.
    Query(Query),
    /// A challenge of the circuit.
    Challenge(Challenge),
    /// The negative.
    Negated(Arc<Expression>),
    /// A sum.
    Sum(Arc<Expression>, Arc<Expression>),
    /// A product.
    Product(Arc<Expression>, Arc<Expression>),
    /// A product with a constant.
    Scaled(Arc<Expression>, Fr),
}

impl Expression {
    /// Degree in the columns; selectors count 1, constants and challenges 0.
    pub fn degree(&self) -> usize {
        match self {
            Expression::Constant(_) | Expression::Challenge(_) => 0,
            Expression::Selector(_) | Expression::Query(_) => 1,
            Expression::Negated(a) | Expression::Scaled(a, _) => a.degree(),
            Expression::Sum(a, b) => a.degree().max(b.degree()),
            Expression::Product(a, b) => a.degree() + b.degree(),
        }
    }

    /// Calls `visit` on every leaf, from left to right.
    pub fn for_each_leaf(&self, visit: &mut impl FnMut(&Expression)) {
        match self {
            Expression::Negated(a) | Expression::Scaled(a, _) => a.for_each_leaf(visit),
            Expression::Sum(a, b) | Expression::Product(a, b) => {
                a.for_each_leaf(visit);
                b.for_each_leaf(visit);
            }
            leaf => visit(leaf),
        }
    }

    /// The same tree with every selector leaf replaced.
    pub fn replace_selectors(&self, replace: &impl Fn(Selector) -> Expression) -> Expression {
        let child = |e: &Expression| Arc::new(e.replace_selectors(replace));
        match self {
            Expression::Selector(s) => replace(*s),
            Expression::Negated(a) => Expression::Negated(child(a)),
            Expression::Sum(a, b) => Expression::Sum(child(a), child(b)),
            Expression::Product(a, b) => Expression::Product(child(a), child(b)),
            Expression::Scaled(a, s) => Expression::Scaled(child(a), *s),
            leaf => leaf.clone(),
        }
    }

    /// Appends the identifier text by which lookups with the same table find each other (spec 01
    /// §3.7).
    pub(crate) fn write_identifier(&self, text: &mut String) {
        match self {
            Expression::Constant(c) => text.push_str(&scalar_text(c)),
            Expression::Selector(s) => push(text, format_args!("selector[{}]", s.index)),
            Expression::Query(q) => {
                let kind = match q.column.kind {
                    ColumnKind::Advice { .. } => "advice",
                    ColumnKind::Fixed => "fixed",
                    ColumnKind::Instance => "instance",
                };
                push(text, format_args!("{kind}[{}][{}]", q.column.index, q.rotation));
            }
            Expression::Challenge(c) => push(text, format_args!("challenge[{}]", c.index)),
            Expression::Negated(a) => {
                text.push_str("(-");
                a.write_identifier(text);
                text.push(')');
            }
            Expression::Sum(a, b) | Expression::Product(a, b) => {
                let sign = if matches!(self, Expression::Sum(..)) { '+' } else { '*' };
                text.push('(');
                a.write_identifier(text);
                text.push(sign);
                b.write_identifier(text);
                text.push(')');
            }
            Expression::Scaled(a, s) => {
                a.write_identifier(text);
                push(text, format_args!("*{}", scalar_text(s)));
            }
        }
    }
}

/// `0x` and 64 hexadecimal digits, most significant first.
pub(crate) fn scalar_text(scalar: &impl PrimeField) -> String {
    let mut text = String::with_capacity(66);
    text.push_str("0x");
    for byte in scalar.to_repr().as_ref().iter().rev() {
        push(&mut text, format_args!("{byte:02x}"));
    }
    text
}

fn push(text: &mut String, part: std::fmt::Arguments<'_>) {
    text.write_fmt(part).expect("writing to a string does not fail");
}

impl From<Selector> for Expression {
    fn from(selector: Selector) -> Self {
        Expression::Selector(selector)
    }
}

impl From<Challenge> for Expression {
    fn from(challenge: Challenge) -> Self {
        Expression::Challenge(challenge)
    }
}

impl From<Fr> for Expression {
    fn from(constant: Fr) -> Self {
        Expression::Constant(constant)
    }
}

impl Neg for Expression {
    type Output = Expression;
    fn neg(self) -> Expression {
        Expression::Negated(Arc::new(self))
    }
}

impl Add for Expression {
    type Output = Expression;
    fn add(self, other: Expression) -> Expression {
        Expression::Sum(Arc::new(self), Arc::new(other))
    }
}

impl Sub for Expression {
    type Output = Expression;
    fn sub(self, other: Expression) -> Expression {
        Expression::Sum(Arc::new(self), Arc::new(-other))
    }
}

impl Mul for Expression {
    type Output = Expression;
    fn mul(self, other: Expression) -> Expression {
        Expression::Product(Arc::new(self), Arc::new(other))
    }
}

/// Scaling keeps its own node; use `a * Expression::from(s)` for a product with a constant.
impl Mul<Fr> for Expression {
    type Output = Expression;
    fn mul(self, factor: Fr) -> Expression {
        Expression::Scaled(Arc::new(self), factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(index: u32) -> Expression {
        let column = Column { kind: ColumnKind::Fixed, index };
        Expression::Query(Query { column, rotation: -1, query_index: index })
    }

    #[test]
    fn trees_are_not_simplified() {
        let zero = Expression::from(Fr::from(0));
        let tree = (zero - fixed(1)) * fixed(2);
        let Expression::Product(left, _) = &tree else { panic!("not a product") };
        assert!(matches!(&**left, Expression::Sum(_, b) if matches!(&**b, Expression::Negated(_))));
        assert_eq!((tree * Fr::from(7)).degree(), 2);
    }

    #[test]
    fn identifiers() {
        let mut text = String::new();
        let selector = Selector { index: 3, simple: false };
        let tree = -(fixed(10) + selector.into()) * Expression::from(Fr::from(255));
        (tree * Fr::from(1)).write_identifier(&mut text);
        let scalar = |last: &str| format!("0x{}{last}", "0".repeat(62));
        let expected =
            format!("((-(fixed[10][-1]+selector[3]))*{})*{}", scalar("ff"), scalar("01"));
        assert_eq!(text, expected);
    }
}
