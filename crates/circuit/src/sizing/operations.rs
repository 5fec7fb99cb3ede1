//! What the operations of a graph cost (spec 05 §4.2, §4.3).

use crate::sizing::functions::Rounding;
use crate::sizing::pools::Convolution;
use crate::sizing::region::Region;
use crate::sizing::tensor::Tensor;
use ff::Field;
use std::ops::Range;
use twain_algebra::Fr;
use twain_graph::Tensor as Indices;
use twain_graph::indices::Addressing;
use twain_graph::{HybridOp, InputType, LookupOp, PolyOp, SupportedOp};

fn operand(inputs: &[Tensor], position: usize) -> Result<&Tensor, String> {
    inputs.get(position).ok_or_else(|| format!("operand {position} is missing"))
}

impl Region {
    /// Counts one operation.
    pub fn apply(&mut self, op: &SupportedOp, inputs: &[Tensor]) -> Result<Tensor, String> {
        match op {
            SupportedOp::Linear(op) => self.polynomial(op, inputs),
            SupportedOp::Nonlinear(op) => {
                let tensor = operand(inputs, 0)?;
                self.lookup(*op, tensor);
                Ok(Tensor::values(tensor.dims.clone()))
            }
            SupportedOp::Hybrid(op) => self.hybrid(op, inputs),
            SupportedOp::Input(input) => {
                let tensor = operand(inputs, 0)?;
                match input.datum_type {
                    InputType::Bool => self.boolean(tensor),
                    _ if input.decomp => self.decompose(tensor, false)?,
                    _ => return Ok(self.identity(tensor)),
                }
                Ok(tensor.clone())
            }
            SupportedOp::Constant(constant) => {
                let tensor = operand(inputs, 0)?;
                if constant.decomp {
                    self.decompose(tensor, false)?;
                    return Ok(tensor.clone());
                }
                Ok(self.identity(tensor))
            }
            SupportedOp::Rescaled(rescaled) => {
                let mut scaled = inputs.to_vec();
                for (position, multiplier) in &rescaled.scale {
                    if *multiplier == 1 {
                        continue;
                    }
                    let tensor = operand(&scaled, *position)?.clone();
                    // EZKL cuts the multiplier off at 64 bits.
                    scaled[*position] =
                        self.pairwise_number(&tensor, i128::from(*multiplier as u64));
                }
                self.apply(&rescaled.inner, &scaled)
            }
            SupportedOp::RebaseScale(rebased) => {
                let result = self.apply(&rebased.inner, inputs)?;
                self.hybrid(&rebased.rebase_op, &[result])
            }
            SupportedOp::Unknown => Err("an unknown operation".into()),
        }
    }

    /// By indices of the graph, or of the second operand.
    fn gathered(
        &mut self,
        inputs: &[Tensor],
        constant: &Option<Indices<usize>>,
        how: Addressing,
    ) -> Result<Tensor, String> {
        match constant {
            Some(indices) => operand(inputs, 0)?.gather(indices, how),
            None => self.gather(operand(inputs, 0)?, operand(inputs, 1)?, how),
        }
    }

    /// The same; the updates are the last operand.
    fn scattered(
        &mut self,
        inputs: &[Tensor],
        constant: &Option<Indices<usize>>,
        how: Addressing,
    ) -> Result<Tensor, String> {
        let input = |position| operand(inputs, position);
        match constant {
            Some(indices) => input(0)?.scatter(indices, input(1)?, how),
            None => self.scatter(input(0)?, input(1)?, input(2)?, how),
        }
    }

    fn polynomial(&mut self, op: &PolyOp, inputs: &[Tensor]) -> Result<Tensor, String> {
        let input = |position| operand(inputs, position);
        Ok(match op {
            PolyOp::Abs => self.abs(input(0)?)?,
            PolyOp::Sign => self.sign(input(0)?, true)?,
            PolyOp::LeakyReLU { slope, scale } => self.leaky_relu(input(0)?, *slope, *scale)?,
            PolyOp::MultiBroadcastTo { shape } => {
                let expanded = input(0)?.expand(shape)?;
                self.identity(&expanded)
            }
            PolyOp::Einsum { equation } => self.einsum(equation, inputs)?,
            PolyOp::Conv { padding, stride, group, .. } => {
                let arguments = Convolution { padding, stride, groups: *group };
                self.conv(input(0)?, input(1)?, inputs.get(2), &arguments)?
            }
            PolyOp::DeConv { padding, output_padding, stride, group, .. } => {
                let arguments = Convolution { padding, stride, groups: *group };
                self.deconv(input(0)?, input(1)?, inputs.get(2), &arguments, output_padding)?
            }
            PolyOp::GatherElements { dim, constant_idx } => {
                self.gathered(inputs, constant_idx, Addressing::Elements { axis: *dim })?
            }
            PolyOp::GatherND { batch_dims, indices } => {
                self.gathered(inputs, indices, Addressing::Tuples { batch: *batch_dims })?
            }
            PolyOp::ScatterElements { dim, constant_idx } => {
                self.scattered(inputs, constant_idx, Addressing::Elements { axis: *dim })?
            }
            PolyOp::ScatterND { constant_idx } => {
                self.scattered(inputs, constant_idx, Addressing::Tuples { batch: 0 })?
            }
            PolyOp::Trilu { upper, k } => {
                let triangle = input(0)?.triangle(*upper, *k)?;
                self.identity(&triangle)
            }
            PolyOp::Add | PolyOp::Sub | PolyOp::Mult => self.pairwise(input(0)?, input(1)?),
            PolyOp::Neg => self.pairwise(&Tensor::constant(Fr::ZERO), input(0)?),
            PolyOp::Identity { .. } => self.identity(input(0)?),
            PolyOp::Reshape { shape } | PolyOp::Flatten { shape } => {
                input(0)?.clone().reshape(shape)?
            }
            PolyOp::MoveAxis { source, destination } => {
                input(0)?.move_axis(*source, *destination)?
            }
            PolyOp::Pad { padding } => {
                let tensor = input(0)?;
                tensor.pad(padding, tensor.dims.len().saturating_sub(padding.len()))?
            }
            PolyOp::Sum { axes } => {
                self.along_axes(input(0)?, axes, |region, part| Ok(region.sum(part)))?
            }
            PolyOp::MeanOfSquares { axes } => {
                let tensor = input(0)?;
                let squares = self.pairwise(tensor, tensor);
                let sums = self.along_axes(&squares, axes, |region, part| Ok(region.sum(part)))?;
                self.divide(&sums, (tensor.len() / sums.len().max(1)) as i128)?
            }
            PolyOp::Prod { axes, .. } => {
                self.along_axes(input(0)?, axes, |region, part| Ok(region.prod(part)))?
            }
            PolyOp::Pow { exponent } => {
                let tensor = input(0)?;
                let mut power = tensor.clone();
                for _ in 1..*exponent {
                    power = self.pairwise(&power, tensor);
                }
                power
            }
            PolyOp::Concat { axis } => Tensor::concat(inputs, *axis)?,
            PolyOp::Slice { axis, start, end } => {
                let tensor = self.identity(input(0)?);
                let mut ranges: Vec<Range<usize>> = tensor.dims.iter().map(|dim| 0..*dim).collect();
                *ranges.get_mut(*axis).ok_or_else(|| format!("no axis {axis}"))? = *start..*end;
                tensor.slice(&ranges)?
            }
            PolyOp::Iff => self.iff(input(0)?, input(1)?, input(2)?),
            PolyOp::Resize { scale_factor } => {
                let mut tensor = self.identity(input(0)?);
                for (axis, factor) in scale_factor.iter().enumerate() {
                    let length = tensor.dims.get(axis).copied().unwrap_or(0);
                    let indices: Vec<usize> = (0..length * factor).map(|i| i / factor).collect();
                    tensor = tensor.pick(axis, &indices)?;
                }
                tensor
            }
            PolyOp::Downsample { axis, stride, modulo } => {
                let tensor = input(0)?;
                let length = tensor.dims.get(*axis).copied().unwrap_or(0);
                let step = stride.unsigned_abs().max(1);
                let mut indices: Vec<usize> = (*modulo..length).step_by(step).collect();
                if *stride < 0 {
                    indices.iter_mut().for_each(|index| *index = length - 1 - *index);
                }
                let picked = tensor.pick(*axis, &indices)?;
                self.assign(&tensor.elements);
                self.cells += tensor.len().max(picked.len());
                picked
            }
            PolyOp::Not => self.not(input(0)?),
            PolyOp::And => self.and(input(0)?, input(1)?),
            PolyOp::Or => self.or(input(0)?, input(1)?),
            PolyOp::Xor => self.xor(input(0)?, input(1)?),
        })
    }

    fn hybrid(&mut self, op: &HybridOp, inputs: &[Tensor]) -> Result<Tensor, String> {
        let input = |position| operand(inputs, position);
        match op {
            HybridOp::Div { denom } if denom.fract() == 0.0 && *denom >= 1.0 => {
                self.divide(input(0)?, *denom as i128)
            }
            HybridOp::Div { denom } => {
                let tensor = input(0)?;
                self.lookup(LookupOp::Div { denom: *denom }, tensor);
                Ok(Tensor::values(tensor.dims.clone()))
            }
            HybridOp::SumPool { padding, stride, kernel_shape, normalized, .. } => {
                let arguments = Convolution { padding, stride, groups: 1 };
                self.sum_pool(input(0)?, kernel_shape, &arguments, *normalized)
            }
            HybridOp::Max | HybridOp::Min => self.extreme(input(0)?, input(1)?),
            HybridOp::Greater => self.greater(input(0)?, input(1)?),
            HybridOp::GreaterEqual => self.greater_equal(input(0)?, input(1)?),
            HybridOp::Less => self.greater(input(1)?, input(0)?),
            HybridOp::LessEqual => self.greater_equal(input(1)?, input(0)?),
            HybridOp::Equals => Ok(self.equals(input(0)?, input(1)?)),
            HybridOp::Gather { dim, constant_idx } => {
                self.gathered(inputs, constant_idx, Addressing::Slices { axis: *dim })
            }
            HybridOp::MaxPool { padding, stride, pool_dims, .. } => {
                self.max_pool(input(0)?, pool_dims, padding, stride)
            }
            HybridOp::ReduceMax { axes } | HybridOp::ReduceMin { axes } => {
                self.along_axes(input(0)?, axes, Region::extreme_of)
            }
            HybridOp::ReduceArgMax { dim } | HybridOp::ReduceArgMin { dim } => {
                self.along_axes(input(0)?, &[*dim], Region::extreme_position)
            }
            HybridOp::TopK { dim, k, .. } => self.top_k(input(0)?, *dim, *k),
            HybridOp::OneHot { dim, num_classes } => self.one_hot(input(0)?, *dim, *num_classes),
            HybridOp::Softmax { input_scale, output_scale, axes, eps } => {
                self.softmax(input(0)?, axes, (*input_scale, *output_scale), *eps)
            }
            HybridOp::Recip { input_scale, output_scale, eps } => {
                self.reciprocal(input(0)?, (*input_scale, *output_scale), *eps)
            }
            HybridOp::Rsqrt { input_scale, output_scale, eps } => {
                let root = self.square_root(input(0)?, *input_scale)?;
                self.reciprocal(&root, (*input_scale, *output_scale), *eps)
            }
            HybridOp::Sqrt { scale } => self.square_root(input(0)?, *scale),
            HybridOp::Ln { scale, eps } => self.logarithm(input(0)?, *scale, *eps),
            HybridOp::Floor { scale, legs } => self.round(input(0)?, *scale, *legs, Rounding::Down),
            HybridOp::Ceil { scale, legs } => self.round(input(0)?, *scale, *legs, Rounding::Up),
            HybridOp::Round { scale, legs } => {
                self.round(input(0)?, *scale, *legs, Rounding::HalfAway)
            }
            HybridOp::RoundHalfToEven { scale, legs } => {
                self.round(input(0)?, *scale, *legs, Rounding::HalfToEven)
            }
            HybridOp::Output { .. } => Err("a comparison with the output is not a node".into()),
        }
    }
}
