//! From additive shares to factors and back (protocol §4, counts §3.2).
//!
//! Inputs and outputs are this party's shares, of shared wires after they were claimed; both
//! parties take the same steps with the same kinds. A step ends when its last message is sent: what
//! the peer sends is waited for in the next one, so that other operations can go on meanwhile.

use crate::arithmetic::shared_indices;
use crate::wires::{TimesFactors, Wires, WiresOfValue};
use ff::Field;
use twain_algebra::Fr;
use twain_algebra::vector::batch_invert;
use twain_link::channel::{Channel, Overlap};
use twain_link::scalars::{expect_scalars, send_scalars, take_scalars};
use twain_ole::{OleGroup, OleSource};
use twain_party::{Factors, Kind, PartyError, Role, Shares, WireValue};

/// Values on the way to factors whose product they are: the data's side draws its factor `nu`, the
/// model's side learns `value / nu`. A fresh factor each: two values under one factor would show
/// their quotient. Values of one holder stay whole with the holder.
pub struct Conversion {
    kinds: Vec<Kind>,
    /// This party's shares of the values, but of a shared one at the data's side all that is not
    /// the model's mask; shifted in [`Conversion::begin`].
    own: Shares,
    /// Of the shared values, at the data's side: `1/nu`.
    inverses: Shares,
    /// Of the shared values: this party's share of the model's mask over `nu`.
    products: Shares,
}

const CONVERSION: &str = "conversion to factors";

impl Conversion {
    /// Of values of which the shared ones are claimed wires. No message, but for what has to do
    /// with no value: one product of the model's mask for each shared one.
    pub fn prepare(
        channel: &mut dyn Channel,
        source: &mut dyn OleSource,
        wires: &mut Wires,
        values: &[WireValue],
    ) -> Result<Self, PartyError> {
        let kinds: Vec<Kind> = values.iter().map(|value| value.operand.kind).collect();
        let own = values.iter().map(|value| value.operand.share).collect::<Vec<_>>();
        let mut own = Shares::new(own);
        let shared = shared_indices(&kinds);
        // Of each mask the model's part.
        let of_model = Kind::Owned(Role::Model);
        let of_shared: Vec<WiresOfValue> =
            shared.iter().map(|&i| [Some((values[i].wire, of_model)), None]).collect();
        let TimesFactors { opened, factors, products } =
            wires.times_factors(channel, source, &of_shared, Kind::Owned(Role::Data))?;
        // The data's mask is its share; the rest beside both masks is with it, too.
        if channel.role() == Role::Data {
            shared.iter().zip(opened).for_each(|(&i, [opened, _])| own[i] += opened);
        }
        let products = products.as_chunks().0.iter().map(|&[product, _]| product);
        let products = Shares::new(products.collect());
        Ok(Self { kinds, own, inverses: factors, products })
    }

    /// Adds a number both know to each value: to the share of the data's side, which knows `nu`, if
    /// the value is shared. That side sends the rest of the model's factors.
    pub fn begin<C: Channel>(
        mut self,
        channel: &mut Overlap<C>,
        shifts: &[Fr],
    ) -> Result<Self, PartyError> {
        let role = channel.role();
        for ((share, kind), shift) in self.own.iter_mut().zip(&self.kinds).zip(shifts) {
            let holder = match kind {
                Kind::Shared => Role::Data,
                kind => kind.public_side(),
            };
            if holder == role {
                *share += shift;
            }
        }
        match role {
            Role::Model => expect_scalars(channel, CONVERSION, self.products.len()),
            Role::Data => {
                let shared = shared_indices(&self.kinds);
                let factors = shared.iter().zip(self.inverses.iter()).zip(self.products.iter());
                let parts = factors.map(|((&i, inverse), product)| self.own[i] * inverse + product);
                send_scalars(channel, CONVERSION, &parts.collect::<Vec<_>>())?;
            }
        }
        Ok(self)
    }

    /// This party's factors.
    pub fn finish<C: Channel>(mut self, channel: &mut Overlap<C>) -> Result<Factors, PartyError> {
        let role = channel.role();
        if role == Role::Model {
            let theirs = take_scalars(channel, CONVERSION, self.products.len())?;
            twain_algebra::vector::add_assign(&mut self.products, &theirs);
        }
        // A `1/nu` that is 0 (one in `2^254`) stays so, and the session ends when it is divided by.
        batch_invert(&mut self.inverses);
        let mut shared = match role {
            Role::Model => self.products.iter(),
            Role::Data => self.inverses.iter(),
        };
        let factor = |(kind, own): (&Kind, &Fr)| match kind {
            Kind::Shared => shared.next().copied().unwrap_or(Fr::ONE),
            kind if kind.public_side() == role => *own,
            _ => Fr::ONE,
        };
        Ok(Factors::new(self.kinds.iter().zip(self.own.iter()).map(factor).collect()))
    }
}

/// The way back from factors to additive shares: one OLE per shared value.
pub fn to_additive(
    channel: &mut dyn Channel,
    source: &mut dyn OleSource,
    factors: &[Fr],
    kinds: &[Kind],
) -> Result<Shares, PartyError> {
    let role = channel.role();
    let shared = shared_indices(kinds);
    let share = |(factor, kind): (&Fr, &Kind)| match kind {
        kind if *kind != Kind::Shared && kind.public_side() == role => *factor,
        _ => Fr::ZERO,
    };
    let mut shares = Shares::new(factors.iter().zip(kinds).map(share).collect());
    if shared.is_empty() {
        return Ok(shares);
    }
    let own: Factors = shared.iter().map(|&i| factors[i]).collect::<Vec<_>>().into();
    let group = [OleGroup { length: shared.len(), terms: vec![(0, 0)] }];
    let made = source.inner_products(channel, "conversion to shares", &[&own], &group)?;
    let made: Shares = made.concat().into();
    for (&i, share) in shared.iter().zip(made.iter()) {
        shares[i] = *share;
    }
    Ok(shares)
}
