//! Why every level of a mask has a key of its own: an attack on one key for all levels, by a peer
//! that sends its part of each level's correction only after it has seen the other's. It needs no
//! other deviation, the honest side notices nothing, and afterwards every digit it masks is open.
//!
//! Notation: H is the honest side, C the cheater, `d_H`, `d_C` their differences, `D = d_H ^ d_C`
//! what C lacks (its lowest bit is 1). A mask's index has bits `b_i = b_H,i ^ b_C,i`, `h_i` is the
//! hash of level `i`.
//!
//! 1. *What a word says.* H's part of the correction of level `i` is the sum (exclusive or) of
//!    `h_i` over all its nodes, plus `(1 ^ b_H,i) d_H` and its two blocks of the transfers. Added
//!    to C's own part without C's nodes, that leaves `Y_i`: the sum of `h_i` over H's nodes, plus
//!    `(1 ^ b_i) D`.
//! 2. *One node is unknown.* At each level all of H's nodes but one can be known to C, and that
//!    one, `u`, is `o ^ D` with an `o` that C knows. At the root it is so: `o` is C's own root.
//!    Take the known nodes' hashes off `Y_i`: what is left is `Z = h_i(u) ^ (1 ^ b_i) D`. With the
//!    correction `c` (public, and of C's choice, as C speaks last) and the control bit `t` of `u`
//!    (lowest bit of `o`, changed), put `k = Z ^ t c`. The children of `u` are `h_i(u) ^ t c` and
//!    that plus `u`:
//!
//!    | `b_i` | left | right |
//!    |---|---|---|
//!    | 1 | `k` | `k ^ o ^ D` |
//!    | 0 | `k ^ D` | `k ^ o` |
//!
//! So for either value of `b_i`, which C has to guess, one child is known and the other one is the
//! `u` of the next level, with `k ^ o` or `k` for `o`.
//! 3. *It comes back.* If `t = 1`, C chooses `c = Z` (so `k = 0`) for the guess `b_i = 1`, or
//!    `c = Z ^ o` (so `k = o`) for `b_i = 0`. If the guess is right the next level's `u` is the
//!    same one, with the same control bit. Of two such levels
//!    `Z_i ^ Z_(i+1) = h_i(u) ^ h_(i+1)(u) ^ (b_i ^ b_(i+1)) D`. With one key the hashes cancel.
//!    What is left is 0, which shows that the bits are equal, or `D`.
//! 4. *If `t = 0`*, which is so at the data's root, `c` does not enter and `k = Z`. Then C guesses
//!    the bit for which the next `u` has the control bit 1: `o` is odd, so of `k ^ o` and `k` one
//!    is even.
//! 5. *Voting.* A wrong first guess leaves garbage, another for each mask, a right one `D`, for a
//!    half of the masks if H is the model's side, for a quarter if it is the data's (but for those
//!    whose remaining bits are equal). So `D` is what many masks name.
//! 6. *Reading.* With `D` all of H's nodes are known, of any mask: what is left of `Y_i` without
//!    their hashes is 0 or `D`, and that is `b_i`.
//!
//! With a key for each level `Z_i ^ Z_(i+1)` keeps two hashes of `u` under two keys: nothing
//! cancels, and every mask names something else. The attack below is the same code for both forms.

use super::generate::Begun;
use super::mask::PHASE;
use super::tree::{DeriveKeys, MaskKeys};
use crate::ot::OtPair;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use std::collections::HashMap;
use twain_link::channel::{Channel, MemoryChannel, run_pair};
use twain_party::{PartyError, Role};

const MASKS: usize = 200;
const BITS: usize = 7;
const SESSION: [u8; 32] = [7; 32]; // of `run_pair`

/// What the cheater has of one mask.
struct Target {
    keys: MaskKeys,
    /// Its own root.
    root: u128,
    /// Its own part of each level's correction, without its nodes.
    own_terms: [u128; BITS],
    /// Corrections as they came to be.
    corrections: Vec<u128>,
    /// `Y` of each level so far.
    words: Vec<u128>,
    /// The honest side's known nodes at this level, if all guesses are right.
    known: Vec<u128>,
    /// `o` of the unknown one.
    offset: u128,
    /// `Z` and the guessed bit of the level before, if the unknown node is to come back from there.
    before: Option<(u128, bool)>,
    /// What this mask says the difference is.
    vote: Option<u128>,
}

impl Target {
    fn new(keys: MaskKeys, difference: u128, own_terms: [u128; BITS]) -> Self {
        let root = difference ^ keys.offset;
        let (corrections, words, known) = (Vec::new(), Vec::new(), Vec::new());
        let (offset, before, vote) = (root, None, None);
        Self { keys, root, own_terms, corrections, words, known, offset, before, vote }
    }

    /// This side's part of the next level's correction, in answer to the other's.
    fn answer(&mut self, theirs: u128) -> u128 {
        let level = self.words.len();
        let cipher = self.keys.cipher(level + 1);
        let hash = cipher.level(level);
        let word = theirs ^ self.own_terms[level];
        self.words.push(word);

        let rest = word ^ hash.hash_sum(&self.known);
        let control = self.offset & 1 == 0;
        let guess = match self.before {
            Some((before, bit)) => {
                let difference = rest ^ before;
                if difference != 0 && self.vote.is_none() {
                    self.vote = Some(difference);
                }
                bit ^ (difference != 0)
            }
            None => control || (rest ^ self.offset) & 1 == 0,
        };
        let wanted = if guess { 0 } else { self.offset };
        let correction = rest ^ wanted;
        let base = if control { wanted } else { rest };

        let mut children = vec![0; 2 * self.known.len()];
        hash.next_level(correction, &self.known, &mut children);
        // Only sums over nodes are taken, so their order does not matter.
        children.push(if guess { base } else { base ^ self.offset });
        self.known = children;
        self.offset = if guess { base ^ self.offset } else { base };
        self.before = control.then_some((rest, guess));
        self.corrections.push(correction);
        correction ^ theirs
    }

    /// The mask's index, if `difference` is the two sides': else no level leaves 0 or that.
    fn read(&self, difference: u128) -> Option<usize> {
        let cipher = self.keys.cipher(BITS);
        let (mut nodes, mut index) = (vec![self.root ^ difference], 0);
        for (level, (word, correction)) in self.words.iter().zip(&self.corrections).enumerate() {
            let hash = cipher.level(level);
            let bit = match word ^ hash.hash_sum(&nodes) {
                0 => 1,
                rest if rest == difference => 0,
                _ => return None,
            };
            index = index << 1 | bit;
            let mut children = vec![0; 2 * nodes.len()];
            hash.next_level(*correction, &nodes, &mut children);
            nodes = children;
        }
        Some(index)
    }
}

/// The cheater's side of making [`MASKS`] masks: its transcript, and its own halves of the bits.
fn cheat(
    derive: DeriveKeys,
    channel: &mut dyn Channel,
    ot: &mut OtPair,
    rng: &mut ChaCha20Rng,
) -> Result<(Vec<Target>, Vec<u8>), PartyError> {
    let choices = draw_choices(rng);
    let correlated = ot.extend(channel, rng, &choices)?;
    let target = |mask: usize| {
        let own_term = |level| {
            let at = mask * (BITS + 1) + level;
            let own = if choices[at] == 0 { ot.delta() } else { 0 };
            own ^ correlated.sent[at] ^ correlated.received[at]
        };
        let keys = derive(&SESSION, mask as u64);
        Target::new(keys, ot.delta(), std::array::from_fn(own_term))
    };
    let mut targets: Vec<Target> = (0..MASKS).map(target).collect();
    for _ in 0..BITS {
        let theirs = channel.receive(PHASE, 16 * MASKS)?;
        let (words, _) = theirs.as_chunks::<16>();
        let answers = targets.iter_mut().zip(words);
        let answers = answers
            .flat_map(|(target, word)| target.answer(u128::from_le_bytes(*word)).to_le_bytes());
        channel.send(PHASE, answers.collect())?;
    }
    Ok((targets, choices))
}

/// A side's halves of the index bits and of the signs', as `Begun` draws them.
fn draw_choices(rng: &mut ChaCha20Rng) -> Vec<u8> {
    let mut choices = vec![0; MASKS * (BITS + 1)];
    rng.fill_bytes(&mut choices);
    choices.iter_mut().for_each(|choice| *choice &= 1);
    choices
}

/// What came of an attack.
struct Outcome {
    /// The two sides' difference, and the masks' indices.
    difference: u128,
    indices: Vec<usize>,
    /// What the cheater has.
    targets: Vec<Target>,
    /// What its masks say the difference is, and how many of them; most first.
    votes: Vec<(u128, usize)>,
}

impl Outcome {
    /// Masks whose index comes out if `difference` is taken for the two sides'.
    fn read(&self, difference: u128) -> usize {
        let read = |target: &Target| target.read(difference);
        let pairs = self.targets.iter().map(read).zip(&self.indices);
        pairs.filter(|(read, index)| *read == Some(**index)).count()
    }
}

/// An honest side, which grows trees, meets a cheater.
fn attack(derive: DeriveKeys, cheater: Role) -> Outcome {
    let side = |channel: &mut MemoryChannel, rng: &mut ChaCha20Rng| {
        let mut ot = OtPair::setup(channel, rng)?;
        if channel.role() == cheater {
            let (targets, choices) = cheat(derive, channel, &mut ot, rng)?;
            return Ok((ot.delta(), choices, targets));
        }
        let choices = draw_choices(&mut rng.clone());
        let domains = [BITS as u8; MASKS];
        let begun = Begun::new(channel, &mut ot, rng, &domains)?;
        let grown = begun.grow(derive, channel, ot.delta(), 0)?;
        assert_eq!(grown.len(), MASKS, "the honest side sees no fault");
        Ok((ot.delta(), choices, Vec::new()))
    };
    let (model, data) = run_pair(side);
    let of_mask = |(model, data): (&[u8], &[u8])| {
        let bits = model.iter().zip(data).take(BITS).map(|(model, data)| model ^ data);
        bits.fold(0, |index, bit| index << 1 | usize::from(bit))
    };
    let choices = model.1.chunks(BITS + 1).zip(data.1.chunks(BITS + 1));
    let indices = choices.map(of_mask).collect();
    let targets = if cheater == Role::Model { model.2 } else { data.2 };
    let mut counts = HashMap::new();
    for vote in targets.iter().filter_map(|target| target.vote) {
        *counts.entry(vote).or_insert(0) += 1;
    }
    let mut votes: Vec<(u128, usize)> = counts.into_iter().collect();
    votes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Outcome { difference: model.0 ^ data.0, indices, targets, votes }
}

/// With one key for all levels the difference wins by far, and all masks can be read.
#[test]
fn one_key_for_all_levels_gives_every_index_away() {
    // A half of the masks name the difference, or a quarter: less than 5 standard deviations off.
    for (cheater, expected) in [(Role::Data, 64..136), (Role::Model, 20..80)] {
        let outcome = attack(MaskKeys::derive_one_for_all_levels, cheater);
        let [(winner, count), (_, next), ..] = outcome.votes[..] else { panic!("too few votes") };
        assert_eq!(winner, outcome.difference, "{count} votes, the next has {next}");
        assert!(expected.contains(&count) && next == 1, "{count} votes, the next has {next}");
        assert_eq!(outcome.read(winner), MASKS);
    }
}

/// The same attack on the form that is used: every mask names something else, none of it right, and
/// nothing can be read. To who is told the difference the transcript does say everything.
#[test]
fn keys_of_levels_give_nothing_away() {
    for cheater in [Role::Model, Role::Data] {
        let outcome = attack(MaskKeys::derive, cheater);
        assert!(outcome.votes.len() > MASKS / 2, "there are guesses");
        for (vote, count) in &outcome.votes {
            assert_eq!(*count, 1, "no two masks agree");
            assert_ne!(*vote, outcome.difference);
            assert!(outcome.targets.iter().all(|target| target.read(*vote).is_none()));
        }
        assert_eq!(outcome.read(outcome.difference), MASKS);
    }
}
