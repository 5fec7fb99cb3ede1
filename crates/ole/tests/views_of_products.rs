//! What either side of products over ring-LWE sees of the other's operands: the evaluator public
//! keys, encryptions and proofs, the encryptor challenges and answers. As in
//! `crates/pair/tests/views.rs`: many sessions for two operands of the peer, and a mutant whose
//! keys, errors, masks and floods are not fresh.
//!
//! Without the key a view says nothing of an answer's noise, nor of its second half beyond that it
//! looks uniform. What protects these from the encryptor, flood and encryption of zero, is left out
//! in mutants next to the scheme (`crates/rlwe/src/tests.rs`: `without_the_flood..`,
//! `without_the_encryption_of_zero..`).

use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::ops::Range;
use std::thread;
use twain_algebra::Fr;
use twain_link::channel::view::{LIMIT, View, distance, observe};
use twain_link::channel::{Channel, Frame, MemoryChannel, Recorder, Way, memory_pair};
use twain_ole::{BgvOle, OleGroup, OleSource};
use twain_party::Role;
use twain_rlwe::SLOTS;

/// Sessions for each pair of operands.
const SESSIONS: u64 = 8;
/// Samples of 32 bytes from a frame of up to 2.9 MB, always at the same places.
const SAMPLES: usize = 128;
/// A full block.
const LENGTH: usize = SLOTS;

/// What an encryptor's peer receives.
const OF_ENCRYPTOR: [&str; 8] = [
    "public key",
    "encryption",
    "commitment",
    "response 1",
    "response 2",
    "response 3",
    "response 4",
    "response 5",
];

/// What each side receives of two calls, the first of which the model's side encrypts and the
/// second one the data's.
fn kinds(viewer: Role) -> Vec<&'static str> {
    match viewer {
        Role::Model => [&["weights", "challenge", "answer"], &OF_ENCRYPTOR[..]].concat(),
        Role::Data => [&OF_ENCRYPTOR[..], &["weights", "challenge", "answer", "answer 2"]].concat(),
    }
}

/// What a side received, with a part of its share of the products.
struct Seen {
    frames: Vec<Frame>,
    share: Vec<Fr>,
}

/// A session in which the elements of each side's operand are the multiples of a number.
fn session(operands: [Fr; 2], seed: u64) -> [Seen; 2] {
    let (model, data) = memory_pair([seed as u8; 32]);
    let side = |end: MemoryChannel| {
        let role = end.role();
        let mut recorder = Recorder::new(end);
        let mut source = BgvOle::new(ChaCha20Rng::seed_from_u64(2 * seed + role as u64));
        let own = operands[role as usize];
        let operand: Vec<Fr> = (1..=LENGTH as u64).map(|i| own * Fr::from(i)).collect();
        let one = |model| OleGroup { length: LENGTH, terms: vec![(model, 0)] };
        let mut call = |groups: &[OleGroup]| {
            source.inner_products(&mut recorder, "products", &[&operand, &operand], groups).unwrap()
        };
        // An operand of the data's against two of the model's is encrypted once.
        let shares = [call(&[one(0)]), call(&[one(0), one(1)])].concat();
        let frames = recorder.frames().iter().filter(|frame| frame.way == Way::Received);
        let share = shares.concat().iter().step_by(3 * LENGTH / SAMPLES).copied().collect();
        Seen { frames: frames.cloned().collect(), share }
    };
    thread::scope(|scope| {
        let model = scope.spawn(|| side(model));
        let data = side(data);
        [model.join().unwrap(), data]
    })
}

/// Both sides' views over sessions with these seeds, each as if it had been run so many `times`,
/// and their shapes.
fn views(operands: [Fr; 2], seeds: Range<u64>, times: usize) -> [(View, Vec<usize>); 2] {
    let mut views = [(); 2].map(|()| (View::new(), Vec::new()));
    for seed in seeds {
        let sides = [Role::Model, Role::Data].into_iter().zip(&mut views);
        for (seen, (viewer, (view, shape))) in session(operands, seed).into_iter().zip(sides) {
            let lengths: Vec<usize> = seen.frames.iter().map(|frame| frame.bytes.len()).collect();
            assert!(shape.is_empty() || *shape == lengths, "sessions differ in shape");
            *shape = lengths;
            let frames = seen.frames.iter().zip(kinds(viewer));
            let thinned: Vec<Frame> = frames
                .map(|(frame, phase)| {
                    let chunks = frame.bytes.as_chunks::<32>().0;
                    let sampled = chunks.iter().step_by((chunks.len() / SAMPLES).max(1)).flatten();
                    Frame { phase, way: Way::Received, bytes: sampled.copied().collect() }
                })
                .collect();
            (0..times).for_each(|_| observe(view, &thinned, &seen.share));
        }
    }
    views
}

#[test]
fn products_show_neither_operand() {
    let [small, large] = [Fr::ZERO, Fr::from(3).invert().unwrap()];
    let fresh = |operands, first| views(operands, first..first + SESSIONS, 1);
    let stale = |operands| views(operands, 5..6, 64);
    let both = [small, small];
    let (base, stale_base) = (fresh(both, 10), stale(both));
    for viewer in [Role::Model, Role::Data] {
        let peer = match viewer {
            Role::Model => [small, large],
            Role::Data => [large, small],
        };
        let index = viewer as usize;
        let (one, other) = (&base[index], &fresh(peer, 100 * (1 + index as u64))[index]);
        assert_eq!(one.1, other.1, "lengths, seen by {viewer:?}");
        assert_eq!(one.1.len(), kinds(viewer).len());
        let (statistic, place) = distance(&one.0, &other.0);
        assert!(statistic < LIMIT, "seen by {viewer:?}: {statistic} in {place}");
        // Each kind of message gives something away if it is not fresh.
        let mutant = &stale(peer)[index].0;
        for kind in ["encryption", "response", "answer"] {
            let of = |view: &View| -> View {
                let kept = view.iter().filter(|(name, _)| name.starts_with(kind));
                kept.map(|(name, samples)| (name.clone(), samples.clone())).collect()
            };
            let (statistic, _) = distance(&of(&stale_base[index].0), &of(mutant));
            assert!(statistic > 3.0 * LIMIT, "{kind} seen by {viewer:?}: {statistic}");
        }
    }
}
