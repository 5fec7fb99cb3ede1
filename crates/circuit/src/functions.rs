//! The functions of static lookup tables on fixed-point numbers, in double precision (spec 04 §8.3).

use crate::LayoutError;
use twain_graph::LookupOp;
use twain_party::StaticTable;

/// Refuses functions that are not there yet.
pub(crate) fn check(op: &LookupOp) -> Result<(), LayoutError> {
    match op {
        LookupOp::Erf { .. } => {
            Err(LayoutError::UnsupportedSettings(format!("the lookup table {}", op.name())))
        }
        _ => Ok(()),
    }
}

/// The table of `op` on `columns * chunk` integers from `low` up.
pub(crate) fn table(
    op: &LookupOp,
    low: i128,
    columns: usize,
    chunk: usize,
) -> Result<StaticTable, LayoutError> {
    let length = columns.checked_mul(chunk).ok_or(LayoutError::TooLarge)?;
    let last = low.checked_add(length as i128).ok_or(LayoutError::TooLarge)?;
    let values = (low..last).map(|x| evaluate(op, x)).collect();
    Ok(StaticTable { name: format!("{op:?}"), low, values })
}

/// The value at one integer: rounded half away from zero and saturated; NaN becomes 0.
pub(crate) fn evaluate(op: &LookupOp, x: i128) -> i128 {
    let integer = x as f64;
    let scaled = |scale: f32, function: fn(f64) -> f64| {
        let scale = f64::from(scale);
        scale * function(integer / scale)
    };
    let value = match *op {
        LookupOp::Div { denom } => integer / f64::from(denom),
        LookupOp::IsOdd => f64::from(x % 2 != 0),
        LookupOp::PowersOfTwo { scale } => f64::from(scale) * integer.exp2(),
        LookupOp::Ln { scale } => scaled(scale, f64::ln),
        LookupOp::Sigmoid { scale } => {
            f64::from(scale) / (1.0 + (-integer / f64::from(scale)).exp())
        }
        LookupOp::Exp { scale, base } => {
            let scale = f64::from(scale);
            scale * f64::from(base).powf(integer / scale)
        }
        LookupOp::Cos { scale } => scaled(scale, f64::cos),
        LookupOp::ACos { scale } => scaled(scale, f64::acos),
        LookupOp::Cosh { scale } => scaled(scale, f64::cosh),
        LookupOp::ACosh { scale } => scaled(scale, f64::acosh),
        LookupOp::Sin { scale } => scaled(scale, f64::sin),
        LookupOp::ASin { scale } => scaled(scale, f64::asin),
        LookupOp::Sinh { scale } => scaled(scale, f64::sinh),
        LookupOp::ASinh { scale } => scaled(scale, f64::asinh),
        LookupOp::Tan { scale } => scaled(scale, f64::tan),
        LookupOp::ATan { scale } => scaled(scale, f64::atan),
        LookupOp::Tanh { scale } => scaled(scale, f64::tanh),
        LookupOp::ATanh { scale } => scaled(scale, f64::atanh),
        LookupOp::Erf { .. } => f64::NAN,
        LookupOp::Pow { scale, a } => {
            let scale = f64::from(scale);
            scale * (integer / scale).powf(f64::from(a))
        }
        LookupOp::HardSwish { scale } => scaled(scale, |v| match v {
            v if v <= -3.0 => 0.0,
            v if v >= 3.0 => v,
            v => v * (v + 3.0) / 6.0,
        }),
    };
    value.round() as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_and_saturation() {
        assert_eq!(evaluate(&LookupOp::Sigmoid { scale: 128.0 }, 0), 64);
        assert_eq!(evaluate(&LookupOp::Ln { scale: 8.0 }, 0), i128::MIN);
        assert_eq!(evaluate(&LookupOp::Ln { scale: 8.0 }, -1), 0);
        assert_eq!(evaluate(&LookupOp::Div { denom: 2.0 }, -3), -2);
        assert_eq!(evaluate(&LookupOp::IsOdd, -3), 1);
        assert_eq!(evaluate(&LookupOp::HardSwish { scale: 4.0 }, 100), 100);
    }
}
