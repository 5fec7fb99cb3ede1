//! Inverses that are made once the rest of the statement is tested (protocol §25). Input: what was
//! tested, with tagged masks; output: shares of the inverses, whose claims are right by
//! construction, and what tests the argument.

use super::wire_masks::WireMasks;
use crate::acceptance::Acceptance;
use crate::wires::Wires;
use ff::Field;
use twain_algebra::{Fr, vector};
use twain_link::channel::Channel;
use twain_party::{Kind, LateInverse, PartyError, Role, Shares, WireValue};
use twain_tags::{Public, Side, Tagged, Triple};

/// Triples for late inverses.
#[derive(Default)]
pub(super) struct LateTriples {
    /// For the square of each `nonzero` that is a wire.
    pub squares: Vec<Triple>,
    /// For a random multiple of each value.
    multiples: Vec<Triple>,
    /// For the product of all of these.
    product: Vec<Triple>,
}

impl LateTriples {
    /// How many of each there are.
    pub fn count(wanted: &[LateInverse<u32>]) -> [usize; 3] {
        let squares = wanted.iter().filter(|late| late.nonzero.is_some()).count();
        [squares, wanted.len(), wanted.len().saturating_sub(1)]
    }

    /// So many of each.
    pub fn take(counts: [usize; 3], triples: &mut impl Iterator<Item = Triple>) -> Self {
        let [squares, multiples, product] =
            counts.map(|count| triples.by_ref().take(count).collect());
        Self { squares, multiples, product }
    }
}

/// A tested statement but for its late inverses.
pub struct LateInverses {
    pub(super) acceptance: Acceptance,
    pub(super) masks: WireMasks,
    pub(super) wanted: Vec<LateInverse<u32>>,
    pub(super) triples: LateTriples,
}

impl LateInverses {
    /// Whether there are none.
    pub fn are_none(&self) -> bool {
        self.wanted.is_empty()
    }

    /// What tests the argument, if there are none.
    pub fn acceptance(self) -> Acceptance {
        self.acceptance
    }

    /// Makes the inverses and claims their wires. Returns this side's shares of them.
    ///
    /// With `u = value + z` and random `r` that nobody knows, the product of all `u r` is opened:
    /// it is 0 if a value and its `z` are, and does not say which. Otherwise each `u r` is opened,
    /// which is uniform, and `r / (u r) - z` is the inverse; the wire is claimed by a tagged
    /// opening, so that there is no other claim.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub fn make(
        self,
        channel: &mut dyn Channel,
        wires: &mut Wires,
        of_program: &[LateInverse<WireValue>],
    ) -> Result<(Shares, Acceptance), PartyError> {
        let Self { mut acceptance, masks, wanted, triples } = self;
        let number = |of: &LateInverse<WireValue>| LateInverse {
            value: of.value.wire,
            nonzero: of.nonzero.map(|nonzero| nonzero.wire),
            inverse: of.inverse,
        };
        if !of_program.iter().map(number).eq(wanted.iter().copied()) {
            return Err(PartyError::Bug("a program wants other late inverses than its statement"));
        }
        let side = acceptance.audited.side();
        let zero = |late: &LateInverse<u32>| match late.nonzero {
            None => Ok(Tagged::zero()),
            Some(wire) => {
                let one = side.public(Public(Fr::ONE), Kind::Shared);
                Ok(&one - &claimed(side, &masks, wires, wire)?)
            }
        };
        let zeros = wanted.iter().map(zero).collect::<Result<Vec<Tagged>, PartyError>>()?;
        let shifted = wanted.iter().zip(&zeros).map(|(late, zero)| {
            Ok::<_, PartyError>(&claimed(side, &masks, wires, late.value)? + zero)
        });
        let shifted = shifted.collect::<Result<Vec<Tagged>, PartyError>>()?;
        let multiples = side.times_random(channel, &shifted, triples.multiples)?;
        let (multiples, factors): (Vec<Tagged>, Vec<Tagged>) = multiples.into_iter().unzip();
        let product = product_of_all(side, channel, multiples.clone(), triples.product)?;
        let product = side.open(channel, "product of what is inverted", &[product])?;
        if product.iter().any(|product| product.0 == Fr::ZERO) {
            return Err(PartyError::Ended);
        }
        let opened = side.open(channel, "late inverses", &multiples)?;
        let mut inverses: Vec<Fr> = opened.iter().map(|multiple| multiple.0).collect();
        vector::batch_invert(&mut inverses);
        let unmasked = wanted.iter().zip(&factors).zip(inverses).zip(&zeros);
        let unmasked = unmasked.map(|(((late, factor), inverse), zero)| {
            let mask = masks.masks.get(masks.place(late.inverse)?);
            Ok(&(&(factor * Public(inverse)) - zero) - &mask)
        });
        let unmasked = unmasked.collect::<Result<Vec<Tagged>, PartyError>>()?;
        let claims = side.open(channel, "claims of late inverses", &unmasked)?;
        let role = side.role();
        let mut shares = Shares::zero(wanted.len());
        for ((share, late), Public(claim)) in shares.iter_mut().zip(&wanted).zip(claims) {
            let mask = wires.claim_tagged(late.inverse, claim)?;
            *share = if role == Role::Model { mask + claim } else { mask };
        }
        Ok((shares, acceptance))
    }
}

/// A claimed wire that both sides share.
pub(super) fn claimed(
    side: &Side,
    masks: &WireMasks,
    wires: &Wires,
    wire: u32,
) -> Result<Tagged, PartyError> {
    let opened = wires.opened(wire);
    let opened = opened.ok_or(PartyError::Bug("a late inverse of what is not claimed"))?;
    Ok(&masks.masks.get(masks.place(wire)?) + &side.public(Public(opened), Kind::Shared))
}

/// The product of all values, of which there is one at least, two by two.
fn product_of_all(
    side: &mut Side,
    channel: &mut dyn Channel,
    mut values: Vec<Tagged>,
    mut triples: Vec<Triple>,
) -> Result<Tagged, PartyError> {
    while values.len() > 1 {
        let last = if values.len() % 2 == 1 { values.pop() } else { None };
        let (pairs, _) = values.as_chunks();
        let pairs: Vec<(Tagged, Tagged)> =
            pairs.iter().map(|[left, right]| (left.clone(), right.clone())).collect();
        let of_level = triples.split_off(triples.len().saturating_sub(pairs.len()));
        values = side.multiply(channel, &pairs, of_level)?;
        values.extend(last);
    }
    values.pop().ok_or(PartyError::Bug("a product of nothing"))
}
