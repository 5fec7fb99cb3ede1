//! What a user sees when a command fails: one line that says what is wrong, with which file or peer,
//! and what to do.

use std::path::PathBuf;
use twain::key_files::KeyFileError;
use twain_artifacts::{ArtifactError, FormatError};
use twain_circuit::{LayoutError, WitnessError};
use twain_onnx::OnnxError;
use twain_plonk::{KeyError, ProveError};

/// An error of a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A file whose content does not fit the others.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A key or an SRS.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A model that cannot be laid out.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A witness that cannot be made.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// A proof that cannot be made.
    #[error("no proof was made: {0}")]
    Prove(#[from] ProveError),
    /// A combination of flags or settings that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The peer or the link to it.
    #[error(transparent)]
    Peer(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// An error of a file's content.
    pub fn file(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Error::File { path: path.into(), reason: reason.to_string() }
    }

    /// An error of the peer or the link.
    pub fn peer(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Error::Peer(Box::new(source))
    }
}

/// Puts a file's name to an error about its content.
pub trait AtFile<T> {
    /// The result, with the file the error is about.
    fn at(self, path: impl Into<PathBuf>) -> Result<T, Error>;
}

macro_rules! at_file {
    ($($error:ty),*) => {$(
        impl<T> AtFile<T> for Result<T, $error> {
            fn at(self, path: impl Into<PathBuf>) -> Result<T, Error> {
                self.map_err(|error| Error::file(path, error))
            }
        }
    )*};
}
at_file!(FormatError, KeyError, LayoutError, OnnxError, WitnessError);
