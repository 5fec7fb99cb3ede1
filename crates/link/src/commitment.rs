//! Values that both sides fix before they show them, and coins made of such values, which neither
//! side can choose (protocol §6). Input: a [`Purpose`], which enters the hash, and a value or a
//! generator. Output: a commitment to exchange, and later the peer's value or the coin.

use crate::channel::Channel;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};
use twain_party::{PartyError, Role};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a commitment.
pub const COMMITMENT_BYTES: usize = 32;
/// What hides a value.
const BLIND_BYTES: usize = 32;
/// Each side's summand of a coin.
const COIN_BYTES: usize = 32;

/// What is committed to: each in a session has its own.
#[derive(Clone, Copy)]
pub struct Purpose {
    /// Kind of value.
    pub label: &'static str,
    /// The session's identifier.
    pub session: [u8; 32],
    /// Tells those of one label in one session apart.
    pub counter: u64,
}

impl Purpose {
    /// SHA-256 of the purpose, whose it is, what hides the value, and the value.
    fn commitment(&self, owner: Role, opening: &[u8]) -> [u8; COMMITMENT_BYTES] {
        Sha256::new_with_prefix(b"twain commitment")
            .chain_update((self.label.len() as u64).to_le_bytes())
            .chain_update(self.label)
            .chain_update(self.session)
            .chain_update([owner as u8])
            .chain_update(self.counter.to_le_bytes())
            .chain_update(opening)
            .finalize()
            .into()
    }
}

/// A value of this side that is not shown yet. The peer has one of as many bytes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Committed {
    #[zeroize(skip)]
    purpose: Purpose,
    #[zeroize(skip)]
    owner: Role,
    /// What hides the value, then the value.
    opening: Vec<u8>,
}

impl Committed {
    /// Fixes `value` of `owner`, which is this side; `rng` hides it.
    pub fn new(purpose: Purpose, owner: Role, rng: &mut ChaCha20Rng, value: &[u8]) -> Self {
        let mut opening = vec![0; BLIND_BYTES + value.len()];
        let (blind, rest) = opening.split_at_mut(BLIND_BYTES);
        rng.fill_bytes(blind);
        rest.copy_from_slice(value);
        Self { purpose, owner, opening }
    }

    /// What the peer gets before either side shows its value.
    pub fn commitment(&self) -> [u8; COMMITMENT_BYTES] {
        self.purpose.commitment(self.owner, &self.opening)
    }

    /// Shows this side's value and returns the peer's, to which it has committed by `theirs`.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`]: the peer shows what it has not committed to.
    pub fn reveal(
        self,
        channel: &mut dyn Channel,
        phase: &'static str,
        theirs: &[u8],
    ) -> Result<Vec<u8>, PartyError> {
        let mut opening = channel.exchange(phase, self.opening.clone(), self.opening.len())?;
        if self.purpose.commitment(self.owner.other(), &opening) != *theirs {
            return Err(PartyError::Ended);
        }
        Ok(opening.split_off(BLIND_BYTES))
    }

    /// Bytes of the message of [`Self::reveal`] for a value of so many.
    pub const fn frame_bytes(value: usize) -> usize {
        BLIND_BYTES + value
    }
}

/// A coin that is not tossed yet: uniform, if one side is honest, and unknown to both.
pub struct Coin {
    own: [u8; COIN_BYTES],
    committed: Committed,
}

impl Coin {
    /// Bytes of the message of [`Self::toss`].
    pub const FRAME_BYTES: usize = Committed::frame_bytes(COIN_BYTES);

    /// Fixes this side's summand; `owner` is this side.
    pub fn new(purpose: Purpose, owner: Role, rng: &mut ChaCha20Rng) -> Self {
        let mut own = [0; COIN_BYTES];
        rng.fill_bytes(&mut own);
        Self { own, committed: Committed::new(purpose, owner, rng, &own) }
    }

    /// See [`Committed::commitment`].
    pub fn commitment(&self) -> [u8; COMMITMENT_BYTES] {
        self.committed.commitment()
    }

    /// Tosses it: what it decides is read off the generator, the same on both sides.
    ///
    /// # Errors
    /// As [`Committed::reveal`].
    pub fn toss(
        self,
        channel: &mut dyn Channel,
        phase: &'static str,
        theirs: &[u8],
    ) -> Result<ChaCha20Rng, PartyError> {
        let mut seed = self.own;
        let theirs = self.committed.reveal(channel, phase, theirs)?;
        seed.iter_mut().zip(theirs).for_each(|(seed, theirs)| *seed ^= theirs);
        Ok(ChaCha20Rng::from_seed(seed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::{MemoryChannel, memory_pair, run_pair};

    const PURPOSE: Purpose = Purpose { label: "test", session: [7; 32], counter: 3 };

    fn exchange(channel: &mut MemoryChannel, own: &[u8]) -> Vec<u8> {
        channel.exchange("test", own.to_vec(), own.len()).unwrap()
    }

    #[test]
    fn both_sides_toss_one_coin() {
        let coins = |seed: u8| {
            let (model, data) = run_pair(|channel, rng| {
                rng.set_stream(u64::from(seed));
                let coin = Coin::new(PURPOSE, channel.role(), rng);
                let theirs = exchange(channel, &coin.commitment());
                Ok(coin.toss(channel, "test", &theirs)?.next_u64())
            });
            assert_eq!(model, data);
            model
        };
        assert_ne!(coins(1), coins(2));
    }

    /// A peer that answers with what it was sent would make the coin 0. Its copy of the commitment
    /// does not open under its own name.
    #[test]
    fn a_copied_commitment_does_not_open() {
        let (mut honest, mut peer) = memory_pair([7; 32]);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for length in [COMMITMENT_BYTES, Coin::FRAME_BYTES] {
                    let copy = peer.receive("test", length).unwrap();
                    peer.send("test", copy).unwrap();
                }
            });
            let coin = Coin::new(PURPOSE, Role::Model, &mut ChaCha20Rng::seed_from_u64(1));
            let theirs = exchange(&mut honest, &coin.commitment());
            assert!(coin.toss(&mut honest, "test", &theirs).is_err());
        });
    }

    /// Nor does one open to another value, or for another purpose.
    #[test]
    fn a_commitment_opens_to_its_value_for_its_purpose() {
        let committed = |purpose: Purpose| {
            Committed::new(purpose, Role::Data, &mut ChaCha20Rng::seed_from_u64(2), &[1, 2, 3])
        };
        let accepted = |purpose: Purpose, change: u8| {
            let (mut honest, mut peer) = memory_pair([7; 32]);
            let mut opening = committed(PURPOSE).opening.clone();
            opening[BLIND_BYTES] ^= change;
            peer.send("test", opening).unwrap();
            let mut rng = ChaCha20Rng::seed_from_u64(3);
            let own = Committed::new(purpose, Role::Model, &mut rng, &[0; 3]);
            own.reveal(&mut honest, "test", &committed(PURPOSE).commitment()).ok()
        };
        assert_eq!(accepted(PURPOSE, 0).as_deref(), Some(&[1, 2, 3][..]));
        assert!(accepted(PURPOSE, 1).is_none());
        for other in [
            Purpose { label: "tesu", ..PURPOSE },
            Purpose { label: "tes", ..PURPOSE },
            Purpose { session: [8; 32], ..PURPOSE },
            Purpose { counter: 4, ..PURPOSE },
        ] {
            assert!(accepted(other, 0).is_none());
        }
        // The commitment hides: other blinds, other commitments.
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let hidden = [(); 2].map(|()| Committed::new(PURPOSE, Role::Data, &mut rng, &[1, 2, 3]));
        assert_ne!(hidden[0].commitment(), hidden[1].commitment());
    }
}
