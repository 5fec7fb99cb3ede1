//! An ordered, reliable, two-ended stream of frames between the two parties (protocol §17).

#[cfg(feature = "test-utils")]
pub mod emulator;
mod error;
mod memory;
mod on_schedule;
mod overlap;
#[cfg(feature = "test-utils")]
mod recorder;
#[cfg(feature = "test-utils")]
mod run_pair;
pub mod tls;
mod traffic;
#[cfg(feature = "test-utils")]
pub mod view;

pub use error::{ChannelError, Fault};
pub use memory::{MemoryChannel, memory_pair};
pub use on_schedule::OnSchedule;
pub use overlap::Overlap;
#[cfg(feature = "test-utils")]
pub use recorder::{Frame, Recorder};
#[cfg(feature = "test-utils")]
pub use run_pair::run_pair;
pub use traffic::{Scheduled, Traffic, TrafficMeter, TrafficTotals, Way, exchanged};

use twain_party::Role;

/// One end of the link. Every frame's length is known to the receiver beforehand (it follows from
/// the circuit), so a peer cannot make it allocate. `phase` names the step, for errors and counters.
pub trait Channel: Send {
    /// Which side this end is.
    fn role(&self) -> Role;

    /// Sends a frame. Does not wait for the peer's program to ask for it (frames are queued), so
    /// both sides may send before either receives.
    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError>;

    /// Receives a frame of exactly `length` bytes.
    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError>;

    /// Says that the peer sends a frame of `length` bytes, after all that was said to be due before,
    /// whatever this side sends until then: so it is read while this side sends. A channel around
    /// another one passes it on.
    fn note_due(&mut self, _length: usize) {}

    /// Sends and receives: one round for both.
    fn exchange(
        &mut self,
        phase: &'static str,
        frame: Vec<u8>,
        length: usize,
    ) -> Result<Vec<u8>, ChannelError> {
        self.send(phase, frame)?;
        self.receive(phase, length)
    }

    /// The session's identifier: enters every key derivation (protocol §18).
    fn session_id(&self) -> [u8; 32];

    /// What went over the link so far, in all and per phase.
    fn meter(&self) -> &TrafficMeter;

    /// What went over the link so far, in all.
    fn traffic(&self) -> Traffic {
        self.meter().total()
    }
}

impl<C: Channel + ?Sized> Channel for &mut C {
    fn role(&self) -> Role {
        (**self).role()
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        (**self).send(phase, frame)
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        (**self).receive(phase, length)
    }

    fn note_due(&mut self, length: usize) {
        (**self).note_due(length);
    }

    fn session_id(&self) -> [u8; 32] {
        (**self).session_id()
    }

    fn meter(&self) -> &TrafficMeter {
        (**self).meter()
    }
}
