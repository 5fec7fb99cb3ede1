//! Oblivious transfer between the two parties, secure against one that deviates.
//!
//! One [`OtPair`] per session holds both directions: this party sends in one and receives in the
//! other. Its currency is the *correlated* transfer: for every index the sender gets a block `q`,
//! the receiver, with choice bit `c`, gets `q ^ c * delta`, where `delta` is the sender's for the
//! session (Ishai, Kilian, Nissim, Petrank, CRYPTO 2003, in the form of Asharov, Lindell,
//! Schneider, Zohner, CCS 2013). Digit masks use the correlation as it is; hashed to a pad (see
//! [`PadUse`]) it is a random transfer. A transfer costs 16 bytes from its receiver.
//!
//! Base transfers are made afresh in every session; the session id enters every hash.

mod base;
mod consistency;
mod extension;
mod pads;
mod pair;

pub use pads::PadUse;
pub use pair::{Correlated, OtPair};
