//! The plan of a circuit: the calls one proof makes to its sources of correlations, and what it
//! sends beside them. It follows from the circuit and the keys, never from values, so one side
//! finds it out alone ([`rehearse`](crate::rehearse)).

use super::call::Call;
use super::ole;
use crate::wires::MaskPair;
use sha2::{Digest, Sha256};
use twain_link::channel::Traffic;
use twain_masks::{Demand, PlannedMaterial};
use twain_ole::{OleGroup, PooledOle, Products};
use twain_party::{Phase, Role};

/// The calls of one proof, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    calls: Vec<Call>,
    /// What the model's side sends and receives beside the calls.
    openings: Traffic,
    /// Where each of the prover's phases ends, in their order.
    phases: Vec<(Phase, Mark)>,
}

/// Where a proof takes its correlations from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// They are made while it runs.
    Inline,
    /// From a bundle.
    Bundle,
}

impl Plan {
    /// A plan of these calls.
    pub fn new(calls: Vec<Call>) -> Self {
        Self { calls, ..Self::default() }
    }

    /// Notes the next call.
    pub(crate) fn push(&mut self, call: Call) {
        self.calls.push(call);
    }

    /// Notes that a phase begins, and that the one before it ends, when so much has been sent and
    /// received beside the calls.
    pub(crate) fn enter(&mut self, phase: Phase, openings: Traffic) {
        self.end(openings);
        self.phases.push((phase, Mark { calls: self.calls.len(), openings }));
    }

    /// Notes that the phase that runs ends.
    pub(crate) fn end(&mut self, openings: Traffic) {
        self.openings = openings;
        if let Some((_, end)) = self.phases.last_mut() {
            *end = Mark { calls: self.calls.len(), openings };
        }
    }

    /// The prover's phases in their order, and where each ends. One may come more than once.
    pub fn phases(&self) -> &[(Phase, Mark)] {
        &self.phases
    }

    /// What `role`'s side of a proof sends and receives, and its rounds; frames' heads, the
    /// handshake and the farewell are not in it.
    pub fn traffic(&self, role: Role, origin: Origin) -> Traffic {
        let end = Mark { calls: self.calls.len(), openings: self.openings };
        self.traffic_until(&end, role, origin)
    }

    /// The same from the start of the proof until a mark.
    pub fn traffic_until(&self, mark: &Mark, role: Role, origin: Origin) -> Traffic {
        let Traffic { sent, received, rounds } = mark.openings;
        let mut total = match role {
            Role::Model => mark.openings,
            Role::Data => Traffic { sent: received, received: sent, rounds },
        };
        let calls = &self.calls[..mark.calls.min(self.calls.len())];
        let products = calls.iter().filter_map(Call::products);
        total += match origin {
            Origin::Inline => self.making_of(calls, role),
            Origin::Bundle => products.flat_map(|products| ole::schedule(products, role)).collect(),
        };
        total
    }

    /// The same of making what the calls ask for.
    pub fn making(&self, role: Role) -> Traffic {
        self.making_of(&self.calls, role)
    }

    /// The same for the first of them.
    fn making_of(&self, calls: &[Call], role: Role) -> Traffic {
        let first = self.products_of(calls).len();
        let products = PooledOle::schedule(self.products_of_calls().iter(), first, role);
        let asked = calls.iter().filter_map(Call::demand).filter(|demand| !demand.is_nothing());
        let material = PlannedMaterial::schedule(self.demands(), asked.count(), role);
        products.into_iter().chain(material).collect()
    }

    /// The demands of digit masks and bits, in order.
    pub fn demands(&self) -> impl Iterator<Item = &Demand> {
        self.calls.iter().filter_map(Call::demand)
    }

    /// The calls for products of masks of wires, in order.
    pub fn mask_pairs(&self) -> impl Iterator<Item = &Vec<MaskPair>> {
        self.calls.iter().filter_map(Call::mask_pairs)
    }

    /// What is multiplied, call by call.
    pub fn products_of_calls(&self) -> Vec<Products> {
        self.products_of(&self.calls)
    }

    /// The same of the first calls. All products of masks are made at the first call for some.
    fn products_of(&self, calls: &[Call]) -> Vec<Products> {
        let mut of_masks = Some(MaskPair::groups(self.mask_pairs().flatten()));
        let of_call = |call: &Call| match call {
            Call::Products(products) => Some(products.clone()),
            Call::MaskProducts(_) => {
                of_masks.take().filter(|groups| !groups.is_empty()).map(Products::from)
            }
            Call::Material(_) => None,
        };
        calls.iter().filter_map(of_call).collect()
    }

    /// The calls, in order.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Tells plans apart.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"twain plan v1");
        self.calls.iter().for_each(|call| hash.update(call.digest()));
        hash.finalize().into()
    }

    /// Products of one operand of each side, over all calls.
    pub fn products(&self) -> usize {
        let of_group = |group: &OleGroup| group.length * group.terms.len();
        let of_masks = MaskPair::groups(self.mask_pairs().flatten());
        let calls = self.calls.iter().filter_map(Call::products);
        let groups = calls.flat_map(Products::groups).chain(&of_masks);
        groups.map(of_group).sum()
    }

    /// Digit masks, over all calls.
    pub fn masks(&self) -> usize {
        self.demands().flat_map(|demand| demand.masks).sum()
    }
}

/// A place in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    calls: usize,
    openings: Traffic,
}
