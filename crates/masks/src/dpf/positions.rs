//! Whether digit masks hold the positions that their index bits say (protocol §6).
//!
//! A peer can make a tree whose vector is 0 everywhere, or is elsewhere than it should be: the
//! position that this side holds a share of is then known to it, and what is masked by it stands
//! open. So the position is computed a second way. Mask `k` has index bits `b_i = b_M,i ^ b_D,i`,
//! whose transfers exist, so
//!
//! ```text
//! r_k = sum over i of 2^i (b_M,i + b_D,i - 2 b_M,i b_D,i)   modulo 2^128
//! ```
//!
//! can be shared by one message a bit: the sender of a product `2^(i+1) b_M,i b_D,i` adds it to the
//! difference of its two pads, the receiver knows the pad that its bit chose. This is done *twice*,
//! once with each side as the sender. With random weights, drawn when everything is fixed, both
//! compare the sums of the masks' shares with those of each of the two.
//!
//! *Why:* a cheater can bend only the products that it sends. In the other direction the honest
//! side's message is what it should be, so `r_k` is `sum 2^i b_i` but for a constant the cheater
//! knows, and the honest side's bits are uniform in it. An error `e` passes with probability
//! `2^-(128 - v)`, `v` the number of zeros at `e`'s low end; one with `v >= 64` changes no position
//! modulo `2^64`. What a cheater can do is to bet: a message that is wrong by `e` makes an error
//! `e b` in its own direction, which is 0 if the honest side's bit is. It wins with 1/2, and knows
//! the bit then; `j` bits cost `2^-j`. Compared in one direction only, all bits of a mask would
//! cost one such bet (tests do both).

use super::mask::PHASE;
use crate::ot::{Correlated, OtPair, PadUse};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use rayon::prelude::*;
use std::ops::Range;
use twain_link::channel::Channel;
use twain_link::commitment::{COMMITMENT_BYTES, Committed, Purpose};
use twain_party::PartyError;
use zeroize::Zeroizing;

/// The lengths of the two messages each way of [`compare`]: commitments to a sum for each
/// direction, and the sums.
pub(super) const COMPARISON_FRAMES: [usize; 2] =
    [COMMITMENT_BYTES, Committed::frame_bytes(2 * size_of::<u128>())];

/// The transfers that a batch of masks is made from.
pub(super) struct Transfers<'a> {
    pub ot: &'a OtPair,
    /// This side's bits, of all transfers.
    pub choices: &'a [u8],
    pub correlated: &'a Correlated,
    /// For each mask its index bits' transfers, the most significant first.
    pub masks: &'a [Range<usize>],
}

/// This side's shares of the positions in the direction in which it sends, and what it sends.
pub(super) struct SentProducts {
    pub shares: Zeroizing<Vec<u128>>,
    /// A word a bit, in the order of masks and their bits.
    pub words: Vec<u128>,
}

impl Transfers<'_> {
    /// `2^i` for the transfers of a mask.
    fn with_weights(bits: &Range<usize>) -> impl Iterator<Item = (usize, u32)> + use<> {
        let bits = bits.clone();
        let weights = (0..bits.len() as u32).rev();
        bits.zip(weights)
    }

    /// The part of a position that is this side's own: its bits.
    fn own_bits(&self, bits: &Range<usize>) -> u128 {
        let bits = Self::with_weights(bits);
        bits.fold(0, |sum, (at, weight)| sum | u128::from(self.choices[at]) << weight)
    }

    fn index(&self, at: usize) -> u64 {
        self.correlated.first + at as u64
    }

    /// Sends products of the index bits.
    pub fn send_products(&self) -> SentProducts {
        let of_mask = |bits: &Range<usize>| {
            let mut share = self.own_bits(bits);
            let words = Self::with_weights(bits).map(|(at, weight)| {
                let blocks = self.correlated.sent[at];
                let [[zero], [one]] =
                    self.ot.sender_pads(self.index(at), blocks, PadUse::MaskPosition);
                share = share.wrapping_sub(zero);
                // -2^(i + 1) b_M b_D, of which the receiver's bit chooses 0 or the product.
                let product = (u128::from(self.choices[at]) << (weight + 1)).wrapping_neg();
                zero.wrapping_sub(one).wrapping_add(product)
            });
            let words: Vec<u128> = words.collect();
            (share, words)
        };
        let (shares, words): (Vec<u128>, Vec<Vec<u128>>) =
            self.masks.par_iter().map(of_mask).unzip();
        SentProducts { shares: Zeroizing::new(shares), words: words.concat() }
    }

    /// This side's shares in the direction in which the peer has sent these words.
    pub fn receive_products(&self, words: &[u128]) -> Zeroizing<Vec<u128>> {
        let starts = self.masks.iter().scan(0, |next, bits| {
            let start = *next;
            *next += bits.len();
            Some(start)
        });
        let starts: Vec<usize> = starts.collect();
        let of_mask = |(bits, start): (&Range<usize>, usize)| {
            let products = Self::with_weights(bits).zip(&words[start..]).map(|((at, _), word)| {
                let block = self.correlated.received[at];
                let [pad] = self.ot.receiver_pad(self.index(at), block, PadUse::MaskPosition);
                pad.wrapping_add(word & 0u128.wrapping_sub(u128::from(self.choices[at])))
            });
            products.fold(self.own_bits(bits), u128::wrapping_add)
        };
        let shares = self.masks.par_iter().zip(starts).map(of_mask);
        Zeroizing::new(shares.collect())
    }
}

/// What both sides' sums come to, for the direction in which the model sends and for the other one:
/// 0 but for errors. `positions` are this side's shares as its masks hold them, then those from the
/// two directions, the model's first; the weights are drawn by a coin that was tossed after all of
/// them were fixed.
pub(super) fn compare(
    channel: &mut dyn Channel,
    rng: &mut ChaCha20Rng,
    weights: &mut ChaCha20Rng,
    counter: u64,
    positions: [&[u128]; 3],
) -> Result<[u128; 2], PartyError> {
    let [held, by_model, by_data] = positions;
    let mut sums = Zeroizing::new([0u128; 2]);
    for ((held, by_model), by_data) in held.iter().zip(by_model).zip(by_data) {
        for (sum, other) in sums.iter_mut().zip([by_model, by_data]) {
            let weight = u128::from(weights.next_u64()) | u128::from(weights.next_u64()) << 64;
            *sum = sum.wrapping_add(weight.wrapping_mul(held.wrapping_sub(*other)));
        }
    }
    // Shown only when both are fixed: the peer would name what makes the totals 0.
    let (session, role) = (channel.session_id(), channel.role());
    let purpose = Purpose { label: "digit mask positions", session, counter };
    let bytes = Zeroizing::new(sums.map(u128::to_le_bytes).concat());
    let own = Committed::new(purpose, role, rng, &bytes);
    let theirs = channel.exchange(PHASE, own.commitment().to_vec(), COMMITMENT_BYTES)?;
    let theirs = own.reveal(channel, PHASE, &theirs)?;
    let (theirs, _) = theirs.as_chunks::<16>();
    let total =
        |i: usize| sums[i].wrapping_add(theirs.get(i).map_or(0, |b| u128::from_le_bytes(*b)));
    Ok([total(0), total(1)])
}
