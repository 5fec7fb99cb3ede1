//! The encryptor's side of a proof of plaintext knowledge (protocol §2.1): it knows short secrets
//! and errors of its keys, and phases `m + t·e` of its encryptions. Steps are types, each consumed
//! by the next.

use super::statement::{
    BatchId, CHALLENGE_BYTES, COMMITMENT_BYTES, KEY_LIMBS, Numbered, PHASE_LIMBS, Row, announcement,
};
use super::wide::{self, add_shifted, add_shifted_wide};
use crate::Error;
use crate::bounds::{ERROR_BITS, MAX_BATCH, PHASE_BITS, SECRET_BITS, response_bytes};
use crate::buffer::Words;
use crate::encryption::{Opening, SecretKey};
use crate::expand::Stream;
use crate::kernels::LIMBS;
use crate::parameters::{ERROR_FLIPS, SLOTS};
use crate::secret::{Limbs, integers};
use crate::slots;
use rand_core::{CryptoRng, RngCore};
use rayon::prelude::*;

/// A key with the openings of those of its encryptions that are in the batch, in their order.
pub struct Openings<'k> {
    /// The key.
    pub key: &'k SecretKey,
    /// What it encrypted.
    pub openings: Vec<Opening>,
}

/// A batch that the evaluator has got, and not yet drawn weights for.
pub struct Prover<'k> {
    id: BatchId,
    parts: Vec<Openings<'k>>,
}

impl<'k> Prover<'k> {
    /// A proof about all these encryptions and their keys. `id` must be used for one proof only.
    ///
    /// # Errors
    /// [`Error::Batch`] if there are too many or none.
    pub fn new(id: BatchId, parts: Vec<Openings<'k>>) -> Result<Self, Error> {
        check_size(parts.iter().map(|part| part.openings.len()).sum())?;
        Ok(Self { id, parts })
    }

    /// The masks of the rows whose weights are drawn, and what fixes them.
    pub fn commit(
        self,
        weights: &[u8; CHALLENGE_BYTES],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> (Masked, [u8; COMMITMENT_BYTES]) {
        let numbered: Vec<Numbered> = self.parts.iter().map(Openings::numbered).collect();
        let count = numbered.iter().map(|key| key.counters.len()).sum();
        let weights = self.id.weights(weights, count);
        let masks: Vec<Row> =
            weights.iter().map(|_| draw(&mut Stream::from_rng(rng), self.parts.len())).collect();
        let commitment = announcement(&self.id, &numbered, &weights, &masks, None);
        let openings: Vec<&Opening> = self.parts.iter().flat_map(|part| &part.openings).collect();
        let phases = weights.par_iter().map(|weights| combined_phase(&openings, weights)).collect();
        let secrets = self.parts.iter().map(|part| {
            let errors = wide::signed(&part.key.errors, u64::from(ERROR_FLIPS));
            [wide::signed(&part.key.ternary, 1), errors]
        });
        (Masked { id: self.id, secrets: secrets.collect(), masks, phases }, commitment)
    }
}

impl Openings<'_> {
    pub(super) fn numbered(&self) -> Numbered {
        let counters = self.openings.iter().map(|opening| opening.counter).collect();
        Numbered { session: self.key.session, counters }
    }
}

/// Masks that are fixed, and what they cover.
pub struct Masked {
    id: BatchId,
    /// Of each key, the secret and the errors.
    secrets: Vec<[Limbs<KEY_LIMBS>; 2]>,
    masks: Vec<Row>,
    phases: Vec<Limbs<PHASE_LIMBS>>,
}

impl Masked {
    /// The responses to the rows' challenges, a message a row, of [`response_bytes`] bytes. Once:
    /// two responses under one mask show what it covers.
    ///
    /// # Errors
    /// [`Error::Chance`] if they might show something: they are not to be sent, nor is anything
    /// else that hangs on these masks.
    pub fn respond(self, challenge: &[u8; CHALLENGE_BYTES]) -> Result<Vec<Vec<u8>>, Error> {
        let challenges = self.id.challenges(challenge);
        let rows = self.masks.into_par_iter().zip(self.phases).zip(challenges);
        rows.map(|((mut row, phase), challenge)| {
            add_shifted_wide(&mut row.phase, &phase, challenge, PHASE_BITS);
            let mut hides = wide::hides(&row.phase, PHASE_BITS);
            for ([secret, error], [s, e]) in row.keys.iter_mut().zip(&self.secrets) {
                add_shifted_wide(secret, s, challenge, SECRET_BITS);
                add_shifted_wide(error, e, challenge, ERROR_BITS);
                hides &= wide::hides(secret, SECRET_BITS) & wide::hides(error, ERROR_BITS);
            }
            if hides { Ok(write(&row)) } else { Err(Error::Chance) }
        })
        .collect()
    }
}

/// A row's message.
pub(super) fn write(row: &Row) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(response_bytes(row.keys.len()));
    for [secret, error] in &row.keys {
        wide::write(secret, SECRET_BITS, &mut bytes);
        wide::write(error, ERROR_BITS, &mut bytes);
    }
    wide::write(&row.phase, PHASE_BITS, &mut bytes);
    bytes
}

/// Uniform numbers over the whole width of a row's responses.
pub(super) fn draw(stream: &mut Stream, keys: usize) -> Row {
    let of_keys = (0..keys).map(|_| [SECRET_BITS, ERROR_BITS].map(|bits| integers(stream, bits)));
    let keys = of_keys.collect();
    Row { keys, phase: integers(stream, PHASE_BITS) }
}

/// Checks that a batch has so many encryptions.
pub(super) fn check_size(got: usize) -> Result<(), Error> {
    if (1..=MAX_BATCH).contains(&got) { Ok(()) } else { Err(Error::Batch { got, most: MAX_BATCH }) }
}

/// `Σ X^w (m + t·e)`, an integer each coefficient.
pub(super) fn combined_phase(openings: &[&Opening], weights: &[usize]) -> Limbs<PHASE_LIMBS> {
    let mut plaintexts = Limbs::<LIMBS>::new();
    let (mut errors, mut signs, mut ones) = (Words::new(), Words::new(), Words::new());
    ones.fill(1);
    for (opening, &weight) in openings.iter().zip(weights) {
        for (sums, limb) in plaintexts.0.iter_mut().zip(&opening.coefficients.0) {
            add_shifted(sums, limb, weight);
        }
        add_shifted(&mut errors, &opening.errors, weight);
        add_shifted(&mut signs, &ones, weight);
    }
    // Plaintexts are held with (t - 1)/2 added, errors with 21.
    let (t, half) = (slots::modulus_limbs(), slots::half_limbs());
    let mut out = Limbs::new();
    for i in 0..SLOTS {
        let sign = i128::from(signs[i] as i64);
        let error = i128::from(errors[i] as i64) - i128::from(ERROR_FLIPS) * sign;
        let limb = |j: usize| {
            i128::from(plaintexts.0[j][i] as i64) + i128::from(t[j]) * error
                - i128::from(half[j]) * sign
        };
        wide::store::<PHASE_LIMBS, LIMBS>(&mut out, i, std::array::from_fn(limb));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mask that the secret may move out of its range ends the proof, whatever the secret is: so
    /// a peer learns nothing from where it ends. Any one coefficient of any of a row's vectors
    /// does.
    #[test]
    fn responses_at_an_end_are_not_sent() {
        let id = BatchId { session: [1; 32], number: 0 };
        let middle = |bits: u32| u64::from(bits > 0) << 40;
        let mut of_moved = Vec::new();
        for secret in [0u64, 1, 2] {
            for vector in 0..4 {
                let row = || {
                    let mut phase = Limbs::new();
                    phase.0[PHASE_LIMBS - 1].fill(middle(PHASE_BITS));
                    let key = || {
                        let mut key = Limbs::<KEY_LIMBS>::new();
                        key.0[KEY_LIMBS - 1].fill(middle(SECRET_BITS));
                        key
                    };
                    Row { keys: vec![[key(), key()]], phase }
                };
                let mut masks: Vec<Row> = (0..crate::bounds::ROWS).map(|_| row()).collect();
                let last = &mut masks[crate::bounds::ROWS - 1];
                match vector {
                    0 => last.keys[0][0].0[0][SLOTS - 1] = 0,
                    1 => last.keys[0][1].0[0][0] = (1 << ERROR_BITS) - 1,
                    2 => last.phase.0[PHASE_LIMBS - 1][7] = 0,
                    _ => {}
                }
                let mut ternary = Words::new();
                ternary.fill(secret);
                let secrets = vec![[wide::signed(&ternary, 1), Limbs::new()]];
                let phases = masks.iter().map(|_| Limbs::new()).collect();
                let masked = Masked { id, secrets, masks, phases };
                let outcome = masked.respond(&[5; 32]);
                match vector {
                    3 => assert!(outcome.is_ok()),
                    0 if secret != 1 => of_moved.push(outcome.is_ok()),
                    _ => assert_eq!(outcome, Err(Error::Chance), "vector {vector}"),
                }
            }
        }
        // Of 1 and -1 one moves a mask of 0 into the range, where it is hidden, the other one out
        // of it.
        assert_eq!(of_moved.iter().filter(|sent| **sent).count(), 1);
    }
}
