//! `vk.key` and `pk.key` (spec 01 §4.4).

mod format;
mod proving;
mod verifying;

pub use format::KeyFormat;
pub use proving::{KeyPolynomial, ProvingKeyFile, prepare_proving_key};
pub use verifying::{KeyShape, SelectorRows, VerifyingKeyFile};
