//! What a dishonest encryptor learns from answers to keys and encryptions that are not what they
//! should be, taken for proved (protocol §2.1). `proof/tests.rs` shows that they are not.
//!
//! The answer's noise fills three quarters of the modulus, so a phase that is moved by half of the
//! modulus, or not, by something secret, falls where no other phase does in a third of the cases.

use super::*;
use crate::bounds::{CIPHERTEXT_FACTOR, ZERO_FACTOR};
use crate::context::context;
use crate::evaluator::{Secrets, answer_fresh, switch};
use crate::expand::Stream;
use crate::modulus::Modulus;
use crate::parameters::{ERROR_FLIPS, FLOOD_BITS, PLAINTEXT_MODULUS, PRIMES};
use crate::proof::Proved;
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

/// Adds an integer near `q/2` times an odd number, over a power of two, to every value of an
/// element, that is, to the constant coefficient: minus one over twice that power, modulo `q`.
pub(crate) fn add_half_of_modulus(residues: &mut [buffer::Words], over: u64) {
    for (words, prime) in residues.iter_mut().zip(&context().primes) {
        let modulus = &prime.modulus;
        let part = modulus.negate(modulus.invert(2 * over));
        words.iter_mut().for_each(|word| *word = modulus.add(*word, part));
    }
}

/// Parity of the coefficients of a quarter of a plaintext, nearest to 0.
fn parities(slots: &[Fr]) -> Vec<u64> {
    let half_is_odd = PLAINTEXT_MODULUS[0] >> 1 & 1;
    slots::encode_quarter(slots).0[0].iter().map(|limb| (limb ^ half_is_odd) & 1).collect()
}

/// An encryption four times of which has a phase of half of the modulus: a coefficient of what it
/// is multiplied by moves the answer's phase by half of the modulus if it is odd.
#[test]
fn a_phase_of_half_the_modulus_shows_the_multiplier() {
    let Fixture { mut rng, mut key, public, mut evaluator } = fixture(31);
    let (b, mask) = (scalars(&mut rng, SLOTS), scalars(&mut rng, SLOTS));
    let (honest, _) = key.encrypt(&[&[]], &mut rng).unwrap().remove(0);
    let mut far = |encryption: &Encryption| -> Vec<usize> {
        let encryption = Proved::assumed(encryption.clone());
        let products = vec![(&encryption, &b[..])];
        let request = Request { key: &public, products, mask: &mask };
        let answer = evaluator.answer(&[request], &mut rng).unwrap().remove(0);
        let phases = phases(&key, &answer);
        (0..SLOTS).filter(|&i| phases[i].abs() > HONEST).collect()
    };
    assert!(far(&honest).is_empty());
    let mut bad = honest.clone();
    add_half_of_modulus(&mut bad.residues, CIPHERTEXT_FACTOR);
    let known = far(&bad);
    let odd = parities(&b);
    assert!(known.len() > SLOTS / 8, "{} coefficients are known to be odd", known.len());
    assert!(known.into_iter().all(|i| odd[i] == 1));
}

/// A large error, far below the modulus: the sign of the answer's noise is that of the multiplier's
/// coefficients.
#[test]
fn a_large_error_shows_the_multiplier() {
    let Fixture { mut rng, mut key, public, mut evaluator } = fixture(32);
    let (b, mask) = (scalars(&mut rng, SLOTS), scalars(&mut rng, SLOTS));
    let (honest, _) = key.encrypt(&[&[]], &mut rng).unwrap().remove(0);
    // Limbs are those of the number plus (t - 1)/2.
    let limbs = slots::encode_quarter(&b);
    let positive: Vec<bool> =
        limbs.0[4].iter().map(|&limb| limb > PLAINTEXT_MODULUS[3] >> 17).collect();
    let mut agreeing = |encryption: &Encryption| {
        let encryption = Proved::assumed(encryption.clone());
        let products = vec![(&encryption, &b[..])];
        let request = Request { key: &public, products, mask: &mask };
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
        let error = modulus.multiply(t, modulus.power(2, u64::from(FLOOD_BITS) - 256));
        words.iter_mut().for_each(|word| *word = modulus.add(*word, error));
    }
    let known = agreeing(&bad);
    assert!(known > SLOTS / 8 * 5, "{known}");
}

/// A public key that encrypts half of the modulus instead of zero shows what hides the answer's
/// second half.
#[test]
fn a_bad_public_key_shows_the_blinding() {
    let Fixture { mut rng, key, .. } = fixture(33);
    let mask = scalars(&mut rng, SLOTS);
    let mut public = key.public_key();
    add_half_of_modulus(&mut public.residues, ZERO_FACTOR);
    let public = Proved::assumed(public);
    let request = Request { key: &public, products: vec![], mask: &mask };
    let secrets = Secrets::draw(&request, &mut Stream::new(&[2; 32]), FLOOD_BITS);
    let (constant, linear) = answer_fresh(&request, &secrets);
    let phases = phases(&key, &switch(&constant, &linear));
    let known: Vec<usize> = (0..SLOTS).filter(|&i| phases[i].abs() > HONEST).collect();
    assert!(known.len() > SLOTS / 8, "{} coefficients are known not to be 0", known.len());
    assert!(known.into_iter().all(|i| secrets.ternary[i] != 1));
}

/// Adds `1/(1 - X)`, all of whose coefficients are half of the modulus, to a secret.
pub(crate) fn add_halves(key: &mut SecretKey) {
    for (words, prime) in key.residues.iter_mut().zip(&context().primes) {
        let modulus = &prime.modulus;
        let half = modulus.multiply(modulus.invert(2), modulus.power(2, 52));
        let mut halves = vec![half; SLOTS];
        prime.transform.forward(&mut halves);
        words.iter_mut().zip(&halves).for_each(|(word, half)| *word = modulus.add(*word, *half));
    }
}

/// Of the key `s + 1/(1 - X)` no proof about differences can say that it is not short: the
/// multiples of `1/(1 - X)` by differences of monomials are short. In a bare encryption of zero,
/// whether the sum of its errors is odd moves every phase by half of the modulus; in twice one by
/// the whole. (Before the switch to `q'`, whose rounding has a parity of its own.)
#[test]
fn a_key_of_halves_shows_a_parity_unless_zero_is_doubled() {
    let Fixture { mut rng, mut key, .. } = fixture(34);
    let mask = scalars(&mut rng, SLOTS);
    add_halves(&mut key);
    let public = Proved::assumed(key.public_key());
    let request = Request { key: &public, products: vec![], mask: &mask };
    let far = |secrets: &Secrets, add_half_of_zero: bool| {
        let (constant, mut linear) = answer_fresh(&request, secrets);
        let phases = phases_of(&key, &constant, &linear);
        let far = |phases: &[f64]| phases.iter().filter(|phase| phase.abs() > HONEST).count();
        if !add_half_of_zero {
            return far(&phases);
        }
        // What a bare one would have in place of 2 t e1.
        for (words, prime) in linear.iter_mut().zip(&context().primes) {
            let modulus = &prime.modulus;
            let t = modulus.reduce(&PLAINTEXT_MODULUS);
            for (word, error) in words.iter_mut().zip(secrets.errors.iter()) {
                let error = modulus.add(*error, modulus.negate(u64::from(ERROR_FLIPS)));
                *word = modulus.add(*word, modulus.negate(modulus.multiply(t, error)));
            }
        }
        far(&phases_of(&key, &constant, &linear))
    };
    let mut seen = [false; 2];
    for seed in 0..8 {
        let secrets = Secrets::draw(&request, &mut Stream::new(&[seed; 32]), FLOOD_BITS);
        assert_eq!(far(&secrets, false), 0);
        let bare = far(&secrets, true);
        let is_odd = secrets.errors.iter().sum::<u64>() % 2 == 1;
        assert_eq!(is_odd, bare > SLOTS / 8, "{bare} phases beyond an honest one's");
        seen[usize::from(is_odd)] = true;
    }
    assert!(seen == [true; 2]);
}
