//! Where tags come from: the one interface of [`crate::RingTags`] and of the tests' trusted dealer.

use crate::values::Key;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_party::{PartyError, Shares};

/// This side's part of `m + k = Δ·x`, for values of its own and for the peer's.
pub struct Correlation {
    /// `m` for each of this side's values.
    pub tags: Shares,
    /// `k` for each of the peer's.
    pub keys: Shares,
}

/// Makes tags. What comes from it is not checked yet: a peer's answers may be wrong in any way.
pub trait TagSource: Send {
    /// Draws this side's key and sends what the peer needs to tag its values under it. `session` is
    /// the same on both sides and serves for this source alone: it enters whatever is hashed.
    ///
    /// # Errors
    /// The link fails, or the peer sends what is no such thing.
    fn begin(&mut self, channel: &mut dyn Channel, session: [u8; 32]) -> Result<Key, PartyError>;

    /// How many values are tagged at once at no more cost than one.
    fn block(&self) -> usize;

    /// Tags this side's values and makes keys for `theirs` values of the peer, which says as many
    /// of its own. Private: the peer learns nothing of the values.
    ///
    /// # Errors
    /// As [`Self::begin`].
    fn tag(
        &mut self,
        channel: &mut dyn Channel,
        own: &[Fr],
        theirs: usize,
    ) -> Result<Correlation, PartyError>;
}
