//! An ordered, reliable, two-ended stream of frames between the two parties (protocol §8).

mod memory;

pub use memory::{MemoryChannel, memory_pair};

use twain_party::{PartyError, Role};

/// What went wrong with the peer or the link to it.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The peer went away.
    #[error("the peer closed the connection during {phase}")]
    Closed {
        /// The step that was running.
        phase: &'static str,
    },
    /// A frame of another length than both had agreed.
    #[error("the peer sent {got} bytes where {expected} were due, during {phase}")]
    Length {
        /// The step that was running.
        phase: &'static str,
        /// Length of the frame.
        got: usize,
        /// Length agreed.
        expected: usize,
    },
}

impl From<ChannelError> for PartyError {
    fn from(error: ChannelError) -> Self {
        PartyError::Peer(Box::new(error))
    }
}

/// Bytes and rounds so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Payload bytes sent.
    pub sent: u64,
    /// Payload bytes received.
    pub received: u64,
    /// One-way delays that had to be waited for: a receive that follows a send counts one.
    pub rounds: u64,
}

/// One end of the link. Every frame's length is known to the receiver beforehand (it follows from
/// the circuit), so a peer cannot make it allocate. `phase` names the step, for errors and counters.
pub trait Channel: Send {
    /// Which side this end is.
    fn role(&self) -> Role;

    /// Sends a frame. Does not wait for the peer to read it (frames are queued), so both sides may
    /// send before either receives.
    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError>;

    /// Receives a frame of exactly `length` bytes.
    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError>;

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

    /// The session's identifier: enters every key derivation (protocol §8).
    fn session_id(&self) -> [u8; 32];

    /// What went over the link so far.
    fn traffic(&self) -> Traffic;
}
