//! Challenges that neither side can choose (protocol §12): each side commits to a summand, and
//! shows it when the challenge is due. Both commit to the first one before they send anything else
//! of a proof, which has one; to a further one when it is due, before either shows its summand.

use ff::Field;
use rand_chacha::ChaCha20Rng;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_link::commitment::{COMMITMENT_BYTES, Coin, Purpose};
use twain_party::PartyError;

const PHASE: &str = "coin toss";

/// The challenges of a session.
pub(crate) struct Coins {
    /// The next one, and the peer's commitment to its summand.
    next: Option<(Coin, Vec<u8>)>,
    /// How many were committed to.
    count: u64,
}

impl Coins {
    /// Commits to the first challenge.
    pub fn commit(channel: &mut dyn Channel, rng: &mut ChaCha20Rng) -> Result<Self, PartyError> {
        let mut coins = Self { next: None, count: 0 };
        coins.next = Some(coins.committed(channel, rng)?);
        Ok(coins)
    }

    fn committed(
        &mut self,
        channel: &mut dyn Channel,
        rng: &mut ChaCha20Rng,
    ) -> Result<(Coin, Vec<u8>), PartyError> {
        let (session, counter) = (channel.session_id(), self.count);
        let purpose = Purpose { label: "challenges of a pair", session, counter };
        self.count += 1;
        let coin = Coin::new(purpose, channel.role(), rng);
        let own = coin.commitment().to_vec();
        let theirs = channel.exchange(PHASE, own, COMMITMENT_BYTES)?;
        Ok((coin, theirs))
    }

    /// The challenge. In a rehearsal the peer is this side itself.
    pub fn toss(
        &mut self,
        channel: &mut dyn Channel,
        rng: &mut ChaCha20Rng,
        rehearses: bool,
    ) -> Result<Fr, PartyError> {
        let (coin, theirs) = match self.next.take() {
            Some(next) => next,
            None => self.committed(channel, rng)?,
        };
        if rehearses {
            // Whose commitment it is enters it, which an echo gets wrong.
            channel.exchange(PHASE, vec![0; Coin::FRAME_BYTES], Coin::FRAME_BYTES)?;
            return Ok(Fr::ONE);
        }
        Ok(Fr::random(coin.toss(channel, PHASE, &theirs)?))
    }
}
