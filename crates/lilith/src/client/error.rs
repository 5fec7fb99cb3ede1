//! Why a client command failed, and the exit status that says so.

use crate::http::HttpError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A flag, a setting, or a file of this side.
    #[error("{0}")]
    Usage(String),
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server refuses.
    #[error("{message}")]
    Refused {
        /// Its stable word.
        code: String,
        /// What it says, with its hint and details.
        message: String,
    },
}

impl ClientError {
    /// The exit status: 2 for what this side can mend, 5 for no answer, 6 for a refusal.
    pub const fn exit_status(&self) -> u8 {
        match self {
            ClientError::Usage(_) => 2,
            ClientError::Http(_) => 5,
            ClientError::Refused { .. } => 6,
        }
    }

    /// The stable word.
    pub fn code(&self) -> &str {
        match self {
            ClientError::Usage(_) => "usage",
            ClientError::Http(_) => "no_answer",
            ClientError::Refused { code, .. } => code,
        }
    }
}
