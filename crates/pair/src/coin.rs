//! Challenges that neither side can choose (protocol §12): each side commits to a summand, and shows it
//! when the challenge is due. Both commit to the first one before they send anything else, and to each
//! next one when they show the one before: a summand is fixed before what the challenge tests.

use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use sha2::{Digest, Sha256};
use twain_algebra::Fr;
use twain_link::channel::Channel;
use twain_link::scalars::{SCALAR_BYTES, decode_scalars, encode_scalars};
use twain_party::{PartyError, Role};

const PHASE: &str = "coin toss";
/// Bytes of a commitment.
const COMMITMENT: usize = 32;
/// Bytes of a summand with its nonce.
const OPENING: usize = SCALAR_BYTES + 32;

/// A summand of this side, which nobody else knows, and the peer's commitment to its own.
pub(crate) struct Coin {
    opening: Vec<u8>,
    theirs: Vec<u8>,
    /// How many were tossed before.
    number: u64,
}

impl Coin {
    /// Commits to the session's first challenge.
    pub fn commit(channel: &mut dyn Channel, rng: &mut ChaCha20Rng) -> Result<Self, PartyError> {
        let opening = draw(rng);
        let own = commitment(channel.session_id(), channel.role(), 0, &opening);
        let theirs = channel.exchange(PHASE, own.to_vec(), COMMITMENT)?;
        Ok(Self { opening, theirs, number: 0 })
    }

    /// The challenge, and commits to the next one. In a rehearsal the peer is this side itself.
    pub fn toss(
        &mut self,
        channel: &mut dyn Channel,
        rng: &mut ChaCha20Rng,
        rehearses: bool,
    ) -> Result<Fr, PartyError> {
        let (session, role, number) = (channel.session_id(), channel.role(), self.number);
        let next = draw(rng);
        let mut frame = std::mem::replace(&mut self.opening, next);
        let own = decode_scalars(&frame[..SCALAR_BYTES], PHASE)?;
        self.number += 1;
        frame.extend(commitment(session, role, self.number, &self.opening));
        let theirs = channel.exchange(PHASE, frame, OPENING + COMMITMENT)?;
        let (opening, next) = theirs.split_at(OPENING);
        let committed = std::mem::replace(&mut self.theirs, next.to_vec());
        // The role in a commitment is what an echo gets wrong.
        if commitment(session, role.other(), number, opening)[..] != committed && !rehearses {
            return Err(PartyError::Ended);
        }
        Ok(own[0] + decode_scalars(&opening[..SCALAR_BYTES], PHASE)?[0])
    }
}

/// A summand and what hides it in its commitment.
fn draw(rng: &mut ChaCha20Rng) -> Vec<u8> {
    let mut opening = encode_scalars(&[Fr::random(&mut *rng)]);
    let mut nonce = [0; OPENING - SCALAR_BYTES];
    rng.fill_bytes(&mut nonce);
    opening.extend(nonce);
    opening
}

/// Who commits is in it, so that nobody can commit to what the other has committed to.
fn commitment(session: [u8; 32], role: Role, number: u64, opening: &[u8]) -> [u8; COMMITMENT] {
    let mut hash = Sha256::new();
    hash.update(b"twain coin v1");
    hash.update(session);
    hash.update([role as u8]);
    hash.update(number.to_le_bytes());
    hash.update(opening);
    hash.finalize().into()
}
