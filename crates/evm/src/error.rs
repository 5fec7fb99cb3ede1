//! Why something around the contract failed.

use std::path::PathBuf;

/// An error, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum EvmError {
    /// A circuit that has no such contract.
    #[error("there is no contract for this circuit: {0}")]
    Unsupported(String),
    /// No compiler was found.
    #[error(
        "there is no Solidity compiler: install solc 0.8.20 or newer (as `solc` on the PATH, or with \
         svm), or name one with --solc"
    )]
    NoCompiler,
    /// The compiler did not do its work.
    #[error("{}: {reason}", path.display())]
    Compiler {
        /// The compiler.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// A file with something else in it.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The node cannot be asked, or answers with an error.
    #[error("{url}: {reason}")]
    Node {
        /// Its address.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The contract does not accept the proof.
    #[error("the contract does not accept the proof: {0}")]
    Rejected(String),
    /// No account to pay from.
    #[error("{0}")]
    Account(String),
}
