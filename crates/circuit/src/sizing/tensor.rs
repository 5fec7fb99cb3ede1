//! Tensors of a dry run: of each element only whether it is a constant of the circuit.

use std::ops::Range;
use twain_algebra::Fr;
use twain_graph::indices::{coordinates, strides};

/// An element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Element {
    /// Part of the circuit.
    Constant(Fr),
    /// Known to a prover only.
    Value,
}

/// Elements in row-major order and a shape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    pub elements: Vec<Element>,
    pub dims: Vec<usize>,
}

impl Tensor {
    pub fn new(elements: Vec<Element>, dims: Vec<usize>) -> Result<Self, String> {
        if elements.len() != dims.iter().product::<usize>() {
            return Err(format!("{} elements do not make a tensor {dims:?}", elements.len()));
        }
        Ok(Self { elements, dims })
    }

    pub fn values(dims: Vec<usize>) -> Self {
        Self { elements: vec![Element::Value; dims.iter().product()], dims }
    }

    /// One constant.
    pub fn constant(value: Fr) -> Self {
        Self { elements: vec![Element::Constant(value)], dims: vec![1] }
    }

    pub fn len(&self) -> usize {
        self.elements.len()
    }

    pub fn reshape(mut self, dims: &[usize]) -> Result<Self, String> {
        if self.len() != dims.iter().product::<usize>() {
            return Err(format!("a tensor {:?} does not take the shape {dims:?}", self.dims));
        }
        self.dims = dims.to_vec();
        Ok(self)
    }

    /// The elements at source positions, in a new shape.
    fn pick_positions(
        &self,
        positions: impl Iterator<Item = usize>,
        dims: Vec<usize>,
    ) -> Result<Self, String> {
        let elements = positions.map(|position| self.elements.get(position).copied());
        let elements: Option<Vec<Element>> = elements.collect();
        Self::new(elements.ok_or("an index is out of range")?, dims)
    }

    /// A part of every axis.
    pub fn slice(&self, ranges: &[Range<usize>]) -> Result<Self, String> {
        let fits = ranges.len() == self.dims.len()
            && ranges.iter().zip(&self.dims).all(|(r, dim)| r.start <= r.end && r.end <= *dim);
        if !fits {
            return Err(format!("a tensor {:?} has no part {ranges:?}", self.dims));
        }
        let dims: Vec<usize> = ranges.iter().map(Range::len).collect();
        let strides = strides(&self.dims);
        let start: usize = ranges.iter().zip(&strides).map(|(range, s)| range.start * s).sum();
        let positions = Positions::new(&dims, &strides).map(|position| start + position);
        self.pick_positions(positions, dims.clone())
    }

    /// The indices of one axis, in the order given.
    pub fn pick(&self, axis: usize, indices: &[usize]) -> Result<Self, String> {
        let dim = self.dims.get(axis).copied().filter(|dim| indices.iter().all(|i| i < dim));
        let dim = dim.ok_or_else(|| format!("a tensor {:?} has no such elements", self.dims))?;
        let stride: usize = self.dims[axis + 1..].iter().product();
        let mut elements = Vec::new();
        for outer in self.elements.chunks((dim * stride).max(1)) {
            for index in indices {
                elements.extend_from_slice(&outer[index * stride..(index + 1) * stride]);
            }
        }
        let mut dims = self.dims.clone();
        dims[axis] = indices.len();
        Self::new(elements, dims)
    }

    pub fn move_axis(&self, source: usize, destination: usize) -> Result<Self, String> {
        if source.max(destination) >= self.dims.len() {
            return Err(format!("a tensor {:?} has no such axis", self.dims));
        }
        let mut order: Vec<usize> = (0..self.dims.len()).collect();
        let axis = order.remove(source);
        order.insert(destination, axis);
        let strides = strides(&self.dims);
        let dims: Vec<usize> = order.iter().map(|axis| self.dims[*axis]).collect();
        let moved: Vec<usize> = order.iter().map(|axis| strides[*axis]).collect();
        self.pick_positions(Positions::new(&dims, &moved), dims.clone())
    }

    /// Zeros around the axes from `first` on.
    pub fn pad(&self, padding: &[(usize, usize)], first: usize) -> Result<Self, String> {
        if first + padding.len() > self.dims.len() {
            return Err(format!("a tensor {:?} cannot be padded by {padding:?}", self.dims));
        }
        let mut padded = self.clone();
        for (axis, (before, after)) in (first..).zip(padding.iter().copied()) {
            let stride: usize = padded.dims[axis + 1..].iter().product();
            let dim = padded.dims[axis];
            let zeros = |count: usize| std::iter::repeat_n(Element::Constant(Fr::zero()), count);
            let mut elements = Vec::new();
            for outer in padded.elements.chunks((dim * stride).max(1)) {
                elements.extend(zeros(before * stride));
                elements.extend_from_slice(outer);
                elements.extend(zeros(after * stride));
            }
            padded.dims[axis] = dim + before + after;
            padded.elements = elements;
        }
        Ok(padded)
    }

    /// Zeros between the indices of an axis, so that they are `stride` apart.
    pub fn spread(&self, axis: usize, stride: usize) -> Result<Self, String> {
        let dim = self.dims.get(axis).copied().filter(|dim| *dim > 0 && stride > 0);
        let dim = dim.ok_or_else(|| format!("a tensor {:?} cannot be spread", self.dims))?;
        let step: usize = self.dims[axis + 1..].iter().product();
        let zeros = std::iter::repeat_n(Element::Constant(Fr::zero()), step * (stride - 1));
        let mut elements = Vec::new();
        for outer in self.elements.chunks((dim * step).max(1)) {
            for (index, part) in outer.chunks(step.max(1)).enumerate() {
                elements.extend_from_slice(part);
                if index + 1 < dim {
                    elements.extend(zeros.clone());
                }
            }
        }
        let mut dims = self.dims.clone();
        dims[axis] = (dim - 1) * stride + 1;
        Self::new(elements, dims)
    }

    /// Zeros on one side of a diagonal of axes 1 and 2.
    pub fn triangle(&self, upper: bool, diagonal: i32) -> Result<Self, String> {
        if self.dims.len() < 3 {
            return Err(format!("the triangle of a tensor {:?} of less than 3 axes", self.dims));
        }
        let mut triangle = self.clone();
        for (coordinate, element) in coordinates(&self.dims).zip(&mut triangle.elements) {
            let boundary = coordinate[1] as i64 + i64::from(diagonal);
            let column = coordinate[2] as i64;
            if if upper { column < boundary } else { column > boundary } {
                *element = Element::Constant(Fr::zero());
            }
        }
        Ok(triangle)
    }

    /// Repeats elements up to a shape; axes are aligned at the front.
    pub fn expand(&self, shape: &[usize]) -> Result<Self, String> {
        if self.dims == shape {
            return Ok(self.clone());
        }
        let own = strides(&self.dims);
        let axes = shape.iter().enumerate().map(|(axis, length)| match self.dims.get(axis) {
            None | Some(1) => Ok(0),
            Some(dim) if dim == length => Ok(own[axis]),
            Some(_) => Err(format!("a tensor {:?} does not expand to {shape:?}", self.dims)),
        });
        let strides = axes.collect::<Result<Vec<_>, String>>()?;
        self.pick_positions(Positions::new(shape, &strides), shape.to_vec())
    }

    pub fn concat(tensors: &[Tensor], axis: usize) -> Result<Self, String> {
        let first = tensors.first().filter(|first| axis < first.dims.len());
        let mut dims = first.ok_or("nothing to concatenate")?.dims.clone();
        dims[axis] = tensors.iter().filter_map(|tensor| tensor.dims.get(axis)).sum();
        let outer: usize = dims[..axis].iter().product();
        let mut elements = Vec::new();
        for part in 0..outer {
            for tensor in tensors {
                let length = tensor.len() / outer.max(1);
                elements.extend_from_slice(&tensor.elements[part * length..(part + 1) * length]);
            }
        }
        Self::new(elements, dims)
    }
}

/// The shape two operands are broadcast to.
pub(crate) fn broadcast_shape(left: &[usize], right: &[usize]) -> Vec<usize> {
    match left.len().cmp(&right.len()) {
        std::cmp::Ordering::Greater => left.to_vec(),
        std::cmp::Ordering::Less => right.to_vec(),
        std::cmp::Ordering::Equal => left.iter().zip(right).map(|(l, r)| *l.max(r)).collect(),
    }
}

/// Positions of all elements of a shape in row-major order, with given strides.
struct Positions<'a> {
    dims: &'a [usize],
    strides: &'a [usize],
    next: usize,
    count: usize,
}

impl<'a> Positions<'a> {
    fn new(dims: &'a [usize], strides: &'a [usize]) -> Self {
        Self { dims, strides, next: 0, count: dims.iter().product() }
    }
}

impl Iterator for Positions<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.next == self.count {
            return None;
        }
        let mut rest = self.next;
        self.next += 1;
        let mut position = 0;
        for (dim, stride) in self.dims.iter().zip(self.strides).rev() {
            position += rest % dim * stride;
            rest /= dim;
        }
        Some(position)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The constants 1, 2, …
    pub(crate) fn numbers(dims: &[usize]) -> Tensor {
        let count = dims.iter().product::<usize>() as u64;
        let elements = (1..=count).map(|number| Element::Constant(number.into())).collect();
        Tensor::new(elements, dims.to_vec()).unwrap()
    }

    fn list(tensor: Result<Tensor, String>) -> (Vec<Element>, Vec<usize>) {
        let tensor = tensor.unwrap();
        (tensor.elements, tensor.dims)
    }

    fn constants(values: &[u64]) -> Vec<Element> {
        values.iter().map(|value| Element::Constant((*value).into())).collect()
    }

    #[test]
    fn views() {
        let t = numbers(&[2, 3]);
        assert_eq!(list(t.slice(&[1..2, 0..2])), (constants(&[4, 5]), vec![1, 2]));
        assert!(t.slice(&[0..3, 0..1]).is_err());
        assert_eq!(list(t.pick(1, &[2, 0])), (constants(&[3, 1, 6, 4]), vec![2, 2]));
        assert!(t.pick(1, &[3]).is_err());
        assert_eq!(list(t.move_axis(0, 1)), (constants(&[1, 4, 2, 5, 3, 6]), vec![3, 2]));
        assert_eq!(list(numbers(&[1, 2]).pad(&[(1, 0)], 1)), (constants(&[0, 1, 2]), vec![1, 3]));
        assert_eq!(
            list(numbers(&[2, 2]).spread(0, 2)),
            (constants(&[1, 2, 0, 0, 3, 4]), vec![3, 2])
        );
        assert_eq!(list(numbers(&[2, 1]).expand(&[2, 2])), (constants(&[1, 1, 2, 2]), vec![2, 2]));
        assert_eq!(list(numbers(&[2]).expand(&[2, 2])), (constants(&[1, 1, 2, 2]), vec![2, 2]));
        assert!(t.expand(&[2, 2]).is_err());
        let joined = Tensor::concat(&[numbers(&[2, 1]), numbers(&[2, 2])], 1);
        assert_eq!(list(joined), (constants(&[1, 1, 2, 2, 3, 4]), vec![2, 3]));
    }
}
