//! Proofs are accepted, depend on the seeds only, and hide what they must.

mod base_circuit;
mod toy_circuit;

use toy_circuit::{Shape, Toy, toy};
use twain_party::{Alone, Seed};
use twain_plonk::{prove, verify};

fn alone(toy: &Toy, seed: u8) -> Vec<u8> {
    let mut party = Alone::new(Seed([seed; 32]));
    prove(&mut party, &toy.key, &toy.srs, &toy.instances, &mut toy.source()).unwrap()
}

fn accepted(toy: &Toy, proof: &[u8]) -> bool {
    verify(toy.key.vk(), toy.srs.verifier(), &toy.instances, proof).is_ok()
}

#[test]
fn base_circuits() {
    for (committed_columns, seed) in [(0, 1), (0, 2), (1, 3), (2, 4)] {
        let toy = toy(Shape { k: 7, committed_columns, ..Default::default() }, seed);
        assert_eq!(toy.key.system().degree(), 5);
        assert!(accepted(&toy, &alone(&toy, 1)), "seed {seed}");
    }
}
