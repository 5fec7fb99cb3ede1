//! What the operations of a graph cost, those with a layout (spec 05 §4.2, §4.3).

use crate::sizing::region::Region;
use crate::sizing::tensor::{Element, Tensor, coordinates};
use ff::Field;
use std::ops::Range;
use twain_algebra::Fr;
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
            PolyOp::Sum { axes } => self.along_axes(input(0)?, axes, Region::sum)?,
            PolyOp::MeanOfSquares { axes } => {
                let tensor = input(0)?;
                let squares = self.pairwise(tensor, tensor);
                let sums = self.along_axes(&squares, axes, Region::sum)?;
                self.divide(&sums, (tensor.len() / sums.len().max(1)) as i128)?
            }
            PolyOp::Prod { axes, .. } => self.along_axes(input(0)?, axes, Region::prod)?,
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
            other => return Err(format!("the size of {} is not known yet", other.name())),
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
            HybridOp::Gather { dim, constant_idx: Some(indices) } => {
                input(0)?.pick(*dim, &indices.inner)
            }
            other => Err(format!("the size of {} is not known yet", other.name())),
        }
    }

    fn conv(
        &mut self,
        image: &Tensor,
        kernel: &Tensor,
        bias: Option<&Tensor>,
        arguments: &Convolution,
    ) -> Result<Tensor, String> {
        let misfit = || {
            let (image, kernel) = (&image.dims, &kernel.dims);
            format!("a convolution of an image {image:?} with a kernel {kernel:?}")
        };
        let Convolution { padding, stride, groups } = *arguments;
        let axes = image.dims.len().checked_sub(2).filter(|axes| *axes > 0).ok_or_else(misfit)?;
        let fits = kernel.dims.len() == axes + 2
            && padding.len() == axes
            && stride.len() == axes
            && !stride.contains(&0)
            && groups > 0
            && kernel.dims[0].is_multiple_of(groups)
            && kernel.dims[1].checked_mul(groups) == Some(image.dims[1]);
        if !fits || bias.is_some_and(|bias| bias.len() != 1 && bias.len() != kernel.dims[0]) {
            return Err(misfit());
        }
        self.assign(&kernel.elements);
        self.assign(&image.elements);
        self.cells += kernel.len().max(image.len());
        let image = image.pad(padding, 2)?;
        self.flush();

        let mut spatial = Vec::with_capacity(axes);
        for (axis, step) in stride.iter().enumerate() {
            let room = image.dims[axis + 2].checked_sub(kernel.dims[axis + 2]);
            spatial.push(room.ok_or_else(misfit)? / step + 1);
        }
        let (outputs, channels) = (kernel.dims[0], kernel.dims[1]);
        let size: usize = kernel.dims[1..].iter().product();
        let mut elements = Vec::new();
        for n in 0..image.dims[0] {
            for output in 0..outputs {
                let channel = output / (outputs / groups) * channels;
                let weights = &kernel.elements[output * size..(output + 1) * size];
                for position in coordinates(&spatial) {
                    let mut ranges = vec![n..n + 1, channel..channel + channels];
                    for ((start, step), length) in
                        position.iter().zip(stride).zip(&kernel.dims[2..])
                    {
                        ranges.push(start * step..start * step + length);
                    }
                    let window = image.slice(&ranges)?;
                    let mut result = self.dot(&window.elements, weights);
                    if let Some(bias) = bias {
                        let bias = bias.elements[if bias.len() == 1 { 0 } else { output }];
                        self.assign(&[bias]);
                        self.cells += 1;
                        result = Element::Value;
                    }
                    self.flush();
                    elements.push(result);
                }
            }
        }
        let mut dims = vec![image.dims[0], outputs];
        dims.extend(spatial);
        Tensor::new(elements, dims)
    }

    fn sum_pool(
        &mut self,
        image: &Tensor,
        kernel_shape: &[usize],
        arguments: &Convolution,
        normalized: bool,
    ) -> Result<Tensor, String> {
        let [batch, channels, ..] = image.dims[..] else {
            return Err(format!("a pool over an image {:?}", image.dims));
        };
        let size: usize = kernel_shape.iter().product();
        let mut dims = vec![1, 1];
        dims.extend_from_slice(kernel_shape);
        let kernel = Tensor::new(vec![Element::Constant(Fr::ONE); size], dims)?;
        let kernel = self.identity(&kernel);
        let mut elements = Vec::new();
        let mut dims = vec![batch, channels];
        for n in 0..batch {
            for channel in 0..channels {
                let mut ranges: Vec<Range<usize>> = image.dims.iter().map(|dim| 0..*dim).collect();
                ranges[0] = n..n + 1;
                ranges[1] = channel..channel + 1;
                let part = self.conv(&image.slice(&ranges)?, &kernel, None, arguments)?;
                dims.truncate(2);
                dims.extend_from_slice(&part.dims[2..]);
                elements.extend(part.elements);
            }
        }
        let sums = Tensor::new(elements, dims)?;
        if normalized { self.divide(&sums, size as i128) } else { Ok(sums) }
    }
}

/// The arguments of a convolution.
struct Convolution<'a> {
    padding: &'a [(usize, usize)],
    stride: &'a [usize],
    groups: usize,
}
