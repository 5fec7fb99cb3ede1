//! The scheme as a whole: right answers, measured noise, and what breaks if a part is left out.

use super::*;
use crate::bounds::{CIPHERTEXT_FACTOR, proved_noise};
use crate::buffer::{Element, Words};
use crate::context::context;
use crate::evaluator::{Secrets, answer_fresh, switch};
use crate::expand::new_uniform_half;
use crate::kernels;
use crate::parameters::{ERROR_FLIPS, FLOOD_BITS, PRIMES, log2_plaintext_modulus};
use crate::proof::Proved;
use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

pub(crate) struct Fixture {
    pub rng: ChaCha20Rng,
    pub key: SecretKey,
    pub public: Proved<PublicKey>,
    pub evaluator: Evaluator,
}

/// A key that is honest, and taken for proved.
pub(crate) fn fixture(seed: u64) -> Fixture {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let session = [seed as u8; 32];
    let (key, public) = SecretKey::generate(session, &mut rng);
    let received = PublicKey::from_bytes(session, &public.to_bytes()).unwrap();
    assert_eq!(received, public);
    Fixture { rng, key, public: Proved::assumed(received), evaluator: Evaluator::default() }
}

/// Honest encryptions, taken for proved.
pub(crate) fn encrypt(
    key: &mut SecretKey,
    plaintexts: &[&[Fr]],
    rng: &mut ChaCha20Rng,
) -> Vec<Proved<Encryption>> {
    let made = key.encrypt(plaintexts, rng).unwrap();
    made.into_iter().map(|(encryption, _)| Proved::assumed(encryption)).collect()
}

pub(crate) fn scalars(rng: &mut ChaCha20Rng, length: usize) -> Vec<Fr> {
    let mut out = vec![Fr::ZERO; length];
    uniform_scalars(rng, &mut out);
    out
}

#[test]
fn answers_decrypt_to_the_inner_product_less_the_mask() {
    let Fixture { mut rng, mut key, public, mut evaluator } = fixture(1);
    let a: Vec<_> = [SLOTS, SLOTS, 5].map(|n| scalars(&mut rng, n)).into();
    let b: Vec<_> = [SLOTS, 17, SLOTS].map(|n| scalars(&mut rng, n)).into();
    let plaintexts: Vec<_> = a.iter().map(Vec::as_slice).collect();
    let sent = encrypt(&mut key, &plaintexts, &mut rng);
    let receive = |e: &Proved<Encryption>| {
        let received = Encryption::from_bytes(*e.key(), e.counter(), &e.to_bytes()).unwrap();
        assert_eq!(received, **e);
        Proved::assumed(received)
    };
    let received: Vec<_> = sent.iter().map(receive).collect();
    let masks = [scalars(&mut rng, SLOTS), scalars(&mut rng, SLOTS)];
    // The first encryption serves two answers.
    let requests = [
        Request {
            key: &public,
            products: received.iter().zip(b.iter().map(Vec::as_slice)).collect(),
            mask: &masks[0],
        },
        Request { key: &public, products: vec![(&received[0], &b[2])], mask: &masks[1] },
    ];
    let answers = evaluator.answer(&requests, &mut rng).unwrap();
    let at = |v: &[Fr], j: usize| v.get(j).copied().unwrap_or(Fr::ZERO);
    let decrypt = |answer: &Answer| key.decrypt(&Answer::from_bytes(&answer.to_bytes()).unwrap());
    let (first, second) = (decrypt(&answers[0]), decrypt(&answers[1]));
    for j in 0..SLOTS {
        let sum: Fr = (0..3).map(|i| at(&a[i], j) * at(&b[i], j)).sum();
        assert_eq!(first[j] + masks[0][j], sum);
        assert_eq!(second[j] + masks[1][j], a[0][j] * b[2][j]);
    }
}

#[test]
fn sizes_and_refusals() {
    let Fixture { mut rng, mut key, public, mut evaluator } = fixture(2);
    let zero = vec![Fr::ZERO; SLOTS];
    let long = vec![Fr::ONE; SLOTS + 1];
    assert!(key.encrypt(&[], &mut rng).unwrap().is_empty());
    let too_long = Error::TooManySlots { got: SLOTS + 1, slots: SLOTS };
    assert_eq!(key.encrypt(&[&long], &mut rng).err().unwrap(), too_long);
    let encryptions = encrypt(&mut key, &[&zero, &[], &long[1..]], &mut rng);
    assert!(encryptions.iter().all(|e| e.to_bytes().len() == FRESH_BYTES));
    let mut answer = |products, mask: &[Fr]| {
        let request = Request { key: &public, products, mask };
        evaluator.answer(&[request], &mut rng).map(|a| a[0].to_bytes().len())
    };
    assert_eq!(answer(vec![], &zero), Ok(ANSWER_BYTES));
    assert_eq!(answer(vec![(&encryptions[2], &zero)], &zero), Ok(ANSWER_BYTES));
    assert_eq!(answer(vec![(&encryptions[0], &long)], &zero).unwrap_err(), too_long);
    assert!(matches!(answer(vec![], &zero[1..]), Err(Error::Length { .. })));
    let other =
        Proved::assumed(Encryption::from_bytes([9; 32], 1, &encryptions[0].to_bytes()).unwrap());
    assert_eq!(answer(vec![(&other, &zero[..])], &zero).unwrap_err(), Error::OtherKey);
    assert!(Answer::from_bytes(&[0; ANSWER_BYTES - 1]).is_err());
    assert!(Answer::from_bytes(&vec![0xff; ANSWER_BYTES]).is_err());
    assert!(Encryption::from_bytes([2; 32], 1, &vec![0xff; FRESH_BYTES]).is_err());
}

#[test]
fn answers_are_counted() {
    let Fixture { mut rng, public, mut evaluator, .. } = fixture(10);
    let mask = vec![Fr::ZERO; SLOTS];
    let mut bits = || {
        let request = Request { key: &public, products: vec![], mask: &mask };
        evaluator.answer(&[request], &mut rng).unwrap();
        evaluator.budget().statistical_bits()
    };
    assert!((bits() - bits() - 1.0).abs() < 1e-9, "twice as many, one bit less");
}

#[test]
fn same_seed_same_bytes_on_any_number_of_threads() {
    let run = || {
        let Fixture { mut rng, mut key, public, mut evaluator } = fixture(3);
        let a = scalars(&mut rng, SLOTS);
        let encryptions = encrypt(&mut key, &[&a, &a], &mut rng);
        let products = encryptions.iter().map(|e| (e, &a[..])).collect();
        let request = Request { key: &public, products, mask: &a };
        let answers = evaluator.answer(&[request], &mut rng).unwrap();
        (encryptions[1].to_bytes(), answers[0].to_bytes())
    };
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let first = one.install(run);
    let second = run();
    assert!(first == second);
}

/// `c0 + c1·s` modulo every prime.
pub(crate) fn phase(key: &SecretKey, constant: &[Words], linear: &[Words]) -> Element {
    let primes = context().primes.iter().zip(&key.residues);
    primes
        .zip(constant.iter().zip(linear))
        .map(|((prime, secret), (constant, linear))| {
            let mut phase = linear.clone();
            prime.transform.forward(&mut phase);
            kernels::multiply(&prime.modulus, &mut phase, secret);
            prime.transform.inverse(&mut phase);
            kernels::add(&prime.modulus, &mut phase, constant);
            phase
        })
        .collect()
}

/// The base-2 logarithm of the absolute value of a number given by residues: mixed radix (Garner).
fn log2_absolute(residues: &[u64]) -> f64 {
    let magnitude = |residues: &[u64]| {
        let mut digits: Vec<u64> = Vec::new();
        for (prime, &residue) in context().primes.iter().zip(residues) {
            let modulus = &prime.modulus;
            let (mut value, mut radix) = (0, 1);
            for (&digit, p) in digits.iter().zip(PRIMES) {
                value = modulus.add(value, modulus.multiply(digit % modulus.prime, radix));
                radix = modulus.multiply(radix, p % modulus.prime);
            }
            let difference = modulus.add(residue, modulus.negate(value));
            digits.push(modulus.multiply(difference, modulus.invert(radix)));
        }
        let (mut log, mut scale) = (f64::NEG_INFINITY, 0.0);
        for (digit, p) in digits.into_iter().zip(PRIMES) {
            if digit > 0 {
                log = scale + (digit as f64).log2();
            }
            scale += (p as f64).log2();
        }
        log
    };
    let primes = context().primes.iter();
    let negated: Vec<_> = primes.zip(residues).map(|(p, &x)| p.modulus.negate(x)).collect();
    magnitude(residues).min(magnitude(&negated))
}

/// Root mean square of some coefficients, as a base-2 logarithm, and the largest.
fn size(phase: &[Words]) -> (f64, f64) {
    let column = |i: usize| phase.iter().map(|residues| residues[i]).collect::<Vec<_>>();
    let logs: Vec<f64> = (0..SLOTS).step_by(64).map(|i| log2_absolute(&column(i))).collect();
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let squares: f64 = logs.iter().map(|log| (2.0 * (log - largest)).exp2()).sum();
    (largest + (squares / logs.len() as f64).log2() / 2.0, largest)
}

#[test]
fn noise_is_what_the_parameters_say() {
    let Fixture { mut rng, mut key, public, .. } = fixture(4);
    let t = log2_plaintext_modulus();
    let zero = vec![Fr::ZERO; SLOTS];
    let a = [scalars(&mut rng, SLOTS), scalars(&mut rng, SLOTS)];
    let b = [scalars(&mut rng, SLOTS), scalars(&mut rng, SLOTS)];
    let encryptions = encrypt(&mut key, &[&a[0], &a[1]], &mut rng);

    // Fresh: |m + t·e|, e of standard deviation 3.24.
    let uniform: Element = context()
        .primes
        .iter()
        .map(|p| new_uniform_half(&[4; 32], encryptions[0].counter(), &p.modulus))
        .collect();
    let coefficients = |element: &[Words]| -> Element {
        let mut element = element.to_vec();
        for (residues, prime) in element.iter_mut().zip(&context().primes) {
            prime.transform.inverse(residues);
        }
        element
    };
    let fresh = phase(&key, &coefficients(&encryptions[0].residues), &coefficients(&uniform));
    let (rms, largest) = size(&fresh);
    assert!((rms - t - 3.24f64.log2()).abs() < 0.2, "fresh: {}", rms - t);
    assert!(largest - t < (ERROR_FLIPS as f64).log2());

    // An answer of two products, nearly unflooded: t·X, X of standard deviation 4·3.24·t·√(N/6),
    // far below what a dishonest encryptor could have proved.
    let products = || encryptions.iter().zip(b.iter().map(Vec::as_slice)).collect();
    let request = Request { key: &public, products: products(), mask: &zero };
    let draw = |seed, bits| Secrets::draw(&request, &mut Stream::new(&[seed; 32]), bits);
    let (constant, linear) = answer_fresh(&request, &draw(1, 1));
    let (rms, _) = size(&phase(&key, &constant, &linear));
    let factor = CIPHERTEXT_FACTOR as f64;
    let predicted = 2.0 * t + (factor * 3.24 * (SLOTS as f64 / 6.0).sqrt()).log2();
    assert!((rms - predicted).abs() < 0.2, "product: {} of {}", rms - t, predicted - t);
    assert!(rms + 84.0 < t + proved_noise(2).log2());

    // Flooded: the flood and nothing but the flood is seen. The simulated answer has the same
    // output, no products, the same flood; the difference of the two phases is t·X again.
    let (constant, linear) = answer_fresh(&request, &draw(2, FLOOD_BITS));
    let real = phase(&key, &constant, &linear);
    let (_, largest) = size(&real);
    assert!((t + f64::from(FLOOD_BITS) - 1.0 - largest).abs() < 0.3);
    let output: Vec<Fr> = (0..SLOTS).map(|j| -(a[0][j] * b[0][j] + a[1][j] * b[1][j])).collect();
    let simulated = Request { key: &public, products: vec![], mask: &output };
    let secrets = Secrets::draw(&simulated, &mut Stream::new(&[2; 32]), FLOOD_BITS);
    let (constant, linear) = answer_fresh(&simulated, &secrets);
    let mut difference = real;
    let simulation = phase(&key, &constant, &linear);
    for (prime, (x, y)) in context().primes.iter().zip(difference.iter_mut().zip(&simulation)) {
        x.iter_mut()
            .zip(y.iter())
            .for_each(|(x, y)| *x = prime.modulus.add(*x, prime.modulus.negate(*y)));
    }
    let (rms, _) = size(&difference);
    assert!((rms - predicted).abs() < 0.2);
    let hidden = t + f64::from(FLOOD_BITS) - rms - f64::from(SLOTS.ilog2());
    assert!(hidden > 170.0, "an honest encryptor's answer is hidden to 2^-{hidden}");
}

#[test]
fn without_the_margin_for_the_noise_decryption_fails() {
    let Fixture { mut rng, mut key, public, .. } = fixture(5);
    let (a, b) = (scalars(&mut rng, SLOTS), scalars(&mut rng, SLOTS));
    let mask = scalars(&mut rng, SLOTS);
    let encryption = encrypt(&mut key, &[&a], &mut rng).remove(0);
    let request = Request { key: &public, products: vec![(&encryption, &b)], mask: &mask };
    let wrong = |bits| {
        let secrets = Secrets::draw(&request, &mut Stream::new(&[1; 32]), bits);
        let (constant, linear) = answer_fresh(&request, &secrets);
        let out = key.decrypt(&switch(&constant, &linear));
        (0..SLOTS).filter(|&j| out[j] + mask[j] != a[j] * b[j]).count()
    };
    assert_eq!(wrong(FLOOD_BITS), 0);
    // One coefficient beyond q/2 already spoils every slot.
    assert_eq!(wrong(FLOOD_BITS + 1), SLOTS);
}

#[test]
fn without_the_encryption_of_zero_the_answer_shows_the_multiplier() {
    let Fixture { mut rng, mut key, public, .. } = fixture(6);
    let (a, b) = (scalars(&mut rng, SLOTS), scalars(&mut rng, SLOTS));
    let encryption = encrypt(&mut key, &[&a], &mut rng).remove(0);
    let request = Request { key: &public, products: vec![(&encryption, &b)], mask: &a };

    // The encryptor knows c1 of its encryption, and tests a guess of b against that of the answer.
    let encryptor_expects = |guess: &[Fr]| {
        let request = Request { key: &public, products: vec![(&encryption, guess)], mask: &a };
        let linear = answer_fresh(&request, &bare(&request)).1;
        switch(&linear, &linear).linear
    };
    fn bare(request: &Request<'_>) -> Secrets {
        let mut secrets = Secrets::draw(request, &mut Stream::new(&[9; 32]), FLOOD_BITS);
        secrets.ternary.fill(1);
        secrets.errors.fill(u64::from(ERROR_FLIPS));
        secrets
    }
    let answer = |secrets: Secrets| {
        let (constant, linear) = answer_fresh(&request, &secrets);
        switch(&constant, &linear)
    };

    let mutant = answer(bare(&request));
    assert_eq!(key.decrypt(&mutant).len(), SLOTS);
    assert!(mutant.linear == encryptor_expects(&b), "the mutant confirms the right guess");
    assert!(mutant.linear != encryptor_expects(&a), "and only that");

    let real = Secrets::draw(&request, &mut Stream::new(&[9; 32]), FLOOD_BITS);
    let real = answer(real);
    let expected = encryptor_expects(&b);
    let pairs = real.linear.iter().zip(&expected).flat_map(|(x, y)| x.iter().zip(y.iter()));
    let equal = pairs.filter(|(x, y)| x == y);
    assert!(equal.count() < 3, "the answer's c1 tells nothing of b");
}

/// The encryptor has the key and sees the noise beside the masked sum. It is the flood's, whatever
/// was multiplied; without the flood its size alone tells a zero from another multiplier.
#[test]
fn without_the_flood_the_noise_shows_the_multiplier() {
    let Fixture { mut rng, mut key, public, .. } = fixture(9);
    let [a, b, mask] = [(); 3].map(|()| scalars(&mut rng, SLOTS));
    let zero = vec![Fr::ZERO; SLOTS];
    let encryption = encrypt(&mut key, &[&a], &mut rng).remove(0);
    let noise = |b: &[Fr], flood_bits, seed| {
        let request = Request { key: &public, products: vec![(&encryption, b)], mask: &mask };
        let secrets = Secrets::draw(&request, &mut Stream::new(&[seed; 32]), flood_bits);
        let (constant, linear) = answer_fresh(&request, &secrets);
        size(&phase(&key, &constant, &linear)).0
    };
    let flooded = noise(&b, FLOOD_BITS, 1) - noise(&zero, FLOOD_BITS, 2);
    assert!(flooded.abs() < 0.2, "{flooded}");
    let mutant = noise(&b, 1, 3) - noise(&zero, 1, 4);
    assert!(mutant > 200.0, "{mutant}");
}

/// What the encryptor learns from an answer is the masked sum, the same for every multiplier if the
/// mask moves along; and the mask is uniform. Without it, the sum is bare.
#[test]
fn an_answer_shows_its_masked_sum_and_no_more() {
    let Fixture { mut rng, mut key, public, mut evaluator } = fixture(7);
    let [a, b, other, mask] = [(); 4].map(|()| scalars(&mut rng, SLOTS));
    let encryption = encrypt(&mut key, &[&a], &mut rng).remove(0);
    let moved: Vec<Fr> = (0..SLOTS).map(|j| mask[j] + a[j] * (other[j] - b[j])).collect();
    let bare = vec![Fr::ZERO; SLOTS];
    let mut seen = |b: &[Fr], mask: &[Fr]| {
        let request = Request { key: &public, products: vec![(&encryption, b)], mask };
        key.decrypt(&evaluator.answer(&[request], &mut rng).unwrap()[0])
    };
    assert!(seen(&b, &mask) == seen(&other, &moved));
    assert!(seen(&b, &bare) != seen(&other, &bare));
}

/// The evaluator sees elements that look uniform; without a secret key the plaintext is next to
/// bare.
#[test]
fn an_encryption_does_not_show_its_plaintext() {
    let Fixture { mut rng, mut key, .. } = fixture(8);
    let distinct = |encryption: &Encryption| {
        let mut coefficients = encryption.residues[0].to_vec();
        context().primes[0].transform.inverse(&mut coefficients);
        coefficients.sort_unstable();
        coefficients.dedup();
        coefficients.len()
    };
    for plaintext in [vec![], scalars(&mut rng, SLOTS)] {
        let (encryption, _) = key.encrypt(&[&plaintext], &mut rng).unwrap().remove(0);
        assert!(distinct(&encryption) > SLOTS - 10);
        let mut counts = [0f64; 16];
        let residues = encryption.residues.iter().flat_map(|words| words.iter());
        residues.for_each(|residue| counts[(residue >> 20 & 15) as usize] += 1.0);
        let mean = counts.iter().sum::<f64>() / 16.0;
        let statistic: f64 = counts.iter().map(|count| (count - mean).powi(2) / mean).sum();
        assert!(statistic < 63.0, "{statistic}"); // 15 degrees of freedom: probability 1e-7
    }
    key.residues.iter_mut().for_each(|words| words.fill(0));
    let (naked, _) = key.encrypt(&[&[]], &mut rng).unwrap().remove(0);
    assert!(distinct(&naked) <= 2 * ERROR_FLIPS as usize + 1);
}
