//! The grand sums `φ` of the lookup arguments (spec 01 §5.6).

use super::choice::ChosenInputs;
use super::error::ProveError;
use super::lookup_view::LookupView;
use super::operands::Operands;
use super::rows::RowValues;
use super::wire_forms::WireForms;
use crate::{CompiledSystem, LookupArgument};
use ff::Field;
use rayon::prelude::*;
use twain_algebra::{Fr, vector};
use twain_party::{
    Inverted, Kind, Multiplicities, Operand, PartyError, ProverParty, Role, Shares, Watched,
    WireForm,
};

/// Who knows what an argument looks up, and so its multiplicities and its grand sum: `kinds` are
/// those of the advice columns.
pub(super) fn argument_kind(argument: &LookupArgument, kinds: &[Kind]) -> Kind {
    let mut join = Kind::Public;
    for expression in argument.inputs.iter().flatten().chain(&argument.table) {
        expression.for_each_leaf(&mut |leaf| {
            if let crate::Expression::Query(query) = leaf
                && let crate::Polynomial::Advice(column) = query.column.into()
            {
                join = join.join(kinds.get(column as usize).copied().unwrap_or(Kind::Shared));
            }
        });
    }
    join
}

/// The grand sums of all arguments under way: what is to be added up, but for what the parties make
/// together.
pub(super) struct GrandSums<I> {
    terms: Vec<Shares>,
    /// The argument and row whose summand each inverse is; none for a table's.
    inverses: Vec<Option<(u32, u32)>>,
    /// The argument and row from which each multiple of a table's inverse is subtracted.
    multiples: Vec<(u32, u32)>,
    inversion: I,
}

impl<I> GrandSums<I> {
    /// Computes what a party can alone, and begins the rest; with the multiplicities, who knows them.
    pub(super) fn begin<P: ProverParty<Inversion = I>>(
        party: &mut P,
        view: &LookupView<'_>,
        (multiplicities, kinds): (&[Multiplicities], &[Kind]),
        chosen: &ChosenInputs,
        watched: &Watched,
    ) -> Result<Self, ProveError> {
        let mut table = Table::default();
        let mut pending = Pending::default();
        let mut terms = Vec::with_capacity(multiplicities.len());
        let counted = multiplicities.iter().zip(kinds);
        for (index, (argument, (counts, kind))) in view.arguments().iter().zip(counted).enumerate()
        {
            watched.check()?;
            if table.entry != Some(argument.entry) {
                table = Table::of(view, argument, &mut pending)?;
            }
            let values = |input| {
                watched.check()?;
                looked_up(view, chosen, (index, argument), input)
            };
            let here = (index, argument);
            let counts = (&counts.shares[..], *kind);
            terms.push(local_terms(view, here, counts, &table, &values, &mut pending)?);
        }
        let Pending { operands, inverses, counts, hits, multiples } = pending;
        let inversion = party.begin_inverses(&operands, &hits, &counts)?;
        Ok(Self { terms, inverses, multiples, inversion })
    }

    /// The sums: `n` shares each, 0 from row `u + 1` on.
    pub(super) fn finish<P: ProverParty<Inversion = I>>(
        self,
        party: &mut P,
        system: &CompiledSystem,
    ) -> Result<Vec<Shares>, ProveError> {
        let Self { terms: mut sums, inverses, multiples, inversion } = self;
        let made = party.finish_inverses(inversion)?;
        let (of_values, of_tables) = made.split_at(inverses.len().min(made.len()));
        for (place, inverse) in inverses.iter().zip(of_values) {
            if let Some((argument, row)) = place {
                sums[*argument as usize][*row as usize] += inverse;
            }
        }
        for ((argument, row), multiple) in multiples.iter().zip(of_tables) {
            sums[*argument as usize][*row as usize] -= multiple;
        }
        let usable = system.usable_rows();
        let holds_values = party.holds_values();
        sums.par_iter_mut().zip(system.lookups()).try_for_each(|(sum, argument)| {
            let total = accumulate(&mut sum[..=usable]);
            if holds_values && total != Fr::ZERO {
                let names = argument.names.join("', '");
                let text = format!("the multiplicities of lookup '{names}' do not match its cells");
                return Err(ProveError::Unsatisfied(text));
            }
            Ok(())
        })?;
        Ok(sums)
    }
}

/// Replaces each value by the sum of those before it; returns the last one.
fn accumulate(values: &mut [Fr]) -> Fr {
    let mut sum = Fr::ZERO;
    for value in values.iter_mut() {
        sum += std::mem::replace(value, sum);
    }
    values.last().copied().unwrap_or(Fr::ZERO)
}

/// What the parties make together: all inverses, and the multiples of those of secret table values, in one
/// batch.
#[derive(Default)]
struct Pending {
    operands: Operands<Inverted>,
    /// The argument and row whose summand an inverse is; none for a table's.
    inverses: Vec<Option<(u32, u32)>>,
    /// Multiplicities of secret table rows.
    counts: Operands,
    /// For each of them the number of the table value's inverse, ...
    hits: Vec<u32>,
    /// ... and the argument and the row.
    multiples: Vec<(u32, u32)>,
}

impl Pending {
    fn invert(&mut self, operand: Operand, form: Option<WireForm>, place: Option<(u32, u32)>) {
        self.operands.push(Inverted { operand, form });
        self.inverses.push(place);
    }
}

/// The inverses of the last table's values; consecutive arguments often share a table.
#[derive(Default)]
struct Table {
    entry: Option<usize>,
    /// What both parties know; 0 elsewhere.
    inverses: Shares,
    /// Rows of secret values, and the numbers of their inverses.
    secret: Vec<(u32, u32)>,
}

impl Table {
    fn of(
        view: &LookupView<'_>,
        argument: &LookupArgument,
        pending: &mut Pending,
    ) -> Result<Self, ProveError> {
        let (usable, beta) = (view.system.usable_rows(), view.challenges.beta);
        let tuple = &argument.table;
        let entry = Some(argument.entry);
        let values = view.rows.compressed(tuple, view.challenges, beta, usable)?;
        let forms = match values.has_shared() {
            true => WireForms::of(&view.rows, tuple, view.challenges, beta, usable)?,
            false => WireForms::default(),
        };
        match values {
            RowValues::Known(mut inverses) => {
                invert_all(&mut inverses)?;
                Ok(Self { entry, inverses, secret: Vec::new() })
            }
            RowValues::Shared(shares, kinds) => {
                let public = view.rows.public_parts(tuple, view.challenges, beta, usable)?;
                let mut inverses = public.values;
                let mut secret = Vec::new();
                for (row, inverse) in inverses.iter_mut().enumerate() {
                    if public.has_advice[row] {
                        // The share of a public cell is with the model's side, which need not know.
                        let kind = match kinds[row] {
                            Kind::Public => Kind::Owned(Role::Model),
                            kind => kind,
                        };
                        secret.push((row as u32, pending.operands.len() as u32));
                        let operand = Operand { share: shares[row], kind, bits: 254 };
                        pending.invert(operand, forms.get(row), None);
                        *inverse = Fr::ZERO;
                    } else if *inverse == Fr::ZERO {
                        return Err(PartyError::Ended.into());
                    }
                }
                vector::batch_invert(&mut inverses);
                Ok(Self { entry, inverses, secret })
            }
        }
    }
}

/// What an input looks up, and how that follows from wires.
type LookedUp = (RowValues, WireForms);

fn looked_up(
    view: &LookupView<'_>,
    chosen: &ChosenInputs,
    (index, argument): (usize, &LookupArgument),
    input: usize,
) -> Result<LookedUp, ProveError> {
    if let Some((shares, kinds)) = chosen.get(index, input) {
        return Ok((RowValues::Shared(shares.clone(), kinds.clone()), WireForms::default()));
    }
    let values = view.input(argument, input)?;
    let forms = match values.has_shared() {
        true => view.input_forms(argument, input)?,
        false => WireForms::default(),
    };
    Ok((values, forms))
}

/// `sum 1/(f + β) - m/(t + β)` on rows `0..u`, without what is put to `pending`.
fn local_terms(
    view: &LookupView<'_>,
    (index, argument): (usize, &LookupArgument),
    (multiplicity, kind): (&[Fr], Kind),
    table: &Table,
    values: &dyn Fn(usize) -> Result<LookedUp, ProveError>,
    pending: &mut Pending,
) -> Result<Shares, ProveError> {
    let usable = view.system.usable_rows();
    let mut terms = Shares::zero(view.system.rows());
    terms[..usable].copy_from_slice(&multiplicity[..usable]);
    vector::mul_assign(&mut terms[..usable], &table.inverses);
    vector::scale(&mut terms[..usable], -Fr::ONE);
    for (row, number) in &table.secret {
        let share = multiplicity[*row as usize];
        pending.counts.push(Operand { share, kind, bits: 254 });
        pending.hits.push(*number);
        pending.multiples.push((index as u32, *row));
    }
    for input in 0..argument.inputs.len() {
        match values(input)? {
            (RowValues::Known(mut values), _) => {
                invert_all(&mut values)?;
                if view.rows.adds_public {
                    vector::add_assign(&mut terms[..usable], &values);
                }
            }
            (RowValues::Shared(mut shares, kinds), forms) => {
                for (row, (share, kind)) in shares.iter_mut().zip(&kinds).enumerate() {
                    if *kind != Kind::Public {
                        let operand = Operand { share: *share, kind: *kind, bits: 254 };
                        let form = forms.get(row);
                        pending.invert(operand, form, Some((index as u32, row as u32)));
                        *share = Fr::ZERO;
                    }
                }
                // What is left is public, and held by the party that adds public summands.
                vector::batch_invert(&mut shares);
                vector::add_assign(&mut terms[..usable], &shares);
            }
        }
    }
    Ok(terms)
}

fn invert_all(values: &mut [Fr]) -> Result<(), PartyError> {
    if values.par_iter().any(|value| bool::from(value.is_zero())) {
        return Err(PartyError::Ended);
    }
    vector::batch_invert(values);
    Ok(())
}
