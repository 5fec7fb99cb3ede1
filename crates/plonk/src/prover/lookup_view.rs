//! What the lookup arguments look up, and how often (spec 01 §5.4).

use super::error::ProveError;
use super::rows::{RowValues, Rows};
use super::wire_forms::WireForms;
use crate::{Challenges, CompiledSystem, LookupArgument};
use ff::Field;
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use twain_algebra::Fr;
use twain_party::{Multiplicities, Shares};

/// What the lookups look up, for whoever counts it.
pub struct LookupView<'a> {
    pub(super) system: &'a CompiledSystem,
    pub(super) rows: Rows<'a>,
    pub(super) challenges: &'a Challenges,
}

impl LookupView<'_> {
    /// The lookup arguments.
    pub fn arguments(&self) -> &[LookupArgument] {
        self.system.lookups()
    }

    /// The challenge that compresses tuples.
    pub fn theta(&self) -> Fr {
        self.challenges.theta
    }

    /// Multiplicities of all arguments counted from the values themselves; only for a party that
    /// holds them. A value of several table rows is counted in the last one.
    pub fn count(&self) -> Result<Vec<Multiplicities>, ProveError> {
        if !self.rows.holds_values {
            let text = "counting looked-up values needs the values, and this party has shares";
            return Err(ProveError::Unsupported(text.to_owned()));
        }
        self.arguments().iter().map(|argument| Ok(self.count_argument(argument)?.into())).collect()
    }

    /// The values of an argument's input in its usable rows, plus `β`.
    pub(super) fn input(
        &self,
        argument: &LookupArgument,
        input: usize,
    ) -> Result<RowValues, ProveError> {
        let (usable, beta) = (self.system.usable_rows(), self.challenges.beta);
        self.rows.compressed(&argument.inputs[input], self.challenges, beta, usable)
    }

    /// How the same values follow from wires.
    pub(super) fn input_forms(
        &self,
        argument: &LookupArgument,
        input: usize,
    ) -> Result<WireForms, ProveError> {
        let (usable, beta) = (self.system.usable_rows(), self.challenges.beta);
        WireForms::of(&self.rows, &argument.inputs[input], self.challenges, beta, usable)
    }

    fn count_argument(&self, argument: &LookupArgument) -> Result<Shares, ProveError> {
        let usable = self.system.usable_rows();
        let evaluate = |tuple: &[_]| self.rows.compressed(tuple, self.challenges, Fr::ZERO, usable);
        let (RowValues::Known(table) | RowValues::Shared(table, _)) = evaluate(&argument.table)?;
        let last_row: HashMap<Fr, usize> =
            table.iter().enumerate().map(|(row, value)| (*value, row)).collect();
        let counts: Vec<AtomicU64> = (0..usable).map(|_| AtomicU64::new(0)).collect();
        for (input, name) in argument.inputs.iter().zip(&argument.names) {
            let (RowValues::Known(input) | RowValues::Shared(input, _)) = evaluate(input)?;
            input.par_iter().enumerate().try_for_each(|(row, value)| {
                let Some(table_row) = last_row.get(value) else {
                    let text = format!("row {row} of lookup '{name}' is not in the table");
                    return Err(ProveError::Unsatisfied(text));
                };
                counts[*table_row].fetch_add(1, Ordering::Relaxed);
                Ok(())
            })?;
        }
        let mut multiplicities = Shares::zero(self.system.rows());
        for (value, count) in multiplicities.iter_mut().zip(counts) {
            *value = Fr::from(count.into_inner());
        }
        Ok(multiplicities)
    }
}
