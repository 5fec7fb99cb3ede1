//! A peer that says one thing of a wire here and another there (protocol §2.1).

use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::thread;
use twain_algebra::Fr;
use twain_link::channel::{Channel, MemoryChannel, memory_pair};
use twain_masks::InlineMaterial;
use twain_ole::{IdealOle, ideal_pair};
use twain_pair::TwoParty;
use twain_party::{Kind, Operand, PartyError, PartySeeds, Role, Seed, WitnessParty};

/// What the cheater adds to a wire the second time.
const ERROR: u64 = 1 << 40;

/// The sums of both sides' shares of the products of one wire of the model's side by one of the data's,
/// made twice; the model's side takes another value the second time.
fn products(of_data: Fr) -> [Fr; 2] {
    let (model, data) = memory_pair([7; 32]);
    let (model_ole, data_ole) = ideal_pair(1);
    let side = |mut end: MemoryChannel, ole: IdealOle| -> Result<[Fr; 2], PartyError> {
        let role = end.role();
        let seed = role as u8;
        let seeds = PartySeeds { blinding: Seed([seed; 32]), protocol: Seed([seed + 2; 32]) };
        let masks = InlineMaterial::new(ChaCha20Rng::from_seed([seed; 32]));
        let mut party = TwoParty::new(&mut end, Box::new(ole), Box::new(masks), &seeds)?;
        let owned = |owner, share| Operand { share, kind: Kind::Owned(owner), bits: 254 };
        let (weight, input) = match role {
            Role::Model => (Fr::from(3), Fr::ZERO),
            Role::Data => (Fr::ZERO, of_data),
        };
        let (first, input) = (owned(Role::Model, weight), owned(Role::Data, input));
        let other = if role == Role::Model { weight + Fr::from(ERROR) } else { weight };
        let second = owned(Role::Model, other);
        let first = party.inner_products(&[first], &[input], &[1])?[0];
        let second = party.inner_products(&[second], &[input], &[1])?[0];
        Ok([first, second])
    };
    let [model, data] = thread::scope(|scope| {
        let model = scope.spawn(|| side(model, model_ole));
        let data = side(data, data_ole);
        [model.join().expect("no panic"), data]
    });
    let (model, data) = (model.expect("nothing is noticed"), data.expect("nothing is noticed"));
    [model[0] + data[0], model[1] + data[1]]
}

/// The error of the second product is the data's secret times a number of the cheater's choice.
#[test]
fn a_peer_multiplies_a_secret_by_an_error_of_its_choice() {
    for of_data in [Fr::from(5), -Fr::from(77)] {
        let [first, second] = products(of_data);
        assert_eq!(first, Fr::from(3) * of_data);
        assert_eq!(second - first, Fr::from(ERROR) * of_data);
    }
}
