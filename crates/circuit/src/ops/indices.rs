//! Gather and scatter with indices that are part of the operation: elements move, no cells are
//! written (spec 04 §4.5).

use crate::LayoutError;
use crate::checks::tensor_size::Capacity;
use crate::tensor::Tensor;
use twain_graph::Tensor as Indices;
use twain_graph::indices::{Addressing, misfit, positions, result_shape};

/// The elements at constant indices.
pub(crate) fn gather(
    tensor: &Tensor,
    index: &Indices<usize>,
    how: Addressing,
    capacity: Capacity,
) -> Result<Tensor, LayoutError> {
    let shape = result_shape(&tensor.dims, &index.dims, how).map_err(LayoutError::Operands)?;
    capacity.elements(&shape)?;
    let (positions, shape) = positions(&tensor.dims, index, how).map_err(LayoutError::Operands)?;
    let elements = positions.into_iter().map(|position| tensor.elements[position]).collect();
    Tensor::new(elements, &shape)
}

/// The tensor with the elements at constant indices replaced.
pub(crate) fn scatter(
    tensor: &Tensor,
    index: &Indices<usize>,
    updates: &Tensor,
    how: Addressing,
    capacity: Capacity,
) -> Result<Tensor, LayoutError> {
    let shape = result_shape(&tensor.dims, &index.dims, how).map_err(LayoutError::Operands)?;
    capacity.elements(&shape)?;
    let (positions, _) = positions(&tensor.dims, index, how).map_err(LayoutError::Operands)?;
    if positions.len() != updates.len() {
        return Err(LayoutError::Operands(misfit(&tensor.dims, &index.dims)));
    }
    let mut result = tensor.clone();
    for (position, element) in positions.into_iter().zip(&updates.elements) {
        result.elements[position] = *element;
    }
    Ok(result)
}
