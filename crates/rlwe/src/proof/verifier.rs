//! The evaluator's side of a proof of plaintext knowledge (protocol §2.1). What passes is
//! [`Proved`], which nothing else makes. Steps are types, each consumed by the next.

use super::prover::check_size;
use super::statement::{
    BatchId, CHALLENGE_BYTES, COMMITMENT_BYTES, Numbered, Row, Sent, SentHalves, announcement,
};
use super::wide;
use crate::Error;
use crate::bounds::{ERROR_BITS, PHASE_BITS, ROWS, SECRET_BITS, response_bytes};
use crate::encryption::{Encryption, PublicKey};
use rand_core::{CryptoRng, RngCore};
use std::ops::Deref;

/// A key, or an encryption under one, whose owner has shown in a batch that its secret and errors
/// are as short as an answer needs ([`crate::bounds`]).
#[derive(Clone, Debug)]
pub struct Proved<T>(T);

impl<T> Deref for Proved<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
impl<T> Proved<T> {
    /// For tests of what happens without a proof.
    pub(crate) fn assumed(value: T) -> Self {
        Self(value)
    }
}

/// A key with those of its encryptions that are in the batch.
pub struct Received<K, E> {
    /// The key.
    pub key: K,
    /// In the order in which they were encrypted.
    pub encryptions: Vec<E>,
}

/// A proved key with its proved encryptions.
pub type Verified = Received<Proved<PublicKey>, Proved<Encryption>>;

/// A batch as it was received.
pub struct Batch {
    id: BatchId,
    parts: Vec<Received<PublicKey, Encryption>>,
}

impl Batch {
    /// A proof about all these encryptions and keys; `id` as the encryptor's.
    ///
    /// # Errors
    /// [`Error::Batch`] if there are too many or none; [`Error::OtherKey`] for an encryption that
    /// stands with another key than its own.
    pub fn new(id: BatchId, parts: Vec<Received<PublicKey, Encryption>>) -> Result<Self, Error> {
        check_size(parts.iter().map(|part| part.encryptions.len()).sum())?;
        let fits = |part: &Received<PublicKey, Encryption>| {
            part.encryptions.iter().all(|encryption| encryption.key() == part.key.session())
        };
        if !parts.iter().all(fits) {
            return Err(Error::OtherKey);
        }
        Ok(Self { id, parts })
    }

    /// Draws the rows' weights: now that the encryptor has sent what is weighed.
    pub fn weigh(self, rng: &mut (impl RngCore + CryptoRng)) -> (Weighed, [u8; CHALLENGE_BYTES]) {
        let weights = challenge(rng);
        (Weighed { batch: self, weights }, weights)
    }
}

fn challenge(rng: &mut (impl RngCore + CryptoRng)) -> [u8; CHALLENGE_BYTES] {
    let mut challenge = [0; CHALLENGE_BYTES];
    rng.fill_bytes(&mut challenge);
    challenge
}

/// A batch whose weights are known to the encryptor.
pub struct Weighed {
    batch: Batch,
    weights: [u8; CHALLENGE_BYTES],
}

impl Weighed {
    /// Draws the rows' challenges: now that the encryptor has fixed its masks.
    pub fn challenge(
        self,
        commitment: [u8; COMMITMENT_BYTES],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> (Challenged, [u8; CHALLENGE_BYTES]) {
        let challenge = challenge(rng);
        (Challenged { weighed: self, commitment, challenge }, challenge)
    }
}

/// A batch whose responses are due.
pub struct Challenged {
    weighed: Weighed,
    commitment: [u8; COMMITMENT_BYTES],
    challenge: [u8; CHALLENGE_BYTES],
}

impl Challenged {
    /// What the responses prove.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Proof`]; nothing of the batch may be used then.
    pub fn verify(self, responses: &[Vec<u8>]) -> Result<Vec<Verified>, Error> {
        let Weighed { batch: Batch { id, parts }, weights } = self.weighed;
        if responses.len() != ROWS {
            return Err(Error::Length { got: responses.len(), expected: ROWS });
        }
        let read = |bytes: &Vec<u8>| read(bytes, parts.len());
        let rows = responses.iter().map(read).collect::<Result<Vec<Row>, Error>>()?;
        let numbered = |part: &Received<PublicKey, Encryption>| Numbered {
            session: *part.key.session(),
            counters: part.encryptions.iter().map(Encryption::counter).collect(),
        };
        let numbered: Vec<Numbered> = parts.iter().map(numbered).collect();
        let count = numbered.iter().map(|key| key.counters.len()).sum();
        let mut keys = Vec::with_capacity(parts.len());
        for part in &parts {
            let encryptions = part.encryptions.iter().map(|e| &e.residues[..]).collect();
            keys.push(SentHalves { key: &part.key.residues, encryptions });
        }
        let challenges = id.challenges(&self.challenge);
        let sent = Sent { keys, challenges: &challenges };
        let weights = id.weights(&weights, count);
        if announcement(&id, &numbered, &weights, &rows, Some(&sent)) != self.commitment {
            return Err(Error::Proof);
        }
        let proved = |part: Received<PublicKey, Encryption>| Received {
            key: Proved(part.key),
            encryptions: part.encryptions.into_iter().map(Proved).collect(),
        };
        Ok(parts.into_iter().map(proved).collect())
    }
}

/// Reads a row's message. Whatever it is, its numbers are as short as they may be: there is no room
/// for longer ones.
pub(super) fn read(mut bytes: &[u8], keys: usize) -> Result<Row, Error> {
    let expected = response_bytes(keys);
    if bytes.len() != expected {
        return Err(Error::Length { got: bytes.len(), expected });
    }
    let bytes = &mut bytes;
    let mut of_keys = Vec::with_capacity(keys);
    for _ in 0..keys {
        of_keys.push([wide::read(bytes, SECRET_BITS)?, wide::read(bytes, ERROR_BITS)?]);
    }
    Ok(Row { keys: of_keys, phase: wide::read(bytes, PHASE_BITS)? })
}
