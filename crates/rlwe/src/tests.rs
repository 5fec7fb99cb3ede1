//! The scheme as a whole: right answers, measured noise, and what breaks if a part is left out.

use super::*;
use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

struct Fixture {
    rng: ChaCha20Rng,
    key: SecretKey,
    evaluator: Evaluator,
}

fn fixture(seed: u64) -> Fixture {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let session = [seed as u8; 32];
    let key = SecretKey::generate(session, &mut rng);
    let bytes = key.public_key(&mut rng).to_bytes();
    let evaluator = Evaluator::new(session, PublicKey::from_bytes(&bytes).unwrap());
    Fixture { rng, key, evaluator }
}

fn scalars(rng: &mut ChaCha20Rng, length: usize) -> Vec<Fr> {
    let mut out = vec![Fr::ZERO; length];
    uniform_scalars(rng, &mut out);
    out
}

#[test]
fn answers_decrypt_to_the_inner_product_less_the_mask() {
    let Fixture { mut rng, mut key, mut evaluator } = fixture(1);
    let a: Vec<_> = [SLOTS, SLOTS, 5].map(|n| scalars(&mut rng, n)).into();
    let b: Vec<_> = [SLOTS, 17, SLOTS].map(|n| scalars(&mut rng, n)).into();
    let plaintexts: Vec<_> = a.iter().map(Vec::as_slice).collect();
    let sent = key.encrypt(&plaintexts, &mut rng).unwrap();
    let received: Vec<_> = sent
        .iter()
        .map(|e| Encryption::from_bytes(e.counter(), &e.to_bytes()).unwrap())
        .collect();
    assert_eq!(received, sent);
    let masks = [scalars(&mut rng, SLOTS), scalars(&mut rng, SLOTS)];
    // The first encryption serves two answers.
    let requests = [
        Request {
            products: received.iter().zip(b.iter().map(Vec::as_slice)).collect(),
            mask: &masks[0],
        },
        Request { products: vec![(&received[0], &b[2])], mask: &masks[1] },
    ];
    let answers = evaluator.answer(&requests, &mut rng).unwrap();
    let at = |v: &[Fr], j: usize| v.get(j).copied().unwrap_or(Fr::ZERO);
    let decrypt = |answer: &Answer| {
        key.decrypt(&Answer::from_bytes(&answer.to_bytes()).unwrap())
    };
    let (first, second) = (decrypt(&answers[0]), decrypt(&answers[1]));
    for j in 0..SLOTS {
        let sum: Fr = (0..3).map(|i| at(&a[i], j) * at(&b[i], j)).sum();
        assert_eq!(first[j] + masks[0][j], sum);
        assert_eq!(second[j] + masks[1][j], a[0][j] * b[2][j]);
    }
}

#[test]
fn sizes_and_refusals() {
    let Fixture { mut rng, mut key, mut evaluator } = fixture(2);
    let zero = vec![Fr::ZERO; SLOTS];
    let long = vec![Fr::ONE; SLOTS + 1];
    assert!(key.encrypt(&[], &mut rng).unwrap().is_empty());
    let too_long = Error::TooManySlots { got: SLOTS + 1, slots: SLOTS };
    assert_eq!(key.encrypt(&[&long], &mut rng).unwrap_err(), too_long);
    let encryptions = key.encrypt(&[&zero, &[], &long[1..]], &mut rng).unwrap();
    assert!(encryptions.iter().all(|e| e.to_bytes().len() == FRESH_BYTES));
    let mut answer = |products, mask: &[Fr]| {
        evaluator.answer(&[Request { products, mask }], &mut rng).map(|a| a[0].to_bytes().len())
    };
    assert_eq!(answer(vec![], &zero), Ok(ANSWER_BYTES));
    assert_eq!(answer(vec![(&encryptions[2], &zero)], &zero), Ok(ANSWER_BYTES));
    assert_eq!(answer(vec![(&encryptions[0], &long)], &zero).unwrap_err(), too_long);
    assert!(matches!(answer(vec![], &zero[1..]), Err(Error::Length { .. })));
    assert!(Answer::from_bytes(&[0; ANSWER_BYTES - 1]).is_err());
    assert!(Answer::from_bytes(&vec![0xff; ANSWER_BYTES]).is_err());
    assert!(Encryption::from_bytes(1, &vec![0xff; FRESH_BYTES]).is_err());
}

#[test]
fn same_seed_same_bytes_on_any_number_of_threads() {
    let run = || {
        let Fixture { mut rng, mut key, mut evaluator } = fixture(3);
        let a = scalars(&mut rng, SLOTS);
        let encryptions = key.encrypt(&[&a, &a], &mut rng).unwrap();
        let products = encryptions.iter().map(|e| (e, &a[..])).collect();
        let answers = evaluator.answer(&[Request { products, mask: &a }], &mut rng).unwrap();
        (encryptions[1].to_bytes(), answers[0].to_bytes())
    };
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let first = one.install(run);
    let second = run();
    set_portable(true);
    let portable = run();
    set_portable(false);
    assert!(first == second && first == portable);
}
