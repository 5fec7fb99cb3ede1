//! Buffers of `N` words: the residues of a polynomial modulo one prime, or one limb of its
//! coefficients.
//!
//! Every step of the scheme needs dozens of them for a moment, so they are kept for the next step:
//! fresh memory from the system costs as much as the arithmetic. A buffer is overwritten with zeros
//! when it is given back, whether it held a secret or not, so one taken is zero and nothing
//! outlives its use.

use crate::parameters::SLOTS;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{Ordering, compiler_fence};
use std::sync::{Mutex, PoisonError};

/// Most buffers kept, 64 MB.
const KEPT: usize = 256;

static FREE: Mutex<Vec<Vec<u64>>> = Mutex::new(Vec::new());

/// `N` words, overwritten with zeros when dropped.
#[derive(PartialEq, Eq)]
pub struct Words(Vec<u64>);

/// A ring element: its residues modulo the first primes.
pub type Element = Vec<Words>;

impl Words {
    /// Zeros.
    pub fn new() -> Self {
        let kept = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self(kept.unwrap_or_else(|| vec![0; SLOTS]))
    }
}

impl Clone for Words {
    fn clone(&self) -> Self {
        let mut copy = Self::new();
        copy.copy_from_slice(self);
        copy
    }
}

/// Shows no content: it may be secret.
impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Words")
    }
}

impl Deref for Words {
    type Target = [u64];
    fn deref(&self) -> &[u64] {
        &self.0
    }
}

impl DerefMut for Words {
    fn deref_mut(&mut self) -> &mut [u64] {
        &mut self.0
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        erase(&mut self.0);
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(std::mem::take(&mut self.0));
        }
    }
}

/// Overwrites with zeros; the fence and the opaque read keep the compiler from dropping the writes.
pub fn erase(words: &mut [u64]) {
    words.fill(0);
    compiler_fence(Ordering::SeqCst);
    std::hint::black_box(words);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_as_zeros() {
        for round in 1..=3 {
            let mut buffers: Vec<Words> = (0..4).map(|_| Words::new()).collect();
            assert!(buffers.iter().all(|words| words.len() == SLOTS));
            assert!(buffers.iter().flat_map(|words| words.iter()).all(|&word| word == 0));
            buffers.iter_mut().for_each(|words| words.fill(round));
            assert_eq!(format!("{:?}", buffers[0]), "Words");
            assert!(buffers[1].clone() == buffers[2]);
        }
    }
}
