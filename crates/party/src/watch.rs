//! Where a session is, told to whoever watches it, and whether it is to go on. There is no global
//! state: a party carries its watcher, so any number of sessions run in one process.

use crate::PartyError;
use std::sync::Arc;
use twain_algebra::Interrupt;

/// The parts of a session. One may come more than once: what waits for the other side alternates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Files are read and the circuit is laid out.
    Load,
    /// The plan of a pair's messages is found out.
    Plan,
    /// The peer is met, and both compare what they hold.
    Connect,
    /// A bundle of correlations is made ahead of time.
    Preprocess,
    /// The witness is made.
    Witness,
    /// Advice columns and multiplicities are committed to.
    CommitAdvice,
    /// Multiplicities and grand sums of the lookups.
    Lookups,
    /// Grand products of the permutation.
    Permutation,
    /// Grand products and sums are committed to.
    CommitSums,
    /// Columns are taken to coefficients.
    Transforms,
    /// The quotient is made and committed to.
    Quotient,
    /// Evaluations are opened.
    Evaluations,
    /// The multi-opening.
    Opening,
    /// The finished proof is verified.
    Verify,
    /// Outputs are revealed, files are written, the peer is taken leave of.
    Finish,
}

impl Phase {
    /// The phases of a pair's proof in the order they first end, for bars.
    pub const OF_PROOF: [Phase; 13] = [
        Phase::Load,
        Phase::Plan,
        Phase::Connect,
        Phase::Witness,
        Phase::CommitAdvice,
        Phase::Lookups,
        Phase::Permutation,
        Phase::CommitSums,
        Phase::Transforms,
        Phase::Quotient,
        Phase::Evaluations,
        Phase::Opening,
        Phase::Verify,
    ];

    /// Its name, for people and programs: lower case, words separated by blanks.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Load => "load",
            Phase::Plan => "plan",
            Phase::Connect => "connect",
            Phase::Preprocess => "make",
            Phase::Witness => "witness",
            Phase::CommitAdvice => "commit advice",
            Phase::Lookups => "lookups",
            Phase::Permutation => "permutation",
            Phase::CommitSums => "commit sums",
            Phase::Transforms => "transforms",
            Phase::Quotient => "quotient",
            Phase::Evaluations => "evaluations",
            Phase::Opening => "opening",
            Phase::Verify => "verify",
            Phase::Finish => "finish",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Hears where a session is. Called from the session's own threads, which wait for it.
pub trait Watch: Send + Sync {
    /// A phase begins, and the one before it ends.
    fn enter(&self, phase: Phase);

    /// Whether the session is to end; asked often.
    fn cancelled(&self) -> bool {
        false
    }
}

/// A session's watcher, if it has one.
#[derive(Clone, Default)]
pub struct Watched(Option<Arc<dyn Watch>>);

impl Watched {
    /// A session with this watcher.
    pub fn by(watcher: Arc<dyn Watch>) -> Self {
        Self(Some(watcher))
    }

    /// Says that a phase begins.
    ///
    /// # Errors
    /// [`PartyError::Cancelled`], as [`Watched::check`].
    pub fn enter(&self, phase: Phase) -> Result<(), PartyError> {
        self.check()?;
        if let Some(watcher) = &self.0 {
            watcher.enter(phase);
        }
        Ok(())
    }

    /// Whether the session is to go on.
    ///
    /// # Errors
    /// [`PartyError::Cancelled`] if its watcher wants it to end.
    pub fn check(&self) -> Result<(), PartyError> {
        match &self.0 {
            Some(watcher) if watcher.cancelled() => Err(PartyError::Cancelled),
            _ => Ok(()),
        }
    }
}

impl Interrupt for Watched {
    fn is_interrupted(&self) -> bool {
        self.check().is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[derive(Default)]
    struct Diary(Mutex<Vec<Phase>>, AtomicBool);

    impl Watch for Diary {
        fn enter(&self, phase: Phase) {
            self.0.lock().unwrap().push(phase);
        }

        fn cancelled(&self) -> bool {
            self.1.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn phases_are_heard_until_the_session_is_cancelled() {
        let diary = Arc::new(Diary::default());
        let watched = Watched::by(diary.clone());
        watched.enter(Phase::Witness).unwrap();
        watched.enter(Phase::Quotient).unwrap();
        diary.1.store(true, Ordering::Relaxed);
        assert!(matches!(watched.enter(Phase::Opening), Err(PartyError::Cancelled)));
        assert!(matches!(watched.check(), Err(PartyError::Cancelled)));
        assert_eq!(*diary.0.lock().unwrap(), [Phase::Witness, Phase::Quotient]);
        Watched::default().enter(Phase::Load).unwrap();
    }
}
