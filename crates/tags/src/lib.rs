//! Shares that carry tags, so that a peer which deviates cannot bend what is computed with them
//! (protocol §24). Nothing calls it yet: it is the base of a prover that is safe against such a
//! peer.
//!
//! Input: a link, a source of tags, values. Output: the halves of tagged values ([`Tagged`]), from
//! which only checked openings, checked products and zero tests lead on. Stages are types: tags are
//! made in [`Preprocessing`], which ends with an audit, and only [`Audited`] takes inputs.
//!
//! ```
//! use rand_chacha::ChaCha20Rng;
//! use rand_core::SeedableRng;
//! use twain_algebra::Fr;
//! use twain_link::channel::{MemoryChannel, memory_pair};
//! use twain_ole::{BgvOle, OleSource};
//! use twain_party::PartyError;
//! use twain_tags::{Demand, Preprocessing, Public, RingTags, TagSource};
//!
//! /// One side: both give a number, and both learn the product and nothing else.
//! fn side(mut link: MemoryChannel, seed: u64, input: Fr) -> Result<Public, PartyError> {
//!     let rng = |purpose| ChaCha20Rng::seed_from_u64(10 * seed + purpose); // secret, in real life
//!     let source = Box::new(RingTags::new(rng(0)));
//!     let demand = Demand { triple_batches: 1, ..Demand::default() };
//!     let mut stage = Preprocessing::begin(&mut link, source, &demand, rng(1))?;
//!     stage.spares(&mut link, 2, 2)?;
//!     let triples = stage.triples(&mut link, &mut BgvOle::new(rng(2)), 1)?;
//!     // Up to here nothing depends on an input.
//!     let mut audited = stage.audit(&mut link)?;
//!     let [model, data] = audited.input(&mut link, &[input], 1)?;
//!     let pair = (model.get(0), data.get(0));
//!     let products = audited.side().multiply(&mut link, &[pair], triples)?;
//!     Ok(audited.side().open(&mut link, "example", &products)?[0])
//! }
//!
//! let (model, data) = memory_pair([7; 32]);
//! let products = std::thread::scope(|scope| {
//!     let data = scope.spawn(|| side(data, 2, Fr::from(6)));
//!     [side(model, 1, Fr::from(7)), data.join().expect("no panic")]
//! });
//! for product in products {
//!     assert_eq!(product?, Public(Fr::from(42)));
//! }
//! # Ok::<(), PartyError>(())
//! ```

mod audited;
pub mod bounds;
mod coins;
mod columns;
mod equality;
#[cfg(feature = "test-utils")]
mod ideal;
mod preprocessing;
mod products;
mod proof;
mod ring;
mod side;
mod source;
mod spares;
mod values;

pub use audited::Audited;
pub use coins::Challenge;
pub use columns::{CheckedPairs, Denominator, LookupPair, MaskColumn, ProductColumns};
#[cfg(feature = "test-utils")]
pub use ideal::{IdealTags, ideal_tags};
pub use preprocessing::{Demand, Preprocessing};
pub use products::Triple;
pub use proof::{Relation, Term};
pub use ring::RingTags;
pub use side::Side;
pub use source::{Correlation, TagSource};
pub use values::{Key, Owned, Public, Tagged, TaggedVector};
