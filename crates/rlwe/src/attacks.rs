//! What a dishonest encryptor learns from answers to keys and encryptions that are not what they
//! should be (protocol §2).
//!
//! The answer's noise fills three quarters of the modulus, so a phase that is moved by half of the
//! modulus, or not, by something secret, falls where no other phase does in a third of the cases.

use super::*;
use crate::context::context;
use crate::evaluator::{Secrets, switch};
use crate::expand::Stream;
use crate::modulus::Modulus;
use crate::parameters::{FLOOD_BITS, PLAINTEXT_MODULUS, PRIMES};
use crate::tests::{Fixture, fixture, phase, scalars};

/// No honest phase is this far from 0, as a part of the modulus.
const HONEST: f64 = 0.385;

/// Phases of an answer as the holder of the key sees them, as parts of the modulus `q'`.
fn phases(key: &SecretKey, answer: &Answer) -> Vec<f64> {
    phases_of(key, &answer.constant, &answer.linear)
}

/// The same of an answer modulo any of the primes.
fn phases_of(key: &SecretKey, constant: &[buffer::Words], linear: &[buffer::Words]) -> Vec<f64> {
    let element = phase(key, constant, linear);
    let primes = &PRIMES[..element.len()];
    let cofactors: Vec<u64> = primes
        .iter()
        .map(|&p| {
            let modulus = Modulus::new(p);
            let others = primes.iter().filter(|&&other| other != p);
            modulus.invert(others.fold(1, |product, &o| modulus.multiply(product, o % p)))
        })
        .collect();
    let part = |i: usize| {
        let digits = primes.iter().zip(&cofactors).zip(&element).map(|((&p, &cofactor), words)| {
            Modulus::new(p).multiply(words[i], cofactor) as f64 / p as f64
        });
        let sum: f64 = digits.sum();
        sum - sum.round()
    };
    (0..SLOTS).map(part).collect()
}

/// Adds the integer nearest to `q` over a power of two to every value of an element, that is, to the
/// constant coefficient.
fn add_part_of_modulus(residues: &mut [buffer::Words], halvings: u32) {
    for (words, prime) in residues.iter_mut().zip(&context().primes) {
        let modulus = &prime.modulus;
        let part = modulus.negate(modulus.invert(1 << halvings));
        words.iter_mut().for_each(|word| *word = modulus.add(*word, part));
    }
}

/// Parity of the coefficients of a plaintext, nearest to 0.
fn parities(slots: &[Fr]) -> Vec<u64> {
    let half_is_odd = PLAINTEXT_MODULUS[0] >> 1 & 1;
    slots::encode(slots).0[0].iter().map(|limb| (limb ^ half_is_odd) & 1).collect()
}

/// An encryption whose phase is half of the modulus: a coefficient of the multiplier moves the
/// answer's phase by half of the modulus if it is odd.
#[test]
fn a_phase_of_half_the_modulus_shows_the_multiplier() {
    let Fixture { mut rng, mut key, mut evaluator } = fixture(31);
    let (b, mask) = (scalars(&mut rng, SLOTS), scalars(&mut rng, SLOTS));
    let honest = key.encrypt(&[&[]], &mut rng).unwrap().remove(0);
    let mut far = |encryption: &Encryption| -> Vec<usize> {
        let request = Request { products: vec![(encryption, &b[..])], mask: &mask };
        let answer = evaluator.answer(&[request], &mut rng).unwrap().remove(0);
        let phases = phases(&key, &answer);
        (0..SLOTS).filter(|&i| phases[i].abs() > HONEST).collect()
    };
    assert!(far(&honest).is_empty());
    let mut bad = honest.clone();
    add_part_of_modulus(&mut bad.residues, 1);
    let known = far(&bad);
    let odd = parities(&b);
    assert!(known.len() > SLOTS / 8, "{} coefficients are known to be odd", known.len());
    assert!(known.into_iter().all(|i| odd[i] == 1));
}

/// A large error, far below the modulus: the sign of the answer's noise is that of the multiplier's
/// coefficients.
#[test]
fn a_large_error_shows_the_multiplier() {
    let Fixture { mut rng, mut key, mut evaluator } = fixture(32);
    let (b, mask) = (scalars(&mut rng, SLOTS), scalars(&mut rng, SLOTS));
    let honest = key.encrypt(&[&[]], &mut rng).unwrap().remove(0);
    // Limbs are those of the number plus (t - 1)/2.
    let limbs = slots::encode(&b);
    let positive: Vec<bool> =
        limbs.0[4].iter().map(|&limb| limb > PLAINTEXT_MODULUS[3] >> 17).collect();
    let mut agreeing = |encryption: &Encryption| {
        let request = Request { products: vec![(encryption, &b[..])], mask: &mask };
        let answer = evaluator.answer(&[request], &mut rng).unwrap().remove(0);
        let phases = phases(&key, &answer);
        (0..SLOTS).filter(|&i| (phases[i] > 0.0) == positive[i]).count()
    };
    let chance = agreeing(&honest);
    assert!(chance.abs_diff(SLOTS / 2) < 600, "{chance}");
    let mut bad = honest.clone();
    for (words, prime) in bad.residues.iter_mut().zip(&context().primes) {
        let modulus = &prime.modulus;
        let t = modulus.reduce(&PLAINTEXT_MODULUS);
        let error = modulus.multiply(t, modulus.power(2, u64::from(FLOOD_BITS) - 254));
        words.iter_mut().for_each(|word| *word = modulus.add(*word, error));
    }
    let known = agreeing(&bad);
    assert!(known > SLOTS / 8 * 5, "{known}");
}

/// A public key that encrypts half of the modulus instead of zero shows what hides the answer's second
/// half.
#[test]
fn a_bad_public_key_shows_the_blinding() {
    let Fixture { mut rng, key, .. } = fixture(33);
    let mask = scalars(&mut rng, SLOTS);
    let (_, mut public) = SecretKey::generate([33; 32], &mut rng);
    let zero = slots::encode(&[]);
    public.residues = key.encrypt_with(0, &zero, &mut Stream::new(&[1; 32]));
    add_part_of_modulus(&mut public.residues, 1);
    let evaluator = Evaluator::new([33; 32], public);
    let request = Request { products: vec![], mask: &mask };
    let secrets = Secrets::draw(&request, &mut Stream::new(&[2; 32]), FLOOD_BITS);
    let (constant, linear) = evaluator.answer_fresh(&request, &secrets);
    let phases = phases(&key, &switch(&constant, &linear));
    let known: Vec<usize> = (0..SLOTS).filter(|&i| phases[i].abs() > HONEST).collect();
    assert!(known.len() > SLOTS / 8, "{} coefficients are known not to be 0", known.len());
    assert!(known.into_iter().all(|i| secrets.ternary[i] != 1));
}

/// Of the key `s + 1/(1 - X)` no proof about differences can say that it is not short: `1/(1 - X)` has
/// coefficients of half the modulus, its multiples by differences of monomials have none. Whether the
/// sum of the errors in the encryption of zero is odd moves every phase by half of the modulus. (Before
/// the switch to `q'`, whose rounding has a parity of its own.)
#[test]
fn a_key_of_halves_shows_a_parity() {
    let Fixture { mut rng, mut key, .. } = fixture(34);
    let mask = scalars(&mut rng, SLOTS);
    for (words, prime) in key.residues.iter_mut().zip(&context().primes) {
        let modulus = &prime.modulus;
        let half = modulus.multiply(modulus.invert(2), modulus.power(2, 52));
        let mut halves = vec![half; SLOTS];
        prime.transform.forward(&mut halves);
        words.iter_mut().zip(&halves).for_each(|(word, half)| *word = modulus.add(*word, *half));
    }
    let (_, mut public) = SecretKey::generate([34; 32], &mut rng);
    public.residues = key.encrypt_with(0, &slots::encode(&[]), &mut Stream::new(&[1; 32]));
    let evaluator = Evaluator::new([34; 32], public);
    let request = Request { products: vec![], mask: &mask };
    let mut seen = [false; 2];
    for seed in 0..8 {
        let secrets = Secrets::draw(&request, &mut Stream::new(&[seed; 32]), FLOOD_BITS);
        let (constant, linear) = evaluator.answer_fresh(&request, &secrets);
        let phases = phases_of(&key, &constant, &linear);
        let far = phases.iter().filter(|phase| phase.abs() > HONEST).count();
        let sum: u64 = secrets.errors.iter().sum();
        let is_odd = sum % 2 == 1;
        assert_eq!(is_odd, far > SLOTS / 8, "{far} phases beyond an honest one's");
        seen[usize::from(is_odd)] = true;
    }
    assert!(seen == [true; 2]);
}
