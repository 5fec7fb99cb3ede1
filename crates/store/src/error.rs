//! Why the store does not do what it was asked for.

use std::io;
use std::path::PathBuf;
use twain_link::channel::ChannelError;
use twain_link::identity::IdentityError;

/// Why the store does not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system failed.
    #[error("the store of bundles: {0}")]
    Disk(#[from] io::Error),
    /// Another process uses the store.
    #[error("{0} is in use by another process: one session at a time can use a store of bundles")]
    Locked(PathBuf),
    /// A file is not as it was written.
    #[error("the store of bundles is damaged ({0}): delete it and make new ones")]
    Damaged(&'static str),
    /// The link to the peer failed.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The peer does not follow the protocol.
    #[error("the peer's store of bundles: {0}")]
    Peer(&'static str),
    /// Nothing of that name is there.
    #[error("the store has no such bundle (see `twain bundles list`)")]
    NoBundle,
    /// The session is not one of this identity.
    #[error("the session's keys are not those of this store")]
    Session,
    /// No key could be derived.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The cipher refused.
    #[error("the cipher of the store failed")]
    Cipher,
}
