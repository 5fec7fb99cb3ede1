//! What a proof is about, its challenges, and the message that fixes a row's masks (protocol §2.1).
//!
//! In a row the evaluator combines the batch's encryptions, times monomials `X^w` that it draws.
//! For responses `z` and a challenge `X^ω` both sides can compute, modulo `q`,
//!
//! ```text
//! T = Σ_keys c1*·z_s - z_φ + X^ω Σ_keys c0*        T'_key = t·z_e - pk1·z_s - X^ω pk0
//! ```
//!
//! and the encryptor, from its masks alone and before it knows `ω`, the same numbers: with masks in
//! the place of responses and nothing in that of what was sent.

use super::wide::{self, add_shifted, reduce};
use crate::bounds::{ERROR_BITS, PHASE_BITS, ROWS, SECRET_BITS};
use crate::buffer::Words;
use crate::context::{Prime, context};
use crate::expand::{Stream, new_uniform_half};
use crate::kernels;
use crate::parameters::{PLAINTEXT_MODULUS, SLOTS};
use crate::secret::Limbs;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use zerocopy::IntoBytes;

/// Limbs of a response for a key or its errors.
pub const KEY_LIMBS: usize = wide::limbs(ERROR_BITS);
/// Limbs of a response for phases.
pub const PHASE_LIMBS: usize = wide::limbs(PHASE_BITS);

/// Bytes of each of the evaluator's two challenges.
pub const CHALLENGE_BYTES: usize = 32;
/// Bytes of the encryptor's first message.
pub const COMMITMENT_BYTES: usize = 32;

/// Which proof it is: enters all hashes.
#[derive(Clone, Copy, Debug)]
pub struct BatchId {
    /// Of the session; differs by who encrypts, as a key's does.
    pub session: [u8; 32],
    /// Number of the proof among those of this session and encryptor.
    pub number: u64,
}

impl BatchId {
    fn hash(&self, label: &[u8]) -> Sha256 {
        Sha256::new_with_prefix(b"twain proof of plaintext knowledge")
            .chain_update((label.len() as u64).to_le_bytes())
            .chain_update(label)
            .chain_update(self.session)
            .chain_update(self.number.to_le_bytes())
    }

    /// `count` exponents below `2N` from a challenge.
    fn exponents(
        &self,
        label: &[u8],
        challenge: &[u8; CHALLENGE_BYTES],
        count: usize,
    ) -> Vec<usize> {
        let key = self.hash(label).chain_update(challenge).finalize();
        let mut words = vec![0; count];
        Stream::new(&key.into()).fill(&mut words);
        words.into_iter().map(|word| word as usize % (2 * SLOTS)).collect()
    }

    /// Exponents of a batch's encryptions, in their order, row by row.
    pub fn weights(
        &self,
        challenge: &[u8; CHALLENGE_BYTES],
        encryptions: usize,
    ) -> Vec<Vec<usize>> {
        let all = self.exponents(b"weights", challenge, ROWS * encryptions);
        all.chunks_exact(encryptions).map(<[usize]>::to_vec).collect()
    }

    /// The challenges of the rows.
    pub fn challenges(&self, challenge: &[u8; CHALLENGE_BYTES]) -> Vec<usize> {
        self.exponents(b"challenges", challenge, ROWS)
    }
}

/// Masks or responses of a row.
pub struct Row {
    /// `z_s` and `z_e` of each key.
    pub keys: Vec<[Limbs<KEY_LIMBS>; 2]>,
    /// `z_φ`.
    pub phase: Limbs<PHASE_LIMBS>,
}

/// A key and the numbers of its encryptions in a batch.
pub struct Numbered {
    /// Of the key.
    pub session: [u8; 32],
    /// In the batch's order.
    pub counters: Vec<u64>,
}

/// The halves that were sent, and the rows' challenges.
pub struct Sent<'a> {
    pub keys: Vec<SentHalves<'a>>,
    pub challenges: &'a [usize],
}

/// Transformed residues of what was sent of a key and its encryptions.
pub struct SentHalves<'a> {
    pub key: &'a [Words],
    pub encryptions: Vec<&'a [Words]>,
}

/// The hash of all `T`, `T'`.
pub fn announcement(
    id: &BatchId,
    keys: &[Numbered],
    weights: &[Vec<usize>],
    rows: &[Row],
    sent: Option<&Sent<'_>>,
) -> [u8; COMMITMENT_BYTES] {
    let primes = context().primes.par_iter().enumerate();
    let digests: Vec<[u8; 32]> =
        primes.map(|(k, prime)| digest_modulo(k, prime, keys, weights, rows, sent)).collect();
    id.hash(b"masks").chain_update(digests.as_bytes()).finalize().into()
}

/// The hash of the residues modulo the `k`-th prime.
fn digest_modulo(
    k: usize,
    prime: &Prime,
    keys: &[Numbered],
    weights: &[Vec<usize>],
    rows: &[Row],
    sent: Option<&Sent<'_>>,
) -> [u8; 32] {
    let modulus = &prime.modulus;
    let mut hash = Sha256::new();
    // Of the sent halves, only their sum over all keys is needed.
    let mut constants: Vec<Words> = rows.iter().map(|_| Words::new()).collect();
    let mut totals: Vec<Words> = rows.iter().map(|_| Words::new()).collect();
    let mut first = 0;
    for (j, key) in keys.iter().enumerate() {
        let mut linears: Vec<Words> = rows.iter().map(|_| Words::new()).collect();
        for (i, &counter) in key.counters.iter().enumerate() {
            let weights = || weights.iter().map(|weights| weights[first + i]);
            let mut uniform = new_uniform_half(&key.session, counter, modulus);
            add_to_rows(prime, &mut uniform, weights(), &mut linears);
            if let Some(sent) = sent {
                let mut half = sent.keys[j].encryptions[i][k].clone();
                add_to_rows(prime, &mut half, weights(), &mut constants);
            }
        }
        first += key.counters.len();
        let public = new_uniform_half(&key.session, 0, modulus);
        let mut public_sent = sent.map(|sent| sent.keys[j].key[k].clone());
        if let Some(public_sent) = &mut public_sent {
            prime.transform.inverse(public_sent);
        }
        for (v, (row, mut linear)) in rows.iter().zip(linears).enumerate() {
            reduce(modulus, &mut linear);
            prime.transform.forward(&mut linear);
            let [secret, error] = &row.keys[j];
            let lift = modulus.power(2, 52);
            let mut secret = wide::residues(prime, secret, SECRET_BITS, lift);
            prime.transform.forward(&mut secret);
            kernels::add_products(modulus, &[(&linear, &secret)], &mut totals[v]);
            let t = modulus.reduce(&PLAINTEXT_MODULUS);
            let mut of_key = wide::residues(prime, error, ERROR_BITS, t);
            if let (Some(public_sent), Some(sent)) = (&public_sent, sent) {
                add_shifted(&mut of_key, public_sent, sent.challenges[v] + SLOTS);
                reduce(modulus, &mut of_key);
            }
            prime.transform.forward(&mut of_key);
            kernels::subtract_product(modulus, &public, &secret, &mut of_key);
            absorb(&mut hash, &mut of_key);
        }
    }
    for (v, ((row, constant), total)) in rows.iter().zip(constants).zip(&mut totals).enumerate() {
        let mut rest = wide::residues(prime, &row.phase, PHASE_BITS, modulus.negate(1));
        if let Some(sent) = sent {
            let mut constant = constant;
            reduce(modulus, &mut constant);
            add_shifted(&mut rest, &constant, sent.challenges[v]);
            reduce(modulus, &mut rest);
        }
        prime.transform.forward(&mut rest);
        kernels::add(modulus, total, &rest);
        absorb(&mut hash, total);
    }
    hash.finalize().into()
}

/// Adds the polynomial with these transformed residues, times each row's monomial, to the rows'
/// sums.
fn add_to_rows(
    prime: &Prime,
    residues: &mut Words,
    weights: impl Iterator<Item = usize>,
    sums: &mut [Words],
) {
    prime.transform.inverse(residues);
    for (sums, weight) in sums.iter_mut().zip(weights) {
        add_shifted(sums, residues, weight);
    }
}

fn absorb(hash: &mut Sha256, residues: &mut Words) {
    residues.iter_mut().for_each(|word| *word = word.to_le());
    hash.update(residues.as_bytes());
}
