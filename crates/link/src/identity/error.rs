//! Why there is no identity.

use std::path::PathBuf;

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file could not be read or written.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Others may read the key.
    #[error("{path} has mode {mode:03o}: others than its owner may use it; run: chmod 600 {path}")]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key of this kind.
    #[error("{path} is not an Ed25519 key in PKCS#8 (DER)")]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// Neither `XDG_CONFIG_HOME` nor `HOME` is set.
    #[error("no configuration directory: set HOME, or name a directory")]
    NoHome,
    /// A name that could be taken for something else.
    #[error(
        "`{0}` is no name for an identity: 1 to 64 letters, digits, dots, dashes and underscores"
    )]
    Name(String),
    /// The name is taken.
    #[error("there is an identity {0} already (see `twain identity list`)")]
    Taken(String),
    /// A name that is a folder, too.
    #[error(
        "`{name}` is both the identity in {folder} and a folder here: write ./{name} for this one"
    )]
    Ambiguous {
        /// What was given.
        name: String,
        /// The folder that the name stands for.
        folder: PathBuf,
    },
    /// The cryptographic library refused.
    #[error("cannot make a key: {0}")]
    Crypto(String),
}
