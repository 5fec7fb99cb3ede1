//! Links of a given latency and bandwidth, and links that misbehave, within one process: for tests
//! and benchmarks. [`TcpEmulator`] stands between two sockets and changes bytes, [`Emulated`] wraps
//! a [`Channel`](super::Channel) and changes frames.

mod frames;
mod tcp;

pub use frames::{Emulated, FrameFault};
pub use tcp::{ByteFault, Direction, TcpEmulator};

use std::time::{Duration, Instant};

/// How fast a link is, the same both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkProfile {
    /// One-way delay.
    pub latency: Duration,
    /// Bytes per second; none is unlimited.
    pub bandwidth: Option<u64>,
}

/// One direction of a link: bytes leave one after the other and arrive later.
struct Line {
    profile: LinkProfile,
    free_at: Instant,
}

impl Line {
    fn new(profile: LinkProfile) -> Self {
        Self { profile, free_at: Instant::now() }
    }

    /// When the last of `bytes` bytes, sent now, arrives.
    fn arrival(&mut self, bytes: usize) -> Instant {
        let time = match self.profile.bandwidth {
            Some(rate) => Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64),
            None => Duration::ZERO,
        };
        self.free_at = self.free_at.max(Instant::now()) + time;
        self.free_at + self.profile.latency
    }
}

fn sleep_until(instant: Instant) {
    std::thread::sleep(instant.saturating_duration_since(Instant::now()));
}
