//! Oblivious linear evaluation from ring-LWE encryption, made while the proof runs (protocol §2).
//!
//! Block by block of the [`Layout`]: the encryptor sends fresh encryptions of its operands, the other
//! side draws a mask `v`, its share, and answers with `Σ Enc(a_i)·b_i - v`, whose decryption is the
//! encryptor's share. Both sides encrypt their own blocks and answer the other's at the same time, one
//! block ahead, so both directions of the link fill.
//!
//! *Private:* the evaluator sees encryptions (ring-LWE); the encryptor sees answers, each with its own
//! mask, encryption of zero and flood, as long as the session's [`twain_rlwe::FloodBudget`] lasts. Keys are
//! drawn afresh for each session and not stored. Lengths follow from the groups alone.

use super::packing::{Block, Component, Layout, Run};
use super::{OleGroup, OleSource, check_operands};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};
use std::iter::repeat_n;
use twain_algebra::Fr;
use twain_link::channel::{Channel, Scheduled, Way, exchanged};
use twain_party::{PartyError, Role, Shares};
use twain_rlwe::{
    ANSWER_BYTES, Answer, Encryption, Evaluator, FRESH_BYTES, PublicKey, Request, SLOTS, SecretKey,
    uniform_scalars,
};

/// Answers made at a time: bounds the memory a block takes.
const ANSWERS_AT_ONCE: usize = 8;

/// One party's end.
pub struct BgvOle {
    rng: ChaCha20Rng,
    keys: Option<Keys>,
}

/// What a session uses.
struct Keys {
    session: [u8; 32],
    own: SecretKey,
    peer: Evaluator,
    /// Number of the peer's next encryption.
    next_counter: u64,
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> PartyError {
    PartyError::Peer(Box::new(error))
}

/// The uniform halves of one encryptor's ciphertexts hang on this.
fn ring_session(session: &[u8; 32], encryptor: Role) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"twain OLE ring-LWE session");
    hash.update(session);
    hash.update([encryptor as u8]);
    hash.finalize().into()
}

impl BgvOle {
    /// An end whose keys, errors, masks and floods come from `rng`. Seed it with the session id and
    /// the role beside the secret seed (protocol §14), so that a cloned machine diverges.
    pub fn new(rng: ChaCha20Rng) -> Self {
        Self { rng, keys: None }
    }

    /// The frames of a call with this layout on `role`'s side, with the keys if the session is
    /// `keyless` and the call needs any.
    pub(super) fn schedule(layout: &Layout, role: Role, keyless: &mut bool) -> Vec<Scheduled> {
        let steps = steps(layout, role);
        let keys = !steps.is_empty() && std::mem::take(keyless);
        let keys = keys.then(|| exchanged(FRESH_BYTES)).into_iter().flatten();
        let frames = |step| match step {
            Step::Encrypt(block) => repeat_n((Way::Sent, FRESH_BYTES), block.encryptions),
            Step::Answer(block) => repeat_n((Way::Sent, ANSWER_BYTES), block.answers),
            Step::TakeEncryptions(block) => {
                repeat_n((Way::Received, FRESH_BYTES), block.encryptions)
            }
            Step::TakeAnswers(block) => repeat_n((Way::Received, ANSWER_BYTES), block.answers),
        };
        keys.chain(steps.into_iter().flat_map(frames)).collect()
    }

    /// The session's keys: on its first use, both sides draw one and send the public half.
    fn keys(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
    ) -> Result<(&mut Keys, &mut ChaCha20Rng), PartyError> {
        let session = channel.session_id();
        let keys = match self.keys.take() {
            Some(keys) if keys.session == session => keys,
            _ => {
                let role = channel.role();
                let (own, public) =
                    SecretKey::generate(ring_session(&session, role), &mut self.rng);
                let theirs = channel.exchange(phase, public.to_bytes(), FRESH_BYTES)?;
                let theirs = PublicKey::from_bytes(&theirs).map_err(failed)?;
                let peer = Evaluator::new(ring_session(&session, role.other()), theirs);
                Keys { session, own, peer, next_counter: 1 }
            }
        };
        Ok((self.keys.insert(keys), &mut self.rng))
    }
}

impl BgvOle {
    /// [`OleSource::inner_products`] of operands that fit the groups, laid out as they are.
    pub(super) fn with_layout(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        groups: &[OleGroup],
        layout: &Layout,
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let role = channel.role();
        let outputs = groups.iter().map(|group| Shares::zero(group.length)).collect();
        if !layout.blocks.is_empty() {
            let (keys, rng) = self.keys(channel, phase)?;
            let mut call = Call { role, phase, operands, groups, layout, keys, rng, outputs };
            return call.run(channel);
        }
        Ok(into_vectors(outputs))
    }
}

impl OleSource for BgvOle {
    fn inner_products(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        check_operands(channel.role(), operands, groups)?;
        self.with_layout(channel, phase, operands, groups, &Layout::new(groups))
    }
}

fn into_vectors(shares: Vec<Shares>) -> Vec<Vec<Fr>> {
    shares.into_iter().map(|shares| shares.to_vec()).collect()
}

/// What an end does with a block in its turn.
enum Step<'l> {
    Encrypt(&'l Block),
    TakeEncryptions(&'l Block),
    Answer(&'l Block),
    TakeAnswers(&'l Block),
}

/// The steps of a call on `role`'s side. On the wire, each way: the encryptions of block 0; then, step
/// by step, those of the next block and the answers to the peer's block of this step.
fn steps(layout: &Layout, role: Role) -> Vec<Step<'_>> {
    let (own, theirs) = (layout.blocks_of(role), layout.blocks_of(role.other()));
    let mut steps = Vec::new();
    steps.extend(own.first().copied().map(Step::Encrypt));
    steps.extend(theirs.first().copied().map(Step::TakeEncryptions));
    for step in 0..own.len().max(theirs.len()) {
        steps.extend(own.get(step + 1).copied().map(Step::Encrypt));
        steps.extend(theirs.get(step).copied().map(Step::Answer));
        steps.extend(theirs.get(step + 1).copied().map(Step::TakeEncryptions));
        steps.extend(own.get(step).copied().map(Step::TakeAnswers));
    }
    steps
}

/// One call of [`OleSource::inner_products`].
struct Call<'a> {
    role: Role,
    phase: &'static str,
    operands: &'a [&'a [Fr]],
    groups: &'a [OleGroup],
    layout: &'a Layout,
    keys: &'a mut Keys,
    rng: &'a mut ChaCha20Rng,
    outputs: Vec<Shares>,
}

impl Call<'_> {
    fn run(&mut self, channel: &mut dyn Channel) -> Result<Vec<Vec<Fr>>, PartyError> {
        let mut received = Vec::new();
        for step in steps(self.layout, self.role) {
            match step {
                Step::Encrypt(block) => self.send_encryptions(channel, block)?,
                Step::TakeEncryptions(block) => {
                    received = self.receive_encryptions(channel, block)?;
                }
                Step::Answer(block) => self.answer(channel, block, &received)?,
                Step::TakeAnswers(block) => self.receive_answers(channel, block)?,
            }
        }
        Ok(into_vectors(std::mem::take(&mut self.outputs)))
    }

    fn component(&self, run: &Run) -> &Component {
        &self.layout.components[run.component]
    }

    fn send_encryptions(
        &mut self,
        channel: &mut dyn Channel,
        block: &Block,
    ) -> Result<(), PartyError> {
        let mut plaintexts = vec![Shares::zero(SLOTS); block.encryptions];
        for (encryption, plaintext) in plaintexts.iter_mut().enumerate() {
            for run in &block.runs {
                if let Some(operand) = self.component(run).operand(self.role, run.lane, encryption)
                {
                    let values = &self.operands[operand as usize][run.element..][..run.length];
                    plaintext[run.slot..][..run.length].copy_from_slice(values);
                }
            }
        }
        let slices: Vec<&[Fr]> = plaintexts.iter().map(|plaintext| &plaintext[..]).collect();
        for encryption in self.keys.own.encrypt(&slices, self.rng).map_err(failed)? {
            channel.send(self.phase, encryption.to_bytes())?;
        }
        Ok(())
    }

    /// The messages, in the order of their counters.
    fn receive_encryptions(
        &mut self,
        channel: &mut dyn Channel,
        block: &Block,
    ) -> Result<Vec<(u64, Vec<u8>)>, PartyError> {
        let count = block.encryptions as u64;
        let first = self.keys.next_counter;
        self.keys.next_counter += count;
        let receive = |counter| Ok((counter, channel.receive(self.phase, FRESH_BYTES)?));
        (first..first + count).map(receive).collect()
    }

    fn answer(
        &mut self,
        channel: &mut dyn Channel,
        block: &Block,
        received: &[(u64, Vec<u8>)],
    ) -> Result<(), PartyError> {
        let read = |(counter, bytes): &(u64, Vec<u8>)| Encryption::from_bytes(*counter, bytes);
        let encryptions = received.iter().map(read).collect::<Result<Vec<_>, _>>();
        let encryptions = encryptions.map_err(failed)?;
        let all: Vec<usize> = (0..block.answers).collect();
        for answers in all.chunks(ANSWERS_AT_ONCE) {
            let mut masks = Vec::new();
            let mut multipliers = Vec::new();
            for &answer in answers {
                let mut mask = Shares::zero(SLOTS);
                uniform_scalars(self.rng, &mut mask);
                self.add_outputs(block, answer, &mask);
                masks.push(mask);
                let multiplier = |e| self.multiplier(block, answer, e);
                multipliers.push((0..block.encryptions).map(multiplier).collect::<Vec<_>>());
            }
            let mut requests = Vec::new();
            for (mask, multipliers) in masks.iter().zip(&multipliers) {
                let products = encryptions.iter().zip(multipliers);
                let products = products.filter_map(|(e, b)| Some((e, &b.as_ref()?[..])));
                requests.push(Request { products: products.collect(), mask });
            }
            for answer in self.keys.peer.answer(&requests, self.rng).map_err(failed)? {
                channel.send(self.phase, answer.to_bytes())?;
            }
        }
        Ok(())
    }

    /// What encryption `encryption` is multiplied by in answer `answer`: this party's operands beside
    /// the encrypted ones. `None` if no slot has any, which follows from the layout.
    fn multiplier(&self, block: &Block, answer: usize, encryption: usize) -> Option<Shares> {
        let mut slots = None;
        for run in &block.runs {
            let component = self.component(run);
            let (Some(&group), Some(encrypted)) = (
                component.groups.get(answer),
                component.operand(block.encryptor, run.lane, encryption),
            ) else {
                continue;
            };
            for &(model, data) in &self.groups[group].terms {
                let pair = [model, data];
                let here = component.has_on_lane(run.lane, model);
                if here && pair[block.encryptor as usize] == encrypted {
                    let own = self.operands[pair[self.role as usize] as usize];
                    let slots = slots.get_or_insert_with(|| Shares::zero(SLOTS));
                    let slots = &mut slots[run.slot..][..run.length];
                    for (slot, value) in slots.iter_mut().zip(&own[run.element..]) {
                        *slot += value;
                    }
                }
            }
        }
        slots
    }

    fn receive_answers(
        &mut self,
        channel: &mut dyn Channel,
        block: &Block,
    ) -> Result<(), PartyError> {
        for answer in 0..block.answers {
            let bytes = channel.receive(self.phase, ANSWER_BYTES)?;
            let message = Answer::from_bytes(&bytes).map_err(failed)?;
            let slots = Shares::new(self.keys.own.decrypt(&message));
            self.add_outputs(block, answer, &slots);
        }
        Ok(())
    }

    /// Adds the slots of an answer, or of its mask, to the outputs they belong to.
    fn add_outputs(&mut self, block: &Block, answer: usize, slots: &[Fr]) {
        for run in &block.runs {
            let component = &self.layout.components[run.component];
            if let Some(&group) = component.groups.get(answer) {
                let output = &mut self.outputs[group][run.element..][..run.length];
                for (sum, slot) in output.iter_mut().zip(&slots[run.slot..]) {
                    *sum += slot;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ideal_pair;
    use ff::Field;
    use rand_core::SeedableRng;
    use twain_link::channel::{Traffic, memory_pair};

    type Sides<T> = [T; 2];

    /// Runs both parties; returns their shares and the model's traffic.
    fn run(
        sources: Sides<&mut dyn OleSource>,
        session: u8,
        operands: &Sides<Vec<Vec<Fr>>>,
        groups: &[OleGroup],
    ) -> (Sides<Vec<Vec<Fr>>>, Traffic) {
        let (mut model, mut data) = memory_pair([session; 32]);
        let [model_source, data_source] = sources;
        let slices = |side: usize| operands[side].iter().map(Vec::as_slice).collect::<Vec<_>>();
        let datas = slices(1);
        std::thread::scope(|scope| {
            let theirs = scope.spawn(move || {
                data_source.inner_products(&mut data, "test", &datas, groups).unwrap()
            });
            let own = model_source.inner_products(&mut model, "test", &slices(0), groups).unwrap();
            ([own, theirs.join().unwrap()], model.traffic())
        })
    }

    fn sources(seed: u64) -> Sides<BgvOle> {
        [seed, seed + 1].map(|seed| BgvOle::new(ChaCha20Rng::seed_from_u64(seed)))
    }

    fn random(seed: u64, lengths: &[usize]) -> Vec<Vec<Fr>> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let vector = |&length| {
            let mut values = vec![Fr::ZERO; length];
            uniform_scalars(&mut rng, &mut values);
            values
        };
        lengths.iter().map(vector).collect()
    }

    fn group(length: usize, terms: &[(u32, u32)]) -> OleGroup {
        OleGroup { length, terms: terms.to_vec() }
    }

    /// Shares add up to what the ideal functionality's add up to.
    fn agrees_with_the_ideal(groups: &[OleGroup], lengths: &[usize]) {
        let operands = [random(11, lengths), random(12, lengths)];
        let [mut model, mut data] = sources(21);
        let (real, _) = run([&mut model, &mut data], 1, &operands, groups);
        let (mut model, mut data) = ideal_pair(5);
        let (ideal, _) = run([&mut model, &mut data], 1, &operands, groups);
        for index in 0..groups.len() {
            let sum = |sides: &Sides<Vec<Vec<Fr>>>| -> Vec<Fr> {
                let pairs = sides[0][index].iter().zip(&sides[1][index]);
                pairs.map(|(a, b)| a + b).collect()
            };
            assert!(sum(&real) == sum(&ideal), "group {index}");
            assert!(real[0][index].iter().all(|share| *share != Fr::ZERO), "shares are masked");
        }
    }

    #[test]
    fn agrees_at_every_length() {
        for length in [0, 1, 77, SLOTS, SLOTS + 1] {
            agrees_with_the_ideal(&[group(length, &[(0, 0), (1, 1)])], &[length, length]);
        }
        agrees_with_the_ideal(&[], &[]);
    }

    #[test]
    fn agrees_on_shared_operands_sums_and_folds() {
        // One against many, both ways; the same pair twice; an operand with itself beside others.
        let lengths = [40, 40, 40, 9];
        let groups = [
            group(40, &[(0, 0)]),
            group(40, &[(0, 1)]),
            group(40, &[(0, 2), (1, 2), (1, 2)]),
            group(9, &[(3, 3)]),
            group(0, &[]),
            group(40, &[(2, 0), (2, 2), (0, 0)]),
        ];
        let operands = lengths;
        agrees_with_the_ideal(&groups, &operands);
        // A dot product of 50 terms is folded.
        let terms: Vec<_> = (0..50).map(|i| (i, 49 - i)).collect();
        agrees_with_the_ideal(&[group(700, &terms)], &[700; 50]);
        // Long ones take several blocks in both directions.
        agrees_with_the_ideal(
            &[group(2 * SLOTS + 5, &[(0, 0)]), group(2 * SLOTS + 5, &[(0, 1), (1, 0)])],
            &[2 * SLOTS + 5; 2],
        );
    }

    #[test]
    fn messages_have_the_same_lengths_whatever_the_operands_and_keys_last_a_session() {
        let groups = [group(300, &[(0, 0), (1, 1)])];
        let [mut model, mut data] = sources(31);
        let random = [random(13, &[300; 2]), random(14, &[300; 2])];
        let (_, first) = run([&mut model, &mut data], 1, &random, &groups);
        let (shares, again) = run([&mut model, &mut data], 1, &random, &groups);
        assert_eq!(first.sent - again.sent, FRESH_BYTES as u64, "the public key is sent once");
        let zeros = [(); 2].map(|()| vec![vec![Fr::ZERO; 300]; 2]);
        let (zero, quiet) = run([&mut model, &mut data], 1, &zeros, &groups);
        assert_eq!(quiet, again);
        assert!((0..300).all(|j| zero[0][0][j] == -zero[1][0][j] && zero[0][0][j] != Fr::ZERO));
        // Another session, other keys; the shares are fresh every time.
        let (other, new) = run([&mut model, &mut data], 2, &random, &groups);
        assert_eq!(new.sent, first.sent);
        assert_ne!(other[0], shares[0]);
    }

    #[test]
    fn mistakes_and_malformed_messages_are_errors() {
        let (mut model, mut data) = memory_pair([1; 32]);
        let [mut source, _] = sources(41);
        let operand = vec![Fr::ONE; 3];
        for terms in [[(0, 0)], [(1, 0)]] {
            let result =
                source.inner_products(&mut model, "test", &[&operand], &[group(4, &terms)]);
            assert!(matches!(result, Err(PartyError::Peer(_))));
        }
        // A public key whose residues are out of range.
        data.send("test", vec![0xff; FRESH_BYTES]).unwrap();
        let error = source
            .inner_products(&mut model, "test", &[&operand], &[group(3, &[(0, 0)])])
            .unwrap_err();
        assert!(error.to_string().contains("not below its prime"), "{error}");
    }
}
