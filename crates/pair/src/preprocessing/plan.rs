//! The plan of a circuit: the calls one proof makes to its sources of correlations, and what it sends
//! beside them. It follows from the circuit and the keys, never from values, so one side finds it out
//! alone: [`Planner`] is a party whose peer says nothing (all it receives is zeros), whose link only
//! counts and whose sources note what they are asked for. What it computes has no meaning, so most of
//! the work is left out.

use super::call::Call;
use super::ole;
use crate::arithmetic;
use crate::factors::{Conversion, Inversion, to_additive};
use crate::hints::Hints;
use crate::messages::{COIN_BYTES, DIGEST_BYTES};
use crate::quotient::{self, Begun};
use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sha2::{Digest, Sha256};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use twain_algebra::{Fr, G1Affine};
use twain_link::channel::{Channel, ChannelError, Overlap, Traffic, TrafficMeter, TrafficTotals};
use twain_link::scalars::SCALAR_BYTES;
use twain_masks::{Demand, DigitMaskSource, Material, PlannedMaterial};
use twain_ole::{OleGroup, OleSource, PooledOle, Supplies};
use twain_party::{
    BlindingItem, Factors, HintBatch, Kind, KnownPolynomial, LookupArgument, Multiplicities,
    Numerator, Opening, Operand, PartyError, Phase, ProverParty, Role, SecretPolynomial, Shares,
    Watch, Watched, WitnessParty,
};

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

    /// The prover's phases in their order, and where each ends. One may come more than once.
    pub fn phases(&self) -> &[(Phase, Mark)] {
        &self.phases
    }

    /// What `role`'s side of a proof sends and receives, and its rounds; frames' heads, the handshake
    /// and the farewell are not in it.
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
        total += match origin {
            Origin::Inline => self.making_until(mark.calls, role),
            Origin::Bundle => {
                let mut meter = TrafficMeter::default();
                for call in self.calls.iter().take(mark.calls) {
                    if let Call::Products(groups) = call {
                        ole::count_messages(groups, role, &mut meter);
                    }
                }
                meter.total()
            }
        };
        total
    }

    /// The same of making what the calls ask for.
    pub fn making(&self, role: Role) -> Traffic {
        self.making_until(self.calls.len(), role)
    }

    /// The same for the first `calls` of them.
    fn making_until(&self, calls: usize, role: Role) -> Traffic {
        let mut meter = TrafficMeter::default();
        let (mut supplies, mut asked) = (Supplies::default(), 0);
        for call in self.calls.iter().take(calls) {
            match call {
                Call::Products(groups) => {
                    PooledOle::count_messages(groups, role, &mut supplies, &mut meter);
                }
                Call::Material(_) => asked += 1,
            }
        }
        PlannedMaterial::count_messages(self.demands().cloned(), asked, role, &mut meter);
        meter.total()
    }

    /// The demands of digit masks and bits, in order.
    pub fn demands(&self) -> impl Iterator<Item = &Demand> {
        self.calls.iter().filter_map(|call| match call {
            Call::Products(_) => None,
            Call::Material(demand) => Some(demand),
        })
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
        let calls = self.calls.iter();
        calls
            .map(|call| match call {
                Call::Products(groups) => groups.iter().map(of_group).sum(),
                Call::Material(_) => 0,
            })
            .sum()
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

#[derive(Default)]
struct Phases {
    running: Option<Phase>,
    ended: Vec<(Phase, Mark)>,
}

/// Notes where phases end.
struct PhaseEnds {
    calls: Calls,
    openings: TrafficTotals,
    phases: Mutex<Phases>,
}

impl PhaseEnds {
    /// The phase that runs has ended; `next` begins.
    fn end(&self, next: Option<Phase>) {
        let calls = self.calls.lock().map_or(0, |calls| calls.len());
        let mark = Mark { calls, openings: self.openings.read() };
        if let Ok(mut phases) = self.phases.lock() {
            let ended = std::mem::replace(&mut phases.running, next);
            phases.ended.extend(ended.map(|ended| (ended, mark)));
        }
    }
}

impl Watch for PhaseEnds {
    fn enter(&self, phase: Phase) {
        self.end(Some(phase));
    }
}

/// A compressed point.
const POINT_BYTES: usize = 32;
/// What is sent beside the calls.
const OPENINGS: &str = "openings";

type Calls = Arc<Mutex<Vec<Call>>>;

fn note(calls: &Calls, call: Call) -> Result<(), PartyError> {
    let lost = |_| PartyError::Bug("a step of planning was lost");
    calls.lock().map_err(lost)?.push(call);
    Ok(())
}

/// Notes the calls; gives ones, so that nothing that is inverted is 0.
struct NotedProducts {
    calls: Calls,
}

impl OleSource for NotedProducts {
    fn inner_products(
        &mut self,
        _: &mut dyn Channel,
        _: &'static str,
        _: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        note(&self.calls, Call::Products(groups.to_vec()))?;
        Ok(groups.iter().map(|group| vec![Fr::ONE; group.length]).collect())
    }
}

/// Notes the demands; gives as much as demanded, but outlines and zeros.
struct NotedMaterial {
    calls: Calls,
}

impl DigitMaskSource for NotedMaterial {
    fn supply(&mut self, _: &mut dyn Channel, demand: &Demand) -> Result<Material, PartyError> {
        note(&self.calls, Call::Material(demand.clone()))?;
        Ok(Material::outline(demand))
    }
}

/// A link to nobody, which counts what goes over it.
#[derive(Default)]
struct Silence {
    meter: TrafficMeter,
}

impl Channel for Silence {
    fn role(&self) -> Role {
        Role::Model
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.meter.sent(phase, frame.len());
        Ok(())
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        self.meter.received(phase, length);
        Ok(vec![0; length])
    }

    fn session_id(&self) -> [u8; 32] {
        [0; 32]
    }

    fn meter(&self) -> &TrafficMeter {
        &self.meter
    }
}

/// A party that only finds out what a proof asks of its sources. Run the witness program and the
/// prover over it, on zeros, then take [`Planner::finish`].
pub struct Planner {
    calls: Calls,
    channel: Overlap<Silence>,
    source: NotedProducts,
    hints: Hints,
    rng: ChaCha20Rng,
    ends: Arc<PhaseEnds>,
}

impl Default for Planner {
    fn default() -> Self {
        let calls = Calls::default();
        let rng = |number| ChaCha20Rng::seed_from_u64(number);
        let material = NotedMaterial { calls: calls.clone() };
        let channel = Overlap::new(Silence::default());
        let ends = PhaseEnds {
            calls: calls.clone(),
            openings: channel.meter().totals(),
            phases: Mutex::default(),
        };
        Self {
            channel,
            ends: Arc::new(ends),
            source: NotedProducts { calls: calls.clone() },
            hints: Hints::new(Box::new(material), rng(1)),
            rng: rng(2),
            calls,
        }
    }
}

impl Planner {
    /// The plan of what was run.
    pub fn finish(self) -> Plan {
        self.ends.end(None);
        let phases = self.ends.phases.lock().map(|mut phases| std::mem::take(&mut phases.ended));
        let calls = self.calls.lock().map(|mut calls| std::mem::take(&mut *calls));
        Plan {
            calls: calls.unwrap_or_default(),
            openings: self.channel.traffic(),
            phases: phases.unwrap_or_default(),
        }
    }

    /// A message each way.
    fn exchange(&mut self, bytes: usize) -> Result<(), PartyError> {
        self.channel.exchange(OPENINGS, vec![0; bytes], bytes)?;
        Ok(())
    }
}

/// Every operation asks the sources for the same as `TwoParty`'s, and sends as much.
impl WitnessParty for Planner {
    fn watched(&self) -> Watched {
        Watched::by(self.ends.clone())
    }

    fn adds_public(&self) -> bool {
        true
    }

    fn inner_products(
        &mut self,
        left: &[Operand],
        right: &[Operand],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        arithmetic::inner_products(&mut self.channel, &mut self.source, left, right, ends)
    }

    fn hints(&mut self, batches: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError> {
        self.hints.hints(&mut self.channel, &mut self.source, batches)
    }

    fn prepare_lookups(&mut self, arguments: &[LookupArgument]) -> Result<(), PartyError> {
        self.hints.prepare_lookups(&mut self.channel, arguments)
    }

    fn multiplicities(
        &mut self,
        arguments: &[LookupArgument],
        rows: usize,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        self.hints.multiplicities(Role::Model, arguments, rows)
    }

    fn check_zero(&mut self, _: &[Fr]) -> Result<(), PartyError> {
        COIN_BYTES.into_iter().try_for_each(|bytes| self.exchange(bytes))?;
        let zero = [Fr::ZERO];
        arithmetic::products(&mut self.channel, &mut self.source, &zero, &zero)?;
        self.exchange(SCALAR_BYTES)?;
        Ok(())
    }

    /// Zeros: public values are computed with by everyone, and 0 is in the range of all of that.
    fn open(&mut self, _: Opening, shares: &[Fr]) -> Result<Vec<Fr>, PartyError> {
        self.exchange(SCALAR_BYTES * shares.len())?;
        Ok(vec![Fr::ZERO; shares.len()])
    }
}

impl ProverParty for Planner {
    type Points = Vec<G1Affine>;
    type Conversion = Conversion;
    type Inversion = Inversion;
    type Quotient = Begun;

    fn rehearses(&self) -> bool {
        true
    }

    fn blinding(&self, _: BlindingItem, _: Kind, rows: Range<usize>) -> Shares {
        Shares::zero(rows.len())
    }

    fn begin_points(
        &mut self,
        _: [u8; DIGEST_BYTES],
        parts: Vec<G1Affine>,
    ) -> Result<Vec<G1Affine>, PartyError> {
        let length = DIGEST_BYTES + POINT_BYTES * parts.len();
        self.channel.send(OPENINGS, vec![0; length])?;
        self.channel.expect(OPENINGS, length);
        Ok(parts)
    }

    fn finish_points(&mut self, parts: Vec<G1Affine>) -> Result<Vec<G1Affine>, PartyError> {
        self.channel.take()?;
        Ok(parts)
    }

    fn open_evaluations(
        &mut self,
        _: [u8; DIGEST_BYTES],
        parts: &[Fr],
    ) -> Result<Vec<Fr>, PartyError> {
        self.exchange(DIGEST_BYTES + SCALAR_BYTES * parts.len())?;
        Ok(parts.to_vec())
    }

    fn prepare_factors(&mut self, values: &[Operand]) -> Result<Conversion, PartyError> {
        Conversion::prepare(&mut self.channel, &mut self.source, &mut self.rng, values)
    }

    fn begin_factors(
        &mut self,
        conversion: Conversion,
        shifts: &[Fr],
    ) -> Result<Conversion, PartyError> {
        conversion.begin(&mut self.channel, shifts)
    }

    fn finish_factors(&mut self, conversion: Conversion) -> Result<Factors, PartyError> {
        conversion.finish(&mut self.channel)
    }

    fn to_additive(&mut self, factors: Factors, kinds: &[Kind]) -> Result<Shares, PartyError> {
        to_additive(&mut self.channel, &mut self.source, &factors, kinds)
    }

    fn begin_inverses(
        &mut self,
        values: &[Operand],
        multiples: &[u32],
        factors: &[Operand],
    ) -> Result<Inversion, PartyError> {
        let (channel, source) = (&mut self.channel, &mut self.source);
        Inversion::begin(channel, source, &mut self.rng, values, (multiples, factors))
    }

    fn finish_inverses(&mut self, inversion: Inversion) -> Result<Shares, PartyError> {
        inversion.finish(&mut self.channel)
    }

    fn begin_quotient(
        &mut self,
        numerator: &Numerator,
        publics: &[KnownPolynomial],
        secrets: &[SecretPolynomial],
        pieces: usize,
    ) -> Result<Begun, PartyError> {
        let operands = quotient::Operands { publics, secrets, pieces, rehearsal: true };
        quotient::begin(&mut self.channel, &mut self.source, numerator, operands)
    }

    fn finish_quotient(
        &mut self,
        begun: Begun,
        numerator: &Numerator,
        publics: &[KnownPolynomial],
        secrets: &[SecretPolynomial],
        pieces: usize,
    ) -> Result<Vec<Shares>, PartyError> {
        let operands = quotient::Operands { publics, secrets, pieces, rehearsal: true };
        quotient::finish(&mut self.channel, &mut self.source, begun, numerator, operands)
    }
}
