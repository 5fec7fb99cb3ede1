//! Digit masks made by both parties, and what their messages could give away.

use super::checked::Checked;
use super::generate::{self, generate};
use super::mask::{DigitMask, PHASE, lift};
use super::tree::{self, ALL_RUNS, Scratch};
use crate::ot::OtPair;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use twain_algebra::Fr;
use twain_link::channel::run_pair;
use twain_link::channel::{Channel, Frame, MemoryChannel, Recorder, Way, memory_pair};
use twain_party::Role;

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
        assert_eq!(channel.traffic().rounds - before, 1 + 2 + 3 + 4);
        assert!(generate(channel, &mut ot, rng, 80, &[])?.is_empty());
        Ok(masks)
    });
    let mut small = [0; 4];
    let scratch = &mut Scratch::default();
    for (m, d) in model.iter().zip(&data) {
        let (raw_m, raw_d) = (vector(m), vector(d));
        let whole: Vec<u128> = raw_m.iter().zip(&raw_d).map(|(m, d)| m.wrapping_sub(*d)).collect();
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
        let ones: u32 =
            half.iter().flat_map(|mask| vector(mask)).map(|entry| entry.count_ones()).sum();
        let bits = 40 * 128 * 128;
        assert!(ones.abs_diff(bits / 2) < 5000, "{ones} of {bits}"); // 12 standard deviations
    }
}

/// One side's part in making masks.
struct Recorded {
    /// In the order of their numbers.
    masks: Vec<Checked<DigitMask>>,
    /// This side's halves of their bits, the most significant first, and of their signs.
    choices: Vec<u8>,
    /// What it received while they were made.
    frames: Vec<Vec<u8>>,
}

/// Both sides' parts in making masks below 8, the model's first.
fn recorded(count: usize, blank_pads: bool) -> [Recorded; 2] {
    let (model, data) = memory_pair([7; 32]);
    let side = |end: MemoryChannel| {
        let mut link = Recorder::new(end);
        let mut rng = ChaCha20Rng::seed_from_u64(50 + link.role() as u64);
        let mut ot = OtPair::setup(&mut link, &mut rng).unwrap();
        ot.blank_pads = blank_pads;
        let mut choices = vec![0; 4 * count];
        rng.clone().fill_bytes(&mut choices);
        choices.iter_mut().for_each(|choice| *choice &= 1);
        let mut masks = generate(&mut link, &mut ot, &mut rng, 0, &vec![3; count]).unwrap();
        masks.sort_by_key(|mask| mask.index);
        let made = |frame: &&Frame| frame.phase == PHASE && frame.way == Way::Received;
        let frames = link.frames().iter().filter(made);
        let frames = frames.map(|frame| frame.bytes.clone()).collect();
        Recorded { masks, choices, frames }
    };
    std::thread::scope(|scope| {
        let model = scope.spawn(|| side(model));
        let data = side(data);
        [model.join().unwrap(), data]
    })
}

/// Position of mask `i`.
fn position(sides: &[Recorded; 2], i: usize) -> usize {
    let [model, data] = [0, 1].map(|side: usize| sides[side].masks[i].position());
    model.wrapping_add(data) as usize
}

/// The control bits of this party's leaves: where a correction of 1 changes something.
fn controls(mask: &DigitMask) -> Vec<bool> {
    let leaves = |last| {
        let mut leaves = Vec::new();
        let (cipher, scratch) = (mask.cipher(), &mut Scratch::default());
        tree::expand(&cipher, mask.root, &mask.corrections, last, ALL_RUNS, scratch, |_, run| {
            leaves.extend_from_slice(run);
        });
        leaves
    };
    leaves(0).into_iter().zip(leaves(1)).map(|(zero, one)| zero != one).collect()
}

/// The sign of the last correction tells in which half of a party's leaves `r` is. What a party
/// receives does not tell the sign; the peer's half of it, unmasked, would.
#[test]
fn messages_do_not_show_the_sign() {
    const COUNT: usize = 600;
    let sides = recorded(COUNT, false);
    let half = |side: usize, i: usize| {
        let mask = &sides[side].masks[i];
        let scratch = &mut Scratch::default();
        let sums = tree::leaf_sums(&mask.cipher(), mask.root, &mask.corrections, scratch);
        generate::sign_half([Role::Model, Role::Data][side], sums.controls)
    };
    // How often `r` is where the sign points, if the peer's half of it were `theirs`.
    let hits = |viewer: usize, theirs: &dyn Fn(usize) -> u8| {
        let hit = |i: &usize| {
            let models = half(viewer, *i) ^ theirs(*i) == 0;
            let points_to = if viewer == 0 { models } else { !models };
            controls(&sides[viewer].masks[*i])[position(&sides, *i)] == points_to
        };
        (0..COUNT).filter(hit).count()
    };
    for (viewer, Recorded { frames, .. }) in sides.iter().enumerate() {
        let lengths: Vec<usize> = frames.iter().map(Vec::len).collect();
        let blocks = 16 * COUNT;
        let before = 64 + 3 * blocks;
        let expected = [blocks, blocks, blocks, before + COUNT / 8, blocks, blocks, 64, 32, 64, 64];
        assert_eq!(lengths, expected);
        let flips = &frames[3][before..];
        let real = hits(viewer, &|i| flips[i / 8] >> (i % 8) & 1);
        assert!(real.abs_diff(COUNT / 2) < 75, "{real} of {COUNT}"); // 6 standard deviations
        assert_eq!(hits(viewer, &|i| half(1 - viewer, i)), COUNT);
    }
}

/// No bit of a received block, nor of a product's word, goes with a bit of `r`.
#[test]
fn messages_do_not_go_with_the_position() {
    const COUNT: usize = 600;
    let sides = recorded(COUNT, false);
    let check = |what: &str, bit: usize, lowest: &dyn Fn(usize) -> u8| {
        let equal =
            (0..COUNT).filter(|&i| position(&sides, i) >> bit & 1 == usize::from(lowest(i) & 1));
        let equal = equal.count();
        assert!(equal.abs_diff(COUNT / 2) < 75, "bit {bit}, {what}: {equal}");
    };
    for Recorded { frames, .. } in &sides {
        for (bit, byte) in (0..3).flat_map(|bit| (0..16).map(move |byte| (bit, byte))) {
            for frame in frames.iter().filter(|frame| frame.len() == 16 * COUNT) {
                check("a block", bit, &|i| frame[16 * i + byte]);
            }
            for product in 0..3 {
                let word = |i: usize| 64 + 16 * (3 * i + product) + byte;
                check("a product", bit, &|i| frames[3][word(i)]);
                // Where the bit would stand, if it were not masked.
                check("a product", bit, &|i| frames[3][word(i)] >> (3 - product));
            }
        }
    }
}

/// The words of the products do not show their sender's bits; without pads they do.
#[test]
fn products_do_not_show_the_bits() {
    const COUNT: usize = 600;
    for blank in [false, true] {
        let sides = recorded(COUNT, blank);
        for (viewer, sender) in [(0, 1), (1, 0)] {
            for product in 0..3 {
                let shows = (0..COUNT).filter(|i| {
                    let word = sides[viewer].frames[3][64 + 16 * (3 * i + product)];
                    word >> (3 - product) & 1 == sides[sender].choices[4 * i + product]
                });
                let shows = shows.count();
                if blank {
                    assert_eq!(shows, COUNT);
                } else {
                    assert!(shows.abs_diff(COUNT / 2) < 75, "{shows}"); // 6 standard deviations
                }
            }
        }
    }
}

/// The same seeds make the same masks in the same order.
#[test]
fn making_masks_is_deterministic() {
    let masks = || {
        let (model, _) = run_pair(|channel, rng| {
            let mut ot = OtPair::setup(channel, rng)?;
            generate(channel, &mut ot, rng, 0, &[2, 5, 5, 3, 9, 9, 9, 1])
        });
        model.iter().map(|mask| DigitMask::to_words(mask).to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(masks(), masks());
}
