//! How large a tensor may be. A file of a peer must not ask for memory that nothing in its circuit
//! has a use for: every tensor that is larger than what it is made from is allowed here first.

use crate::LayoutError;

/// Elements without a cell of their own, as of an input of which a slice is used.
const UNUSED: usize = 1 << 20;

/// The most elements of a tensor of one circuit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity(usize);

impl Capacity {
    /// Of a circuit with so many cells.
    pub const fn of_cells(cells: usize) -> Self {
        Self(cells.saturating_add(UNUSED))
    }

    /// The number of elements of a shape.
    ///
    /// # Errors
    /// They are too many, or would be without the axes of length 0.
    pub fn elements(self, dims: &[usize]) -> Result<usize, LayoutError> {
        let fits = extent(dims).is_some_and(|extent| extent <= self.0);
        fits.then(|| dims.iter().product()).ok_or_else(|| {
            let text = format!("the shape {dims:?} has more elements than the circuit has cells");
            LayoutError::Operands(text)
        })
    }
}

/// The product of the lengths, those of 0 taken as 1, if it can be counted: no distance between
/// elements of this shape is larger.
pub(crate) fn extent(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(1usize, |extent, dim| extent.checked_mul((*dim).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_is_counted() {
        let capacity = Capacity::of_cells(100);
        assert_eq!(capacity.elements(&[]), Ok(1));
        assert_eq!(capacity.elements(&[4, 25]), Ok(100));
        assert_eq!(capacity.elements(&[0, 7]), Ok(0));
        assert_eq!(capacity.elements(&[UNUSED + 100]), Ok(UNUSED + 100));
        for large in [&[UNUSED + 101][..], &[usize::MAX, 2], &[0, 1 << 40, 1 << 40], &[1 << 40, 0]]
        {
            let error = capacity.elements(large).unwrap_err().to_string();
            assert!(error.contains("has more elements than the circuit has cells"), "{error}");
        }
    }
}
