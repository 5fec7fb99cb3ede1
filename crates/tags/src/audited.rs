//! What may begin after the audit (protocol §24): inputs, and proofs about one's own values.
//!
//! *Input:* the owner of `y` takes a spare `s`, sends `y - s`, and `<y> = (y - s) + <s>` is tagged
//! by what there is already. So no tag is made after the audit: a peer that pollutes one then could
//! repair it once it has guessed the value.

use crate::coins::{Challenge, CoinUse, Coins};
use crate::side::{Guarded, Side};
use crate::spares::Spares;
use crate::values::{Half, Owned};
use twain_algebra::{Fr, vector};
use twain_link::channel::Channel;
use twain_link::scalars::exchange_scalars;
use twain_party::{PartyError, Shares};

/// One side after the audit of all tags: the only place where there are inputs, and made in no
/// other way.
pub struct Audited {
    pub(crate) side: Side,
    pub(crate) spares: Spares,
    coins: Coins,
}

impl Guarded for Audited {
    fn arithmetic(&mut self) -> &mut Side {
        &mut self.side
    }
}

impl Audited {
    pub(crate) fn new(side: Side, spares: Spares, coins: Coins) -> Self {
        Self { side, spares, coins }
    }

    /// The arithmetic, for openings, products and zero tests.
    pub fn side(&mut self) -> &mut Side {
        &mut self.side
    }

    /// Gives this side's inputs and takes `theirs` of the peer's, which says as many of its own: 32
    /// bytes and a spare each. Returns the model's inputs and the data's.
    ///
    /// # Errors
    /// The link fails, or there are no spares left.
    pub fn input(
        &mut self,
        channel: &mut dyn Channel,
        own: &[Fr],
        theirs: usize,
    ) -> Result<[Owned; 2], PartyError> {
        self.guarded(|audited| {
            audited.side.claim();
            let (mine, peer) = audited.spares.take(own.len(), theirs)?;
            let (Half::Mine { values: masks, tags }, Half::Theirs { mut keys }) = (mine.0, peer.0)
            else {
                return Err(PartyError::Bug("spares of the wrong side"));
            };
            let masked: Vec<Fr> = own.iter().zip(masks.iter()).map(|(y, s)| y - s).collect();
            let theirs = exchange_scalars(channel, "tagged inputs", &masked, theirs)?;
            vector::add_scaled(&mut keys, &theirs, audited.side.delta());
            let mine = Owned::mine(Shares::new(own.to_vec()), tags);
            Ok(Owned::in_order(audited.side.role(), mine, Owned::theirs(keys)))
        })
    }

    /// Tosses the next coin with this label, of those that were asked for when the session began.
    /// To be called when all that it tests has been received.
    ///
    /// # Errors
    /// The link fails, or the peer shows what it has not committed to.
    pub fn challenge(
        &mut self,
        channel: &mut dyn Channel,
        label: &'static str,
    ) -> Result<Challenge, PartyError> {
        self.guarded(|audited| {
            let [mut challenge] = audited.coins.toss(channel, CoinUse::Challenge(label))?;
            challenge.claims = audited.side.claims();
            Ok(challenge)
        })
    }
}
