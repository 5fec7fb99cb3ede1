//! Multiplicities of range tables: how often each value of a table is looked up (spec 01 §5.4), as
//! the sum of the one-hot vectors of the values, without their ever being stored (protocol §7).
//!
//! A digit's one-hot vector comes from the mask that made it. A value of another origin is opened
//! under a fresh mask as wide as the table, once a session; that it lies in the table is a claim.

use super::lookup::{Function, Lookup};
use super::one_hot::{Held, OneHot};
use super::opening::Openings;
use super::side::{Hints, Table};
use ff::Field;
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_masks::Demand;
use twain_masks::dpf::{Scratch, lift, share_of};
use twain_party::{
    CellKinds, Kind, LookupArgument, LookupUse, Multiplicities, PartyError, Role, Shares,
    signed_integer,
};

/// How often each entry of a whole table is hit by one list of uses.
struct Histogram {
    table: Table,
    wires: Vec<u32>,
    /// Counts of values neither side knows, modulo `2^128`.
    ring: Vec<u128>,
    /// Counts in the field: of values this party knows, and of signs.
    field: Shares,
    /// Values of either sort that are counted by both parties together: known to both.
    uses: u64,
    /// Signs are among them, whose shares are any field elements.
    has_signs: bool,
    /// The model's side alone knows what is looked up: the other's share must be 0.
    of_model: bool,
}

/// Bits of a count's shares, signs apart: two lifted shares of 128 bits and some small numbers.
const COUNT_BITS: u32 = 130;

impl Hints {
    /// The multiplicity column of each argument, `rows` values (`WitnessParty::multiplicities`).
    /// The arguments were [prepared](Self::prepare_lookups), and the validity test has passed.
    pub fn multiplicities(
        &mut self,
        role: Role,
        arguments: &[LookupArgument],
        rows: usize,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        for argument in arguments {
            if argument.chunk == 0 || argument.default_row >= rows {
                return Err(PartyError::Invalid);
            }
        }
        let mut histograms: Vec<Histogram> = Vec::new();
        let mut columns = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let table = (argument.low, argument.high);
            let same = |h: &Histogram| {
                let wires = argument.uses.iter().map(|item| item.wire);
                h.table == table
                    && h.wires.len() == argument.uses.len()
                    && wires.eq(h.wires.iter().copied())
            };
            let histogram = match histograms.iter().position(same) {
                Some(i) => &histograms[i],
                None => {
                    histograms.push(self.histogram(role, table, argument.uses)?);
                    &histograms[histograms.len() - 1]
                }
            };
            columns.push(histogram.column(role, argument, rows));
        }
        Ok(columns)
    }

    /// The digit by which a use counts, if it was made by a hint.
    fn known(&self, table: Table, item: &LookupUse) -> Option<Held> {
        let fits = |low: i128, one_hot: &OneHot| {
            low == table.0 && size(table).is_some_and(|s| s == 1 << one_hot.mask.domain_bits())
        };
        if let Some(wire) = item.column {
            match self.held.get(&wire) {
                Some(held @ Held::Column { low, high, .. }) if (*low, *high) == table => {
                    return Some(held.clone());
                }
                _ => {}
            }
        }
        match self.held.get(&item.wire) {
            Some(held @ Held::Digit { low, one_hot }) if fits(*low, one_hot) => Some(held.clone()),
            Some(held @ Held::Sign { .. }) if table == (-1, 1) => Some(held.clone()),
            _ => None,
        }
    }

    /// Opens, under fresh masks, the shared values that no hint made; claims that they are in their
    /// tables, and that those are which this party owns. One message each way, and none if all
    /// shared values are digits.
    pub fn prepare_lookups(
        &mut self,
        channel: &mut dyn Channel,
        arguments: &[LookupArgument],
    ) -> Result<(), PartyError> {
        let role = channel.role();
        for argument in arguments {
            let own = argument.uses.iter().filter(|item| item.operand.kind == Kind::Owned(role));
            let table = (argument.low, argument.high);
            self.failures += own.filter(|item| offset(table, item).is_none()).count() as u64;
        }
        let mut demand = Demand::default();
        let mut prepared = HashSet::new();
        let mut lookups: Vec<((Table, u32), Lookup)> = Vec::new();
        for argument in arguments {
            let table = (argument.low, argument.high);
            for item in argument.uses.iter().filter(|item| item.operand.kind == Kind::Shared) {
                let key = (table, item.wire);
                if !prepared.insert(key) || self.known(table, item).is_some() {
                    continue;
                }
                let what = format!("lookup in the table {}..={}", table.0, table.1);
                let (share, bits) = (item.operand.share, u32::from(item.operand.bits));
                let function = Function::Identity;
                let (demand, budget) = (&mut demand, &mut self.budget);
                let lookup = Lookup::new(share, bits, table, function, role, demand, budget, &what)
                    .map_err(|error| error.at_wire(item.wire))?;
                lookups.push((key, lookup));
            }
        }
        let mut material = self.source.supply(channel, &demand)?;
        let masked = lookups.iter_mut().map(|(_, l)| l.mask(&mut material, role, &mut self.rng));
        let fields = masked.collect::<Result<_, _>>()?;
        let opened =
            Openings { fields, ..Openings::default() }.open(channel, "masked lookups")?.fields;
        let found: Vec<_> = lookups
            .par_iter_mut()
            .zip(opened)
            .map_init(Scratch::default, |scratch, ((key, lookup), sum)| {
                lookup.found(&sum, role, scratch).map(|found| (*key, found))
            })
            .collect::<Result<_, _>>()?;
        for (key, found) in found {
            self.claims.extend(found.claims);
            self.looked_up.insert(key, Arc::new(found.one_hot));
        }
        Ok(())
    }

    fn histogram(
        &mut self,
        role: Role,
        table: Table,
        uses: &[LookupUse],
    ) -> Result<Histogram, PartyError> {
        let too_large = || {
            PartyError::Unsupported(format!("a lookup table of {}..={} entries", table.0, table.1))
        };
        let size = size(table).ok_or_else(too_large)?;
        let mut field = Shares::zero(size);
        let mut signs = (0u64, Fr::ZERO, Fr::ZERO);
        // Masks by how often they count (a wire may be looked up in several cells).
        let mut shared: HashMap<*const OneHot, (Arc<OneHot>, u64)> = HashMap::new();
        for item in uses {
            let held_by = match item.operand.kind {
                Kind::Public => Some(Role::Model),
                Kind::Owned(owner) => Some(owner),
                Kind::Shared => None,
            };
            if let Some(holder) = held_by {
                // Out of the table: only if the validity test has failed, or was none.
                let entry = offset(table, item);
                let knows = holder == role || item.operand.kind == Kind::Public;
                if entry.is_none() && knows && !self.rehearses {
                    return Err(PartyError::Invalid);
                }
                if let Some(count) = entry.filter(|_| holder == role).and_then(|i| field.get_mut(i))
                {
                    *count += Fr::ONE;
                }
                continue;
            }
            let one_hot = match self.known(table, item) {
                Some(Held::Sign { not_negative, zero }) => {
                    signs = (signs.0 + 1, signs.1 + not_negative, signs.2 + zero);
                    continue;
                }
                Some(Held::Digit { one_hot, .. } | Held::Column { one_hot, .. }) => one_hot,
                None => match self.looked_up.get(&(table, item.wire)) {
                    Some(one_hot) => one_hot.clone(),
                    None => return Err(too_large()),
                },
            };
            shared.entry(Arc::as_ptr(&one_hot)).or_insert((one_hot, 0)).1 += 1;
        }
        // A sign is 0 if zero, else 1 if not negative.
        if let (Some(counts), true) = (field.first_chunk_mut::<3>(), signs.0 > 0) {
            let (count, not_negative, zero) = signs;
            let all = if role == Role::Model { Fr::from(count) } else { Fr::ZERO };
            counts[0] += all - not_negative;
            counts[1] += zero;
            counts[2] += not_negative - zero;
        }
        let uses_of_shared: u64 = shared.values().map(|(_, times)| times).sum();
        self.budget.lift(size + 1, uses_of_shared as f64)?;
        Ok(Histogram {
            table,
            wires: uses.iter().map(|item| item.wire).collect(),
            ring: accumulate(shared.into_values().collect(), size),
            field,
            uses: uses_of_shared,
            has_signs: signs.0 > 0,
            of_model: is_of_model(uses),
        })
    }
}

impl Histogram {
    /// One column of the table: entries of other columns count as this one's first.
    fn column(&self, role: Role, argument: &LookupArgument, rows: usize) -> Multiplicities {
        let mut values = Shares::zero(rows);
        let mut kinds = vec![None; rows];
        let chunk = usize::try_from(argument.chunk).unwrap_or(usize::MAX);
        let first = chunk.saturating_mul(argument.column as usize).min(self.field.len());
        let last = first.saturating_add(chunk).min(self.field.len());
        let public = |count: u64| if role == Role::Model { Fr::from(count) } else { Fr::ZERO };
        let lifted = |ring: u128| match self.of_model {
            true => Fr::ZERO,
            false => lift(role, share_of(role, ring)),
        };
        let mut others_ring = 0u128;
        let mut default = public(argument.defaults);
        for (entry, field) in self.field.iter().enumerate() {
            let row = entry.wrapping_sub(first);
            let in_column = entry > first && entry < last && row < rows;
            let ring = self.ring.get(entry).copied().unwrap_or(0);
            if in_column {
                others_ring = others_ring.wrapping_add(ring);
                values[row] = lifted(ring) + field;
                kinds[row] = Some(Kind::Shared);
            } else {
                default += field;
            }
        }
        default += public(self.uses) - lifted(others_ring);
        values[argument.default_row] += default;
        kinds[argument.default_row] = Some(Kind::Shared);
        let bits = if self.has_signs { 254 } else { COUNT_BITS };
        Multiplicities { shares: values, kinds: CellKinds::Rows(kinds), bits }
    }
}

/// Whether the model's side alone knows what is looked up, but for what is public.
fn is_of_model(uses: &[LookupUse]) -> bool {
    let join = uses.iter().fold(Kind::Public, |join, item| join.join(item.operand.kind));
    join == Kind::Owned(Role::Model)
}

/// The place in its table of a value this party knows.
fn offset(table: Table, item: &LookupUse) -> Option<usize> {
    let value = signed_integer(item.operand.share).filter(|value| *value <= table.1)?;
    usize::try_from(value.checked_sub(table.0)?).ok()
}

/// Number of entries of a table of at most `2^20`.
fn size(table: Table) -> Option<usize> {
    let size = table.1.checked_sub(table.0)?.checked_add(1)?;
    usize::try_from(size)
        .ok()
        .filter(|&size| size > 0 && size <= 1 << twain_masks::dpf::MAX_DOMAIN_BITS)
}

/// Raw shares of how often each of the first `size` digits occurs.
fn accumulate(mut masks: Vec<(Arc<OneHot>, u64)>, size: usize) -> Vec<u128> {
    let mut total = vec![0u128; size];
    // By pointer the order is not the same in every run; sums do not depend on it.
    masks.sort_by_key(|(_, times)| *times);
    for same in masks.chunk_by(|a, b| a.1 == b.1) {
        let times = same.first().map_or(0, |mask| u128::from(mask.1));
        let bits = same.first().map_or(0, |mask| mask.0.mask.domain_bits());
        let length = 1usize << bits;
        let part = same.len().div_ceil(rayon::current_num_threads()).max(1);
        let sums = same.par_chunks(part).map(|masks| {
            let mut counts = vec![0u128; length];
            let mut scratch = Scratch::default();
            for (one_hot, _) in masks {
                // What stands at r goes to r - opened, which is minus the digit.
                one_hot.mask.accumulate(one_hot.opened, &mut counts, &mut scratch);
            }
            counts
        });
        let add = |mut left: Vec<u128>, right: Vec<u128>| {
            left.iter_mut().zip(right).for_each(|(l, r)| *l = l.wrapping_add(r));
            left
        };
        let counts = sums.reduce(|| vec![0; length], add);
        for (digit, sum) in total.iter_mut().enumerate() {
            let count = counts.get((length - digit % length) % length).copied().unwrap_or(0);
            *sum = sum.wrapping_add(count.wrapping_mul(times));
        }
    }
    total
}
