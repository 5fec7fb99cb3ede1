//! The plan of a circuit, which one side finds out alone: a proof by a [`TwoParty`] whose link
//! sends back what it is sent and whose sources only note what they are asked for. The calls and
//! the lengths follow from the circuit and the keys; what is computed meanwhile has no meaning.

use crate::preprocessing::{Call, Plan};
use crate::two_party::TwoParty;
use crate::wires::{MaskPair, MaskProducts, Masking};
use ff::Field;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use twain_algebra::Fr;
use twain_link::channel::{Channel, ChannelError, TrafficMeter, TrafficTotals};
use twain_masks::{Demand, DigitMaskSource, Material};
use twain_ole::{OleGroup, OleSource, Products};
use twain_party::{PartyError, PartySeeds, Phase, Role, Seed, Shares, Watch, Watched};

/// The plan of `proof`, which runs the witness program and the prover on zeros over the party it is
/// given. `watched` can end it, and hears of no phase.
///
/// # Errors
/// Those of `proof`.
pub fn rehearse<E: From<PartyError>>(
    watched: &Watched,
    proof: impl FnOnce(&mut TwoParty) -> Result<(), E>,
) -> Result<Plan, E> {
    let mut echo = Echo::default();
    let notes =
        Notes { plan: Arc::default(), openings: echo.meter.totals(), watched: watched.clone() };
    let [products, material] = [(); 2].map(|()| Box::new(notes.clone()));
    // Nothing of a rehearsal is kept or sent: its randomness may be known.
    let seeds = PartySeeds { blinding: Seed([0; 32]), protocol: Seed([0; 32]) };
    let party = TwoParty::new(&mut echo, products, material, &seeds)?;
    let party = party.with_mask_products(Box::new(notes.clone()));
    proof(&mut party.watched_by(Watched::by(Arc::new(notes.clone()))).rehearsing())?;
    let mut plan = notes.plan();
    plan.end(notes.openings.read());
    Ok(std::mem::take(&mut *plan))
}

/// What is noted by the sources and the watcher of a rehearsal.
#[derive(Clone)]
struct Notes {
    plan: Arc<Mutex<Plan>>,
    /// What has gone over the link.
    openings: TrafficTotals,
    /// Who may end it.
    watched: Watched,
}

impl Notes {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Notes {
    fn enter(&self, phase: Phase) {
        self.plan().enter(phase, self.openings.read());
    }

    fn cancelled(&self) -> bool {
        self.watched.check().is_err()
    }
}

impl OleSource for Notes {
    fn inner_products(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        self.inner_products_of(channel, phase, operands, &groups.to_vec().into())
    }

    /// Ones, so that nothing that is inverted is 0.
    fn inner_products_of(
        &mut self,
        _: &mut dyn Channel,
        _: &'static str,
        _: &[&[Fr]],
        products: &Products,
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        self.plan().push(Call::Products(products.clone()));
        Ok(products.groups().map(|group| vec![Fr::ONE; group.length]).collect())
    }
}

impl MaskProducts for Notes {
    fn mask(&self, _: Masking) -> Fr {
        Fr::ZERO
    }

    /// Ones, so that nothing that is inverted is 0.
    fn products(
        &mut self,
        _: &mut dyn Channel,
        _: &mut dyn OleSource,
        pairs: &[MaskPair],
    ) -> Result<Shares, PartyError> {
        self.plan().push(Call::MaskProducts(pairs.to_vec()));
        Ok(Shares::new(vec![Fr::ONE; pairs.len()]))
    }
}

impl DigitMaskSource for Notes {
    /// As much as is demanded, but outlines and zeros.
    fn supply(&mut self, _: &mut dyn Channel, demand: &Demand) -> Result<Material, PartyError> {
        self.plan().push(Call::Material(demand.clone()));
        Ok(Material::outline(demand))
    }
}

/// A link to nobody: what is sent in a step is what is received in it.
#[derive(Default)]
struct Echo {
    /// On its way back.
    sent: Vec<(&'static str, Vec<u8>)>,
    meter: TrafficMeter,
}

impl Channel for Echo {
    fn role(&self) -> Role {
        Role::Model
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.meter.sent(phase, frame.len());
        self.sent.push((phase, frame));
        Ok(())
    }

    /// Zeros where this side sent nothing.
    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        self.meter.received(phase, length);
        let fits = |(of, frame): &(&str, Vec<u8>)| *of == phase && frame.len() == length;
        let place = self.sent.iter().position(fits);
        Ok(place.map_or_else(|| vec![0; length], |place| self.sent.remove(place).1))
    }

    fn session_id(&self) -> [u8; 32] {
        [0; 32]
    }

    fn meter(&self) -> &TrafficMeter {
        &self.meter
    }
}
