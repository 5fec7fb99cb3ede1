//! What a proof will take, from the plan of the circuit.

use crate::observe::bytes;
use twain_algebra::{Backend, Fr, backend};
use twain_link::channel::Traffic;
use twain_pair::preprocessing::{Origin, Plan};
use twain_party::{Phase, Role};
use twain_plonk::CompiledSystem;

/// What a proof is expected to take on one side.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// Over the link, if everything is made while the proof runs.
    pub inline: Traffic,
    /// The same with a bundle.
    pub bundled: Traffic,
    /// Largest resident memory in bytes, if everything is made while the proof runs.
    pub memory: u64,
    /// Seconds of one core of this kind, the same way.
    pub seconds: f64,
    /// The same without AVX-512.
    pub(super) portable_seconds: f64,
    /// Of the prover's phases, in their order: inline, and with a bundle.
    phases: Vec<(Phase, [Traffic; 2])>,
}

/// Memory, measured on both sides of seven circuits of 2^8 to 2^15 rows, within 12 %: a process that
/// holds next to nothing, ...
const BASE_MEMORY: u64 = 86_000_000;
/// ... what came over the link and is not used up, at most, ...
const MEMORY_RECEIVED: u64 = 35_000_000;
/// ... and in hundredths how much of it is held in one form or another, ...
const PERCENT_HELD: u64 = 129;
/// ... scalars held at the peak for each row and polynomial; ...
const SCALARS_HELD: u64 = 13;
/// Time, within a factor of 1.5: seconds that every session takes, ...
const BASE_SECONDS: f64 = 0.1;
/// ... to make, commit to and open a polynomial, per row, ...
const SECONDS_PER_ROW: f64 = 1.5e-6;
/// ... and of work on either side for a byte of ciphertexts; ...
const SECONDS_PER_BYTE: f64 = 4.5e-9;
/// ... and so many times as long without AVX-512.
const PORTABLE: f64 = 3.1;

/// Seconds of one core without AVX-512 for a bundle that carries `made`.
pub fn portable_seconds_of_bundle(made: Traffic) -> f64 {
    let carried = (made.sent + made.received) as f64;
    PORTABLE * (BASE_SECONDS + carried * SECONDS_PER_BYTE)
}

/// Bytes that the model's side and the data's send for the tests of what the peer does, measured on
/// pairs of 2^8 to 2^15 rows: whatever the circuit, ...
const BYTES_OF_TESTS: [u64; 2] = [56_000_000, 34_500_000];
/// ... and for each row; ...
const BYTES_OF_TESTS_PER_ROW: [u64; 2] = [600, 1690];
/// ... and the rounds.
const ROUNDS_OF_TESTS: u64 = 54;

/// What the tests of what the peer does take on `role`'s side.
fn tests(system: &CompiledSystem, role: Role) -> Traffic {
    let sent = |side: Role| {
        let per_row = BYTES_OF_TESTS_PER_ROW[side as usize];
        BYTES_OF_TESTS[side as usize] + per_row * system.rows() as u64
    };
    Traffic { sent: sent(role), received: sent(role.other()), rounds: ROUNDS_OF_TESTS }
}

impl Forecast {
    /// From the plan, for `role`'s side; with the tests of what the peer does, unless it is trusted.
    pub fn new(plan: &Plan, system: &CompiledSystem, role: Role, trusts_peer: bool) -> Self {
        const ORIGINS: [Origin; 2] = [Origin::Inline, Origin::Bundle];
        let tests = if trusts_peer { Traffic::default() } else { tests(system, role) };
        let [inline, bundled] = ORIGINS.map(|origin| {
            let mut traffic = plan.traffic(role, origin);
            traffic += tests;
            traffic
        });
        let mut before = [Traffic::default(); 2];
        let of_phase = |(phase, end): &(Phase, _)| {
            let until = ORIGINS.map(|origin| plan.traffic_until(end, role, origin));
            let [inline, bundled] = std::mem::replace(&mut before, until);
            (*phase, [until[0] - inline, until[1] - bundled])
        };
        let of_tests = (!trusts_peer).then_some((Phase::Preprocess, [tests; 2]));
        let phases = of_tests.into_iter().chain(plan.phases().iter().map(of_phase)).collect();
        let polynomials = system.advice_phases().len()
            + 2 * system.lookups().len()
            + system.permutation_chunks().count()
            + system.quotient_pieces();
        let cells = (polynomials * system.rows()) as u64;
        let carried = inline.sent + inline.received;
        let seconds =
            BASE_SECONDS + cells as f64 * SECONDS_PER_ROW + carried as f64 * SECONDS_PER_BYTE;
        let portable_seconds = PORTABLE * seconds;
        Forecast {
            inline,
            bundled,
            memory: BASE_MEMORY
                + inline.received.min(MEMORY_RECEIVED) * PERCENT_HELD / 100
                + cells * SCALARS_HELD * size_of::<Fr>() as u64,
            seconds: if backend() == Backend::Portable { portable_seconds } else { seconds },
            portable_seconds,
            phases,
        }
    }

    /// What goes over the link in each phase.
    pub fn phases(&self, origin: Origin) -> impl Iterator<Item = (Phase, Traffic)> {
        self.phases.iter().map(move |(phase, [inline, bundled])| match origin {
            Origin::Inline => (*phase, *inline),
            Origin::Bundle => (*phase, *bundled),
        })
    }

    /// In a sentence.
    pub fn text(&self) -> String {
        let Forecast { inline, bundled, memory, seconds, .. } = self;
        let transfer = |rate: f64| 8.0 * inline.sent.max(inline.received) as f64 / rate;
        format!(
            "Expected: {} to send and {} to receive in {} rounds (with a bundle of preprocess: {} \
             and {} in {}), {} of memory, {seconds:.1} s of computing on one core; \
             the link adds {:.1} s at 100 Mbit/s ({:.1} s at 1 Gbit/s) and its one-way delay each \
             round.",
            bytes(inline.sent),
            bytes(inline.received),
            inline.rounds,
            bytes(bundled.sent),
            bytes(bundled.received),
            bundled.rounds,
            bytes(*memory),
            transfer(1e8),
            transfer(1e9),
        )
    }
}
