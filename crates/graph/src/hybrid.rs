//! Operations done with gates, range checks and dynamic tables (spec 02 §2.6).

use crate::{DataFormat, Tensor};

/// An operation done with gates, range checks and dynamic tables. Variants are in the order of
/// their discriminants, fields in the order of the file. `f32` scales are the fixed-point factor,
/// `2^s`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // operations and arguments have the names of ONNX and of spec 04
pub enum HybridOp {
    Ln {
        scale: f32,
        eps: f64,
    },
    Rsqrt {
        input_scale: f32,
        output_scale: f32,
        eps: f64,
    },
    Sqrt {
        scale: f32,
    },
    RoundHalfToEven {
        scale: f32,
        legs: usize,
    },
    Ceil {
        scale: f32,
        legs: usize,
    },
    Floor {
        scale: f32,
        legs: usize,
    },
    Round {
        scale: f32,
        legs: usize,
    },
    Recip {
        input_scale: f32,
        output_scale: f32,
        eps: f64,
    },
    Div {
        denom: f32,
    },
    ReduceMax {
        axes: Vec<usize>,
    },
    ReduceArgMax {
        dim: usize,
    },
    SumPool {
        padding: Vec<(usize, usize)>,
        stride: Vec<usize>,
        kernel_shape: Vec<usize>,
        normalized: bool,
        data_format: DataFormat,
    },
    MaxPool {
        padding: Vec<(usize, usize)>,
        stride: Vec<usize>,
        pool_dims: Vec<usize>,
        data_format: DataFormat,
    },
    ReduceMin {
        axes: Vec<usize>,
    },
    ReduceArgMin {
        dim: usize,
    },
    Max,
    Min,
    Softmax {
        input_scale: f32,
        output_scale: f32,
        axes: Vec<usize>,
        eps: f64,
    },
    /// The comparison with the public output; never a node.
    Output {
        decomp: bool,
    },
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Equals,
    Gather {
        dim: usize,
        constant_idx: Option<Tensor<usize>>,
    },
    TopK {
        dim: usize,
        k: usize,
        largest: bool,
    },
    OneHot {
        dim: usize,
        num_classes: usize,
    },
}
