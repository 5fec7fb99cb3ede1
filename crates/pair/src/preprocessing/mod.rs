//! Everything a proof needs from the peer that does not depend on inputs or parameters, made ahead
//! of time (protocol §21). Input of making: a [`Plan`], the calls that one proof makes to its
//! sources of correlations, [`OleSource`], [`DigitMaskSource`] and [`MaskProducts`]. Output: one
//! party's half of a bundle, a stream of bytes for the store. Input of proving: that stream;
//! output: the sources again, [`StoredOle`], [`StoredMaterial`] and [`StoredMaskProducts`].
//!
//! For a call of inner products a party draws its operands `a` (the model's side) or `b` (the
//! data's) at random from the bundle's seed and keeps its shares of `Σ a·b`. Online each sends the
//! difference of its operand and the stored one, and the rest is local (`ole`). Digit masks and
//! bits are random anyway and are kept as they are (`material`); so are masks of wires, which
//! follow from the seed, and their products (`mask_products`).
//!
//! A bundle: a seed of 32 bytes; then, call by call, the digest of the call and what it gave. A
//! call with another digest ends the session: what is stored is used for what it was made for, or
//! not at all. What hangs on a session's identifier hangs on the bundle's.

mod call;
mod mask_products;
mod material;
mod ole;
mod plan;
mod records;
#[cfg(test)]
mod tests;

pub use call::Call;
pub use mask_products::StoredMaskProducts;
pub use material::StoredMaterial;
pub use ole::StoredOle;
pub use plan::{Mark, Origin, Plan};

use crate::wires::{InlineMaskProducts, MaskProducts, MaskSeed};
use rand_core::RngCore;
use records::{Records, SEED_BYTES};
use std::io::Read;
use std::sync::{Arc, Mutex};
use twain_link::channel::{Channel, ChannelError, TrafficMeter};
use twain_masks::{DigitMaskSource, PlannedMaterial};
use twain_ole::{OleSource, PooledOle};
use twain_party::{PartyError, PartySeeds, Role, Shares};
use twain_store::StoreError;
use zeroize::Zeroizing;

/// Makes this party's half of the bundle `id` together with the peer, which does the same, and
/// hands it to `write` piece by piece. Private: uniform to the peer, who learns nothing but the
/// plan.
pub fn make(
    channel: &mut dyn Channel,
    id: [u8; 32],
    plan: &Plan,
    seeds: &PartySeeds,
    write: &mut dyn FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(), PartyError> {
    let mut channel = OfBundle { channel, id };
    let role = channel.role();
    let generator = |purpose| seeds.generator(id, role, purpose);
    let mut seed = Zeroizing::new([0; SEED_BYTES]);
    generator("preprocessing").fill_bytes(&mut *seed);
    let mut write = |bytes: &[u8]| write(bytes).map_err(records::failed);
    write(&*seed)?;
    let products = PooledOle::seeded(seeds, &channel);
    let mut products = products.planned(plan.products_of_calls().iter());
    let rng = generator("digit masks");
    let mask_seed = MaskSeed::of_bundle(&seed);
    let mut of_wires = InlineMaskProducts::planned(mask_seed, plan.mask_pairs().cloned());
    let mut masks = PlannedMaterial::new(rng, plan.demands().cloned());
    for (number, call) in (0..).zip(plan.calls()) {
        write(&call.digest())?;
        match call {
            Call::Products(wanted) => {
                let operands = ole::RandomOperands::draw(&seed, number, wanted, role);
                let made = products.inner_products_of(
                    &mut channel,
                    "products",
                    &operands.all(),
                    wanted,
                )?;
                for shares in made.into_iter().map(Shares::new) {
                    write(&records::scalars_to_bytes(&shares))?;
                }
            }
            Call::MaskProducts(pairs) => {
                let made = of_wires.products(&mut channel, &mut products, pairs)?;
                write(&records::scalars_to_bytes(&made))?;
            }
            Call::Material(demand) => {
                let made = masks.supply(&mut channel, demand)?;
                write(&material::encode(&made))?;
            }
        }
    }
    Ok(())
}

/// The three sources of a proof, from the bundle `id`: what [`make`] wrote. They read it as the
/// proof goes on.
pub fn stored(
    id: [u8; 32],
    bundle: impl Read + Send + 'static,
) -> Result<(StoredOle, StoredMaterial, StoredMaskProducts), PartyError> {
    let records = Arc::new(Mutex::new(Records::open(Box::new(bundle))?));
    let of_wires = StoredMaskProducts::new(records.clone())?;
    Ok((StoredOle::new(records.clone()), StoredMaterial::new(records, id), of_wires))
}

/// The link, with the bundle's identifier in place of the session's: two bundles of one session
/// share no derivation, and a later session can repeat this one's.
struct OfBundle<'a> {
    channel: &'a mut dyn Channel,
    id: [u8; 32],
}

impl Channel for OfBundle<'_> {
    fn role(&self) -> Role {
        self.channel.role()
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.channel.send(phase, frame)
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        self.channel.receive(phase, length)
    }

    fn note_due(&mut self, length: usize) {
        self.channel.note_due(length);
    }

    fn session_id(&self) -> [u8; 32] {
        self.id
    }

    fn meter(&self) -> &TrafficMeter {
        self.channel.meter()
    }
}
