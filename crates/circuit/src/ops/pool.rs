//! Pooling: sums and largest elements of windows (spec 03 §5.14, spec 04 §4.6).

use super::conv::{Convolution, window, windows};
use super::sort::Ties;
use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::{ONE, ZERO};
use crate::tensor::{Element, Tensor, coordinates};

impl Layouter {
    /// The largest elements of windows; what the padding adds is 0.
    pub fn max_pool(
        &mut self,
        image: &Tensor,
        kernel_shape: &[usize],
        padding: &[(usize, usize)],
        stride: &[usize],
    ) -> Result<Tensor, LayoutError> {
        let arguments = Convolution { padding, stride, groups: 1 };
        let spatial = windows(image, kernel_shape, &arguments)?;
        let mut dims = image.dims[..2].to_vec();
        dims.extend(spatial);
        let image = image.pad(padding, 2, Element::constant(ZERO), self.capacity)?;
        self.capacity.elements(&[&dims, kernel_shape].concat())?;
        let mut lists = Vec::with_capacity(dims.iter().product());
        for position in coordinates(&dims) {
            let mut ranges: Vec<_> = position[..2].iter().map(|c| *c..*c + 1).collect();
            ranges.extend(window(&position[2..], kernel_shape, stride));
            lists.push(image.slice(&ranges)?);
        }
        let orders = self.orders(&lists, Ties::Free)?;
        let mut elements = Vec::with_capacity(lists.len());
        for (list, order) in lists.iter().zip(orders) {
            let (sorted, _) = self.sort_cells(list, order, Ties::Free)?;
            elements.extend(sorted.elements.last().copied());
        }
        Tensor::new(elements, &dims)
    }

    /// Sums over windows; their averages if `normalized`.
    pub fn sum_pool(
        &mut self,
        image: &Tensor,
        kernel_shape: &[usize],
        padding: &[(usize, usize)],
        stride: &[usize],
        normalized: bool,
    ) -> Result<Tensor, LayoutError> {
        let arguments = Convolution { padding, stride, groups: 1 };
        let spatial = windows(image, kernel_shape, &arguments)?;
        let size = self.capacity.elements(kernel_shape)?;
        let mut dims = vec![1, 1];
        dims.extend_from_slice(kernel_shape);
        let kernel = Tensor::constants(ONE, size).reshape(&dims)?;
        let kernel = self.assign(self.columns.b, &kernel)?;
        self.cursor += size;
        let mut elements = Vec::new();
        for n in 0..image.dims[0] {
            for channel in 0..image.dims[1] {
                let slice = image.slice(&[n..n + 1, channel..channel + 1])?;
                elements.extend(self.conv(&slice, &kernel, None, &arguments)?.elements);
            }
        }
        let mut dims = image.dims[..2].to_vec();
        dims.extend(spatial);
        let sums = Tensor::new(elements, &dims)?;
        if normalized { self.divide(&sums, size as u128) } else { Ok(sums) }
    }
}
