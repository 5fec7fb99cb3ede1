//! How long a session and its steps may take, from what they are expected to.

use super::forecast::{Forecast, portable_seconds_of_bundle};
use super::session::Peer;
use std::time::Duration;
use twain_link::channel::Traffic;
use twain_link::channel::tls::Timeouts;

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

/// The limits of a session that proves.
pub fn timeouts_of_proof(peer: &Peer, forecast: &Forecast) -> Timeouts {
    timeouts(peer, forecast.portable_seconds, forecast.inline, 1)
}

/// The limits of a session that makes so many bundles, each of which carries `made`.
pub fn timeouts_of_bundles(peer: &Peer, made: Traffic, bundles: u32) -> Timeouts {
    timeouts(peer, portable_seconds_of_bundle(made), made, bundles)
}

/// What a user is told of the limits.
pub fn limit_text(timeouts: &Timeouts) -> String {
    format!(
        "The session ends after {} s at the latest (--session-timeout).",
        timeouts.session.as_secs()
    )
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
            ended_sessions: None,
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
