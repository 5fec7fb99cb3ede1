//! The link between the two parties: from two addresses and a pinned key to ordered frames of known
//! length in a session both agree on, the scalars and bits that are in those frames, and
//! commitments and coins (`docs/protocol.md`: transport, handshake, identity).
//!
//! Input: addresses, this side's [`identity::Identity`], whom to accept, and a
//! [`handshake::Manifest`] of what this side holds. Output: a [`channel::Channel`] to the peer and
//! a [`handshake::Session`]. Everything above is written against the trait alone, so that it runs
//! in one process as well:
//!
//! ```
//! use twain_algebra::Fr;
//! use twain_link::channel::{Channel, memory_pair};
//! use twain_link::scalars::{SCALAR_BYTES, exchange_scalars};
//!
//! let (mut model, mut data) = memory_pair([7; 32]);
//! let [models, datas] = [Fr::from(3), Fr::from(4)];
//! // Both ends send before either receives; the number of scalars is known to both.
//! let (at_model, at_data) = std::thread::scope(|scope| {
//!     let end = scope.spawn(|| exchange_scalars(&mut data, "example", &[datas], 1));
//!     (exchange_scalars(&mut model, "example", &[models], 1), end.join())
//! });
//! assert_eq!(at_model?, [datas]);
//! assert_eq!(at_data.expect("no panic")?, [models]);
//! assert_eq!(model.traffic().sent, SCALAR_BYTES as u64);
//! # Ok::<(), twain_party::PartyError>(())
//! ```

pub mod bits;
pub mod channel;
pub mod commitment;
pub mod handshake;
pub mod identity;
pub mod scalars;
