//! Modules beside the model's own region: commitments and hashes of inputs, parameters and outputs
//! (spec 04 §7).

mod commitment;
pub(crate) mod poseidon;
