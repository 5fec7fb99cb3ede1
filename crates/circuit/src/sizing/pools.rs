//! What convolutions and pools cost (spec 05 §4.2, spec 03 §5.14, spec 04 §4.6).

use crate::sizing::region::Region;
use crate::sizing::tensor::{Element, Tensor};
use ff::Field;
use std::ops::Range;
use twain_algebra::Fr;
use twain_graph::indices::coordinates;

/// The arguments of a convolution.
#[derive(Clone, Copy)]
pub(crate) struct Convolution<'a> {
    /// Zeros before and after each spatial axis.
    pub padding: &'a [(usize, usize)],
    pub stride: &'a [usize],
    pub groups: usize,
}

/// Where the window at a position of the output begins and ends.
fn window(position: &[usize], stride: &[usize], shape: &[usize]) -> Vec<Range<usize>> {
    let axes = position.iter().zip(stride).zip(shape);
    axes.map(|((start, step), length)| start * step..start * step + length).collect()
}

/// How many windows of a shape there are along each axis of a padded image.
fn windows(image: &[usize], shape: &[usize], stride: &[usize]) -> Result<Vec<usize>, String> {
    let spatial = image.get(2..).unwrap_or_default();
    let fits = !spatial.is_empty()
        && [shape.len(), stride.len()] == [spatial.len(); 2]
        && !stride.contains(&0)
        && spatial.iter().zip(shape).all(|(room, length)| length <= room);
    if !fits {
        return Err(format!("windows of shape {shape:?} over an image {image:?}"));
    }
    let counts = spatial.iter().zip(shape).zip(stride);
    Ok(counts.map(|((room, length), step)| (room - length) / step + 1).collect())
}

impl Region {
    pub fn conv(
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
        let fits = image.dims.len() > 2
            && kernel.dims.len() == image.dims.len()
            && padding.len() + 2 == image.dims.len()
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

        let spatial = windows(&image.dims, &kernel.dims[2..], stride)?;
        let (outputs, channels) = (kernel.dims[0], kernel.dims[1]);
        let size: usize = kernel.dims[1..].iter().product();
        let mut elements = Vec::new();
        for n in 0..image.dims[0] {
            for output in 0..outputs {
                let channel = output / (outputs / groups) * channels;
                let weights = &kernel.elements[output * size..(output + 1) * size];
                for position in coordinates(&spatial) {
                    let mut ranges = vec![n..n + 1, channel..channel + channels];
                    ranges.extend(window(&position, stride, &kernel.dims[2..]));
                    let pixels = image.slice(&ranges)?;
                    let mut result = self.dot(&pixels.elements, weights);
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

    /// The transpose of a convolution.
    pub fn deconv(
        &mut self,
        image: &Tensor,
        kernel: &Tensor,
        bias: Option<&Tensor>,
        arguments: &Convolution,
        output_padding: &[usize],
    ) -> Result<Tensor, String> {
        let (image_dims, kernel_dims) = (&image.dims, &kernel.dims);
        let misfit = || format!("a transposed convolution of {image_dims:?} with {kernel_dims:?}");
        let axes = image.dims.len().saturating_sub(2);
        let Convolution { padding, stride, groups } = *arguments;
        let lengths = [padding.len(), stride.len(), output_padding.len()];
        if axes == 0 || kernel.dims.len() != axes + 2 || lengths != [axes; 3] {
            return Err(misfit());
        }
        let mut expanded = image.clone();
        for (axis, stride) in stride.iter().enumerate() {
            expanded = expanded.spread(axis + 2, *stride)?;
        }
        let border = kernel.dims[2..].iter().map(|length| length.saturating_sub(1));
        let border: Vec<(usize, usize)> = border.map(|length| (length, length)).collect();
        expanded = expanded.pad(&border, 2)?;
        let mut ranges: Vec<Range<usize>> = expanded.dims[..2].iter().map(|dim| 0..*dim).collect();
        for (axis, dim) in expanded.dims[2..].iter().enumerate() {
            let end = (dim + output_padding[axis]).checked_sub(padding[axis].1);
            ranges.push(padding[axis].0..end.ok_or_else(misfit)?);
        }
        expanded = expanded.slice(&ranges)?;
        let size: usize = kernel.dims[2..].iter().product();
        let reversed = kernel.elements.chunks(size.max(1));
        let reversed = reversed.flat_map(|part| part.iter().rev().copied()).collect();
        let mut dims = kernel.dims.clone();
        if dims[0] == expanded.dims[1] {
            dims.swap(0, 1);
        }
        let kernel = Tensor::new(reversed, dims)?;
        let (padding, stride) = (vec![(0, 0); axes], vec![1; axes]);
        let arguments = Convolution { padding: &padding, stride: &stride, groups };
        self.conv(&expanded, &kernel, bias, &arguments)
    }

    /// The largest element of each window; zeros around the image count.
    pub fn max_pool(
        &mut self,
        image: &Tensor,
        shape: &[usize],
        padding: &[(usize, usize)],
        stride: &[usize],
    ) -> Result<Tensor, String> {
        let image = image.pad(padding, 2)?;
        let spatial = windows(&image.dims, shape, stride)?;
        let dims = [&image.dims[..2], &spatial].concat();
        let mut elements = Vec::with_capacity(dims.iter().product());
        for position in coordinates(&dims) {
            let mut ranges = vec![position[0]..position[0] + 1, position[1]..position[1] + 1];
            ranges.extend(window(&position[2..], stride, shape));
            let pixels = image.slice(&ranges)?;
            elements.push(self.item(|region| region.extreme_of(&pixels.elements))?);
        }
        Tensor::new(elements, dims)
    }

    pub fn sum_pool(
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
