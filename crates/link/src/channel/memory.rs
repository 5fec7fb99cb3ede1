//! Both ends in one process, for tests and benchmarks.

use super::{Channel, ChannelError, Fault, TrafficMeter};
use std::sync::mpsc::{Receiver, Sender, channel};
use twain_party::Role;

/// One end of a link within the process.
pub struct MemoryChannel {
    role: Role,
    session_id: [u8; 32],
    sender: Sender<Vec<u8>>,
    receiver: Receiver<Vec<u8>>,
    meter: TrafficMeter,
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
        meter: TrafficMeter::default(),
    };
    (end(Role::Model, to_data, from_data), end(Role::Data, to_model, from_model))
}

impl MemoryChannel {
    fn error(&self, phase: &'static str, fault: Fault) -> ChannelError {
        ChannelError { phase, peer: format!("the {:?} thread", self.role.other()), fault }
    }
}

impl Channel for MemoryChannel {
    fn role(&self) -> Role {
        self.role
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.meter.sent(phase, frame.len());
        self.sender.send(frame).map_err(|_| self.error(phase, Fault::Closed))
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        let frame = self.receiver.recv().map_err(|_| self.error(phase, Fault::Closed))?;
        if frame.len() != length {
            let fault = Fault::Length { got: frame.len() as u64, expected: length as u64 };
            return Err(self.error(phase, fault));
        }
        self.meter.received(phase, length);
        Ok(frame)
    }

    fn session_id(&self) -> [u8; 32] {
        self.session_id
    }

    fn meter(&self) -> &TrafficMeter {
        &self.meter
    }
}
