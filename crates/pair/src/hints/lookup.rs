//! Functions of a shared value by a table of all its values (protocol §7): static tables, unit
//! vectors of the value or of the column of a table that holds it, inverses of tiny values. One
//! masked opening, then linear sums over the one-hot vector.

use super::cover::Cover;
use super::one_hot::{Held, OneHot};
use super::opening::Budget;
use ff::{Field, PrimeField};
use rand_chacha::ChaCha20Rng;
use std::sync::Arc;
use twain_algebra::Fr;
use twain_masks::dpf::{DigitMask, MAX_DOMAIN_BITS, Scratch, lift, share_of};
use twain_masks::{Demand, Material};
use twain_party::{PartyError, Role, StaticTable};

/// What is looked up.
pub(super) enum Function {
    /// The value of a table.
    Table(Arc<StaticTable>),
    /// The inverse, and 0 of 0.
    Inverse,
    /// The one-hot vector, summed up over runs of so many values.
    Unit(u64),
    /// Nothing: only the one-hot vector is wanted.
    Identity,
}

/// A lookup under way.
pub(super) struct Lookup {
    function: Function,
    low: i128,
    size: usize,
    /// This party's share of the value minus `low`.
    value: Fr,
    mask: Option<(DigitMask, Cover)>,
}

impl Drop for Lookup {
    fn drop(&mut self) {
        twain_algebra::erase(std::slice::from_mut(&mut self.value));
    }
}

/// What a lookup gives.
pub(super) struct Found {
    /// This party's shares of the function's values.
    pub outputs: Vec<Fr>,
    /// Shares that are 0 if the value is in the table.
    pub claims: [Fr; 2],
    /// The value minus `low` as a digit.
    pub one_hot: OneHot,
}

impl Lookup {
    /// A lookup of a value with static bound `2^bits` in the table `low..=high`.
    #[allow(clippy::too_many_arguments)] // all of them are the definition of one lookup
    pub fn new(
        value: Fr,
        bits: u32,
        (low, high): (i128, i128),
        function: Function,
        role: Role,
        demand: &mut Demand,
        budget: &mut Budget,
        what: &str,
    ) -> Result<Self, PartyError> {
        let size = high.checked_sub(low).and_then(|d| d.checked_add(1));
        let size = size.filter(|&size| size > 0 && size <= 1 << MAX_DOMAIN_BITS);
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
            return Err(PartyError::Unsupported(format!(
                "{what}: two parties look up in tables of 1 to 2^{MAX_DOMAIN_BITS} entries, since \
                 each lookup costs as much as the table is long"
            )));
        };
        let mask_bits = mask_bits(size);
        let low_bits = low.unsigned_abs().checked_ilog2().map_or(0, |bits| bits + 1);
        budget.opening(bits.max(low_bits) + 1, what)?;
        budget.lift(3, function.largest(size))?;
        match function {
            Function::Inverse => budget.lift(size, 1.0)?,
            Function::Unit(chunk) => budget.lift(places(size, chunk), 1.0)?,
            _ => {}
        }
        demand.masks[usize::from(mask_bits)] += 1;
        let mut value = value;
        if role == Role::Model {
            value -= signed(low);
        }
        Ok(Self { function, low, size, value, mask: None })
    }

    /// This party's part of the masked value.
    pub fn mask(
        &mut self,
        material: &mut Material,
        role: Role,
        rng: &mut ChaCha20Rng,
    ) -> Result<Fr, PartyError> {
        let bits = mask_bits(self.size);
        let mask = material.take_mask(bits)?;
        let cover = Cover::above(u32::from(bits), rng);
        let part = self.value + lift(role, mask.position()) + cover.in_field();
        self.mask = Some((mask, cover));
        Ok(part)
    }

    /// The outcome, from the opened value.
    pub fn found(
        &mut self,
        sum: &Fr,
        role: Role,
        scratch: &mut Scratch,
    ) -> Result<Found, PartyError> {
        let short = || PartyError::Unsupported("a lookup was opened without its mask".into());
        let (mask, cover) = self.mask.take().ok_or_else(short)?;
        let opened = cover.unwrap(sum).bits(0, u32::from(mask.domain_bits()));
        let one_hot = OneHot { mask, opened };
        let digit = one_hot.digit_in_field(role, scratch);
        let mut outside = 0u128;
        let mut small = 0u128;
        let mut output = Fr::ZERO;
        let mut units = match self.function {
            Function::Unit(chunk) => vec![0u128; places(self.size, chunk)],
            _ => Vec::new(),
        };
        let smallest = match &self.function {
            Function::Table(table) => table.values.iter().copied().min().unwrap_or(0),
            _ => 0,
        };
        let inverse = |s: usize| signed(self.low + s as i128).invert().unwrap_or(Fr::ZERO);
        one_hot.visit(scratch, |s, entry| {
            if s >= self.size {
                outside = outside.wrapping_add(entry);
                return;
            }
            let weight = match &self.function {
                Function::Table(table) => {
                    table.values.get(s).map_or(0, |value| value.wrapping_sub(smallest) as u128)
                }
                Function::Inverse => {
                    output += lift(role, share_of(role, entry)) * inverse(s);
                    0
                }
                Function::Unit(chunk) => {
                    let place = (s as u64).checked_div(*chunk).unwrap_or(0) as usize;
                    if let Some(sum) = units.get_mut(place) {
                        *sum = sum.wrapping_add(entry);
                    }
                    0
                }
                Function::Identity => 0,
            };
            small = small.wrapping_add(entry.wrapping_mul(weight));
        });
        output += lift(role, share_of(role, small));
        if role == Role::Model {
            output += signed(smallest);
        }
        let claims = [self.value - digit, lift(role, share_of(role, outside))];
        let outputs = match self.function {
            Function::Unit(_) => {
                units.into_iter().map(|sum| lift(role, share_of(role, sum))).collect()
            }
            _ => vec![output],
        };
        Ok(Found { outputs, claims, one_hot })
    }

    /// What is remembered under the wire of the first output.
    pub fn held(&self, one_hot: OneHot) -> Option<Held> {
        let high = self.low + self.size as i128 - 1;
        let held = Held::Column { low: self.low, high, one_hot: Arc::new(one_hot) };
        matches!(self.function, Function::Unit(2..)).then_some(held)
    }
}

impl Function {
    /// A bound of what is lifted.
    fn largest(&self, size: usize) -> f64 {
        let spread = match self {
            Function::Table(table) => {
                let (min, max) = (table.values.iter().min(), table.values.iter().max());
                max.zip(min).map_or(0.0, |(max, min)| *max as f64 - *min as f64)
            }
            _ => 0.0,
        };
        spread.max(2.0 * size as f64)
    }
}

/// Runs of `chunk` entries in a table of `size`, the last one as long as it is.
fn places(size: usize, chunk: u64) -> usize {
    size.div_ceil(usize::try_from(chunk).unwrap_or(usize::MAX).max(1))
}

/// Bits of the mask for a table.
fn mask_bits(size: usize) -> u8 {
    size.next_power_of_two().trailing_zeros().max(1) as u8
}

fn signed(value: i128) -> Fr {
    let magnitude = Fr::from_u128(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}
