//! Wires under one mask each (protocol §2.2): they are what was opened of them, whatever a peer
//! does with its share later.

use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::thread;
use twain_algebra::Fr;
use twain_link::channel::{Channel, Frame, MemoryChannel, Recorder, Way, memory_pair};
use twain_link::scalars::decode_scalars;
use twain_masks::InlineMaterial;
use twain_ole::{IdealOle, ideal_pair};
use twain_pair::TwoParty;
use twain_party::{
    Inverted, Kind, Operand, PartyError, PartySeeds, ProverParty, Role, Seed, WireTerm, WireValue,
    WitnessParty,
};

/// What the cheater adds to a wire the second time.
const ERROR: u64 = 1 << 40;

/// The sums of both sides' shares of the products of one wire of the model's side by one of the
/// data's, made twice; the model's side takes another value the second time. And what the data's
/// side opened.
fn products(of_data: Fr) -> ([Fr; 2], Fr) {
    let (model, data) = memory_pair([7; 32]);
    let (model_ole, data_ole) = ideal_pair(1);
    let side = |end: MemoryChannel, ole: IdealOle| -> Result<([Fr; 2], Fr), PartyError> {
        let role = end.role();
        let seed = role as u8;
        let seeds = PartySeeds { blinding: Seed([seed; 32]), protocol: Seed([seed + 2; 32]) };
        let masks = InlineMaterial::new(ChaCha20Rng::from_seed([seed; 32]));
        let mut end = Recorder::new(end);
        let mut party = TwoParty::new(&mut end, Box::new(ole), Box::new(masks), &seeds)?;
        let owned = |owner, share| Operand { share, kind: Kind::Owned(owner), bits: 254 };
        let wire = |wire, operand| WireValue { wire, operand };
        let (weight, input) = match role {
            Role::Model => (Fr::from(3), Fr::ZERO),
            Role::Data => (Fr::ZERO, of_data),
        };
        let input = wire(1, owned(Role::Data, input));
        let first = wire(0, owned(Role::Model, weight));
        let other = if role == Role::Model { weight + Fr::from(ERROR) } else { weight };
        let second = wire(0, owned(Role::Model, other));
        party.claim(&[first, input])?;
        let first = party.inner_products(&[first], &[input], &[1])?[0];
        let second = party.inner_products(&[second], &[input], &[1])?[0];
        let way = if role == Role::Data { Way::Sent } else { Way::Received };
        let claims = |frame: &&Frame| frame.way == way && frame.phase == "claims of wires";
        let opened = end.frames().iter().find(claims).expect("a claim");
        Ok(([first, second], decode_scalars(&opened.bytes, "claims")?[0]))
    };
    let [model, data] = thread::scope(|scope| {
        let model = scope.spawn(|| side(model, model_ole));
        let data = side(data, data_ole);
        [model.join().expect("no panic"), data]
    });
    let (model, data) = (model.expect("nothing is noticed"), data.expect("nothing is noticed"));
    assert_eq!(model.1, data.1);
    ([model.0[0] + data.0[0], model.0[1] + data.0[1]], data.1)
}

/// A peer that takes another value of a wire than the one it claimed adds to the product what it
/// knows itself: its error times what was opened, and nothing of the secret.
#[test]
fn a_peer_cannot_multiply_a_secret_by_an_error_of_its_choice() {
    for of_data in [Fr::from(5), -Fr::from(77)] {
        let ([first, second], opened) = products(of_data);
        assert_eq!(first, Fr::from(3) * of_data);
        assert_eq!(second - first, Fr::from(ERROR) * opened);
        assert_ne!(second - first, Fr::from(ERROR) * of_data);
    }
}

/// Both sides' outcomes of a session.
fn outcomes<T: Send>(
    body: impl Fn(&mut TwoParty, Role) -> Result<T, PartyError> + Sync,
) -> [Result<T, PartyError>; 2] {
    let (model, data) = memory_pair([7; 32]);
    let (model_ole, data_ole) = ideal_pair(1);
    let side = |mut end: MemoryChannel, ole: IdealOle| {
        let role = end.role();
        let seeds = PartySeeds { blinding: Seed([1; 32]), protocol: Seed([role as u8 + 2; 32]) };
        let masks = InlineMaterial::new(ChaCha20Rng::from_seed([role as u8; 32]));
        body(&mut TwoParty::new(&mut end, Box::new(ole), Box::new(masks), &seeds)?, role)
    };
    thread::scope(|scope| {
        let model = scope.spawn(|| side(model, model_ole));
        let data = side(data, data_ole);
        [model.join().expect("no panic"), data]
    })
}

fn shared(wire: u32, share: Fr) -> WireValue {
    WireValue { wire, operand: Operand { share, kind: Kind::Shared, bits: 254 } }
}

/// A second claim would be a second opening under one mask.
#[test]
fn a_second_claim_ends_the_session() {
    for kind in [Kind::Shared, Kind::Owned(Role::Model), Kind::Owned(Role::Data)] {
        let ended = outcomes(|party, _| {
            let wire = |share| WireValue {
                operand: Operand { share, kind, bits: 254 },
                ..shared(9, share)
            };
            party.claim(&[wire(Fr::ONE)])?;
            party.claim(&[wire(Fr::ZERO)]).map(|_| ())
        });
        for outcome in ended {
            assert!(matches!(outcome, Err(PartyError::Bug(_))), "{kind:?}");
        }
    }
}

/// What was not claimed has no mask, and is not multiplied.
#[test]
fn a_product_of_what_is_not_claimed_ends_the_session() {
    let ended = outcomes(|party, _| {
        let wires = [shared(0, Fr::ONE), shared(1, Fr::ONE)];
        party.inner_products(&wires[..1], &wires[1..], &[1]).map(|_| ())
    });
    assert!(ended.iter().all(|outcome| matches!(outcome, Err(PartyError::Bug(_)))));
}

/// Nor is it turned into factors, or inverted.
#[test]
fn neither_conversion_nor_inverse_of_what_is_not_claimed_is_made() {
    let value = shared(0, Fr::ONE);
    let form = WireTerm { wire: value.wire, kind: Kind::Shared, factor: Fr::ONE }.into();
    let inverted = Inverted { operand: value.operand, form: Some(form) };
    let conversions = outcomes(|party, _| party.prepare_factors(&[value]).map(drop));
    let inverses = outcomes(|party, _| party.begin_inverses(&[inverted], &[], &[]).map(drop));
    let mut ended = conversions.iter().chain(&inverses);
    assert!(ended.all(|outcome| matches!(outcome, Err(PartyError::Bug(_)))));
}

/// The data's share of a claimed wire is its mask: it says nothing of the value, whatever it was.
#[test]
fn a_claimed_share_of_the_data_is_its_mask() {
    let of = |value: Fr| {
        let [model, data] = outcomes(|party, role| {
            let share = if role == Role::Model { Fr::from(3) } else { value - Fr::from(3) };
            Ok(party.claim(&[shared(4, share)])?[0])
        });
        [model.expect("claimed"), data.expect("claimed")]
    };
    let (one, other) = (of(Fr::from(11)), of(-Fr::ONE));
    assert_eq!(one[1], other[1]);
    assert_eq!(one[0] + one[1], Fr::from(11));
    assert_eq!(other[0] + other[1], -Fr::ONE);
}

/// Products of masks are made before the validity test, also where none is needed until a challenge
/// is known.
#[test]
fn masks_are_multiplied_before_any_challenge() -> Result<(), PartyError> {
    let late = twain_pair::rehearse(&twain_party::Watched::default(), |party| {
        party.claim(&[shared(1, Fr::ONE), shared(2, Fr::ONE)])?;
        let _ = party.check_zero(&[])?;
        party.inner_products(&[shared(1, Fr::ONE)], &[shared(2, Fr::ONE)], &[1]).map(drop)
    })?;
    let of_masks: Vec<_> = late.mask_pairs().map(Vec::len).collect();
    assert_eq!(of_masks, [0, 1]);
    assert_eq!(late.calls()[0].mask_pairs().map(Vec::len), Some(0), "all are made here");
    Ok::<(), PartyError>(())
}
