//! A link on which a side goes on before a frame that is due arrives, so that several exchanges of
//! messages wait for the peer at the same time.
//!
//! Frames arrive in the order in which they were sent. So whoever wants a frame that was sent after
//! one that is due takes in that one first, and it is kept.

use super::{Channel, ChannelError, TrafficMeter};
use std::collections::VecDeque;
use twain_party::Role;

/// One end of a link, and the frames that are due.
pub struct Overlap<C> {
    inner: C,
    due: VecDeque<(&'static str, usize)>,
    arrived: VecDeque<Vec<u8>>,
}

impl<C: Channel> Overlap<C> {
    /// Nothing is due.
    pub fn new(inner: C) -> Self {
        Self { inner, due: VecDeque::new(), arrived: VecDeque::new() }
    }

    /// The peer's next frame, but for those already due, is one of `length` bytes for
    /// [`take`](Self::take).
    pub fn expect(&mut self, phase: &'static str, length: usize) {
        self.due.push_back((phase, length));
        self.inner.note_due(length);
    }

    /// The first frame that was expected and is not taken yet.
    ///
    /// # Errors
    /// The link failed. An empty frame if none was expected, which is no peer's fault.
    pub fn take(&mut self) -> Result<Vec<u8>, ChannelError> {
        if let Some(frame) = self.arrived.pop_front() {
            return Ok(frame);
        }
        let Some((phase, length)) = self.due.pop_front() else { return Ok(Vec::new()) };
        self.inner.receive(phase, length)
    }
}

impl<C: Channel> Channel for Overlap<C> {
    fn role(&self) -> Role {
        self.inner.role()
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.inner.send(phase, frame)
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        for (phase, length) in self.due.drain(..) {
            self.arrived.push_back(self.inner.receive(phase, length)?);
        }
        self.inner.receive(phase, length)
    }

    fn note_due(&mut self, length: usize) {
        self.inner.note_due(length);
    }

    fn session_id(&self) -> [u8; 32] {
        self.inner.session_id()
    }

    fn meter(&self) -> &TrafficMeter {
        self.inner.meter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::memory_pair;

    #[test]
    fn what_is_due_is_kept_while_later_frames_are_received() {
        let (mut model, data) = memory_pair([0; 32]);
        for byte in 1..=4 {
            model.send("a", vec![byte; usize::from(byte)]).expect("queued");
        }
        let mut data = Overlap::new(data);
        data.expect("a", 1);
        data.expect("a", 2);
        assert_eq!(data.receive("a", 3).expect("sent"), [3; 3]);
        data.expect("a", 4);
        for byte in [1, 2, 4] {
            assert_eq!(data.take().expect("sent"), vec![byte; usize::from(byte)]);
        }
        assert_eq!(data.traffic().rounds, 1);
    }
}
