//! The stage in which tags are made (protocol §24, P): values, spares, triples, then the audit,
//! which ends it. Nothing in it depends on an input.
//!
//! Input: a [`TagSource`], the coins that will be needed, this side's randomness. Output: tagged
//! values, checked triples, and in the end [`Audited`], without which no input can be given: what a
//! peer may have done to tags it has done while all values were random and unused.

use crate::audited::Audited;
use crate::coins::{CoinUse, Coins};
use crate::equality::equal_keys;
use crate::products::{Triple, Unchecked, sacrifice};
use crate::side::{Guarded, Side};
use crate::source::{Correlation, TagSource};
use crate::spares::Spares;
use crate::values::{Owned, Tagged, TaggedVector};
use ff::Field;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};
use twain_algebra::{Fr, vector};
use twain_link::channel::Channel;
use twain_ole::{OleGroup, OleSource};
use twain_party::{PartyError, Shares};
use twain_rlwe::uniform_scalars;

/// What will be asked of a [`Preprocessing`]: the same on both sides. Coins for all of it are
/// committed to before the first tag is made.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    /// Tells the [`Preprocessing`]s of one session apart: each has its own, so that no hash of one
    /// is a hash of another.
    pub instance: u64,
    /// Calls of [`Preprocessing::triples`].
    pub triple_batches: usize,
    /// Calls of [`Preprocessing::product_columns`].
    pub column_batches: usize,
    /// Challenges that are tossed after the audit, in any order.
    pub challenges: Vec<&'static str>,
}

impl Demand {
    /// What enters all hashes of the [`Preprocessing`], in place of the session's identifier.
    fn session(&self, session: [u8; 32]) -> [u8; 32] {
        Sha256::new_with_prefix(b"twain tags instance")
            .chain_update(session)
            .chain_update(self.instance.to_le_bytes())
            .finalize()
            .into()
    }

    fn coins(&self) -> Vec<CoinUse> {
        let mut uses = vec![CoinUse::EqualKeys];
        uses.extend(std::iter::repeat_n(CoinUse::Sacrifice, self.triple_batches));
        for _ in 0..self.column_batches {
            uses.extend([CoinUse::ColumnWeights, CoinUse::ColumnPoint]);
        }
        uses.push(CoinUse::Audit);
        uses.extend(self.challenges.iter().map(|label| CoinUse::Challenge(label)));
        uses
    }
}

/// All that was tagged so far, in its order: the audit goes over it.
#[derive(Default)]
struct Record {
    /// Values and tags, call by call: a vector that grew would leave copies behind.
    own: Vec<(Shares, Shares)>,
    peer: Vec<Shares>,
}

impl Record {
    /// `Σ χ^j x_j` over all of it.
    fn combine(&self, challenge: Fr) -> Tagged {
        let mut sum = Tagged::zero();
        let mut weight = Fr::ONE;
        for (values, tags) in &self.own {
            let mut weights = vector::powers(challenge, values.len());
            vector::scale(&mut weights, weight);
            sum.share += vector::inner_product(values, &weights);
            sum.tag += vector::inner_product(tags, &weights);
            weight *= challenge.pow_vartime([values.len() as u64]);
        }
        weight = Fr::ONE;
        for keys in &self.peer {
            let mut weights = vector::powers(challenge, keys.len());
            vector::scale(&mut weights, weight);
            sum.key += vector::inner_product(keys, &weights);
            weight *= challenge.pow_vartime([keys.len() as u64]);
        }
        sum
    }

    /// The larger number of values of the two sides.
    fn len(&self) -> usize {
        let own: usize = self.own.iter().map(|(values, _)| values.len()).sum();
        own.max(self.peer.iter().map(|keys| keys.len()).sum())
    }
}

/// One side while tags are made.
pub struct Preprocessing {
    pub(crate) side: Side,
    source: Box<dyn TagSource>,
    pub(crate) coins: Coins,
    record: Record,
    spares: Spares,
    rng: ChaCha20Rng,
}

impl Guarded for Preprocessing {
    fn arithmetic(&mut self) -> &mut Side {
        &mut self.side
    }
}

impl Preprocessing {
    /// Commits to all coins, draws this side's key, and tests that the peer's is one for all
    /// values. `rng` is a generator of this side's for this session alone.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub fn begin(
        channel: &mut dyn Channel,
        mut source: Box<dyn TagSource>,
        demand: &Demand,
        mut rng: ChaCha20Rng,
    ) -> Result<Self, PartyError> {
        let session = demand.session(channel.session_id());
        let coins = Coins::commit(channel, session, &mut rng, &demand.coins())?;
        let key = source.begin(channel, session)?;
        let side = Side::new(channel.role(), session, key);
        let (record, spares) = (Record::default(), Spares::default());
        let block = source.block();
        let mut started = Self { side, source, coins, record, spares, rng };
        // These values serve for nothing but this test.
        let block = started.random(channel, block)?;
        let challenges = started.coins.toss(channel, CoinUse::EqualKeys)?;
        started.side.failure.charge_coin(block.len())?;
        equal_keys(&started.side, channel, &block, challenges, &mut started.rng)?;
        Ok(started)
    }

    /// The arithmetic, for openings, products and zero tests of what is tagged.
    pub fn side(&mut self) -> &mut Side {
        &mut self.side
    }

    /// Tags values: this side's own, and `theirs` values of the peer. Returns the model's values
    /// and the data's. Whatever a side puts in is its value by definition.
    ///
    /// # Errors
    /// The link fails.
    pub fn tag(
        &mut self,
        channel: &mut dyn Channel,
        own: &[Fr],
        theirs: usize,
    ) -> Result<[Owned; 2], PartyError> {
        self.guarded(|stage| {
            let Correlation { tags, keys } = stage.source.tag(channel, own, theirs)?;
            if tags.len() != own.len() || keys.len() != theirs {
                return Err(PartyError::Bug("a source of tags makes one for each value"));
            }
            stage.record.own.push((own.to_vec().into(), tags.clone()));
            stage.record.peer.push(keys.clone());
            let mine = Owned::mine(own.to_vec().into(), tags);
            Ok(Owned::in_order(stage.side.role(), mine, Owned::theirs(keys)))
        })
    }

    /// Tags shares of values that both sides have a share of.
    ///
    /// # Errors
    /// The link fails.
    pub fn tag_shares(
        &mut self,
        channel: &mut dyn Channel,
        shares: &[Fr],
    ) -> Result<TaggedVector, PartyError> {
        Ok(TaggedVector::shared(&self.tag(channel, shares, shares.len())?))
    }

    /// Uniform values that no side knows, tagged.
    ///
    /// # Errors
    /// The link fails.
    pub fn random(
        &mut self,
        channel: &mut dyn Channel,
        count: usize,
    ) -> Result<TaggedVector, PartyError> {
        let own = self.uniform(count);
        self.tag_shares(channel, &own)
    }

    /// Makes spares: tagged random values for later inputs and proofs, so many of this side's own
    /// and so many of the peer's.
    ///
    /// # Errors
    /// The link fails.
    pub fn spares(
        &mut self,
        channel: &mut dyn Channel,
        own: usize,
        theirs: usize,
    ) -> Result<(), PartyError> {
        let own = self.uniform(own);
        let made = self.tag(channel, &own, theirs)?;
        self.spares.add(made);
        Ok(())
    }

    /// Triples, two made for each that is returned.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`] if one is wrong.
    pub fn triples(
        &mut self,
        channel: &mut dyn Channel,
        ole: &mut dyn OleSource,
        count: usize,
    ) -> Result<Vec<Triple>, PartyError> {
        self.guarded(|stage| {
            let (a, b) = (stage.uniform(2 * count), stage.uniform(2 * count));
            let group = OleGroup { length: 2 * count, terms: vec![(0, 1), (1, 0)] };
            let mut cross = ole.inner_products(channel, "triples", &[&a, &b], &[group])?;
            let mut c = cross.pop().map(Shares::new).unwrap_or_default();
            vector::mul_add(&mut c, &a, &b);
            let mut all = Shares::zero(6 * count);
            for (part, values) in all.chunks_exact_mut(2 * count.max(1)).zip([&a, &b, &c]) {
                part.copy_from_slice(values);
            }
            let tagged = stage.tag_shares(channel, &all)?;
            let [coin] = stage.coins.toss(channel, CoinUse::Sacrifice)?;
            stage.side.failure.charge_coin(count)?;
            let triple = |i: usize| {
                let [a, b, c] = [0, 1, 2].map(|part| tagged.get(2 * part * count + i));
                Unchecked { a, b, c }
            };
            let pairs = (0..count).map(|i| [triple(i), triple(count + i)]).collect();
            sacrifice(&mut stage.side, channel, pairs, coin)
        })
    }

    /// Ends the making of tags: a combination of all that was tagged, by a coin, under a spare of
    /// each side, is opened. An answer that put other values of its receiver into a key shows here,
    /// where nothing of them can be guessed. Takes one spare of each side.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub fn audit(mut self, channel: &mut dyn Channel) -> Result<Audited, PartyError> {
        let (own, theirs) = self.guarded(|stage| stage.spares.take(1, 1))?;
        let [coin] = self.coins.toss(channel, CoinUse::Audit)?;
        self.side.failure.charge_coin(self.record.len())?;
        let spare = &own.get(0) + &theirs.get(0);
        let combination = &self.record.combine(coin.value()) + &spare;
        self.side.open(channel, "audit of tags", &[combination])?;
        Ok(Audited::new(self.side, self.spares, self.coins))
    }

    pub(crate) fn uniform(&mut self, count: usize) -> Shares {
        let mut values = Shares::zero(count);
        uniform_scalars(&mut self.rng, &mut values);
        values
    }
}
