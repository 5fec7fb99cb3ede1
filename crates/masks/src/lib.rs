//! What the digit protocols consume, made before any value is known: digit masks ([`dpf`]) and bits
//! that the parties share together with their products (`docs/protocol.md`: oblivious transfer,
//! digit masks).
//!
//! Input: a [`Demand`], which follows from the circuit and is the same on both sides, a generator
//! of this party's randomness and a link. Output: this party's half of the [`Material`]. Behind
//! [`DigitMaskSource`] it is made when asked for ([`InlineMaterial`]) or some calls ahead
//! ([`PlannedMaterial`]).
//!
//! ```
//! use rand_chacha::ChaCha20Rng;
//! use rand_core::SeedableRng;
//! use twain_link::channel::{MemoryChannel, memory_pair};
//! use twain_masks::{Demand, DigitMaskSource, InlineMaterial};
//!
//! // Two products of random bits and a mask below 2^5.
//! let mut demand = Demand { bit_products: 2, ..Demand::default() };
//! demand.masks[5] = 1;
//! let side = |mut link: MemoryChannel, seed| {
//!     InlineMaterial::new(ChaCha20Rng::seed_from_u64(seed)).supply(&mut link, &demand)
//! };
//! let (model, data) = memory_pair([7; 32]);
//! let (model, data) = std::thread::scope(|scope| {
//!     let data = scope.spawn(|| side(data, 2));
//!     (side(model, 1), data.join().expect("no panic"))
//! });
//! let (model, data) = (model?, data?);
//! let position = model.masks[5][0].position().wrapping_add(data.masks[5][0].position());
//! assert!(position < 1 << 5);
//! let [m, d] = [&model.bit_products, &data.bit_products];
//! for i in 0..2 {
//!     let product = (m.left[i] ^ d.left[i]) & (m.right[i] ^ d.right[i]);
//!     assert_eq!(m.product[i] ^ d.product[i], product);
//! }
//! # Ok::<(), twain_party::PartyError>(())
//! ```

pub mod dpf;
mod error;
#[cfg(feature = "test-utils")]
mod ideal;
mod inline;
mod material;
mod ot;
mod planned;
mod shared_bits;

#[cfg(feature = "test-utils")]
pub use ideal::IdealMaterial;
pub use inline::InlineMaterial;
pub use material::{BitConversions, BitProducts, Demand, DigitMaskSource, Material, Selections};
pub use planned::PlannedMaterial;
