//! Random inputs, the same EZKL's `gen-random-data` draws from a seed (spec 02 §3.1).

use crate::constants::input_type;
use crate::load::analyse_error;
use crate::{Loaded, OnnxError};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use twain_graph::InputType;
use twain_graph::numbers::cast_datum;

/// Most elements of an input.
const MOST_ELEMENTS: usize = 1 << 28;

/// Numbers from `low` (inclusive) to `high` (exclusive) for every input of a model, cast to its
/// type. Each input gets the same stream.
///
/// # Errors
/// An input without a known size, or of a type without numbers.
pub fn random_inputs(
    loaded: &Loaded,
    seed: u64,
    low: f32,
    high: f32,
) -> Result<Vec<Vec<f64>>, OnnxError> {
    let mut inputs = Vec::new();
    for outlet in loaded.model.input_outlets().map_err(analyse_error)? {
        let fact = loaded.model.outlet_fact(*outlet).map_err(analyse_error)?;
        let dims = fact.shape.eval_to_usize(&loaded.symbols).map_err(analyse_error)?;
        let length = dims.iter().try_fold(1usize, |length, dim| length.checked_mul(*dim));
        let length = length.filter(|length| *length <= MOST_ELEMENTS);
        let length = length.ok_or_else(|| OnnxError::Analyse("an input is too large".into()))?;
        let datum = input_type(fact.datum_type);
        let datum = datum.ok_or_else(|| OnnxError::Analyse("an input of unknown type".into()))?;
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let mut draw = || {
            // 23 random bits are the fraction of a single-precision number.
            let unit = (rng.next_u32() >> 9) as f32 / (1 << 23) as f32;
            let number = f64::from(unit * (high - low) + low);
            match datum {
                InputType::Bool => Ok(f64::from(u8::from(number as i64 != 0))),
                datum => cast_datum(number, datum),
            }
        };
        inputs.push((0..length).map(|_| draw()).collect::<Result<Vec<f64>, _>>()?);
    }
    Ok(inputs)
}
