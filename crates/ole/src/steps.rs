//! What either side does in a call, and the frames that go with it (protocol §2.1).
//!
//! Block by block, a batch of them at a time: fresh encryptions, the five moves of the batch's proof, and
//! only then answers. Both sides encrypt their own batches and answer the other's at the same time. The
//! next batch's encryptions are on their way while one is answered.

use super::packing::{Block, Layout};
use std::iter::repeat_n;
use twain_link::channel::{Scheduled, Way};
use twain_party::Role;
use twain_rlwe::bounds::{ROWS, response_bytes};
use twain_rlwe::proof::{CHALLENGE_BYTES, COMMITMENT_BYTES};
use twain_rlwe::{ANSWER_BYTES, FRESH_BYTES};

/// Blocks about which one proof is made.
pub type Batch<'l> = Vec<&'l Block>;

/// What an end does in its turn.
pub enum Step<'l> {
    /// Sends its public key, before its first encryptions of a session.
    SendKey,
    TakeKey,
    Encrypt(Batch<'l>),
    TakeEncryptions(Batch<'l>),
    /// Draws the weights of the peer's batch.
    Weigh,
    /// Fixes the masks of its own.
    Commit,
    /// Draws the challenges of the peer's batch.
    Challenge,
    /// Responds for its own.
    Respond,
    /// Verifies the peer's responses: before this, nothing depends on its encryptions.
    Verify,
    Answer(Batch<'l>),
    TakeAnswers(Batch<'l>),
}

/// The steps of a call on `role`'s side; `keyless` says whose keys have not been sent yet.
pub fn steps<'l>(layout: &'l Layout, role: Role, keyless: &mut [bool; 2]) -> Vec<Step<'l>> {
    let (own, theirs) = (layout.batches_of(role), layout.batches_of(role.other()));
    let needs_key =
        |batches: &[Batch<'_>], keyless: &mut bool| !batches.is_empty() && std::mem::take(keyless);
    let mut steps = Vec::new();
    if needs_key(&own, &mut keyless[role as usize]) {
        steps.push(Step::SendKey);
    }
    steps.extend(own.first().cloned().map(Step::Encrypt));
    if needs_key(&theirs, &mut keyless[role.other() as usize]) {
        steps.push(Step::TakeKey);
    }
    steps.extend(theirs.first().cloned().map(Step::TakeEncryptions));
    for turn in 0..own.len().max(theirs.len()) {
        let (is_ours, is_theirs) = (turn < own.len(), turn < theirs.len());
        steps.extend(is_theirs.then_some(Step::Weigh));
        steps.extend(is_ours.then_some(Step::Commit));
        steps.extend(is_theirs.then_some(Step::Challenge));
        steps.extend(is_ours.then_some(Step::Respond));
        steps.extend(own.get(turn + 1).cloned().map(Step::Encrypt));
        steps.extend(is_theirs.then_some(Step::Verify));
        steps.extend(theirs.get(turn).cloned().map(Step::Answer));
        steps.extend(theirs.get(turn + 1).cloned().map(Step::TakeEncryptions));
        steps.extend(own.get(turn).cloned().map(Step::TakeAnswers));
    }
    steps
}

/// The frames of a step.
pub fn frames(step: &Step<'_>) -> Vec<Scheduled> {
    let encryptions =
        |way, batch: &Batch<'_>| repeat_n((way, FRESH_BYTES), encryptions(batch)).collect();
    let answers = |way, batch: &Batch<'_>| {
        repeat_n((way, ANSWER_BYTES), batch.iter().map(|block| block.answers).sum()).collect()
    };
    match step {
        Step::SendKey => vec![(Way::Sent, FRESH_BYTES)],
        Step::TakeKey => vec![(Way::Received, FRESH_BYTES)],
        Step::Encrypt(batch) => encryptions(Way::Sent, batch),
        Step::TakeEncryptions(batch) => encryptions(Way::Received, batch),
        Step::Weigh => vec![(Way::Sent, CHALLENGE_BYTES)],
        Step::Commit => vec![(Way::Received, CHALLENGE_BYTES), (Way::Sent, COMMITMENT_BYTES)],
        Step::Challenge => vec![(Way::Received, COMMITMENT_BYTES), (Way::Sent, CHALLENGE_BYTES)],
        Step::Respond => {
            let responses = repeat_n((Way::Sent, response_bytes(1)), ROWS);
            [(Way::Received, CHALLENGE_BYTES)].into_iter().chain(responses).collect()
        }
        Step::Verify => vec![(Way::Received, response_bytes(1)); ROWS],
        Step::Answer(batch) => answers(Way::Sent, batch),
        Step::TakeAnswers(batch) => answers(Way::Received, batch),
    }
}

/// Encryptions of a batch.
pub fn encryptions(batch: &Batch<'_>) -> usize {
    batch.iter().map(|block| block.encryptions).sum()
}
