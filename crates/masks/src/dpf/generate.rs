//! Making digit masks by both parties, after Doerner and shelat: each holds one half of the
//! exclusive or of the index bits, knows its own tree down to the current level, and finds its half
//! of the level's correction from the sum over *all* its nodes (what is off the path cancels) and
//! one transfer in each direction, correlated by the trees' own difference.
//!
//! The payload's sign is the difference of the parties' counts of control bits. It is never opened
//! (it would halve the candidates for the index): modulo 4 it is an exclusive or of bits the
//! parties hold, and the last correction is made under it by one more transfer in each direction.
//!
//! Then the positions are compared with the index bits (`positions`), and the masks are put in an
//! order that a coin draws: what a peer has bet on in the comparison and won falls on uses at
//! random.
//!
//! A batch takes one message for the transfers, one a level, three for the last correction and four
//! for the comparison and the order, however many masks it has. *Private:* every message is a part
//! of a sum whose total, a correction word, is pseudorandom to both (protocol §1), or masked by a
//! pad, or a coin; or, of the comparison, minus what the peer sends.

use super::checked::Checked;
use super::mask::{DigitMask, PHASE};
use super::positions::{self, Transfers};
use super::tree::{DeriveKeys, LeafSums, MAX_DOMAIN_BITS, MaskKeys, Scratch, leaf_sums, level_sum};
use crate::error::Deviation;
use crate::ot::{Correlated, OtPair, PadUse};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use rayon::prelude::*;
use std::ops::Range;
use twain_link::bits::{exchange_blocks, pack_bits, unpack_bits};
use twain_link::channel::{Channel, Scheduled, exchanged};
use twain_link::commitment::{COMMITMENT_BYTES, Coin, Purpose};
use twain_party::{PartyError, Role};
use zeroize::Zeroizing;

const BLOCK_BYTES: usize = size_of::<u128>();

/// Makes a mask below `2^bits` for each entry of `domains` (1 to [`MAX_DOMAIN_BITS`] bits, the same
/// for both parties), numbered from `first_index` on, and puts them in an order that no one chose.
/// No number may be used twice in a session. An error if the masks are not what they should be;
/// then nothing of the session may be used.
pub fn generate(
    channel: &mut dyn Channel,
    ot: &mut OtPair,
    rng: &mut ChaCha20Rng,
    first_index: u64,
    domains: &[u8],
) -> Result<Vec<Checked<DigitMask>>, PartyError> {
    if domains.is_empty() {
        return Ok(Vec::new());
    }
    let made = make(channel, ot, rng, first_index, domains)?;
    let (totals, compared) = made.compare(channel, rng)?;
    if totals != [0, 0] {
        return Err(Deviation::Positions.into());
    }
    compared.into_order(channel)
}

/// The frames of [`generate`] for so many masks of each number of bits.
pub fn schedule(masks: &[usize]) -> impl Iterator<Item = Scheduled> {
    let bits: usize = masks.iter().enumerate().map(|(bits, count)| bits * count).sum();
    let deepest = masks.iter().rposition(|count| *count > 0).unwrap_or(0);
    let levels =
        (0..deepest).map(move |level| BLOCK_BYTES * masks[level + 1..].iter().sum::<usize>());
    let total: usize = masks.iter().sum();
    // Commitments, products and flips; the messages under pads; the last corrections.
    let products = 2 * COMMITMENT_BYTES + BLOCK_BYTES * bits + total.div_ceil(8);
    let last = [products, BLOCK_BYTES * total, BLOCK_BYTES * total];
    let [commitment, sums] = positions::COMPARISON_FRAMES;
    let check = [Coin::FRAME_BYTES, commitment, sums, Coin::FRAME_BYTES];
    let lengths = levels.chain(last).chain(check).filter(move |_| total > 0);
    OtPair::extension_schedule(bits + total).chain(lengths.flat_map(exchanged))
}

/// The transfers of a batch: this side's bits, and where each mask's index bits are. The transfer
/// after them is for its sign.
pub(super) struct Begun {
    choices: Zeroizing<Vec<u8>>,
    correlated: Correlated,
    masks: Vec<Range<usize>>,
}

impl Begun {
    pub fn new(
        channel: &mut dyn Channel,
        ot: &mut OtPair,
        rng: &mut ChaCha20Rng,
        domains: &[u8],
    ) -> Result<Self, PartyError> {
        if let Some(bits) = domains.iter().find(|&&bits| bits == 0 || bits > MAX_DOMAIN_BITS) {
            let message =
                format!("a digit mask of {bits} bits (1 to {MAX_DOMAIN_BITS} can be made)");
            return Err(PartyError::Unsupported(message));
        }
        let mut next = 0;
        let masks = domains.iter().map(|&bits| {
            let start = next;
            next += usize::from(bits) + 1;
            start..next - 1
        });
        let masks = masks.collect();
        let mut choices = Zeroizing::new(vec![0u8; next]);
        rng.fill_bytes(&mut choices);
        choices.iter_mut().for_each(|choice| *choice &= 1);
        let correlated = ot.extend(channel, rng, &choices)?;
        Ok(Self { choices, correlated, masks })
    }

    /// Makes the trees but for their last corrections. Other keys than [`MaskKeys::derive`]'s are
    /// for the test of why they are as they are.
    pub fn grow(
        &self,
        derive: DeriveKeys,
        channel: &mut dyn Channel,
        delta: u128,
        first_index: u64,
    ) -> Result<Vec<Growing>, PartyError> {
        let session = channel.session_id();
        let start = |(index, transfers): (u64, &Range<usize>)| {
            let keys = derive(&session, index);
            let root = delta ^ keys.offset;
            let corrections = Vec::with_capacity(transfers.len());
            let mask = DigitMask::started(session, index, root, corrections);
            Growing { mask, keys, transfers: transfers.clone(), sums: LeafSums::default() }
        };
        let mut growing: Vec<Growing> = (first_index..).zip(&self.masks).map(start).collect();
        let Self { choices, correlated, .. } = self;
        for level in 0..growing.iter().map(|g| g.transfers.len()).max().unwrap_or(0) {
            let alive = || growing.par_iter().filter(|g| g.transfers.len() > level);
            let own: Vec<u128> = alive()
                .map_init(Scratch::default, |scratch, g| {
                    let at = g.transfers.start + level;
                    let cipher = g.keys.cipher(level + 1);
                    let nodes = level_sum(&cipher, g.mask.root, &g.mask.corrections, scratch);
                    // The difference goes to the child that is not on the path: half of
                    // (1 - bit) * (delta_M ^ delta_D), of which the transfers give the cross terms.
                    let own_term = delta & u128::from(choices[at]).wrapping_sub(1);
                    nodes ^ own_term ^ correlated.sent[at] ^ correlated.received[at]
                })
                .collect();
            let theirs = exchange_blocks(channel, PHASE, &own)?;
            let alive = growing.iter_mut().filter(|g| g.transfers.len() > level);
            for (g, (own, theirs)) in alive.zip(own.iter().zip(&theirs)) {
                g.mask.corrections.push(own ^ theirs);
            }
        }
        growing.par_iter_mut().for_each_init(Scratch::default, |scratch, g| {
            let cipher = g.keys.cipher(g.transfers.len());
            g.sums = leaf_sums(&cipher, g.mask.root, &g.mask.corrections, scratch);
        });
        Ok(growing)
    }
}

/// A mask on its way.
pub(super) struct Growing {
    mask: DigitMask,
    /// Kept in place of their schedules, which would take eleven times the room in a whole batch.
    keys: MaskKeys,
    /// Of its index bits.
    transfers: Range<usize>,
    sums: LeafSums,
}

impl Growing {
    /// Number of the transfer for the sign.
    fn sign_transfer(&self) -> usize {
        self.transfers.end
    }
}

/// Masks whose positions have not been compared yet.
pub(super) struct Made {
    pub masks: Vec<DigitMask>,
    /// This side's shares of the positions as their index bits say, from the model's products and
    /// from the data's.
    pub by_sender: [Zeroizing<Vec<u128>>; 2],
    /// What gives the comparison its weights, and what draws the order afterwards.
    weights: Coin,
    order: Coin,
    /// The peer's commitments to the two.
    commitments: [[u8; COMMITMENT_BYTES]; 2],
    first_index: u64,
}

/// Everything up to the comparison.
pub(super) fn make(
    channel: &mut dyn Channel,
    ot: &mut OtPair,
    rng: &mut ChaCha20Rng,
    first_index: u64,
    domains: &[u8],
) -> Result<Made, PartyError> {
    let (role, session, delta) = (channel.role(), channel.session_id(), ot.delta());
    let begun = Begun::new(channel, ot, rng, domains)?;
    let growing = begun.grow(MaskKeys::derive, channel, delta, first_index)?;
    let Begun { choices, correlated, masks } = &begun;
    let transfers = Transfers { ot, choices, correlated, masks };

    let mut coin = |label| Coin::new(Purpose { label, session, counter: first_index }, role, rng);
    let (weights, order) = (coin("digit mask weights"), coin("digit mask order"));
    let sent = transfers.send_products();
    let flip = |g: &Growing| sign_half(role, g.sums.controls) ^ choices[g.sign_transfer()];
    let flips: Vec<u8> = growing.iter().map(flip).collect();
    let mut frame = [weights.commitment(), order.commitment()].concat();
    sent.words.iter().for_each(|word| frame.extend_from_slice(&word.to_le_bytes()));
    frame.extend(pack_bits(&flips));
    let length = frame.len();
    let theirs = channel.exchange(PHASE, frame, length)?;
    let (commitments, theirs) = theirs.split_at(2 * COMMITMENT_BYTES);
    let (words, flips) = theirs.split_at(BLOCK_BYTES * sent.words.len());
    let words: Vec<u128> = words
        .as_chunks::<BLOCK_BYTES>()
        .0
        .iter()
        .map(|bytes| u128::from_le_bytes(*bytes))
        .collect();
    let flips: Vec<u8> = unpack_bits(flips).take(growing.len()).collect();

    let received = transfers.receive_products(&words);
    let by_sender = match role {
        Role::Model => [sent.shares, received],
        Role::Data => [received, sent.shares],
    };
    let mut theirs = [[0; COMMITMENT_BYTES]; 2];
    theirs.as_flattened_mut().copy_from_slice(commitments);
    let masks = correct_leaves(channel, &transfers, growing, &flips)?;
    Ok(Made { masks, by_sender, weights, order, commitments: theirs, first_index })
}

impl Made {
    /// Compares the positions: see [`positions::compare`] for what comes first.
    pub fn compare(
        self,
        channel: &mut dyn Channel,
        rng: &mut ChaCha20Rng,
    ) -> Result<([u128; 2], Compared), PartyError> {
        let Made { masks, by_sender, weights, order, commitments, first_index } = self;
        let [of_weights, of_order] = commitments;
        // The peer has sent all that its masks are made from: it cannot fit them to the weights.
        let mut weights = weights.toss(channel, PHASE, &of_weights)?;
        let held = masks.iter().map(DigitMask::position);
        let held: Zeroizing<Vec<u128>> = Zeroizing::new(held.collect());
        let [by_model, by_data] = &by_sender;
        let shares = [&held[..], &by_model[..], &by_data[..]];
        let totals = positions::compare(channel, rng, &mut weights, first_index, shares)?;
        Ok((totals, Compared { masks, order, commitment: of_order }))
    }
}

/// Masks whose positions have been compared.
pub(super) struct Compared {
    masks: Vec<DigitMask>,
    order: Coin,
    commitment: [u8; COMMITMENT_BYTES],
}

impl Compared {
    /// Puts them in an order that was open until now: whoever has bet on a mask's bits and won does
    /// not know what the mask will be used for.
    pub fn into_order(
        self,
        channel: &mut dyn Channel,
    ) -> Result<Vec<Checked<DigitMask>>, PartyError> {
        let Compared { mut masks, order, commitment } = self;
        let mut order = order.toss(channel, PHASE, &commitment)?;
        for last in (1..masks.len()).rev() {
            let among = last as u128 + 1;
            let drawn = (u128::from(order.next_u64()) * among) >> u64::BITS;
            masks.swap(drawn as usize, last);
        }
        Ok(masks.into_iter().map(Checked::new).collect())
    }
}

/// This party's half of the sign's exponent: the payload enters with `(-1)^(half_M ^ half_D)`.
///
/// The counts `x` (model) and `y` (data) differ by the sign, so one of them is even; writing
/// `2 x1 + x0` for `x mod 4`, `x - y = 1 mod 4` exactly if `x1 ^ y1 ^ x0 = 1`.
pub(super) fn sign_half(role: Role, controls: u64) -> u8 {
    let high = (controls >> 1 & 1) as u8;
    match role {
        Role::Model => high ^ (controls & 1) as u8 ^ 1,
        Role::Data => high,
    }
}

fn negated_if(bit: u8, value: u128) -> u128 {
    let mask = 0u128.wrapping_sub(u128::from(bit));
    (value ^ mask).wrapping_sub(mask)
}

/// The last correction, `sign * (1 - sum_M + sum_D)` for the sums of the uncorrected shares.
fn correct_leaves(
    channel: &mut dyn Channel,
    transfers: &Transfers<'_>,
    growing: Vec<Growing>,
    peer_flips: &[u8],
) -> Result<Vec<DigitMask>, PartyError> {
    let Transfers { ot, choices, correlated, .. } = transfers;
    let role = channel.role();
    // As a sender: this party's summand times both halves of the sign, the peer's by its choice.
    let halves: Vec<(u128, u128)> = growing
        .par_iter()
        .zip(peer_flips)
        .map(|(g, &flip)| {
            let summand = match role {
                Role::Model => 1u128.wrapping_sub(g.sums.shares),
                Role::Data => g.sums.shares,
            };
            let value = negated_if(sign_half(role, g.sums.controls) ^ flip, summand);
            let at = g.sign_transfer();
            let index = correlated.first + at as u64;
            let [[zero], [one]] = ot.sender_pads(index, correlated.sent[at], PadUse::MaskSign);
            // The receiver's pad is its share for choice 0; for choice 1 the message moves it.
            let message = zero.wrapping_sub(value.wrapping_mul(2)).wrapping_sub(one);
            (message, value.wrapping_sub(zero))
        })
        .collect();
    let messages: Vec<u128> = halves.iter().map(|half| half.0).collect();
    let peer_messages = exchange_blocks(channel, PHASE, &messages)?;
    let own: Vec<u128> = growing
        .par_iter()
        .zip(&halves)
        .zip(&peer_messages)
        .map(|((g, half), message)| {
            let at = g.sign_transfer();
            let index = correlated.first + at as u64;
            let [pad] = ot.receiver_pad(index, correlated.received[at], PadUse::MaskSign);
            let chosen = message & 0u128.wrapping_sub(u128::from(choices[at]));
            half.1.wrapping_add(pad).wrapping_add(chosen)
        })
        .collect();
    let theirs = exchange_blocks(channel, PHASE, &own)?;
    let finish = |(g, (own, theirs)): (Growing, (&u128, &u128))| {
        g.mask.finish(role, own.wrapping_add(*theirs), &g.sums)
    };
    Ok(growing.into_iter().zip(own.iter().zip(&theirs)).map(finish).collect())
}
