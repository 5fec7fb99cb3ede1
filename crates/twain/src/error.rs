//! Why something failed, sorted by who is at fault: what a user sees is one line that says what is
//! wrong, with which file or peer, and what to do; what a program sees is a stable code.

use crate::key_files::KeyFileError;
use std::path::PathBuf;
use twain_artifacts::{ArtifactError, FormatError};
use twain_circuit::{LayoutError, WitnessError};
use twain_evm::EvmError;
use twain_http::download::DownloadError;
use twain_link::channel::tls::ConnectError;
use twain_link::channel::{self, ChannelError};
use twain_link::handshake::{HandshakeError, ManifestError};
use twain_link::identity::{FingerprintError, IdentityError, KnownPeersError, NamedPeersError};
use twain_onnx::OnnxError;
use twain_party::PartyError;
use twain_plonk::{KeyError, ProveError};
use twain_store::StoreError;

/// Who or what is at fault. Codes and exit statuses stay what they are from version to version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// A flag, an argument or a combination of them.
    Usage,
    /// A file of this side.
    File,
    /// Something this program cannot prove (yet), or not in a pair.
    Unsupported,
    /// The values do not satisfy the circuit.
    InvalidWitness,
    /// The link to the peer or to a server, or nobody at its end.
    Link,
    /// The peer does not follow the protocol.
    PeerMisbehaved,
    /// The two sides hold different things, or the peer cannot start.
    PeerDiffers,
    /// The operator of the peer ended it.
    PeerStopped,
    /// The store of bundles on this side.
    Store,
    /// The identity of this side, or what it knows of its peers.
    Identity,
    /// The operator of this side ended it.
    Cancelled,
    /// This program.
    Bug,
}

impl Fault {
    /// The stable code, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Fault::Usage => "usage",
            Fault::File => "file",
            Fault::Unsupported => "unsupported",
            Fault::InvalidWitness => "invalid-witness",
            Fault::Link => "link",
            Fault::PeerMisbehaved => "peer-misbehaved",
            Fault::PeerDiffers => "peer-differs",
            Fault::PeerStopped => "peer-stopped",
            Fault::Store => "store",
            Fault::Identity => "identity",
            Fault::Cancelled => "cancelled",
            Fault::Bug => "bug",
        }
    }

    /// The exit status of a command that fails so. 1 is not used: it is what a shell or a panic of
    /// another program may give.
    pub const fn exit_status(self) -> u8 {
        match self {
            Fault::Usage => 2,
            Fault::File => 3,
            Fault::Unsupported => 4,
            Fault::InvalidWitness => 5,
            Fault::Link => 6,
            Fault::PeerMisbehaved => 7,
            Fault::PeerDiffers => 8,
            Fault::Store => 9,
            Fault::Identity => 10,
            Fault::Cancelled => 11,
            Fault::Bug => 12,
            Fault::PeerStopped => 13,
        }
    }
}

/// An error of a call. Texts carry no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that cannot be read or written.
    #[error(transparent)]
    Artifact(ArtifactError),
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
    /// A step of a party.
    #[error(transparent)]
    Party(#[from] PartyError),
    /// A combination of flags or settings that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A fingerprint that is none.
    #[error("--peer: {0}")]
    Fingerprint(#[from] FingerprintError),
    /// The peer could not be met.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The link to the peer.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The two sides cannot work together.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The two sides do not agree whose an input is.
    #[error("{source}: {reason}")]
    Owners {
        /// What differs.
        source: HandshakeError,
        /// Which inputs have two owners or none.
        reason: String,
    },
    /// The peer went wrong in a way that this side can show.
    #[error("{0}")]
    Peer(String),
    /// The store of bundles.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A ceremony's file that cannot be had.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The contract, its compiler or a node.
    #[error(transparent)]
    Evm(#[from] EvmError),
    /// The identity of this side.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Sessions with a peer ended without a result, each of which may have told it something.
    #[error(
        "{count} sessions with the peer {peer} have ended without a result, or have none yet, and each may \
         have told it up to two bits about the secret here; if you trust it with more, give \
         --ended-sessions {count}"
    )]
    EndedSessions {
        /// How many.
        count: u32,
        /// The peer's fingerprint.
        peer: String,
    },
    /// The list of peers with names.
    #[error(transparent)]
    Peers(#[from] NamedPeersError),
    /// A mistake of this program.
    #[error("{0}: this is a mistake of twain, please report it")]
    Bug(String),
}

impl Error {
    /// An error of a file's content.
    pub fn file(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Error::File { path: path.into(), reason: reason.to_string() }
    }

    /// A mistake of this program.
    pub fn bug(reason: impl ToString) -> Self {
        Error::Bug(reason.to_string())
    }

    /// Who is at fault.
    pub fn fault(&self) -> Fault {
        match self {
            Error::Key(KeyFileError::Ended(error)) => of_party(error),
            Error::Artifact(_) | Error::File { .. } | Error::Key(_) => Fault::File,
            Error::Layout(_) => Fault::Unsupported,
            Error::Witness(WitnessError::Sources(_)) => Fault::File,
            Error::Witness(WitnessError::Party(error))
            | Error::Prove(ProveError::Party(error))
            | Error::Party(error) => of_party(error),
            Error::Witness(_) | Error::Prove(ProveError::Unsatisfied(_)) => Fault::InvalidWitness,
            Error::Prove(ProveError::Unsupported(_)) => Fault::Unsupported,
            Error::Prove(ProveError::Shape { .. }) => Fault::File,
            Error::Prove(_) | Error::Bug(_) => Fault::Bug,
            Error::Usage(_) | Error::Fingerprint(_) => Fault::Usage,
            Error::Connect(error) => of_connection(error),
            Error::Channel(error) => of_channel(error),
            Error::Handshake(error) => match error {
                HandshakeError::Channel(error) => of_channel(error),
                HandshakeError::Peer(_) | HandshakeError::Reflected => Fault::PeerMisbehaved,
                HandshakeError::Refused { .. } | HandshakeError::Differences(_) => {
                    Fault::PeerDiffers
                }
            },
            Error::Owners { .. } => Fault::PeerDiffers,
            Error::Peer(_) => Fault::PeerMisbehaved,
            Error::Store(StoreError::Channel(error)) => of_channel(error),
            Error::Store(StoreError::Peer(_)) => Fault::PeerMisbehaved,
            Error::Store(_) => Fault::Store,
            Error::Download(error) => match error {
                DownloadError::Connection { .. } | DownloadError::Status { .. } => Fault::Link,
                DownloadError::Cancelled => Fault::Cancelled,
                _ => Fault::File,
            },
            Error::Evm(error) => match error {
                EvmError::Unsupported(_) => Fault::Unsupported,
                EvmError::NoCompiler | EvmError::Compiler { .. } | EvmError::Account(_) => {
                    Fault::Usage
                }
                EvmError::File { .. } | EvmError::Rejected(_) => Fault::File,
                EvmError::Node { .. } => Fault::Link,
            },
            Error::Peers(NamedPeersError::Name(_) | NamedPeersError::Taken(_))
            | Error::Peers(NamedPeersError::Unknown(_)) => Fault::Usage,
            Error::Identity(_) | Error::EndedSessions { .. } | Error::Peers(_) => Fault::Identity,
        }
    }

    /// The stable code, for programs: that of the fault.
    pub fn code(&self) -> &'static str {
        self.fault().code()
    }
}

fn of_party(error: &PartyError) -> Fault {
    match error {
        PartyError::Invalid | PartyError::Ended => Fault::InvalidWitness,
        PartyError::Unsupported(_) | PartyError::UnsupportedValue { .. } => Fault::Unsupported,
        PartyError::Cancelled => Fault::Cancelled,
        PartyError::Bug(_) => Fault::Bug,
        PartyError::Store(_) => Fault::Store,
        PartyError::Peer(error) => match error.downcast_ref::<ChannelError>() {
            Some(error) => of_channel(error),
            None => Fault::PeerMisbehaved,
        },
    }
}

fn of_channel(ChannelError { fault, .. }: &ChannelError) -> Fault {
    match fault {
        channel::Fault::Length { .. } => Fault::PeerMisbehaved,
        channel::Fault::Cancelled => Fault::Cancelled,
        channel::Fault::Stopped => Fault::PeerStopped,
        channel::Fault::Unscheduled => Fault::Bug,
        _ => Fault::Link,
    }
}

fn of_connection(error: &ConnectError) -> Fault {
    match error {
        ConnectError::NoAddress
        | ConnectError::Address(_)
        | ConnectError::NoName
        | ConnectError::Listen { .. } => Fault::Usage,
        ConnectError::Cancelled => Fault::Cancelled,
        ConnectError::OwnKey(_) | ConnectError::KnownPeers(_) => Fault::Identity,
        ConnectError::WrongKey { .. }
        | ConnectError::RefusedByPeer { .. }
        | ConnectError::DeclinedByPeer { .. }
        | ConnectError::Unfit { .. } => Fault::PeerDiffers,
        _ => Fault::Link,
    }
}

impl From<ArtifactError> for Error {
    fn from(error: ArtifactError) -> Self {
        match error {
            ArtifactError::Cancelled => PartyError::Cancelled.into(),
            error => Self::Artifact(error),
        }
    }
}

impl From<KnownPeersError> for Error {
    fn from(error: KnownPeersError) -> Self {
        ConnectError::from(error).into()
    }
}

impl From<ManifestError> for Error {
    /// This side's own list: its items follow from the program.
    fn from(error: ManifestError) -> Self {
        Error::bug(error)
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
at_file!(FormatError, LayoutError, OnnxError);

impl<T> AtFile<T> for Result<T, KeyError> {
    fn at(self, path: impl Into<PathBuf>) -> Result<T, Error> {
        self.map_err(|error| match error {
            KeyError::Cancelled => PartyError::Cancelled.into(),
            error => Error::file(path, error),
        })
    }
}

impl<T> AtFile<T> for Result<T, WitnessError> {
    fn at(self, path: impl Into<PathBuf>) -> Result<T, Error> {
        self.map_err(|error| match error {
            // What a party says is not about the file.
            WitnessError::Party(error) if !matches!(error, PartyError::Invalid) => error.into(),
            error => Error::file(path, error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_and_exit_statuses_are_distinct() {
        const ALL: [Fault; 12] = [
            Fault::Usage,
            Fault::File,
            Fault::Unsupported,
            Fault::InvalidWitness,
            Fault::Link,
            Fault::PeerMisbehaved,
            Fault::PeerDiffers,
            Fault::PeerStopped,
            Fault::Store,
            Fault::Identity,
            Fault::Cancelled,
            Fault::Bug,
        ];
        assert_eq!(ALL.map(Fault::code).into_iter().collect::<HashSet<_>>().len(), ALL.len());
        let statuses: HashSet<u8> = ALL.map(Fault::exit_status).into();
        assert!(statuses.len() == ALL.len() && statuses.iter().all(|status| *status > 1));
    }

    #[test]
    fn faults_are_told_apart() {
        let channel = |fault| ChannelError { phase: "witness", peer: "p".into(), fault };
        let link = PartyError::from(channel(channel::Fault::Closed));
        assert_eq!(Error::from(link).fault(), Fault::Link);
        let stopped = PartyError::from(channel(channel::Fault::Stopped));
        assert_eq!(Error::from(stopped).code(), "peer-stopped");
        let longer = channel(channel::Fault::Length { got: 2, expected: 1 });
        assert_eq!(Error::from(longer).fault(), Fault::PeerMisbehaved);
        assert_eq!(Error::from(PartyError::Cancelled).code(), "cancelled");
        assert_eq!(Error::from(StoreError::Cipher).fault(), Fault::Store);
        assert_eq!(Error::from(FingerprintError).fault(), Fault::Usage);
        assert_eq!(
            Error::from(ProveError::Party(PartyError::Invalid)).fault(),
            Fault::InvalidWitness
        );
    }
}
