//! Inner products of chosen operands from stored ones of random operands (protocol §21).
//!
//! Stored: `u + v = Σ a·b`, with `(a, u)` at the model's side and `(b, v)` at the data's. The
//! model's side sends `δ = x - a` for each of its operands, the data's `ε = y - b`; then
//! `Σ x·y = (u + Σ a·ε) + (v + Σ δ·y)`, whose summands are the shares. One message each way, or
//! several chunks of it.
//!
//! *Private:* `a` is uniform, unknown to the peer and used for one operand of one call of one
//! session, so `δ` is uniform whatever `x` is; the same for `ε`. An operand of several products is
//! sent once.

use super::call::Call;
use super::records::{SEED_BYTES, SharedRecords, lock};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rayon::prelude::*;
use twain_algebra::Fr;
use twain_algebra::vector;
use twain_link::channel::{Channel, Scheduled};
use twain_link::scalars::{exchange_scalars, exchange_schedule};
use twain_ole::{OleGroup, OleSource, Products, check_operands};
use twain_party::{PartyError, Role, Shares};

/// Where each operand of one party lies when all that the groups name are put one after the other.
struct Places {
    /// Start of operand `i`, and the end of the last.
    starts: Vec<usize>,
}

impl Places {
    fn new(products: &Products, role: Role) -> Self {
        let mut lengths = Vec::new();
        for group in products.groups() {
            for &(model, data) in &group.terms {
                let operand = [model, data][role as usize] as usize;
                if lengths.len() <= operand {
                    lengths.resize(operand + 1, 0);
                }
                lengths[operand] = group.length;
            }
        }
        let mut starts = vec![0; lengths.len() + 1];
        for (i, length) in lengths.into_iter().enumerate() {
            starts[i + 1] = starts[i] + length;
        }
        Self { starts }
    }

    fn total(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    fn of<'a>(&self, all: &'a [Fr], operand: usize) -> &'a [Fr] {
        &all[self.starts[operand]..self.starts[operand + 1]]
    }
}

/// The frames of a call with stored operands on `role`'s side.
pub(super) fn schedule(products: &Products, role: Role) -> impl Iterator<Item = Scheduled> {
    let total = |role| Places::new(products, role).total();
    exchange_schedule(total(role), total(role.other()))
}

/// The operands a party drew for one call when the bundle was made.
pub(super) struct RandomOperands {
    values: Shares,
    places: Places,
}

impl RandomOperands {
    /// The operands of call `number` in a bundle with this seed.
    pub(super) fn draw(
        seed: &[u8; SEED_BYTES],
        number: u64,
        products: &Products,
        role: Role,
    ) -> Self {
        let places = Places::new(products, role);
        let mut rng = ChaCha20Rng::from_seed(*seed);
        rng.set_stream(number);
        let mut values = Shares::zero(places.total());
        twain_rlwe::uniform_scalars(&mut rng, &mut values);
        Self { values, places }
    }

    /// All operands, in order; one that no group names is empty.
    pub(super) fn all(&self) -> Vec<&[Fr]> {
        (0..self.places.count()).map(|i| self.places.of(&self.values, i)).collect()
    }
}

/// Makes shares of products from a bundle.
pub struct StoredOle {
    records: SharedRecords,
}

impl StoredOle {
    pub(super) fn new(records: SharedRecords) -> Self {
        Self { records }
    }
}

impl OleSource for StoredOle {
    fn skip(&mut self, products: &Products) -> Result<(), PartyError> {
        let mut records = lock(&self.records)?;
        records.begin(&Call::Products(products.clone()))?;
        products.groups().try_for_each(|group| records.scalars(group.length).map(drop))
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
        let mut records = lock(&self.records)?;
        let (seed, number) = records.begin(&Call::Products(products.clone()))?;
        let lengths = products.groups().map(|group| group.length);
        let shares =
            lengths.map(|length| records.scalars(length)).collect::<Result<Vec<_>, _>>()?;
        drop(records);
        let random = RandomOperands::draw(&seed, number, products, role);
        let masked = masked(operands, &random);
        let places = Places::new(products, role.other());
        let theirs = exchange_scalars(channel, phase, &masked, places.total())?;
        let own: Vec<&[Fr]> = match role {
            Role::Model => random.all(),
            Role::Data => operands.to_vec(),
        };
        let finish = |(mut share, group): (Shares, &OleGroup)| {
            for &(model, data) in &group.terms {
                let pair = [model as usize, data as usize];
                let mut products = Shares::new(own[pair[role as usize]].to_vec());
                vector::mul_assign(&mut products, places.of(&theirs, pair[role.other() as usize]));
                vector::add_assign(&mut share, &products);
            }
            share.into_vec()
        };
        let groups: Vec<&OleGroup> = products.groups().collect();
        Ok(shares.into_par_iter().zip(groups).map(finish).collect())
    }
}

/// What is opened: each operand minus the random one in its place.
fn masked(operands: &[&[Fr]], random: &RandomOperands) -> Vec<Fr> {
    let mut all = Vec::with_capacity(random.places.total());
    for (operand, mask) in operands.iter().zip(random.all()) {
        if !mask.is_empty() {
            let start = all.len();
            all.extend_from_slice(operand);
            vector::sub_assign(&mut all[start..], mask);
        }
    }
    all
}
