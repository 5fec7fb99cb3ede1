//! A tensor: elements in row-major order and a shape (spec 02 §2.5).

use crate::Visibility;
use std::fmt;

/// A tensor of `dims` with its elements in row-major order.
///
/// A rank-0 tensor has no `dims` and one element.
#[derive(Clone, PartialEq)]
pub struct Tensor<T> {
    /// The elements, as many as the product of `dims`.
    pub inner: Vec<T>,
    /// The shape.
    pub dims: Vec<usize>,
    /// The base-2 exponent of the fixed-point factor, if the elements are fixed-point numbers.
    pub scale: Option<i32>,
    /// Who may see the elements, if that was decided.
    pub visibility: Option<Visibility>,
}

impl<T> Tensor<T> {
    /// A tensor without scale and visibility.
    pub fn new(inner: Vec<T>, dims: Vec<usize>) -> Self {
        Self { inner, dims, scale: None, visibility: None }
    }

    /// The tensor `[]` of shape `[0]`, which EZKL writes in place of the float weights.
    pub fn empty() -> Self {
        Self::new(Vec::new(), vec![0])
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }
}

/// Shows shape, scale and visibility only: the elements may be a private model.
impl<T> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tensor")
            .field("dims", &self.dims)
            .field("scale", &self.scale)
            .field("visibility", &self.visibility)
            .finish_non_exhaustive()
    }
}
