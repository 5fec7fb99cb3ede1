//! A peer that changes any one of its frames in any simple way is found, and what the honest side
//! has sent until then is what it would have sent anyway.

mod common;

use common::*;
use ff::Field;
use std::collections::BTreeSet;
use std::sync::Mutex;
use twain_algebra::Fr;
use twain_link::channel::{
    Channel, ChannelError, Frame, MemoryChannel, Recorder, TrafficMeter, Way, memory_pair,
};
use twain_link::scalars::{decode_scalars, encode_scalars};
use twain_party::Role;

/// What is done to a frame. Frames are bytes, scalars, or both.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    /// A bit of the first and of the last byte flips.
    FirstBit,
    LastBit,
    /// One is added to the first or to the last scalar.
    FirstScalar,
    LastScalar,
    /// All bytes are 0.
    Zero,
    /// The first two blocks of 32 bytes change places.
    Swap,
    /// It is an earlier frame of this length.
    Replay,
    /// It is the last frame of this length that came from the other side.
    Reflect,
}

const CHANGES: [Change; 8] = [
    Change::FirstBit,
    Change::LastBit,
    Change::FirstScalar,
    Change::LastScalar,
    Change::Zero,
    Change::Swap,
    Change::Replay,
    Change::Reflect,
];

/// The end of a peer that changes the frame numbered `at`.
struct Deviant {
    inner: MemoryChannel,
    at: Option<(usize, Change)>,
    sent: Vec<Vec<u8>>,
    received: Vec<Vec<u8>>,
    /// The phase of the frame that was changed.
    changed: Option<&'static str>,
}

impl Deviant {
    fn new(inner: MemoryChannel, at: Option<(usize, Change)>) -> Self {
        Self { inner, at, sent: Vec::new(), received: Vec::new(), changed: None }
    }

    fn apply(&self, change: Change, frame: &[u8]) -> Vec<u8> {
        let mut frame = frame.to_vec();
        let same_length = |frames: &[Vec<u8>]| {
            frames.iter().rev().find(|other| other.len() == frame.len()).cloned()
        };
        let add_one = |frame: &[u8], last: bool| {
            let Ok(mut scalars) = decode_scalars(frame, "test") else { return frame.to_vec() };
            let place = if last { scalars.len() - 1 } else { 0 };
            scalars[place] += Fr::ONE;
            encode_scalars(&scalars)
        };
        match change {
            Change::FirstBit => frame[0] ^= 1,
            Change::LastBit => {
                let start = frame.len() - 32;
                frame[start] ^= 2;
            }
            Change::FirstScalar => return add_one(&frame, false),
            Change::LastScalar => return add_one(&frame, true),
            Change::Zero => frame.fill(0),
            Change::Swap if frame.len() >= 64 => {
                let (one, other) = frame.split_at_mut(32);
                one.swap_with_slice(&mut other[..32]);
            }
            Change::Swap => {}
            Change::Replay => return same_length(&self.sent).unwrap_or(frame),
            Change::Reflect => return same_length(&self.received).unwrap_or(frame),
        }
        frame
    }
}

impl Channel for Deviant {
    fn role(&self) -> Role {
        self.inner.role()
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        let number = self.sent.len();
        let mut out = frame.clone();
        if let Some((at, change)) = self.at
            && at == number
        {
            out = self.apply(change, &frame);
            self.changed = (out != frame).then_some(phase);
        }
        self.sent.push(frame);
        self.inner.send(phase, out)
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        let frame = self.inner.receive(phase, length)?;
        self.received.push(frame.clone());
        Ok(frame)
    }

    fn session_id(&self) -> [u8; 32] {
        self.inner.session_id()
    }

    fn meter(&self) -> &TrafficMeter {
        self.inner.meter()
    }
}

/// All kinds of messages there are, but for those of sources of tags and of products.
const PHASES: [&str; 11] = [
    "audit of tags",
    "check of triples",
    "coins of tags",
    "equal keys",
    "everything",
    "inverses of lookups",
    "proof about own values",
    "random multiples",
    "tagged inputs",
    "tagged products",
    "zero test",
];

/// How often the honest side may send after it has received a changed frame of this phase, the
/// `nth` of it: not at all if it is checked at once; freely if it is the commitment to coins, which
/// is looked at when they are shown, or an input, which whatever is computed with it will refute.
/// The sum for equal keys is refuted by the tag, a commitment and a tag later, and the commitment
/// of that test when it is opened, a tag and an opening later.
fn frames_after(phase: &str, nth: usize) -> usize {
    match (phase, nth) {
        ("coins of tags", 0) | ("tagged inputs", _) => usize::MAX,
        ("equal keys", 0 | 1) => 2,
        _ => 0,
    }
}

#[test]
fn every_change_of_every_frame_ends_the_session() {
    let secrets = [Fr::from(5), Fr::from(7)];
    let side = |mut channel: Recorder<MemoryChannel>, end: End| {
        everything(&mut channel, end, secrets)?;
        Ok(channel.frames().to_vec())
    };
    let (model, data) = memory_pair([7; 32]);
    let honest = succeed(run_over((Recorder::new(model), Recorder::new(data)), ends(1), side));
    let phases: BTreeSet<&str> = honest.iter().flatten().map(|frame| frame.phase).collect();
    assert_eq!(phases.into_iter().collect::<Vec<_>>(), PHASES);

    let mut covered = BTreeSet::new();
    for cheater in [Role::Model, Role::Data] {
        let sent = honest[cheater as usize].iter().filter(|frame| frame.way == Way::Sent);
        for ((at, frame), change) in sent.clone().enumerate().flat_map(|f| CHANGES.map(|c| (f, c)))
        {
            let changed = Mutex::new(None);
            let seen = Mutex::new(Vec::new());
            let results = run_over(memory_pair([7; 32]), ends(1), |channel, end: End| {
                if end.role == cheater {
                    let mut channel = Deviant::new(channel, Some((at, change)));
                    let result = everything(&mut channel, end, secrets);
                    *changed.lock().unwrap() = channel.changed;
                    return result;
                }
                let mut channel = Recorder::new(channel);
                let result = everything(&mut channel, end, secrets);
                *seen.lock().unwrap() = channel.frames().to_vec();
                result
            });
            let Some(phase) = *changed.lock().unwrap() else { continue };
            assert_eq!(phase, frame.phase);
            let what = format!("{cheater:?}, frame {at} ({phase}), {change:?}");
            let [model, data] = results.map(|result| result.err().map(|error| error.to_string()));
            let error = if cheater == Role::Model { data } else { model };
            let error = error.unwrap_or_else(|| panic!("not found: {what}"));
            let by_itself = ["session has ended", "malformed"];
            assert!(by_itself.iter().any(|text| error.contains(text)), "{what}: {error}");
            covered.insert(phase);
            let seen = seen.into_inner().unwrap();
            let is_changed = |(_, frame): &(usize, &Frame)| frame.way == Way::Received;
            let received = seen.iter().enumerate().filter(is_changed).nth(at);
            let (place, _) = received.unwrap_or_else(|| panic!("not received: {what}"));
            let after = seen[place + 1..].iter().filter(|frame| frame.way == Way::Sent).count();
            let nth = sent.clone().take(at).filter(|frame| frame.phase == phase).count();
            assert!(after <= frames_after(phase, nth), "{what}: {after} frames after it");
        }
    }
    assert_eq!(covered.into_iter().collect::<Vec<_>>(), PHASES);
}
