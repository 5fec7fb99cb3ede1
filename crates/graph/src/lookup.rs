//! Operations done with a static lookup table (spec 02 §2.6).

use serde::{Deserialize, Serialize};

/// An operation done with a static lookup table. Variants are in the order of their discriminants,
/// fields in the order of the file. `scale` is the fixed-point factor itself, `2^s`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // functions have their own names
pub enum LookupOp {
    Div { denom: f32 },
    IsOdd,
    PowersOfTwo { scale: f32 },
    Ln { scale: f32 },
    Sigmoid { scale: f32 },
    Exp { scale: f32, base: f32 },
    Cos { scale: f32 },
    ACos { scale: f32 },
    Cosh { scale: f32 },
    ACosh { scale: f32 },
    Sin { scale: f32 },
    ASin { scale: f32 },
    Sinh { scale: f32 },
    ASinh { scale: f32 },
    Tan { scale: f32 },
    ATan { scale: f32 },
    Tanh { scale: f32 },
    ATanh { scale: f32 },
    Erf { scale: f32 },
    Pow { scale: f32, a: f32 },
    HardSwish { scale: f32 },
}
