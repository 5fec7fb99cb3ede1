//! Values as people read them, in witnesses and proofs (spec 02 §3.2, §3.3).

use crate::felt::field_to_pretty;
use serde::{Deserialize, Serialize};
use twain_algebra::Fr;
use twain_graph::numbers::dequantize_field;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Values as texts: rescaled ones are decimals, the others `0x` and the integer in hexadecimal.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct PrettyElements {
    /// Inputs as real numbers.
    pub rescaled_inputs: Vec<Vec<String>>,
    /// Inputs as field elements.
    pub inputs: Vec<Vec<String>>,
    /// Hashes of the inputs.
    pub processed_inputs: Vec<Vec<String>>,
    /// Hash of the parameters.
    pub processed_params: Vec<Vec<String>>,
    /// Hashes of the outputs.
    pub processed_outputs: Vec<Vec<String>>,
    /// Outputs as real numbers.
    pub rescaled_outputs: Vec<Vec<String>>,
    /// Outputs as field elements.
    pub outputs: Vec<Vec<String>>,
}

/// Shows nothing: the inputs may be private.
impl std::fmt::Debug for PrettyElements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrettyElements").finish_non_exhaustive()
    }
}

/// Tensors as hexadecimal integers.
pub(crate) fn hexadecimal(tensors: &[Vec<Fr>]) -> Vec<Vec<String>> {
    tensors.iter().map(|tensor| tensor.iter().map(field_to_pretty).collect()).collect()
}

/// Tensors as decimals, each with its scale.
pub(crate) fn rescaled(tensors: &[Vec<Fr>], scales: &[i32]) -> Vec<Vec<String>> {
    let texts = |(tensor, scale): (&Vec<Fr>, &i32)| {
        tensor.iter().map(|value| dequantize_field(value, *scale).to_string()).collect()
    };
    tensors.iter().zip(scales).map(texts).collect()
}

/// Hashes, one list for each.
pub(crate) fn hashes(hashes: &[Fr]) -> Vec<Vec<String>> {
    hashes.iter().map(|hash| vec![field_to_pretty(hash)]).collect()
}
