//! Why there is no connection to the peer.

use crate::identity::{Fingerprint, KnownPeersError};
use std::time::Duration;

/// Why there is no connection to the peer.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Neither address was given.
    #[error("give an address to listen on (--local-addr), one to dial (--remote-peer), or both")]
    NoAddress,
    /// An address that cannot be one.
    #[error(
        "`{0}` is no address: give a host and a port, as alice.example:7000 or [2001:db8::1]:7000"
    )]
    Address(String),
    /// Nothing to remember a first-time peer by.
    #[error(
        "without an address to dial (--remote-peer) the peer's key must be given: --peer and the \
         fingerprint that `twain identity` prints on the peer's machine"
    )]
    NoName,
    /// One's own key as the peer's.
    #[error("the peer would be this side itself: {0} is its own key")]
    OwnKey(Fingerprint),
    /// The listening address cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Another key than the pinned one.
    #[error("at {address} is another peer: its key is {found}, expected was {expected}")]
    WrongKey {
        /// Where.
        address: String,
        /// The key pinned.
        expected: Fingerprint,
        /// The key shown.
        found: Fingerprint,
    },
    /// The peer does not accept this side's key.
    #[error("the peer at {address} refuses this side's key {own}: it must pin it (--peer {own})")]
    RefusedByPeer {
        /// Where.
        address: String,
        /// This side's key.
        own: Fingerprint,
    },
    /// The peer's user says that this side's key is not its peer's.
    #[error(
        "the user of the peer at {address} did not confirm this side's key {own}: compare it there with \
         what `twain identity` prints here, and start again"
    )]
    DeclinedByPeer {
        /// Where.
        address: String,
        /// This side's key.
        own: Fingerprint,
    },
    /// The peer is not known, or has changed.
    #[error(transparent)]
    KnownPeers(#[from] KnownPeersError),
    /// Versions or roles do not fit.
    #[error("with the peer at {address}: {reason}")]
    Unfit {
        /// Where.
        address: String,
        /// What does not fit.
        reason: String,
    },
    /// Nobody came.
    #[error("no peer within {after:?}{}", attempts(.tried))]
    Timeout {
        /// The limit.
        after: Duration,
        /// What was tried, and its outcome.
        tried: Vec<String>,
    },
    /// Nobody whose key is known, or could be confirmed, came.
    #[error(
        "no peer within {after:?}{}; its key is not known yet, and only one found at {address} can be \
         confirmed. Where the peer cannot be dialled, its key must be given: --peer and the \
         fingerprint that `twain identity` prints on its machine, told over a channel you trust",
        attempts(.tried)
    )]
    NoKey {
        /// The limit.
        after: Duration,
        /// The address dialled.
        address: String,
        /// What was tried, and its outcome.
        tried: Vec<String>,
    },
    /// The watcher wants it to end.
    #[error("cancelled")]
    Cancelled,
    /// TLS could not be set up on this side.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The system has no more threads or sockets.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
}

fn attempts(tried: &[String]) -> String {
    tried.iter().map(|attempt| format!("; {attempt}")).collect()
}
