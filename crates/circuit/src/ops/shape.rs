//! Operations that move elements and may write them anew (spec 03 §5.15, spec 04 §5.8).

use crate::LayoutError;
use crate::layouter::Layouter;
use crate::program::ZERO;
use crate::tensor::{Element, Tensor};

impl Layouter {
    /// The elements `start..end` of an axis.
    pub fn slice_axis(
        &mut self,
        tensor: &Tensor,
        axis: usize,
        start: usize,
        end: usize,
    ) -> Result<Tensor, LayoutError> {
        let tensor = self.identity(tensor)?;
        if axis >= tensor.dims.len() {
            let text = format!("the shape {:?} has no axis {axis}", tensor.dims);
            return Err(LayoutError::Operands(text));
        }
        let mut ranges: Vec<_> = tensor.dims.iter().map(|dim| 0..*dim).collect();
        ranges[axis] = start..end;
        tensor.slice(&ranges)
    }

    /// Every element as often as `factors` say, along each axis.
    pub fn resize(&mut self, tensor: &Tensor, factors: &[usize]) -> Result<Tensor, LayoutError> {
        if factors.len() != tensor.dims.len() || factors.contains(&0) {
            let text = format!("{:?} cannot be resized by {factors:?}", tensor.dims);
            return Err(LayoutError::Operands(text));
        }
        let mut resized = self.assign(self.columns.o, tensor)?;
        self.cursor += tensor.len();
        for (axis, factor) in factors.iter().enumerate() {
            let length = resized.dims[axis].checked_mul(*factor).ok_or(LayoutError::TooLarge)?;
            self.capacity.elements(&[length])?;
            let indices: Vec<usize> = (0..length).map(|i| i / factor).collect();
            resized = resized.pick(axis, &indices, self.capacity)?;
        }
        Ok(resized)
    }

    /// Every `stride`-th element of an axis from the `modulo`-th on, from the end if it is
    /// negative.
    pub fn downsample(
        &mut self,
        tensor: &Tensor,
        axis: usize,
        stride: isize,
        modulo: usize,
    ) -> Result<Tensor, LayoutError> {
        let step = stride.unsigned_abs();
        let Some(dim) = tensor.dims.get(axis).copied().filter(|_| step > 0) else {
            let text = format!("{:?} cannot be downsampled on axis {axis}", tensor.dims);
            return Err(LayoutError::Operands(text));
        };
        let (a, o) = (self.columns.a, self.columns.o);
        let written = self.assign(a, tensor)?;
        let mut indices: Vec<usize> = (modulo..dim).step_by(step).collect();
        if stride < 0 {
            indices.iter_mut().for_each(|index| *index = dim - 1 - *index);
        }
        let picked = written.pick(axis, &indices, self.capacity)?;
        let picked = self.assign(o, &picked)?;
        self.cursor += tensor.len().max(picked.len());
        Ok(picked)
    }

    /// Repeats elements up to a shape.
    pub fn broadcast_to(
        &mut self,
        tensor: &Tensor,
        shape: &[usize],
    ) -> Result<Tensor, LayoutError> {
        let written = self.assign(self.columns.a, tensor)?;
        let expanded = written.expand(shape, self.capacity)?;
        self.cursor += expanded.len();
        Ok(expanded)
    }

    /// The upper or lower triangle of the last two of three axes; the rest becomes 0.
    pub fn trilu(&mut self, tensor: &Tensor, upper: bool, k: i32) -> Result<Tensor, LayoutError> {
        let [_, rows, columns] = tensor.dims[..] else {
            let text = format!("a triangle of a tensor of shape {:?}", tensor.dims);
            return Err(LayoutError::Operands(text));
        };
        let (a, o) = (self.columns.a, self.columns.o);
        let mut masked = match tensor.all_assigned() {
            true => tensor.clone(),
            false => self.assign(a, tensor)?,
        };
        for (index, element) in masked.elements.iter_mut().enumerate() {
            let (i, j) = ((index / columns % rows) as i64, (index % columns) as i64);
            let diagonal = i + i64::from(k);
            if if upper { j < diagonal } else { j > diagonal } {
                *element = Element::constant(ZERO);
            }
        }
        let result = self.assign(o, &masked)?;
        self.cursor += tensor.len();
        Ok(result)
    }
}
