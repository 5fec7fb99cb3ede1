//! Why a proof could not be made.

use twain_algebra::AlgebraError;
use twain_party::PartyError;

/// An error of the prover. Texts carry no secret.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// A step of the party failed.
    #[error(transparent)]
    Party(#[from] PartyError),
    /// A size is beyond what the field or the memory allows.
    #[error(transparent)]
    Algebra(AlgebraError),
    /// The witness source failed.
    #[error("the witness could not be made: {0}")]
    Witness(Box<dyn std::error::Error + Send + Sync>),
    /// An input of the prover does not fit the key.
    #[error("{what}: {found} where the key has {expected}")]
    Shape {
        /// What was counted.
        what: String,
        /// What the key says.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// The witness does not satisfy the circuit; only a party that holds the values finds out here.
    #[error("the witness does not satisfy the circuit: {0}")]
    Unsatisfied(String),
    /// The circuit has something that two parties cannot prove together yet.
    #[error("{0}")]
    Unsupported(String),
}

impl From<AlgebraError> for ProveError {
    fn from(error: AlgebraError) -> Self {
        match error {
            AlgebraError::Interrupted => PartyError::Cancelled.into(),
            error => Self::Algebra(error),
        }
    }
}

/// Fails unless `found` is what the key has.
pub(super) fn check_shape(
    what: impl Into<String>,
    expected: usize,
    found: usize,
) -> Result<(), ProveError> {
    if expected == found {
        Ok(())
    } else {
        Err(ProveError::Shape { what: what.into(), expected, found })
    }
}
