//! How a session ends.

use twain_party::PartyError;

/// A check has failed. There is one text and no cause: which check it was may depend on what the
/// other side did to it, and nothing that a peer can read off an end is to tell more than that.
#[derive(Debug, thiserror::Error)]
#[error(
    "the session has ended: the peer or the link failed, and the values may be invalid; nothing \
     of it is used any further"
)]
pub struct Ended;

impl From<Ended> for PartyError {
    fn from(ended: Ended) -> Self {
        PartyError::Peer(Box::new(ended))
    }
}
