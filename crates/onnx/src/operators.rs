//! One tract operator to EZKL's (spec 05 §2.3, §2.5). What has no counterpart here is refused.

use crate::constants::{constant, input_type, quantized, raw_values, requantize};
use crate::images::{Pool, kernel_format, pool, resize, whole_windows};
use crate::operands::Operands;
use crate::scales::factor;
use tract_core::internal::*;
use tract_core::ops::array as tract_array;
use tract_core::ops::cnn::{Conv, Deconv, MaxPool, SumPool};
use tract_core::ops::element_wise::ElementWiseOp;
use tract_core::ops::konst::Const;
use tract_core::ops::nn::{LeakyRelu, Reduce, Reducer, Softmax};
use twain_graph::{
    Constant, HybridOp, Input, InputType, LookupOp, Node, PolyOp, Rescaled, RunArgs, SupportedOp,
    Tensor as GraphTensor, Visibility,
};

/// Most numbers of a range that becomes a constant.
const MOST_NUMBERS: usize = 1 << 28;

/// The operation of a node; an error is the reason there is none.
pub(crate) fn operator(
    node: &TypedNode,
    operands: &mut Operands,
    args: &RunArgs,
) -> Result<SupportedOp, String> {
    use SupportedOp::{Hybrid, Linear, Nonlinear};
    let name = node.op.name();
    let largest = args.input_scale.max(args.param_scale);
    let (legs, eps) = (args.decomp_legs, args.epsilon());
    let decomp = !args.ignore_range_check_inputs_outputs;
    let binary = |operands: &Operands| match operands.count() {
        2 => Ok(()),
        count => Err(format!("{count} operands instead of 2")),
    };
    let op = match &*name {
        "Source" => {
            let datum = node.outputs.first().map(|output| output.fact.datum_type);
            let datum_type = datum.and_then(input_type).ok_or("an input of unknown type")?;
            let scale = if datum_type.is_integer() { 0 } else { args.input_scale };
            SupportedOp::Input(Input { scale, datum_type, decomp })
        }
        "Const" => constant_node(node, args, |_| ())?,
        "Add" => Linear(PolyOp::Add),
        "Sub" => Linear(PolyOp::Sub),
        "Mul" => multiplication(operands)?,
        "Div" => {
            binary(operands)?;
            let denom = match (operands.constant(0), operands.single(1)) {
                (None, Some(denom)) if denom != 0.0 => denom,
                _ => return Err("only division by a constant number is supported".into()),
            };
            operands.absorb(1)?;
            let op = Hybrid(HybridOp::Div { denom });
            match operands.scale(0)? {
                0 => {
                    let shift = u32::try_from(largest).ok();
                    let multiplier = shift.and_then(|shift| 1u128.checked_shl(shift));
                    let multiplier = multiplier.ok_or("the scales are out of range")?;
                    let inner = Box::new(op);
                    SupportedOp::Rescaled(Rescaled { inner, scale: vec![(0, multiplier)] })
                }
                _ => op,
            }
        }
        "Recip" | "Rsqrt" | "Softmax" => {
            let scale = operands.scale(0)?;
            let (input_scale, output_scale) = (factor(scale), factor(largest.max(scale)));
            Hybrid(match &*name {
                "Recip" => HybridOp::Recip { input_scale, output_scale, eps },
                "Rsqrt" => HybridOp::Rsqrt { input_scale, output_scale, eps },
                _ => {
                    let axes = of::<Softmax>(node)?.axes.to_vec();
                    HybridOp::Softmax { input_scale, output_scale, axes, eps }
                }
            })
        }
        "Sqrt" => Hybrid(HybridOp::Sqrt { scale: factor(operands.scale(0)?) }),
        "Abs" => Linear(PolyOp::Abs),
        "Neg" => Linear(PolyOp::Neg),
        "Sign" => Linear(PolyOp::Sign),
        "Square" => Linear(PolyOp::Pow { exponent: 2 }),
        "Cube" => Linear(PolyOp::Pow { exponent: 3 }),
        "Pow" => power(operands)?,
        "Ln" => {
            let scale = factor(operands.scale(0)?);
            match args.bounded_log_lookup {
                true => Hybrid(HybridOp::Ln { scale, eps }),
                false => Nonlinear(LookupOp::Ln { scale }),
            }
        }
        "LeakyRelu" => {
            let op = of::<ElementWiseOp>(node)?.0.downcast_ref::<LeakyRelu>();
            let slope = op.ok_or("its slope is not known")?.alpha;
            Linear(PolyOp::LeakyReLU { slope, scale: args.param_scale })
        }
        "Max" => {
            binary(operands)?;
            match [0, 1].into_iter().find(|position| operands.constant(*position).is_some()) {
                None => Hybrid(HybridOp::Max),
                Some(position) => match operands.single(position) {
                    None => return Err("a constant operand must be one number".into()),
                    Some(0.0) => {
                        operands.absorb(position)?;
                        Linear(PolyOp::LeakyReLU { slope: 0.0, scale: 1 })
                    }
                    Some(_) => Hybrid(HybridOp::Max),
                },
            }
        }
        "Min" => {
            binary(operands)?;
            Hybrid(HybridOp::Min)
        }
        "<" => Hybrid(HybridOp::Less),
        "<=" => Hybrid(HybridOp::LessEqual),
        ">" => Hybrid(HybridOp::Greater),
        ">=" => Hybrid(HybridOp::GreaterEqual),
        "==" => Hybrid(HybridOp::Equals),
        "Not" => Linear(PolyOp::Not),
        "And" => Linear(PolyOp::And),
        "Or" => Linear(PolyOp::Or),
        "Xor" => Linear(PolyOp::Xor),
        "Iff" => Linear(PolyOp::Iff),
        "EinSum" => {
            let equation = of::<tract_core::ops::einsum::EinSum>(node)?.axes.to_string();
            Linear(PolyOp::Einsum { equation })
        }
        "Conv" => {
            let conv = of::<Conv>(node)?;
            let pool = pool(&conv.pool_spec, operands)?;
            rescale_bias(operands, args)?;
            Linear(PolyOp::Conv {
                padding: pool.padding,
                stride: pool.stride,
                group: conv.group,
                data_format: pool.data_format,
                kernel_format: kernel_format(conv.kernel_fmt),
            })
        }
        "Deconv" => {
            let conv = of::<Deconv>(node)?;
            let pool = pool(&conv.pool_spec, operands)?;
            rescale_bias(operands, args)?;
            Linear(PolyOp::DeConv {
                padding: pool.padding,
                output_padding: conv.adjustments.to_vec(),
                stride: pool.stride,
                group: conv.group,
                data_format: pool.data_format,
                kernel_format: kernel_format(conv.kernel_format),
            })
        }
        "MaxPool" => {
            let spec = &of::<MaxPool>(node)?.pool_spec;
            let pool = pool(spec, operands)?;
            whole_windows(&pool, spec, operands)?;
            let Pool { padding, stride, data_format } = pool;
            let pool_dims = spec.kernel_shape.to_vec();
            Hybrid(HybridOp::MaxPool { padding, stride, pool_dims, data_format })
        }
        "SumPool" => {
            let SumPool { pool_spec, normalize, .. } = of::<SumPool>(node)?;
            let pool = pool(pool_spec, operands)?;
            whole_windows(&pool, pool_spec, operands)?;
            let Pool { padding, stride, data_format } = pool;
            let (kernel_shape, normalized) = (pool_spec.kernel_shape.to_vec(), *normalize);
            Hybrid(HybridOp::SumPool { padding, stride, kernel_shape, normalized, data_format })
        }
        "Ceil" | "Floor" | "Round" | "RoundHalfToEven" => {
            let scale = factor(operands.scale(0)?);
            Hybrid(match &*name {
                "Ceil" => HybridOp::Ceil { scale, legs },
                "Floor" => HybridOp::Floor { scale, legs },
                "Round" => HybridOp::Round { scale, legs },
                _ => HybridOp::RoundHalfToEven { scale, legs },
            })
        }
        "Cast" => {
            let to = input_type(of::<tract_core::ops::cast::Cast>(node)?.to);
            let to = to.ok_or("a cast to an unknown type")?;
            cast(operands, to, args)?
        }
        "QuantizeLinearU8" | "DequantizeLinearF32" => Linear(PolyOp::Identity { out_scale: None }),
        "ShiftLeft" | "ShiftRight" => {
            let shift = operands.absorb_single(1)? as i32;
            let shift = if name == "ShiftLeft" { shift.checked_neg() } else { Some(shift) };
            let out_scale = shift.and_then(|shift| operands.scale(0).ok()?.checked_add(shift));
            let out_scale = out_scale.ok_or("the shift is out of range")?;
            Linear(PolyOp::Identity { out_scale: Some(out_scale) })
        }
        "MultiBroadcastTo" => {
            Linear(PolyOp::MultiBroadcastTo { shape: operands.out_dims.to_vec() })
        }
        "MoveAxis" => match of::<AxisOp>(node)? {
            AxisOp::Move(source, destination) => {
                Linear(PolyOp::MoveAxis { source: *source, destination: *destination })
            }
            other => return Err(format!("{other:?} under this name")),
        },
        "AddAxis" | "RmAxis" | "Reshape" => {
            let shape = match operands.out_dims {
                [] => vec![1],
                dims => dims.to_vec(),
            };
            Linear(PolyOp::Reshape { shape })
        }
        "Flatten" => Linear(PolyOp::Flatten { shape: vec![operands.shape(0)?.iter().product()] }),
        "Concat" => Linear(PolyOp::Concat { axis: of::<tract_array::TypedConcat>(node)?.axis }),
        "Slice" => {
            let slice = of::<tract_array::Slice>(node)?;
            let bound = |dim: &TDim| dim.to_usize().map_err(|error| format!("{error:#}"));
            let (start, end) = (bound(&slice.start)?, bound(&slice.end)?);
            Linear(PolyOp::Slice { axis: slice.axis, start, end })
        }
        "Pad" => {
            let pad = of::<tract_array::Pad>(node)?;
            let zero = match &pad.mode {
                tract_array::PadMode::Constant(value) => {
                    value.to_scalar::<f32>().is_ok_and(|value| *value == 0.0)
                }
                _ => false,
            };
            if !zero {
                return Err("only padding with zeros is supported".into());
            }
            Linear(PolyOp::Pad { padding: pad.pads.clone() })
        }
        "Downsample" => {
            let op = of::<tract_core::ops::downsample::Downsample>(node)?;
            let (axis, stride, modulo) = (op.axis, op.stride, op.modulo);
            Linear(PolyOp::Downsample { axis, stride, modulo })
        }
        "Resize" => Linear(PolyOp::Resize { scale_factor: resize(node, operands)? }),
        "Trilu" => {
            let k = operands.absorb_single(1)? as i32;
            Linear(PolyOp::Trilu { upper: of::<tract_array::Trilu>(node)?.upper, k })
        }
        "Topk" => {
            let op = of::<tract_array::Topk>(node)?;
            binary(operands)?;
            let k = match operands.constant(1) {
                Some(_) => operands.absorb_single(1)? as usize,
                None => op.fallback_k.to_usize().map_err(|error| format!("{error:#}"))?,
            };
            Hybrid(HybridOp::TopK { dim: op.axis, k, largest: op.largest })
        }
        "Onehot" => {
            let op = of::<tract_array::OneHot>(node)?;
            Hybrid(HybridOp::OneHot { dim: op.axis, num_classes: op.dim })
        }
        "Gather" => {
            let dim = of::<tract_array::Gather>(node)?.axis;
            let length = *operands.shape(0)?.get(dim).ok_or("the axis is out of range")?;
            let index = |value| match value {
                -1.0 => length.saturating_sub(1),
                value => value as usize,
            };
            let constant_idx = operands.indices(false, index)?;
            Hybrid(HybridOp::Gather { dim, constant_idx })
        }
        "GatherElements" => {
            let dim = of::<tract_array::GatherElements>(node)?.axis;
            let constant_idx = operands.indices(decomp, |value| value as usize)?;
            Linear(PolyOp::GatherElements { dim, constant_idx })
        }
        "GatherNd" => {
            let batch_dims = of::<tract_array::GatherNd>(node)?.batch_dims;
            let indices = operands.indices(decomp, |value| value as usize)?;
            Linear(PolyOp::GatherND { batch_dims, indices })
        }
        "ScatterElements" => {
            let dim = of::<tract_array::ScatterElements>(node)?.axis;
            let constant_idx = operands.indices(decomp, |value| value as usize)?;
            Linear(PolyOp::ScatterElements { dim, constant_idx })
        }
        "ScatterNd" => {
            let constant_idx = operands.indices(decomp, |value| value as usize)?;
            Linear(PolyOp::ScatterND { constant_idx })
        }
        "Range" => {
            let mut bound = |position| Ok::<_, String>(operands.absorb_single(position)? as usize);
            let (start, end, step) = (bound(0)?, bound(1)?, bound(2)?);
            range(start..end, step, decomp)?
        }
        _ => match node.op_as::<Reduce>() {
            Some(reduce) => reduction(reduce, operands)?,
            None => function(&name, operands)?,
        },
    };
    Ok(op)
}

/// A constant, its numbers changed.
pub(crate) fn constant_node(
    node: &TypedNode,
    args: &RunArgs,
    change: impl FnOnce(&mut [f32]),
) -> Result<SupportedOp, String> {
    let tensor = &of::<Const>(node)?.0;
    let datum = input_type(tensor.datum_type());
    let datum = datum.ok_or_else(|| format!("elements of type {:?}", tensor.datum_type()))?;
    let mut raw = raw_values(tensor).map_err(|error| format!("{error:#}"))?;
    change(&mut raw.inner);
    let constant = constant(raw, datum, args).map_err(|error| error.to_string())?;
    Ok(SupportedOp::Constant(constant))
}

/// The node's operator as tract's type.
fn of<T: TypedOp>(node: &TypedNode) -> Result<&T, String> {
    node.op_as::<T>().ok_or_else(|| "an operator of unknown form under this name".into())
}

/// A function done with a lookup table.
fn function(name: &str, operands: &Operands) -> Result<SupportedOp, String> {
    let scale = operands.scale(0).map(factor);
    let op = |make: fn(f32) -> LookupOp| Ok(SupportedOp::Nonlinear(make(scale.clone()?)));
    match name {
        "Exp" => op(|scale| LookupOp::Exp { scale, base: std::f32::consts::E }),
        "Sigmoid" => op(|scale| LookupOp::Sigmoid { scale }),
        "HardSwish" => op(|scale| LookupOp::HardSwish { scale }),
        "Erf" => op(|scale| LookupOp::Erf { scale }),
        "Tanh" => op(|scale| LookupOp::Tanh { scale }),
        "Tan" => op(|scale| LookupOp::Tan { scale }),
        "Sin" => op(|scale| LookupOp::Sin { scale }),
        "Cos" => op(|scale| LookupOp::Cos { scale }),
        "Sinh" => op(|scale| LookupOp::Sinh { scale }),
        "Cosh" => op(|scale| LookupOp::Cosh { scale }),
        "Asin" => op(|scale| LookupOp::ASin { scale }),
        "Acos" => op(|scale| LookupOp::ACos { scale }),
        "Atan" => op(|scale| LookupOp::ATan { scale }),
        "Asinh" => op(|scale| LookupOp::ASinh { scale }),
        "Acosh" => op(|scale| LookupOp::ACosh { scale }),
        "Atanh" => op(|scale| LookupOp::ATanh { scale }),
        _ => Err(
            "the operator has no circuit: replace it in the model by others (docs/operators.md \
             lists those with a layout)"
                .into(),
        ),
    }
}

/// Whole numbers that are part of the circuit.
fn range(
    numbers: std::ops::Range<usize>,
    step: usize,
    decomp: bool,
) -> Result<SupportedOp, String> {
    if step == 0 || numbers.len() / step > MOST_NUMBERS {
        return Err("a range without an end".into());
    }
    let values: Vec<f32> = numbers.step_by(step).map(|number| number as f32).collect();
    let dims = vec![values.len()];
    let raw_values = GraphTensor::new(values, dims);
    let quantized_values =
        quantized(&raw_values, 0, &Visibility::Fixed).map_err(|error| error.to_string())?;
    Ok(SupportedOp::Constant(Constant { quantized_values, raw_values, decomp }))
}

/// A product; by a power of two below 1 it only changes the scale.
fn multiplication(operands: &mut Operands) -> Result<SupportedOp, String> {
    let constants: Vec<usize> =
        (0..operands.count()).filter(|p| operands.constant(*p).is_some()).collect();
    let position = match constants[..] {
        [] => return Ok(SupportedOp::Linear(PolyOp::Mult)),
        [position] => position,
        _ => return Err("a product of two constants".into()),
    };
    let shift = match operands.single(position) {
        Some(value) if value < 1.0 => (1.0 / value).log2(),
        _ => f32::NAN,
    };
    if !(shift.is_finite() && shift.fract() == 0.0) {
        return Ok(SupportedOp::Linear(PolyOp::Mult));
    }
    operands.absorb(position)?;
    let scale = operands.scale(1 - position)?.checked_add(shift as i32);
    Ok(SupportedOp::Linear(PolyOp::Identity { out_scale: scale }))
}

fn power(operands: &mut Operands) -> Result<SupportedOp, String> {
    if operands.constant(1).is_some() {
        let scale = factor(operands.scale(0)?);
        let exponent = operands.absorb_single(1)?;
        return Ok(match exponent.fract() == 0.0 {
            true => SupportedOp::Linear(PolyOp::Pow { exponent: exponent as u32 }),
            false => SupportedOp::Nonlinear(LookupOp::Pow { scale, a: exponent }),
        });
    }
    if operands.constant(0).is_some() {
        let scale = factor(operands.scale(1)?);
        let base = operands.absorb_single(0)?;
        return Ok(SupportedOp::Nonlinear(LookupOp::Exp { scale, base }));
    }
    Err("either base or exponent must be a constant number".into())
}

fn reduction(reduce: &Reduce, operands: &Operands) -> Result<SupportedOp, String> {
    let axes = reduce.axes.to_vec();
    let one_axis = || match axes[..] {
        [axis] => Ok(axis),
        _ => Err("only one axis is supported".to_string()),
    };
    Ok(match reduce.reducer {
        Reducer::Sum => SupportedOp::Linear(PolyOp::Sum { axes }),
        Reducer::MeanOfSquares => SupportedOp::Linear(PolyOp::MeanOfSquares { axes }),
        Reducer::Prod => {
            let shape = operands.shape(0)?;
            let lengths = axes.iter().map(|axis| shape.get(*axis).copied().unwrap_or(1));
            SupportedOp::Linear(PolyOp::Prod { len_prod: lengths.product(), axes })
        }
        Reducer::Max => SupportedOp::Hybrid(HybridOp::ReduceMax { axes }),
        Reducer::Min => SupportedOp::Hybrid(HybridOp::ReduceMin { axes }),
        Reducer::ArgMax(false) => SupportedOp::Hybrid(HybridOp::ReduceArgMax { dim: one_axis()? }),
        Reducer::ArgMin(false) => SupportedOp::Hybrid(HybridOp::ReduceArgMin { dim: one_axis()? }),
        _ => return Err("the last of equal elements cannot be asked for".into()),
    })
}

fn cast(operands: &mut Operands, to: InputType, args: &RunArgs) -> Result<SupportedOp, String> {
    let scale = operands.scale(0)?;
    if !to.is_integer() || scale == 0 {
        return Ok(SupportedOp::Linear(PolyOp::Identity { out_scale: None }));
    }
    if let Some(Node { op: SupportedOp::Constant(constant), out_scale, .. }) = operands.node_mut(0)
    {
        requantize(constant, 0, &args.param_visibility).map_err(|error| error.to_string())?;
        *out_scale = 0;
        return Ok(SupportedOp::Linear(PolyOp::Identity { out_scale: Some(0) }));
    }
    Ok(SupportedOp::Hybrid(HybridOp::Floor { scale: factor(scale), legs: args.decomp_legs }))
}

/// Brings a constant bias to the scale of the products it is added to.
fn rescale_bias(operands: &mut Operands, args: &RunArgs) -> Result<(), String> {
    if operands.count() != 3 {
        return Ok(());
    }
    let scale = operands.scale(0)?.checked_add(operands.scale(1)?);
    let scale = scale.ok_or("the scale overflows")?;
    if let Some(Node { op: SupportedOp::Constant(constant), out_scale, .. }) = operands.node_mut(2)
        && *out_scale != scale
    {
        requantize(constant, scale, &args.param_visibility).map_err(|error| error.to_string())?;
        *out_scale = scale;
    }
    Ok(())
}
