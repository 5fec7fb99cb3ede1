//! The second party: channel, oblivious linear evaluation, digit masks, preprocessing.

pub mod channel;
pub mod dpf;
pub mod ole;
pub mod ot;
