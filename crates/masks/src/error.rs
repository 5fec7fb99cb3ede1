//! What a peer did that the protocol does not have it do.

use twain_party::PartyError;

/// A deviation that was found. The session ends, and nothing that was made in it is used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Deviation {
    /// A base transfer's message is not a group element.
    #[error("the peer sent an invalid group element for an oblivious transfer")]
    InvalidPoint,
    /// The columns of a frame of transfers hold different choices.
    #[error("the peer's choices for oblivious transfers do not fit together")]
    Inconsistent,
    /// The digit masks' positions are not what their index bits say.
    #[error("the digit masks made with the peer are not what they should be")]
    Positions,
}

impl From<Deviation> for PartyError {
    fn from(error: Deviation) -> Self {
        PartyError::Peer(Box::new(error))
    }
}
