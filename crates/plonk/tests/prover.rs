//! Proofs are accepted, depend on witness and seeds only, and hide what they must.

mod base_circuit;
mod ideal_pair;
mod toy_circuit;

use ff::Field;
use std::collections::HashSet;
use toy_circuit::{Shape, Source, Toy, toy};
use twain_algebra::Fr;
use twain_party::{Alone, Seed};
use twain_plonk::{ProveError, prove, verify};

fn base(seed: u64) -> Toy {
    toy(Shape { k: 7, ..Default::default() }, seed)
}

fn wide(dynamic: bool, seed: u64) -> Toy {
    toy(Shape { k: 7, wide: true, later: true, dynamic, ..Default::default() }, seed)
}

fn prove_with(toy: &Toy, party: &mut Alone) -> (Vec<u8>, Source) {
    let mut source = toy.source();
    let proof = prove(party, &toy.key, &toy.srs, &toy.instances, &mut source).unwrap();
    (proof, source)
}

fn alone(toy: &Toy, seed: u8) -> Vec<u8> {
    prove_with(toy, &mut Alone::new(Seed([seed; 32]))).0
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

#[test]
fn wide_tables_many_inputs_later_phases_dynamic_lookups() {
    for (dynamic, seed) in [(false, 1), (true, 2)] {
        let toy = wide(dynamic, seed);
        let system = toy.key.system();
        assert_eq!((system.degree(), system.phases()), (7, 2));
        assert!(system.lookups().iter().any(|argument| argument.inputs.len() == 2));
        assert!(accepted(&toy, &alone(&toy, 1)), "dynamic {dynamic}");
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let toy = wide(true, 3);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| alone(&toy, 9))
    };
    assert_eq!(on(1), on(4));
}

fn in_pair(
    toy: &Toy,
    parties: [ideal_pair::IdealParty; 2],
    multiplicities: &[Vec<Fr>],
) -> [Result<Vec<u8>, ProveError>; 2] {
    prove_in_pair(toy, parties, toy.shares(multiplicities))
}

fn prove_in_pair(
    toy: &Toy,
    [model, data]: [ideal_pair::IdealParty; 2],
    [of_model, of_data]: [Source; 2],
) -> [Result<Vec<u8>, ProveError>; 2] {
    // Takes the party, so that the other one does not wait for one that has failed.
    let run = |mut party: ideal_pair::IdealParty, mut source: Source| {
        prove(&mut party, &toy.key, &toy.srs, &toy.instances, &mut source)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(move || run(data, of_data));
        [run(model, of_model), other.join().unwrap()]
    })
}

#[test]
fn what_a_pair_cannot_do_is_refused_on_both_sides() {
    let toy = wide(false, 3);
    let (_, source) = prove_with(&toy, &mut Alone::new(Seed([1; 32])));
    let parties = ideal_pair::pair(Seed([3; 32]), Seed([4; 32]));
    let mut sides = toy.shares(&source.counted);
    sides.iter_mut().for_each(|side| side.choice = None);
    for result in prove_in_pair(&toy, parties, sides) {
        assert!(matches!(result, Err(ProveError::Unsupported(_))));
    }
}

#[test]
fn a_pair_makes_the_proof_that_one_makes_with_both_seeds() {
    let shapes = [
        Shape { k: 7, ..Default::default() },
        Shape { k: 7, committed_columns: 2, ..Default::default() },
        Shape { k: 7, later: true, ..Default::default() },
        Shape { k: 7, all_shared: true, ..Default::default() },
        Shape { k: 7, wide: true, ..Default::default() },
        Shape {
            k: 7,
            wide: true,
            later: true,
            dynamic: true,
            all_shared: true,
            committed_columns: 1,
        },
    ];
    for (seed, shape) in shapes.into_iter().enumerate() {
        let toy = toy(shape, seed as u64);
        let seeds = || (Seed([3; 32]), Seed([4; 32]));
        let (model, data) = seeds();
        let (expected, source) = prove_with(&toy, &mut Alone::as_pair(model, data));
        assert!(accepted(&toy, &expected));
        let (model, data) = seeds();
        let proofs = in_pair(&toy, ideal_pair::pair(model, data), &source.counted);
        let proofs = proofs.map(|proof| proof.unwrap());
        assert!(proofs[0] == proofs[1] && proofs[0] == expected, "shape {seed}");
    }
}

#[test]
fn wrong_witnesses_are_refused() {
    let toy = base(5);
    let wrong = |column: usize, row: usize| {
        let mut source = toy.source();
        source.change(column, row);
        let mut party = Alone::new(Seed([1; 32]));
        prove(&mut party, &toy.key, &toy.srs, &toy.instances, &mut source)
    };
    let (mut unsatisfied, mut rejected) = (0, 0);
    let system = toy.key.system();
    for row in (0..system.usable_rows() - 24).step_by(11) {
        for column in 0..6 {
            // Gates fix every output; an operand may be free (a factor of zero, an unused cell).
            let fixed = column >= 4 && toy.columns[column][row] != Fr::ZERO;
            match wrong(column, row) {
                Err(ProveError::Unsatisfied(_)) => unsatisfied += 1,
                Ok(proof) if !accepted(&toy, &proof) => rejected += 1,
                Ok(_) => assert!(!fixed, "column {column}, row {row} may be changed"),
                Err(other) => panic!("{other}"),
            }
        }
    }
    assert!(unsatisfied > 0 && rejected > 0, "{unsatisfied} {rejected}");
}

#[test]
fn wrong_instances_are_refused() {
    let mut toy = base(6);
    let proof = alone(&toy, 1);
    toy.instances[0][0] += Fr::ONE;
    assert!(!accepted(&toy, &proof));
    let mut party = Alone::new(Seed([1; 32]));
    let error = prove(&mut party, &toy.key, &toy.srs, &toy.instances, &mut toy.source());
    assert!(matches!(error, Err(ProveError::Unsatisfied(_))));
    toy.instances[0].resize(200, Fr::ZERO);
    let error = prove(&mut party, &toy.key, &toy.srs, &toy.instances, &mut toy.source());
    assert!(matches!(error, Err(ProveError::Shape { .. })));
}

/// Two proofs of one witness share no commitment and no evaluation of anything that depends on the
/// witness, except unblinded columns and a grand product that is public.
#[test]
fn nothing_can_be_recomputed_without_the_randomness() {
    for committed_columns in [0, 1] {
        let toy = toy(Shape { k: 7, committed_columns, ..Default::default() }, 8);
        let system = toy.key.system();
        let (first, second) = (alone(&toy, 1), alone(&toy, 2));
        assert_eq!(first, alone(&toy, 1));
        let lookups = system.lookups().len();
        let chunks = system.permutation_chunks().len();
        let advice = system.advice_phases().len();
        let points = advice + 2 * lookups + chunks + 1 + system.quotient_pieces();
        let end = first.len() - 128;
        let items = |proof: &[u8]| -> Vec<Vec<u8>> {
            let commitments = proof[..64 * points].chunks(64).chain(proof[end..].chunks(64));
            commitments.map(<[u8]>::to_vec).collect()
        };
        let of_first: HashSet<_> = items(&first).into_iter().collect();
        let same: Vec<usize> = items(&second)
            .iter()
            .enumerate()
            .filter(|(_, item)| of_first.contains(*item))
            .map(|(index, _)| index)
            .collect();
        assert_eq!(same, (0..committed_columns).collect::<Vec<_>>());
        // Evaluations are at another point, and so all differ unless the polynomial is constant.
        let scalars = |proof: &[u8]| -> HashSet<Vec<u8>> {
            proof[64 * points..end].chunks(32).map(<[u8]>::to_vec).collect()
        };
        let common: Vec<_> = scalars(&first).intersection(&scalars(&second)).cloned().collect();
        assert!(common.iter().all(|scalar| scalar.iter().all(|byte| *byte == 0)), "{common:?}");
        // Random rows >= openings + 1 for each kind of column (protocol §14.1).
        {
            let rows = system.blinding_factors();
            let openings = |name| {
                twain_plonk::evaluations(system).iter().filter(|(of, _)| *of == name).count()
            };
            for i in 0..advice as u32 {
                assert!(rows + 1 > openings(twain_plonk::Polynomial::Advice(i)));
            }
            for i in 0..chunks as u32 {
                assert!(rows > openings(twain_plonk::Polynomial::PermutationProduct(i)));
            }
            for i in 0..lookups as u32 {
                assert!(rows > openings(twain_plonk::Polynomial::LookupSum(i)));
                assert!(rows + 1 > openings(twain_plonk::Polynomial::Multiplicity(i)));
            }
        }
    }
}
