//! A link on which a protocol's frames go by its schedule, which is also what is counted beforehand: a
//! protocol and a schedule that do not agree end in their first run. In: a link and the frames. Out: the
//! same link for the protocol.

use super::{Channel, ChannelError, Fault, Scheduled, TrafficMeter, Way};
use twain_party::{PartyError, Role};

/// One end of a link, and the frames that are still to go over it.
pub struct OnSchedule<C, I> {
    inner: C,
    frames: I,
}

impl<C: Channel, I: Iterator<Item = Scheduled>> OnSchedule<C, I> {
    /// Only these frames may go, in their order.
    pub fn new(inner: C, frames: I) -> Self {
        Self { inner, frames }
    }

    /// The protocol is over.
    ///
    /// # Errors
    /// [`PartyError::Bug`] if there are frames left.
    pub fn finish(mut self) -> Result<(), PartyError> {
        match self.frames.next() {
            None => Ok(()),
            Some(_) => Err(PartyError::Bug("a protocol sends less than its schedule says")),
        }
    }

    fn follow(&mut self, phase: &'static str, frame: Scheduled) -> Result<(), ChannelError> {
        match self.frames.next() == Some(frame) {
            true => Ok(()),
            false => {
                Err(ChannelError { phase, peer: "the peer".into(), fault: Fault::Unscheduled })
            }
        }
    }
}

impl<C: Channel, I: Iterator<Item = Scheduled> + Send> Channel for OnSchedule<C, I> {
    fn role(&self) -> Role {
        self.inner.role()
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.follow(phase, (Way::Sent, frame.len()))?;
        self.inner.send(phase, frame)
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        self.follow(phase, (Way::Received, length))?;
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
    use crate::channel::{exchanged, memory_pair};

    #[test]
    fn only_what_is_scheduled_goes_and_all_of_it() {
        let (model, mut data) = memory_pair([0; 32]);
        data.send("a", vec![1; 3]).expect("queued");
        let mut model = OnSchedule::new(model, exchanged(3).into_iter().chain(exchanged(2)));
        assert_eq!(model.exchange("a", vec![2; 3], 3).expect("sent"), [1; 3]);
        let fault = |result: Result<_, ChannelError>| result.map(drop).expect_err("refused").fault;
        assert_eq!(fault(model.receive("a", 2)), Fault::Unscheduled);
        assert_eq!(fault(model.send("a", vec![0; 2]).map(|()| Vec::new())), Fault::Unscheduled);
        let (model, _data) = memory_pair([0; 32]);
        let mut model = OnSchedule::new(model, exchanged(3).into_iter());
        assert_eq!(fault(model.send("a", vec![0; 4]).map(|()| Vec::new())), Fault::Unscheduled);
        assert!(matches!(model.finish(), Err(PartyError::Bug(_))));
    }
}
