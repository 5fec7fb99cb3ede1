//! Digit masks: a uniform secret `r` below `2^d` and additive shares, in the integers modulo `2^128`,
//! of the vector that is 1 at `r` and 0 elsewhere (protocol §6).
//!
//! A mask is kept as a key of a distributed point function in the form of Guo, Yang, Wang, Zhang,
//! Xie, Zhang and Zhao (*Half-Tree*, EUROCRYPT 2023): a binary tree of blocks in which the two
//! parties' nodes are equal off the path to `r` and differ by the session's common difference on it.
//! Keys are made by both parties together after Doerner and shelat (CCS 2017), see `generate`.
//!
//! A share is positive for the model's side and negated for the data's; the functions here that
//! return *raw* sums leave that to [`share_of`], once per sum.

#[cfg(feature = "test-utils")]
mod deal;
mod generate;
mod kernels;
#[cfg(test)]
mod rushing;
mod tree;
#[cfg(target_arch = "x86_64")]
mod vaes;

#[cfg(feature = "test-utils")]
pub use deal::deal;
pub(crate) use generate::{generate, schedule};
pub use tree::Scratch;

use ff::{Field, PrimeField};
use std::ops::Range;
use tree::{ALL_RUNS, LeafSums, MaskCipher, MaskKeys, RUN};
use twain_algebra::Fr;
use twain_party::Role;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The widest mask that is made: its expansion has `2^20` entries.
pub const MAX_DOMAIN_BITS: u8 = 20;

/// One party's half of a digit mask.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct DigitMask {
    /// Number of the mask in its session: the keys of its tree are derived from it.
    index: u64,
    /// The session that made it.
    session: [u8; 32],
    /// This party's root.
    root: u128,
    /// Correction words, one a level (the same for both parties).
    corrections: Vec<u128>,
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
    pub fn outline(bits: u8) -> Self {
        let mut mask = Self::started([0; 32], 0, 0, vec![0; usize::from(bits)]);
        mask.outline = true;
        mask
    }

    /// A tree whose last correction is missing.
    fn started(session: [u8; 32], index: u64, root: u128, corrections: Vec<u128>) -> Self {
        let (last, position, above, outline) = (0, 0, Vec::new(), false);
        Self { index, session, root, corrections, last, position, above, outline }
    }

    /// The mask, from the last correction and what [`tree::leaf_sums`] gave.
    fn finish(mut self, role: Role, last: u128, sums: &LeafSums) -> Self {
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

    /// The mask without its session, in [`mask_words`] words.
    pub fn to_words(&self) -> Zeroizing<Vec<u128>> {
        let mut words = Zeroizing::new(Vec::with_capacity(mask_words(self.corrections.len())));
        words.extend([u128::from(self.index), self.root, self.last, self.position]);
        words.extend(&self.corrections);
        words.extend(&self.above);
        words
    }

    /// The mask below `2^bits` that was made in `session`; none if these are not its words.
    pub fn from_words(session: [u8; 32], bits: usize, words: &[u128]) -> Option<Self> {
        let ([index, root, last, position], rest) = words.split_first_chunk()?;
        let (corrections, above) = rest.split_at_checked(bits)?;
        (above.len() == sums_kept(bits)).then(|| Self {
            index: *index as u64,
            session,
            root: *root,
            corrections: corrections.to_vec(),
            last: *last,
            position: *position,
            above: above.to_vec(),
            outline: false,
        })
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

    fn cipher(&self) -> MaskCipher {
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

    /// Adds the raw vector to `counts` (of `2^d` entries) from entry `-shift` on: what stands at `r`
    /// goes to `r - shift` modulo `2^d`.
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
/// half of the modulus first, so that two shares that are 0 (of a sum without terms) come out right.
pub fn lift(role: Role, share: u128) -> Fr {
    let moved = Fr::from_u128(share.wrapping_add(1 << 127));
    match role {
        Role::Model => moved,
        Role::Data => moved - Fr::from_u128(u128::MAX) - Fr::ONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ot::OtPair;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;
    use twain_link::channel::run_pair;
    use twain_link::channel::{Channel, Frame, MemoryChannel, Recorder, Way, memory_pair};

    fn vector(mask: &DigitMask) -> Vec<u128> {
        let mut entries = vec![0; 1 << mask.domain_bits()];
        mask.expand(&mut Scratch::default(), |first, run| {
            entries[first..first + run.len()].copy_from_slice(run);
        });
        entries
    }

    #[test]
    fn masks_are_shares_of_one_hot_vectors() {
        let domains = [1, 14, 2, 7, 7, 11, 1, 8, 12, 3];
        let (model, data) = run_pair(|channel, rng| {
            let mut ot = OtPair::setup(channel, rng)?;
            let mut masks = generate(channel, &mut ot, rng, 5, &domains)?;
            let before = channel.traffic().rounds;
            masks.extend(generate(channel, &mut ot, rng, 15, &[2; 60])?);
            assert_eq!(channel.traffic().rounds - before, 1 + 2 + 3);
            assert!(generate(channel, &mut ot, rng, 80, &[])?.is_empty());
            Ok(masks)
        });
        let mut small = [0; 4];
        let scratch = &mut Scratch::default();
        for (m, d) in model.iter().zip(&data) {
            let (raw_m, raw_d) = (vector(m), vector(d));
            let whole: Vec<u128> =
                raw_m.iter().zip(&raw_d).map(|(m, d)| m.wrapping_sub(*d)).collect();
            let r = m.position().wrapping_add(d.position()) as usize;
            assert!(whole.iter().enumerate().all(|(t, &e)| e == u128::from(t == r)), "{r}");
            let lifted = lift(Role::Model, m.position()) + lift(Role::Data, d.position());
            assert_eq!(lifted, Fr::from(r as u64));
            let size = whole.len();
            for limit in [0, r.saturating_sub(1), r, (r + 1) % size, size - 1] {
                let (above_m, equal_m) = m.compare(limit, scratch);
                let (above_d, equal_d) = d.compare(limit, scratch);
                assert_eq!(above_m.wrapping_sub(above_d), u128::from(limit < r));
                assert_eq!(equal_m.wrapping_sub(equal_d), u128::from(limit == r));
                let (mut sum_m, mut sum_d) = (vec![1; size], vec![0; size]);
                m.accumulate(limit, &mut sum_m, scratch);
                d.accumulate(limit, &mut sum_d, scratch);
                let at = (r + size - limit) % size;
                let expected = (0..size).map(|t| 1 + u128::from(t == at));
                assert!(sum_m.iter().zip(&sum_d).map(|(m, d)| m.wrapping_sub(*d)).eq(expected));
            }
            if size == 4 {
                small[r] += 1;
            }
        }
        assert_eq!(small.iter().sum::<i32>(), 61);
        assert!(small.iter().all(|&count| count > 3), "positions look uniform: {small:?}");
    }

    /// Neither half alone shows the position: half of each party's control bits are set, and its
    /// own share of the entry at `r` looks like any other.
    #[test]
    fn half_a_key_shows_nothing() {
        let (model, data) = run_pair(|channel, rng| {
            let mut ot = OtPair::setup(channel, rng)?;
            generate(channel, &mut ot, rng, 0, &[7; 40])
        });
        for half in [&model, &data] {
            let ones: u32 = half.iter().flat_map(vector).map(|entry| entry.count_ones()).sum();
            let bits = 40 * 128 * 128;
            assert!(ones.abs_diff(bits / 2) < 5000, "{ones} of {bits}"); // 12 standard deviations
        }
    }

    /// Masks below 8 and the frames in which they were made, the model's first.
    fn recorded(count: usize) -> [(Vec<DigitMask>, Vec<Frame>); 2] {
        let (model, data) = memory_pair([7; 32]);
        let side = |end: MemoryChannel| {
            let mut link = Recorder::new(end);
            let mut rng = ChaCha20Rng::seed_from_u64(50 + link.role() as u64);
            let mut ot = OtPair::setup(&mut link, &mut rng).unwrap();
            let masks = generate(&mut link, &mut ot, &mut rng, 0, &vec![3; count]).unwrap();
            let frames = link.frames().iter();
            let made =
                frames.filter(|frame| frame.phase == "digit masks" && frame.way == Way::Received);
            (masks, made.cloned().collect())
        };
        std::thread::scope(|scope| {
            let model = scope.spawn(|| side(model));
            let data = side(data);
            [model.join().unwrap(), data]
        })
    }

    /// The control bits of this party's leaves: where a correction of 1 changes something.
    fn controls(mask: &DigitMask) -> Vec<bool> {
        let leaves = |last| {
            let mut leaves = Vec::new();
            let (cipher, scratch) = (mask.cipher(), &mut Scratch::default());
            tree::expand(
                &cipher,
                mask.root,
                &mask.corrections,
                last,
                ALL_RUNS,
                scratch,
                |_, run| {
                    leaves.extend_from_slice(run);
                },
            );
            leaves
        };
        leaves(0).into_iter().zip(leaves(1)).map(|(zero, one)| zero != one).collect()
    }

    /// The sign of the last correction tells in which half of a party's leaves `r` is. What a party
    /// receives does not tell the sign; the peer's half of it, unmasked, would.
    #[test]
    fn messages_do_not_show_the_sign() {
        const COUNT: usize = 600;
        let sides = recorded(COUNT);
        let position = |i: usize| {
            let [model, data] = [0, 1].map(|side: usize| sides[side].0[i].position());
            model.wrapping_add(data) as usize
        };
        let half = |side: usize, i: usize| {
            let mask = &sides[side].0[i];
            let scratch = &mut Scratch::default();
            let sums = tree::leaf_sums(&mask.cipher(), mask.root, &mask.corrections, scratch);
            generate::sign_half([Role::Model, Role::Data][side], sums.controls)
        };
        // How often `r` is where the sign points, if the peer's half of it were `theirs`.
        let hits = |viewer: usize, theirs: &dyn Fn(usize) -> u8| {
            let hit = |i: &usize| {
                let models = half(viewer, *i) ^ theirs(*i) == 0;
                let points_to = if viewer == 0 { models } else { !models };
                controls(&sides[viewer].0[*i])[position(*i)] == points_to
            };
            (0..COUNT).filter(hit).count()
        };
        for (viewer, (_, frames)) in sides.iter().enumerate() {
            let lengths: Vec<usize> = frames.iter().map(|frame| frame.bytes.len()).collect();
            let blocks = 16 * COUNT;
            assert_eq!(lengths, [blocks, blocks, blocks, COUNT / 8, blocks, blocks]);
            let flips = &frames[3].bytes;
            let real = hits(viewer, &|i| flips[i / 8] >> (i % 8) & 1);
            assert!(real.abs_diff(COUNT / 2) < 75, "{real} of {COUNT}"); // 6 standard deviations
            assert_eq!(hits(viewer, &|i| half(1 - viewer, i)), COUNT);
        }
    }

    /// No bit of a received block goes with a bit of `r`.
    #[test]
    fn messages_do_not_go_with_the_position() {
        const COUNT: usize = 600;
        let sides = recorded(COUNT);
        for (_, frames) in &sides {
            for frame in frames.iter().filter(|frame| frame.bytes.len() == 16 * COUNT) {
                for (bit, byte) in (0..3).flat_map(|bit| (0..16).map(move |byte| (bit, byte))) {
                    let equal = (0..COUNT).filter(|&i| {
                        let [model, data] = [0, 1].map(|side: usize| sides[side].0[i].position());
                        let r = model.wrapping_add(data) >> bit & 1;
                        r == u128::from(frame.bytes[16 * i + byte] & 1)
                    });
                    let equal = equal.count();
                    assert!(equal.abs_diff(COUNT / 2) < 75, "bit {bit}, byte {byte}: {equal}");
                }
            }
        }
    }
}
