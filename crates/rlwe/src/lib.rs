//! BGV linear encryption whose plaintext space is the BN254 scalar field.
//!
//! One party, the *encryptor*, sends encryptions of vectors `a_i` of [`SLOTS`] field elements; the
//! other, the *evaluator*, answers with one encryption of `Σ a_i·b_i - v`, slot by slot, for
//! vectors `b_i` and a mask `v` of its own. Decryption and `v` are additive shares of the inner
//! product: an oblivious linear evaluation (protocol §2). The encryptor learns the slots of the
//! answer and nothing else about `b_i` and `v` (statistically, [`FloodBudget`]); the evaluator
//! learns nothing (ring-LWE).
//!
//! ```text
//! SecretKey::generate ─ public_key ─────────────────▶
//! SecretKey::encrypt  ─ Encryption, FRESH_BYTES ────▶ Batch::new
//! Prover              ◀─ five moves ────────────────▶ Challenged::verify ─ Proved
//!                                                     Evaluator::answer
//! SecretKey::decrypt  ◀─ Answer, ANSWER_BYTES ──────
//! ```
//!
//! ```
//! use rand_chacha::ChaCha20Rng;
//! use rand_core::SeedableRng;
//! use twain_algebra::Fr;
//! use twain_rlwe::proof::{Batch, BatchId, Openings, Prover, Received};
//! use twain_rlwe::{Evaluator, Request, SLOTS, SecretKey, uniform_scalars};
//!
//! # fn main() -> Result<(), twain_rlwe::Error> {
//! let mut rng = ChaCha20Rng::from_seed([7; 32]); // the operating system's, in real life
//! let (mut key, public) = SecretKey::generate([1; 32], &mut rng);
//! let (encryption, opening) = key.encrypt(&[&[Fr::from(6)]], &mut rng)?.remove(0);
//!
//! // The evaluator uses nothing that has not been proved.
//! let id = BatchId { session: [2; 32], number: 0 };
//! let openings = Openings { key: &key, openings: vec![opening] };
//! let prover = Prover::new(id, vec![openings])?;
//! let batch = Batch::new(id, vec![Received { key: public, encryptions: vec![encryption] }])?;
//! let (batch, weights) = batch.weigh(&mut rng);
//! let (masked, commitment) = prover.commit(&weights, &mut rng);
//! let (batch, challenge) = batch.challenge(commitment, &mut rng);
//! let proved = batch.verify(&masked.respond(&challenge)?)?.remove(0);
//!
//! let mut mask = vec![Fr::from(0); SLOTS];
//! uniform_scalars(&mut rng, &mut mask);
//! let input = [Fr::from(7)];
//! let products = vec![(&proved.encryptions[0], &input[..])];
//! let request = Request { key: &proved.key, products, mask: &mask };
//! let answers = Evaluator::default().answer(&[request], &mut rng)?;
//!
//! assert_eq!(key.decrypt(&answers[0])[0] + mask[0], Fr::from(42));
//! # Ok(())
//! # }
//! ```
//!
//! The evaluator is secure against an encryptor that deviates; what an evaluator that deviates
//! makes of its answers is not checked here. [`parameters`] and [`bounds`] derive every number.
//! References: Brakerski, Gentry, Vaikuntanathan, *(Leveled) fully homomorphic encryption without
//! bootstrapping* (ITCS 2012); Keller, Pastro, Rotaru, *Overdrive* (EUROCRYPT 2018); Baum, Cozzo,
//! Smart, *Using TopGear in Overdrive* (SAC 2019).

pub mod bounds;
mod budget;
mod buffer;
mod context;
mod encryption;
mod error;
mod evaluator;
mod expand;
mod kernels;
mod lanes;
mod modulus;
pub mod parameters;
pub mod proof;
mod secret;
mod slots;
mod transform;
mod wire;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod tests;

pub use budget::FloodBudget;
pub use encryption::{Answer, Encryption, Opening, PublicKey, SecretKey};
pub use error::Error;
pub use evaluator::{Evaluator, Request};
pub use parameters::{ANSWER_BYTES, FRESH_BYTES, SLOTS};

use expand::Stream;
use rand_core::{CryptoRng, RngCore};
use twain_algebra::Fr;

/// Fills `out` with uniform scalars, from one seed drawn from `rng`: operands and masks.
pub fn uniform_scalars(rng: &mut (impl RngCore + CryptoRng), out: &mut [Fr]) {
    secret::uniform_scalars(&mut Stream::from_rng(rng), out);
}
