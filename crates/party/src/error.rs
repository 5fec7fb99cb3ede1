//! Why a step of a party failed.

/// An error of a party's operation. Texts carry no secret and, for [`PartyError::Invalid`], no cause.
#[derive(Debug, thiserror::Error)]
pub enum PartyError {
    /// The validity test failed: a value is out of the range the circuit can hold.
    #[error(
        "the witness does not satisfy the circuit: a value is outside the range the circuit can hold"
    )]
    Invalid,
    /// A value that must be inverted is zero.
    #[error("a challenge hit a value of the witness (probability below 2^-200): run again")]
    ZeroFactor,
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
