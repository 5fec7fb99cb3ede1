//! Convolutions (spec 03 §5.14).

use super::Pairwise;
use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::ZERO;
use crate::tensor::{Element, Tensor, coordinates};
use std::ops::Range;
use twain_graph::{DataFormat, KernelFormat};

/// The arguments of a convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution<'a> {
    /// Zeros before and after each spatial axis.
    pub padding: &'a [(usize, usize)],
    pub stride: &'a [usize],
    pub groups: usize,
}

/// Refuses axis orders no ONNX file leads to.
pub(crate) fn check_formats(data: DataFormat, kernel: KernelFormat) -> Result<(), LayoutError> {
    if data == DataFormat::NCHW && kernel == KernelFormat::OIHW {
        return Ok(());
    }
    let text = format!("data in {data:?} and kernels in {kernel:?} order are not supported");
    Err(LayoutError::Operands(text))
}

fn misfit(image: &Tensor, kernel: &[usize], why: &str) -> LayoutError {
    LayoutError::Operands(format!(
        "an image of shape {:?} and a kernel of shape {kernel:?}: {why}",
        image.dims
    ))
}

/// Shape of the output's spatial axes, and the windows.
pub(super) fn windows(
    image: &Tensor,
    kernel: &[usize],
    arguments: &Convolution,
) -> Result<Vec<usize>, LayoutError> {
    let Convolution { padding, stride, .. } = arguments;
    let spatial = image.dims.get(2..).unwrap_or_default();
    if spatial.is_empty() || [kernel.len(), padding.len(), stride.len()] != [spatial.len(); 3] {
        return Err(misfit(image, kernel, "the spatial axes do not agree"));
    }
    let length = |axis: usize| {
        let (before, after) = padding[axis];
        let padded = spatial[axis].checked_add(before)?.checked_add(after)?;
        let room = padded.checked_sub(kernel[axis])?;
        room.checked_div(stride[axis])?.checked_add(1)
    };
    let lengths = (0..spatial.len()).map(length).collect::<Option<Vec<usize>>>();
    lengths.ok_or_else(|| misfit(image, kernel, "the kernel does not fit"))
}

/// The ranges of the window at an output position.
pub(super) fn window(position: &[usize], kernel: &[usize], stride: &[usize]) -> Vec<Range<usize>> {
    let axes = position.iter().zip(kernel).zip(stride);
    axes.map(|((p, length), step)| p * step..p * step + length).collect()
}

impl Layouter {
    /// The convolution of an image of shape batch, channels, axes with a kernel of shape outputs,
    /// channels of a group, axes.
    pub fn conv(
        &mut self,
        image: &Tensor,
        kernel: &Tensor,
        bias: Option<&Tensor>,
        arguments: &Convolution,
    ) -> Result<Tensor, LayoutError> {
        let kernel_axes = kernel.dims.get(2..).unwrap_or_default();
        let spatial = windows(image, kernel_axes, arguments)?;
        let groups = arguments.groups;
        let (batch, channels) = (image.dims[0], image.dims[1]);
        let (outputs, group_channels) = (kernel.dims[0], kernel.dims[1]);
        let divides = |number: usize| groups > 0 && number.is_multiple_of(groups);
        if !divides(channels) || !divides(outputs) || channels / groups != group_channels {
            return Err(misfit(image, &kernel.dims, "the channels do not agree"));
        }
        if bias.is_some_and(|bias| bias.len() != 1 && bias.len() != outputs) {
            return Err(misfit(image, &kernel.dims, "the bias is of another length"));
        }

        let (a, b) = (self.columns.a, self.columns.b);
        let mut written = 0;
        let mut place = |layouter: &mut Self, tensor: &Tensor, variable| match tensor.all_assigned()
        {
            true => Ok(tensor.clone()),
            false => {
                written = written.max(tensor.len());
                layouter.assign(variable, tensor)
            }
        };
        let kernel = place(self, kernel, a)?;
        let image = place(self, image, b)?;
        self.cursor += written;
        let image = image.pad(arguments.padding, 2, Element::constant(ZERO), self.capacity)?;

        self.flush();
        let outputs_per_group = outputs / groups;
        let mut dims = vec![batch, outputs];
        dims.extend_from_slice(&spatial);
        let mut elements = Vec::with_capacity(self.capacity.elements(&dims)?);
        let kernel_axes = &kernel.dims[2..];
        let kernel_size = group_channels * kernel_axes.iter().product::<usize>();
        for n in 0..batch {
            for output in 0..outputs {
                let group = output / outputs_per_group;
                let first = output * kernel_size;
                let weights = &kernel.elements[first..first + kernel_size];
                for position in coordinates(&spatial) {
                    let channel = group * group_channels;
                    let mut ranges = vec![n..n + 1, channel..channel + group_channels];
                    ranges.extend(window(&position, kernel_axes, arguments.stride));
                    let pixels = image.slice(&ranges)?;
                    let mut result = self.dot(&pixels.elements, weights)?;
                    if let Some(bias) = bias {
                        let index = if bias.len() == 1 { 0 } else { output };
                        let bias = Tensor::flat(vec![bias.elements[index]]);
                        let sum = Tensor::flat(vec![result]);
                        result = self.pairwise(&sum, &bias, Pairwise::Add)?.elements[0];
                    }
                    self.flush();
                    elements.push(result);
                }
            }
        }
        Tensor::new(elements, &dims)
    }

    /// The transpose of a convolution.
    pub fn deconv(
        &mut self,
        image: &Tensor,
        kernel: &Tensor,
        bias: Option<&Tensor>,
        arguments: &Convolution,
        output_padding: &[usize],
    ) -> Result<Tensor, LayoutError> {
        let axes = image.dims.len().saturating_sub(2);
        let Convolution { padding, stride, groups } = *arguments;
        if axes == 0 || kernel.dims.len() != image.dims.len() {
            return Err(misfit(image, &kernel.dims, "the spatial axes do not agree"));
        }
        if [padding.len(), stride.len(), output_padding.len()] != [axes; 3] {
            return Err(misfit(image, &kernel.dims, "the spatial axes do not agree"));
        }
        let zero = Element::constant(ZERO);
        let mut expanded = image.clone();
        for (axis, stride) in stride.iter().enumerate() {
            expanded = expanded.intercalate(*stride, axis + 2, zero, self.capacity)?;
        }
        let border = kernel.dims[2..].iter().map(|length| length.saturating_sub(1));
        let border: Vec<(usize, usize)> = border.map(|length| (length, length)).collect();
        expanded = expanded.pad(&border, 2, zero, self.capacity)?;
        let mut ranges: Vec<Range<usize>> = expanded.dims[..2].iter().map(|dim| 0..*dim).collect();
        for axis in 0..axes {
            let end = expanded.dims[axis + 2].checked_sub(padding[axis].1);
            let end = end.and_then(|end| end.checked_add(output_padding[axis]));
            let end = end.filter(|end| *end <= expanded.dims[axis + 2]);
            let end = end.ok_or_else(|| misfit(image, &kernel.dims, "the padding does not fit"))?;
            ranges.push(padding[axis].0..end);
        }
        expanded = expanded.slice(&ranges)?;

        let size: usize = kernel.dims[2..].iter().product();
        let reversed = kernel.elements.chunks(size.max(1));
        let reversed: Vec<Element> = reversed.flat_map(|part| part.iter().rev().copied()).collect();
        let mut dims = kernel.dims.clone();
        if dims[0] == expanded.dims[1] {
            dims.swap(0, 1);
        }
        let kernel = Tensor::new(reversed, &dims)?;
        let ones = vec![1; axes];
        let no_padding = vec![(0, 0); axes];
        let arguments = Convolution { padding: &no_padding, stride: &ones, groups };
        self.conv(&expanded, &kernel, bias, &arguments)
    }
}
