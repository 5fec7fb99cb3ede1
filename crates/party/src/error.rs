//! Why a step of a party failed.

/// An error of a party's operation. Texts carry no secret.
#[derive(Debug, thiserror::Error)]
pub enum PartyError {
    /// A value is out of the range the circuit can hold, says who holds it.
    #[error(
        "the witness does not satisfy the circuit: a value is outside the range the circuit can hold"
    )]
    Invalid,
    /// A check failed: of what the peer sent, or of values that neither side knows. Which one it
    /// was may depend on a secret, so nobody is told.
    #[error(
        "the session has ended: a value is outside the range the circuit can hold, or the peer does \
         not follow the protocol"
    )]
    Ended,
    /// Something this kind of party cannot do (yet).
    #[error("{0}")]
    Unsupported(String),
    /// The same, for the value with this number in the witness program.
    #[error("value {wire}: {reason}")]
    UnsupportedValue {
        /// The wire.
        wire: u32,
        /// What cannot be done with it, and what the user can do.
        reason: String,
    },
    /// The correlations that this side keeps cannot be used.
    #[error(transparent)]
    Store(Box<dyn std::error::Error + Send + Sync>),
    /// A mistake of this program.
    #[error("{0}: this is a mistake of twain, please report it")]
    Bug(&'static str),
    /// The session's watcher wants it to end.
    #[error("cancelled")]
    Cancelled,
    /// The other side, or the link to it, failed.
    #[error(transparent)]
    Peer(Box<dyn std::error::Error + Send + Sync>),
}

impl PartyError {
    /// Says which value it was that something cannot be done with.
    pub fn at_wire(self, wire: u32) -> Self {
        match self {
            PartyError::Unsupported(reason) => PartyError::UnsupportedValue { wire, reason },
            other => other,
        }
    }
}
