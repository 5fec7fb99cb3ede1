//! Why a transfer failed.

use twain_party::PartyError;

/// What can go wrong besides the link.
#[derive(Debug, thiserror::Error)]
pub enum OtError {
    /// A base transfer's message is not a group element.
    #[error("the peer sent an invalid group element for an oblivious transfer")]
    InvalidPoint,
}

impl From<OtError> for PartyError {
    fn from(error: OtError) -> Self {
        PartyError::Peer(Box::new(error))
    }
}
