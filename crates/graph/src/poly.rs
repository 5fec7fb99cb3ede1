//! Operations done with polynomial gates (spec 02 §2.6).

use crate::Tensor;

/// An operation done with polynomial gates. Variants are in the order of their discriminants,
/// fields in the order of the file. Padding is `(before, after)` per spatial axis, with zeros.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // operations and arguments have the names of ONNX and of spec 04
pub enum PolyOp {
    Abs,
    Sign,
    LeakyReLU {
        slope: f32,
        scale: i32,
    },
    GatherElements {
        dim: usize,
        constant_idx: Option<Tensor<usize>>,
    },
    GatherND {
        batch_dims: usize,
        indices: Option<Tensor<usize>>,
    },
    ScatterElements {
        dim: usize,
        constant_idx: Option<Tensor<usize>>,
    },
    ScatterND {
        constant_idx: Option<Tensor<usize>>,
    },
    MultiBroadcastTo {
        shape: Vec<usize>,
    },
    Einsum {
        equation: String,
    },
    Conv {
        padding: Vec<(usize, usize)>,
        stride: Vec<usize>,
        group: usize,
        data_format: DataFormat,
        kernel_format: KernelFormat,
    },
    Downsample {
        axis: usize,
        stride: isize,
        modulo: usize,
    },
    DeConv {
        padding: Vec<(usize, usize)>,
        output_padding: Vec<usize>,
        stride: Vec<usize>,
        group: usize,
        data_format: DataFormat,
        kernel_format: KernelFormat,
    },
    Add,
    Sub,
    Neg,
    Mult,
    Identity {
        out_scale: Option<i32>,
    },
    Reshape {
        shape: Vec<usize>,
    },
    MoveAxis {
        source: usize,
        destination: usize,
    },
    Flatten {
        shape: Vec<usize>,
    },
    Pad {
        padding: Vec<(usize, usize)>,
    },
    Sum {
        axes: Vec<usize>,
    },
    MeanOfSquares {
        axes: Vec<usize>,
    },
    Prod {
        axes: Vec<usize>,
        len_prod: usize,
    },
    Pow {
        exponent: u32,
    },
    Concat {
        axis: usize,
    },
    Slice {
        axis: usize,
        start: usize,
        end: usize,
    },
    Iff,
    Resize {
        scale_factor: Vec<usize>,
    },
    Not,
    And,
    Or,
    Xor,
    Trilu {
        upper: bool,
        k: i32,
    },
}

/// Order of the axes of data: batch N, channels C, spatial axes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum DataFormat {
    #[default]
    NCHW,
    NHWC,
    CHW,
    HWC,
}

impl DataFormat {
    /// Whether there is a batch axis, the first.
    pub fn has_n(self) -> bool {
        matches!(self, DataFormat::NCHW | DataFormat::NHWC)
    }

    /// Whether the channel axis is the last.
    pub fn c_is_last(self) -> bool {
        matches!(self, DataFormat::NHWC | DataFormat::HWC)
    }
}

/// Order of the axes of a kernel: outputs O, inputs I, spatial axes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum KernelFormat {
    HWIO,
    #[default]
    OIHW,
    OHWI,
}
