//! Names of operations, for messages: `Hybrid MaxPool`.

use crate::{HybridOp, LookupOp, PolyOp, SupportedOp};
use std::fmt;

macro_rules! names {
    ($type:ident: $($variant:ident)*) => {
        impl $type {
            /// The name of the variant.
            pub fn name(&self) -> &'static str {
                match self {
                    $($type::$variant { .. } => stringify!($variant),)*
                }
            }
        }
    };
}

names!(PolyOp: Abs Sign LeakyReLU GatherElements GatherND ScatterElements ScatterND MultiBroadcastTo
    Einsum Conv Downsample DeConv Add Sub Neg Mult Identity Reshape MoveAxis Flatten Pad Sum
    MeanOfSquares Prod Pow Concat Slice Iff Resize Not And Or Xor Trilu);

names!(LookupOp: Div IsOdd PowersOfTwo Ln Sigmoid Exp Cos ACos Cosh ACosh Sin ASin Sinh ASinh Tan
    ATan Tanh ATanh Erf Pow HardSwish);

names!(HybridOp: Ln Rsqrt Sqrt RoundHalfToEven Ceil Floor Round Recip Div ReduceMax ReduceArgMax
    SumPool MaxPool ReduceMin ReduceArgMin Max Min Softmax Output Greater GreaterEqual Less LessEqual
    Equals Gather TopK OneHot);

impl fmt::Display for SupportedOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SupportedOp::Linear(op) => write!(f, "Linear {}", op.name()),
            SupportedOp::Nonlinear(op) => write!(f, "Nonlinear {}", op.name()),
            SupportedOp::Hybrid(op) => write!(f, "Hybrid {}", op.name()),
            SupportedOp::Input(_) => f.write_str("Input"),
            SupportedOp::Constant(_) => f.write_str("Constant"),
            SupportedOp::Unknown => f.write_str("Unknown"),
            SupportedOp::Rescaled(op) => write!(f, "Rescaled {}", op.inner),
            SupportedOp::RebaseScale(op) => write!(f, "RebaseScale {}", op.inner),
        }
    }
}
