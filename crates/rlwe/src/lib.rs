//! BGV linear encryption whose plaintext space is the BN254 scalar field.
//!
//! One party, the *encryptor*, sends encryptions of vectors `a_i` of [`SLOTS`] field elements; the other,
//! the *evaluator*, answers with one encryption of `Σ a_i·b_i - v`, slot by slot, for vectors `b_i` and a
//! mask `v` of its own. Decryption and `v` are additive shares of the inner product: an oblivious
//! linear evaluation (protocol §2). The encryptor learns the slots of the answer and nothing else
//! about `b_i` and `v` (statistically, [`FloodBudget`]); the evaluator learns nothing (ring-LWE).
//!
//! ```text
//! SecretKey::generate ─ public_key ──────────────▶ Evaluator::new
//! SecretKey::encrypt  ─ Encryption, FRESH_BYTES ─▶ Evaluator::answer
//! SecretKey::decrypt  ◀─ Answer, ANSWER_BYTES ───
//! ```
//!
//! ```
//! use rand_chacha::ChaCha20Rng;
//! use rand_core::SeedableRng;
//! use twain_algebra::Fr;
//! use twain_rlwe::{Evaluator, Request, SLOTS, SecretKey, uniform_scalars};
//!
//! # fn main() -> Result<(), twain_rlwe::Error> {
//! let mut rng = ChaCha20Rng::from_seed([7; 32]); // the operating system's, in real life
//! let session = [1; 32];
//! let (mut key, public) = SecretKey::generate(session, &mut rng);
//! let encryptions = key.encrypt(&[&[Fr::from(6)]], &mut rng)?;
//!
//! let mut evaluator = Evaluator::new(session, public);
//! let mut mask = vec![Fr::from(0); SLOTS];
//! uniform_scalars(&mut rng, &mut mask);
//! let input = [Fr::from(7)];
//! let products = vec![(&encryptions[0], &input[..])];
//! let answers = evaluator.answer(&[Request { products, mask: &mask }], &mut rng)?;
//!
//! assert_eq!(key.decrypt(&answers[0])[0] + mask[0], Fr::from(42));
//! # Ok(())
//! # }
//! ```
//!
//! Security is against semi-honest parties. [`parameters`] derives every number. References: Brakerski,
//! Gentry, Vaikuntanathan, *(Leveled) fully homomorphic encryption without bootstrapping* (ITCS 2012);
//! Keller, Pastro, Rotaru, *Overdrive* (EUROCRYPT 2018).

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
mod secret;
mod slots;
mod transform;
mod wire;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod tests;

pub use encryption::{Answer, Encryption, PublicKey, SecretKey};
pub use error::Error;
pub use evaluator::{Evaluator, Request};
pub use parameters::{ANSWER_BYTES, FRESH_BYTES, FloodBudget, SLOTS};

use expand::Stream;
use rand_core::{CryptoRng, RngCore};
use twain_algebra::Fr;

/// Fills `out` with uniform scalars, from one seed drawn from `rng`: operands and masks.
pub fn uniform_scalars(rng: &mut (impl RngCore + CryptoRng), out: &mut [Fr]) {
    secret::uniform_scalars(&mut Stream::from_rng(rng), out);
}
