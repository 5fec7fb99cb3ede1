//! Fixed-point numbers and field elements (spec 02 §4).

use crate::{GraphError, InputType};
use ff::PrimeField;
use twain_algebra::Fr;

/// The fixed-point factor `2^scale`.
pub fn scale_to_multiplier(scale: i32) -> f64 {
    2f64.powi(scale)
}

/// The scale of a fixed-point factor: `log2`, rounded.
pub fn multiplier_to_scale(multiplier: f64) -> i32 {
    multiplier.log2().round() as i32
}

/// The integer nearest to `value * 2^scale`, halves away from zero; NaN becomes 0.
///
/// # Errors
/// [`GraphError::Overflow`] if the product exceeds `i128::MAX` in size.
pub fn quantize(value: f64, scale: i32) -> Result<i128, GraphError> {
    let multiplier = scale_to_multiplier(scale);
    let largest = (i128::MAX as f64 / multiplier).round();
    if value.abs() > largest {
        return Err(GraphError::Overflow { value, scale });
    }
    Ok((value * multiplier).round() as i128)
}

/// The real number `integer / 2^scale`.
pub fn dequantize(integer: i128, scale: i32) -> f64 {
    integer as f64 / scale_to_multiplier(scale)
}

/// The real number that EZKL shows for a field element at `scale`: the element's own if it is in
/// `-2^127..2^127`.
pub fn dequantize_field(value: &Fr, scale: i32) -> f64 {
    dequantize(field_to_integer(value), scale)
}

/// The field element of an integer: negative ones wrap around the modulus.
pub fn integer_to_field(integer: i128) -> Fr {
    let size = Fr::from_u128(integer.unsigned_abs());
    if integer < 0 { -size } else { size }
}

/// The integer that EZKL shows for a field element: itself up to `i128::MAX`, and otherwise the
/// negative of the lower 128 bits of the distance to the modulus. Exact for `-2^127..2^127` only,
/// and small for many elements that are not, so no bound may be decided by it (that is
/// [`twain_algebra::signed_integer`]): it gives the bytes of EZKL's files, and nothing else uses
/// it.
fn field_to_integer(value: &Fr) -> i128 {
    let (low, high) = halves(value);
    match i128::try_from(low) {
        Ok(integer) if high == 0 => integer,
        _ => (halves(&-value).0 as i128).wrapping_neg(),
    }
}

fn halves(value: &Fr) -> (u128, u128) {
    let repr = value.to_repr();
    let bytes: &[u8] = repr.as_ref();
    let half =
        |half: &[u8]| half.iter().rev().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    let (low, high) = bytes.split_at(16);
    (half(low), half(high))
}

/// The value an input of type `datum_type` takes (spec 02 §3.1): through f32, through i64 with the
/// fraction cut off, or 0 and 1 only.
///
/// # Errors
/// [`GraphError::Datum`] for a Boolean that is neither.
pub fn cast_datum(value: f64, datum_type: InputType) -> Result<f64, GraphError> {
    Ok(match datum_type {
        InputType::F16 | InputType::F32 => f64::from(value as f32),
        InputType::F64 | InputType::Unknown => value,
        InputType::Int | InputType::TDim => value as i64 as f64,
        InputType::Bool if value == 0.0 || value == 1.0 => value,
        InputType::Bool => {
            return Err(GraphError::Datum {
                value: value.to_string(),
                expected: "Boolean (0 or 1)",
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_round_away_from_zero() {
        let at_zero = |value| quantize(value, 0).unwrap();
        assert_eq!([0.5, 1.5, 2.5, -0.5, -2.5].map(at_zero), [1, 2, 3, -1, -3]);
        assert_eq!(at_zero(0.49999999999999994), 0);
        assert_eq!(at_zero(f64::NAN), 0);
        assert_eq!(quantize(-1.0, 7).unwrap(), -128);
        assert_eq!(quantize(256.0, -7).unwrap(), 2);
    }

    #[test]
    fn overflow_is_an_error() {
        assert!(quantize(f64::INFINITY, 0).is_err());
        assert!(quantize(f64::NEG_INFINITY, -300).is_err());
        assert!(quantize(2.0, 128).is_err());
        assert!(quantize(1.0, 2000).is_err());
    }

    #[test]
    fn casts() {
        assert_eq!(cast_datum(0.1, InputType::F32).unwrap(), f64::from(0.1f32));
        assert_eq!(cast_datum(-1.9, InputType::Int).unwrap(), -1.0);
        assert_eq!(cast_datum(0.1, InputType::F64).unwrap(), 0.1);
        assert_eq!(cast_datum(1.0, InputType::Bool).unwrap(), 1.0);
        assert!(cast_datum(0.5, InputType::Bool).is_err());
    }

    #[test]
    fn the_ends_of_the_integers() {
        for integer in [0, 1, -1, i128::MAX, -i128::MAX, i128::MIN] {
            assert_eq!(field_to_integer(&integer_to_field(integer)), integer);
        }
    }

    proptest! {
        #[test]
        fn integers_round_trip(integer: i128) {
            prop_assert_eq!(field_to_integer(&integer_to_field(integer)), integer);
        }

        #[test]
        fn addition_commutes_with_the_embedding(a: i64, b: i64) {
            let sum = integer_to_field(a.into()) + integer_to_field(b.into());
            prop_assert_eq!(field_to_integer(&sum), i128::from(a) + i128::from(b));
        }
    }
}
