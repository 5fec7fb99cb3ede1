//! Few products at a time, from random ones made in bulk (protocol §2).
//!
//! A ciphertext has `N` slots, so a call with few products would send mostly empty ones.
//! [`PooledOle`] makes full ciphertexts of random products `u + v = a·b` instead, with `(a, u)` at
//! the model's side and `(b, v)` at the data's, and spends one of them on each product `x·y` of
//! such a call: the model's side sends `x - a`, the data's `y - b`, and
//! `x·y = (u + a·(y - b)) + (v + (x - a)·y)`. Calls with many products go to [`BgvOle`] as they
//! are. Which way is cheaper follows from what is multiplied alone, for products at points and
//! others apart. If the calls to come are known, random products are made for many of them at once:
//! about encryptions that travel together one proof is made. The data's side encrypts them.
//! Products at points come from a pool of their own, of which each ciphertext has its own key.
//!
//! *Private:* `a` and `b` are uniform, unknown to the peer and used once, so what is opened is
//! uniform.

use super::bgv::BgvOle;
use super::packing::{Layout, proof_bytes};
use super::steps::schedule;
use super::together::Together;
use super::{OleGroup, OleSource, Products, check_operands};
use rand_chacha::ChaCha20Rng;
use twain_algebra::{Fr, vector};
use twain_link::channel::{Channel, Scheduled};
use twain_link::scalars::{SCALAR_BYTES, exchange_scalars, exchange_schedule};
use twain_party::{PartyError, PartySeeds, Role, Shares};
use twain_rlwe::bounds::MAX_BATCH;
use twain_rlwe::{ANSWER_BYTES, FRESH_BYTES, SLOTS, uniform_scalars};

/// Most random products made ahead at a time.
const AHEAD: usize = 64 * SLOTS;

/// Bytes of a ciphertext of random products that is under a key with others.
const SHARED_KEY: usize = FRESH_BYTES + ANSWER_BYTES + proof_bytes(0) / MAX_BATCH;

/// Bytes of one with its own key.
const OWN_KEY: usize = SHARED_KEY + FRESH_BYTES + (proof_bytes(1) - proof_bytes(0));

/// Products at points, or others: the places of their pools.
const POINTS: usize = 0;
const OTHERS: usize = 1;

/// Bytes of a random product of either kind and of the two differences that turn it into a wanted
/// one.
const BYTES_PER_PRODUCT: [usize; 2] =
    [OWN_KEY / SLOTS + 1 + 2 * SCALAR_BYTES, SHARED_KEY / SLOTS + 1 + 2 * SCALAR_BYTES];

/// Fewest bytes of any call that is made as it is.
const LEAST: usize = FRESH_BYTES + proof_bytes(1) + FRESH_BYTES + ANSWER_BYTES;

/// Random products of one kind.
#[derive(Default)]
struct Pool {
    /// This party's random operands, and its shares of their products.
    operands: Shares,
    shares: Shares,
    /// How many of them, from the first on, are not yet spent.
    left: usize,
    /// Products of the calls to come, of those that are known, that will be made of random ones.
    planned: usize,
}

/// One party's end.
pub struct PooledOle {
    bulk: BgvOle,
    rng: ChaCha20Rng,
    pools: [Pool; 2],
    session: [u8; 32],
}

impl PooledOle {
    /// An end whose keys come from one generator and whose random operands from another; see
    /// [`BgvOle::new`].
    pub fn new(bulk: BgvOle, rng: ChaCha20Rng) -> Self {
        Self { bulk, rng, pools: Default::default(), session: [0; 32] }
    }

    /// An end of this session.
    pub fn seeded(seeds: &PartySeeds, channel: &dyn Channel) -> Self {
        let (session, role) = (channel.session_id(), channel.role());
        let bulk = BgvOle::new(seeds.generator(session, role, "OLE"));
        Self::new(bulk, seeds.generator(session, role, "random products"))
    }

    /// The same, for these calls: what they need of random products is made ahead.
    pub fn planned<'g>(mut self, calls: impl Iterator<Item = &'g Products>) -> Self {
        for products in calls {
            let way = Way::of(products);
            for (pool, count) in self.pools.iter_mut().zip(way.pooled) {
                pool.planned += count;
            }
        }
        self
    }

    /// What of a call's operands at points the peer can combine.
    pub fn together(products: &Products) -> Vec<Together> {
        let way = Way::of(products);
        if way.pooled[POINTS] > 0 {
            return Together::apart(products.points.iter());
        }
        let groups: Vec<&OleGroup> = way.bulk.groups().collect();
        way.layout.map_or_else(Vec::new, |layout| Together::of_layout(&layout, &groups))
    }

    /// Spends random products on `own[i]` times the peer's operand in its place, so many of each
    /// kind.
    fn spend(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        own: &[Fr],
        counts: [usize; 2],
    ) -> Result<Shares, PartyError> {
        let session = channel.session_id();
        if self.session != session {
            // What was made in one session is not used in another.
            self.pools.iter_mut().for_each(|pool| pool.left = 0);
            self.session = session;
        }
        self.refill(channel, phase, counts)?;
        let (mut random, mut shares) = (Shares::zero(own.len()), Shares::zero(own.len()));
        let mut first = 0;
        for (pool, count) in self.pools.iter_mut().zip(counts) {
            let spent = pool.left - count..pool.left;
            // Whatever happens, they are not used again.
            pool.left = spent.start;
            random[first..][..count].copy_from_slice(&pool.operands[spent.clone()]);
            shares[first..][..count].copy_from_slice(&pool.shares[spent]);
            first += count;
        }
        let mut masked = own.to_vec();
        vector::sub_assign(&mut masked, &random);
        let mut theirs = exchange_scalars(channel, phase, &masked, own.len())?;
        match channel.role() {
            Role::Model => vector::mul_assign(&mut theirs, &random),
            Role::Data => vector::mul_assign(&mut theirs, own),
        }
        vector::add_assign(&mut theirs, &shares);
        Ok(theirs.into())
    }

    /// Makes what is missing of so many random products of each kind.
    fn refill(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        needed: [usize; 2],
    ) -> Result<(), PartyError> {
        let Self { bulk, rng, pools, .. } = self;
        let missing =
            missing(needed, each(|kind| pools[kind].left), each(|kind| pools[kind].planned));
        for (pool, needed) in pools.iter_mut().zip(needed) {
            pool.planned = pool.planned.saturating_sub(needed);
        }
        if missing == [0; 2] {
            return Ok(());
        }
        let operands = missing.map(|count| {
            let mut operand = Shares::zero(count);
            uniform_scalars(rng, &mut operand);
            operand
        });
        let (products, layout) = random_products(missing);
        let slices = operands.each_ref().map(|operand| &operand[..]);
        let made = bulk.with_layout(channel, phase, &slices, &products, &layout)?;
        let made = made.into_iter().map(Shares::new);
        for ((pool, operand), made) in pools.iter_mut().zip(&operands).zip(made) {
            pool.operands = [&pool.operands[..pool.left], operand].concat().into();
            pool.shares = [&pool.shares[..pool.left], &made].concat().into();
            pool.left += made.len();
        }
        Ok(())
    }
}

impl PooledOle {
    /// The frames of the first calls of a session, one after the other, on `role`'s side, if all of
    /// its calls are known.
    pub fn schedule<'g>(
        calls: impl Iterator<Item = &'g Products>,
        first: usize,
        role: Role,
    ) -> Vec<Scheduled> {
        let ways: Vec<Way> = calls.map(Way::of).collect();
        let mut planned = each(|kind| ways.iter().map(|way| way.pooled[kind]).sum());
        let (mut left, mut frames) = ([0; 2], Vec::new());
        for way in ways.into_iter().take(first) {
            if let Some(layout) = way.layout {
                frames.extend(schedule(&layout, role));
            }
            if way.pooled == [0; 2] {
                continue;
            }
            let missing = missing(way.pooled, left, planned);
            planned = each(|kind| planned[kind] - way.pooled[kind]);
            left = each(|kind| left[kind] + missing[kind] - way.pooled[kind]);
            frames.extend(schedule(&random_products(missing).1, role));
            let count = way.pooled.iter().sum();
            frames.extend(exchange_schedule(count, count));
        }
        frames
    }
}

/// What belongs to each kind.
fn each<T>(of: impl Fn(usize) -> T) -> [T; 2] {
    [POINTS, OTHERS].map(of)
}

/// How many random products of each kind are made where so many are needed, so many left, and so
/// many planned. If any are made, so are those that are planned of the other kind: one proof is
/// about all.
fn missing(needed: [usize; 2], left: [usize; 2], planned: [usize; 2]) -> [usize; 2] {
    if each(|kind| needed[kind] <= left[kind]) == [true; 2] {
        return [0; 2];
    }
    each(|kind| {
        let ahead = planned[kind].saturating_sub(left[kind]).min(AHEAD);
        ahead.max(needed[kind].saturating_sub(left[kind])).next_multiple_of(SLOTS)
    })
}

/// What so many random products of each kind are made as.
fn random_products(counts: [usize; 2]) -> (Products, Layout) {
    let group =
        |kind: usize| OleGroup { length: counts[kind], terms: vec![(kind as u32, kind as u32)] };
    let [points, others] = each(|kind| vec![group(kind)]);
    let products = Products { points, others };
    let layout = Layout::encrypted_by(&products, Role::Data);
    (products, layout)
}

/// Products of two operands.
fn count(groups: &[OleGroup]) -> usize {
    groups.iter().map(|group| group.length * group.terms.len()).sum()
}

/// How a call's products are made.
struct Way {
    /// What is made as it is, laid out so.
    bulk: Products,
    layout: Option<Layout>,
    /// How many random products of each kind the rest takes.
    pooled: [usize; 2],
}

impl Way {
    /// The cheapest way.
    fn of(products: &Products) -> Self {
        let kinds = [&products.points, &products.others];
        // What costs less by random products than anything by itself.
        let is_small = each(|kind| count(kinds[kind]) * BYTES_PER_PRODUCT[kind] < LEAST);
        let choices = [[false, false], [false, true], [true, false], [true, true]];
        let sensible = choices.into_iter().filter(|pools: &[bool; 2]| {
            // Nothing is pooled that is not there, and what is small is.
            let fits = |kind: usize| match count(kinds[kind]) {
                0 => !pools[kind],
                _ => pools[kind] || !is_small[kind],
            };
            fits(POINTS) && fits(OTHERS)
        });
        let ways = sensible.map(|pools| {
            let pick = |kind: usize| if pools[kind] { Vec::new() } else { kinds[kind].clone() };
            let bulk = Products { points: pick(POINTS), others: pick(OTHERS) };
            let pooled = each(|kind| if pools[kind] { count(kinds[kind]) } else { 0 });
            let has_some = bulk.groups().any(|group| group.length * group.terms.len() > 0);
            let layout = has_some.then(|| Layout::new(&bulk));
            let of_pools: usize = pooled.iter().zip(BYTES_PER_PRODUCT).map(|(n, b)| n * b).sum();
            let bytes = of_pools + layout.as_ref().map_or(0, Layout::total_bytes);
            (bytes, Self { bulk, layout, pooled })
        });
        let best = ways.min_by_key(|(bytes, _)| *bytes);
        best.map_or_else(
            || Self { bulk: Products::default(), layout: None, pooled: [0; 2] },
            |w| w.1,
        )
    }
}

impl OleSource for PooledOle {
    fn skip(&mut self, products: &Products) -> Result<(), PartyError> {
        for (pool, count) in self.pools.iter_mut().zip(Way::of(products).pooled) {
            pool.planned = pool.planned.saturating_sub(count);
        }
        Ok(())
    }

    fn inner_products(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        self.inner_products_of(channel, phase, operands, &groups.to_vec().into())
    }

    fn inner_products_of(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        products: &Products,
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let role = channel.role();
        check_operands(role, operands, products.groups())?;
        let way = Way::of(products);
        let made = match &way.layout {
            Some(layout) => self.bulk.with_layout(channel, phase, operands, &way.bulk, layout)?,
            None => way.bulk.groups().map(|group| vec![Fr::default(); group.length]).collect(),
        };
        if way.pooled == [0; 2] {
            return Ok(made);
        }
        let (made_points, made_others) = made.split_at(way.bulk.points.len());
        let mut sums = [made_points.to_vec(), made_others.to_vec()];
        let kinds = [&products.points, &products.others];
        let of_pools = || (0..2).filter(|kind| way.pooled[*kind] > 0).flat_map(|kind| kinds[kind]);
        let mut own = Shares::zero(way.pooled.iter().sum());
        let terms = of_pools().flat_map(|group| &group.terms);
        let own_of = |&(model, data): &(u32, u32)| operands[[model, data][role as usize] as usize];
        let values = terms.flat_map(own_of);
        own.iter_mut().zip(values).for_each(|(place, value)| *place = *value);
        let made = self.spend(channel, phase, &own, way.pooled)?;
        let mut rest = &made[..];
        for (kind, sums) in sums.iter_mut().enumerate().filter(|(kind, _)| way.pooled[*kind] > 0) {
            for group in kinds[kind] {
                let mut sum = vec![Fr::default(); group.length];
                for _ in &group.terms {
                    let (term, after) = rest.split_at(group.length);
                    vector::add_assign(&mut sum, term);
                    rest = after;
                }
                sums.push(sum);
            }
        }
        Ok(sums.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;
    use twain_link::channel::{MemoryChannel, Recorder, Traffic, memory_pair};
    use twain_link::scalars::decode_scalars;
    use twain_rlwe::proof::CHALLENGE_BYTES;

    /// Runs the calls on both sides, which know them beforehand or not, operands drawn at random;
    /// checks the products, and the schedule if they do, and returns the bytes the model's side
    /// sent for each.
    fn sent(calls: &[&[OleGroup]], known: bool) -> Vec<u64> {
        let plan: Vec<Products> = calls.iter().map(|groups| groups.to_vec().into()).collect();
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

    /// What the model's side sends to have a full ciphertext of random products made: the short
    /// messages of the proof's evaluator, and the answer.
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
        // As it is: four blocks, which the data's side encrypts.
        assert_eq!(bytes[2], (4 * ANSWER_BYTES + 2 * CHALLENGE_BYTES) as u64);
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
        let of = |needed, left, planned| missing([0, needed], [7, left], [0, planned]);
        assert_eq!(of(5, 5, 0), [0, 0]);
        assert_eq!(of(5, 4, 0), [0, SLOTS]);
        assert_eq!(of(5, 4, SLOTS + 4), [0, SLOTS]);
        assert_eq!(of(5, 4, SLOTS + 5), [0, 2 * SLOTS]);
        assert_eq!(of(5, 4, 10 * AHEAD), [0, AHEAD]);
        assert_eq!(of(AHEAD + 1, 0, 10 * AHEAD), [0, AHEAD + SLOTS]);
        // The other kind with them, if it is planned.
        assert_eq!(missing([0, 5], [7, 4], [9, 0]), [SLOTS, SLOTS]);
        assert_eq!(missing([0, 5], [7, 5], [9, 9]), [0, 0]);
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

    /// For one secret and mask the peer sees what it sees for any other secret and the mask moved
    /// along, which is as likely; no mask serves twice.
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
