//! Scales of results, operands brought to one scale, results brought back to the graph's scale
//! (spec 05 §3.1–§3.4).

use twain_graph::numbers::{multiplier_to_scale, scale_to_multiplier};
use twain_graph::{HybridOp, PolyOp, RebaseScale, Rescaled, RunArgs, SupportedOp};

/// The fixed-point factor of a scale, in the precision operations store.
pub(crate) fn factor(scale: i32) -> f32 {
    scale_to_multiplier(scale) as f32
}

/// The scale of an operation's result, from those of its operands; the reason if there is none.
pub(crate) fn out_scale(op: &SupportedOp, inputs: &[i32]) -> Result<i32, String> {
    let input = |position: usize| {
        let missing = || format!("operand {position} is missing");
        inputs.get(position).copied().ok_or_else(missing)
    };
    let overflow = || "the scale overflows".to_string();
    let sum = |scales: &[i32]| {
        scales.iter().try_fold(0i32, |sum, scale| sum.checked_add(*scale)).ok_or_else(overflow)
    };
    let times = |number: usize| {
        let number = i32::try_from(number).map_err(|_| overflow())?;
        input(0)?.checked_mul(number).ok_or_else(overflow)
    };
    match op {
        SupportedOp::Input(op) => Ok(op.scale),
        SupportedOp::Constant(op) => Ok(op.quantized_values.scale.unwrap_or_default()),
        SupportedOp::Unknown => Ok(0),
        SupportedOp::Nonlinear(_) => input(0),
        SupportedOp::Linear(op) => match op {
            PolyOp::Add => match (input(0)?, input(1)?) {
                (left, right) if left == right => Ok(left),
                (left, right) => Err(format!("the summands' scales {left} and {right} differ")),
            },
            PolyOp::Mult => sum(&[input(0)?, input(1)?]),
            PolyOp::Einsum { .. } => sum(inputs),
            PolyOp::Conv { .. } | PolyOp::DeConv { .. } => {
                let scale = sum(&[input(0)?, input(1)?])?;
                match inputs.get(2) {
                    Some(bias) if *bias != scale => {
                        Err(format!("the bias has scale {bias} instead of {scale}"))
                    }
                    _ => Ok(scale),
                }
            }
            PolyOp::MeanOfSquares { .. } => times(2),
            PolyOp::Pow { exponent } => times(*exponent as usize),
            PolyOp::Prod { len_prod, .. } => times(*len_prod),
            PolyOp::LeakyReLU { slope, scale } if *slope != 0.0 => sum(&[input(0)?, *scale]),
            PolyOp::Identity { out_scale: Some(scale) } => Ok(*scale),
            PolyOp::Iff => input(1),
            PolyOp::Sign | PolyOp::Not | PolyOp::And | PolyOp::Or | PolyOp::Xor => Ok(0),
            _ => input(0),
        },
        SupportedOp::Hybrid(op) => match op {
            HybridOp::Greater
            | HybridOp::GreaterEqual
            | HybridOp::Less
            | HybridOp::LessEqual
            | HybridOp::ReduceArgMax { .. }
            | HybridOp::ReduceArgMin { .. }
            | HybridOp::OneHot { .. } => Ok(0),
            HybridOp::Recip { output_scale, .. } | HybridOp::Rsqrt { output_scale, .. } => {
                Ok(multiplier_to_scale(f64::from(*output_scale)))
            }
            HybridOp::Softmax { input_scale, output_scale, .. } => {
                Ok(multiplier_to_scale(f64::from(output_scale * input_scale)))
            }
            HybridOp::Ln { scale, .. } => {
                multiplier_to_scale(f64::from(*scale)).checked_mul(4).ok_or_else(overflow)
            }
            _ => input(0),
        },
        SupportedOp::Rescaled(op) => {
            let scaled = inputs.iter().zip(&op.scale).map(|(scale, (_, multiplier))| {
                scale.checked_add(multiplier_to_scale(*multiplier as f64)).ok_or_else(overflow)
            });
            out_scale(&op.inner, &scaled.collect::<Result<Vec<_>, _>>()?)
        }
        SupportedOp::RebaseScale(op) => Ok(op.target_scale),
    }
}

/// The operands that must have one scale.
pub(crate) fn homogeneous(op: &SupportedOp) -> Vec<usize> {
    match op {
        SupportedOp::Linear(op) => match op {
            PolyOp::Add | PolyOp::Sub => vec![0, 1],
            PolyOp::Iff => vec![1, 2],
            PolyOp::Concat { .. } => (0..100).collect(),
            PolyOp::ScatterElements { .. } | PolyOp::ScatterND { .. } => vec![0, 2],
            _ => vec![],
        },
        SupportedOp::Hybrid(
            HybridOp::Greater
            | HybridOp::GreaterEqual
            | HybridOp::Less
            | HybridOp::LessEqual
            | HybridOp::Equals
            | HybridOp::Max
            | HybridOp::Min,
        ) => vec![0, 1],
        _ => vec![],
    }
}

/// Multiplies operands of smaller scale, where all must have one.
pub(crate) fn homogenise(op: SupportedOp, inputs: &[i32]) -> Result<SupportedOp, String> {
    let positions = homogeneous(&op);
    let present: Vec<i32> = positions.iter().filter_map(|p| inputs.get(*p).copied()).collect();
    let largest = match inputs.iter().max() {
        Some(largest) if present.iter().any(|scale| *scale != present[0]) => *largest,
        _ => return Ok(op),
    };
    let multiplier = |(position, scale): (usize, &i32)| {
        if !positions.contains(&position) {
            return Ok((position, 1));
        }
        let shift = largest.abs_diff(*scale);
        let multiplier = 1u128.checked_shl(shift).filter(|_| shift < 127);
        let multiplier = multiplier.ok_or_else(|| {
            format!("the operands' scales {scale} and {largest} are too far apart")
        })?;
        Ok((position, multiplier))
    };
    let scale = inputs.iter().enumerate().map(multiplier).collect::<Result<Vec<_>, String>>()?;
    Ok(match scale.iter().any(|(_, multiplier)| *multiplier > 1) {
        true => SupportedOp::Rescaled(Rescaled { inner: Box::new(op), scale }),
        false => op,
    })
}

fn is_identity(op: &SupportedOp) -> bool {
    match op {
        SupportedOp::Linear(PolyOp::Identity { .. }) => true,
        SupportedOp::Rescaled(op) => is_identity(&op.inner),
        SupportedOp::RebaseScale(op) => is_identity(&op.inner),
        _ => false,
    }
}

/// The largest scale of a result.
fn largest_scale(args: &RunArgs) -> Option<i32> {
    let global = args.rebase_scale.unwrap_or(args.input_scale.max(args.param_scale));
    global.checked_mul(i32::try_from(args.scale_rebase_multiplier).ok()?)
}

fn has_own_scale(op: &SupportedOp) -> bool {
    matches!(op, SupportedOp::Constant(_) | SupportedOp::Input(_))
}

/// Divides a result whose scale exceeds the graph's.
pub(crate) fn rebase(op: SupportedOp, scale: i32, args: &RunArgs) -> Result<SupportedOp, String> {
    let target = largest_scale(args).ok_or("the scale to come back to overflows")?;
    rebase_down(op, scale, target)
}

fn rebase_down(op: SupportedOp, scale: i32, target: i32) -> Result<SupportedOp, String> {
    match scale <= target || has_own_scale(&op) || is_identity(&op) {
        true => Ok(op),
        false => divide(op, scale, target),
    }
}

/// Brings the result of a loop's body to the scale of the state it becomes.
pub(crate) fn rebase_state(
    op: SupportedOp,
    scale: i32,
    target: i32,
) -> Result<SupportedOp, String> {
    match scale >= target || has_own_scale(&op) {
        true => rebase_down(op, scale, target),
        false => divide(op, scale, target),
    }
}

fn divide(op: SupportedOp, scale: i32, target: i32) -> Result<SupportedOp, String> {
    let excess = scale.checked_sub(target).ok_or("the scale overflows")?;
    let multiplier = scale_to_multiplier(excess);
    Ok(SupportedOp::RebaseScale(match op {
        // A second division becomes one with the first; the scales stay those of the first.
        SupportedOp::RebaseScale(first) => {
            let multiplier = first.multiplier * multiplier;
            let rebase_op = HybridOp::Div { denom: multiplier as f32 };
            RebaseScale { rebase_op, multiplier, ..first }
        }
        op => RebaseScale {
            inner: Box::new(op),
            rebase_op: HybridOp::Div { denom: multiplier as f32 },
            target_scale: target,
            original_scale: scale,
            multiplier,
        },
    }))
}
