//! What a user is told before a run starts: what each side will learn, and what it will take, from the
//! plan of the circuit.

use super::outputs::{self, Reveal};
use super::session::Peer;
use crate::observe::{Event, Notice, Run, bytes};
use std::time::Duration;
use twain_algebra::{Backend, Fr, backend};
use twain_graph::{RunArgs, Visibility};
use twain_link::channel::Traffic;
use twain_link::channel::tls::Timeouts;
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
    portable_seconds: f64,
    /// Of the prover's phases, in their order: inline, and with a bundle.
    phases: Vec<(Phase, [Traffic; 2])>,
}

/// Measured on pairs of 2^9 to 2^19 rows, within a factor of 1.5: a process that holds next to nothing, ...
const BASE_MEMORY: u64 = 50_000_000;
/// ... what is on its way over the link or waits to be, at most, ...
const MEMORY_IN_FLIGHT: u64 = 100_000_000;
/// ... scalars held at the peak for each row and polynomial; ...
const SCALARS_HELD: u64 = 12;
/// ... seconds that every session takes, ...
const BASE_SECONDS: f64 = 0.1;
/// ... to make, commit to and open a polynomial, per row, ...
const SECONDS_PER_ROW: f64 = 1.5e-6;
/// ... and of work on either side for a byte of ciphertexts; ...
const SECONDS_PER_BYTE: f64 = 4.5e-9;
/// ... and so many times as long without AVX-512.
const PORTABLE: f64 = 3.1;

/// A step may take so many times as long as the computing of all steps without AVX-512, ...
const STEP_MARGIN: f64 = 10.0;
/// ... and a session so many times as long as expected over a link ...
const SESSION_MARGIN: f64 = 20.0;
/// ... of 100 Mbit/s ...
const SECONDS_PER_BYTE_OF_LINK: f64 = 8e-8;
/// ... and 100 ms.
const SECONDS_PER_ROUND: f64 = 0.1;

/// The limits of a session that does a work `times` times: one that carries `traffic` and takes
/// `portable_seconds` of one core without AVX-512.
fn timeouts(peer: &Peer, portable_seconds: f64, traffic: Traffic, times: u32) -> Timeouts {
    let duration = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    let least = Timeouts::default();
    let Traffic { sent, received, rounds } = traffic;
    let expected = portable_seconds
        + sent.max(received) as f64 * SECONDS_PER_BYTE_OF_LINK
        + rounds as f64 * SECONDS_PER_ROUND;
    let session = duration(SESSION_MARGIN * f64::from(times) * expected).max(least.session);
    Timeouts {
        silence: peer.idle_timeout,
        step: duration(STEP_MARGIN * portable_seconds).max(least.step),
        session: peer.session_timeout.unwrap_or(session),
        ..least
    }
}

/// The limits of a session that makes so many bundles, each of which carries `made`.
pub fn timeouts_of_bundles(peer: &Peer, made: Traffic, bundles: u32) -> Timeouts {
    let carried = (made.sent + made.received) as f64;
    let portable_seconds = PORTABLE * (BASE_SECONDS + carried * SECONDS_PER_BYTE);
    timeouts(peer, portable_seconds, made, bundles)
}

/// What a user is told of the limits.
pub fn limit_text(timeouts: &Timeouts) -> String {
    format!(
        "The session ends after {} s at the latest (--session-timeout).",
        timeouts.session.as_secs()
    )
}

impl Forecast {
    /// From the plan, for `role`'s side.
    pub fn new(plan: &Plan, system: &CompiledSystem, role: Role) -> Self {
        const ORIGINS: [Origin; 2] = [Origin::Inline, Origin::Bundle];
        let [inline, bundled] = ORIGINS.map(|origin| plan.traffic(role, origin));
        let mut before = [Traffic::default(); 2];
        let of_phase = |(phase, end): &(Phase, _)| {
            let until = ORIGINS.map(|origin| plan.traffic_until(end, role, origin));
            let [inline, bundled] = std::mem::replace(&mut before, until);
            (*phase, [until[0] - inline, until[1] - bundled])
        };
        let phases = plan.phases().iter().map(of_phase).collect();
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
                + carried.min(MEMORY_IN_FLIGHT)
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

    /// The limits of the session.
    pub fn timeouts(&self, peer: &Peer) -> Timeouts {
        timeouts(peer, self.portable_seconds, self.inline, 1)
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

/// Tells the user who will learn what.
pub fn say_what_is_learnt(role: Role, args: &RunArgs, reveal: Option<Reveal>, run: &Run) {
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
    run.tell(Event::Notice(Notice::Learns(format!(
        "The peer will learn the circuit without parameter values, the settings, the proof with its \
         public values, whether a value left the circuit's range, and how long this side takes. Your \
         {own}; the peer's {theirs}; the outputs {revealed}."
    ))));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(idle: u64, session: Option<Duration>) -> Peer {
        Peer {
            remote_peer: None,
            local_addr: None,
            peer: None,
            identity: None,
            invitation: None,
            connect_timeout: Duration::ZERO,
            idle_timeout: Duration::from_secs(idle),
            session_timeout: session,
        }
    }

    #[test]
    fn limits_grow_with_the_work_and_an_honest_session_is_far_from_them() {
        let nothing = timeouts(&peer(300, None), 0.1, Traffic::default(), 1);
        assert_eq!((nothing.step.as_secs(), nothing.session.as_secs()), (300, 3600));
        // A gigabyte each way, 1000 rounds, 200 seconds.
        let traffic = Traffic { sent: 1_000_000_000, received: 900_000_000, rounds: 1000 };
        let limits = timeouts(&peer(7, None), 200.0, traffic, 1);
        assert_eq!(
            (limits.step.as_secs(), limits.session.as_secs()),
            (2000, 20 * (200 + 80 + 100))
        );
        assert_eq!(limits.silence.as_secs(), 7);
        let bundles = timeouts(&peer(300, None), 200.0, traffic, 3);
        assert_eq!((bundles.step, bundles.session), (limits.step, 3 * limits.session));
        let chosen = timeouts(&peer(300, Some(Duration::from_millis(1500))), 200.0, traffic, 1);
        assert_eq!(chosen.session, Duration::from_millis(1500));
        assert_eq!(timeouts(&peer(300, None), f64::MAX, traffic, u32::MAX).session, Duration::MAX);
    }
}
