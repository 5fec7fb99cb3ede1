//! A peer made of an honest one's frames, changed where fuzzed bytes say so.
//!
//! A session is run once with both sides honest, in which each side's received frames and inner
//! products (made by an ideal third party) are noted. With the same seeds, one side alone then goes
//! the same way on the noted frames. Fuzzed bytes are a byte that chooses the side, then edits of
//! 16 bytes each ([`Edit`]).

use crate::memory::{measure, within};
use std::sync::{Arc, Mutex};
use std::thread;
use twain_algebra::Fr;
use twain_link::channel::{
    Channel, ChannelError, Fault, MemoryChannel, Recorder, TrafficMeter, Way, memory_pair,
};
use twain_ole::{IdealOle, OleGroup, OleSource, ideal_pair};
use twain_party::{PartyError, Role};

const SESSION_ID: [u8; 32] = [7; 32];

/// One side of a protocol. Deterministic.
pub type Side = fn(&mut dyn Channel, Box<dyn OleSource>) -> Result<(), String>;

/// A session of two honest sides.
pub struct Session {
    side: Side,
    heard: [Heard; 2],
    /// Bytes a side may take, whatever its peer says.
    memory: [usize; 2],
}

/// What a side heard from its honest peer.
#[derive(Default)]
struct Heard {
    frames: Vec<Vec<u8>>,
    inner_products: Arc<Mutex<Vec<Vec<Vec<Fr>>>>>,
}

impl Session {
    /// Runs both sides, then each alone to see that it goes the same way, and what memory it takes.
    pub fn record(side: Side) -> Self {
        let (model, data) = memory_pair(SESSION_ID);
        let (model_ole, data_ole) = ideal_pair(1);
        let run = |inner: MemoryChannel, ole: IdealOle| {
            let mut heard = Heard::default();
            let noted = NotedOle { inner: ole, notes: heard.inner_products.clone() };
            let mut channel = Recorder::new(inner);
            side(&mut channel, Box::new(noted)).expect("honest sides agree");
            let received = channel.frames().iter().filter(|frame| frame.way == Way::Received);
            heard.frames = received.map(|frame| frame.bytes.clone()).collect();
            heard
        };
        let heard = thread::scope(|scope| {
            let data = scope.spawn(move || run(data, data_ole));
            let model = run(model, model_ole);
            [model, data.join().expect("the data's side")]
        });
        let mut session = Self { side, heard, memory: [0; 2] };
        for role in [Role::Model, Role::Data] {
            // Twice: the first run also fills tables that stay. Threads share the work differently
            // each time, hence the allowance; a frame that is made longer may exist twice.
            let frames = session.heard[role as usize].frames.iter();
            let longest = frames.map(Vec::len).max().unwrap_or(0);
            for _ in 0..2 {
                let (result, peak) = measure(|| session.run(role, &[]));
                result.expect("the noted frames are those of an honest peer");
                session.memory[role as usize] = peak + peak / 2 + longest + (1 << 20);
            }
        }
        session
    }

    /// Runs the side that the first of `bytes` chooses against a peer that the others change.
    pub fn attack(&self, bytes: &[u8]) {
        let Some((&first, edits)) = bytes.split_first() else { return };
        let role = if first & 1 == 0 { Role::Model } else { Role::Data };
        let edits: Vec<Edit> = edits.as_chunks::<16>().0.iter().map(Edit::decode).collect();
        let _ = within(self.memory[role as usize], || self.run(role, &edits));
    }

    fn run(&self, role: Role, edits: &[Edit]) -> Result<(), String> {
        let Heard { frames, inner_products } = &self.heard[role as usize];
        let noted = inner_products.lock().map_err(|error| error.to_string())?;
        let ole = ReplayedOle { noted: noted.clone().into_iter() };
        let meter = TrafficMeter::default();
        let mut peer = ScriptedPeer { role, frames, edits, next: 0, meter };
        (self.side)(&mut peer, Box::new(ole))
    }
}

/// A change of one frame.
struct Edit {
    kind: u8,
    value: u8,
    frame: u16,
    place: u32,
    number: [u8; 8],
}

impl Edit {
    fn decode(bytes: &[u8; 16]) -> Self {
        let [kind, value, frame @ .., _, _, _, _, _, _, _, _, _, _, _, _] = *bytes;
        let [_, _, _, _, place @ .., _, _, _, _, _, _, _, _] = *bytes;
        let [_, _, _, _, _, _, _, _, number @ ..] = *bytes;
        let (frame, place) = (u16::from_le_bytes(frame), u32::from_le_bytes(place));
        Self { kind, value, frame, place, number }
    }

    /// Applies it; false if the peer ends the session instead of sending this frame.
    fn apply(&self, frame: &mut Vec<u8>, frames: &[Vec<u8>]) -> bool {
        let place = self.place as usize % frame.len().max(1);
        match self.kind % 8 {
            0 | 1 => frame.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= self.value),
            2 => frame.iter_mut().skip(place).zip(self.number).for_each(|(b, n)| *b = n),
            3 => frame[place..].fill(self.value),
            4 => frame.truncate(place),
            5 => {
                frame.reserve_exact(usize::from(self.value));
                frame.resize(frame.len() + usize::from(self.value), 0);
            }
            6 => frame.clone_from(&frames[self.place as usize % frames.len()]),
            _ => return false,
        }
        true
    }
}

/// The peer's end as this side sees it.
struct ScriptedPeer<'a> {
    role: Role,
    frames: &'a [Vec<u8>],
    edits: &'a [Edit],
    next: usize,
    meter: TrafficMeter,
}

impl Channel for ScriptedPeer<'_> {
    fn role(&self) -> Role {
        self.role
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.meter.sent(phase, frame.len());
        Ok(())
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        let index = self.next;
        self.next += 1;
        let failed = |fault| ChannelError { phase, peer: "the script".into(), fault };
        let mut frame = self.frames.get(index).ok_or_else(|| failed(Fault::Closed))?.clone();
        for edit in
            self.edits.iter().filter(|edit| usize::from(edit.frame) % self.frames.len() == index)
        {
            if !edit.apply(&mut frame, self.frames) {
                return Err(failed(Fault::Closed));
            }
        }
        if frame.len() != length {
            let (got, expected) = (frame.len() as u64, length as u64);
            return Err(failed(Fault::Length { got, expected }));
        }
        self.meter.received(phase, length);
        Ok(frame)
    }

    fn session_id(&self) -> [u8; 32] {
        SESSION_ID
    }

    fn meter(&self) -> &TrafficMeter {
        &self.meter
    }
}

/// An ideal source that notes what it gives.
struct NotedOle {
    inner: IdealOle,
    notes: Arc<Mutex<Vec<Vec<Vec<Fr>>>>>,
}

impl OleSource for NotedOle {
    fn inner_products(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let shares = self.inner.inner_products(channel, phase, operands, groups)?;
        self.notes.lock().expect("one thread").push(shares.clone());
        Ok(shares)
    }
}

/// Gives what was noted: its lengths follow from the circuit, not from what the peer says.
struct ReplayedOle {
    noted: std::vec::IntoIter<Vec<Vec<Fr>>>,
}

impl OleSource for ReplayedOle {
    fn inner_products(
        &mut self,
        _: &mut dyn Channel,
        _: &'static str,
        _: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let shares = self.noted.next().expect("as many calls as with an honest peer");
        assert_eq!(shares.len(), groups.len(), "the peer changes what is multiplied");
        assert!(shares.iter().zip(groups).all(|(share, group)| share.len() == group.length));
        Ok(shares)
    }
}
