//! What a user is told before a run starts: what each side will learn, and what it will take, from the
//! plan of the circuit.

use super::files::Common;
use super::outputs;
use crate::arguments::Reveal;
use crate::error::Error;
use crate::report::{Phases, bytes, traffic_as_json};
use tracing::info_span;
use tracing::subscriber::{NoSubscriber, with_default};
use twain_algebra::Fr;
use twain_circuit::{Source, Sources, Witness};
use twain_graph::{RunArgs, Visibility};
use twain_mpc::channel::Traffic;
use twain_mpc::preprocessing::{Origin, Plan, Planner};
use twain_party::Role;
use twain_plonk::CompiledSystem;

/// What one proof of the circuit asks of its sources, and sends.
pub fn plan(Common { circuit, key, srs, .. }: &Common) -> Result<Plan, Error> {
    let _planning = info_span!("plan").entered();
    let zeros = |sources: &[Source]| -> Vec<Vec<Fr>> {
        sources.iter().map(|source| vec![Fr::zero(); source.length]).collect()
    };
    let program = &circuit.program;
    let (inputs, parameters) = (zeros(program.inputs()), zeros(program.parameters()));
    let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
    // The prover's phases are not those of a proof here.
    with_default(NoSubscriber::default(), || {
        let mut planner = Planner::default();
        let values = program.run(&mut planner, &sources)?;
        let instances = vec![values.instances.clone()];
        let mut witness = Witness::new(circuit, &values);
        twain_plonk::prove(&mut planner, key, srs, &instances, &mut witness)?;
        Ok(planner.finish())
    })
}

/// What a proof is expected to take on one side.
#[derive(Clone, Copy, Debug)]
pub struct Forecast {
    /// Over the link, if everything is made while the proof runs.
    pub inline: Traffic,
    /// The same with a bundle.
    pub bundled: Traffic,
    /// Largest resident memory in bytes, if everything is made while the proof runs.
    pub memory: u64,
    /// Seconds of one core.
    pub seconds: f64,
}

/// Measured for docs/performance.md (AVX-512): a process that holds next to nothing, ...
const BASE_MEMORY: u64 = 190_000_000;
/// ... scalars held at the peak for each row and polynomial ...
const SCALARS_HELD: u64 = 8;
/// ... seconds to make, commit to and open a polynomial, per row ...
const SECONDS_PER_ROW: f64 = 1.9e-6;
/// ... and seconds of work on either side for a byte of ciphertexts.
const SECONDS_PER_BYTE: f64 = 4.3e-9;

impl Forecast {
    /// From the plan, for `role`'s side.
    pub fn new(plan: &Plan, system: &CompiledSystem, role: Role) -> Self {
        let [inline, bundled] =
            [Origin::Inline, Origin::Bundle].map(|origin| plan.traffic(role, origin));
        let polynomials = system.advice_phases().len()
            + 2 * system.lookups().len()
            + system.permutation_chunks().count()
            + system.quotient_pieces();
        let cells = (polynomials * system.rows()) as u64;
        let carried = (inline.sent + inline.received) as f64;
        Forecast {
            inline,
            bundled,
            memory: BASE_MEMORY + cells * SCALARS_HELD * size_of::<Fr>() as u64,
            seconds: cells as f64 * SECONDS_PER_ROW + carried * SECONDS_PER_BYTE,
        }
    }

    /// What goes over the link.
    pub fn traffic(&self, origin: Origin) -> Traffic {
        match origin {
            Origin::Inline => self.inline,
            Origin::Bundle => self.bundled,
        }
    }

    /// Tells the user.
    pub fn say(&self, phases: &Phases) {
        let Forecast { inline, bundled, memory, seconds } = *self;
        let transfer = |rate: f64| 8.0 * inline.sent.max(inline.received) as f64 / rate;
        phases.say_with(
            &format!(
                "Expected: {} to send and {} to receive in {} rounds (with a bundle of preprocess: {} \
                 and {} in {}), {} of memory, {seconds:.1} s of computing on one core with AVX-512; \
                 the link adds {:.1} s at 100 Mbit/s ({:.1} s at 1 Gbit/s) and its one-way delay each \
                 round.",
                bytes(inline.sent),
                bytes(inline.received),
                inline.rounds,
                bytes(bundled.sent),
                bytes(bundled.received),
                bundled.rounds,
                bytes(memory),
                transfer(1e8),
                transfer(1e9),
            ),
            serde_json::json!({ "expected": {
                "inline": traffic_as_json(inline),
                "bundled": traffic_as_json(bundled),
                "memory": memory,
                "cpu_seconds": seconds,
            }}),
        );
    }
}

/// Tells the user who will learn what.
pub fn say_what_is_learnt(role: Role, args: &RunArgs, reveal: Option<Reveal>, phases: &Phases) {
    let published = |visibility: &Visibility| match visibility {
        Visibility::Public => "are public",
        Visibility::Hashed { .. } => "stay hidden behind an unsalted hash, which is published",
        Visibility::KZGCommit => {
            "stay hidden but for a commitment and one linear equation, which are published"
        }
        _ => "stay hidden",
    };
    let inputs = format!("inputs {}", published(&args.input_visibility));
    let parameters = format!("parameters {}", published(&args.param_visibility));
    let (own, theirs) = match role {
        Role::Model => (parameters, inputs),
        Role::Data => (inputs, parameters),
    };
    let knowers = [Role::Model, Role::Data].map(|role| outputs::may_know(reveal, role));
    let revealed = match (args.output_visibility.is_public(), knowers) {
        (true, _) => "are public",
        (_, [true, true]) => "are revealed to both sides",
        (_, [true, false]) => "are revealed to the model's side",
        (_, [false, true]) => "are revealed to the data's side",
        (_, [false, false]) => "stay unknown to both (see --reveal-output)",
    };
    phases.say(&format!(
        "The peer will learn the circuit without parameter values, the settings, the proof with its \
         public values, whether a value left the circuit's range, and how long this side takes. Your \
         {own}; the peer's {theirs}; the outputs {revealed}."
    ));
}
