//! Tensors of circuit elements and their index arithmetic (spec 03 §2.1, §4). No cells are written
//! here: elements move, and moving one keeps what it is bound to.

use crate::LayoutError;
use crate::checks::tensor_size::{Capacity, extent};
use crate::program::Wire;
use std::ops::Range;
use twain_graph::indices::strides;

pub(crate) use twain_graph::indices::coordinates;

/// A cell of an advice column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AdviceCell {
    /// Index among the advice columns.
    pub column: u32,
    pub row: u32,
}

/// What an element is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing: every write makes a fresh cell.
    Unplaced,
    /// The circuit, but no cell yet.
    Constant,
    /// A cell.
    Cell(AdviceCell),
    /// A cell that holds a constant of the circuit.
    ConstantCell(AdviceCell),
    /// A row of the instance column.
    Instance(u32),
}

/// A value and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub wire: Wire,
    pub place: Place,
}

impl Element {
    /// A value without a cell.
    pub fn unplaced(wire: Wire) -> Self {
        Self { wire, place: Place::Unplaced }
    }

    /// A constant of the circuit without a cell.
    pub fn constant(wire: Wire) -> Self {
        Self { wire, place: Place::Constant }
    }

    /// Whether it is bound to a cell.
    pub fn is_assigned(&self) -> bool {
        matches!(self.place, Place::Cell(_) | Place::ConstantCell(_))
    }
}

/// Elements in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    pub elements: Vec<Element>,
    pub dims: Vec<usize>,
}

impl Tensor {
    /// A tensor of `dims`.
    ///
    /// # Errors
    /// The number of elements differs from the shape's.
    pub fn new(elements: Vec<Element>, dims: &[usize]) -> Result<Self, LayoutError> {
        if extent(dims).is_none() || dims.iter().product::<usize>() != elements.len() {
            let text = format!("{} elements do not have the shape {dims:?}", elements.len());
            return Err(LayoutError::Operands(text));
        }
        Ok(Self { elements, dims: dims.to_vec() })
    }

    /// A vector.
    pub fn flat(elements: Vec<Element>) -> Self {
        let dims = vec![elements.len()];
        Self { elements, dims }
    }

    /// One constant of the circuit.
    pub fn constant(wire: Wire) -> Self {
        Self::flat(vec![Element::constant(wire)])
    }

    /// `count` times the same constant.
    pub fn constants(wire: Wire, count: usize) -> Self {
        Self::flat(vec![Element::constant(wire); count])
    }

    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether every element is bound to a cell.
    pub fn all_assigned(&self) -> bool {
        self.elements.iter().all(Element::is_assigned)
    }

    pub fn wires(&self) -> impl Iterator<Item = Wire> + '_ {
        self.elements.iter().map(|element| element.wire)
    }

    pub fn reshape(self, dims: &[usize]) -> Result<Self, LayoutError> {
        Self::new(self.elements, dims)
    }

    /// The elements within the ranges; axes without a range are taken whole.
    pub fn slice(&self, ranges: &[Range<usize>]) -> Result<Self, LayoutError> {
        let mut full: Vec<Range<usize>> = self.dims.iter().map(|dim| 0..*dim).collect();
        if ranges.len() > full.len() {
            return Err(self.error("has fewer axes than the slice", ranges.len()));
        }
        full[..ranges.len()].clone_from_slice(ranges);
        let outside =
            |(range, dim): (&Range<usize>, &usize)| range.start > range.end || range.end > *dim;
        if full.iter().zip(&self.dims).any(outside) {
            return Err(self.error("does not contain the slice", format!("{full:?}")));
        }
        let dims: Vec<usize> = full.iter().map(|range| range.end - range.start).collect();
        let strides = strides(&self.dims);
        let first = full.iter().zip(&strides).map(|(range, stride)| range.start * stride).sum();
        let mut elements = Vec::with_capacity(dims.iter().product());
        self.collect(&dims, &strides, first, &mut elements);
        Ok(Self { elements, dims })
    }

    fn collect(&self, dims: &[usize], strides: &[usize], first: usize, out: &mut Vec<Element>) {
        match dims {
            [] => out.push(self.elements[first]),
            [last] => out.extend_from_slice(&self.elements[first..first + last]),
            [dim, rest @ ..] => {
                for i in 0..*dim {
                    self.collect(rest, &strides[1..], first + i * strides[0], out);
                }
            }
        }
    }

    fn error(&self, what: &str, detail: impl std::fmt::Display) -> LayoutError {
        LayoutError::Operands(format!("a tensor of shape {:?} {what} {detail}", self.dims))
    }

    /// Repeats elements along axes of length 1. Axes are aligned on the left.
    pub fn expand(&self, shape: &[usize], capacity: Capacity) -> Result<Self, LayoutError> {
        if self.dims == shape {
            return Ok(self.clone());
        }
        let count = capacity.elements(shape)?;
        if self.len() == 1 {
            return Self::new(vec![self.elements[0]; count], shape);
        }
        let fits = self.dims.len() <= shape.len()
            && self.dims.iter().zip(shape).all(|(dim, target)| *dim == 1 || dim == target);
        if !fits {
            return Err(self.error("does not broadcast to", format!("{shape:?}")));
        }
        let mut steps = strides(&self.dims);
        for (step, dim) in steps.iter_mut().zip(&self.dims) {
            if *dim == 1 {
                *step = 0;
            }
        }
        let index = |coordinate: Vec<usize>| -> usize {
            coordinate.iter().zip(&steps).map(|(c, step)| c * step).sum()
        };
        let elements = coordinates(shape).map(|c| self.elements[index(c)]).collect();
        Self::new(elements, shape)
    }

    /// Moves an axis to another position.
    pub fn move_axis(&self, source: usize, destination: usize) -> Result<Self, LayoutError> {
        let rank = self.dims.len();
        if source >= rank || destination >= rank {
            return Err(self.error("has no axis", source.max(destination)));
        }
        let mut order: Vec<usize> = (0..rank).collect();
        let axis = order.remove(source);
        order.insert(destination, axis);
        let strides = strides(&self.dims);
        let dims: Vec<usize> = order.iter().map(|axis| self.dims[*axis]).collect();
        let index = |coordinate: Vec<usize>| -> usize {
            coordinate.iter().zip(&order).map(|(c, axis)| c * strides[*axis]).sum()
        };
        let elements = coordinates(&dims).map(|c| self.elements[index(c)]).collect();
        Ok(Self { elements, dims })
    }

    /// Puts `filler` around the axes from `offset` on.
    pub fn pad(
        &self,
        padding: &[(usize, usize)],
        offset: usize,
        filler: Element,
        capacity: Capacity,
    ) -> Result<Self, LayoutError> {
        if offset + padding.len() > self.dims.len() {
            return Err(self.error("has fewer axes than the padding", padding.len()));
        }
        if padding.iter().all(|pair| *pair == (0, 0)) {
            return Ok(self.clone());
        }
        let mut before = vec![0; self.dims.len()];
        let mut dims = self.dims.clone();
        for (i, (low, high)) in padding.iter().enumerate() {
            before[offset + i] = *low;
            let dim = &mut dims[offset + i];
            let padded = dim.checked_add(*low).and_then(|d| d.checked_add(*high));
            *dim = padded.ok_or(LayoutError::TooLarge)?;
        }
        capacity.elements(&dims)?;
        let strides = strides(&self.dims);
        let inside = |coordinate: Vec<usize>| {
            let mut index = 0;
            for (axis, c) in coordinate.into_iter().enumerate() {
                let c = c.checked_sub(before[axis]).filter(|c| *c < self.dims[axis])?;
                index += c * strides[axis];
            }
            Some(self.elements[index])
        };
        let elements = coordinates(&dims).map(|c| inside(c).unwrap_or(filler)).collect();
        Ok(Self { elements, dims })
    }

    /// Puts `stride - 1` times `filler` between the elements of an axis.
    pub fn intercalate(
        &self,
        stride: usize,
        axis: usize,
        filler: Element,
        capacity: Capacity,
    ) -> Result<Self, LayoutError> {
        let Some(dim) = self.dims.get(axis).copied().filter(|dim| *dim > 0 && stride > 0) else {
            return Err(self.error("cannot be spread along axis", axis));
        };
        let mut dims = self.dims.clone();
        dims[axis] = dim.checked_mul(stride).ok_or(LayoutError::TooLarge)? + 1 - stride;
        capacity.elements(&dims)?;
        let strides = strides(&self.dims);
        let source = |mut coordinate: Vec<usize>| {
            let on_grid = coordinate[axis].is_multiple_of(stride);
            coordinate[axis] /= stride;
            let index: usize = coordinate.iter().zip(&strides).map(|(c, step)| c * step).sum();
            if on_grid { self.elements[index] } else { filler }
        };
        let elements = coordinates(&dims).map(source).collect();
        Ok(Self { elements, dims })
    }

    /// Puts tensors behind each other along an axis.
    pub fn concat(
        tensors: &[&Tensor],
        axis: usize,
        capacity: Capacity,
    ) -> Result<Self, LayoutError> {
        let Some(first) = tensors.first() else {
            return Err(LayoutError::Operands("a concatenation of nothing".into()));
        };
        let agrees = |tensor: &&Tensor| {
            let rank = tensor.dims.len();
            axis < rank
                && rank == first.dims.len()
                && (0..rank).all(|a| a == axis || tensor.dims[a] == first.dims[a])
        };
        if let Some(other) = tensors.iter().find(|tensor| !agrees(tensor)) {
            return Err(first.error("cannot be concatenated with", format!("{:?}", other.dims)));
        }
        let mut dims = first.dims.clone();
        dims[axis] = tensors.iter().map(|tensor| tensor.dims[axis]).sum();
        let outer: usize = dims[..axis].iter().product();
        let mut elements = Vec::with_capacity(capacity.elements(&dims)?);
        for i in 0..outer {
            for tensor in tensors {
                let block: usize = tensor.dims[axis..].iter().product();
                elements.extend_from_slice(&tensor.elements[i * block..(i + 1) * block]);
            }
        }
        Ok(Self { elements, dims })
    }

    /// Every `stride`-th element of an axis, from `first` on; also repeats elements if asked to.
    pub fn pick(
        &self,
        axis: usize,
        indices: &[usize],
        capacity: Capacity,
    ) -> Result<Self, LayoutError> {
        let dim = self.dims.get(axis).copied().unwrap_or(0);
        if let Some(index) = indices.iter().find(|index| **index >= dim) {
            return Err(self.error(&format!("has, on axis {axis}, no index"), index));
        }
        let mut dims = self.dims.clone();
        dims[axis] = indices.len();
        let mut elements = Vec::with_capacity(capacity.elements(&dims)?);
        let block: usize = self.dims[axis + 1..].iter().product();
        let outer: usize = self.dims[..axis].iter().product();
        for i in 0..outer {
            for index in indices {
                let start = (i * dim + index) * block;
                elements.extend_from_slice(&self.elements[start..start + block]);
            }
        }
        Ok(Self { elements, dims })
    }
}

/// The shape two operands are broadcast to.
pub(crate) fn broadcast_shape(left: &[usize], right: &[usize]) -> Vec<usize> {
    match left.len().cmp(&right.len()) {
        std::cmp::Ordering::Equal => left.iter().zip(right).map(|(l, r)| *l.max(r)).collect(),
        std::cmp::Ordering::Greater => left.to_vec(),
        std::cmp::Ordering::Less => right.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Capacity = Capacity::of_cells(100);

    fn numbers(dims: &[usize]) -> Tensor {
        let count: usize = dims.iter().product();
        let elements = (0..count as Wire).map(Element::unplaced).collect();
        Tensor::new(elements, dims).expect("as many elements as the shape has")
    }

    fn wires(tensor: Result<Tensor, LayoutError>) -> (Vec<Wire>, Vec<usize>) {
        let tensor = tensor.expect("the operation fits");
        (tensor.wires().collect(), tensor.dims)
    }

    #[test]
    fn slices_and_axes() {
        let t = numbers(&[2, 3]);
        assert_eq!(wires(t.slice(&[1..2, 1..3])), (vec![4, 5], vec![1, 2]));
        assert_eq!(wires(t.slice(&[1..2, 0..3])), (vec![3, 4, 5], vec![1, 3]));
        assert!(t.slice(&[0..3, 0..1]).is_err());
        assert_eq!(wires(t.move_axis(0, 1)), (vec![0, 3, 1, 4, 2, 5], vec![3, 2]));
        assert!(t.move_axis(0, 2).is_err());
        assert_eq!(wires(t.pick(1, &[2, 0, 0], ROOM)), (vec![2, 0, 0, 5, 3, 3], vec![2, 3]));
        assert!(t.pick(2, &[0], ROOM).is_err());
    }

    #[test]
    fn broadcasts_pads_and_concatenates() {
        let t = numbers(&[2, 1]);
        assert_eq!(wires(t.expand(&[2, 2], ROOM)), (vec![0, 0, 1, 1], vec![2, 2]));
        assert!(t.expand(&[3, 2], ROOM).is_err());
        let filler = Element::constant(9);
        let padded = wires(numbers(&[1, 2]).pad(&[(1, 0)], 1, filler, ROOM));
        assert_eq!(padded, (vec![9, 0, 1], vec![1, 3]));
        let spread = wires(numbers(&[2]).intercalate(3, 0, filler, ROOM));
        assert_eq!(spread, (vec![0, 9, 9, 1], vec![4]));
        let joined = wires(Tensor::concat(&[&numbers(&[2, 1]), &numbers(&[2, 2])], 1, ROOM));
        assert_eq!(joined, (vec![0, 0, 1, 1, 2, 3], vec![2, 3]));
        assert!(Tensor::concat(&[&numbers(&[2, 1]), &numbers(&[1, 2])], 1, ROOM).is_err());
    }
}
