//! Base oblivious transfers over ristretto255, secure against a peer that deviates: endemic
//! transfers (Masny, Rindal, CCS 2019) from Diffie-Hellman key agreement. In: this party's 128
//! choice bits (its `delta`). Out: 128 keys chosen by them, and 128 pairs of keys of which the peer
//! holds one each.
//!
//! A sender's message is a point `S = s G`. A receiver with choice `c` sends two points: `r_(1-c)`
//! is random, `r_c = k G - H_c(r_(1-c))` for a random scalar `k`. The sender takes `m_b = r_b +
//! H_b(r_(1-b))`, so `m_c = k G`, and the keys are hashes of `s m_0` and `s m_1`; the receiver's is
//! that of `k S`. Whoever wants a point of its own choice for one `b` has to fix the other one
//! first, which is then that plus a hash: of no known scalar. So who receives knows one key at
//! most, and a simulator that answers for the hash sees which one. Both points are uniform whatever
//! the choice is, and no message waits for another.

use crate::error::Deviation;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use rayon::prelude::*;
use sha2::{Digest, Sha512};
use twain_link::channel::Channel;
use twain_party::{PartyError, Role};
use zeroize::Zeroize;

/// How many: the security parameter of the extension.
pub(super) const COUNT: usize = 128;
const PHASE: &str = "base oblivious transfer";
/// Bytes of an encoded point.
const POINT_BYTES: usize = 32;
/// Bytes of a party's message: its point as a sender, two for each transfer as a receiver.
pub(super) const FRAME_BYTES: usize = POINT_BYTES * (1 + 2 * COUNT);

/// A key: the seed of a column's generator.
pub(super) type Key = [u8; 32];

/// What one party holds after both directions.
pub(super) struct BaseTransfers {
    /// Keys chosen by this party's bits, of the peer's pairs.
    pub chosen: Vec<Key>,
    /// This party's pairs.
    pub pairs: Vec<[Key; 2]>,
}

pub(super) fn exchange(
    channel: &mut dyn Channel,
    rng: &mut ChaCha20Rng,
    choices: u128,
) -> Result<BaseTransfers, PartyError> {
    let (role, session) = (channel.role(), channel.session_id());
    let mut secret = draw_scalar(rng);
    let public = (RISTRETTO_BASEPOINT_TABLE * &secret).compress();
    let mut frame = Vec::with_capacity(FRAME_BYTES);
    frame.extend_from_slice(public.as_bytes());
    let mut requests = Vec::with_capacity(COUNT);
    let sender = role.other();
    for i in 0..COUNT {
        let context = Context { session, sender, index: i as u64 };
        let choice = (choices >> i) as u8 & 1;
        let mut other = [0; 64];
        rng.fill_bytes(&mut other);
        let scalar = draw_scalar(rng);
        let own = RISTRETTO_BASEPOINT_TABLE * &scalar;
        let points = context.request(choice, own, &RistrettoPoint::from_uniform_bytes(&other));
        points.iter().for_each(|point| frame.extend_from_slice(point.as_bytes()));
        requests.push((context, choice, scalar, points));
        other.zeroize();
    }
    let theirs = channel.exchange(PHASE, frame, FRAME_BYTES)?;
    let (points, _) = theirs.as_chunks::<POINT_BYTES>();
    let (peer_public, peer_requests) = points.split_first().ok_or(Deviation::InvalidPoint)?;
    let peer_public = CompressedRistretto(*peer_public);
    let peer = decompress(&peer_public)?;

    let chosen = requests.into_par_iter().map(|(context, choice, mut scalar, points)| {
        let key = context.key(choice, &peer_public, &points, &(peer * scalar));
        scalar.zeroize();
        key
    });
    let chosen = chosen.collect();
    let pairs = peer_requests.as_chunks::<2>().0.par_iter().enumerate().map(|(i, points)| {
        let context = Context { session, sender: role, index: i as u64 };
        let points = points.map(CompressedRistretto);
        let agreed = context.points_of(&points)?;
        let key = |b: u8| context.key(b, &public, &points, &(agreed[usize::from(b)] * secret));
        Ok([key(0), key(1)])
    });
    let pairs = pairs.collect::<Result<_, Deviation>>();
    secret.zeroize();
    Ok(BaseTransfers { chosen, pairs: pairs? })
}

/// One transfer.
struct Context {
    session: [u8; 32],
    /// Who has both keys.
    sender: Role,
    index: u64,
}

impl Context {
    /// A hash about this transfer and the key or point of choice `choice`.
    fn hash(&self, purpose: &[u8], choice: u8) -> Sha512 {
        Sha512::new_with_prefix(purpose)
            .chain_update(self.session)
            .chain_update([self.sender as u8])
            .chain_update(self.index.to_le_bytes())
            .chain_update([choice])
    }

    /// What is between the receiver's point for `choice` and the one that is used: a point that
    /// follows from the receiver's other one.
    fn shift(&self, choice: u8, other: &CompressedRistretto) -> RistrettoPoint {
        let hash = self.hash(b"twain base oblivious transfer shift", choice);
        let mut bytes: [u8; 64] = hash.chain_update(other.as_bytes()).finalize().into();
        let point = RistrettoPoint::from_uniform_bytes(&bytes);
        bytes.zeroize();
        point
    }

    /// The receiver's message: the points for choices 0 and 1, of which `own` is used for its own.
    fn request(
        &self,
        choice: u8,
        own: RistrettoPoint,
        other: &RistrettoPoint,
    ) -> [CompressedRistretto; 2] {
        let other = other.compress();
        let own = (own - self.shift(choice, &other)).compress();
        // Selected bit by bit: no branch, no secret index.
        let mask = 0u8.wrapping_sub(choice);
        let select = |zero: &[u8; 32], one: &[u8; 32]| {
            std::array::from_fn(|i| zero[i] ^ mask & (zero[i] ^ one[i]))
        };
        let (own, other) = (own.as_bytes(), other.as_bytes());
        [select(own, other), select(other, own)].map(CompressedRistretto)
    }

    /// The points that are used for choices 0 and 1, from the receiver's message.
    fn points_of(
        &self,
        request: &[CompressedRistretto; 2],
    ) -> Result<[RistrettoPoint; 2], Deviation> {
        let [zero, one] = [decompress(&request[0])?, decompress(&request[1])?];
        Ok([zero + self.shift(0, &request[1]), one + self.shift(1, &request[0])])
    }

    fn key(
        &self,
        choice: u8,
        public: &CompressedRistretto,
        request: &[CompressedRistretto; 2],
        agreed: &RistrettoPoint,
    ) -> Key {
        let mut hash = self
            .hash(b"twain base oblivious transfer key", choice)
            .chain_update(public.as_bytes())
            .chain_update(request[0].as_bytes())
            .chain_update(request[1].as_bytes())
            .chain_update(agreed.compress().as_bytes())
            .finalize();
        let mut key = [0; 32];
        key.iter_mut().zip(&hash).for_each(|(to, from)| *to = *from);
        hash.as_mut_slice().zeroize();
        key
    }
}

fn draw_scalar(rng: &mut ChaCha20Rng) -> Scalar {
    let mut bytes = [0u8; 64];
    rng.fill_bytes(&mut bytes);
    let scalar = Scalar::from_bytes_mod_order_wide(&bytes);
    bytes.zeroize();
    scalar
}

fn decompress(point: &CompressedRistretto) -> Result<RistrettoPoint, Deviation> {
    point.decompress().ok_or(Deviation::InvalidPoint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;
    use twain_link::channel::{MemoryChannel, memory_pair, run_pair};

    #[test]
    fn each_side_holds_one_key_of_each_of_the_peers_pairs() {
        for choices in [0, u128::MAX, 0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978] {
            let (model, data) = run_pair(|channel, rng| exchange(channel, rng, choices));
            for (receiver, sender) in [(&model, &data), (&data, &model)] {
                for i in 0..COUNT {
                    let choice = (choices >> i) as usize & 1;
                    assert_eq!(receiver.chosen[i], sender.pairs[i][choice]);
                    assert_ne!(receiver.chosen[i], sender.pairs[i][1 - choice]);
                }
            }
            let all = model.pairs.iter().chain(&data.pairs).flatten();
            let distinct: std::collections::HashSet<_> = all.collect();
            assert_eq!(distinct.len(), 4 * COUNT);
        }
    }

    /// What the sender sees is the same for both choices: every message for 0 is one for 1 of other
    /// points that are as uniform. A message whose other point is not random shows the choice.
    #[test]
    fn a_message_does_not_show_the_choice() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for index in 0..20 {
            let context = Context { session: [1; 32], sender: Role::Data, index };
            let [own, other] = [(); 2].map(|()| RistrettoPoint::mul_base(&draw_scalar(&mut rng)));
            for choice in [0, 1] {
                let sent = context.request(choice, own, &other);
                let used = context.points_of(&sent).unwrap();
                assert_eq!(used[usize::from(choice)], own);
                let of_the_other = usize::from(1 - choice);
                let same = context.request(
                    1 - choice,
                    used[of_the_other],
                    &sent[usize::from(choice)].decompress().unwrap(),
                );
                assert_eq!(same, sent);
            }
            let bare =
                [0, 1].map(|choice| context.request(choice, own, &RistrettoPoint::default()));
            assert_ne!(bare[0], bare[1]);
        }
    }

    /// A cheater that knows the scalars of both its points, or of one that is used and one that it
    /// sends, knows one key at most. Were the points used as they are sent, it would know both.
    #[test]
    fn no_receiver_knows_both_keys() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let context = Context { session: [1; 32], sender: Role::Data, index: 3 };
        let scalars = [(); 2].map(|()| draw_scalar(&mut rng));
        let points = scalars.map(|scalar| RistrettoPoint::mul_base(&scalar));
        let plain = points.map(|point| point.compress());
        let known = |request: &[CompressedRistretto; 2]| {
            let used = context.points_of(request).unwrap();
            used.iter().filter(|used| points.contains(used)).count()
        };
        assert_eq!(known(&plain), 0);
        for choice in [0, 1] {
            assert_eq!(known(&context.request(choice, points[0], &points[1])), 1);
        }
        // Both shifts fitted to the points as they would be if the other one were sent plain.
        let shifted = [0, 1].map(|choice: u8| {
            let this = usize::from(choice);
            (points[this] - context.shift(choice, &plain[1 - this])).compress()
        });
        assert_eq!(known(&shifted), 0);
    }

    /// A peer that sends everything back gets no keys that are also the honest side's: who sends
    /// is in every hash.
    #[test]
    fn messages_sent_back_agree_on_nothing() {
        let (mut honest, mut peer) = memory_pair([7; 32]);
        let made = std::thread::scope(|scope| {
            scope.spawn(move || {
                let frame = peer.receive(PHASE, FRAME_BYTES).unwrap();
                peer.send(PHASE, frame).unwrap();
            });
            exchange(&mut honest, &mut ChaCha20Rng::seed_from_u64(3), 0x55 << 40).unwrap()
        });
        let pairs: Vec<Key> = made.pairs.concat();
        assert!(made.chosen.iter().all(|key| !pairs.contains(key)));
    }

    /// Nor do those of another session, or of another transfer of the same one.
    #[test]
    fn messages_of_another_session_or_transfer_agree_on_nothing() {
        let side = |channel: &mut MemoryChannel| {
            exchange(channel, &mut ChaCha20Rng::seed_from_u64(4), 0).map(|made| made.pairs)
        };
        let [first, second] = [[1; 32], [2; 32]].map(|session| {
            let (mut model, mut data) = memory_pair(session);
            std::thread::scope(|scope| {
                scope.spawn(|| side(&mut data).unwrap());
                side(&mut model).unwrap()
            })
        });
        assert!(first.iter().zip(&second).all(|(first, second)| first[0] != second[0]));
        let key = |index| {
            let context = Context { session: [1; 32], sender: Role::Model, index };
            let point = RistrettoPoint::default();
            let keys = [0, 1].map(|choice| {
                let points = [point.compress(); 2];
                context.key(choice, &point.compress(), &points, &point)
            });
            (keys, context.shift(0, &point.compress()), context.shift(1, &point.compress()))
        };
        let (one, two) = (key(1), key(2));
        assert!(one.0[0] != one.0[1] && one.0[0] != two.0[0] && one.1 != two.1 && one.1 != one.2);
    }

    #[test]
    fn what_is_no_point_is_refused() {
        let (mut honest, mut peer) = memory_pair([7; 32]);
        peer.send(PHASE, vec![0xff; FRAME_BYTES]).unwrap();
        assert!(exchange(&mut honest, &mut ChaCha20Rng::seed_from_u64(5), 0).is_err());
    }
}
