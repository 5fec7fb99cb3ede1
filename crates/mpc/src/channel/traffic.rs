//! Counters of what went over the link, in all and per phase.

/// Bytes and rounds so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Payload bytes sent.
    pub sent: u64,
    /// Payload bytes received.
    pub received: u64,
    /// One-way delays that had to be waited for: a receive that follows a send counts one, and so
    /// does a receive that comes first.
    pub rounds: u64,
}

/// Counts what a channel carries.
#[derive(Clone, Debug, Default)]
pub struct TrafficMeter {
    total: Traffic,
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
        self.total
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
        for counters in [&mut self.total, &mut self.phases[index].1] {
            counters.sent += more.sent;
            counters.received += more.received;
            counters.rounds += more.rounds;
        }
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
