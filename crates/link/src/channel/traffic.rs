//! Counters of what went over the link, in all and per phase.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the peer.
    Sent,
    /// From the peer.
    Received,
}

/// A frame that is known beforehand: which way it goes, and its length in bytes.
pub type Scheduled = (Way, usize);

/// A frame of so many bytes each way.
pub fn exchanged(bytes: usize) -> [Scheduled; 2] {
    [(Way::Sent, bytes), (Way::Received, bytes)]
}

/// Bytes and rounds so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Payload bytes sent.
    pub sent: u64,
    /// Payload bytes received.
    pub received: u64,
    /// How often this side had to wait: a receive that follows a send counts one, and so does a
    /// receive that comes first. Where both sides send at once, each is a one-way delay; where one
    /// answers the other, either counts one for two delays.
    pub rounds: u64,
}

impl std::ops::Sub for Traffic {
    type Output = Traffic;

    /// What was added since `earlier`.
    fn sub(self, earlier: Traffic) -> Traffic {
        Traffic {
            sent: self.sent.saturating_sub(earlier.sent),
            received: self.received.saturating_sub(earlier.received),
            rounds: self.rounds.saturating_sub(earlier.rounds),
        }
    }
}

impl std::ops::AddAssign for Traffic {
    fn add_assign(&mut self, more: Traffic) {
        self.sent += more.sent;
        self.received += more.received;
        self.rounds += more.rounds;
    }
}

impl FromIterator<Scheduled> for Traffic {
    /// What these frames add up to, in their order.
    fn from_iter<I: IntoIterator<Item = Scheduled>>(frames: I) -> Self {
        let mut meter = TrafficMeter::default();
        for (way, bytes) in frames {
            match way {
                Way::Sent => meter.sent("", bytes),
                Way::Received => meter.received("", bytes),
            }
        }
        meter.total()
    }
}

/// The totals of a meter, to be read while the session goes on.
#[derive(Clone, Debug, Default)]
pub struct TrafficTotals(Arc<[AtomicU64; 3]>);

impl TrafficTotals {
    /// What was counted so far.
    pub fn read(&self) -> Traffic {
        let [sent, received, rounds] = self.0.each_ref().map(|n| n.load(Ordering::Relaxed));
        Traffic { sent, received, rounds }
    }

    fn add(&self, more: Traffic) {
        let numbers = [more.sent, more.received, more.rounds];
        for (counter, more) in self.0.iter().zip(numbers) {
            counter.fetch_add(more, Ordering::Relaxed);
        }
    }
}

/// Counts what a channel carries.
#[derive(Debug, Default)]
pub struct TrafficMeter {
    totals: TrafficTotals,
    phases: Vec<(&'static str, Traffic)>,
    received_last: bool,
}

impl TrafficMeter {
    /// Counts a frame of `bytes` bytes that was sent in `phase`.
    pub fn sent(&mut self, phase: &'static str, bytes: usize) {
        self.received_last = false;
        self.add(phase, Traffic { sent: bytes as u64, ..Traffic::default() });
    }

    /// Counts a frame of `bytes` bytes that was received in `phase`.
    pub fn received(&mut self, phase: &'static str, bytes: usize) {
        let rounds = u64::from(!std::mem::replace(&mut self.received_last, true));
        self.add(phase, Traffic { received: bytes as u64, rounds, ..Traffic::default() });
    }

    /// What was counted in all.
    pub fn total(&self) -> Traffic {
        self.totals.read()
    }

    /// The same, for whoever shows it while the session goes on.
    pub fn totals(&self) -> TrafficTotals {
        self.totals.clone()
    }

    /// What was counted per phase, in the order of the phases' first frames.
    pub fn phases(&self) -> &[(&'static str, Traffic)] {
        &self.phases
    }

    fn add(&mut self, phase: &'static str, more: Traffic) {
        let index = self.phases.iter().position(|(name, _)| *name == phase).unwrap_or_else(|| {
            self.phases.push((phase, Traffic::default()));
            self.phases.len() - 1
        });
        self.phases[index].1 += more;
        self.totals.add(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_add_up_and_rounds_count_turns() {
        let mut meter = TrafficMeter::default();
        meter.received("a", 1);
        meter.received("a", 2);
        meter.sent("b", 10);
        meter.sent("a", 20);
        meter.received("b", 4);
        let a = Traffic { sent: 20, received: 3, rounds: 1 };
        let b = Traffic { sent: 10, received: 4, rounds: 1 };
        assert_eq!(meter.phases(), [("a", a), ("b", b)]);
        assert_eq!(meter.total(), Traffic { sent: 30, received: 7, rounds: 2 });
    }
}
