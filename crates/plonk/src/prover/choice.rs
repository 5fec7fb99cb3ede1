//! Inputs of lookups in tables of several columns (spec 03 §1.4), by parties that hold shares.
//!
//! Such an input is a polynomial in a secret cell, the number of a table column, times another secret
//! cell. With bits `b_j` that say whether the number is `j`, the input is the sum of `b_j * F_j`, where
//! `F_j` is the input with `j` for the number: for all `j` but one both parties know it, so that a cell
//! costs one product, and all inputs together one round. Rows where the number does not matter are known
//! to both.

use super::advice_column::AdviceColumn;
use super::error::ProveError;
use super::lookup_view::LookupView;
use super::operands::Operands;
use super::rows::{PublicParts, RowValues, Rows};
use super::witness_source::WitnessSource;
use crate::{ColumnKind, Expression};
use ff::Field;
use std::collections::{BTreeMap, BTreeSet};
use twain_algebra::Fr;
use twain_party::{Kind, Operand, ProverParty, Role, Shares, Watched};

/// This party's shares of an input's values, and who knows each.
type Values = (Shares, Vec<Kind>);

/// The inputs that are chosen, by the number of their argument and theirs within it.
#[derive(Default)]
pub(super) struct ChosenInputs(BTreeMap<(usize, usize), Values>);

impl ChosenInputs {
    /// Computes them; none for a party that holds the values.
    pub(super) fn new<P: ProverParty>(
        party: &mut P,
        view: &LookupView<'_>,
        witness: &dyn WitnessSource<P>,
        watched: &Watched,
    ) -> Result<Self, ProveError> {
        let mut chosen = Self::default();
        if view.rows.holds_values {
            return Ok(chosen);
        }
        let mut products = Products::default();
        for (number, argument) in view.arguments().iter().enumerate() {
            for (input, tuple) in argument.inputs.iter().enumerate() {
                if tuple.iter().all(|expression| advice_degree(expression) < 2) {
                    continue;
                }
                let bits = advice_columns(tuple)
                    .into_iter()
                    .find_map(|column| Some((column, witness.choice_bits(party, column)?)));
                let Some((column, bits)) = bits else { continue };
                watched.check()?;
                let place = (number, input);
                let values = local_values(view, tuple, column, &bits, place, &mut products)?;
                chosen.0.insert(place, values);
            }
        }
        products.add_to(party, &mut chosen)?;
        Ok(chosen)
    }

    /// An input's values in the usable rows, plus `β`; none if it is not chosen.
    pub(super) fn get(&self, argument: usize, input: usize) -> Option<&Values> {
        self.0.get(&(argument, input))
    }
}

/// What the parties multiply.
#[derive(Default)]
struct Products {
    left: Operands,
    right: Operands,
    ends: Vec<u32>,
    /// The input and row that each inner product belongs to.
    places: Vec<((usize, usize), usize)>,
}

impl Products {
    fn add_to<P: ProverParty>(
        self,
        party: &mut P,
        chosen: &mut ChosenInputs,
    ) -> Result<(), ProveError> {
        if self.ends.is_empty() {
            return Ok(());
        }
        let products = party.products_of_shares(&self.left, &self.right, &self.ends)?;
        let products = Shares::new(products);
        for ((place, row), product) in self.places.iter().zip(products.iter()) {
            if let Some((values, _)) = chosen.0.get_mut(place) {
                values[*row] += product;
            }
        }
        Ok(())
    }
}

/// An operand of a product. The share of a public value is with the model's side, which need not know.
fn operand(share: Fr, kind: Kind) -> Operand {
    let kind = if kind == Kind::Public { Kind::Owned(Role::Model) } else { kind };
    Operand { share, kind, bits: 254 }
}

/// The values without the products that are still to be made, which are put to `products`.
fn local_values(
    view: &LookupView<'_>,
    tuple: &[Expression],
    column: u32,
    bits: &[AdviceColumn],
    place: (usize, usize),
    products: &mut Products,
) -> Result<Values, ProveError> {
    let (usable, beta) = (view.system.usable_rows(), view.challenges.beta);
    let mut public: Vec<PublicParts> = Vec::with_capacity(bits.len());
    let mut secret: Vec<Option<Values>> = Vec::with_capacity(bits.len());
    for number in 0..bits.len() as u64 {
        let rows = Rows { replaced: Some((column, Fr::from(number))), ..view.rows };
        let parts = rows.public_parts(tuple, view.challenges, beta, usable)?;
        secret.push(match parts.has_advice.contains(&true) {
            true => match rows.compressed(tuple, view.challenges, beta, usable)? {
                RowValues::Shared(shares, kinds) => Some((shares, kinds)),
                RowValues::Known(_) => None,
            },
            false => None,
        });
        public.push(parts);
    }
    let mut values = Shares::zero(usable);
    let mut kinds = vec![Kind::Public; usable];
    for row in 0..usable {
        let known = |parts: &PublicParts| (!parts.has_advice[row]).then(|| parts.values[row]);
        let first = public.first().and_then(known);
        if first.is_some() && public.iter().all(|parts| known(parts) == first) {
            if view.rows.adds_public {
                values[row] = first.unwrap_or(Fr::ZERO);
            }
            continue;
        }
        for ((bit, parts), secret) in bits.iter().zip(&public).zip(&secret) {
            let Some(of_bit) = bit.kinds.assigned(row) else {
                let text = format!("row {row} looks up what no bit chooses");
                return Err(ProveError::Unsupported(text));
            };
            kinds[row] = kinds[row].join(of_bit);
            match (known(parts), secret) {
                (None, Some((shares, of_secret))) => {
                    kinds[row] = kinds[row].join(of_secret[row]);
                    products.left.push(operand(bit.values[row], of_bit));
                    products.right.push(operand(shares[row], of_secret[row]));
                }
                _ => values[row] += bit.values[row] * parts.values[row],
            }
        }
        let end = u32::try_from(products.left.len()).map_err(|_| {
            ProveError::Unsupported("more products of looked-up cells than 32 bits number".into())
        })?;
        if products.ends.last().copied().unwrap_or(0) < end {
            products.ends.push(end);
            products.places.push((place, row));
        }
    }
    Ok((values, kinds))
}

/// Degree in the advice columns.
fn advice_degree(expression: &Expression) -> usize {
    match expression {
        Expression::Query(query) => {
            usize::from(matches!(query.column.kind, ColumnKind::Advice { .. }))
        }
        Expression::Constant(_) | Expression::Challenge(_) | Expression::Selector(_) => 0,
        Expression::Negated(a) | Expression::Scaled(a, _) => advice_degree(a),
        Expression::Sum(a, b) => advice_degree(a).max(advice_degree(b)),
        Expression::Product(a, b) => advice_degree(a) + advice_degree(b),
    }
}

/// The advice columns of a tuple.
fn advice_columns(tuple: &[Expression]) -> BTreeSet<u32> {
    let mut columns = BTreeSet::new();
    for expression in tuple {
        expression.for_each_leaf(&mut |leaf| {
            if let Expression::Query(query) = leaf
                && matches!(query.column.kind, ColumnKind::Advice { .. })
            {
                columns.insert(query.column.index);
            }
        });
    }
    columns
}
