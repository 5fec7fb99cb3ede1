//! Wires of the witness, each under one mask (protocol §2.2).
//!
//! Each side has a uniform mask `a` of every wire it owns or shares. Once its share `x` is known,
//! the wire is *claimed*: both send `x - a`, whose sum `delta` both know then. From there on the
//! wire is `delta + a_M + a_D`, whatever was sent, and whatever it is multiplied by. Shares follow:
//! of a shared wire the data's side holds `a_D`, the model's `delta + a_M`; an owner holds the wire
//! itself. Products of two wires take shares `c` of the product of their masks, which depend on no
//! input:
//!
//! `x*y = delta_x*delta_y + delta_x*a_y + delta_y*a_x + a_x*a_y`
//!
//! So do products of a wire and random factors, from which its inverse and its conversion to
//! factors follow (protocol §4).
//!
//! *Private:* `a` is uniform, unknown to the peer and used for one opening, which [`Mask`] sees to.
//!
//! Input: wires with this side's shares; a link, a source of products of masks. Output: shares of
//! claimed wires and of their products.

mod mask;
mod pairs;
mod seed;

pub use mask::{Mask, Masks};
pub use pairs::{InlineMaskProducts, MaskPair, MaskProducts};
pub use seed::{MaskSeed, Masking};

use crate::arithmetic::{cross_terms, holds};
use ff::Field;
use mask::CLAIMED_TWICE;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_link::scalars::exchange_scalars;
use twain_ole::OleSource;
use twain_party::{Kind, Operand, PartyError, Role, Shares, WireValue};

/// What the messages of claims are called.
const CLAIMS: &str = "claims of wires";

/// The products of such a wire would be those of another value.
const NOT_CLAIMED: PartyError = PartyError::Bug("a wire is multiplied that is not claimed");

/// The claimed wires of a session, and the products of their masks.
pub struct Wires {
    masks: Masks,
    /// By wire: what was opened, if it is claimed.
    opened: Vec<Option<Fr>>,
    /// Products of the masks of two wires, the smaller number first: which call made them, and
    /// where among its shares they are.
    places: HashMap<[u32; 2], [u32; 2]>,
    /// This side's shares of products of masks, by call.
    made: Vec<Shares>,
}

impl Wires {
    /// None is claimed.
    pub fn new(source: Box<dyn MaskProducts>) -> Self {
        let (opened, made) = Default::default();
        Self { masks: Masks::new(source), opened, places: HashMap::new(), made }
    }

    /// This side's mask of a wire that it owns or shares, to be tagged.
    pub(crate) fn mask_to_tag(&self, wire: u32) -> Fr {
        self.masks.to_tag(wire)
    }

    /// Has the products of masks made, if none is yet: a plan's are all made at the first call. To
    /// be called before a challenge of the proof is known, since whoever chooses its masks after it
    /// can make an opened `(k x + c) r` show whether `x` is what it guesses.
    pub fn make_products(
        &mut self,
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
    ) -> Result<(), PartyError> {
        if self.made.is_empty() {
            self.made.push(self.masks.source().products(channel, source, &[])?);
        }
        Ok(())
    }

    /// See [`twain_party::WitnessParty::claim`].
    pub fn claim(
        &mut self,
        channel: &mut dyn Channel,
        wires: &[WireValue],
    ) -> Result<Shares, PartyError> {
        let (role, mut own) = (channel.role(), Vec::new());
        for WireValue { wire, operand } in wires {
            if self.opened(*wire).is_some() {
                return Err(CLAIMED_TWICE);
            }
            if holds(role, operand.kind) {
                own.push(self.masks.take(*wire)?.claim(operand.share));
            }
        }
        let claims = |kind: Kind| holds(role.other(), kind);
        let due = wires.iter().filter(|value| claims(value.operand.kind)).count();
        let theirs = exchange_scalars(channel, CLAIMS, &own, due)?;
        let (mut own, mut theirs) = (own.into_iter(), theirs.into_iter());
        let mut shares = Shares::zero(wires.len());
        for (share, WireValue { wire, operand }) in shares.iter_mut().zip(wires) {
            let part = |of: &mut std::vec::IntoIter<Fr>, holder| {
                let part = if holds(holder, operand.kind) { of.next() } else { None };
                part.unwrap_or(Fr::ZERO)
            };
            let (own, theirs) = (part(&mut own, role), part(&mut theirs, role.other()));
            self.note(*wire, own + theirs)?;
            // Without its part each side is left with its mask.
            *share = match (operand.kind, role) {
                (Kind::Shared, Role::Model) => operand.share + theirs,
                (Kind::Shared, Role::Data) => operand.share - own,
                _ => operand.share,
            };
        }
        Ok(shares)
    }

    fn note(&mut self, wire: u32, opened: Fr) -> Result<(), PartyError> {
        let wire = wire as usize;
        if self.opened.len() <= wire {
            self.opened.resize(wire + 1, None);
        }
        match self.opened[wire].replace(opened) {
            None => Ok(()),
            Some(_) => Err(CLAIMED_TWICE),
        }
    }

    /// Claims a shared wire by what a tagged opening has shown of it beside both masks. Returns
    /// this side's mask.
    pub(crate) fn claim_tagged(&mut self, wire: u32, opened: Fr) -> Result<Fr, PartyError> {
        let mask = -self.masks.take(wire)?.claim(Fr::ZERO);
        self.note(wire, opened)?;
        Ok(mask)
    }

    /// What was opened of a wire, if it is claimed.
    pub(crate) fn opened(&self, wire: u32) -> Option<Fr> {
        self.opened.get(wire as usize).copied().flatten()
    }

    /// This side's shares of the products of two wires each, of which neither side knows both.
    /// Claims owned ones that are not claimed yet.
    pub fn products(
        &mut self,
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
        factors: &[[WireValue; 2]],
    ) -> Result<Shares, PartyError> {
        self.claim_owned(channel, factors)?;
        let mut missing = Vec::new();
        let call = self.made.len() as u32;
        for [left, right] in factors {
            let (left, right) = if left.wire <= right.wire { (left, right) } else { (right, left) };
            let wires = [left.wire, right.wire];
            self.places.entry(wires).or_insert_with(|| {
                let kinds = [left.operand.kind, right.operand.kind];
                missing.push(MaskPair { maskings: wires.map(Masking::Wire), kinds });
                [call, missing.len() as u32 - 1]
            });
        }
        if !missing.is_empty() {
            self.made.push(self.masks.source().products(channel, source, &missing)?);
        }
        let role = channel.role();
        let mut products = Shares::zero(factors.len());
        let places = products.par_iter_mut().zip(factors);
        places.try_for_each(|(product, [left, right])| {
            let of_masks = self.of_masks(left.wire, right.wire);
            let opened = self.opened(left.wire).zip(self.opened(right.wire));
            let (Some(of_masks), Some((l, r))) = (of_masks, opened) else {
                return Err(NOT_CLAIMED);
            };
            *product = of_masks + l * own_mask(role, right, r) + r * own_mask(role, left, l);
            if role == Role::Model {
                *product += l * r;
            }
            Ok(())
        })?;
        Ok(products)
    }

    /// Shares of the masks of claimed wires times random factors; of both, whose parts the kinds
    /// say. Each value has a factor of its own, which the masks of all its wires are multiplied by:
    /// a wire that occurs in several values has another factor each time.
    pub(crate) fn times_factors(
        &mut self,
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
        values: &[WiresOfValue],
        of_factors: Kind,
    ) -> Result<TimesFactors, PartyError> {
        let opened =
            |wire: &Option<(u32, Kind)>| wire.map_or(Some(Fr::ZERO), |(wire, _)| self.opened(wire));
        let opened = values.iter().map(|[first, second]| Some([opened(first)?, opened(second)?]));
        let opened = opened.collect::<Option<Vec<[Fr; 2]>>>().ok_or(NOT_CLAIMED)?;
        let numbers = self.masks.next_factors(values.len())?;
        let pairs = values.iter().zip(numbers.clone()).flat_map(|(wires, factor)| {
            wires.iter().flatten().map(move |(wire, kind)| MaskPair {
                maskings: [Masking::Wire(*wire), Masking::Factor(factor)],
                kinds: [*kind, of_factors],
            })
        });
        let pairs: Vec<MaskPair> = pairs.collect();
        let masks = self.masks.source();
        let mut factors = Shares::default();
        if holds(channel.role(), of_factors) {
            let drawn = numbers.into_par_iter().map(|number| masks.mask(Masking::Factor(number)));
            factors = Shares::new(drawn.collect());
        }
        let made = match pairs.is_empty() {
            true => Shares::default(),
            false => masks.products(channel, source, &pairs)?,
        };
        let mut products = Shares::zero(2 * values.len());
        let places = products.iter_mut().zip(values.iter().flatten());
        let places = places.filter(|(_, wire)| wire.is_some()).map(|(product, _)| product);
        places.zip(made.iter()).for_each(|(product, made)| *product = *made);
        Ok(TimesFactors { opened, factors, products })
    }

    /// This side's share of the product of two masks.
    fn of_masks(&self, left: u32, right: u32) -> Option<Fr> {
        let [call, place] = self.places.get(&[left.min(right), left.max(right)])?;
        self.made.get(*call as usize)?.get(*place as usize).copied()
    }

    fn claim_owned(
        &mut self,
        channel: &mut dyn Channel,
        factors: &[[WireValue; 2]],
    ) -> Result<(), PartyError> {
        let owned = factors.iter().flatten().filter(|value| {
            matches!(value.operand.kind, Kind::Owned(_)) && self.opened(value.wire).is_none()
        });
        let owned: BTreeMap<u32, WireValue> = owned.map(|value| (value.wire, *value)).collect();
        if !owned.is_empty() {
            self.claim(channel, &owned.into_values().collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// See [`twain_party::WitnessParty::inner_products`].
    pub fn inner_products(
        &mut self,
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
        left: &[WireValue],
        right: &[WireValue],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        let (role, mut sums) = (channel.role(), vec![Fr::ZERO; ends.len()]);
        let (mut factors, mut outputs) = (Vec::new(), Vec::new());
        let mut terms = left.iter().zip(right);
        let mut first = 0;
        for (output, (sum, end)) in sums.iter_mut().zip(ends).enumerate() {
            for (left, right) in terms.by_ref().take(end.saturating_sub(first) as usize) {
                let (l, r) = (left.operand, right.operand);
                if cross_terms(l.kind, r.kind) > 0 {
                    factors.push([*left, *right]);
                    outputs.push(output);
                } else if l.kind != Kind::Public || r.kind != Kind::Public || role == Role::Model {
                    *sum += l.share * r.share;
                }
            }
            first = *end;
        }
        let products = self.products(channel, source, &factors)?;
        for (output, product) in outputs.into_iter().zip(products.iter()) {
            sums[output] += product;
        }
        Ok(sums)
    }
}

/// The wires that a value is made of, one or two, and who has a part of each one's mask.
pub(crate) type WiresOfValue = [Option<(u32, Kind)>; 2];

/// Masks of wires times random factors.
pub(crate) struct TimesFactors {
    /// What was opened of the wires of each value; 0 where there is none.
    pub opened: Vec<[Fr; 2]>,
    /// This side's factors, if it has any.
    pub factors: Shares,
    /// This side's shares of the products, two a value; 0 where there is none.
    pub products: Shares,
}

/// This side's mask of a claimed wire of which it holds this share.
fn own_mask(role: Role, value: &WireValue, opened: Fr) -> Fr {
    let Operand { share, kind, .. } = value.operand;
    match holds(role, kind) {
        false => Fr::ZERO,
        true if kind.public_side() == role => share - opened,
        true => share,
    }
}
