//! A channel whose frames arrive late, or changed: what a misbehaving *peer* can do, where
//! [`TcpEmulator`](super::TcpEmulator) shows what the network can do.

use super::{Line, LinkProfile, sleep_until};
use crate::channel::{Channel, ChannelError, TrafficMeter};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use twain_party::Role;

const DUE_LENGTH: usize = 8;

/// What happens to a frame that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameFault {
    /// The lowest bit of the byte at this position (modulo the length) is flipped.
    Corrupt(usize),
    /// The frame sent before takes its place.
    Replay,
}

/// One end of an emulated link. Both ends must be wrapped, in the same process.
pub struct Emulated<C> {
    inner: C,
    line: Line,
    meter: TrafficMeter,
    last: Vec<u8>,
    faults: Vec<(&'static str, FrameFault)>,
}

impl<C: Channel> Emulated<C> {
    /// Gives the frames that `inner` sends the delay of `profile`.
    pub fn new(inner: C, profile: LinkProfile) -> Self {
        let meter = TrafficMeter::default();
        Self { inner, line: Line::new(profile), meter, last: Vec::new(), faults: Vec::new() }
    }

    /// Applies `fault` to the next frame sent in `phase`.
    pub fn inject(&mut self, phase: &'static str, fault: FrameFault) {
        self.faults.push((phase, fault));
    }

    fn changed(&mut self, phase: &'static str, mut frame: Vec<u8>) -> Vec<u8> {
        let fault = self.faults.iter().position(|(at, _)| *at == phase);
        match fault.map(|index| self.faults.remove(index).1) {
            Some(FrameFault::Corrupt(position)) if !frame.is_empty() => {
                let position = position % frame.len();
                frame[position] ^= 1;
            }
            Some(FrameFault::Replay) => return self.last.clone(),
            _ => {}
        }
        self.last.clone_from(&frame);
        frame
    }
}

/// The clock both ends share.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

impl<C: Channel> Channel for Emulated<C> {
    fn role(&self) -> Role {
        self.inner.role()
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        epoch();
        let frame = self.changed(phase, frame);
        let due = self.line.arrival(frame.len()).saturating_duration_since(epoch());
        self.meter.sent(phase, frame.len());
        let mut framed = (due.as_nanos() as u64).to_le_bytes().to_vec();
        framed.extend(frame);
        self.inner.send(phase, framed)
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        let mut frame = self.inner.receive(phase, length.saturating_add(DUE_LENGTH))?;
        let payload = frame.split_off(DUE_LENGTH.min(frame.len()));
        let due = <[u8; DUE_LENGTH]>::try_from(frame).map_or(0, u64::from_le_bytes);
        sleep_until(epoch() + Duration::from_nanos(due));
        self.meter.received(phase, length);
        Ok(payload)
    }

    fn note_due(&mut self, length: usize) {
        self.inner.note_due(length.saturating_add(DUE_LENGTH));
    }

    fn session_id(&self) -> [u8; 32] {
        self.inner.session_id()
    }

    fn meter(&self) -> &TrafficMeter {
        &self.meter
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::memory_pair;

    #[test]
    fn frames_take_latency_and_bandwidth() {
        let profile =
            LinkProfile { latency: Duration::from_millis(20), bandwidth: Some(1_000_000) };
        let (model, data) = memory_pair([0; 32]);
        let (mut model, mut data) = (Emulated::new(model, profile), Emulated::new(data, profile));
        let start = Instant::now();
        model.send("a", vec![1; 10_000]).expect("queued");
        model.send("a", vec![2; 20_000]).expect("queued");
        assert!(start.elapsed() < Duration::from_millis(10));
        assert_eq!(data.receive("a", 10_000).expect("arrived"), vec![1; 10_000]);
        assert!(start.elapsed() >= Duration::from_millis(30));
        assert_eq!(data.receive("a", 20_000).expect("arrived"), vec![2; 20_000]);
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert_eq!((model.traffic().sent, data.traffic().received), (30_000, 30_000));
    }

    #[test]
    fn faults_hit_the_phase_they_are_meant_for() {
        let (model, data) = memory_pair([0; 32]);
        let wrap = |end| Emulated::new(end, LinkProfile::default());
        let (mut model, mut data) = (wrap(model), wrap(data));
        model.inject("b", FrameFault::Corrupt(5));
        model.inject("c", FrameFault::Replay);
        for (phase, byte) in [("a", 8), ("b", 16), ("c", 32), ("c", 64)] {
            model.send(phase, vec![byte; 4]).expect("queued");
        }
        let mut next = |phase| data.receive(phase, 4).expect("arrived");
        assert_eq!(next("a"), [8; 4]);
        assert_eq!(next("b"), [16, 17, 16, 16]);
        assert_eq!(next("c"), [16, 17, 16, 16]);
        assert_eq!(next("c"), [64; 4]);
    }
}
