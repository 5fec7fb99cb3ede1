//! An encryptor that deviates gets no answer (protocol §2.1).

use super::{BgvOle, OleGroup, OleSource};
use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::VecDeque;
use twain_algebra::Fr;
use twain_link::channel::{Channel, ChannelError, MemoryChannel, TrafficMeter, memory_pair};
use twain_party::Role;
use twain_rlwe::SLOTS;
use twain_rlwe::bounds::ROWS;
use twain_rlwe::proof::CHALLENGE_BYTES;

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

/// Whichever message of the encryptor's is changed: its key, its encryption, its commitment, a response.
/// The evaluator has sent its two challenges then, and no answer.
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

/// A peer that sends back what it is sent proves nothing: a key and encryptions that are its own under
/// the other's name.
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
    let operand = vec![Fr::ONE; 2 * SLOTS];
    let mut mirror = Mirror { sent: Default::default(), meter: TrafficMeter::default() };
    let groups = one_product(2 * SLOTS);
    let error = source.inner_products(&mut mirror, "test", &[&operand], &groups).unwrap_err();
    assert!(error.to_string().contains("proof about its encryptions"), "{error}");
}
