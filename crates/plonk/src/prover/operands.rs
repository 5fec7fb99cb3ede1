//! Operands that are shares of secrets, erased when no longer needed.

use ff::Field;
use std::ops::Deref;
use twain_algebra::Fr;
use twain_party::Operand;

/// A list of operands.
#[derive(Default)]
pub(super) struct Operands(Vec<Operand>);

impl Operands {
    /// Appends; what is outgrown is erased.
    pub(super) fn push(&mut self, operand: Operand) {
        if self.0.len() == self.0.capacity() {
            let mut larger = Vec::with_capacity((2 * self.0.len()).max(64));
            larger.extend_from_slice(&self.0);
            drop(Operands(std::mem::replace(&mut self.0, larger)));
        }
        self.0.push(operand);
    }
}

impl Deref for Operands {
    type Target = [Operand];
    fn deref(&self) -> &[Operand] {
        &self.0
    }
}

impl Drop for Operands {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|operand| operand.share = Fr::ZERO);
        // Keeps the compiler from dropping the writes of a vector that is about to be freed.
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
        std::hint::black_box(&mut self.0);
    }
}
