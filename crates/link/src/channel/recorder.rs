//! A channel that keeps what goes over it, in plain: for tests of what a party sees of the other.

use super::{Channel, ChannelError, TrafficMeter, Way};
use twain_party::Role;

/// A frame that went over the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The step it belonged to.
    pub phase: &'static str,
    /// Which way it went.
    pub way: Way,
    /// What it held.
    pub bytes: Vec<u8>,
}

/// One end of a link, and the frames that went over it in their order.
pub struct Recorder<C> {
    inner: C,
    frames: Vec<Frame>,
}

impl<C: Channel> Recorder<C> {
    /// Records what goes over `inner` from now on.
    pub fn new(inner: C) -> Self {
        Self { inner, frames: Vec::new() }
    }

    /// The frames so far.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// What the peer sent in `phase` so far, one frame after the other.
    pub fn received(&self, phase: &str) -> Vec<u8> {
        self.bytes(phase, Way::Received)
    }

    /// What was sent in `phase` so far, one frame after the other.
    pub fn sent(&self, phase: &str) -> Vec<u8> {
        self.bytes(phase, Way::Sent)
    }

    fn bytes(&self, phase: &str, way: Way) -> Vec<u8> {
        let frames = self.frames.iter().filter(|frame| frame.phase == phase && frame.way == way);
        frames.flat_map(|frame| frame.bytes.iter().copied()).collect()
    }

    /// All that an eavesdropper sees of encrypted frames: phase by phase, which way, how long.
    pub fn shape(&self) -> Vec<(&'static str, Way, usize)> {
        self.frames.iter().map(|frame| (frame.phase, frame.way, frame.bytes.len())).collect()
    }
}

impl<C: Channel> Channel for Recorder<C> {
    fn role(&self) -> Role {
        self.inner.role()
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.frames.push(Frame { phase, way: Way::Sent, bytes: frame.clone() });
        self.inner.send(phase, frame)
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        let bytes = self.inner.receive(phase, length)?;
        self.frames.push(Frame { phase, way: Way::Received, bytes: bytes.clone() });
        Ok(bytes)
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
