//! Base oblivious transfers over ristretto255: Diffie-Hellman key agreement in which the receiver
//! shifts its public key by the sender's exactly if its choice is 1 (Chou, Orlandi, LATINCRYPT 2015;
//! here against semi-honest parties). In: this party's 128 choice bits (its `delta`). Out: 128 keys
//! chosen by them, and 128 pairs of keys of which the peer holds one each.

use super::OtError;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use sha2::{Digest, Sha512};
use twain_link::channel::Channel;
use twain_party::{PartyError, Role};
use zeroize::Zeroize;

/// How many: the security parameter of the extension.
pub(super) const COUNT: usize = 128;
const PHASE: &str = "base oblivious transfer";
/// Bytes of an encoded point.
const POINT_BYTES: usize = 32;
/// The lengths of the two messages each way: a sender's public key, and the receiver's messages.
pub(super) const FRAMES: [usize; 2] = [POINT_BYTES, POINT_BYTES * COUNT];

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
    let mut secret = draw_scalar(rng);
    let public = RISTRETTO_BASEPOINT_TABLE * &secret;
    let own_public = public.compress();
    let theirs = channel.exchange(PHASE, own_public.as_bytes().to_vec(), FRAMES[0])?;
    let peer_public = CompressedRistretto(array(&theirs));
    let peer = decompress(&peer_public)?;
    let (own_role, session) = (channel.role(), channel.session_id());

    let mut chosen = Vec::with_capacity(COUNT);
    let mut frame = Vec::with_capacity(FRAMES[1]);
    for i in 0..COUNT {
        let mut scalar = draw_scalar(rng);
        let message = request(&peer, (choices >> i) as u8 & 1, &scalar).compress();
        let agreed = peer * scalar;
        let context = Context { session, sender: own_role.other(), index: i as u64 };
        chosen.push(context.key(&peer_public, &message, &agreed));
        frame.extend_from_slice(message.as_bytes());
        scalar.zeroize();
    }
    let theirs = channel.exchange(PHASE, frame, FRAMES[1])?;
    let mut pairs = Vec::with_capacity(COUNT);
    for (i, bytes) in theirs.as_chunks::<32>().0.iter().enumerate() {
        let message = CompressedRistretto(*bytes);
        let point = decompress(&message)?;
        let context = Context { session, sender: own_role, index: i as u64 };
        pairs.push([point, point - public].map(|p| {
            let agreed = p * secret;
            context.key(&own_public, &message, &agreed)
        }));
    }
    secret.zeroize();
    Ok(BaseTransfers { chosen, pairs })
}

/// The receiver's message: a public key, shifted by the sender's if the choice is 1.
fn request(peer: &RistrettoPoint, choice: u8, scalar: &Scalar) -> RistrettoPoint {
    // Multiplied rather than selected: no branch, no secret index.
    RISTRETTO_BASEPOINT_TABLE * scalar + peer * Scalar::from(choice)
}

struct Context {
    session: [u8; 32],
    sender: Role,
    index: u64,
}

impl Context {
    fn key(
        &self,
        public: &CompressedRistretto,
        message: &CompressedRistretto,
        agreed: &RistrettoPoint,
    ) -> Key {
        let mut hash = Sha512::new_with_prefix(b"twain base oblivious transfer")
            .chain_update(self.session)
            .chain_update([self.sender as u8])
            .chain_update(self.index.to_le_bytes())
            .chain_update(public.as_bytes())
            .chain_update(message.as_bytes())
            .chain_update(agreed.compress().as_bytes())
            .finalize();
        let key = array(&hash);
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

fn decompress(point: &CompressedRistretto) -> Result<RistrettoPoint, PartyError> {
    Ok(point.decompress().ok_or(OtError::InvalidPoint)?)
}

/// The first 32 bytes; the lengths are fixed by the channel and the hash.
fn array(bytes: &[u8]) -> [u8; 32] {
    let mut array = [0u8; 32];
    array.iter_mut().zip(bytes).for_each(|(a, b)| *a = *b);
    array
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;

    /// What the sender sees is the same for both choices: a message for 1 is one for 0 of another
    /// scalar, and both are uniform. Without the scalar it is not.
    #[test]
    fn a_message_does_not_show_the_choice() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let secret = draw_scalar(&mut rng);
        let sender = RISTRETTO_BASEPOINT_TABLE * &secret;
        for _ in 0..20 {
            let scalar = draw_scalar(&mut rng);
            assert_eq!(request(&sender, 1, &scalar), request(&sender, 0, &(scalar + secret)));
        }
        let naked = [0, 1].map(|choice| request(&sender, choice, &Scalar::ZERO));
        assert_ne!(naked[0], naked[1]);
    }
}
