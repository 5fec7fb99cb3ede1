//! The coins of a session: both sides commit to their parts of all of them before anything exists
//! that one of them tests (protocol §24). Input: the list of uses, the same on both sides. Output:
//! challenges, each tossed once, when what it tests is fixed.

use ff::Field;
use rand_chacha::ChaCha20Rng;
use std::collections::VecDeque;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_link::commitment::{COMMITMENT_BYTES, Coin, Purpose};
use twain_party::PartyError;

const PHASE: &str = "coins of tags";

/// What a coin decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoinUse {
    /// The weights of the test that all tags of a side are under one key.
    EqualKeys,
    /// The combination of triples.
    Sacrifice,
    /// The weights of product columns.
    ColumnWeights,
    /// The point at which product columns are compared.
    ColumnPoint,
    /// The weights of the audit.
    Audit,
    /// A challenge of what is built on tagged values.
    Challenge(&'static str),
}

impl CoinUse {
    fn label(self) -> &'static str {
        match self {
            CoinUse::EqualKeys => "tags: equal keys",
            CoinUse::Sacrifice => "tags: triples",
            CoinUse::ColumnWeights => "tags: weights of product columns",
            CoinUse::ColumnPoint => "tags: point of product columns",
            CoinUse::Audit => "tags: audit",
            // Labels of callers might be those of other commitments.
            CoinUse::Challenge(_) => "tags: challenge",
        }
    }
}

/// A number that neither side chose, drawn after what it tests was fixed. It serves one test: what
/// a caller does with the number begins with [`crate::Side::weigh`].
#[derive(Debug)]
pub struct Challenge {
    value: Fr,
    /// How much had been claimed when it was tossed: [`crate::Side::claims`].
    pub(crate) claims: u64,
}

impl Challenge {
    /// The number, for a test of this crate's own.
    pub(crate) fn value(&self) -> Fr {
        self.value
    }
}

/// A coin, and the peer's commitment to its part of it.
struct Pending {
    coin_use: CoinUse,
    coin: Coin,
    theirs: [u8; COMMITMENT_BYTES],
}

/// The coins that are not tossed yet.
pub struct Coins(VecDeque<Pending>);

impl Coins {
    /// Both sides commit to their parts of these coins: one message each way, 32 bytes a coin.
    /// `session` enters their hashes.
    ///
    /// # Errors
    /// The link fails.
    pub fn commit(
        channel: &mut dyn Channel,
        session: [u8; 32],
        rng: &mut ChaCha20Rng,
        uses: &[CoinUse],
    ) -> Result<Self, PartyError> {
        let role = channel.role();
        let coins = uses.iter().zip(0..).map(|(coin_use, counter)| {
            Coin::new(Purpose { label: coin_use.label(), session, counter }, role, rng)
        });
        let coins: Vec<Coin> = coins.collect();
        let own: Vec<u8> = coins.iter().flat_map(Coin::commitment).collect();
        let length = own.len();
        let theirs = match length {
            0 => Vec::new(),
            _ => channel.exchange(PHASE, own, length)?,
        };
        let theirs = theirs.as_chunks().0;
        let pending = coins.into_iter().zip(uses).zip(theirs);
        let pending =
            pending.map(|((coin, &coin_use), &theirs)| Pending { coin_use, coin, theirs });
        Ok(Self(pending.collect()))
    }

    /// The next coin of a use, as `COUNT` numbers. To be called when all that it tests has been
    /// received.
    ///
    /// # Errors
    /// The link fails, or the peer shows what it has not committed to.
    pub(crate) fn toss<const COUNT: usize>(
        &mut self,
        channel: &mut dyn Channel,
        coin_use: CoinUse,
    ) -> Result<[Challenge; COUNT], PartyError> {
        let next = self.0.iter().position(|pending| pending.coin_use == coin_use);
        let pending = next.and_then(|next| self.0.remove(next));
        let Pending { coin, theirs, .. } =
            pending.ok_or(PartyError::Bug("a coin is tossed that was not committed to"))?;
        let mut generator = coin.toss(channel, PHASE, &theirs)?;
        Ok([(); COUNT].map(|()| Challenge { value: Fr::random(&mut generator), claims: 0 }))
    }
}
