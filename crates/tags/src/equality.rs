//! Are all tags of this side's values under one key (protocol §24, P4)? A peer whose ciphertext is not
//! the constant `Δ` would find a linear function of the values in every tag.
//!
//! P has tagged a block of random values for this test alone. With `χ` of a coin tossed after that, P
//! sends `v = Σ χ^j x_j`, Q answers with a hash of `Δ_Q·v - Σ χ^j k_j`, and P requires the hash of `Σ χ^j
//! m_j`. The number itself would show `Δ_Q` to a P that sends a false `v`. Both directions at once.

use crate::coins::Challenge;
use crate::side::Side;
use crate::values::TaggedVector;
use ff::PrimeField;
use sha2::{Digest, Sha256};
use twain_algebra::{Fr, vector};
use twain_link::channel::Channel;
use twain_link::scalars::exchange_scalars;
use twain_party::{PartyError, Role};

const PHASE: &str = "equal keys";

/// What is compared, as `owner`'s values are tested.
fn digest(session: [u8; 32], owner: Role, number: Fr) -> [u8; 32] {
    Sha256::new_with_prefix(b"twain equal keys")
        .chain_update(session)
        .chain_update([owner as u8])
        .chain_update(number.to_repr())
        .finalize()
        .into()
}

/// Ends the session if the peer's key differs from value to value of the block; `coins` are the
/// weights for the model's values and for the data's.
pub(crate) fn equal_keys(
    side: &Side,
    channel: &mut dyn Channel,
    block: &TaggedVector,
    coins: [Challenge; 2],
) -> Result<(), PartyError> {
    let weights = |role: Role| vector::powers(coins[role as usize].value(), block.len());
    let own = block.inner_product(&weights(side.role()));
    let peer = side.role().other();
    let theirs = block.inner_product(&weights(peer));
    let sums = exchange_scalars(channel, PHASE, &[own.share], 1)?;
    let sum = sums.first().copied().ok_or(PartyError::Ended)?;
    let answer = digest(side.session(), peer, side.delta() * sum - theirs.key);
    let due = digest(side.session(), side.role(), own.tag);
    match channel.exchange(PHASE, answer.to_vec(), answer.len())? == due {
        true => Ok(()),
        false => Err(PartyError::Ended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let one = digest([1; 32], Role::Model, Fr::from(1));
        assert_ne!(one, digest([2; 32], Role::Model, Fr::from(1)));
        assert_ne!(one, digest([1; 32], Role::Data, Fr::from(1)));
        assert_ne!(one, digest([1; 32], Role::Model, Fr::from(2)));
    }
}
