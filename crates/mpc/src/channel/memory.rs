//! Both ends in one process, for tests and benchmarks.

use super::{Channel, ChannelError, Traffic};
use std::sync::mpsc::{Receiver, Sender, channel};
use twain_party::Role;

/// One end of a link within the process.
pub struct MemoryChannel {
    role: Role,
    session_id: [u8; 32],
    sender: Sender<Vec<u8>>,
    receiver: Receiver<Vec<u8>>,
    traffic: Traffic,
    sent_since_receive: bool,
}

/// A link within the process: the model's end and the data's end.
pub fn memory_pair(session_id: [u8; 32]) -> (MemoryChannel, MemoryChannel) {
    let (to_data, from_model) = channel();
    let (to_model, from_data) = channel();
    let end = |role, sender, receiver| MemoryChannel {
        role,
        session_id,
        sender,
        receiver,
        traffic: Traffic::default(),
        sent_since_receive: true,
    };
    (end(Role::Model, to_data, from_data), end(Role::Data, to_model, from_model))
}

impl Channel for MemoryChannel {
    fn role(&self) -> Role {
        self.role
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.traffic.sent += frame.len() as u64;
        self.sent_since_receive = true;
        self.sender.send(frame).map_err(|_| ChannelError::Closed { phase })
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        let frame = self.receiver.recv().map_err(|_| ChannelError::Closed { phase })?;
        if frame.len() != length {
            return Err(ChannelError::Length { phase, got: frame.len(), expected: length });
        }
        self.traffic.received += length as u64;
        self.traffic.rounds += u64::from(std::mem::take(&mut self.sent_since_receive));
        Ok(frame)
    }

    fn session_id(&self) -> [u8; 32] {
        self.session_id
    }

    fn traffic(&self) -> Traffic {
        self.traffic
    }
}
