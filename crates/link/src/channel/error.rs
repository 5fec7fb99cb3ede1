//! What can go wrong between the two parties. Every error names the step that was running and the
//! peer.

use std::time::Duration;
use twain_party::PartyError;

/// A failure of the link to the peer, or of the peer.
#[derive(Debug, thiserror::Error)]
#[error("during {phase}, with {peer}: {fault}")]
pub struct ChannelError {
    /// The step that was running.
    pub phase: &'static str,
    /// The peer: its address and, once known, the fingerprint of its key.
    pub peer: String,
    /// What happened.
    pub fault: Fault,
}

/// What happened to the link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The peer ended the session.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer's operator ended the session.
    #[error("the peer was stopped by its operator")]
    Stopped,
    /// The connection ended or broke without a farewell.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Bytes that TLS rejects: changed, repeated or left out on the way.
    #[error("the connection's bytes are not authentic: {0}")]
    Forged(String),
    /// A frame of another length than both had agreed.
    #[error("the peer sent {got} bytes where {expected} were due")]
    Length {
        /// Length of the frame.
        got: u64,
        /// Length agreed.
        expected: u64,
    },
    /// This side was told to end the session.
    #[error("cancelled")]
    Cancelled,
    /// Not even a sign of life.
    #[error("nothing was heard from the peer for {0:?}")]
    Silent(Duration),
    /// The peer is alive, but the frame did not come whole, or was not taken.
    #[error("the peer is alive, but this step's frame took more than {0:?}")]
    Late(Duration),
    /// The session is over its limit.
    #[error("the session took more than {0:?} (see --session-timeout)")]
    Overtime(Duration),
    /// A protocol of this side does not follow its schedule.
    #[error(
        "a protocol does not follow its schedule: this is a mistake of twain, please report it"
    )]
    Unscheduled,
}

impl From<ChannelError> for PartyError {
    fn from(error: ChannelError) -> Self {
        PartyError::Peer(Box::new(error))
    }
}
