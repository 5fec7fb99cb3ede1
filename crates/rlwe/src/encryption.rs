//! The encryptor's side: secret key, public key, fresh encryptions, decryption of answers.
//!
//! A fresh encryption of `m` is `(c0, c1)` with `c1` uniform and `c0 = m + t·e - c1·s`. Only `c0`
//! is sent: `c1` is the uniform half that both parties expand from the session and a counter. The
//! public key is an encryption of zero; it takes counter 0. A counter is used once: two encryptions
//! under one `c1` would show the difference of their plaintexts, so the key hands counters out
//! itself.

use crate::buffer::{Element, Words};
use crate::context::{Prime, context};
use crate::expand::{Stream, new_uniform_half};
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
    pub(crate) session: [u8; 32],
    next_counter: u64,
    /// Transformed residues in Montgomery form.
    pub(crate) residues: Element,
    /// The secret, plus one.
    pub(crate) ternary: Words,
    /// The errors of the public key, plus 21.
    pub(crate) errors: Words,
}

/// What the encryptor knows of an encryption: for its proof.
pub struct Opening {
    pub(crate) counter: u64,
    /// Of the plaintext, plus `(t - 1)/2`.
    pub(crate) coefficients: Coefficients,
    /// Plus 21.
    pub(crate) errors: Words,
}

impl SecretKey {
    /// A new key and its public half. `session` is the key's own: it differs between the two
    /// parties of a session and between the keys of a party, since it determines the uniform
    /// halves.
    pub fn generate(session: [u8; 32], rng: &mut (impl RngCore + CryptoRng)) -> (Self, PublicKey) {
        let mut stream = Stream::from_rng(rng);
        let secret = ternary(&mut stream);
        let errors = errors(&mut stream);
        Self::from_parts(session, secret, errors)
    }

    /// The key of a secret and of the errors of its public half.
    pub(crate) fn from_parts(
        session: [u8; 32],
        ternary: Words,
        errors: Words,
    ) -> (Self, PublicKey) {
        let of_prime = |prime: &Prime| ternary_residues(prime, &ternary, prime.ternary);
        let residues = context().primes.par_iter().map(of_prime).collect();
        let key = Self { session, next_counter: 1, residues, ternary, errors };
        let public = key.public_key();
        (key, public)
    }

    /// The public half.
    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey::new(self.session, self.encrypt_with(0, &slots::encode(&[]), &self.errors))
    }

    /// Encrypts plaintexts of at most `N` slots each; missing slots are zero. The same encryptions
    /// on any number of threads.
    ///
    /// # Errors
    /// [`Error::TooManySlots`].
    pub fn encrypt(
        &mut self,
        plaintexts: &[&[Fr]],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<(Encryption, Opening)>, Error> {
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
                let errors = errors(&mut stream);
                let residues = self.encrypt_with(counter, &coefficients, &errors);
                let encryption = Encryption { key: self.session, counter, residues };
                (encryption, Opening { counter, coefficients, errors })
            })
            .collect())
    }

    /// Transformed residues of `m + t·e - c1·s`.
    fn encrypt_with(&self, counter: u64, plaintext: &Coefficients, errors: &Words) -> Element {
        let primes = context().primes.par_iter().zip(&self.residues);
        primes
            .map(|(prime, secret)| {
                let modulus = &prime.modulus;
                let addend = modulus.add(prime.negated_half, prime.error_shift);
                let mut residues = Words::new();
                let [a, b, c, d, e] = plaintext.0.each_ref().map(|limb| &limb[..]);
                let [ca, cb, cc, cd, ce] = prime.limb;
                let terms = [(a, ca), (b, cb), (c, cc), (d, cd), (e, ce), (&**errors, prime.error)];
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

/// Transformed residues, in Montgomery form, of a ternary polynomial times a constant.
pub(crate) fn ternary_residues(prime: &Prime, shifted: &[u64], constants: (u64, u64)) -> Words {
    let mut residues = Words::new();
    let (one, minus_one) = constants;
    kernels::linear_combination(&prime.modulus, &[(shifted, one)], minus_one, &mut residues);
    prime.transform.forward(&mut residues);
    residues
}

/// What the evaluator makes encryptions of zero from: `(t·e - pk1·s, pk1)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    session: [u8; 32],
    /// Transformed residues of the half that is sent.
    pub(crate) residues: Element,
    /// Those of the uniform half.
    pub(crate) uniform: Element,
}

/// A fresh encryption of `N` slots, without its uniform half. May serve any number of answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    key: [u8; 32],
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

    /// The session of its key.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// Reads the encryption under the key of this session that took `counter` (the first takes 1).
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Residue`].
    pub fn from_bytes(key: [u8; 32], counter: u64, bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self { key, counter, residues: wire::read_element(bytes, FRESH_PRIMES)? })
    }

    /// Residues of the uniform half.
    pub(crate) fn uniform(&self, prime: &Prime) -> Words {
        new_uniform_half(&self.key, self.counter, &prime.modulus)
    }
}

impl PublicKey {
    fn new(session: [u8; 32], residues: Element) -> Self {
        let primes = context().primes.par_iter();
        let uniform = primes.map(|p| new_uniform_half(&session, 0, &p.modulus)).collect();
        Self { session, residues, uniform }
    }

    /// That of the key.
    pub fn session(&self) -> &[u8; 32] {
        &self.session
    }

    /// [`FRESH_BYTES`] bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        fresh_to_bytes(&self.residues)
    }

    /// Reads the public key of this session.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Residue`].
    pub fn from_bytes(session: [u8; 32], bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self::new(session, wire::read_element(bytes, FRESH_PRIMES)?))
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
