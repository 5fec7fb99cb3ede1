//! Peers that deviate while digit masks are made, and what comes of it: the comparison of positions
//! finds them, but for bets on bits, and what is won by these falls on uses at random.
//!
//! A cheater runs the honest code over a link that changes its frames on their way.

use super::checked::Checked;
use super::generate::{generate, make};
use super::mask::{DigitMask, PHASE};
use crate::ot::OtPair;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use twain_link::channel::{Channel, ChannelError, MemoryChannel, TrafficMeter, Way, memory_pair};
use twain_link::commitment::COMMITMENT_BYTES;
use twain_party::{PartyError, Role};

/// Index bits of the masks here, and with them the places of a batch's frames.
const BITS: usize = 5;
/// The frame with the words of products, after the commitments.
const PRODUCTS: usize = BITS;
/// The frame with the parts of the last corrections.
const LAST: usize = BITS + 2;
/// Frames of a batch.
const FRAMES: usize = BITS + 7;

/// A link that changes frames of the masks' making: told which way one goes and how many went
/// before it.
struct Bent<'a, F> {
    inner: &'a mut MemoryChannel,
    change: F,
    sent: usize,
    received: usize,
}

impl<'a, F: FnMut(Way, usize, &mut [u8]) + Send> Bent<'a, F> {
    fn new(inner: &'a mut MemoryChannel, change: F) -> Self {
        Self { inner, change, sent: 0, received: 0 }
    }
}

impl<F: FnMut(Way, usize, &mut [u8]) + Send> Channel for Bent<'_, F> {
    fn role(&self) -> Role {
        self.inner.role()
    }

    fn send(&mut self, phase: &'static str, mut frame: Vec<u8>) -> Result<(), ChannelError> {
        if phase == PHASE {
            (self.change)(Way::Sent, self.sent, &mut frame);
            self.sent += 1;
        }
        self.inner.send(phase, frame)
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        let mut frame = self.inner.receive(phase, length)?;
        if phase == PHASE {
            (self.change)(Way::Received, self.received, &mut frame);
            self.received += 1;
        }
        Ok(frame)
    }

    fn session_id(&self) -> [u8; 32] {
        self.inner.session_id()
    }

    fn meter(&self) -> &TrafficMeter {
        self.inner.meter()
    }
}

/// Adds a number to the word of 16 bytes from this place on.
fn add(frame: &mut [u8], at: usize, number: u128) {
    let bytes = &mut frame[at..at + 16];
    let word = u128::from_le_bytes(std::array::from_fn(|i| bytes[i]));
    bytes.copy_from_slice(&word.wrapping_add(number).to_le_bytes());
}

/// Where the word of a product is in its frame.
fn product(mask: usize, bit: usize) -> usize {
    2 * COMMITMENT_BYTES + 16 * (BITS * mask + bit)
}

/// The halves of the bits that the next batch of masks will draw, a list a mask: the most
/// significant first, and the sign's.
fn next_choices(rng: &ChaCha20Rng, masks: usize) -> Vec<Vec<u8>> {
    let mut choices = vec![0; masks * (BITS + 1)];
    rng.clone().fill_bytes(&mut choices);
    choices.chunks(BITS + 1).map(|bits| bits.iter().map(|bit| bit & 1).collect()).collect()
}

/// An honest side and a cheater, in two threads.
fn meet<H: Send, C: Send>(
    cheater: Role,
    honest: impl FnOnce(&mut MemoryChannel, &mut ChaCha20Rng) -> H + Send,
    cheat: impl FnOnce(&mut MemoryChannel, &mut ChaCha20Rng) -> C + Send,
) -> (H, C) {
    let (model, data) = memory_pair([7; 32]);
    let [mut own_rng, mut peer_rng] = [1, 2].map(ChaCha20Rng::seed_from_u64);
    let (mut own, mut peer) = if cheater == Role::Data { (model, data) } else { (data, model) };
    std::thread::scope(|scope| {
        let cheat = scope.spawn(move || cheat(&mut peer, &mut peer_rng));
        let honest = honest(&mut own, &mut own_rng);
        // Who ends closes the link.
        drop(own);
        (honest, cheat.join().unwrap())
    })
}

/// The last correction one too large: half of the masks have the payload 0, and the honest side's
/// share of their position is what the cheater's is, negated: what they mask is open. The
/// comparison finds it.
#[test]
fn stripped_masks_are_found() {
    const MASKS: usize = 100;
    for cheater in [Role::Model, Role::Data] {
        let side = |channel: &mut dyn Channel, rng: &mut ChaCha20Rng| {
            let mut ot = OtPair::setup(channel, rng).unwrap();
            let made = make(channel, &mut ot, rng, 0, &[BITS as u8; MASKS]).unwrap();
            let shares: Vec<u128> = made.masks.iter().map(DigitMask::position).collect();
            (shares, made.compare(channel, rng).unwrap().0)
        };
        let (honest, cheat) = meet(
            cheater,
            |channel, rng| side(channel, rng),
            |channel, rng| {
                let too_large = |_: Way, frame: usize, bytes: &mut [u8]| {
                    if frame == LAST {
                        (0..MASKS).for_each(|mask| add(bytes, 16 * mask, 1));
                    }
                };
                side(&mut Bent::new(channel, too_large), rng)
            },
        );
        let known = honest.0.iter().zip(&cheat.0).filter(|(h, c)| h.wrapping_add(**c) == 0);
        let known = known.count();
        assert!((30..75).contains(&known), "{known} of {MASKS}");
        assert!(honest.1.iter().all(|total| *total != 0));
    }
}

/// Whatever a cheater changes, anywhere, ends the session. What comes after the comparison is not
/// sent to who has not passed it.
#[test]
fn changed_messages_end_it() {
    const MASKS: usize = 40;
    for cheater in [Role::Model, Role::Data] {
        for changed in 0..FRAMES {
            let mut frames = [0, 0];
            let (honest, _) = meet(
                cheater,
                |channel, rng| {
                    let count = |way: Way, number: usize, _: &mut [u8]| {
                        frames[usize::from(way == Way::Sent)] = number + 1;
                    };
                    let mut channel = Bent::new(channel, count);
                    let mut ot = OtPair::setup(&mut channel, rng).unwrap();
                    generate(&mut channel, &mut ot, rng, 0, &[BITS as u8; MASKS]).map(drop)
                },
                |channel, rng| {
                    let change = |way: Way, number: usize, bytes: &mut [u8]| {
                        if way == Way::Sent && number == changed {
                            // Not all of the products' frame: its commitments are another matter.
                            let from = if number == PRODUCTS { 2 * COMMITMENT_BYTES } else { 0 };
                            bytes[from..].iter_mut().step_by(5).for_each(|byte| *byte ^= 4);
                        }
                    };
                    let mut channel = Bent::new(channel, change);
                    let mut ot = OtPair::setup(&mut channel, rng).unwrap();
                    generate(&mut channel, &mut ot, rng, 0, &[BITS as u8; MASKS]).map(drop)
                },
            );
            // The first correction does not enter the data's tree, whose root has the control bit
            // 0.
            if (cheater, changed) == (Role::Model, 0) {
                assert!(honest.is_ok());
                continue;
            }
            assert!(
                matches!(honest, Err(PartyError::Peer(_) | PartyError::Ended)),
                "frame {changed}"
            );
            // Up to the frame in which the sums are shown, which comes before the order's.
            if changed < FRAMES - 1 {
                assert!(frames[1] < FRAMES, "frame {changed}: {frames:?}");
            }
        }
    }
}

/// What came of an attack on one mask.
struct Outcome {
    /// The totals of the directions in which the cheater sends, and the honest side.
    totals: [u128; 2],
    /// The honest side's halves of the mask's bits.
    honest_bits: Vec<u8>,
    /// The mask's index, and the two shares of its position.
    index: usize,
    shares: [u128; 2],
}

/// Attacks one mask after the other. `last` is added to the last corrections; `words` says, by the
/// cheater's halves of the bits, what is added to the word of each product and to the cheater's own
/// share.
fn attack(
    cheater: Role,
    runs: usize,
    last: u128,
    words: impl Fn(&[u8]) -> (Vec<u128>, u128) + Sync,
) -> Vec<Outcome> {
    let honest = |channel: &mut MemoryChannel, rng: &mut ChaCha20Rng| {
        let mut ot = OtPair::setup(channel, rng).unwrap();
        let run = |run| {
            let bits = next_choices(rng, 1).concat();
            let made = make(channel, &mut ot, rng, run, &[BITS as u8]).unwrap();
            let share = made.masks[0].position();
            (bits, share, made.compare(channel, rng).unwrap().0)
        };
        (0..runs as u64).map(run).collect::<Vec<_>>()
    };
    let cheat = |channel: &mut MemoryChannel, rng: &mut ChaCha20Rng| {
        let mut ot = OtPair::setup(channel, rng).unwrap();
        let run = |run| {
            let bits = next_choices(rng, 1).concat();
            let (words, own) = words(&bits[..BITS]);
            let change = |way: Way, number: usize, bytes: &mut [u8]| match (way, number) {
                (Way::Sent, PRODUCTS) => {
                    (0..BITS).for_each(|bit| add(bytes, product(0, bit), words[bit]));
                }
                (_, LAST) => add(bytes, 0, last),
                _ => (),
            };
            let mut channel = Bent::new(channel, change);
            let mut made = make(&mut channel, &mut ot, rng, run, &[BITS as u8]).unwrap();
            let share = &mut made.by_sender[cheater as usize][0];
            *share = share.wrapping_add(own);
            let share = made.masks[0].position();
            made.compare(&mut channel, rng).unwrap();
            (bits, share)
        };
        (0..runs as u64).map(run).collect::<Vec<_>>()
    };
    let (honest, cheat) = meet(cheater, honest, cheat);
    type Sides = ((Vec<u8>, u128, [u128; 2]), (Vec<u8>, u128));
    let outcome = |((honest_bits, share, totals), (bits, theirs)): Sides| {
        let both = bits.iter().zip(&honest_bits).take(BITS);
        let index = both.fold(0, |index, (a, b)| index << 1 | usize::from(a ^ b));
        let totals = [totals[cheater as usize], totals[1 - cheater as usize]];
        Outcome { totals, honest_bits, index, shares: [share, theirs] }
    };
    honest.into_iter().zip(cheat).map(outcome).collect()
}

/// A cheater that takes the honest side's bits out of the products it sends, and zeroes the
/// payload, passes the comparison in its own direction for half of the masks, and their positions
/// are 0: all that they mask is open. The other direction finds it, unless the mask's index is 0.
#[test]
fn one_direction_is_not_enough() {
    for cheater in [Role::Model, Role::Data] {
        let words = |bits: &[u8]| {
            let weight = |bit: usize| 1u128 << (BITS - 1 - bit);
            // b_H 2^i (1 - 2 b_C), taken away where the honest side's bit is 1.
            let signed = |bit: usize| match bits[bit] {
                0 => weight(bit).wrapping_neg(),
                _ => weight(bit),
            };
            let own = (0..BITS).map(|bit| weight(bit) * u128::from(bits[bit])).sum::<u128>();
            ((0..BITS).map(signed).collect::<Vec<u128>>(), own.wrapping_neg())
        };
        let outcomes = attack(cheater, 120, 1, words);
        let passed = |outcome: &&Outcome| outcome.totals[0] == 0;
        let won: Vec<&Outcome> = outcomes.iter().filter(passed).collect();
        assert!((30..90).contains(&won.len()), "{} of 120", won.len());
        assert!(won.iter().all(|outcome| outcome.shares[0].wrapping_add(outcome.shares[1]) == 0));
        for outcome in &outcomes {
            assert_eq!(outcome.totals[1] == 0, outcome.index == 0, "{}", outcome.index);
        }
    }
}

/// A word that is wrong by a constant is a bet that the honest side's bit is 0: `j` bits cost
/// `2^-j`, and are known if it is won. The honest side's direction is never wrong.
#[test]
fn a_bet_on_bits_is_won_by_chance() {
    for (cheater, bits, expected) in [(Role::Model, 1, 60..140), (Role::Data, 3, 8..45)] {
        let words = |_: &[u8]| {
            let word = |bit: usize| if bit < bits { 3u128 << (20 * bit) } else { 0 };
            ((0..BITS).map(word).collect::<Vec<u128>>(), 0)
        };
        let outcomes = attack(cheater, 200, 0, words);
        for outcome in &outcomes {
            let won = outcome.honest_bits[..bits].iter().all(|bit| *bit == 0);
            assert_eq!(outcome.totals, [if won { 0 } else { outcome.totals[0] }, 0]);
            assert_eq!(outcome.totals[0] == 0, won);
            let position = outcome.shares[0].wrapping_add(outcome.shares[1]);
            assert_eq!(position, outcome.index as u128);
        }
        let won = outcomes.iter().filter(|outcome| outcome.totals[0] == 0).count();
        assert!(expected.contains(&won), "{won} of 200");
    }
}

/// Errors of two masks that are each other's negation pass only if both are 0: each has a weight
/// that is drawn when they are fixed.
#[test]
fn errors_do_not_cancel() {
    const RUNS: u64 = 60;
    let honest = |channel: &mut MemoryChannel, rng: &mut ChaCha20Rng| {
        let mut ot = OtPair::setup(channel, rng).unwrap();
        let run = |run| {
            let bits = next_choices(rng, 2);
            let made = make(channel, &mut ot, rng, 2 * run, &[BITS as u8; 2]).unwrap();
            ([bits[0][0], bits[1][0]], made.compare(channel, rng).unwrap().0)
        };
        (0..RUNS).map(run).collect::<Vec<_>>()
    };
    let cheat = |channel: &mut MemoryChannel, rng: &mut ChaCha20Rng| {
        let mut ot = OtPair::setup(channel, rng).unwrap();
        for run in 0..RUNS {
            let change = |way: Way, number: usize, bytes: &mut [u8]| {
                if (way, number) == (Way::Sent, PRODUCTS) {
                    add(bytes, product(0, 0), 5);
                    add(bytes, product(1, 0), 5u128.wrapping_neg());
                }
            };
            let mut channel = Bent::new(channel, change);
            let made = make(&mut channel, &mut ot, rng, 2 * run, &[BITS as u8; 2]).unwrap();
            made.compare(&mut channel, rng).unwrap();
        }
    };
    let (outcomes, ()) = meet(Role::Data, honest, cheat);
    for (bits, totals) in &outcomes {
        assert_eq!((totals[0], totals[1] == 0), (0, *bits == [0, 0]), "{bits:?}");
    }
    assert!(outcomes.iter().any(|(bits, _)| *bits == [1, 1]));
}

/// The mask that a won bet was about is used at a random place, the same one on both sides.
#[test]
fn what_was_bet_on_is_used_at_random() {
    const MASKS: usize = 8;
    const RUNS: u64 = 240;
    let side = |channel: &mut MemoryChannel, rng: &mut ChaCha20Rng| {
        let mut ot = OtPair::setup(channel, rng).unwrap();
        let place = |run: u64| {
            let first = run * MASKS as u64;
            let masks: Vec<Checked<DigitMask>> =
                generate(channel, &mut ot, rng, first, &[1; MASKS]).unwrap();
            masks.iter().position(|mask| mask.index == first).unwrap()
        };
        (0..RUNS).map(place).collect::<Vec<usize>>()
    };
    let (places, theirs) = meet(Role::Data, side, side);
    assert_eq!(places, theirs);
    for place in 0..MASKS {
        let count = places.iter().filter(|p| **p == place).count();
        assert!((8..60).contains(&count), "place {place}: {count} of {RUNS}"); // 30 expected
    }
}
