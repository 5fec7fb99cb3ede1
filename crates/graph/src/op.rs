//! What a node does (spec 02 §2.4).

use crate::{HybridOp, LookupOp, PolyOp, Tensor};
use serde::{Deserialize, Serialize};
use twain_algebra::Fr;

/// An operation of a node. Variants are in the order of their discriminants.
#[derive(Clone, Debug, PartialEq)]
pub enum SupportedOp {
    /// Done with polynomial gates.
    Linear(PolyOp),
    /// Done with a static lookup table.
    Nonlinear(LookupOp),
    /// Done with gates, range checks and dynamic tables.
    Hybrid(HybridOp),
    /// An input of the model.
    Input(Input),
    /// A parameter.
    Constant(Constant),
    /// Not known to EZKL: layout fails.
    Unknown,
    /// An operation whose operands are first multiplied to a common scale.
    Rescaled(Rescaled),
    /// An operation whose result is divided down to a smaller scale.
    RebaseScale(RebaseScale),
}

/// An input of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The base-2 exponent of its fixed-point factor.
    pub scale: i32,
    /// Its type.
    pub datum_type: InputType,
    /// Whether its elements are range checked.
    pub decomp: bool,
}

/// A parameter of the model. Elements are overwritten when it is dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// The fixed-point integers as field elements.
    pub quantized_values: Tensor<Fr>,
    /// The floats; always [`Tensor::empty`] in files EZKL writes.
    pub raw_values: Tensor<f32>,
    /// Whether its elements are range checked when it is laid out.
    pub decomp: bool,
}

impl Drop for Constant {
    fn drop(&mut self) {
        twain_algebra::erase(&mut self.quantized_values.inner);
        self.raw_values.inner.fill(0.0);
    }
}

/// An operation whose operands are first multiplied to a common scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Rescaled {
    /// The operation.
    pub inner: Box<SupportedOp>,
    /// Index of the operand and its factor (1: untouched).
    pub scale: Vec<(usize, u128)>,
}

/// An operation whose result is divided down to a smaller scale.
#[derive(Clone, Debug, PartialEq)]
pub struct RebaseScale {
    /// The operation.
    pub inner: Box<SupportedOp>,
    /// The division, [`HybridOp::Div`] by `multiplier` in all files EZKL writes.
    pub rebase_op: HybridOp,
    /// The scale after the division.
    pub target_scale: i32,
    /// The scale of `inner`'s result.
    pub original_scale: i32,
    /// `2^(original_scale - target_scale)`.
    pub multiplier: f64,
}

/// The type of an input or output. Variants are in the order of their discriminants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum InputType {
    Bool,
    F16,
    F32,
    F64,
    Int,
    /// A dimension of a tensor.
    TDim,
    Unknown,
}

impl InputType {
    /// Whether values of this type are integers, so have scale 0.
    pub fn is_integer(self) -> bool {
        matches!(self, InputType::Int | InputType::TDim | InputType::Bool)
    }
}
