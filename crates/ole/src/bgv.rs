//! Oblivious linear evaluation from ring-LWE encryption, made while the proof runs (protocol §2).
//!
//! Block by block of the [`Layout`]: the encryptor sends keys and fresh encryptions of its operands
//! and proves that they are some, the other side draws a mask `v`, its share, and answers with
//! `Σ Enc(a_i)·b_i - v`, whose decryption is the encryptor's share. The order of the messages is in
//! [`super::steps`].
//!
//! *Private:* the evaluator sees encryptions (ring-LWE) and proofs; the encryptor sees answers,
//! each with its own mask, encryption of zero and flood, as long as the session's
//! [`twain_rlwe::FloodBudget`] lasts, whatever the encryptor sent. Keys are drawn afresh for each
//! call, and more than one for products at many points; they are forgotten when the call is over.
//! Lengths follow from what is multiplied alone.

use super::components::Component;
use super::keys::{Keys, failed};
use super::packing::{Batch, Block, Layout, Run, proof_bytes};
use super::steps::{Step, steps};
use super::{OleGroup, OleSource, Products, check_operands};
use rand_chacha::ChaCha20Rng;
use std::ops::Range;
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_party::{PartyError, Role, Shares};
use twain_rlwe::bounds::ROWS;
use twain_rlwe::proof::{CHALLENGE_BYTES, COMMITMENT_BYTES, Verified};
use twain_rlwe::{ANSWER_BYTES, Answer, FRESH_BYTES, Request, SLOTS, uniform_scalars};

/// Answers made at a time: bounds the memory a block takes.
const ANSWERS_AT_ONCE: usize = 8;

/// One party's end.
pub struct BgvOle {
    rng: ChaCha20Rng,
    keys: Option<Keys>,
}

impl BgvOle {
    /// An end whose keys, errors, masks, floods and challenges come from `rng`. Seed it with the
    /// session id and the role beside the secret seed (protocol §14), so that a cloned machine
    /// diverges.
    pub fn new(rng: ChaCha20Rng) -> Self {
        Self { rng, keys: None }
    }

    /// [`OleSource::inner_products_of`] of operands that fit, laid out as they are.
    pub(super) fn with_layout(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        products: &Products,
        layout: &Layout,
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let (role, session) = (channel.role(), channel.session_id());
        let groups: Vec<&OleGroup> = products.groups().collect();
        let outputs = groups.iter().map(|group| Shares::zero(group.length)).collect();
        if layout.blocks.is_empty() {
            return Ok(into_vectors(outputs));
        }
        let kept = self.keys.take().filter(|keys| *keys.session() == session);
        let keys = self.keys.insert(kept.unwrap_or_else(|| Keys::new(session, role)));
        let rng = &mut self.rng;
        let made = Call { role, phase, operands, groups, layout, keys, rng, outputs }.run(channel);
        keys.end_call();
        made
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
        self.inner_products_of(channel, phase, operands, &groups.to_vec().into())
    }

    fn inner_products_of(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        products: &Products,
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        check_operands(channel.role(), operands, products.groups())?;
        self.with_layout(channel, phase, operands, products, &Layout::new(products))
    }
}

fn into_vectors(shares: Vec<Shares>) -> Vec<Vec<Fr>> {
    shares.into_iter().map(|shares| shares.to_vec()).collect()
}

/// One call of [`OleSource::inner_products_of`].
struct Call<'a> {
    role: Role,
    phase: &'static str,
    operands: &'a [&'a [Fr]],
    groups: Vec<&'a OleGroup>,
    layout: &'a Layout,
    keys: &'a mut Keys,
    rng: &'a mut ChaCha20Rng,
    outputs: Vec<Shares>,
}

impl Call<'_> {
    fn run(&mut self, channel: &mut dyn Channel) -> Result<Vec<Vec<Fr>>, PartyError> {
        let phase = self.phase;
        let mut proved = None;
        let layout = self.layout;
        let (own, theirs) = (layout.batches_of(self.role), layout.batches_of(self.role.other()));
        for step in steps(&own, &theirs) {
            match step {
                Step::Encrypt(batch) => self.send_encryptions(channel, batch)?,
                Step::TakeEncryptions(batch) => self.take_encryptions(channel, batch)?,
                Step::Weigh => channel.send(phase, self.keys.weigh(self.rng)?)?,
                Step::Commit => {
                    let weights = channel.receive(phase, CHALLENGE_BYTES)?;
                    channel.send(phase, self.keys.commit(&weights, self.rng)?)?;
                }
                Step::Challenge => {
                    let commitment = channel.receive(phase, COMMITMENT_BYTES)?;
                    channel.send(phase, self.keys.challenge(&commitment, self.rng)?)?;
                }
                Step::Respond(_) => {
                    let challenge = channel.receive(phase, CHALLENGE_BYTES)?;
                    for response in self.keys.respond(&challenge)? {
                        channel.send(phase, response)?;
                    }
                }
                Step::Verify(batch) => {
                    let mut responses = Vec::with_capacity(ROWS);
                    for _ in 0..ROWS {
                        let length = proof_bytes(batch.parts.len()) / ROWS;
                        responses.push(channel.receive(phase, length)?);
                    }
                    proved = Some(self.keys.verify(&responses)?);
                }
                Step::Answer(batch) => {
                    let Some(proved) = proved.take() else { continue };
                    self.answer_batch(channel, batch, proved)?;
                }
                Step::TakeAnswers(batch) => {
                    for block in batch.blocks() {
                        self.receive_answers(channel, block)?;
                    }
                }
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
        batch: &Batch<'_>,
    ) -> Result<(), PartyError> {
        for part in &batch.parts {
            if part.is_new {
                channel.send(self.phase, self.keys.make_key(self.rng).to_bytes())?;
            }
            for block in &part.blocks {
                let plaintexts = self.plaintexts(block);
                let slices: Vec<&[Fr]> =
                    plaintexts.iter().map(|plaintext| &plaintext[..]).collect();
                for encryption in self.keys.encrypt(part.key, &slices, self.rng)? {
                    channel.send(self.phase, encryption.to_bytes())?;
                }
            }
        }
        Ok(())
    }

    fn take_encryptions(
        &mut self,
        channel: &mut dyn Channel,
        batch: &Batch<'_>,
    ) -> Result<(), PartyError> {
        for part in &batch.parts {
            if part.is_new {
                self.keys.take_key(&channel.receive(self.phase, FRESH_BYTES)?)?;
            }
            let count: usize = part.blocks.iter().map(|block| block.encryptions).sum();
            for _ in 0..count {
                let bytes = channel.receive(self.phase, FRESH_BYTES)?;
                self.keys.take_encryption(part.key, &bytes)?;
            }
        }
        Ok(())
    }

    fn plaintexts(&self, block: &Block) -> Vec<Shares> {
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
        plaintexts
    }

    /// Answers what was proved, block by block.
    fn answer_batch(
        &mut self,
        channel: &mut dyn Channel,
        batch: &Batch<'_>,
        proved: Vec<Verified>,
    ) -> Result<(), PartyError> {
        for (part, proved) in batch.parts.iter().zip(&proved) {
            let mut first = 0;
            for block in &part.blocks {
                let of_block = first..first + block.encryptions;
                first = of_block.end;
                self.answer(channel, block, proved, of_block)?;
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        channel: &mut dyn Channel,
        block: &Block,
        proved: &Verified,
        of_block: Range<usize>,
    ) -> Result<(), PartyError> {
        let encryptions = &proved.encryptions[of_block];
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
                requests.push(Request { key: &proved.key, products: products.collect(), mask });
            }
            for answer in self.keys.evaluator.answer(&requests, self.rng).map_err(failed)? {
                channel.send(self.phase, answer.to_bytes())?;
            }
        }
        Ok(())
    }

    /// What encryption `encryption` is multiplied by in answer `answer`: this party's operands
    /// beside the encrypted ones. `None` if no slot has any, which follows from the layout.
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
            let slots = Shares::new(self.keys.decrypt(block.key, &message)?);
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
    fn messages_have_the_same_lengths_whatever_the_operands() {
        let groups = [group(300, &[(0, 0), (1, 1)])];
        let [mut model, mut data] = sources(31);
        let random = [random(13, &[300; 2]), random(14, &[300; 2])];
        let (_, first) = run([&mut model, &mut data], 1, &random, &groups);
        let (shares, again) = run([&mut model, &mut data], 1, &random, &groups);
        assert_eq!(first, again, "each call has its keys");
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
        model.send("test", vec![0xff; FRESH_BYTES]).unwrap();
        let [_, mut source] = sources(41);
        let error = source
            .inner_products(&mut data, "test", &[&operand], &[group(3, &[(0, 0)])])
            .unwrap_err();
        assert!(error.to_string().contains("not below its prime"), "{error}");
    }
}
