//! What operators on images have in common: windows, strides and padding, and factors of
//! enlargement (spec 05 §2.3, §2.5).

use crate::operands::Operands;
use tract_core::internal::*;
use tract_core::ops::cnn::{KernelFormat as TractKernelFormat, PoolSpec};
use tract_core::ops::nn::DataFormat as TractDataFormat;
use twain_graph::{DataFormat, KernelFormat};

/// The factors of a nearest-neighbour enlargement. tract keeps its resize operator to itself, so
/// this reads its textual form, as EZKL does.
pub(crate) fn resize(node: &TypedNode, operands: &mut Operands) -> Result<Vec<usize>, String> {
    const SUPPORTED: &str =
        "supported is mode = nearest with whole scales that are part of the model";
    let text = format!("{:?}", node.op);
    if !text.contains("interpolator: Nearest") && !text.contains("nearest: Floor") {
        return Err(format!("its attribute mode is not nearest: {SUPPORTED}"));
    }
    if !(2..=3).contains(&operands.count()) {
        return Err(format!("it has {} operands: {SUPPORTED}", operands.count()));
    }
    let named = text.split_once("optional_scales_input: Some(");
    let scales = named.and_then(|(_, rest)| rest.split_once(')')?.0.parse::<usize>().ok());
    let factors: Vec<usize> = match scales {
        None => vec![1],
        Some(position) => {
            let constant = operands.constant(position);
            let constant =
                constant.ok_or_else(|| format!("its scales are computed: {SUPPORTED}"))?;
            constant.raw_values.inner.iter().map(|factor| *factor as usize).collect()
        }
    };
    let shape = operands.shape(0)?;
    let factor = |axis: usize| factors.get(axis).or(factors.last()).copied().unwrap_or(1);
    let enlarged = shape.iter().enumerate().map(|(axis, dim)| dim.saturating_mul(factor(axis)));
    if !enlarged.eq(operands.out_dims.iter().copied()) {
        let given = match scales {
            None => "its operand sizes has no circuit".to_string(),
            Some(_) => "its scales are not whole".to_string(),
        };
        let out_dims = operands.out_dims;
        return Err(format!("{given} (from {shape:?} to {out_dims:?}): {SUPPORTED}"));
    }
    for position in 1..operands.count() {
        operands.delete(position);
    }
    Ok(factors)
}

/// What convolutions and pools have in common.
pub(crate) struct Pool {
    pub padding: Vec<(usize, usize)>,
    pub stride: Vec<usize>,
    pub data_format: DataFormat,
}

/// Strides that are left out are 1.
pub(crate) fn pool(spec: &PoolSpec, operands: &Operands) -> Result<Pool, String> {
    if spec.dilations.iter().flatten().any(|dilation| *dilation != 1) {
        return Err("dilations are not supported".into());
    }
    let stride = spec.strides().to_vec();
    let shape = operands.shape(0)?;
    let spatial = shape.len().checked_sub(spec.rank()).ok_or("the image has too few axes")?;
    let padding = spec.computed_padding(&shape[spatial..]);
    Ok(Pool {
        padding: padding.iter().map(|axis| (axis.pad_before, axis.pad_after)).collect(),
        stride,
        data_format: match spec.data_format {
            TractDataFormat::NCHW => DataFormat::NCHW,
            TractDataFormat::NHWC => DataFormat::NHWC,
            TractDataFormat::CHW => DataFormat::CHW,
            TractDataFormat::HWC => DataFormat::HWC,
        },
    })
}

/// Refuses windows of a pool that reach beyond the padded image, which the circuit has not.
pub(crate) fn whole_windows(
    pool: &Pool,
    spec: &PoolSpec,
    operands: &Operands,
) -> Result<(), String> {
    let shape = operands.shape(0)?;
    let first = shape.len().saturating_sub(spec.rank());
    for (axis, window) in spec.kernel_shape.iter().enumerate() {
        let (before, after) = pool.padding.get(axis).copied().unwrap_or_default();
        let padded = shape.get(first + axis).copied().unwrap_or_default() + before + after;
        let stride = pool.stride.get(axis).copied().unwrap_or(1).max(1);
        let whole = padded.checked_sub(*window).map_or(0, |rest| rest / stride + 1);
        let wanted = operands.out_dims.get(first + axis).copied().unwrap_or_default();
        if wanted != whole {
            return Err(format!(
                "its attribute ceil_mode asks for {wanted} windows along axis {}, of which {whole} \
                 are whole: set ceil_mode to 0, or pad the image",
                first + axis
            ));
        }
    }
    Ok(())
}

pub(crate) fn kernel_format(format: TractKernelFormat) -> KernelFormat {
    match format {
        TractKernelFormat::OIHW => KernelFormat::OIHW,
        TractKernelFormat::HWIO => KernelFormat::HWIO,
        TractKernelFormat::OHWI => KernelFormat::OHWI,
    }
}
