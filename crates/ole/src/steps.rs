//! What either side does in a call, and the frames that go with it (protocol §2.1).
//!
//! Block by block, a batch of them at a time: keys and fresh encryptions, the five moves of the
//! batch's proof, and only then answers. Both sides encrypt their own batches and answer the
//! other's at the same time. The next batch's encryptions follow the answers to the one before.

use super::packing::{Batch, Layout, proof_bytes};
use std::iter::repeat_n;
use twain_link::channel::{Scheduled, Way};
use twain_party::Role;
use twain_rlwe::bounds::ROWS;
use twain_rlwe::proof::{CHALLENGE_BYTES, COMMITMENT_BYTES};
use twain_rlwe::{ANSWER_BYTES, FRESH_BYTES};

/// What an end does in its turn, with one of its batches or the other's.
pub enum Step<'l> {
    /// Public keys that begin in the batch, and encryptions, in the order of its parts.
    Encrypt(&'l Batch<'l>),
    TakeEncryptions(&'l Batch<'l>),
    /// Draws the weights of the peer's batch.
    Weigh,
    /// Fixes the masks of its own.
    Commit,
    /// Draws the challenges of the peer's batch.
    Challenge,
    /// Responds for its own.
    Respond(&'l Batch<'l>),
    /// Verifies the peer's responses: before this, nothing depends on its encryptions.
    Verify(&'l Batch<'l>),
    Answer(&'l Batch<'l>),
    TakeAnswers(&'l Batch<'l>),
}

/// The steps of a call whose batches these are, one's own and the other side's.
pub fn steps<'l>(own: &'l [Batch<'l>], theirs: &'l [Batch<'l>]) -> Vec<Step<'l>> {
    let mut steps = Vec::new();
    steps.extend(own.first().map(Step::Encrypt));
    steps.extend(theirs.first().map(Step::TakeEncryptions));
    for turn in 0..own.len().max(theirs.len()) {
        let (is_ours, is_theirs) = (turn < own.len(), turn < theirs.len());
        steps.extend(is_theirs.then_some(Step::Weigh));
        steps.extend(is_ours.then_some(Step::Commit));
        steps.extend(is_theirs.then_some(Step::Challenge));
        steps.extend(own.get(turn).map(Step::Respond));
        steps.extend(theirs.get(turn).map(Step::Verify));
        // All that is long is sent after one receive and taken in before the next send: what one
        // side still has to send when both wait in a send would never leave it.
        steps.extend(theirs.get(turn).map(Step::Answer));
        steps.extend(own.get(turn + 1).map(Step::Encrypt));
        steps.extend(own.get(turn).map(Step::TakeAnswers));
        steps.extend(theirs.get(turn + 1).map(Step::TakeEncryptions));
    }
    steps
}

/// The frames of a call on `role`'s side.
pub fn schedule(layout: &Layout, role: Role) -> Vec<Scheduled> {
    let (own, theirs) = (layout.batches_of(role), layout.batches_of(role.other()));
    steps(&own, &theirs).iter().flat_map(frames).collect()
}

/// The frames of a step.
fn frames(step: &Step<'_>) -> Vec<Scheduled> {
    let encryptions = |way, batch: &Batch<'_>| {
        repeat_n((way, FRESH_BYTES), batch.new_keys() + batch.encryptions()).collect()
    };
    let answers = |way, batch: &Batch<'_>| {
        repeat_n((way, ANSWER_BYTES), batch.blocks().map(|block| block.answers).sum()).collect()
    };
    let responses =
        |way, batch: &Batch<'_>| repeat_n((way, proof_bytes(batch.parts.len()) / ROWS), ROWS);
    match step {
        Step::Encrypt(batch) => encryptions(Way::Sent, batch),
        Step::TakeEncryptions(batch) => encryptions(Way::Received, batch),
        Step::Weigh => vec![(Way::Sent, CHALLENGE_BYTES)],
        Step::Commit => vec![(Way::Received, CHALLENGE_BYTES), (Way::Sent, COMMITMENT_BYTES)],
        Step::Challenge => vec![(Way::Received, COMMITMENT_BYTES), (Way::Sent, CHALLENGE_BYTES)],
        Step::Respond(batch) => {
            let challenge = [(Way::Received, CHALLENGE_BYTES)];
            challenge.into_iter().chain(responses(Way::Sent, batch)).collect()
        }
        Step::Verify(batch) => responses(Way::Received, batch).collect(),
        Step::Answer(batch) => answers(Way::Sent, batch),
        Step::TakeAnswers(batch) => answers(Way::Received, batch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OleGroup, Products};
    use twain_rlwe::SLOTS;

    /// What a link takes in that nobody asked for, and queues before a send waits
    /// (`link::channel::tls`).
    const LIMIT: usize = 64 << 20;

    /// A side in the middle of its frames: bytes that it has queued, those of them sent since it
    /// last received, and bytes that have come in.
    #[derive(Default)]
    struct Side {
        frames: Vec<Scheduled>,
        next: usize,
        outbound: usize,
        sent: usize,
        inbound: usize,
    }

    impl Side {
        fn wanted(&self) -> usize {
            match self.frames.get(self.next) {
                Some((Way::Received, bytes)) => *bytes,
                _ => 0,
            }
        }

        fn reads(&self) -> bool {
            self.inbound < LIMIT.max(self.wanted())
        }

        /// Takes the next step of its program, if it need not wait.
        fn goes_on(&mut self) -> bool {
            let counts = if self.reads() { 0 } else { self.sent };
            match self.frames.get(self.next) {
                Some((Way::Sent, bytes)) if self.outbound.saturating_sub(counts) < LIMIT => {
                    self.outbound += bytes;
                    self.sent += bytes;
                }
                Some((Way::Received, bytes)) if self.inbound >= *bytes => {
                    self.inbound -= bytes;
                    self.sent = 0;
                }
                _ => return false,
            }
            self.next += 1;
            true
        }
    }

    /// Whether both sides come to the end over a link with bounded queues.
    fn finishes(frames: [Vec<Scheduled>; 2]) -> bool {
        const CHUNK: usize = 1 << 20;
        let mut sides = frames.map(|frames| Side { frames, ..Side::default() });
        loop {
            let mut moved = false;
            for side in 0..2 {
                while sides[side].goes_on() {
                    moved = true;
                }
                if sides[1 - side].reads() && sides[side].outbound > 0 {
                    let bytes = CHUNK.min(sides[side].outbound);
                    sides[side].outbound -= bytes;
                    sides[1 - side].inbound += bytes;
                    moved = true;
                }
            }
            if !moved {
                return sides.iter().all(|side| side.next == side.frames.len());
            }
        }
    }

    /// Batches of hundreds of megabytes in both directions, more than any queue holds.
    #[test]
    fn no_side_waits_for_the_other_for_ever() {
        for blocks in [1, 24, 64, 90] {
            let terms = (0..12).map(|term| (term, term)).collect();
            let products = Products::from(vec![OleGroup { length: blocks * SLOTS, terms }]);
            let layout = Layout::new(&products);
            let frames = [Role::Model, Role::Data].map(|role| schedule(&layout, role));
            assert!(finishes(frames), "{blocks} blocks");
        }
    }
}
