//! Operands that are shares of secrets, erased when no longer needed.

use ff::Field;
use std::ops::Deref;
use twain_algebra::Fr;
use twain_party::{Inverted, Operand, WireValue};

/// What holds a share.
pub(super) trait Secret: Copy {
    /// Sets the share to 0.
    fn erase(&mut self);
}

impl Secret for Operand {
    fn erase(&mut self) {
        self.share = Fr::ZERO;
    }
}

impl Secret for Inverted {
    fn erase(&mut self) {
        self.operand.erase();
    }
}

impl Secret for WireValue {
    fn erase(&mut self) {
        self.operand.erase();
    }
}

/// A list of operands.
pub(super) struct Operands<T: Secret = Operand>(Vec<T>);

impl<T: Secret> Default for Operands<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Secret> Operands<T> {
    /// Appends; what is outgrown is erased.
    pub(super) fn push(&mut self, operand: T) {
        if self.0.len() == self.0.capacity() {
            let mut larger = Vec::with_capacity((2 * self.0.len()).max(64));
            larger.extend_from_slice(&self.0);
            drop(Operands(std::mem::replace(&mut self.0, larger)));
        }
        self.0.push(operand);
    }
}

impl<T: Secret> Deref for Operands<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Secret> Drop for Operands<T> {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(T::erase);
        // Keeps the compiler from dropping the writes of a vector that is about to be freed.
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
        std::hint::black_box(&mut self.0);
    }
}
