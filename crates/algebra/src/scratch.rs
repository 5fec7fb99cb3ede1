//! Working memory of transforms, kept between calls: fresh pages from the system would cost a
//! tenth of a transform. It holds secrets, so it is erased when its owner goes.

use std::sync::Mutex;

use ff::Field;

use crate::{Fr, erase};

/// Vectors of one length, each lent to one transform at a time.
pub(crate) struct ScratchPool {
    length: usize,
    idle: Mutex<Vec<Vec<Fr>>>,
}

impl ScratchPool {
    /// A pool of vectors of `length` elements; allocates nothing yet.
    pub(crate) fn new(length: usize) -> Self {
        Self { length, idle: Mutex::new(Vec::new()) }
    }

    /// Runs `work` with a vector of unspecified content.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut [Fr]) -> T) -> T {
        let mut vector = self.lock().pop().unwrap_or_else(|| vec![Fr::ZERO; self.length]);
        let result = work(&mut vector);
        self.lock().push(vector);
        result
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Fr>>> {
        // A panic elsewhere cannot leave the list half changed.
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for ScratchPool {
    fn drop(&mut self) {
        for vector in self.lock().iter_mut() {
            erase(vector);
        }
    }
}
