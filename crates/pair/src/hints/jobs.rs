//! The shared values of one call of hints, taken through all steps in common rounds: masked values
//! are opened, comparisons folded, their bits taken to the field, then digits one by one.

use super::compare::{Comparison, fold_all};
use super::cover::Cover;
use super::division::{Division, log2_exact};
use super::lookup::{Function, Lookup};
use super::one_hot::{Held, OneHot};
use super::opening::{Budget, Openings, power_of_two};
use super::rounding::Rounding;
use super::side::Hints;
use ff::Field;
use rayon::prelude::*;
use std::sync::Arc;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_masks::dpf::{DigitMask, MAX_DOMAIN_BITS, Scratch, lift};
use twain_masks::{BitConversions, Demand, Material, Selections};
use twain_party::{Hint, HintBatch, PartyError, Role, TABLE_OF_INVERSES};

/// Where outputs go.
#[derive(Clone, Copy)]
struct Slot {
    batch: usize,
    first: usize,
    wire: u32,
}

impl Slot {
    /// The output `offset` places further.
    fn after(self, offset: usize) -> Self {
        let wire = self.wire.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
        Self { first: self.first + offset, wire, ..self }
    }
}

/// An output, and what is remembered under its wire.
struct Output {
    slot: Slot,
    share: Fr,
    held: Option<Held>,
}

struct Decomposition {
    slot: Slot,
    comparison: usize,
    base: u64,
    legs: usize,
    /// What is left to decompose, of the absolute value.
    rest: Fr,
    /// One a digit, lowest first, if the base is no power of two.
    divisions: Vec<Division>,
}

impl Decomposition {
    /// Bits of the base, if it is a power of two.
    fn base_bits(&self) -> Option<u8> {
        log2_exact(u128::from(self.base)).map(|bits| bits as u8)
    }
}

/// What opens a digit.
enum Mask {
    /// The rest's lowest bits, under this mask.
    Digit(DigitMask, Cover),
    /// The rest is divided by the base.
    Division,
}

impl Drop for Decomposition {
    fn drop(&mut self) {
        twain_algebra::erase(std::slice::from_mut(&mut self.rest));
    }
}

/// Everything a call has to do for shared values.
#[derive(Default)]
pub(super) struct Jobs {
    demand: Demand,
    comparisons: Vec<Comparison>,
    decompositions: Vec<Decomposition>,
    roundings: Vec<(Slot, Option<usize>, Rounding)>,
    lookups: Vec<(Slot, Lookup)>,
    /// Signs, and zeros, that are asked for as such, and their comparisons.
    outcomes: Vec<(Slot, Outcome, usize)>,
    /// Divisions by 1.
    copies: Vec<(Slot, Fr)>,
}

/// What is asked of a comparison.
#[derive(Clone, Copy)]
enum Outcome {
    NotNegative,
    IsZero,
}

impl Jobs {
    /// Adds input `number` of a batch, or says why it cannot be done.
    pub fn add(
        &mut self,
        budget: &mut Budget,
        role: Role,
        batch: &HintBatch,
        batch_number: usize,
        number: usize,
    ) -> Result<(), PartyError> {
        let Some(input) = batch.inputs.get(number) else { return Ok(()) };
        let (value, bits) = (input.share, u32::from(input.bits));
        let what = describe(&batch.hint);
        let first = number * batch.hint.outputs();
        let slot = Slot {
            batch: batch_number,
            first,
            wire: batch.first_output.saturating_add(u32::try_from(first).unwrap_or(u32::MAX)),
        };
        let demand = &mut self.demand;
        let mut lookup = |function, range| -> Result<(), PartyError> {
            let lookup = Lookup::new(value, bits, range, function, role, demand, budget, &what)?;
            self.lookups.push((slot, lookup));
            Ok(())
        };
        match &batch.hint {
            Hint::Table(table) => {
                let high = table.low.saturating_add(table.values.len() as i128 - 1);
                return lookup(Function::Table(table.clone()), (table.low, high));
            }
            Hint::Unit { low, high, chunk } if *chunk > 0 => {
                return lookup(Function::Unit(*chunk), (*low, *high));
            }
            Hint::InverseOrZero if bits <= TABLE_OF_INVERSES => {
                let bound = (1i128 << bits) - 1;
                return lookup(Function::Inverse, (-bound, bound));
            }
            _ => {}
        }
        let comparisons = &mut self.comparisons;
        let mut compare = |width, demand: &mut Demand, budget: &mut Budget| {
            comparisons.push(Comparison::new(value, width, bits, demand, budget, &what)?);
            Ok::<_, PartyError>(comparisons.len() - 1)
        };
        match batch.hint {
            Hint::Decompose { base, legs } => {
                let limit = u128::from(base).checked_pow(legs).filter(|limit| *limit > 1);
                let exact = log2_exact(u128::from(base));
                let too_large = exact.is_some_and(|bits| bits > u32::from(MAX_DOMAIN_BITS));
                let Some(limit) = limit.filter(|_| !too_large) else {
                    return Err(PartyError::Unsupported(format!(
                        "{what}: two parties need a base (decomp_base) of 2 to \
                         2^{MAX_DOMAIN_BITS}, and values below 2^128"
                    )));
                };
                let comparison = compare((limit - 1).ilog2() + 1, demand, budget)?;
                let mut divisions = Vec::new();
                for leg in 0..legs {
                    let left = bits.saturating_sub(leg * base.ilog2()).max(1);
                    let Some(base_bits) = exact else {
                        let base = u128::from(base);
                        divisions.push(Division::new(left, base, demand, budget, &what)?);
                        continue;
                    };
                    budget.opening(left + 1, &what)?;
                    budget.lift(1, 2f64.powi(base_bits as i32))?;
                    demand.masks[base_bits as usize] += 1;
                }
                demand.selections += 1;
                demand.conversions += 1;
                let (legs, rest) = (legs as usize, value);
                let new = Decomposition { slot, comparison, base, legs, rest, divisions };
                self.decompositions.push(new);
            }
            Hint::DivideRound { divisor: 1 } => self.copies.push((slot, value)),
            Hint::DivideRound { divisor } if divisor > 1 => {
                let rounding = Rounding::new(value, bits, divisor, demand, budget, &what)?;
                let comparison =
                    if rounding.needs_sign() { Some(compare(bits, demand, budget)?) } else { None };
                demand.conversions += usize::from(comparison.is_some());
                self.roundings.push((slot, comparison, rounding));
            }
            Hint::NotNegative | Hint::IsZero => {
                let comparison = compare(bits, demand, budget)?;
                demand.conversions += 1;
                let outcome = match batch.hint {
                    Hint::IsZero => Outcome::IsZero,
                    _ => Outcome::NotNegative,
                };
                self.outcomes.push((slot, outcome, comparison));
            }
            _ => {
                let text = format!("{what}: two parties cannot compute it on a shared value yet");
                return Err(PartyError::Unsupported(text));
            }
        }
        Ok(())
    }

    /// Does everything; writes shares into `outputs`.
    pub fn run(
        mut self,
        hints: &mut Hints,
        channel: &mut dyn Channel,
        outputs: &mut [Vec<Fr>],
    ) -> Result<(), PartyError> {
        let mut done: Vec<Output> = Vec::new();
        let output = |(slot, share)| Output { slot, share, held: None };
        done.extend(std::mem::take(&mut self.copies).into_iter().map(output));
        let mut material = hints.source.supply(channel, &self.demand)?;
        done.extend(self.open_values(hints, channel, &mut material)?);
        fold_all(&mut self.comparisons, &material.bit_products, channel)?;
        done.extend(self.take_signs(channel, &material)?);
        let digits = self.decompositions.iter().map(|d| d.legs);
        let rounds = digits.chain(self.roundings.iter().map(|r| r.2.rounds())).max().unwrap_or(0);
        for round in 0..rounds {
            done.extend(self.digits(hints, channel, &mut material, round)?);
        }
        for Output { slot, share, held } in done {
            let outputs = outputs.get_mut(slot.batch);
            if let Some(output) = outputs.and_then(|outputs| outputs.get_mut(slot.first)) {
                *output = share;
            }
            if let Some(held) = held {
                hints.held.insert(slot.wire, held);
            }
        }
        Ok(())
    }

    /// The first round: values to be compared and looked up, and the covers of divisions.
    fn open_values(
        &mut self,
        hints: &mut Hints,
        channel: &mut dyn Channel,
        material: &mut Material,
    ) -> Result<Vec<Output>, PartyError> {
        let (role, rng) = (channel.role(), &mut hints.rng);
        let mut parts = Openings::default();
        for comparison in &mut self.comparisons {
            parts.fields.push(comparison.mask(material, role, rng)?);
        }
        for (_, lookup) in &mut self.lookups {
            parts.fields.push(lookup.mask(material, role, rng)?);
        }
        let of_digits = self.decompositions.iter_mut().flat_map(|d| &mut d.divisions);
        let mut covered = Vec::new();
        let roundings = self.roundings.iter_mut().flat_map(|(_, _, r)| r.divisions());
        for division in roundings.chain(of_digits) {
            if let Some(word) = division.prepare(material, rng)? {
                parts.words.push(word);
                covered.push(division);
            }
        }
        let opened = parts.open(channel, "masked values")?;
        for (division, word) in covered.into_iter().zip(opened.words) {
            division.prepared(word);
        }
        let (compared, looked_up) = opened.fields.split_at(self.comparisons.len());
        let pairs = self.comparisons.par_iter_mut().zip(compared);
        pairs.for_each_init(Scratch::default, |scratch, (comparison, sum)| {
            comparison.opened(sum, role, scratch);
        });
        let pairs = self.lookups.par_iter_mut().zip(looked_up);
        let found: Vec<_> = pairs
            .map_init(Scratch::default, |scratch, ((slot, lookup), sum)| {
                let found = lookup.found(sum, role, scratch)?;
                let held = lookup.held(found.one_hot);
                let outputs = found.outputs.into_iter().enumerate();
                let output = |(i, share)| Output { slot: slot.after(i), share, held: None };
                let mut outputs: Vec<Output> = outputs.map(output).collect();
                if let Some(first) = outputs.first_mut() {
                    first.held = held;
                }
                Ok((found.claims, outputs))
            })
            .collect::<Result<_, PartyError>>()?;
        // The claims of an inverse hold by the operand's bound; that they are tested costs nothing.
        let claims = &mut hints.claims;
        let each = found.into_iter().flat_map(|(new_claims, outputs)| {
            claims.extend(new_claims);
            outputs
        });
        Ok(each.collect())
    }

    /// Takes the results of comparisons to the field, in one round; returns the signs of
    /// decompositions and leaves their absolute values to be decomposed.
    fn take_signs(
        &mut self,
        channel: &mut dyn Channel,
        material: &Material,
    ) -> Result<Vec<Output>, PartyError> {
        let role = channel.role();
        let Selections { bits: selecting, factors, products } = &material.selections;
        let mut parts = Openings::default();
        let result = |comparisons: &[Comparison], i: usize| {
            comparisons.get(i).map_or((0, 0), Comparison::result)
        };
        let comparisons = &self.comparisons;
        let masked = |bits: &BitConversions, i: usize, bit: u8| -> Result<u8, PartyError> {
            let short = || PartyError::Unsupported("no shared bits are left".into());
            Ok(bits.bits.get(i).ok_or_else(short)? ^ bit)
        };
        let mut used = 0;
        let mut convert = |parts: &mut Openings, bit: u8| -> Result<(), PartyError> {
            parts.bits.push(masked(&material.conversions, used, bit)?);
            used += 1;
            Ok(())
        };
        for decomposition in &self.decompositions {
            convert(&mut parts, result(comparisons, decomposition.comparison).1)?;
        }
        for comparison in self.roundings.iter().filter_map(|r| r.1) {
            convert(&mut parts, result(comparisons, comparison).0)?;
        }
        for (_, outcome, comparison) in &self.outcomes {
            let (not_negative, zero) = result(comparisons, *comparison);
            convert(
                &mut parts,
                match outcome {
                    Outcome::NotNegative => not_negative,
                    Outcome::IsZero => zero,
                },
            )?;
        }
        for (i, decomposition) in self.decompositions.iter().enumerate() {
            let bit = result(comparisons, decomposition.comparison).0;
            parts.bits.push(masked(selecting, i, bit)?);
            let factor = factors.get(i).copied().unwrap_or_default();
            parts.fields.push(decomposition.rest - factor);
        }
        let opened = parts.open(channel, "signs")?;
        let (converted, selected) = opened.bits.split_at(used);
        let converted = converted.iter().zip(material.conversions.fields.iter());
        let mut converted = converted.map(|(&flip, &field)| in_field(role, flip, field));

        let mut signs = Vec::with_capacity(self.decompositions.len());
        for (i, d) in self.decompositions.iter_mut().enumerate() {
            let (flip, shift) = (selected[i], opened.fields[i]);
            let not_negative =
                in_field(role, flip, selecting.fields.get(i).copied().unwrap_or_default());
            let product = products.get(i).copied().unwrap_or_default();
            let factor = factors.get(i).copied().unwrap_or_default();
            // [x >= 0] * (shift + factor), the second part flipped like the bit itself.
            let flipped = if flip == 1 { factor - product } else { product };
            let selected = shift * not_negative + flipped;
            d.rest = selected.double() - d.rest;
            let zero = converted.next().unwrap_or_default();
            let one = if role == Role::Model { Fr::ONE } else { Fr::ZERO };
            let share = not_negative.double() - zero - one;
            let held = Some(Held::Sign { not_negative, zero });
            signs.push(Output { slot: d.slot, share, held });
        }
        for (_, comparison, rounding) in &mut self.roundings {
            let not_negative = comparison.map(|_| converted.next().unwrap_or_default());
            rounding.round(role, not_negative);
        }
        for (slot, ..) in std::mem::take(&mut self.outcomes) {
            signs.push(Output { slot, share: converted.next().unwrap_or_default(), held: None });
        }
        Ok(signs)
    }

    /// Opens the next digit of every decomposition, and makes the next division of every rounding.
    fn digits(
        &mut self,
        hints: &mut Hints,
        channel: &mut dyn Channel,
        material: &mut Material,
        round: usize,
    ) -> Result<Vec<Output>, PartyError> {
        let (role, rng) = (channel.role(), &mut hints.rng);
        let mut fields = Vec::new();
        let mut masks = Vec::new();
        for d in self.decompositions.iter_mut().filter(|d| d.legs > round) {
            let rest = d.rest;
            if let Some(division) = d.divisions.get_mut(round) {
                division.set_dividend(rest);
                fields.push(division.masked(role));
                masks.push(Mask::Division);
            } else if let Some(base_bits) = d.base_bits() {
                let mask = material.take_mask(base_bits)?;
                let cover = Cover::above(u32::from(base_bits), rng);
                fields.push(rest + lift(role, mask.position()) + cover.in_field());
                masks.push(Mask::Digit(mask, cover));
            }
        }
        let divided = self.roundings.iter_mut().filter(|(_, _, r)| r.rounds() > round);
        let mut divided: Vec<_> = divided.collect();
        fields.extend(divided.iter_mut().filter_map(|(_, _, r)| r.masked(round, role)));
        let opened = Openings { fields, ..Openings::default() }.open(channel, "masked digits")?;
        let (digits, quotients) = opened.fields.split_at(masks.len());
        let inverses: Vec<Fr> = (0..=u32::from(MAX_DOMAIN_BITS))
            .map(|bits| power_of_two(bits).invert().unwrap_or(Fr::ZERO))
            .collect();
        let alive: Vec<_> = self.decompositions.iter_mut().filter(|d| d.legs > round).collect();
        let mut done: Vec<_> = alive
            .into_par_iter()
            .zip(masks)
            .zip(digits)
            .map_init(Scratch::default, |scratch, ((d, mask), sum)| {
                let slot = d.slot.after(d.legs - round); // after the sign, most significant first
                let (mask, cover) = match mask {
                    Mask::Digit(mask, cover) => (mask, cover),
                    Mask::Division => {
                        let division = d.divisions.get_mut(round);
                        let rest = division.map(|d| d.quotient(sum, role, scratch));
                        let rest = rest.unwrap_or(Fr::ZERO);
                        let share = d.rest - rest * Fr::from(d.base);
                        d.rest = rest;
                        return Output { slot, share, held: None };
                    }
                };
                let base_bits = mask.domain_bits();
                let opened = cover.unwrap(sum).bits(0, u32::from(base_bits));
                let one_hot = OneHot { mask, opened };
                let digit = one_hot.digit_in_field(role, scratch);
                d.rest = (d.rest - digit) * inverses[usize::from(base_bits)];
                let held = Held::Digit { low: 0, one_hot: Arc::new(one_hot) };
                Output { slot, share: digit, held: Some(held) }
            })
            .collect();
        let quotients = divided.par_iter_mut().zip(quotients);
        done.par_extend(
            quotients
                .map_init(Scratch::default, |scratch, ((slot, _, r), sum)| {
                    let share = r.divide(round, sum, role, scratch)?;
                    Some(Output { slot: *slot, share, held: None })
                })
                .flatten_iter(),
        );
        Ok(done)
    }
}

/// This party's share in the field of a bit, from the bit masked by another and the share of that.
fn in_field(role: Role, flip: u8, field: Fr) -> Fr {
    match (flip, role) {
        (0, _) => field,
        (_, Role::Model) => Fr::ONE - field,
        (_, Role::Data) => -field,
    }
}

/// How a hint is called in errors.
fn describe(hint: &Hint) -> String {
    match hint {
        Hint::Decompose { base, legs } => {
            format!("decomposition into {legs} digits of base {base}")
        }
        Hint::InverseOrZero | Hint::Inverse => "inverse".into(),
        Hint::IsZero => "comparison with 0".into(),
        Hint::DivideRound { divisor } => format!("division by {divisor}"),
        Hint::ChunkIndex { low, chunk } => format!("columns of {chunk} values from {low} up"),
        Hint::Table(table) => format!("lookup table {}", table.name),
        Hint::NotNegative => "comparison with 0".into(),
        Hint::Unit { low: 0, high, chunk: 1 } => format!("a computed index up to {high}"),
        Hint::Unit { low, high, .. } => format!("lookup in the table {low}..={high}"),
        Hint::Reciprocal { .. } => "reciprocal".into(),
        Hint::SquareRoot { .. } => "square root".into(),
        Hint::Exponent { .. } => "logarithm".into(),
    }
}
