//! Tags from ring-LWE encryption (protocol §24): the one module that knows of it.
//!
//! Each side sends one encryption of its key `Δ`, a constant polynomial, and proves that it is one
//! of something (protocol §2.1). For a block of its own values the other side answers with
//! `E·x - m` for uniform `m`, its tags; the decryption is the keys `k = Δ·x - m`. What a peer's
//! encryption really holds is tested where tags are used ([`crate::Preprocessing::begin`]), and
//! what its answers are made of in the audit.

use crate::source::{Correlation, TagSource};
use crate::values::Key;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_party::{PartyError, Role, Shares};
use twain_rlwe::bounds::{ROWS, response_bytes};
use twain_rlwe::proof::{Batch, BatchId, Openings, Prover, Received, Verified};
use twain_rlwe::{
    ANSWER_BYTES, Answer, Encryption, Evaluator, FRESH_BYTES, Opening, PublicKey, Request, SLOTS,
    SecretKey, uniform_scalars,
};

const PHASE: &str = "tags";

/// One side's end. Its keys serve for tags alone, in one session.
pub struct RingTags {
    rng: ChaCha20Rng,
    keys: Option<Keys>,
}

struct Keys {
    own: SecretKey,
    evaluator: Evaluator,
    /// The peer's ring key, and its `Δ`.
    peer: Verified,
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> PartyError {
    PartyError::Peer(Box::new(error))
}

fn derived(label: &[u8], session: &[u8; 32], encryptor: Role) -> [u8; 32] {
    Sha256::new_with_prefix(label)
        .chain_update(session)
        .chain_update([encryptor as u8])
        .finalize()
        .into()
}

/// The uniform halves of one encryptor's ciphertexts hang on this.
fn ring_session(session: &[u8; 32], encryptor: Role) -> [u8; 32] {
    derived(b"twain tags ring-LWE session", session, encryptor)
}

/// The only proof of an encryptor.
fn proof_id(session: &[u8; 32], encryptor: Role) -> BatchId {
    BatchId { session: derived(b"twain tags ring-LWE proof", session, encryptor), number: 0 }
}

impl RingTags {
    /// An end whose keys, tags, errors and floods come from `rng`, a generator for one session.
    pub fn new(rng: ChaCha20Rng) -> Self {
        Self { rng, keys: None }
    }

    /// Exchanges ring keys and an encryption of this polynomial.
    fn start(
        &mut self,
        channel: &mut dyn Channel,
        session: [u8; 32],
        plaintext: &[Fr],
    ) -> Result<(), PartyError> {
        let role = channel.role();
        let (mut own, public) = SecretKey::generate(ring_session(&session, role), &mut self.rng);
        let theirs = channel.exchange(PHASE, public.to_bytes(), FRESH_BYTES)?;
        let peer_session = ring_session(&session, role.other());
        let key = PublicKey::from_bytes(peer_session, &theirs).map_err(failed)?;
        let made = own.encrypt(&[plaintext], &mut self.rng).map_err(failed)?;
        let (sent, openings): (Vec<Encryption>, Vec<Opening>) = made.into_iter().unzip();
        let sent = sent.first().map(Encryption::to_bytes).unwrap_or_default();
        let received = channel.exchange(PHASE, sent, FRESH_BYTES)?;
        // The first encryption under a key has the number 1.
        let theirs = Encryption::from_bytes(peer_session, 1, &received).map_err(failed)?;
        let received = Received { key, encryptions: vec![theirs] };
        let peer = self.prove(channel, session, Openings { key: &own, openings }, received)?;
        self.keys = Some(Keys { own, evaluator: Evaluator::default(), peer });
        Ok(())
    }

    /// Both sides' proofs at the same time; what the peer has proved.
    fn prove(
        &mut self,
        channel: &mut dyn Channel,
        session: [u8; 32],
        own: Openings<'_>,
        theirs: Received<PublicKey, Encryption>,
    ) -> Result<Verified, PartyError> {
        let role = channel.role();
        let short = |message: Vec<u8>| {
            <[u8; 32]>::try_from(message)
                .map_err(|_| PartyError::Bug("a message of a proof has another length"))
        };
        let prover = Prover::new(proof_id(&session, role), vec![own]).map_err(failed)?;
        let batch = Batch::new(proof_id(&session, role.other()), vec![theirs]).map_err(failed)?;
        let (batch, weights) = batch.weigh(&mut self.rng);
        let weights = channel.exchange(PHASE, weights.to_vec(), weights.len())?;
        let (masked, commitment) = prover.commit(&short(weights)?, &mut self.rng);
        let commitment = channel.exchange(PHASE, commitment.to_vec(), commitment.len())?;
        let (batch, challenge) = batch.challenge(short(commitment)?, &mut self.rng);
        let challenge = channel.exchange(PHASE, challenge.to_vec(), challenge.len())?;
        for response in masked.respond(&short(challenge)?).map_err(failed)? {
            channel.send(PHASE, response)?;
        }
        let mut responses = Vec::with_capacity(ROWS);
        for _ in 0..ROWS {
            responses.push(channel.receive(PHASE, response_bytes(1))?);
        }
        let verified = batch.verify(&responses).map_err(failed)?.pop();
        verified.ok_or(PartyError::Bug("a proof about nothing"))
    }
}

impl TagSource for RingTags {
    fn begin(&mut self, channel: &mut dyn Channel, session: [u8; 32]) -> Result<Key, PartyError> {
        let mut delta = Shares::zero(1);
        uniform_scalars(&mut self.rng, &mut delta);
        // The same in all slots: a constant.
        self.start(channel, session, &Shares::new(vec![delta[0]; SLOTS]))?;
        Ok(Key::new(delta[0]))
    }

    fn block(&self) -> usize {
        SLOTS
    }

    fn tag(
        &mut self,
        channel: &mut dyn Channel,
        own: &[Fr],
        theirs: usize,
    ) -> Result<Correlation, PartyError> {
        let Self { rng, keys } = self;
        let keys = keys.as_mut().ok_or(PartyError::Bug("tags are made before their keys"))?;
        let mut tags = Shares::zero(own.len());
        let mut made = Shares::zero(theirs);
        let mut values = own.chunks(SLOTS).zip(tags.chunks_mut(SLOTS));
        let mut received = made.chunks_mut(SLOTS);
        for _ in 0..own.len().max(theirs).div_ceil(SLOTS) {
            if let Some((values, tags)) = values.next() {
                let mut mask = Shares::zero(SLOTS);
                uniform_scalars(rng, &mut mask);
                tags.copy_from_slice(&mask[..values.len()]);
                let products = keys.peer.encryptions.iter().map(|key| (key, values)).collect();
                let request = Request { key: &keys.peer.key, products, mask: &mask };
                for answer in keys.evaluator.answer(&[request], rng).map_err(failed)? {
                    channel.send(PHASE, answer.to_bytes())?;
                }
            }
            if let Some(made) = received.next() {
                let answer = channel.receive(PHASE, ANSWER_BYTES)?;
                let answer = Answer::from_bytes(&answer).map_err(failed)?;
                let slots = Shares::new(keys.own.decrypt(&answer));
                made.copy_from_slice(&slots[..made.len()]);
            }
        }
        Ok(Correlation { tags, keys: made })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Demand, Preprocessing};
    use ff::Field;
    use rand_core::SeedableRng;
    use twain_link::channel::view::{LIMIT, View, distance, observe};
    use twain_link::channel::{ChannelError, MemoryChannel, TrafficMeter, memory_pair};

    fn rng(seed: u64, role: Role) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(2 * seed + role as u64)
    }

    fn both<T: Send>(side: impl Fn(MemoryChannel) -> T + Sync) -> [T; 2] {
        let (model, data) = memory_pair([7; 32]);
        std::thread::scope(|scope| {
            let data = scope.spawn(|| side(data));
            [side(model), data.join().expect("no panic")]
        })
    }

    /// None, one, and around a block, as many on either side or not.
    #[test]
    fn tags_and_keys_belong_together() {
        let sizes = [[0, 0], [1, 0], [SLOTS - 1, SLOTS + 1], [SLOTS, 1]];
        let sides = both(|mut channel| {
            let role = channel.role();
            let mut source = RingTags::new(rng(1, role));
            let delta = source.begin(&mut channel, [7; 32]).unwrap();
            let made = sizes.map(|sizes| {
                let (own, theirs) = (sizes[role as usize], sizes[role.other() as usize]);
                let mut values = vec![Fr::ZERO; own];
                uniform_scalars(&mut rng(2, role), &mut values);
                let made = source.tag(&mut channel, &values, theirs).unwrap();
                (values, made)
            });
            (delta.0, made)
        });
        for (owner, holder) in [(0, 1), (1, 0)] {
            let (delta, keys) = &sides[holder];
            assert_ne!(*delta, sides[owner].0);
            for ((values, made), (_, keys)) in sides[owner].1.iter().zip(keys) {
                assert_eq!([made.tags.len(), keys.keys.len()], [values.len(); 2]);
                for ((x, m), k) in values.iter().zip(made.tags.iter()).zip(keys.keys.iter()) {
                    assert_eq!(*m + *k, *delta * x);
                }
                assert!(values.len() < 2 || made.tags[0] != made.tags[1]);
            }
        }
    }

    /// Keys of values that are all alike say nothing of them.
    #[test]
    fn keys_do_not_show_the_values() {
        let view = |value: Fr, seed: u64| {
            let [_, keys] = both(|mut channel| {
                let role = channel.role();
                let mut source = RingTags::new(rng(seed, role));
                source.begin(&mut channel, [7; 32]).unwrap();
                let (own, theirs) = match role {
                    Role::Model => (vec![value; SLOTS], 0),
                    Role::Data => (Vec::new(), SLOTS),
                };
                source.tag(&mut channel, &own, theirs).unwrap().keys
            });
            let mut view = View::new();
            observe(&mut view, &[], &keys);
            view
        };
        let [small, large] = [Fr::from(3), Fr::from(3).invert().unwrap()];
        let (statistic, place) = distance(&view(small, 10), &view(large, 11));
        assert!(statistic < LIMIT, "{statistic} in {place}");
    }

    /// A peer whose ciphertext holds another key for one value of the block.
    struct Uneven(RingTags, Fr);

    impl TagSource for Uneven {
        fn begin(
            &mut self,
            channel: &mut dyn Channel,
            session: [u8; 32],
        ) -> Result<Key, PartyError> {
            let mut slots = vec![Fr::from(5); SLOTS];
            slots[SLOTS / 2] += self.1;
            self.0.start(channel, session, &slots)?;
            Ok(Key::new(Fr::from(5)))
        }

        fn block(&self) -> usize {
            self.0.block()
        }

        fn tag(
            &mut self,
            channel: &mut dyn Channel,
            own: &[Fr],
            theirs: usize,
        ) -> Result<Correlation, PartyError> {
            self.0.tag(channel, own, theirs)
        }
    }

    #[test]
    fn an_uneven_key_ends_it() {
        for error in [Fr::ZERO, Fr::ONE] {
            let [model, data] = both(|mut channel| {
                let role = channel.role();
                let source = RingTags::new(rng(3, role));
                let source: Box<dyn TagSource> = match role {
                    Role::Model => Box::new(source),
                    Role::Data => Box::new(Uneven(source, error)),
                };
                let demand = Demand::default();
                Preprocessing::begin(&mut channel, source, &demand, rng(4, role)).map(drop)
            });
            assert_eq!([model.is_ok(), data.is_ok()], [error == Fr::ZERO; 2], "{error:?}");
            // The uneven side sees it first, in a number it cannot name; the test of keys has a
            // side that goes on.
            assert_eq!(matches!(data, Err(PartyError::Ended)), error == Fr::ONE);
        }
    }

    /// A link whose owner changes a byte of the frame numbered `at`.
    struct Changed {
        inner: MemoryChannel,
        at: usize,
        sent: usize,
    }

    impl Channel for Changed {
        fn role(&self) -> Role {
            self.inner.role()
        }

        fn send(&mut self, phase: &'static str, mut frame: Vec<u8>) -> Result<(), ChannelError> {
            frame[7] ^= u8::from(self.sent == self.at);
            self.sent += 1;
            self.inner.send(phase, frame)
        }

        fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
            self.inner.receive(phase, length)
        }

        fn session_id(&self) -> [u8; 32] {
            self.inner.session_id()
        }

        fn meter(&self) -> &TrafficMeter {
            self.inner.meter()
        }
    }

    /// A changed public key, encryption of the key, message of their proof, or answer, of the block
    /// for the test of keys or of later ones: the proof refuses what it is about and its messages,
    /// the tests of tags end the session at answers.
    #[test]
    fn a_changed_ciphertext_ends_it() {
        // Sent: 0 commitments, 1 public key, 2 encryption, 3 to 10 its proof (3 and 5 for the
        // peer's), 11 answer of the test, 12 coin, 13 to 16 the test, 17 answer of the spares.
        for at in [1, 2, 3, 4, 5, 6, 10, 11, 17] {
            let [model, data] = both(|channel| {
                let role = channel.role();
                let at = if role == Role::Data { at } else { usize::MAX };
                let mut channel = Changed { inner: channel, at, sent: 0 };
                let source = Box::new(RingTags::new(rng(5, role)));
                let demand = Demand::default();
                let mut stage = Preprocessing::begin(&mut channel, source, &demand, rng(6, role))?;
                stage.spares(&mut channel, 2, 2)?;
                stage.audit(&mut channel)?;
                Ok::<(), PartyError>(())
            });
            let [model, data] = [model, data].map(|result| format!("{:?}", result.err()));
            let (honest, due) = match at {
                // What is wrong then is this side's proof, which the other one refuses.
                3 | 5 => (data, "Some(Peer(Proof))"),
                11 | 17 => (model, "Some(Ended)"),
                _ => (model, "Some(Peer(Proof))"),
            };
            assert_eq!(honest, due, "frame {at}");
        }
    }
}
