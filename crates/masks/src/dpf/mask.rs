//! One party's half of a digit mask, and what it is used for: its vector, comparisons, counts.

use super::checked::Checked;
use super::tree::{self, ALL_RUNS, LeafSums, MaskCipher, MaskKeys, RUN, Scratch};
use ff::{Field, PrimeField};
use std::ops::Range;
use twain_algebra::Fr;
use twain_party::Role;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The step in which masks are made, for errors and counters.
pub(super) const PHASE: &str = "digit masks";

/// One party's half of a digit mask.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct DigitMask {
    /// Number of the mask in its session: the keys of its tree are derived from it.
    pub(super) index: u64,
    /// The session that made it.
    session: [u8; 32],
    /// This party's root.
    pub(super) root: u128,
    /// Correction words, one a level (the same for both parties).
    pub(super) corrections: Vec<u128>,
    /// Correction of the leaves that differ (the same for both parties).
    last: u128,
    /// This party's share of `r` modulo `2^128`.
    position: u128,
    /// For each run of [`RUN`] leaves but the last, the raw sum of all leaves after it.
    above: Vec<u128>,
    /// It has bits and nothing else.
    outline: bool,
}

/// Words of 128 bits that keep a mask below `2^bits`.
pub fn mask_words(bits: usize) -> usize {
    4 + bits + sums_kept(bits)
}

/// Runs of a mask's leaves after which there are others.
fn sums_kept(bits: usize) -> usize {
    ((1 << bits) / RUN).saturating_sub(1)
}

impl DigitMask {
    /// A mask of planning, where only the bits of a mask count: its expansion is empty.
    pub fn outline(bits: u8) -> Checked<Self> {
        let mut mask = Self::started([0; 32], 0, 0, vec![0; usize::from(bits)]);
        mask.outline = true;
        Checked::new(mask)
    }

    /// A tree whose last correction is missing.
    pub(super) fn started(
        session: [u8; 32],
        index: u64,
        root: u128,
        corrections: Vec<u128>,
    ) -> Self {
        let (last, position, above, outline) = (0, 0, Vec::new(), false);
        Self { index, session, root, corrections, last, position, above, outline }
    }

    /// The mask, from the last correction and what [`tree::leaf_sums`] gave.
    pub(super) fn finish(mut self, role: Role, last: u128, sums: &LeafSums) -> Self {
        self.last = last;
        let corrected = last.wrapping_mul(u128::from(sums.weighted_controls));
        self.position = share_of(role, sums.weighted_shares.wrapping_add(corrected));
        let mut above = 0u128;
        let runs = sums.runs.iter().skip(1).rev().map(|(shares, controls)| {
            above =
                above.wrapping_add(*shares).wrapping_add(last.wrapping_mul(u128::from(*controls)));
            above
        });
        self.above = runs.collect();
        self.above.reverse();
        self
    }

    /// The mask without its session, in [`mask_words`] words. Only what was checked is kept.
    pub fn to_words(mask: &Checked<Self>) -> Zeroizing<Vec<u128>> {
        let mut words = Zeroizing::new(Vec::with_capacity(mask_words(mask.corrections.len())));
        words.extend([u128::from(mask.index), mask.root, mask.last, mask.position]);
        words.extend(&mask.corrections);
        words.extend(&mask.above);
        words
    }

    /// The mask below `2^bits` that was made, and checked, in `session`; none if these are not its
    /// words.
    pub fn from_words(session: [u8; 32], bits: usize, words: &[u128]) -> Option<Checked<Self>> {
        let ([index, root, last, position], rest) = words.split_first_chunk()?;
        let (corrections, above) = rest.split_at_checked(bits)?;
        let mask = || Self {
            index: *index as u64,
            session,
            root: *root,
            corrections: corrections.to_vec(),
            last: *last,
            position: *position,
            above: above.to_vec(),
            outline: false,
        };
        (above.len() == sums_kept(bits)).then(|| Checked::new(mask()))
    }

    /// `d`: the mask is below `2^d`.
    pub fn domain_bits(&self) -> u8 {
        self.corrections.len() as u8 // at most MAX_DOMAIN_BITS
    }

    /// This party's share of `r`, modulo `2^128`.
    pub fn position(&self) -> u128 {
        self.position
    }

    /// Expands the vector in runs of consecutive entries: `visit(first index, raw shares)`.
    pub fn expand(&self, scratch: &mut Scratch, visit: impl FnMut(usize, &[u128])) {
        self.expand_under(&self.cipher(), ALL_RUNS, scratch, visit);
    }

    pub(super) fn cipher(&self) -> MaskCipher {
        MaskKeys::derive(&self.session, self.index).cipher(self.corrections.len())
    }

    /// Expands some of the runs.
    fn expand_under(
        &self,
        cipher: &MaskCipher,
        runs: Range<usize>,
        scratch: &mut Scratch,
        visit: impl FnMut(usize, &[u128]),
    ) {
        if !self.outline {
            tree::expand(cipher, self.root, &self.corrections, self.last, runs, scratch, visit);
        }
    }

    /// Raw shares of `[limit < r]` and of `[limit = r]`, for a limit below `2^d`.
    pub fn compare(&self, limit: usize, scratch: &mut Scratch) -> (u128, u128) {
        let run = limit / RUN;
        let mut above = self.above.get(run).copied().unwrap_or(0);
        let mut equal = 0u128;
        let cipher = self.cipher();
        self.expand_under(&cipher, run..run + 1, scratch, |first, entries| {
            let (until, after) = entries.split_at((limit + 1 - first).min(entries.len()));
            above = above.wrapping_add(cipher.sum(after));
            equal = until.last().copied().unwrap_or(0);
        });
        (above, equal)
    }

    /// Adds the raw vector to `counts` (of `2^d` entries) from entry `-shift` on: what stands at
    /// `r` goes to `r - shift` modulo `2^d`.
    pub fn accumulate(&self, shift: usize, counts: &mut [u128], scratch: &mut Scratch) {
        if !self.outline {
            let (cipher, last) = (self.cipher(), self.last);
            tree::accumulate(&cipher, self.root, &self.corrections, last, shift, counts, scratch);
        }
    }
}

/// Turns a raw sum into this party's share modulo `2^128`.
pub fn share_of(role: Role, raw: u128) -> u128 {
    match role {
        Role::Model => raw,
        Role::Data => raw.wrapping_neg(),
    }
}

/// A share in the field of a small number `v >= 0`, from the share modulo `2^128` and without a
/// message. Wrong with probability `(v + 1) / 2^128` over uniform shares. Both shares are moved by
/// half of the modulus first, so that two shares that are 0 (of a sum without terms) come out
/// right.
pub fn lift(role: Role, share: u128) -> Fr {
    let moved = Fr::from_u128(share.wrapping_add(1 << 127));
    match role {
        Role::Model => moved,
        Role::Data => moved - Fr::from_u128(u128::MAX) - Fr::ONE,
    }
}
