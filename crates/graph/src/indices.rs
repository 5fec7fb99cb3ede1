//! What index tensors mean: the positions in a tensor that gathers and scatters read or write
//! (spec 04 §4.4, §4.5), and the row-major arithmetic for it.

use crate::Tensor;

/// All coordinates of a shape, the last axis fastest.
pub fn coordinates(dims: &[usize]) -> impl Iterator<Item = Vec<usize>> + use<> {
    let dims = dims.to_vec();
    let count: usize = dims.iter().product();
    (0..count).map(move |mut index| {
        let mut coordinate = vec![0; dims.len()];
        for (c, dim) in coordinate.iter_mut().zip(&dims).rev() {
            *c = index % dim;
            index /= dim;
        }
        coordinate
    })
}

/// The distance of neighbours along each axis, in elements.
pub fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    strides
}

/// What the elements of an index tensor mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the axis, and how many batch axes there are
pub enum Addressing {
    /// Each is a place on the axis, for all places on the other axes (ONNX Gather).
    Slices { axis: usize },
    /// Each is a place on the axis; the other places are its own (ONNX GatherElements).
    Elements { axis: usize },
    /// The last axis holds places on the first axes after those of the batch (ONNX GatherND).
    Tuples { batch: usize },
}

/// The error of indices whose shape does not fit.
pub fn misfit(dims: &[usize], index: &[usize]) -> String {
    format!("indices of shape {index:?} do not fit a tensor of shape {dims:?}")
}

/// The axes of tuples of places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tuples {
    /// Coordinates of a tuple.
    pub length: usize,
    /// Extents of the axes that tuples do not reach.
    pub rest: Vec<usize>,
}

impl Tuples {
    /// The axes of tuples in indices of shape `index` into a tensor of shape `dims`, of which
    /// `batch` axes are common.
    ///
    /// # Errors
    /// Shapes that do not fit each other. A tuple that does not reach all axes has no batch axes
    /// (EZKL miscounts them).
    pub fn new(dims: &[usize], index: &[usize], batch: usize) -> Result<Self, String> {
        let length = index.last().copied().unwrap_or(0);
        let end = batch.checked_add(length).filter(|end| *end <= dims.len());
        let batches = index.len() > batch && index.get(..batch) == dims.get(..batch);
        let end = end.filter(|end| length > 0 && batches && (batch == 0 || *end == dims.len()));
        let end = end.ok_or_else(|| misfit(dims, index))?;
        Ok(Self { length, rest: dims[end..].to_vec() })
    }
}

/// The position of a coordinate whose place on `axis` counts as 0.
pub fn offset(coordinate: &[usize], strides: &[usize], axis: usize) -> usize {
    let others = coordinate.iter().zip(strides).enumerate().filter(|(e, _)| *e != axis);
    others.map(|(_, (c, stride))| c * stride).sum()
}

/// The shape of the result of indices along an axis, and whether all places on the other axes share
/// the indices.
///
/// # Errors
/// Shapes that do not fit each other; tuples.
pub fn axis_shape(
    dims: &[usize],
    index: &[usize],
    how: Addressing,
) -> Result<(Vec<usize>, bool), String> {
    match how {
        Addressing::Slices { axis } if axis < dims.len() => {
            let mut shape = dims.to_vec();
            shape[axis] = index.iter().product();
            Ok((shape, true))
        }
        Addressing::Elements { axis } if axis < dims.len() && index.len() == dims.len() => {
            let sizes = index.iter().zip(dims).enumerate();
            let fits = sizes.into_iter().all(|(e, (size, dim))| e == axis || size <= dim);
            if fits { Ok((index.to_vec(), false)) } else { Err(misfit(dims, index)) }
        }
        _ => Err(misfit(dims, index)),
    }
}

/// The shape of what indices of shape `index` mean in a tensor of shape `dims`.
///
/// # Errors
/// Shapes that do not fit each other.
pub fn result_shape(
    dims: &[usize],
    index: &[usize],
    how: Addressing,
) -> Result<Vec<usize>, String> {
    let Addressing::Tuples { batch } = how else {
        return Ok(axis_shape(dims, index, how)?.0);
    };
    let Tuples { rest, .. } = Tuples::new(dims, index, batch)?;
    Ok([&index[..index.len() - 1], &rest].concat())
}

/// The positions that constant indices mean, and the shape of the result.
///
/// # Errors
/// Shapes that do not fit each other; an index that is not on its axis.
pub fn positions(
    dims: &[usize],
    index: &Tensor<usize>,
    how: Addressing,
) -> Result<(Vec<usize>, Vec<usize>), String> {
    let strides = strides(dims);
    let mut positions = Vec::new();
    let place = |axis: usize, index: usize| match index < dims[axis] {
        true => Ok(index * strides[axis]),
        false => Err(format!("index {index} is not on axis {axis} of a tensor of shape {dims:?}")),
    };
    match how {
        Addressing::Slices { axis } | Addressing::Elements { axis } => {
            let (shape, flat) = axis_shape(dims, &index.dims, how)?;
            for (i, coordinate) in coordinates(&shape).enumerate() {
                let index = index.inner[if flat { coordinate[axis] } else { i }];
                positions.push(offset(&coordinate, &strides, axis) + place(axis, index)?);
            }
            Ok((positions, shape))
        }
        Addressing::Tuples { batch } => {
            let Tuples { length, rest } = Tuples::new(dims, &index.dims, batch)?;
            let outer = &index.dims[..index.dims.len() - 1];
            for (tuple, coordinate) in index.inner.chunks(length).zip(coordinates(outer)) {
                let mut first = offset(&coordinate[..batch], &strides, dims.len());
                for (axis, index) in (batch..).zip(tuple) {
                    first += place(axis, *index)?;
                }
                positions.extend((0..rest.iter().product()).map(|by| first + by));
            }
            Ok((positions, result_shape(dims, &index.dims, how)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(dims: &[usize], inner: &[usize]) -> Tensor<usize> {
        Tensor::new(inner.to_vec(), dims.to_vec())
    }

    #[test]
    fn what_indices_mean() {
        let dims = [2, 3];
        let at = |index: Tensor<usize>, how| positions(&dims, &index, how);
        let slices = at(indices(&[2], &[2, 0]), Addressing::Slices { axis: 1 });
        assert_eq!(slices, Ok((vec![2, 0, 5, 3], vec![2, 2])));
        let elements = at(indices(&[2, 1], &[2, 0]), Addressing::Elements { axis: 1 });
        assert_eq!(elements, Ok((vec![2, 3], vec![2, 1])));
        let tuples = at(indices(&[2, 2], &[1, 2, 0, 1]), Addressing::Tuples { batch: 0 });
        assert_eq!(tuples, Ok((vec![5, 1], vec![2])));
        let short = at(indices(&[1, 1], &[1]), Addressing::Tuples { batch: 0 });
        assert_eq!(short, Ok((vec![3, 4, 5], vec![1, 3])));
        let batch = at(indices(&[2, 1], &[2, 0]), Addressing::Tuples { batch: 1 });
        assert_eq!(batch, Ok((vec![2, 3], vec![2])));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let at = |index: Tensor<usize>, how| positions(&[2, 3], &index, how);
        assert!(at(indices(&[1], &[3]), Addressing::Slices { axis: 1 }).is_err());
        assert!(at(indices(&[1], &[0]), Addressing::Slices { axis: 2 }).is_err());
        assert!(at(indices(&[3, 1], &[0; 3]), Addressing::Elements { axis: 1 }).is_err());
        assert!(at(indices(&[1, 3], &[0; 3]), Addressing::Tuples { batch: 0 }).is_err());
        assert!(at(indices(&[0], &[]), Addressing::Tuples { batch: 0 }).is_err());
    }
}
