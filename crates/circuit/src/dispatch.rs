//! One operation of the graph to its layout (spec 02 §2.4, spec 04 §8.4).

use crate::LayoutError;
use crate::checks::supported_operations::unsupported;
use crate::layouter::Layouter;
use crate::ops::{Convolution, Pairwise, Rounding, Scales, gather, scatter};
use crate::program::ZERO;
use crate::tensor::{Element, Tensor};
use twain_graph::indices::Addressing;
use twain_graph::{HybridOp, InputType, LookupOp, Node, PolyOp, SupportedOp, Tensor as Indices};

/// An operand of an operation.
fn operand(inputs: &[Tensor], index: usize) -> Result<&Tensor, LayoutError> {
    let missing = || LayoutError::Operands(format!("operand {index} is missing"));
    inputs.get(index).ok_or_else(missing)
}

impl Layouter {
    /// Lays out the operation `op` of `node`.
    pub fn apply(
        &mut self,
        node: &Node,
        op: &SupportedOp,
        inputs: &[Tensor],
    ) -> Result<Tensor, LayoutError> {
        match op {
            SupportedOp::Linear(op) => self.polynomial(op, inputs),
            SupportedOp::Nonlinear(op) => self.nonlinearity(operand(inputs, 0)?, op),
            SupportedOp::Hybrid(op) => self.hybrid(node, op, inputs),
            SupportedOp::Input(input) => {
                let tensor = operand(inputs, 0)?;
                match input {
                    _ if tensor.all_assigned() => Ok(tensor.clone()),
                    input if input.datum_type == InputType::Bool => self.boolean_identity(tensor),
                    input if input.decomp => Ok(self.decompose(tensor, false)?.input),
                    _ => self.identity(tensor),
                }
            }
            SupportedOp::Constant(constant) => {
                let tensor = operand(inputs, 0)?;
                match constant.decomp {
                    true => Ok(self.decompose(tensor, false)?.input),
                    false => self.identity(tensor),
                }
            }
            SupportedOp::Rescaled(rescaled) => {
                let mut scaled = inputs.to_vec();
                for (index, multiplier) in &rescaled.scale {
                    if *multiplier == 1 {
                        continue;
                    }
                    let number = i128::try_from(*multiplier).map_err(|_| LayoutError::TooLarge)?;
                    let tensor = operand(&scaled, *index)?.clone();
                    scaled[*index] = self.pairwise_number(&tensor, number, Pairwise::Mult)?;
                }
                self.apply(node, &rescaled.inner, &scaled)
            }
            SupportedOp::RebaseScale(rebased) => {
                let result = self.apply(node, &rebased.inner, inputs)?;
                self.hybrid(node, &rebased.rebase_op, &[result])
            }
            SupportedOp::Unknown => Err(unsupported(node)),
        }
    }

    /// The elements at constant or computed indices.
    fn gather(
        &mut self,
        inputs: &[Tensor],
        constant: &Option<Indices<usize>>,
        how: Addressing,
    ) -> Result<Tensor, LayoutError> {
        let tensor = operand(inputs, 0)?;
        match constant {
            Some(indices) => gather(tensor, indices, how, self.capacity),
            None => self.gather_at(tensor, operand(inputs, 1)?, how),
        }
    }

    /// The tensor with the elements at constant or computed indices replaced.
    fn scatter(
        &mut self,
        inputs: &[Tensor],
        constant: &Option<Indices<usize>>,
        how: Addressing,
    ) -> Result<Tensor, LayoutError> {
        let tensor = operand(inputs, 0)?;
        match constant {
            Some(indices) => scatter(tensor, indices, operand(inputs, 1)?, how, self.capacity),
            None => self.scatter_at(tensor, operand(inputs, 1)?, operand(inputs, 2)?, how),
        }
    }

    fn polynomial(&mut self, op: &PolyOp, inputs: &[Tensor]) -> Result<Tensor, LayoutError> {
        let input = |index| operand(inputs, index);
        match op {
            PolyOp::Abs => self.abs(input(0)?),
            PolyOp::Sign => self.sign(input(0)?, true),
            PolyOp::LeakyReLU { slope, scale } => self.leaky_relu(input(0)?, *slope, *scale),
            PolyOp::GatherElements { dim, constant_idx } => {
                self.gather(inputs, constant_idx, Addressing::Elements { axis: *dim })
            }
            PolyOp::GatherND { batch_dims, indices } => {
                self.gather(inputs, indices, Addressing::Tuples { batch: *batch_dims })
            }
            PolyOp::ScatterElements { dim, constant_idx } => {
                self.scatter(inputs, constant_idx, Addressing::Elements { axis: *dim })
            }
            PolyOp::ScatterND { constant_idx } => {
                self.scatter(inputs, constant_idx, Addressing::Tuples { batch: 0 })
            }
            PolyOp::MultiBroadcastTo { shape } => self.broadcast_to(input(0)?, shape),
            PolyOp::Einsum { equation } => self.einsum(equation, inputs),
            PolyOp::Conv { padding, stride, group, .. } => {
                let arguments = Convolution { padding, stride, groups: *group };
                self.conv(input(0)?, input(1)?, inputs.get(2), &arguments)
            }
            PolyOp::DeConv { padding, output_padding, stride, group, .. } => {
                let arguments = Convolution { padding, stride, groups: *group };
                self.deconv(input(0)?, input(1)?, inputs.get(2), &arguments, output_padding)
            }
            PolyOp::Downsample { axis, stride, modulo } => {
                self.downsample(input(0)?, *axis, *stride, *modulo)
            }
            PolyOp::Add => self.pairwise(input(0)?, input(1)?, Pairwise::Add),
            PolyOp::Sub => self.pairwise(input(0)?, input(1)?, Pairwise::Sub),
            PolyOp::Mult => self.pairwise(input(0)?, input(1)?, Pairwise::Mult),
            PolyOp::Neg => self.neg(input(0)?),
            PolyOp::Identity { .. } => self.identity(input(0)?),
            PolyOp::Reshape { shape } | PolyOp::Flatten { shape } => {
                input(0)?.clone().reshape(shape)
            }
            PolyOp::MoveAxis { source, destination } => input(0)?.move_axis(*source, *destination),
            PolyOp::Pad { padding } => {
                let tensor = input(0)?;
                let offset = tensor.dims.len().saturating_sub(padding.len());
                tensor.pad(padding, offset, Element::constant(ZERO), self.capacity)
            }
            PolyOp::Sum { axes } => {
                self.along_axes(input(0)?, axes, |layouter, part| layouter.sum(&part.elements))
            }
            PolyOp::MeanOfSquares { axes } => {
                let tensor = input(0)?;
                let squares = self.pow(tensor, 2)?;
                let sums =
                    self.along_axes(&squares, axes, |layouter, part| layouter.sum(&part.elements))?;
                let count = tensor.len() / sums.len().max(1);
                self.divide(&sums, count as u128)
            }
            PolyOp::Prod { axes, .. } => {
                self.along_axes(input(0)?, axes, |layouter, part| layouter.prod(&part.elements))
            }
            PolyOp::Pow { exponent } => self.pow(input(0)?, *exponent),
            PolyOp::Concat { axis } => {
                Tensor::concat(&inputs.iter().collect::<Vec<_>>(), *axis, self.capacity)
            }
            PolyOp::Slice { axis, start, end } => self.slice_axis(input(0)?, *axis, *start, *end),
            PolyOp::Iff => self.iff(input(0)?, input(1)?, input(2)?),
            PolyOp::Resize { scale_factor } => self.resize(input(0)?, scale_factor),
            PolyOp::Not => self.not(input(0)?),
            PolyOp::And => self.and(input(0)?, input(1)?),
            PolyOp::Or => self.or(input(0)?, input(1)?),
            PolyOp::Xor => self.xor(input(0)?, input(1)?),
            PolyOp::Trilu { upper, k } => self.trilu(input(0)?, *upper, *k),
        }
    }

    fn hybrid(
        &mut self,
        node: &Node,
        op: &HybridOp,
        inputs: &[Tensor],
    ) -> Result<Tensor, LayoutError> {
        let input = |index| operand(inputs, index);
        match op {
            HybridOp::Div { denom } => {
                let integral = denom.fract() == 0.0 && *denom >= 1.0;
                match integral {
                    true => self.divide(input(0)?, *denom as u128),
                    false => self.nonlinearity(input(0)?, &LookupOp::Div { denom: *denom }),
                }
            }
            HybridOp::SumPool { padding, stride, kernel_shape, normalized, .. } => {
                self.sum_pool(input(0)?, kernel_shape, padding, stride, *normalized)
            }
            HybridOp::Max => self.extreme_of_two(input(0)?, input(1)?, true),
            HybridOp::Min => self.extreme_of_two(input(0)?, input(1)?, false),
            HybridOp::Greater => self.greater(input(0)?, input(1)?),
            HybridOp::GreaterEqual => self.greater_equal(input(0)?, input(1)?),
            HybridOp::Less => self.greater(input(1)?, input(0)?),
            HybridOp::LessEqual => self.greater_equal(input(1)?, input(0)?),
            HybridOp::Equals => self.equals(input(0)?, input(1)?),
            HybridOp::Gather { dim, constant_idx } => {
                self.gather(inputs, constant_idx, Addressing::Slices { axis: *dim })
            }
            HybridOp::ReduceMax { axes } => self.reduce_extreme(input(0)?, axes, true),
            HybridOp::ReduceMin { axes } => self.reduce_extreme(input(0)?, axes, false),
            HybridOp::ReduceArgMax { dim } => self.place_of_extreme(input(0)?, *dim, true),
            HybridOp::ReduceArgMin { dim } => self.place_of_extreme(input(0)?, *dim, false),
            HybridOp::MaxPool { padding, stride, pool_dims, .. } => {
                self.max_pool(input(0)?, pool_dims, padding, stride)
            }
            HybridOp::TopK { dim, k, largest } => self.top(input(0)?, *dim, *k, *largest),
            HybridOp::OneHot { dim, num_classes } => self.one_hot(input(0)?, *num_classes, *dim),
            HybridOp::Recip { input_scale, output_scale, eps } => {
                let scales = Scales { input: *input_scale, output: *output_scale, epsilon: *eps };
                self.reciprocal(input(0)?, scales)
            }
            HybridOp::Sqrt { scale } => self.square_root(input(0)?, *scale),
            HybridOp::Rsqrt { input_scale, output_scale, eps } => {
                let scales = Scales { input: *input_scale, output: *output_scale, epsilon: *eps };
                let root = self.square_root(input(0)?, *input_scale)?;
                self.reciprocal(&root, scales)
            }
            HybridOp::Softmax { input_scale, output_scale, axes, eps } => {
                let scales = Scales { input: *input_scale, output: *output_scale, epsilon: *eps };
                self.softmax(input(0)?, axes, scales)
            }
            HybridOp::Ln { scale, eps } => self.logarithm(input(0)?, *scale, *eps),
            HybridOp::Floor { scale, legs } => {
                self.round(input(0)?, Rounding::Floor, *scale, *legs)
            }
            HybridOp::Ceil { scale, legs } => self.round(input(0)?, Rounding::Ceil, *scale, *legs),
            HybridOp::Round { scale, legs } => {
                self.round(input(0)?, Rounding::Nearest, *scale, *legs)
            }
            HybridOp::RoundHalfToEven { scale, legs } => {
                self.round(input(0)?, Rounding::NearestEven, *scale, *legs)
            }
            HybridOp::Output { .. } => Err(unsupported(node)),
        }
    }
}
