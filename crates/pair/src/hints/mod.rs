//! The non-polynomial steps of a witness, and the counts of its lookups, by two parties of which
//! neither knows the values (protocol §7, §13): the `hints` and `multiplicities` of `WitnessParty`.
//!
//! [`Hints`] evaluates values that a party owns locally, by their owner. For shared values it takes
//! material (digit masks, shared bits) from a [`DigitMaskSource`] and opens masked values only. It
//! remembers under each digit's wire the mask and the opened value that made it, which give the
//! one-hot vector of the digit when lookups are counted. What must hold but is not true by
//! construction is collected as *claims*, for the validity test.
//!
//! One call of [`Hints::hints`] takes a constant number of messages, whatever its length:
//! a comparison of values of `w` bits `2 + log2(w / 7)`, a decomposition as many more as it has
//! digits, a division or a lookup one more, an inverse of a wide value two.

mod compare;
mod counts;
mod cover;
mod division;
mod jobs;
mod lookup;
mod opening;
mod rounding;
#[cfg(test)]
mod tests;

pub use opening::DigitsError;

use counts::Table;
use ff::Field;
use opening::Budget;
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_masks::DigitMaskSource;
use twain_masks::dpf::{DigitMask, Scratch, lift, share_of};
use twain_ole::OleSource;
use twain_party::{Hint, HintBatch, Kind, Operand, PartyError, Role, evaluate_hint};

/// Fewer owned values than this are not worth a second thread.
const PARALLEL: usize = 1 << 10;

/// A shared digit as its mask and the masked value: `digit = opened - r` modulo `2^d`.
struct OneHot {
    mask: DigitMask,
    opened: usize,
}

impl OneHot {
    /// This party's share of the digit modulo `2^128`.
    fn digit(&self, role: Role, scratch: &mut Scratch) -> u128 {
        let (above, _) = self.mask.compare(self.opened, scratch);
        let wrapped = share_of(role, above) << self.mask.domain_bits();
        let public = if role == Role::Model { self.opened as u128 } else { 0 };
        public.wrapping_sub(self.mask.position()).wrapping_add(wrapped)
    }

    /// Visits the one-hot vector: `visit(digit, raw share of [it is this digit])`.
    fn visit(&self, scratch: &mut Scratch, mut visit: impl FnMut(usize, u128)) {
        let last = (1 << self.mask.domain_bits()) - 1;
        self.mask.expand(scratch, |first, run| {
            for (t, entry) in (first..).zip(run) {
                visit(self.opened.wrapping_sub(t) & last, *entry);
            }
        });
    }

    /// The digit as a share in the field.
    fn digit_in_field(&self, role: Role, scratch: &mut Scratch) -> Fr {
        lift(role, self.digit(role, scratch))
    }
}

/// How the value of a wire came about.
#[derive(Clone)]
enum Held {
    /// It is `low` plus a digit.
    Digit { low: i128, one_hot: Arc<OneHot> },
    /// It is a sign: shares of `[not negative]` and of `[zero]`.
    Sign { not_negative: Fr, zero: Fr },
    /// It says in which column of a table there is `low` plus a digit (and the table ends at `high`).
    Column { low: i128, high: i128, one_hot: Arc<OneHot> },
}

/// One party's side of the digit protocols, for one session.
pub struct Hints {
    source: Box<dyn DigitMaskSource>,
    rng: ChaCha20Rng,
    held: HashMap<u32, Held>,
    /// Values that no hint made, by their table and wire.
    looked_up: HashMap<(Table, u32), Arc<OneHot>>,
    claims: Vec<Fr>,
    /// Owned values that their owner found outside the range of their hint or table.
    failures: u64,
    budget: Budget,
}

impl Drop for Hints {
    fn drop(&mut self) {
        twain_algebra::erase(&mut self.claims);
        for held in self.held.values_mut() {
            if let Held::Sign { not_negative, zero } = held {
                twain_algebra::erase(std::slice::from_mut(not_negative));
                twain_algebra::erase(std::slice::from_mut(zero));
            }
        }
    }
}

impl Hints {
    /// `rng` makes the covers of this party's openings: seeded from the operating system's
    /// randomness, the session id and the role, and used for nothing else.
    pub fn new(source: Box<dyn DigitMaskSource>, rng: ChaCha20Rng) -> Self {
        Self {
            source,
            rng,
            held: HashMap::new(),
            looked_up: HashMap::new(),
            claims: Vec::new(),
            failures: 0,
            budget: Budget::default(),
        }
    }

    /// Shares of the outputs of each batch (`WitnessParty::hints`). A shared value must respect its
    /// operand's bound; one that is too wide for the masks, or a hint that pairs cannot evaluate, is
    /// [`PartyError::UnsupportedValue`] on both sides, before anything is sent. A value outside the range
    /// of its hint gives outputs that are in range all the same, and claims that are not 0.
    pub fn hints(
        &mut self,
        channel: &mut dyn Channel,
        ole: &mut dyn OleSource,
        batches: &[HintBatch],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let role = channel.role();
        let mut jobs = jobs::Jobs::default();
        let mut outputs = Vec::with_capacity(batches.len());
        for (number, batch) in batches.iter().enumerate() {
            let (values, failures) = local_outputs(role, batch)?;
            self.failures += failures;
            outputs.push(values);
            for (i, input) in batch.inputs.iter().enumerate() {
                if input.kind == Kind::Shared {
                    let offset = u32::try_from(i * batch.hint.outputs()).unwrap_or(u32::MAX);
                    let wire = batch.first_output.saturating_add(offset);
                    jobs.add(&mut self.budget, role, batch, number, i)
                        .map_err(|error| error.at_wire(wire))?;
                }
            }
        }
        jobs.run(self, channel, ole, &mut outputs)?;
        Ok(outputs)
    }

    /// Shares of what must be 0 in a valid witness, since the last call: to be tested together with
    /// the circuit's own (protocol §12) before anything that depends on the witness is opened.
    /// Equally many on both sides.
    pub fn take_claims(&mut self) -> Vec<Fr> {
        let mut claims = std::mem::take(&mut self.claims);
        claims.push(Fr::from(std::mem::take(&mut self.failures)));
        claims
    }
}

/// Outputs of the values this party knows and whose share it holds, 0 elsewhere; and how many values
/// were outside the range of the hint (known to their owner alone, hence no error).
fn local_outputs(role: Role, batch: &HintBatch) -> Result<(Vec<Fr>, u64), PartyError> {
    let width = batch.hint.outputs();
    let outputs = |input: &Operand| -> Result<(Vec<Fr>, u64), PartyError> {
        let zeros = || vec![Fr::ZERO; width];
        let holder = match input.kind {
            Kind::Public => Role::Model,
            Kind::Owned(owner) => owner,
            Kind::Shared => return Ok((zeros(), 0)),
        };
        if holder != role {
            return Ok((zeros(), 0));
        }
        let mut values = Vec::with_capacity(width);
        match evaluate_hint(&batch.hint, input.share, &mut values) {
            Ok(()) => Ok((values, 0)),
            Err(PartyError::Invalid | PartyError::ZeroFactor) => Ok((zeros(), 1)),
            Err(error) => Err(error),
        }
    };
    let parts = batch.inputs.par_iter().with_min_len(PARALLEL).map(outputs);
    let parts: Vec<_> = parts.collect::<Result<_, _>>()?;
    let failures = parts.iter().map(|part| part.1).sum();
    Ok((parts.into_iter().flat_map(|part| part.0).collect(), failures))
}

/// The bits of a power of two; none for another number.
fn log2_exact(value: u128) -> Option<u32> {
    value.is_power_of_two().then(|| value.trailing_zeros())
}

/// How a hint is called in errors.
fn describe(hint: &Hint) -> String {
    match hint {
        Hint::Decompose { base, legs } => {
            format!("decomposition into {legs} digits of base {base}")
        }
        Hint::InverseOrZero | Hint::Inverse => "inverse".into(),
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
