//! Why a check could not be made. That a comparison came out wrong is a result, not an error.

use std::path::PathBuf;

/// Why a check could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program that does not start.
    #[error("{program} does not start: {source}")]
    Start {
        /// The program.
        program: String,
        /// The reason.
        source: std::io::Error,
    },
    /// A program that failed.
    #[error("{what}: {reason}")]
    Failed {
        /// The program and its command.
        what: String,
        /// The last line of what it said.
        reason: String,
    },
    /// A file.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file or an answer that is not what it should be.
    #[error("{what}: {reason}")]
    Content {
        /// The file or the program.
        what: String,
        /// The reason.
        reason: String,
    },
}

impl Error {
    /// An error of a file, for `map_err`.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// An error of what something says.
    pub fn content(what: impl ToString, reason: impl ToString) -> Self {
        Self::Content { what: what.to_string(), reason: reason.to_string() }
    }
}
