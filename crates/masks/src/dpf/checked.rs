//! What has passed its check has a type of its own, and nothing else is accepted where it is due.

use std::ops::Deref;

/// A value that has passed the check which is due before it may be used. Digit masks: their
/// positions were compared with the bits they were made from, and their order was drawn after that.
pub struct Checked<T>(T);

impl<T> Checked<T> {
    /// For who has just checked it, or got it from where only checked values are kept.
    pub(super) fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for its use.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Checked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
