//! Honest batches pass; whatever an encryptor changes, in what it encrypted or in one of its
//! messages, is found; and responses show nothing.

use super::prover::{draw, write};
use super::statement::{KEY_LIMBS, Numbered, PHASE_LIMBS, Row, Sent, SentHalves, announcement};
use super::wide::{self, add_shifted_wide};
use super::*;
use crate::attacks::{add_half_of_modulus, add_halves};
use crate::bounds::{
    CIPHERTEXT_FACTOR, ERROR_BITS, PHASE_BITS, ROWS, SECRET_BITS, ZERO_FACTOR, response_bytes,
};
use crate::buffer::Words;
use crate::context::context;
use crate::expand::Stream;
use crate::parameters::{ERROR_FLIPS, PLAINTEXT_MODULUS};
use crate::secret::Limbs;
use crate::tests::scalars;
use crate::{Encryption, Error, Evaluator, PublicKey, Request, SLOTS, SecretKey};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use twain_algebra::Fr;

const ID: BatchId = BatchId { session: [7; 32], number: 3 };

/// What an encryptor has sent before its proof, and what it knows of it.
struct Sender {
    rng: ChaCha20Rng,
    keys: Vec<SecretKey>,
    openings: Vec<Vec<crate::Opening>>,
    publics: Vec<PublicKey>,
    encryptions: Vec<Vec<Encryption>>,
}

impl Sender {
    /// So many encryptions under each key.
    fn new(seed: u64, counts: &[usize]) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let made = (0..).zip(counts).map(|(j, _)| SecretKey::generate([j; 32], &mut rng));
        let (keys, publics) = made.unzip();
        Self::of_keys(rng, keys, publics, counts)
    }

    fn of_keys(
        mut rng: ChaCha20Rng,
        mut keys: Vec<SecretKey>,
        publics: Vec<PublicKey>,
        counts: &[usize],
    ) -> Self {
        let (mut openings, mut encryptions) = (Vec::new(), Vec::new());
        for (key, count) in keys.iter_mut().zip(counts) {
            let plaintexts: Vec<Vec<Fr>> = (0..*count).map(|_| scalars(&mut rng, SLOTS)).collect();
            let slices: Vec<&[Fr]> = plaintexts.iter().map(Vec::as_slice).collect();
            let (sent, kept) = key.encrypt(&slices, &mut rng).unwrap().into_iter().unzip();
            encryptions.push(sent);
            openings.push(kept);
        }
        Self { rng, keys, openings, publics, encryptions }
    }

    fn numbered(&self) -> Vec<Numbered> {
        let keys = self.keys.iter().zip(&self.encryptions);
        let numbered = keys.map(|(key, encryptions)| Numbered {
            session: key.session,
            counters: encryptions.iter().map(Encryption::counter).collect(),
        });
        numbered.collect()
    }

    fn sent<'a>(&'a self, challenges: &'a [usize]) -> Sent<'a> {
        let halves = |(key, encryptions): (&'a PublicKey, &'a Vec<Encryption>)| SentHalves {
            key: &key.residues,
            encryptions: encryptions.iter().map(|e| &e.residues[..]).collect(),
        };
        Sent { keys: self.publics.iter().zip(&self.encryptions).map(halves).collect(), challenges }
    }

    fn prover(&mut self, id: BatchId) -> Prover<'_> {
        let openings = std::mem::take(&mut self.openings);
        let parts = self.keys.iter().zip(openings);
        let parts = parts.map(|(key, openings)| Openings { key, openings }).collect();
        Prover::new(id, parts).unwrap()
    }

    fn batch(&self, id: BatchId) -> Batch {
        let parts = self.publics.iter().cloned().zip(self.encryptions.iter().cloned());
        let parts = parts.map(|(key, encryptions)| Received { key, encryptions }).collect();
        Batch::new(id, parts).unwrap()
    }
}

type Change<'a, T> = Option<&'a dyn Fn(&mut T)>;

/// The encryptor's messages, and the challenges it gets, where a test changes them.
#[derive(Default)]
struct Changes<'a> {
    weights: Change<'a, [u8; CHALLENGE_BYTES]>,
    commitment: Change<'a, [u8; COMMITMENT_BYTES]>,
    challenge: Change<'a, [u8; CHALLENGE_BYTES]>,
    responses: Change<'a, Vec<Vec<u8>>>,
    /// The encryptor's.
    id: Option<BatchId>,
}

type Outcome = Result<Vec<Verified>, Error>;

/// A proof by the encryptor's own code, but for the changes.
fn run(sender: &mut Sender, changes: &Changes<'_>) -> Outcome {
    let mut rng = ChaCha20Rng::seed_from_u64(99);
    let (batch, mut weights) = sender.batch(ID).weigh(&mut rng);
    if let Some(change) = changes.weights {
        change(&mut weights);
    }
    let mut own = sender.rng.clone();
    let prover = sender.prover(changes.id.unwrap_or(ID));
    let (masked, mut commitment) = prover.commit(&weights, &mut own);
    if let Some(change) = changes.commitment {
        change(&mut commitment);
    }
    let (batch, mut challenge) = batch.challenge(commitment, &mut rng);
    if let Some(change) = changes.challenge {
        change(&mut challenge);
    }
    let mut responses = masked.respond(&challenge)?;
    if let Some(change) = changes.responses {
        change(&mut responses);
    }
    batch.verify(&responses)
}

#[test]
fn honest_batches_pass_and_are_answered() {
    let mut sender = Sender::new(1, &[2, 1]);
    let parts = run(&mut sender, &Changes::default()).unwrap();
    assert_eq!(parts.iter().map(|part| part.encryptions.len()).collect::<Vec<_>>(), [2, 1]);
    // The second key's, and the first's.
    let (b, mask) = (scalars(&mut sender.rng, SLOTS), vec![Fr::default(); SLOTS]);
    for (part, key) in parts.iter().zip(&sender.keys) {
        let products = vec![(&part.encryptions[0], &b[..])];
        let request = Request { key: &part.key, products, mask: &mask };
        let answer = Evaluator::default().answer(&[request], &mut sender.rng).unwrap().remove(0);
        assert!(key.decrypt(&answer).iter().any(|slot| *slot != Fr::default()));
    }
    let [first, second] = &parts[..] else { panic!("two keys") };
    let products = vec![(&second.encryptions[0], &b[..])];
    let request = Request { key: &first.key, products, mask: &mask };
    let error = Evaluator::default().answer(&[request], &mut sender.rng).unwrap_err();
    assert_eq!(error, Error::OtherKey);
}

#[test]
fn batches_have_a_size_and_their_own_keys() {
    let mut sender = Sender::new(2, &[1]);
    let most = crate::bounds::MAX_BATCH;
    let empty = vec![Openings { key: &sender.keys[0], openings: Vec::new() }];
    let none = Prover::new(ID, empty).err();
    assert_eq!(none, Some(Error::Batch { got: 0, most }));
    let encryption = sender.encryptions[0].remove(0);
    let key = sender.publics[0].clone();
    let of =
        |key: PublicKey, encryptions| Batch::new(ID, vec![Received { key, encryptions }]).err();
    assert_eq!(of(key.clone(), Vec::new()), Some(Error::Batch { got: 0, most }));
    let many = vec![encryption.clone(); most + 1];
    assert_eq!(of(key.clone(), many), Some(Error::Batch { got: most + 1, most }));
    let other = Encryption::from_bytes([9; 32], 1, &encryption.to_bytes()).unwrap();
    assert_eq!(of(key.clone(), vec![other]), Some(Error::OtherKey));
    assert_eq!(of(key, vec![encryption]), None);
}

/// The attacks of `attacks`: what is sent has not the phase that is proved.
#[test]
fn what_is_not_short_is_refused() {
    let change: [&dyn Fn(&mut Sender); 5] = [
        &|sender| add_half_of_modulus(&mut sender.encryptions[1][0].residues, 1),
        &|sender| add_half_of_modulus(&mut sender.encryptions[0][1].residues, CIPHERTEXT_FACTOR),
        &|sender| {
            for (words, prime) in
                sender.encryptions[0][0].residues.iter_mut().zip(&context().primes)
            {
                let modulus = &prime.modulus;
                let t = modulus.reduce(&PLAINTEXT_MODULUS);
                let error = modulus.multiply(t, modulus.power(2, 200));
                words.iter_mut().for_each(|word| *word = modulus.add(*word, error));
            }
        },
        &|sender| add_half_of_modulus(&mut sender.publics[1].residues, ZERO_FACTOR),
        // Another plaintext than what is known.
        &|sender| sender.openings[0].swap(0, 1),
    ];
    for (number, change) in change.into_iter().enumerate() {
        let mut sender = Sender::new(3, &[2, 1]);
        change(&mut sender);
        let outcome = run(&mut sender, &Changes::default()).err();
        assert_eq!(outcome, Some(Error::Proof), "change {number}");
    }
}

#[test]
fn every_message_of_a_cheating_encryptor_is_found() {
    let other = |bytes: &mut [u8; 32]| bytes[31] ^= 1;
    let refused = |changes: Changes<'_>| run(&mut Sender::new(4, &[1]), &changes).err();
    // Weights of its own, masks it has not fixed, a challenge of its own.
    let weights = Changes { weights: Some(&other), ..Changes::default() };
    assert_eq!(refused(weights), Some(Error::Proof));
    let commitment = Changes { commitment: Some(&other), ..Changes::default() };
    assert_eq!(refused(commitment), Some(Error::Proof));
    let challenge = Changes { challenge: Some(&other), ..Changes::default() };
    assert_eq!(refused(challenge), Some(Error::Proof));
    // The lowest and the highest bit of each of a row's three vectors, in the last row.
    let ends = [SECRET_BITS, ERROR_BITS, PHASE_BITS].map(|bits| bits as usize * SLOTS / 8);
    let mut start = 0;
    for length in ends {
        for (place, bit) in [(start, 1u8), (start + length - 1, 128)] {
            let flip = |responses: &mut Vec<Vec<u8>>| responses[ROWS - 1][place] ^= bit;
            let changed = Changes { responses: Some(&flip), ..Changes::default() };
            assert_eq!(refused(changed), Some(Error::Proof), "byte {place}");
        }
        start += length;
    }
    assert_eq!(start, response_bytes(1));
    // Rows that change places, that are missing, that are of another length.
    let swap = |responses: &mut Vec<Vec<u8>>| responses.swap(0, 1);
    let swapped = Changes { responses: Some(&swap), ..Changes::default() };
    assert_eq!(refused(swapped), Some(Error::Proof));
    let few = |responses: &mut Vec<Vec<u8>>| drop(responses.pop());
    let few = Changes { responses: Some(&few), ..Changes::default() };
    assert!(matches!(refused(few), Some(Error::Length { .. })));
    for length in [response_bytes(1) - 1, response_bytes(1) + 1] {
        let resize = |responses: &mut Vec<Vec<u8>>| responses[2].resize(length, 0);
        let resized = Changes { responses: Some(&resize), ..Changes::default() };
        assert!(matches!(refused(resized), Some(Error::Length { .. })));
    }
    assert_eq!(refused(Changes::default()), None);
}

/// A proof made for another session, which differs by who encrypts, or another number, is none: nor
/// are the messages of one used again.
#[test]
fn a_proof_is_for_one_batch_of_one_encryptor() {
    for id in [BatchId { session: [8; 32], ..ID }, BatchId { number: 4, ..ID }] {
        let changes = Changes { id: Some(id), ..Changes::default() };
        assert_eq!(run(&mut Sender::new(5, &[1]), &changes).err(), Some(Error::Proof));
    }
    // The same messages to an evaluator that draws anew.
    let mut sender = Sender::new(5, &[1]);
    let batch = |rng: &mut ChaCha20Rng, sender: &Sender| sender.batch(ID).weigh(rng);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (first, weights) = batch(&mut rng, &sender);
    let (again, _) = batch(&mut rng, &sender);
    let mut own = sender.rng.clone();
    let (masked, commitment) = sender.prover(ID).commit(&weights, &mut own);
    let (first, challenge) = first.challenge(commitment, &mut rng);
    let (again, _) = again.challenge(commitment, &mut rng);
    let responses = masked.respond(&challenge).unwrap();
    assert!(first.verify(&responses).is_ok());
    assert_eq!(again.verify(&responses).err(), Some(Error::Proof));
}

/// Who knows the challenges before it fixes its masks proves anything, row by row: so nothing is
/// shown by a proof that is true, and what the soundness rests on is that they come last.
#[test]
fn a_challenge_known_ahead_proves_anything() {
    let mut sender = Sender::new(6, &[2]);
    add_half_of_modulus(&mut sender.encryptions[0][0].residues, CIPHERTEXT_FACTOR);
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let (batch, weights) = sender.batch(ID).weigh(&mut rng);
    let weights = ID.weights(&weights, 2);
    let mut ahead = [0; CHALLENGE_BYTES];
    rng.clone().fill_bytes(&mut ahead);
    let rows: Vec<Row> = (0..ROWS).map(|v| draw(&mut Stream::new(&[v as u8; 32]), 1)).collect();
    let responses: Vec<Vec<u8>> = rows.iter().map(write).collect();
    let fixed = |challenges: &[usize]| {
        let sent = sender.sent(challenges);
        announcement(&ID, &sender.numbered(), &weights, &rows, Some(&sent))
    };
    let mut challenges = ID.challenges(&ahead);
    let (known, _) = batch.challenge(fixed(&challenges), &mut rng.clone());
    assert!(known.verify(&responses).is_ok());
    // One row of five guessed wrong, by one.
    challenges[ROWS - 1] ^= 1;
    let (batch, _) = sender.batch(ID).weigh(&mut ChaCha20Rng::seed_from_u64(2));
    let (guessed, _) = batch.challenge(fixed(&challenges), &mut rng);
    assert_eq!(guessed.verify(&responses).err(), Some(Error::Proof));
}

/// Exponents are spread over all of `2N`, in every row anew, for weights and challenges apart.
#[test]
fn exponents_fill_their_range() {
    let weights = ID.weights(&[1; 32], 128);
    assert_eq!(weights.len(), ROWS);
    let all: Vec<usize> = weights.concat();
    assert!(all.iter().all(|exponent| *exponent < 2 * SLOTS));
    assert!((250..390).contains(&all.iter().filter(|exponent| **exponent >= SLOTS).count()));
    let mut distinct = all.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() > 620, "{} of 640", distinct.len());
    let challenges = ID.challenges(&[1; 32]);
    assert_eq!(challenges.len(), ROWS);
    assert_ne!(challenges, ID.weights(&[1; 32], 1).concat());
    for other in [BatchId { session: [8; 32], ..ID }, BatchId { number: 4, ..ID }] {
        assert_ne!(other.challenges(&[1; 32]), challenges);
        assert_ne!(other.weights(&[1; 32], 128), weights);
    }
}

/// The key `s + 1/(1 - X)` passes: the numbers that fix its masks do not depend on the challenge,
/// while its responses are short. Hence twice an encryption of zero (`attacks`).
#[test]
fn a_key_of_halves_passes() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (mut key, _) = SecretKey::generate([0; 32], &mut rng);
    add_halves(&mut key);
    let publics = vec![key.public_key()];
    let sender = Sender::of_keys(rng, vec![key], publics, &[1]);
    let weights = ID.weights(&[1; 32], 1);
    let responses = |challenge: usize| -> Vec<Row> {
        let opening = &sender.openings[0][0];
        let rows = weights.iter().zip(0u8..).map(|(weights, v)| {
            let mut row = draw(&mut Stream::new(&[v; 32]), 1);
            let phase = super::prover::combined_phase(&[opening], weights);
            add_shifted_wide(&mut row.phase, &phase, challenge, PHASE_BITS);
            let [secret, error] = &mut row.keys[0];
            let of_key = &sender.keys[0];
            let s = wide::signed(&of_key.ternary, 1);
            add_shifted_wide(secret, &s, challenge, SECRET_BITS);
            // (X^c - 1)/(1 - X) is minus the ones below c, or beyond c - N.
            let mut less = vec![1; SLOTS];
            let (low, high) = less.split_at_mut(challenge % SLOTS);
            if challenge < SLOTS {
                low.fill(0)
            } else {
                high.fill(0)
            }
            add_shifted_wide(secret, &wide::signed(&less, 1), 0, SECRET_BITS);
            let e = wide::signed(&of_key.errors, u64::from(ERROR_FLIPS));
            add_shifted_wide(error, &e, challenge, ERROR_BITS);
            row
        });
        rows.collect()
    };
    let fixed = |challenge: usize| {
        let challenges = [challenge; ROWS];
        let sent = sender.sent(&challenges);
        announcement(&ID, &sender.numbered(), &weights, &responses(challenge), Some(&sent))
    };
    let first = fixed(5);
    for challenge in [0, 1, 12_345, SLOTS, SLOTS + 9, 2 * SLOTS - 1] {
        assert_eq!(fixed(challenge), first, "challenge {challenge}");
    }
}

/// A row's response bit by bit, over all coefficients: as many ones as zeros.
fn assert_uniform<const K: usize>(numbers: &Limbs<K>, bits: u32) {
    for bit in 0..bits {
        let limb = &numbers.0[bit as usize / 52];
        let ones: u64 = limb.iter().map(|word| word >> (bit % 52) & 1).sum();
        assert!(ones.abs_diff(SLOTS as u64 / 2) < 600, "bit {bit}: {ones} ones");
    }
    // Nothing beyond.
    let top = &numbers.0[K - 1];
    assert!(top.iter().all(|word| word >> (bits - 52 * (K as u32 - 1)) == 0));
}

/// Responses are uniform over their whole width, whatever they are about: the mask of one secret,
/// moved by the difference, is that of another.
#[test]
fn responses_are_masked_over_their_whole_width() {
    let respond = |seed: u64| -> Vec<Row> {
        let mut sender = Sender::new(seed, &[1, 1]);
        // The masks are the same.
        let mut rng = ChaCha20Rng::seed_from_u64(42);
        let (masked, _) = sender.prover(ID).commit(&[1; 32], &mut rng);
        let read = |bytes: &Vec<u8>| super::verifier::read(bytes, 2).unwrap();
        masked.respond(&[2; 32]).unwrap().iter().map(read).collect()
    };
    let (one, other) = (respond(8), respond(9));
    for (one, other) in one.iter().zip(&other) {
        assert!(one.phase.0 != other.phase.0);
        assert_uniform(&one.phase, PHASE_BITS);
        let keys: [&[[Limbs<KEY_LIMBS>; 2]]; 2] = [&one.keys, &other.keys];
        for ([secret, error], [of_other, _]) in keys[0].iter().zip(keys[1]) {
            assert_uniform(secret, SECRET_BITS);
            assert_uniform(error, ERROR_BITS);
            // Under one mask two ternary secrets differ by -2 to 2: who could repeat a mask, or see
            // two responses under one, would know them.
            let mut low = secret.0[0].iter().zip(of_other.0[0].iter());
            let mask = (1 << 52) - 1;
            let small = |(a, b): (&u64, &u64)| (a.wrapping_sub(*b).wrapping_add(2) & mask) < 5;
            assert!(low.all(small));
        }
    }
    // No two masks are equal.
    let first: Vec<u64> = one.iter().map(|row| row.phase.0[0][0]).collect();
    let mut distinct = first.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), ROWS);
    let _: [Words; PHASE_LIMBS] = one.into_iter().next().unwrap().phase.0;
}

/// The same messages on any number of threads.
#[test]
fn same_seed_same_messages() {
    let messages = || {
        let mut sender = Sender::new(10, &[1, 1]);
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let (masked, commitment) = sender.prover(ID).commit(&[1; 32], &mut rng);
        (commitment, masked.respond(&[2; 32]).unwrap())
    };
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert!(one.install(messages) == messages());
}
