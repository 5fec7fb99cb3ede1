//! Products of tagged values by checked triples, the check of triples, and the zero test (protocol
//! §24).
//!
//! A triple is `a`, `b`, `c = a·b` of uniform tagged values that nobody knows. Made by an OLE it
//! may be wrong in any way ([`Unchecked`]); [`sacrifice`] spends one on the check of another, and
//! what comes out is a [`Triple`], the only thing that products and zero tests take. A triple
//! serves once: it is moved.

use crate::coins::Challenge;
use crate::side::{Guarded, Side};
use crate::values::{Public, Tagged};
use ff::Field;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_party::{Kind, PartyError};

/// Three tagged values of which nothing is known.
pub(crate) struct Unchecked {
    pub a: Tagged,
    pub b: Tagged,
    pub c: Tagged,
}

/// Tagged `a`, `b` and `c` with `c = a·b`, checked and not used yet.
pub struct Triple {
    a: Tagged,
    b: Tagged,
    c: Tagged,
}

impl Triple {
    /// For who has checked it in another way: a row of product columns.
    pub(crate) fn of_checked_row(a: Tagged, b: Tagged, c: Tagged) -> Self {
        Self { a, b, c }
    }
}

/// Checks the first triple of each pair with the second one, by a coin `ρ` that was tossed when all
/// of them were tagged: `e = ρa - a'` and `f = b - b'` are opened, then
/// `ρc - c' - ρf·a - e·b + e·f`, which is 0 if both are right, and otherwise is not but for one
/// `ρ`.
///
/// # Errors
/// The link fails, or [`PartyError::Ended`] if a triple is wrong.
pub(crate) fn sacrifice(
    side: &mut Side,
    channel: &mut dyn Channel,
    pairs: Vec<[Unchecked; 2]>,
    coin: Challenge,
) -> Result<Vec<Triple>, PartyError> {
    const PHASE: &str = "check of triples";
    let rho = Public(coin.value());
    let masked =
        pairs.iter().flat_map(|[kept, spent]| [&(&kept.a * rho) - &spent.a, &kept.b - &spent.b]);
    let masked: Vec<Tagged> = masked.collect();
    let opened = side.open(channel, PHASE, &masked)?;
    let errors = pairs.iter().zip(opened.as_chunks().0).map(|([kept, spent], &[e, f])| {
        let error = &(&kept.c * rho) - &spent.c;
        let error = &error - &(&kept.a * Public(rho.0 * f.0));
        let error = &error - &(&kept.b * e);
        &error + &side.public(Public(e.0 * f.0), Kind::Shared)
    });
    let errors: Vec<Tagged> = errors.collect();
    let opened = side.open(channel, PHASE, &errors)?;
    if opened.iter().any(|error| error.0 != Fr::ZERO) {
        return Err(PartyError::Ended);
    }
    Ok(pairs.into_iter().map(|[Unchecked { a, b, c }, _]| Triple { a, b, c }).collect())
}

impl Side {
    /// The products of pairs of values, one message each way for all of them.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub fn multiply(
        &mut self,
        channel: &mut dyn Channel,
        pairs: &[(Tagged, Tagged)],
        triples: Vec<Triple>,
    ) -> Result<Vec<Tagged>, PartyError> {
        self.guarded(|side| {
            if triples.len() != pairs.len() {
                return Err(PartyError::Bug("a product takes one triple"));
            }
            let masked = pairs.iter().zip(&triples);
            let masked: Vec<Tagged> =
                masked.flat_map(|((x, y), triple)| [x - &triple.a, y - &triple.b]).collect();
            let opened = side.open(channel, "tagged products", &masked)?;
            let products = triples.iter().zip(opened.as_chunks().0).map(|(triple, &[e, f])| {
                let product = &triple.c + &(&triple.b * e);
                let product = &product + &(&triple.a * f);
                &product + &side.public(Public(e.0 * f.0), Kind::Shared)
            });
            Ok(products.collect())
        })
    }

    /// Each value times a random number, and that number: with a triple `a·s = c`, `v - a` is
    /// opened, and `(v - a)·s + c = v·s`. One message each way for all of them.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub fn times_random(
        &mut self,
        channel: &mut dyn Channel,
        values: &[Tagged],
        triples: Vec<Triple>,
    ) -> Result<Vec<(Tagged, Tagged)>, PartyError> {
        self.guarded(|side| {
            if triples.len() != values.len() {
                return Err(PartyError::Bug("a random multiple takes one triple"));
            }
            let masked = values.iter().zip(&triples);
            let masked: Vec<Tagged> = masked.map(|(value, triple)| value - &triple.a).collect();
            let opened = side.open(channel, "random multiples", &masked)?;
            let multiples = triples.into_iter().zip(opened);
            Ok(multiples.map(|(Triple { b: s, c, .. }, e)| (&(&s * e) + &c, s)).collect())
        })
    }

    /// Ends the session unless the value is 0, and shows nothing else of it: a random multiple of
    /// it is opened. Two messages each way.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub fn zero_test(
        &mut self,
        channel: &mut dyn Channel,
        value: &Tagged,
        triple: Triple,
    ) -> Result<(), PartyError> {
        self.guarded(|side| {
            // Not found if the random number happens to be 0.
            side.failure.charge_coin(1)?;
            let multiples =
                side.times_random(channel, std::slice::from_ref(value), vec![triple])?;
            let multiples: Vec<Tagged> =
                multiples.into_iter().map(|(multiple, _)| multiple).collect();
            let opened = side.open(channel, "zero test", &multiples)?;
            match opened.iter().all(|product| product.0 == Fr::ZERO) {
                true => Ok(()),
                false => Err(PartyError::Ended),
            }
        })
    }
}
