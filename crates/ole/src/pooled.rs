//! Few products at a time, from random ones made in bulk (protocol §2).
//!
//! A ciphertext has `N` slots, so a call with few products would send mostly empty ones. [`PooledOle`]
//! makes full ciphertexts of random products `u + v = a·b` instead, with `(a, u)` at the model's side
//! and `(b, v)` at the data's, and spends one of them on each product `x·y` of such a call: the model's
//! side sends `x - a`, the data's `y - b`, and `x·y = (u + a·(y - b)) + (v + (x - a)·y)`. Calls with many
//! products go to [`BgvOle`] as they are. Which way is cheaper follows from the groups alone.
//!
//! *Private:* `a` and `b` are uniform, unknown to the peer and used once, so what is opened is uniform.

use super::bgv::BgvOle;
use super::packing::Layout;
use super::{OleGroup, OleSource, check_operands};
use rand_chacha::ChaCha20Rng;
use twain_algebra::{Fr, vector};
use twain_link::channel::{Channel, Scheduled};
use twain_link::scalars::{SCALAR_BYTES, exchange_scalars, exchange_schedule};
use twain_party::{PartyError, PartySeeds, Role, Shares};
use twain_rlwe::{ANSWER_BYTES, FRESH_BYTES, SLOTS, uniform_scalars};

/// Bytes of a random product and of the two differences that turn it into a wanted one.
const BYTES_PER_PRODUCT: usize = (FRESH_BYTES + ANSWER_BYTES) / SLOTS + 1 + 2 * SCALAR_BYTES;

/// One party's end.
pub struct PooledOle {
    bulk: BgvOle,
    rng: ChaCha20Rng,
    /// This party's random operands, and its shares of their products.
    operands: Shares,
    shares: Shares,
    /// How many of them, from the first on, are not yet spent.
    left: usize,
    session: [u8; 32],
}

impl PooledOle {
    /// An end whose keys come from one generator and whose random operands from another; see
    /// [`BgvOle::new`].
    pub fn new(bulk: BgvOle, rng: ChaCha20Rng) -> Self {
        let (operands, shares) = Default::default();
        Self { bulk, rng, operands, shares, left: 0, session: [0; 32] }
    }

    /// An end of this session.
    pub fn seeded(seeds: &PartySeeds, channel: &dyn Channel) -> Self {
        let (session, role) = (channel.session_id(), channel.role());
        let bulk = BgvOle::new(seeds.generator(session, role, "OLE"));
        Self::new(bulk, seeds.generator(session, role, "random products"))
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
        let missing = missing(needed, self.left);
        if missing == 0 {
            return Ok(());
        }
        let mut operands = Shares::zero(missing);
        uniform_scalars(&mut self.rng, &mut operands);
        let group = pool(missing);
        let made = self.bulk.inner_products(channel, phase, &[&operands], &group)?;
        let made: Shares = made.concat().into();
        self.operands = [&self.operands[..self.left], &operands].concat().into();
        self.shares = [&self.shares[..self.left], &made].concat().into();
        self.left += missing;
        Ok(())
    }
}

/// What the messages of a session's calls depend on beside their groups.
pub struct Supplies {
    /// No keys were exchanged so far.
    keyless: bool,
    /// Random products left.
    left: usize,
}

impl Default for Supplies {
    fn default() -> Self {
        Self { keyless: true, left: 0 }
    }
}

impl PooledOle {
    /// The frames of the next call of a session on `role`'s side.
    pub fn schedule(groups: &[OleGroup], role: Role, supplies: &mut Supplies) -> Vec<Scheduled> {
        let (count, layout) = (products_of(groups), Layout::new(groups));
        let mut bulk = |layout: &Layout| BgvOle::schedule(layout, role, &mut supplies.keyless);
        if in_bulk(count, &layout) {
            return bulk(&layout);
        }
        let missing = missing(count, supplies.left);
        let mut frames = bulk(&Layout::new(&pool(missing)));
        supplies.left = supplies.left + missing - count;
        frames.extend(exchange_schedule(count, count));
        frames
    }
}

/// How many random products are made where so many are needed and so many left.
fn missing(needed: usize, left: usize) -> usize {
    needed.saturating_sub(left).next_multiple_of(SLOTS)
}

/// What so many random products are made as.
fn pool(products: usize) -> [OleGroup; 1] {
    [OleGroup { length: products, terms: vec![(0, 0)] }]
}

/// Products of two operands.
fn products_of(groups: &[OleGroup]) -> usize {
    groups.iter().map(|group| group.length * group.terms.len()).sum()
}

/// Whether so many products are cheaper by themselves.
fn in_bulk(count: usize, layout: &Layout) -> bool {
    count * BYTES_PER_PRODUCT >= layout.bytes.iter().sum()
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
        let (count, layout) = (products_of(groups), Layout::new(groups));
        if in_bulk(count, &layout) {
            return self.bulk.with_layout(channel, phase, operands, groups, &layout);
        }
        let mut own = Shares::zero(count);
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

    /// Runs the calls on both sides, operands drawn at random; checks the products and returns the
    /// bytes the model's side sent for each.
    fn sent(calls: &[&[OleGroup]]) -> Vec<u64> {
        let (model, data) = memory_pair([3; 32]);
        let side = |mut channel: MemoryChannel| {
            let rng = |n| ChaCha20Rng::seed_from_u64(n + 10 * channel.role() as u64);
            let (mut values, bulk, own) = (rng(1), rng(2), rng(3));
            let mut source = PooledOle::new(BgvOle::new(bulk), own);
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

    #[test]
    fn small_calls_share_ciphertexts() {
        let group = |length, terms: &[(u32, u32)]| OleGroup { length, terms: terms.to_vec() };
        let small = [group(3, &[(0, 0), (1, 0), (0, 3)]), group(0, &[]), group(5, &[(2, 2)])];
        let large = [group(SLOTS, &[(0, 0), (1, 1)])];
        let some = [group(20_000, &[(0, 0)])];
        let bytes = sent(&[&small, &small, &large, &[], &some, &some, &small]);
        // The public key, one ciphertext, and what is opened; then what is opened alone.
        let opened = 32 * 14;
        assert_eq!(bytes[0], 2 * FRESH_BYTES as u64 + opened);
        assert_eq!(bytes[1], opened);
        assert_eq!(bytes[2], 2 * FRESH_BYTES as u64, "as it is");
        assert_eq!(bytes[3], 0);
        assert_eq!(bytes[4], 32 * 20_000);
        // Too few are left: another ciphertext is filled.
        assert_eq!(bytes[5], FRESH_BYTES as u64 + 32 * 20_000);
        assert_eq!(bytes[6], opened);
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
