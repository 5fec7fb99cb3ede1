//! Operations (spec 02 §2.4 to §2.6).

use super::{Binary, Reader, choice, record};
use crate::FormatError;
use std::io::{self, Write};
use twain_graph::{
    Constant, DataFormat, HybridOp, Input, KernelFormat, LookupOp, PolyOp, RebaseScale, Rescaled,
    SupportedOp, Tensor,
};

choice!(SupportedOp {
    0 Linear(op),
    1 Nonlinear(op),
    2 Hybrid(op),
    3 Input(input),
    4 Constant(constant),
    5 Unknown,
    6 Rescaled(op),
    7 RebaseScale(op),
});

record!(Input { scale datum_type decomp });
record!(Constant { quantized_values raw_values decomp });
record!(Rescaled { inner scale });
record!(RebaseScale { inner rebase_op target_scale original_scale multiplier });
record!(Tensor<T> { inner dims scale visibility });

choice!(DataFormat {
    0 NCHW,
    1 NHWC,
    2 CHW,
    3 HWC,
});

choice!(KernelFormat {
    0 HWIO,
    1 OIHW,
    2 OHWI,
});

choice!(PolyOp {
    0 Abs,
    1 Sign,
    2 LeakyReLU { slope scale },
    3 GatherElements { dim constant_idx },
    4 GatherND { batch_dims indices },
    5 ScatterElements { dim constant_idx },
    6 ScatterND { constant_idx },
    7 MultiBroadcastTo { shape },
    8 Einsum { equation },
    9 Conv { padding stride group data_format kernel_format },
    10 Downsample { axis stride modulo },
    11 DeConv { padding output_padding stride group data_format kernel_format },
    12 Add,
    13 Sub,
    14 Neg,
    15 Mult,
    16 Identity { out_scale },
    17 Reshape { shape },
    18 MoveAxis { source destination },
    19 Flatten { shape },
    20 Pad { padding },
    21 Sum { axes },
    22 MeanOfSquares { axes },
    23 Prod { axes len_prod },
    24 Pow { exponent },
    25 Concat { axis },
    26 Slice { axis start end },
    27 Iff,
    28 Resize { scale_factor },
    29 Not,
    30 And,
    31 Or,
    32 Xor,
    33 Trilu { upper k },
});

choice!(LookupOp {
    0 Div { denom },
    1 IsOdd,
    2 PowersOfTwo { scale },
    3 Ln { scale },
    4 Sigmoid { scale },
    5 Exp { scale base },
    6 Cos { scale },
    7 ACos { scale },
    8 Cosh { scale },
    9 ACosh { scale },
    10 Sin { scale },
    11 ASin { scale },
    12 Sinh { scale },
    13 ASinh { scale },
    14 Tan { scale },
    15 ATan { scale },
    16 Tanh { scale },
    17 ATanh { scale },
    18 Erf { scale },
    19 Pow { scale a },
    20 HardSwish { scale },
});

choice!(HybridOp {
    0 Ln { scale eps },
    1 Rsqrt { input_scale output_scale eps },
    2 Sqrt { scale },
    3 RoundHalfToEven { scale legs },
    4 Ceil { scale legs },
    5 Floor { scale legs },
    6 Round { scale legs },
    7 Recip { input_scale output_scale eps },
    8 Div { denom },
    9 ReduceMax { axes },
    10 ReduceArgMax { dim },
    11 SumPool { padding stride kernel_shape normalized data_format },
    12 MaxPool { padding stride pool_dims data_format },
    13 ReduceMin { axes },
    14 ReduceArgMin { dim },
    15 Max,
    16 Min,
    17 Softmax { input_scale output_scale axes eps },
    18 Output { decomp },
    19 Greater,
    20 GreaterEqual,
    21 Less,
    22 LessEqual,
    23 Equals,
    24 Gather { dim constant_idx },
    25 TopK { dim k largest },
    26 OneHot { dim num_classes },
});
