//! Are all tags of this side's values under one key (protocol §24, P4)? A peer whose ciphertext is
//! not the constant `Δ` would find a linear function of the values in every tag.
//!
//! P has tagged a block of random values for this test alone. With `χ` of a coin tossed after that,
//! P sends `v = Σ χ^j x_j`, Q commits to `Δ_Q·v - Σ χ^j k_j`, P shows `Σ χ^j m_j`, and only if that
//! is Q's number does Q open its commitment, which P compares. Both directions at once.
//!
//! Q may not show its number, nor a hash of it, to a P that cannot name it: `v` may be false, which
//! would show `Δ_Q`, and keys may hang on guesses of Q's secrets, which P would try one after the
//! other. As it is, each guess costs P a session. P's tags of this block are of no other use.

use crate::coins::Challenge;
use crate::side::Side;
use crate::values::{Tagged, TaggedVector};
use ff::PrimeField;
use rand_chacha::ChaCha20Rng;
use twain_algebra::vector;
use twain_link::channel::Channel;
use twain_link::commitment::{COMMITMENT_BYTES, Committed, Purpose};
use twain_link::scalars::exchange_scalars;
use twain_party::{PartyError, Shares};

const PHASE: &str = "equal keys";

/// `Σ χ^j x_j` for this side's values, and for the peer's.
fn sums(side: &Side, block: &TaggedVector, coins: &[Challenge; 2]) -> [Tagged; 2] {
    [side.role(), side.role().other()].map(|owner| {
        block.inner_product(&vector::powers(coins[owner as usize].value(), block.len()))
    })
}

/// Ends the session if the peer's key differs from value to value of the block; `coins` are the
/// weights for the model's values and for the data's, `rng` hides this side's number.
pub(crate) fn equal_keys(
    side: &Side,
    channel: &mut dyn Channel,
    block: &TaggedVector,
    coins: [Challenge; 2],
    rng: &mut ChaCha20Rng,
) -> Result<(), PartyError> {
    let [own, theirs] = sums(side, block, &coins);
    let one = |numbers: Vec<_>| numbers.first().copied().ok_or(PartyError::Ended);
    let sum = one(exchange_scalars(channel, PHASE, &[own.share], 1)?)?;
    let number = Shares::new(vec![side.delta() * sum - theirs.key]);
    let purpose =
        Purpose { label: "tags: number of equal keys", session: side.session(), counter: 0 };
    let answer = Committed::new(purpose, side.role(), rng, number[0].to_repr().as_ref());
    let commitment = answer.commitment().to_vec();
    let commitment = channel.exchange(PHASE, commitment, COMMITMENT_BYTES)?;
    // Before this side's number is opened: the peer has to know it.
    if one(exchange_scalars(channel, PHASE, &[own.tag], 1)?)? != number[0] {
        return Err(PartyError::Ended);
    }
    match answer.reveal(channel, PHASE, &commitment)? == own.tag.to_repr().as_ref() {
        true => Ok(()),
        false => Err(PartyError::Ended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coins::{CoinUse, Coins};
    use crate::values::Key;
    use ff::Field;
    use rand_core::SeedableRng;
    use twain_algebra::Fr;
    use twain_link::channel::{Frame, MemoryChannel, Recorder, Way, memory_pair};
    use twain_party::Role;

    const VALUES: usize = 16;

    fn rng(role: Role) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(role as u64)
    }

    /// Both sides' halves of a block under the keys 5 (the model's) and 7.
    fn blocks() -> [TaggedVector; 2] {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let mut random = || Shares::new((0..VALUES).map(|_| Fr::random(&mut rng)).collect());
        let (shares, keys) = ([random(), random()], [random(), random()]);
        let tags = |owner: usize, delta: u64| {
            let values = shares[owner].iter().zip(keys[1 - owner].iter());
            Shares::new(values.map(|(x, k)| Fr::from(delta) * x - k).collect())
        };
        let tags = [tags(0, 7), tags(1, 5)];
        let [[m, d], [of_m, of_d], [by_m, by_d]] = [shares, tags, keys];
        [
            TaggedVector { shares: m, tags: of_m, keys: by_m },
            TaggedVector { shares: d, tags: of_d, keys: by_d },
        ]
    }

    fn begun(channel: &mut dyn Channel) -> (Side, [Challenge; 2], ChaCha20Rng) {
        let role = channel.role();
        let mut rng = rng(role);
        let session = channel.session_id();
        let mut coins = Coins::commit(channel, session, &mut rng, &[CoinUse::EqualKeys]).unwrap();
        let coins = coins.toss(channel, CoinUse::EqualKeys).unwrap();
        let key = Key::new(Fr::from(if role == Role::Model { 5 } else { 7 }));
        (Side::new(role, session, key), coins, rng)
    }

    /// A peer that says all that an honest one would with its block, plus these errors, and goes on
    /// whatever it hears: its sum, its number, its tag.
    fn cheat(channel: &mut dyn Channel, block: &TaggedVector, errors: [Fr; 3]) {
        let (side, coins, mut rng) = begun(channel);
        let [own, theirs] = sums(&side, block, &coins);
        let sum = exchange_scalars(channel, PHASE, &[own.share + errors[0]], 1).unwrap()[0];
        let number = side.delta() * sum - theirs.key + errors[1];
        let purpose =
            Purpose { label: "tags: number of equal keys", session: side.session(), counter: 0 };
        let answer = Committed::new(purpose, side.role(), &mut rng, number.to_repr().as_ref());
        let commitment = answer.commitment().to_vec();
        let commitment = channel.exchange(PHASE, commitment, COMMITMENT_BYTES).unwrap();
        exchange_scalars(channel, PHASE, &[own.tag + errors[2]], 1).unwrap();
        // The other side may have ended it.
        answer.reveal(channel, PHASE, &commitment).ok();
    }

    /// What the honest side comes to, and what it has sent in the test.
    fn against(
        honest: Role,
        blocks: &[TaggedVector; 2],
        errors: [Fr; 3],
    ) -> (Result<(), PartyError>, Vec<Frame>) {
        let (model, data) = memory_pair([7; 32]);
        let (own, mut peer) = if honest == Role::Model { (model, data) } else { (data, model) };
        std::thread::scope(|scope| {
            scope.spawn(move || cheat(&mut peer, &blocks[honest.other() as usize], errors));
            let mut channel: Recorder<MemoryChannel> = Recorder::new(own);
            let (side, coins, mut rng) = begun(&mut channel);
            let block = &blocks[honest as usize];
            let result = equal_keys(&side, &mut channel, block, coins, &mut rng);
            let sent = |frame: &&Frame| frame.way == Way::Sent && frame.phase == PHASE;
            (result, channel.frames().iter().filter(sent).cloned().collect())
        })
    }

    const BOTH: [Role; 2] = [Role::Model, Role::Data];
    const NONE: [Fr; 3] = [Fr::ZERO; 3];

    #[test]
    fn one_key_passes() {
        for honest in BOTH {
            let (result, sent) = against(honest, &blocks(), NONE);
            result.unwrap();
            assert_eq!(sent.iter().map(|f| f.bytes.len()).collect::<Vec<_>>(), [32, 32, 32, 64]);
        }
    }

    /// A key that is another for one value, takes from another value what it should not, or does so
    /// twice such that it cancels but for the weights.
    #[test]
    fn a_key_that_is_not_one_for_all_values_ends_it() {
        for honest in BOTH {
            for places in [&[(0, 0)][..], &[(15, 15)], &[(3, 9)], &[(3, 9), (4, 9)]] {
                let mut blocks = blocks();
                let block = &mut blocks[honest as usize];
                for ((to, from), sign) in places.iter().zip([Fr::ONE, -Fr::ONE]) {
                    let value = block.shares[*from];
                    block.tags[*to] += sign * value;
                }
                let (result, _) = against(honest, &blocks, NONE);
                assert!(matches!(result, Err(PartyError::Ended)), "{honest:?}: {places:?}");
            }
        }
    }

    /// A peer that does not know this side's number gets nothing with which it could try one: its
    /// answer has put guessed numbers into the keys, its sum is false, or its tag is.
    #[test]
    fn a_number_the_peer_cannot_name_is_not_opened() {
        for honest in BOTH {
            let mut polluted = blocks();
            polluted[honest as usize].keys[4] += Fr::ONE;
            let cases = [
                (polluted, NONE),
                (blocks(), [Fr::ONE, Fr::ZERO, Fr::ZERO]),
                (blocks(), { [Fr::ZERO, Fr::ZERO, Fr::ONE] }),
            ];
            for (i, (blocks, errors)) in cases.iter().enumerate() {
                let (result, sent) = against(honest, blocks, *errors);
                assert!(matches!(result, Err(PartyError::Ended)), "{honest:?}, case {i}");
                // Sum, commitment, tag.
                assert_eq!(sent.len(), 3, "{honest:?}, case {i}");
            }
            let (result, _) = against(honest, &blocks(), [Fr::ZERO, Fr::ONE, Fr::ZERO]);
            assert!(matches!(result, Err(PartyError::Ended)), "{honest:?}, its number");
        }
    }
}
