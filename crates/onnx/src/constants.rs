//! Constants: their raw values and their fixed-point form (spec 05 §2.4).

use crate::OnnxError;
use tract_core::internal::{DatumType, TDim, Tensor as TractTensor, TractResult};
use twain_algebra::Fr;
use twain_graph::numbers::{integer_to_field, quantize};
use twain_graph::{Constant, GraphError, InputType, RunArgs, Tensor, Visibility};

/// The type of a tensor's elements as EZKL names it.
pub(crate) fn input_type(datum: DatumType) -> Option<InputType> {
    Some(match datum {
        DatumType::Bool => InputType::Bool,
        DatumType::F16 => InputType::F16,
        DatumType::F32 => InputType::F32,
        DatumType::F64 => InputType::F64,
        DatumType::TDim => InputType::TDim,
        datum if datum.is_integer() => InputType::Int,
        _ => return None,
    })
}

/// The elements as single-precision numbers.
pub(crate) fn raw_values(tensor: &TractTensor) -> TractResult<Tensor<f32>> {
    let dims = tensor.shape().to_vec();
    let values = match tensor.datum_type() {
        DatumType::F32 => tensor.as_slice::<f32>()?.to_vec(),
        DatumType::F16 | DatumType::F64 => tensor.cast_to::<f32>()?.as_slice::<f32>()?.to_vec(),
        DatumType::Bool => {
            let values = tensor.as_slice::<bool>()?.iter();
            values.map(|value| f32::from(u8::from(*value))).collect()
        }
        DatumType::TDim => {
            let values = tensor.as_slice::<TDim>()?.iter();
            values.map(|value| Ok(value.to_i64()? as f32)).collect::<TractResult<_>>()?
        }
        _ => tensor.cast_to::<i64>()?.as_slice::<i64>()?.iter().map(|v| *v as f32).collect(),
    };
    Ok(Tensor::new(values, dims))
}

/// The fixed-point form of raw values.
pub(crate) fn quantized(
    raw: &Tensor<f32>,
    scale: i32,
    visibility: &Visibility,
) -> Result<Tensor<Fr>, GraphError> {
    let values = raw.inner.iter().map(|value| quantize(f64::from(*value), scale));
    let values = values.map(|value| value.map(integer_to_field)).collect::<Result<_, _>>()?;
    Ok(Tensor {
        inner: values,
        dims: raw.dims.clone(),
        scale: Some(scale),
        visibility: Some(visibility.clone()),
    })
}

/// A constant of the graph.
pub(crate) fn constant(
    raw: Tensor<f32>,
    datum: InputType,
    args: &RunArgs,
) -> Result<Constant, OnnxError> {
    let whole = || raw.inner.iter().all(|value| value.fract() == 0.0);
    let scale = match datum.is_integer() || (args.rebase_frac_zero_constants && whole()) {
        true => 0,
        false => args.param_scale,
    };
    Ok(Constant {
        quantized_values: quantized(&raw, scale, &args.param_visibility)?,
        raw_values: raw,
        decomp: args.ignore_range_check_inputs_outputs,
    })
}

/// Quantises a constant anew.
pub(crate) fn requantize(
    constant: &mut Constant,
    scale: i32,
    visibility: &Visibility,
) -> Result<(), GraphError> {
    constant.quantized_values = quantized(&constant.raw_values, scale, visibility)?;
    Ok(())
}
