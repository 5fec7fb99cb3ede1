//! Long work that somebody may want to end early. In: an [`Interrupt`], which the threads of the work
//! ask every few milliseconds. Out: [`AlgebraError::Interrupted`] from the work, soon after.

use crate::AlgebraError;

/// Whether long work is to end.
pub trait Interrupt: Sync {
    /// Asked from any thread, and often: it has to be cheap. Once true it stays true.
    fn is_interrupted(&self) -> bool;
}

/// Work that nobody ends early.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uninterrupted;

impl Interrupt for Uninterrupted {
    fn is_interrupted(&self) -> bool {
        false
    }
}

impl<F: Fn() -> bool + Sync> Interrupt for F {
    fn is_interrupted(&self) -> bool {
        self()
    }
}

/// Fails if the work is to end.
pub(crate) fn go_on(interrupt: &dyn Interrupt) -> Result<(), AlgebraError> {
    match interrupt.is_interrupted() {
        true => Err(AlgebraError::Interrupted),
        false => Ok(()),
    }
}
