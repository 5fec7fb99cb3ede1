//! The columns whose commitments are published for `polycommit` tensors (spec 04 §7.6). They hold
//! the values in order, and nothing that hides them.

use crate::LayoutError;
use crate::layouter::Layouter;
use crate::tensor::Tensor;

impl Layouter {
    /// Writes a tensor to the `entry`-th committed variable; returns its cells there.
    pub fn commit(&mut self, entry: usize, tensor: &Tensor) -> Result<Tensor, LayoutError> {
        let Some(variable) = self.columns.commitments.get(entry).copied() else {
            let text = "module_sizes.polycommit has too few entries for the committed tensors";
            return Err(LayoutError::Settings(text.into()));
        };
        let written = self.assign_from(variable, tensor, 0)?;
        self.end_region()?;
        Ok(written)
    }
}
