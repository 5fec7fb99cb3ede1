//! Making digit masks by both parties, after Doerner and shelat: each holds one half of the exclusive
//! or of the index bits, knows its own tree down to the current level, and finds its half of the
//! level's correction from the sum over *all* its nodes (what is off the path cancels) and one
//! transfer in each direction, correlated by the trees' own difference.
//!
//! The payload's sign is the difference of the parties' counts of control bits. It is never opened
//! (it would halve the candidates for the index): modulo 4 it is an exclusive or of bits the parties
//! hold, and the last correction is made under it by one more transfer in each direction.
//!
//! A batch takes one message for the transfers, one a level and three for the last correction,
//! however many masks it has. *Private:* every message is a part of a sum whose total, a correction
//! word, is pseudorandom to both (protocol §1), or masked by a pad.

use super::tree::{DeriveKeys, LeafSums, MaskKeys, leaf_sums, level_sum};
use super::{DigitMask, MAX_DOMAIN_BITS, Scratch};
use crate::ot::{Correlated, OtPair, PadUse};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use rayon::prelude::*;
use twain_link::bits::{exchange_bits, exchange_blocks};
use twain_link::channel::{Channel, Scheduled, exchanged};
use twain_party::{PartyError, Role};
use zeroize::Zeroizing;

pub(super) const PHASE: &str = "digit masks";

/// Makes a mask below `2^bits` for each entry of `domains` (1 to [`MAX_DOMAIN_BITS`] bits, the same
/// for both parties), numbered from `first_index` on. No number may be used twice in a session.
pub fn generate(
    channel: &mut dyn Channel,
    ot: &mut OtPair,
    rng: &mut ChaCha20Rng,
    first_index: u64,
    domains: &[u8],
) -> Result<Vec<DigitMask>, PartyError> {
    generate_under(MaskKeys::derive, channel, ot, rng, first_index, domains)
}

/// [`generate`] under given keys: there are others in the test of why they are as they are.
pub(super) fn generate_under(
    derive: DeriveKeys,
    channel: &mut dyn Channel,
    ot: &mut OtPair,
    rng: &mut ChaCha20Rng,
    first_index: u64,
    domains: &[u8],
) -> Result<Vec<DigitMask>, PartyError> {
    if let Some(bits) = domains.iter().find(|&&bits| bits == 0 || bits > MAX_DOMAIN_BITS) {
        let message = format!("a digit mask of {bits} bits (1 to {MAX_DOMAIN_BITS} can be made)");
        return Err(PartyError::Unsupported(message));
    }
    let (role, session, delta) = (channel.role(), channel.session_id(), ot.delta());
    // A transfer per index bit, most significant first, and one for the sign.
    let transfers: usize = domains.iter().map(|&bits| usize::from(bits) + 1).sum();
    let mut choices = Zeroizing::new(vec![0u8; transfers]);
    rng.fill_bytes(&mut choices);
    choices.iter_mut().for_each(|choice| *choice &= 1);
    let correlated = ot.extend(channel, &choices)?;

    let mut start = 0;
    let mut growing: Vec<Growing> = Vec::with_capacity(domains.len());
    for (i, &bits) in domains.iter().enumerate() {
        let index = first_index + i as u64;
        let (keys, bits) = (derive(&session, index), usize::from(bits));
        let root = delta ^ keys.offset;
        let mask = DigitMask::started(session, index, root, Vec::with_capacity(bits));
        growing.push(Growing { mask, keys, bits, start, sums: None });
        start += bits + 1;
    }
    for level in 0..growing.iter().map(|g| g.bits).max().unwrap_or(0) {
        let alive = || growing.par_iter().filter(|g| g.bits > level);
        let own: Vec<u128> = alive()
            .map_init(Scratch::default, |scratch, g| {
                let at = g.start + level;
                let cipher = g.keys.cipher(level + 1);
                let nodes = level_sum(&cipher, g.mask.root, &g.mask.corrections, scratch);
                // The difference goes to the child that is not on the path: half of
                // (1 - bit) * (delta_M ^ delta_D), of which the transfers give the cross terms.
                let own_term = delta & u128::from(choices[at]).wrapping_sub(1);
                nodes ^ own_term ^ correlated.sent[at] ^ correlated.received[at]
            })
            .collect();
        let theirs = exchange_blocks(channel, PHASE, &own)?;
        let alive = growing.iter_mut().filter(|g| g.bits > level);
        for (g, (own, theirs)) in alive.zip(own.iter().zip(&theirs)) {
            g.mask.corrections.push(own ^ theirs);
        }
    }
    growing.par_iter_mut().for_each_init(Scratch::default, |scratch, g| {
        let cipher = g.keys.cipher(g.bits);
        g.sums = Some(leaf_sums(&cipher, g.mask.root, &g.mask.corrections, scratch));
    });
    correct_leaves(channel, ot, &choices, &correlated, growing, role)
}

/// The frames of [`generate`] for so many masks of each number of bits.
pub fn schedule(masks: &[usize]) -> impl Iterator<Item = Scheduled> {
    const BLOCK: usize = size_of::<u128>();
    let transfers = masks.iter().enumerate().map(|(bits, count)| (bits + 1) * count).sum();
    let deepest = masks.iter().rposition(|count| *count > 0).unwrap_or(0);
    let levels = (0..deepest).map(move |level| BLOCK * masks[level + 1..].iter().sum::<usize>());
    let total: usize = masks.iter().sum();
    // The signs' flips, the messages under pads, the last corrections.
    let last = [total.div_ceil(8), BLOCK * total, BLOCK * total];
    let lengths = levels.chain(last).filter(|bytes| *bytes > 0).flat_map(exchanged);
    OtPair::extension_schedule(transfers).chain(lengths)
}

/// A mask on its way.
struct Growing {
    mask: DigitMask,
    /// Kept in place of their schedules, which would take eleven times the room in a whole batch.
    keys: MaskKeys,
    bits: usize,
    /// Its first transfer.
    start: usize,
    sums: Option<LeafSums>,
}

impl Growing {
    /// Number of the transfer for the sign.
    fn sign_transfer(&self) -> usize {
        self.start + self.bits
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
    ot: &OtPair,
    choices: &[u8],
    correlated: &Correlated,
    growing: Vec<Growing>,
    role: Role,
) -> Result<Vec<DigitMask>, PartyError> {
    let sums = |g: &Growing| {
        let default = LeafSums::default();
        let sums = g.sums.as_ref().unwrap_or(&default);
        (sign_half(role, sums.controls), sums.shares)
    };
    let flips: Vec<u8> = growing.iter().map(|g| sums(g).0 ^ choices[g.sign_transfer()]).collect();
    let peer_flips = exchange_bits(channel, PHASE, &flips)?;

    // As a sender: this party's summand times both halves of the sign, the peer's by its choice.
    let pad = |bytes: [u8; 64]| -> u128 { u128::from_le_bytes(std::array::from_fn(|i| bytes[i])) };
    let halves: Vec<(u128, u128)> = growing
        .par_iter()
        .zip(&peer_flips)
        .map(|(g, &flip)| {
            let (half, shares) = sums(g);
            let summand = match role {
                Role::Model => 1u128.wrapping_sub(shares),
                Role::Data => shares,
            };
            let value = negated_if(half ^ flip, summand);
            let at = g.sign_transfer();
            let index = correlated.first + at as u64;
            let [zero, one] = ot.sender_pads(index, correlated.sent[at], PadUse::MaskSign).map(pad);
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
            let bytes = ot.receiver_pad(index, correlated.received[at], PadUse::MaskSign);
            let chosen = message & 0u128.wrapping_sub(u128::from(choices[at]));
            half.1.wrapping_add(pad(bytes)).wrapping_add(chosen)
        })
        .collect();
    let theirs = exchange_blocks(channel, PHASE, &own)?;
    let finish = |(g, (own, theirs)): (Growing, (&u128, &u128))| {
        g.mask.finish(role, own.wrapping_add(*theirs), &g.sums.unwrap_or_default())
    };
    Ok(growing.into_iter().zip(own.iter().zip(&theirs)).map(finish).collect())
}
