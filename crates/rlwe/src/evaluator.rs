//! The evaluator's side: an answer to fresh encryptions.
//!
//! `Σ 4·Enc(a_i)·(b_i/4) - v`, plus twice a fresh public-key encryption of zero,
//! `2(pk·w + t·(0, e1))`, plus `t·f`, then the switch to `q'`. Without `pk1·w + t·e1` the answer's
//! `c1` would be a noiseless linear function of the `b_i`, which the encryptor, who knows every
//! `c1`, could solve. The flood `f` hides what the phase says of the noise; it stands in the place
//! of the error `e0` of the textbook encryption, and covers it. The factors are those of which a
//! proof shows that the encryptor made something short ([`crate::bounds`]).

use crate::budget::FloodBudget;
use crate::buffer::{Element, Words};
use crate::context::{Prime, context};
use crate::encryption::{Answer, Encryption, PublicKey, ternary_residues};
use crate::expand::Stream;
use crate::kernels;
use crate::parameters::{FLOOD_BITS, SLOTS};
use crate::proof::Proved;
use crate::secret::{Coefficients, FLOOD_LIMBS, Limbs, errors, integers, ternary};
use crate::{Error, slots};
use rand_core::{CryptoRng, RngCore};
use rayon::prelude::*;
use twain_algebra::Fr;

/// Products taken together: their factors, six of these vectors, fit the second-level cache.
const PRODUCTS_AT_ONCE: usize = 2;

/// What one answer is to be: an encryption of `Σ a_i·b_i - v`, slot by slot.
pub struct Request<'a> {
    /// The key that all of the `a_i` are encrypted under.
    pub key: &'a Proved<PublicKey>,
    /// The encryptions of the `a_i` and the slots of the `b_i` (missing ones are zero).
    pub products: Vec<(&'a Proved<Encryption>, &'a [Fr])>,
    /// `v`: uniform, fresh, all `N` slots.
    pub mask: &'a [Fr],
}

/// Answers the encryptions of one peer in one session.
#[derive(Default)]
pub struct Evaluator {
    budget: FloodBudget,
}

impl Evaluator {
    /// How well the answers so far are hidden.
    pub fn budget(&self) -> FloodBudget {
        self.budget
    }

    /// Answers requests. The same answers on any number of threads.
    ///
    /// # Errors
    /// [`Error::TooManySlots`]; [`Error::Length`] for a mask that is not of `N` slots;
    /// [`Error::OtherKey`] for an encryption under another key than the request's;
    /// [`Error::Budget`] if the session's answers would no longer be hidden.
    pub fn answer(
        &mut self,
        requests: &[Request<'_>],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<Answer>, Error> {
        let mut budget = self.budget;
        for request in requests {
            let mut operands = request.products.iter().map(|(_, slots)| slots.len());
            if let Some(got) = operands.find(|&length| length > SLOTS) {
                return Err(Error::TooManySlots { got, slots: SLOTS });
            }
            if request.mask.len() != SLOTS {
                return Err(Error::Length { got: request.mask.len(), expected: SLOTS });
            }
            if request
                .products
                .iter()
                .any(|(encryption, _)| encryption.key() != request.key.session())
            {
                return Err(Error::OtherKey);
            }
            budget.charge(1, request.products.len())?;
        }
        self.budget = budget;
        let streams: Vec<_> = requests.iter().map(|_| Stream::from_rng(rng)).collect();
        let work = requests.par_iter().zip(streams);
        Ok(work
            .map(|(request, mut stream)| {
                let secrets = Secrets::draw(request, &mut stream, FLOOD_BITS);
                let (constant, linear) = answer_fresh(request, &secrets);
                switch(&constant, &linear)
            })
            .collect())
    }
}

/// Both elements of an answer modulo `q`, as coefficients.
pub(crate) fn answer_fresh(request: &Request<'_>, secrets: &Secrets) -> (Element, Element) {
    let primes = context().primes.par_iter().enumerate();
    primes.map(|(k, prime)| answer_modulo(k, prime, request, secrets)).unzip()
}

/// Both elements of an answer modulo the `k`-th prime, as coefficients.
fn answer_modulo(
    k: usize,
    prime: &Prime,
    request: &Request<'_>,
    secrets: &Secrets,
) -> (Words, Words) {
    let modulus = &prime.modulus;
    let zero = ternary_residues(prime, &secrets.ternary, prime.zero_ternary);
    let (mut constant, mut linear) = (Words::new(), Words::new());
    kernels::add_products(modulus, &[(&request.key.residues[k], &zero)], &mut constant);
    kernels::add_products(modulus, &[(&request.key.uniform[k], &zero)], &mut linear);
    let products: Vec<_> = request.products.iter().zip(&secrets.multipliers).collect();
    for products in products.chunks(PRODUCTS_AT_ONCE) {
        let halves = products.iter().map(|((encryption, _), limbs)| {
            let mut multiplier = Words::new();
            let terms = limb_terms(limbs, &prime.multiplier_limb);
            kernels::linear_combination(modulus, &terms, prime.multiplier_shift, &mut multiplier);
            prime.transform.forward(&mut multiplier);
            (&encryption.residues[k], encryption.uniform(prime), multiplier)
        });
        let halves: Vec<_> = halves.collect();
        let sent: Vec<_> = halves.iter().map(|(sent, _, by)| (&sent[..], &by[..])).collect();
        let uniform: Vec<_> = halves.iter().map(|(_, half, by)| (&half[..], &by[..])).collect();
        kernels::add_products(modulus, &sent, &mut constant);
        kernels::add_products(modulus, &uniform, &mut linear);
    }
    prime.transform.inverse(&mut constant);
    prime.transform.inverse(&mut linear);
    let mask = limb_terms(&secrets.mask, &prime.negated_limb);
    kernels::linear_combination(modulus, &mask, prime.half, &mut constant);
    let flood = limb_terms(&secrets.flood, &prime.flood);
    let shift = prime.flood_shift(secrets.flood_bits);
    kernels::linear_combination(modulus, &flood, shift, &mut constant);
    let (error, shift) = prime.zero_error;
    kernels::linear_combination(modulus, &[(&secrets.errors, error)], shift, &mut linear);
    (constant, linear)
}

/// To the modulus of an answer.
pub(crate) fn switch(constant: &[Words], linear: &[Words]) -> Answer {
    let switch = |element: &[Words]| kernels::switch_modulus(&context().switch, element);
    let (constant, linear) = rayon::join(|| switch(constant), || switch(linear));
    Answer { constant, linear }
}

/// What an answer is made from, beside the encryptions.
pub(crate) struct Secrets {
    multipliers: Vec<Coefficients>,
    mask: Coefficients,
    /// `w`, plus one.
    pub(crate) ternary: Words,
    /// `e1`, plus 21.
    pub(crate) errors: Words,
    flood: Limbs<FLOOD_LIMBS>,
    flood_bits: u32,
}

impl Secrets {
    /// Encodes the operands and draws the rest.
    pub(crate) fn draw(request: &Request<'_>, stream: &mut Stream, flood_bits: u32) -> Self {
        Self {
            multipliers: request
                .products
                .par_iter()
                .map(|(_, b)| slots::encode_quarter(b))
                .collect(),
            mask: slots::encode(request.mask),
            ternary: ternary(stream),
            errors: errors(stream),
            flood: integers(stream, flood_bits),
            flood_bits,
        }
    }
}

/// Limbs with their constants.
fn limb_terms<'a, const K: usize>(
    limbs: &'a Limbs<K>,
    constants: &[u64; K],
) -> [(&'a [u64], u64); K] {
    std::array::from_fn(|j| (&limbs.0[j][..], constants[j]))
}
