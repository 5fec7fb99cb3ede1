//! Few products at a time, from random ones made in bulk (protocol §2).
//!
//! A ciphertext has `N` slots, so a call with few products would send mostly empty ones. [`PooledOle`]
//! makes full ciphertexts of random products `u + v = a·b` instead, with `(a, u)` at the model's side
//! and `(b, v)` at the data's, and spends one of them on each product `x·y` of such a call: the model's
//! side sends `x - a`, the data's `y - b`, and `x·y = (u + a·(y - b)) + (v + (x - a)·y)`. Calls with many
//! products go to [`BgvOle`] as they are. Which way is cheaper follows from the groups alone. If the calls
//! to come are known, random products are made for many of them at once: about encryptions that travel
//! together one proof is made, which is as long as those of four. The data's side encrypts them.
//!
//! *Private:* `a` and `b` are uniform, unknown to the peer and used once, so what is opened is uniform.

use super::bgv::BgvOle;
use super::packing::{BATCH, Layout, PROOF_BYTES};
use super::{OleGroup, OleSource, check_operands};
use rand_chacha::ChaCha20Rng;
use twain_algebra::{Fr, vector};
use twain_link::channel::{Channel, Scheduled};
use twain_link::scalars::{SCALAR_BYTES, exchange_scalars, exchange_schedule};
use twain_party::{PartyError, PartySeeds, Role, Shares};
use twain_rlwe::{ANSWER_BYTES, FRESH_BYTES, SLOTS, uniform_scalars};

/// Bytes of a random product and of the two differences that turn it into a wanted one.
const BYTES_PER_PRODUCT: usize =
    (FRESH_BYTES + ANSWER_BYTES + PROOF_BYTES / BATCH) / SLOTS + 1 + 2 * SCALAR_BYTES;

/// Random products made ahead at a time: those of a batch.
const AHEAD: usize = BATCH * SLOTS;

/// One party's end.
pub struct PooledOle {
    bulk: BgvOle,
    rng: ChaCha20Rng,
    /// This party's random operands, and its shares of their products.
    operands: Shares,
    shares: Shares,
    /// How many of them, from the first on, are not yet spent.
    left: usize,
    /// Products of the calls to come, of those that are known, that will be made of random ones.
    planned: usize,
    session: [u8; 32],
}

impl PooledOle {
    /// An end whose keys come from one generator and whose random operands from another; see
    /// [`BgvOle::new`].
    pub fn new(bulk: BgvOle, rng: ChaCha20Rng) -> Self {
        let (operands, shares) = Default::default();
        Self { bulk, rng, operands, shares, left: 0, planned: 0, session: [0; 32] }
    }

    /// An end of this session.
    pub fn seeded(seeds: &PartySeeds, channel: &dyn Channel) -> Self {
        let (session, role) = (channel.session_id(), channel.role());
        let bulk = BgvOle::new(seeds.generator(session, role, "OLE"));
        Self::new(bulk, seeds.generator(session, role, "random products"))
    }

    /// The same, for these calls: what they need of random products is made ahead.
    pub fn planned<'g>(self, calls: impl Iterator<Item = &'g Vec<OleGroup>>) -> Self {
        Self { planned: calls.map(|groups| pooled(groups, &bulk_layout(groups))).sum(), ..self }
    }

    /// Spends random products on `own[i]` times the peer's operand in its place.
    fn products(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        own: &[Fr],
    ) -> Result<Shares, PartyError> {
        self.refill(channel, phase, own.len())?;
        let spent = self.left - own.len()..self.left;
        // Whatever happens, they are not used again.
        self.left = spent.start;
        let random = &self.operands[spent.clone()];
        let mut masked = own.to_vec();
        vector::sub_assign(&mut masked, random);
        let mut theirs = exchange_scalars(channel, phase, &masked, own.len())?;
        match channel.role() {
            Role::Model => vector::mul_assign(&mut theirs, random),
            Role::Data => vector::mul_assign(&mut theirs, own),
        }
        vector::add_assign(&mut theirs, &self.shares[spent]);
        Ok(theirs.into())
    }

    /// Makes what is missing of `needed` random products.
    fn refill(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        needed: usize,
    ) -> Result<(), PartyError> {
        let session = channel.session_id();
        if self.session != session {
            // What was made in one session is not used in another.
            (self.left, self.session) = (0, session);
        }
        let missing = missing(needed, self.left, self.planned);
        self.planned = self.planned.saturating_sub(needed);
        if missing == 0 {
            return Ok(());
        }
        let mut operands = Shares::zero(missing);
        uniform_scalars(&mut self.rng, &mut operands);
        let (group, layout) = pool(missing);
        let made = self.bulk.with_layout(channel, phase, &[&operands], &group, &layout)?;
        let made: Shares = made.concat().into();
        self.operands = [&self.operands[..self.left], &operands].concat().into();
        self.shares = [&self.shares[..self.left], &made].concat().into();
        self.left += missing;
        Ok(())
    }
}

impl PooledOle {
    /// The frames of the first calls of a session, one after the other, on `role`'s side, if all of its
    /// calls are known.
    pub fn schedule<'g>(
        calls: impl Iterator<Item = &'g Vec<OleGroup>>,
        first: usize,
        role: Role,
    ) -> Vec<Scheduled> {
        let calls = calls.map(|groups| {
            let layout = bulk_layout(groups);
            (pooled(groups, &layout), layout)
        });
        let calls: Vec<(usize, Option<Layout>)> = calls.collect();
        let mut planned = calls.iter().map(|(pooled, _)| pooled).sum::<usize>();
        let (mut keyless, mut left, mut frames) = ([true; 2], 0, Vec::new());
        for (count, layout) in calls.into_iter().take(first) {
            if let Some(layout) = layout {
                frames.extend(BgvOle::schedule(&layout, role, &mut keyless));
                continue;
            }
            let missing = missing(count, left, planned);
            planned -= count;
            left = left + missing - count;
            frames.extend(BgvOle::schedule(&pool(missing).1, role, &mut keyless));
            frames.extend(exchange_schedule(count, count));
        }
        frames
    }
}

/// How many random products are made where so many are needed, so many left, and so many planned.
fn missing(needed: usize, left: usize, planned: usize) -> usize {
    if needed <= left {
        return 0;
    }
    let ahead = planned.saturating_sub(left).min(AHEAD);
    ahead.max(needed - left).next_multiple_of(SLOTS)
}

/// What so many random products are made as.
fn pool(products: usize) -> ([OleGroup; 1], Layout) {
    let group = [OleGroup { length: products, terms: vec![(0, 0)] }];
    let layout = Layout::encrypted_by(&group, Role::Data);
    (group, layout)
}

/// Products of two operands.
fn products_of(groups: &[OleGroup]) -> usize {
    groups.iter().map(|group| group.length * group.terms.len()).sum()
}

/// The layout of a call whose products are cheaper by themselves.
fn bulk_layout(groups: &[OleGroup]) -> Option<Layout> {
    let bytes = products_of(groups) * BYTES_PER_PRODUCT;
    if (1..FRESH_BYTES + ANSWER_BYTES + PROOF_BYTES).contains(&bytes) {
        return None;
    }
    Some(Layout::new(groups)).filter(|layout| bytes >= layout.bytes.iter().sum())
}

/// The random products that a call takes.
fn pooled(groups: &[OleGroup], layout: &Option<Layout>) -> usize {
    if layout.is_none() { products_of(groups) } else { 0 }
}

impl OleSource for PooledOle {
    fn inner_products(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let role = channel.role();
        check_operands(role, operands, groups)?;
        if let Some(layout) = bulk_layout(groups) {
            return self.bulk.with_layout(channel, phase, operands, groups, &layout);
        }
        let mut own = Shares::zero(products_of(groups));
        let terms = groups.iter().flat_map(|group| &group.terms);
        let own_of = |&(model, data): &(u32, u32)| operands[[model, data][role as usize] as usize];
        let values = terms.flat_map(own_of);
        own.iter_mut().zip(values).for_each(|(place, value)| *place = *value);
        let made = self.products(channel, phase, &own)?;
        let mut rest = &made[..];
        let mut sums = Vec::with_capacity(groups.len());
        for group in groups {
            let mut sum = vec![Fr::default(); group.length];
            for _ in &group.terms {
                let (term, after) = rest.split_at(group.length);
                vector::add_assign(&mut sum, term);
                rest = after;
            }
            sums.push(sum);
        }
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;
    use twain_link::channel::{MemoryChannel, Recorder, Traffic, memory_pair};
    use twain_link::scalars::decode_scalars;
    use twain_rlwe::proof::{CHALLENGE_BYTES, COMMITMENT_BYTES};

    /// Runs the calls on both sides, which know them beforehand or not, operands drawn at random; checks the
    /// products, and the schedule if they do, and returns the bytes the model's side sent for each.
    fn sent(calls: &[&[OleGroup]], known: bool) -> Vec<u64> {
        let plan: Vec<Vec<OleGroup>> = calls.iter().map(|groups| groups.to_vec()).collect();
        let (model, data) = memory_pair([3; 32]);
        let side = |mut channel: MemoryChannel| {
            let rng = |n| ChaCha20Rng::seed_from_u64(n + 10 * channel.role() as u64);
            let (mut values, bulk, own) = (rng(1), rng(2), rng(3));
            let mut source = PooledOle::new(BgvOle::new(bulk), own);
            if known {
                source = source.planned(plan.iter());
            }
            let mut made = Vec::new();
            for groups in calls {
                let index = |&(m, d): &(u32, u32)| [m, d][channel.role() as usize] as usize;
                let mut operands: Vec<Vec<Fr>> = vec![Vec::new(); 8];
                for group in *groups {
                    for term in &group.terms {
                        operands[index(term)].resize(group.length, Fr::default());
                    }
                }
                operands.iter_mut().for_each(|operand| uniform_scalars(&mut values, operand));
                let slices: Vec<&[Fr]> = operands.iter().map(Vec::as_slice).collect();
                let Traffic { sent: before, .. } = channel.traffic();
                let shares = source.inner_products(&mut channel, "test", &slices, groups).unwrap();
                made.push((operands.clone(), shares, channel.traffic().sent - before));
                if known {
                    let frames = PooledOle::schedule(plan.iter(), made.len(), channel.role());
                    assert_eq!(frames.into_iter().collect::<Traffic>(), channel.traffic());
                }
            }
            made
        };
        let (model, data) = std::thread::scope(|scope| {
            let other = scope.spawn(|| side(data));
            (side(model), other.join().unwrap())
        });
        for (groups, (model, data)) in calls.iter().zip(model.iter().zip(&data)) {
            for (index, group) in groups.iter().enumerate() {
                for j in 0..group.length {
                    let term =
                        |&(m, d): &(u32, u32)| model.0[m as usize][j] * data.0[d as usize][j];
                    let sum: Fr = group.terms.iter().map(term).sum();
                    assert_eq!(model.1[index][j] + data.1[index][j], sum);
                }
            }
        }
        model.into_iter().map(|(_, _, sent)| sent).collect()
    }

    fn group(length: usize, terms: &[(u32, u32)]) -> OleGroup {
        OleGroup { length, terms: terms.to_vec() }
    }

    /// What the model's side sends to have a full ciphertext of random products made: the short messages
    /// of the proof's evaluator, and the answer.
    const MADE: u64 = (2 * CHALLENGE_BYTES + ANSWER_BYTES) as u64;

    #[test]
    fn small_calls_share_ciphertexts() {
        let small = [group(3, &[(0, 0), (1, 0), (0, 3)]), group(0, &[]), group(5, &[(2, 2)])];
        let large = [group(4 * SLOTS, &[(0, 0), (1, 1)])];
        let some = [group(20_000, &[(0, 0)])];
        let calls: [&[OleGroup]; 7] = [&small, &small, &large, &[], &some, &some, &small];
        let bytes = sent(&calls, false);
        let opened = 32 * 14;
        assert_eq!(bytes[0], MADE + opened);
        assert_eq!(bytes[1], opened);
        // As it is: four blocks, of which this side encrypts two, and proves it.
        let own = 5 * FRESH_BYTES + PROOF_BYTES + COMMITMENT_BYTES;
        assert_eq!(bytes[2], (own + 2 * ANSWER_BYTES + 2 * CHALLENGE_BYTES) as u64);
        assert_eq!(bytes[3], 0);
        assert_eq!(bytes[4], 32 * 20_000);
        // Too few are left: another ciphertext is filled.
        assert_eq!(bytes[5], MADE + 32 * 20_000);
        assert_eq!(bytes[6], opened);
    }

    #[test]
    fn known_calls_share_a_proof() {
        let some = [group(20_000, &[(0, 0)])];
        let bytes = sent(&[&some, &some, &some], true);
        let opened = 32 * 20_000;
        assert_eq!(bytes, [MADE + ANSWER_BYTES as u64 + opened, opened, opened]);
    }

    #[test]
    fn what_is_made_ahead_is_bounded() {
        assert_eq!(missing(5, 5, 0), 0);
        assert_eq!(missing(5, 4, 0), SLOTS);
        assert_eq!(missing(5, 4, SLOTS + 4), SLOTS);
        assert_eq!(missing(5, 4, SLOTS + 5), 2 * SLOTS);
        assert_eq!(missing(5, 4, 10 * AHEAD), AHEAD);
        assert_eq!(missing(AHEAD + 1, 0, 10 * AHEAD), AHEAD + SLOTS);
    }

    /// What the peer sees of two calls of one side, of `count` products each.
    fn seen(viewer: Role, own: Fr, count: usize) -> Vec<Fr> {
        let (model, data) = memory_pair([3; 32]);
        let side = |end: MemoryChannel| {
            let mut link = Recorder::new(end);
            let rng = |n| ChaCha20Rng::seed_from_u64(n + 10 * link.role() as u64);
            let mut source = PooledOle::new(BgvOle::new(rng(2)), rng(3));
            let operand = vec![if link.role() == viewer { Fr::from(3) } else { own }; count];
            let group = [OleGroup { length: count, terms: vec![(0, 0)] }];
            // The first call fills the pool, in the step "bulk" and with its own first product.
            source.inner_products(&mut link, "bulk", &[&operand[..1]], &one()).unwrap();
            for _ in 0..2 {
                source.inner_products(&mut link, "test", &[&operand], &group).unwrap();
            }
            link.received("test")
        };
        fn one() -> [OleGroup; 1] {
            [OleGroup { length: 1, terms: vec![(0, 0)] }]
        }
        let (model, data) = std::thread::scope(|scope| {
            let data = scope.spawn(|| side(data));
            (side(model), data.join().unwrap())
        });
        decode_scalars(if viewer == Role::Model { &model } else { &data }, "test").unwrap()
    }

    /// For one secret and mask the peer sees what it sees for any other secret and the mask moved along,
    /// which is as likely; no mask serves twice.
    #[test]
    fn what_is_opened_is_a_one_time_pad() {
        const COUNT: usize = 20;
        for viewer in [Role::Model, Role::Data] {
            let [one, other] = [Fr::from(5), -Fr::from(1 << 20)];
            let (first, second) = (seen(viewer, one, COUNT), seen(viewer, other, COUNT));
            assert_eq!(first.len(), 2 * COUNT);
            let masks = |seen: &[Fr], secret: Fr| -> Vec<Fr> {
                seen.iter().map(|seen| secret - seen).collect()
            };
            let masks = [masks(&first, one), masks(&second, other)];
            assert!(masks[0] == masks[1], "the masks do not hang on the secret");
            let mut distinct: Vec<[u64; 4]> = masks[0].iter().map(|mask| mask.0).collect();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), 2 * COUNT, "a mask twice shows the difference");
        }
    }
}
