//! The encryptor's side: secret key, public key, fresh encryptions, decryption of answers.
//!
//! A fresh encryption of `m` is `(c0, c1)` with `c1` uniform and `c0 = m + t·e - c1·s`. Only `c0` is sent:
//! `c1` is the uniform half that both parties expand from the session and a counter. The public key
//! is an encryption of zero; it takes counter 0. A counter is used once: two encryptions under one
//! `c1` would show the difference of their plaintexts, so the key hands counters out itself.

use crate::buffer::{Element, Words};
use crate::context::{Prime, context};
use crate::expand::{Stream, new_uniform_half, uniform_half};
use crate::kernels;
use crate::parameters::{ANSWER_BYTES, ANSWER_PRIMES, FRESH_BYTES, FRESH_PRIMES, SLOTS};
use crate::secret::{Coefficients, errors, ternary};
use crate::{Error, slots, wire};
use rand_core::{CryptoRng, RngCore};
use rayon::prelude::*;
use twain_algebra::Fr;

/// A ternary secret. One session, one key: the evaluator's answers depend on the key, so a key that
/// outlived a session could be probed (protocol §2). Never stored; erased when dropped.
pub struct SecretKey {
    session: [u8; 32],
    next_counter: u64,
    /// Transformed residues in Montgomery form.
    pub(crate) residues: Element,
}

impl SecretKey {
    /// A new key and its public half. `session` must differ between the two parties of a session
    /// (put the role into the hash it comes from): it determines the uniform halves.
    pub fn generate(session: [u8; 32], rng: &mut (impl RngCore + CryptoRng)) -> (Self, PublicKey) {
        let mut stream = Stream::from_rng(rng);
        let secret = ternary(&mut stream);
        let residues = context().primes.par_iter().map(|p| ternary_residues(p, &secret)).collect();
        let key = Self { session, next_counter: 1, residues };
        let zero = slots::encode(&[]);
        let public = PublicKey { residues: key.encrypt_with(0, &zero, &mut stream) };
        (key, public)
    }

    /// Encrypts plaintexts of at most `N` slots each; missing slots are zero. The same encryptions on
    /// any number of threads.
    ///
    /// # Errors
    /// [`Error::TooManySlots`].
    pub fn encrypt(
        &mut self,
        plaintexts: &[&[Fr]],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<Encryption>, Error> {
        if let Some(long) = plaintexts.iter().find(|slots| slots.len() > SLOTS) {
            return Err(Error::TooManySlots { got: long.len(), slots: SLOTS });
        }
        let streams: Vec<_> = plaintexts.iter().map(|_| Stream::from_rng(rng)).collect();
        let first = self.next_counter;
        self.next_counter += plaintexts.len() as u64;
        let work = plaintexts.par_iter().zip(streams).enumerate();
        Ok(work
            .map(|(i, (plaintext, mut stream))| {
                let counter = first + i as u64;
                let coefficients = slots::encode(plaintext);
                Encryption {
                    counter,
                    residues: self.encrypt_with(counter, &coefficients, &mut stream),
                }
            })
            .collect())
    }

    /// Transformed residues of `m + t·e - c1·s`.
    pub(crate) fn encrypt_with(
        &self,
        counter: u64,
        plaintext: &Coefficients,
        stream: &mut Stream,
    ) -> Element {
        let errors = errors(stream);
        let primes = context().primes.par_iter().zip(&self.residues);
        primes
            .map(|(prime, secret)| {
                let modulus = &prime.modulus;
                let addend = modulus.add(prime.negated_half, prime.error_shift);
                let mut residues = Words::new();
                let [a, b, c, d, e] = plaintext.0.each_ref().map(|limb| &limb[..]);
                let [ca, cb, cc, cd, ce] = prime.limb;
                let terms = [(a, ca), (b, cb), (c, cc), (d, cd), (e, ce), (&*errors, prime.error)];
                kernels::linear_combination(modulus, &terms, addend, &mut residues);
                prime.transform.forward(&mut residues);
                let uniform = new_uniform_half(&self.session, counter, modulus);
                kernels::subtract_product(modulus, &uniform, secret, &mut residues);
                residues
            })
            .collect()
    }

    /// The slots of an answer.
    pub fn decrypt(&self, answer: &Answer) -> Vec<Fr> {
        let primes = context().primes[..ANSWER_PRIMES].par_iter().zip(&self.residues);
        let elements = answer.constant.par_iter().zip(&answer.linear);
        let phase: Element = primes
            .zip(elements)
            .map(|((prime, secret), (constant, linear))| {
                let mut phase = linear.clone();
                prime.transform.forward(&mut phase);
                kernels::multiply(&prime.modulus, &mut phase, secret);
                prime.transform.inverse(&mut phase);
                kernels::add(&prime.modulus, &mut phase, constant);
                phase
            })
            .collect();
        let mut coefficients = Coefficients::new();
        kernels::recombine(&context().recombine, &phase, &mut coefficients.0);
        slots::decode(&coefficients)
    }
}

/// Transformed residues, in Montgomery form, of a ternary polynomial.
pub(crate) fn ternary_residues(prime: &Prime, shifted: &[u64]) -> Words {
    let mut residues = Words::new();
    let (one, minus_one) = prime.ternary;
    kernels::linear_combination(&prime.modulus, &[(shifted, one)], minus_one, &mut residues);
    prime.transform.forward(&mut residues);
    residues
}

/// What the evaluator makes encryptions of zero from: `(t·e - pk1·s, pk1)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Transformed residues of the half that is sent.
    pub(crate) residues: Element,
}

/// A fresh encryption of `N` slots, without its uniform half. May serve any number of answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    counter: u64,
    /// Transformed residues of the half that is sent.
    pub(crate) residues: Element,
}

impl Encryption {
    /// The number of its uniform half: known to both sides by counting.
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// [`FRESH_BYTES`] bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        fresh_to_bytes(&self.residues)
    }

    /// Reads the encryption that took `counter` (the first of a key takes 1).
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Residue`].
    pub fn from_bytes(counter: u64, bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self { counter, residues: wire::read_element(bytes, FRESH_PRIMES)? })
    }

    /// Fills `out` with the residues of the uniform half.
    pub(crate) fn uniform(&self, session: &[u8; 32], prime: &Prime, out: &mut [u64]) {
        uniform_half(session, self.counter, &prime.modulus, out);
    }
}

impl PublicKey {
    /// [`FRESH_BYTES`] bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        fresh_to_bytes(&self.residues)
    }

    /// Reads a public key.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Residue`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self { residues: wire::read_element(bytes, FRESH_PRIMES)? })
    }
}

fn fresh_to_bytes(residues: &[Words]) -> Vec<u8> {
    let mut bytes = vec![0; FRESH_BYTES];
    wire::write_element(residues, &mut bytes);
    bytes
}

/// An evaluator's answer: an encryption of `Σ a_i·b_i - v` modulo `q'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Coefficients of `c0`.
    pub(crate) constant: Element,
    /// Coefficients of `c1`.
    pub(crate) linear: Element,
}

impl Answer {
    /// [`ANSWER_BYTES`] bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; ANSWER_BYTES];
        let (constant, linear) = bytes.split_at_mut(ANSWER_BYTES / 2);
        wire::write_element(&self.constant, constant);
        wire::write_element(&self.linear, linear);
        bytes
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Residue`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() != ANSWER_BYTES {
            return Err(Error::Length { got: bytes.len(), expected: ANSWER_BYTES });
        }
        let (constant, linear) = bytes.split_at(ANSWER_BYTES / 2);
        Ok(Self {
            constant: wire::read_element(constant, ANSWER_PRIMES)?,
            linear: wire::read_element(linear, ANSWER_PRIMES)?,
        })
    }
}
