//! One side of the tagged arithmetic: public summands, and openings that are checked (protocol
//! §24).
//!
//! Input: halves of tagged values, a link. Output: values that both sides know ([`Public`]), right
//! but for the probability in [`crate::bounds`], or the end of the session.
//!
//! *Opening:* P sends `v_1, …, v_k` and one number `τ = Σ χ^j m_j`; Q takes them if
//! `τ + Σ χ^j k_j = Δ_Q Σ χ^j v_j`, before it sends anything else. `χ` is a hash of the `v_j` and
//! of where they stand: who changes a `v_j` changes it, and an error that passes had to hit `Δ_Q`.

use crate::bounds::Failure;
use crate::coins::Challenge;
use crate::values::{Key, Public, Tagged};
use ff::{Field, FromUniformBytes, PrimeField};
use sha2::{Digest, Sha512};
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_link::scalars::{exchange_scalars, send_scalars};
use twain_party::{Kind, PartyError, Role};

/// What one side keeps for the arithmetic of a session: its role, its key, and how much was opened.
pub struct Side {
    role: Role,
    /// Of the stage this belongs to: see [`crate::Demand::instance`].
    session: [u8; 32],
    key: Key,
    /// Openings so far: as many on either side.
    openings: u64,
    /// Inputs so far, likewise.
    inputs: u64,
    pub(crate) failure: Failure,
    /// A step has failed.
    pub(crate) is_over: bool,
}

impl Guarded for Side {
    fn arithmetic(&mut self) -> &mut Side {
        self
    }
}

/// A stage of a session, whose steps are its methods. After one that failed there is no other: a
/// peer gets one try, also if the caller goes on.
pub(crate) trait Guarded {
    /// The arithmetic of the session.
    fn arithmetic(&mut self) -> &mut Side;

    /// Takes a step, if none has failed.
    ///
    /// # Errors
    /// Those of the step, or [`PartyError::Ended`].
    fn guarded<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, PartyError>,
    ) -> Result<T, PartyError> {
        if self.arithmetic().is_over {
            return Err(PartyError::Ended);
        }
        let result = step(self);
        self.arithmetic().is_over |= result.is_err();
        result
    }
}

/// Where an opening stands: enters its hash, so that it is good for nothing else.
struct Place {
    phase: &'static str,
    session: [u8; 32],
    sender: Role,
    counter: u64,
}

impl Place {
    /// The weight `χ` of an opening of these shares.
    fn weight(&self, shares: &[Fr]) -> Fr {
        let mut hash = Sha512::new_with_prefix(b"twain tagged opening")
            .chain_update((self.phase.len() as u64).to_le_bytes())
            .chain_update(self.phase)
            .chain_update(self.session)
            .chain_update([self.sender as u8])
            .chain_update(self.counter.to_le_bytes());
        shares.iter().for_each(|share| hash.update(share.to_repr()));
        Fr::from_uniform_bytes(&hash.finalize().into())
    }
}

/// `Σ weight^j values_j`.
fn combine(values: impl DoubleEndedIterator<Item = Fr>, weight: Fr) -> Fr {
    values.rev().fold(Fr::ZERO, |sum, value| sum * weight + value)
}

impl Side {
    pub(crate) fn new(role: Role, session: [u8; 32], key: Key) -> Self {
        Self {
            role,
            session,
            key,
            openings: 0,
            inputs: 0,
            failure: Failure::default(),
            is_over: false,
        }
    }

    /// Which side this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// With what probability a deviation got past the checks so far.
    pub fn failure(&self) -> Failure {
        self.failure
    }

    /// The stage's identifier.
    pub(crate) fn session(&self) -> [u8; 32] {
        self.session
    }

    /// This side's key.
    pub(crate) fn delta(&self) -> Fr {
        self.key.0
    }

    /// How often something was claimed or opened so far: what comes after a coin is not tested by
    /// it.
    pub(crate) fn claims(&self) -> u64 {
        self.openings + self.inputs
    }

    /// Counts a message of inputs.
    pub(crate) fn claim(&mut self) {
        self.inputs += 1;
    }

    /// The number of a challenge, for a test at it of a polynomial of at most this degree, whose
    /// coefficients were claimed and opened before it was tossed. Counts the degree.
    ///
    /// # Errors
    /// [`PartyError::Bug`] if something was claimed or opened since, and if the session would come
    /// to more than its checks are good for.
    pub fn weigh(&mut self, challenge: Challenge, degree: usize) -> Result<Public, PartyError> {
        self.guarded(|side| {
            if challenge.claims != side.claims() {
                return Err(PartyError::Bug("a challenge is from before what it is to test"));
            }
            side.failure.charge_coin(degree)?;
            Ok(Public(challenge.value()))
        })
    }

    /// A public value, as a summand of values of this kind: it counts on the share of
    /// [`Kind::public_side`], and on the other side's key for it.
    pub fn public(&self, value: Public, kind: Kind) -> Tagged {
        match kind.public_side() == self.role {
            true => Tagged { share: value.0, tag: Fr::ZERO, key: Fr::ZERO },
            false => Tagged { share: Fr::ZERO, tag: Fr::ZERO, key: self.key.0 * value.0 },
        }
    }

    /// Opens values to both sides; one message each way, of 32 bytes a value and 32 more.
    ///
    /// The caller answers for what is opened: it is an output, or masked by a random value that was
    /// not used before.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`] if the peer's shares are not those that were
    /// tagged.
    pub fn open(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        values: &[Tagged],
    ) -> Result<Vec<Public>, PartyError> {
        self.guarded(|side| {
            if values.is_empty() {
                return Ok(Vec::new());
            }
            let counter = side.next_opening(values.len())?;
            let own = side.message(phase, counter, values);
            let theirs = exchange_scalars(channel, phase, &own, own.len())?;
            let theirs = side.checked(phase, counter, &theirs, values)?;
            Ok(values
                .iter()
                .zip(theirs)
                .map(|(value, share)| Public(value.share + share))
                .collect())
        })
    }

    /// Opens one side's shares to the other: one message of 32 bytes a share and 32 more.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_part(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        owner: Role,
        values: &[Tagged],
    ) -> Result<Vec<Public>, PartyError> {
        self.guarded(|side| {
            if values.is_empty() {
                return Ok(Vec::new());
            }
            let counter = side.next_opening(values.len())?;
            if owner == side.role {
                send_scalars(channel, phase, &side.message(phase, counter, values))?;
                return Ok(values.iter().map(|value| Public(value.share)).collect());
            }
            let theirs = exchange_scalars(channel, phase, &[], values.len() + 1)?;
            let theirs = side.checked(phase, counter, &theirs, values)?;
            Ok(theirs.iter().map(|share| Public(*share)).collect())
        })
    }

    /// The number of the next opening, of so many values.
    fn next_opening(&mut self, values: usize) -> Result<u64, PartyError> {
        self.failure.charge_opening(values)?;
        self.openings += 1;
        Ok(self.openings)
    }

    fn place(&self, phase: &'static str, sender: Role, counter: u64) -> Place {
        Place { phase, session: self.session, sender, counter }
    }

    /// This side's shares, then their combined tag.
    fn message(&self, phase: &'static str, counter: u64, values: &[Tagged]) -> Vec<Fr> {
        let mut message: Vec<Fr> = values.iter().map(|value| value.share).collect();
        let weight = self.place(phase, self.role, counter).weight(&message);
        message.push(combine(values.iter().map(|value| value.tag), weight));
        message
    }

    /// The shares in the peer's message, if their tag is right.
    fn checked<'a>(
        &self,
        phase: &'static str,
        counter: u64,
        message: &'a [Fr],
        values: &[Tagged],
    ) -> Result<&'a [Fr], PartyError> {
        let Some((tag, shares)) = message.split_last() else { return Err(PartyError::Ended) };
        let weight = self.place(phase, self.role.other(), counter).weight(shares);
        let keys = combine(values.iter().map(|value| value.key), weight);
        let due = self.key.0 * combine(shares.iter().copied(), weight);
        match *tag + keys == due {
            true => Ok(shares),
            false => Err(PartyError::Ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever tells two openings apart changes the weights of their tags.
    #[test]
    fn every_opening_has_its_own_weight() {
        let place = |phase, session: u8, sender, counter| Place {
            phase,
            session: [session; 32],
            sender,
            counter,
        };
        let shares = [Fr::from(1), Fr::from(2)];
        let places = [
            (place("ab", 1, Role::Model, 1), &shares[..]),
            (place("ac", 1, Role::Model, 1), &shares),
            (place("ab", 2, Role::Model, 1), &shares),
            (place("ab", 1, Role::Data, 1), &shares),
            (place("ab", 1, Role::Model, 2), &shares),
            (place("ab", 1, Role::Model, 1), &shares[..1]),
            (place("ab", 1, Role::Model, 1), &[shares[1], shares[0]]),
        ];
        let weights = places.map(|(place, shares)| place.weight(shares));
        for (i, weight) in weights.iter().enumerate() {
            assert!(weights[..i].iter().all(|other| other != weight), "opening {i}");
        }
    }
}
