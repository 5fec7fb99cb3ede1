//! An encryptor that deviates gets no answer (protocol §2.1); an evaluator that does finds nothing
//! in one slot that it could combine (§2.3).

use super::keys::Keys;
use super::packing::{Layout, proof_bytes};
use super::{BgvOle, OleGroup, OleSource, Products};
use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::VecDeque;
use twain_algebra::Fr;
use twain_link::channel::{Channel, ChannelError, MemoryChannel, TrafficMeter, memory_pair};
use twain_party::{PartyError, Role};
use twain_rlwe::bounds::ROWS;
use twain_rlwe::proof::{CHALLENGE_BYTES, COMMITMENT_BYTES};
use twain_rlwe::{FRESH_BYTES, Request, SLOTS};

fn source(seed: u64) -> BgvOle {
    BgvOle::new(ChaCha20Rng::seed_from_u64(seed))
}

/// One product of each element of both sides' only operand.
fn one_product(length: usize) -> [OleGroup; 1] {
    [OleGroup { length, terms: vec![(0, 0)] }]
}

/// A link on which one frame that is received has another lowest bit in its first byte.
struct Bent {
    inner: MemoryChannel,
    frame: usize,
    received: usize,
    sent: Vec<usize>,
}

impl Channel for Bent {
    fn role(&self) -> Role {
        self.inner.role()
    }
    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.sent.push(frame.len());
        self.inner.send(phase, frame)
    }
    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        let mut frame = self.inner.receive(phase, length)?;
        if self.received == self.frame {
            frame[0] ^= 1;
        }
        self.received += 1;
        Ok(frame)
    }
    fn session_id(&self) -> [u8; 32] {
        self.inner.session_id()
    }
    fn meter(&self) -> &TrafficMeter {
        self.inner.meter()
    }
}

/// Whichever message of the encryptor's is changed: its key, its encryption, its commitment, a
/// response. The evaluator has sent its two challenges then, and no answer.
#[test]
fn a_changed_message_of_the_encryptor_ends_the_call_without_an_answer() {
    let frames = 3 + ROWS;
    for frame in 0..=frames {
        let (mut model, data) = memory_pair([1; 32]);
        let [mut encryptor, mut evaluator] = [51, 52].map(source);
        let groups = one_product(3);
        let mut bent = Bent { inner: data, frame, received: 0, sent: vec![] };
        let error = std::thread::scope(|scope| {
            let operand = vec![Fr::ONE; 3];
            let groups = &groups;
            scope.spawn(move || {
                let _ = encryptor.inner_products(&mut model, "test", &[&operand], groups);
            });
            let operand = vec![Fr::ONE; 3];
            let made = evaluator.inner_products(&mut bent, "test", &[&operand], groups);
            let sent = std::mem::take(&mut bent.sent);
            drop(bent);
            made.map_err(|error| (error.to_string(), sent))
        });
        if frame == frames {
            assert!(error.is_ok(), "nothing is changed");
            continue;
        }
        let (error, sent) = error.unwrap_err();
        assert!(error.contains("proof about its encryptions"), "frame {frame}: {error}");
        assert_eq!(sent, [CHALLENGE_BYTES; 2], "frame {frame}");
    }
}

/// A peer that sends back what it is sent proves nothing: a key and encryptions that are its own
/// under the other's name.
#[test]
fn messages_sent_back_prove_nothing() {
    struct Mirror {
        sent: VecDeque<Vec<u8>>,
        meter: TrafficMeter,
    }
    impl Channel for Mirror {
        fn role(&self) -> Role {
            Role::Data
        }
        fn send(&mut self, _: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
            self.sent.push_back(frame);
            Ok(())
        }
        fn receive(&mut self, _: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
            let frame = self.sent.iter().position(|frame| frame.len() == length);
            Ok(frame.and_then(|at| self.sent.remove(at)).unwrap_or_else(|| vec![0; length]))
        }
        fn session_id(&self) -> [u8; 32] {
            [1; 32]
        }
        fn meter(&self) -> &TrafficMeter {
            &self.meter
        }
    }
    let mut source = source(61);
    // So long that both sides encrypt.
    let operand = vec![Fr::ONE; 8 * SLOTS];
    let mut mirror = Mirror { sent: Default::default(), meter: TrafficMeter::default() };
    let groups = [OleGroup { length: 8 * SLOTS, terms: vec![(0, 0), (1, 1)] }];
    let made = source.inner_products(&mut mirror, "test", &[&operand, &operand], &groups);
    let error = made.map(drop).unwrap_err();
    assert!(error.to_string().contains("proof about its encryptions"), "{error}");
}

/// What a column of points is to its owner: known on all rows but one, the random one. Of points
/// `p` it is `rows(p) + random·weight(p)`.
struct Column {
    rows: Vec<Fr>,
    weights: Vec<Fr>,
    random: Fr,
}

impl Column {
    fn new(points: usize, random: u64) -> Self {
        let number = |i: usize, salt: u64| Fr::from(salt * (i as u64 + 3) * (i as u64 + 3) + 7);
        Self {
            rows: (0..points).map(|i| number(i, 1_000_003)).collect(),
            weights: (0..points).map(|i| number(i, 77)).collect(),
            random: Fr::from(random),
        }
    }

    fn values(&self) -> Vec<Fr> {
        let terms = self.rows.iter().zip(&self.weights);
        terms.map(|(row, weight)| *row + self.random * weight).collect()
    }

    /// The multiples of the points `slot` and `N + slot` whose sum does not contain the random row,
    /// and that sum as the rows give it.
    fn combined(&self, slot: usize) -> ([Fr; 2], Fr) {
        let places = [slot, SLOTS + slot];
        let multiples = [self.weights[places[1]], -self.weights[places[0]]];
        (multiples, multiples[0] * self.rows[places[0]] + multiples[1] * self.rows[places[1]])
    }
}

/// An evaluator that follows the protocol, but for one slot of its first answer: to it, it adds
/// these multiples of what the encryptor has in that slot of its first two blocks.
fn cheat(
    mut channel: MemoryChannel,
    products: &Products,
    slot: usize,
    multiples: [Fr; 2],
) -> Result<(), PartyError> {
    let mut rng = ChaCha20Rng::seed_from_u64(72);
    let layout = Layout::encrypted_by(products, Role::Model);
    let batches = layout.batches_of(Role::Model);
    let [batch] = &batches[..] else { panic!("a batch") };
    let mut keys = Keys::new(channel.session_id(), Role::Data);
    for part in &batch.parts {
        if part.is_new {
            keys.take_key(&channel.receive("test", FRESH_BYTES)?)?;
        }
        for _ in &part.blocks {
            keys.take_encryption(part.key, &channel.receive("test", FRESH_BYTES)?)?;
        }
    }
    channel.send("test", keys.weigh(&mut rng)?)?;
    let commitment = channel.receive("test", COMMITMENT_BYTES)?;
    channel.send("test", keys.challenge(&commitment, &mut rng)?)?;
    let length = proof_bytes(batch.parts.len()) / ROWS;
    let responses =
        (0..ROWS).map(|_| channel.receive("test", length)).collect::<Result<Vec<_>, _>>()?;
    let proved = keys.verify(&responses)?;
    let encryptions: Vec<_> = proved.iter().flat_map(|part| &part.encryptions).collect();
    let key = &proved[0].key;
    let mask = vec![Fr::ZERO; SLOTS];
    let of_slot = |multiple: Fr| {
        let mut multiplier = vec![Fr::ZERO; SLOTS];
        multiplier[slot] = multiple;
        multiplier
    };
    // The honest answer is of the first block alone, times 1.
    let mut first = vec![Fr::ONE; SLOTS];
    first[slot] += multiples[0];
    let second = of_slot(multiples[1]);
    let honest = |i: usize| (encryptions[i], vec![Fr::ONE; SLOTS]);
    let requests = [vec![(encryptions[0], first), (encryptions[1], second)], vec![honest(1)]];
    for (products, key) in requests.iter().zip([key, &proved[proved.len() - 1].key]) {
        let products = products.iter().map(|(encryption, by)| (*encryption, &by[..])).collect();
        let request = Request { key, products, mask: &mask };
        for answer in keys.evaluator.answer(&[request], &mut rng).map_err(super::keys::failed)? {
            channel.send("test", answer.to_bytes())?;
        }
    }
    Ok(())
}

/// Two points of a column with one random row stand in one slot. Under one key for both the peer
/// adds a combination to the encryptor's share that the random row is not in: it knows the error if
/// it guesses the rows, takes it back elsewhere, and sees from how the session ends whether it
/// guessed right. With a key for each `N` points there is no such combination, and ciphertexts
/// under two keys do not go together.
#[test]
fn points_under_one_key_can_be_combined_to_what_rows_alone_say() {
    let group = OleGroup { length: 2 * SLOTS, terms: vec![(0, 0)] };
    let slot = 123;
    // The error in the encryptor's share, and what the cheater's end says.
    let attack = |products: &Products, random: u64| {
        let (model, data) = memory_pair([1; 32]);
        let column = Column::new(2 * SLOTS, random);
        let values = column.values();
        let (multiples, guess) = column.combined(slot);
        std::thread::scope(|scope| {
            let values = &values;
            let owner = scope.spawn(move || {
                let mut link = model;
                let layout = Layout::encrypted_by(products, Role::Model);
                source(71).with_layout(&mut link, "test", &[values], products, &layout)
            });
            let outcome = cheat(data, products, slot, multiples);
            let made = owner.join().expect("no panic");
            (made.map(|made| made[0][slot] - values[slot]).ok(), guess, outcome)
        })
    };
    let one_key: Products = vec![group.clone()].into();
    for random in [5, 1 << 40] {
        let (error, guess, outcome) = attack(&one_key, random);
        assert!(outcome.is_ok());
        assert_eq!(error, Some(guess), "whatever the random row is");
    }
    let points = Products { points: vec![group], others: Vec::new() };
    let (error, _, outcome) = attack(&points, 5);
    assert_eq!(error, None);
    assert!(outcome.unwrap_err().to_string().contains("under another"));
}
