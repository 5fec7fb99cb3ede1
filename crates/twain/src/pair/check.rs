//! `check`: what a proof would take, and whether the peer holds the same and how fast the link to
//! it is. Nothing is proven, and nothing of a secret is used but that it fits the circuit.

use super::files::{Common, CommonFiles};
use super::forecast::Forecast;
use super::invited;
use super::session::{self, Peer};
use super::side::{Side, Terms};
use crate::error::Error;
use crate::observe::Run;
use std::time::{Duration, Instant};
use twain_link::channel::Channel;
use twain_link::channel::tls::Timeouts;
use twain_party::{PartyError, Role};

/// Bytes that go each way at once to measure the link: some seconds on a slow one.
const PROBE: usize = 2 << 20;
/// Small messages that go there and back.
const ECHOES: usize = 7;
const PHASE: &str = "measuring the link";

/// What a proof would take with a peer that holds the same.
#[derive(Clone, Debug)]
pub struct Checked {
    /// One way, for a small message.
    pub delay: Duration,
    /// Bits a second, in each direction while the other is as busy.
    pub rate: f64,
    /// A whole proof, if everything is made while it runs.
    pub expected: Duration,
}

impl Checked {
    fn new(delay: Duration, probe: Duration, forecast: &Forecast) -> Self {
        let seconds = probe.saturating_sub(delay).as_secs_f64().max(1e-6);
        let rate = 8.0 * PROBE as f64 / seconds;
        let inline = forecast.inline;
        let carried = 8.0 * inline.sent.max(inline.received) as f64 / rate;
        let waits = delay.as_secs_f64() * inline.rounds as f64;
        // A time that cannot be said is none worth waiting for.
        let expected = Duration::try_from_secs_f64(forecast.seconds + carried + waits);
        Self { delay, rate, expected: expected.unwrap_or(Duration::MAX) }
    }

    /// In a sentence.
    pub fn text(&self) -> String {
        format!(
            "The peer holds the same. The link takes {:.1} ms one way and carries {:.0} Mbit/s each way; \
             a proof should take some {:.1} s.",
            1e3 * self.delay.as_secs_f64(),
            self.rate / 1e6,
            self.expected.as_secs_f64(),
        )
    }
}

/// What a proof would take on either side, from what both hold: the model's and the data's.
///
/// # Errors
/// Files that do not fit together, what pairs cannot prove, or not without trust.
pub fn forecasts(
    files: &CommonFiles,
    trusts_peer: bool,
    run: &Run,
) -> Result<[Forecast; 2], Error> {
    let common = Common::ready(files, run).map_err(|unready| *unready.error)?;
    if !trusts_peer {
        common.tests()?;
    }
    let plan = common.plan(run)?;
    let system = common.prover.key.system();
    Ok([Role::Model, Role::Data].map(|role| Forecast::new(plan, system, role, trusts_peer)))
}

/// Meets a peer that checks as well, compares everything that a proof would compare, and measures
/// the link.
///
/// # Errors
/// As [`prove`](super::prove()).
pub fn check(
    role: Role,
    files: &CommonFiles,
    (data, terms): (&str, &Terms),
    peer: &Peer,
    run: &Run,
) -> Result<Checked, Error> {
    peer.check()?;
    let identity = session::identity_of(&peer.identity)?;
    let side = Side::ready(role, files, data, terms, run)
        .map_err(|unready| session::tell(role, peer, &identity, unready, run))?;
    invited::check(peer, &side.common)?;
    let timeouts = Timeouts { silence: peer.idle_timeout, ..Timeouts::default() };
    let manifest = side.manifest("check")?;
    let (mut channel, _, underway) =
        session::meet(role, peer, timeouts, &identity, &manifest, run)?;
    let (delay, probe) = measure(&mut channel)?;
    session::finish(channel, underway, run, "the link is measured", peer)?;
    Ok(Checked::new(delay, probe, side.forecast()))
}

/// The shortest way of a small message, and how long the probe takes.
fn measure(channel: &mut dyn Channel) -> Result<(Duration, Duration), PartyError> {
    let mut delay = Duration::MAX;
    for _ in 0..ECHOES {
        let start = Instant::now();
        // Both send at once, so this is one way, if both begin together: as the last ones do.
        channel.exchange(PHASE, vec![0], 1)?;
        delay = delay.min(start.elapsed());
    }
    let start = Instant::now();
    channel.exchange(PHASE, vec![0; PROBE], PROBE)?;
    Ok((delay, start.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use twain_link::channel::memory_pair;

    #[test]
    fn both_sides_measure() {
        let (mut model, mut data) = memory_pair([0; 32]);
        let both = std::thread::scope(|scope| {
            let model = scope.spawn(move || measure(&mut model));
            [measure(&mut data), model.join().expect("no panic")]
        });
        for measured in both {
            let (delay, probe) = measured.unwrap();
            assert!(delay > Duration::ZERO && probe > Duration::ZERO);
        }
    }
}
