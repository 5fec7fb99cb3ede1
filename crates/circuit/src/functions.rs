//! The functions of static lookup tables on fixed-point numbers, in double precision (spec 04
//! §8.3).

use crate::LayoutError;
use twain_graph::LookupOp;
use twain_party::StaticTable;

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
        LookupOp::Erf { scale } => scaled(scale, erf),
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

/// The error function, by the Chebyshev series of `erfc` in Press, Teukolsky, Vetterling, Flannery:
/// Numerical Recipes, 3rd edition, 6.2.2 (tables must equal EZKL's to the last bit of a fixed-point
/// number, so the series is as EZKL's: without its last, negligible term).
fn erf(v: f64) -> f64 {
    const COEFFICIENTS: [f64; 27] = [
        -1.3026537197817094,
        6.419697923564902e-1,
        1.9476473204185836e-2,
        -9.56151478680863e-3,
        -9.46595344482036e-4,
        3.66839497852761e-4,
        4.2523324806907e-5,
        -2.0278578112534e-5,
        -1.624290004647e-6,
        1.303655835580e-6,
        1.5626441722e-8,
        -8.5238095915e-8,
        6.529054439e-9,
        5.059343495e-9,
        -9.91364156e-10,
        -2.27365122e-10,
        9.6467911e-11,
        2.394038e-12,
        -6.886027e-12,
        8.94487e-13,
        3.13092e-13,
        -1.12708e-13,
        3.81e-16,
        7.106e-15,
        -1.523e-15,
        -9.4e-17,
        1.21e-16,
    ];
    let size = v.abs();
    let t = 2.0 / (2.0 + size);
    let ty = 4.0 * t - 2.0;
    let (mut d, mut dd) = (0.0, 0.0);
    for coefficient in COEFFICIENTS[1..].iter().rev() {
        (d, dd) = (ty * d - dd + coefficient, d);
    }
    let erfc = t * (-size * size + 0.5 * (COEFFICIENTS[0] + ty * d) - dd).exp();
    if v >= 0.0 { 1.0 - erfc } else { erfc - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function() {
        for (v, expected) in [(0.0, 0.0), (0.5, 0.5204998778130465), (1.0, 0.8427007929497149)] {
            assert!((erf(v) - expected).abs() < 1e-14);
            assert_eq!(erf(-v), -erf(v));
        }
        assert_eq!(erf(40.0), 1.0);
    }

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
