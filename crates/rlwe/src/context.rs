//! Tables and constants of the parameters, made once per process.

use crate::bounds::{CIPHERTEXT_FACTOR, ZERO_FACTOR};
use crate::kernels::{Digits, LIMBS, Recombine, Switch};
use crate::modulus::{MASK, Modulus};
use crate::parameters::{
    ANSWER_PRIMES, ERROR_FLIPS, FRESH_PRIMES, PLAINTEXT_MODULUS, PRIMES, RESIDUE_BITS,
};
use crate::secret::FLOOD_LIMBS;
use crate::slots::to_limbs;
use crate::transform::Transform;
use ff::Field;
use std::sync::LazyLock;
use twain_algebra::Fr;

/// Constants of one prime. "Montgomery form" = multiplied by `2^52`.
pub struct Prime {
    /// The prime.
    pub modulus: Modulus,
    /// Its transform.
    pub transform: Transform,
    /// `2^(52 j)` in Montgomery form: limbs to residues.
    pub limb: [u64; LIMBS],
    /// The negatives of those.
    pub negated_limb: [u64; LIMBS],
    /// `4·2^(52 j + 52)` in Montgomery form: limbs of a quarter to four times it, in Montgomery
    /// form.
    pub multiplier_limb: [u64; LIMBS],
    /// `(t - 1)/2`.
    pub half: u64,
    /// `-(t - 1)/2`.
    pub negated_half: u64,
    /// `-4·(t - 1)/2` in Montgomery form.
    pub multiplier_shift: u64,
    /// `t` in Montgomery form: errors to residues of `t` times them.
    pub error: u64,
    /// `-t·21`: takes the shift of the errors off.
    pub error_shift: u64,
    /// `2^52` in Montgomery form, and `-1`: ternary plus one to residues in Montgomery form.
    pub ternary: (u64, u64),
    /// The same times two, and `error`, `error_shift` times two: for the encryption of zero.
    pub zero_ternary: (u64, u64),
    pub zero_error: (u64, u64),
    /// `t·2^(52 j)` in Montgomery form: limbs of a flood.
    pub flood: [u64; FLOOD_LIMBS],
}

impl Prime {
    fn new(prime: u64) -> Self {
        let modulus = Modulus::new(prime);
        let power = |exponent: usize| modulus.power(2, exponent as u64);
        let t = modulus.reduce(&PLAINTEXT_MODULUS);
        let half = modulus.multiply(modulus.add(t, prime - 1), modulus.invert(2));
        let limb: [u64; LIMBS] = std::array::from_fn(|j| power(52 * j + 52));
        let error = modulus.multiply(t, power(52));
        let error_shift = modulus.negate(modulus.multiply(t, u64::from(ERROR_FLIPS)));
        let ternary = (power(104), modulus.negate(power(52)));
        let times =
            |(a, b): (u64, u64), factor| (modulus.multiply(a, factor), modulus.multiply(b, factor));
        Self {
            modulus,
            transform: Transform::new(modulus),
            limb,
            negated_limb: limb.map(|c| modulus.negate(c)),
            multiplier_limb: std::array::from_fn(|j| {
                modulus.multiply(CIPHERTEXT_FACTOR, power(52 * j + 104))
            }),
            half,
            negated_half: modulus.negate(half),
            multiplier_shift: modulus
                .negate(modulus.multiply(CIPHERTEXT_FACTOR, modulus.multiply(half, power(52)))),
            error,
            error_shift,
            ternary,
            zero_ternary: times(ternary, ZERO_FACTOR),
            zero_error: times((error, error_shift), ZERO_FACTOR),
            flood: std::array::from_fn(|j| modulus.multiply(t, power(52 * j + 52))),
        }
    }

    /// `-t·2^(bits - 1)`: centres a flood of that many bits.
    pub fn flood_shift(&self, bits: u32) -> u64 {
        let t = self.modulus.reduce(&PLAINTEXT_MODULUS);
        let power = self.modulus.power(2, u64::from(bits) - 1);
        self.modulus.negate(self.modulus.multiply(t, power))
    }
}

/// All constants.
pub struct Context {
    /// Prime by prime.
    pub primes: Vec<Prime>,
    /// From `q` to `q'`.
    pub switch: Switch,
    /// From residues modulo `q'` to the field.
    pub recombine: Recombine,
}

/// The constants.
pub fn context() -> &'static Context {
    static CONTEXT: LazyLock<Context> = LazyLock::new(|| {
        let primes: Vec<Prime> = PRIMES.into_iter().map(Prime::new).collect();
        Context { switch: switch(&primes), recombine: recombine(&primes), primes }
    });
    &CONTEXT
}

/// The product of some primes modulo one, but for one of them.
fn product_except(modulus: &Modulus, primes: &[u64], except: Option<u64>) -> u64 {
    let factors = primes.iter().filter(|&&p| Some(p) != except);
    factors.fold(1, |product, &p| modulus.multiply(product, p % modulus.prime))
}

/// The constants of digits modulo some primes of one size; `factor` multiplies them.
fn digits(primes: &[u64], bits: u32, factor: impl Fn(&Modulus) -> u64) -> Digits {
    let to_digit = primes.iter().map(|&p| {
        let modulus = Modulus::new(p);
        let cofactor = modulus.invert(product_except(&modulus, primes, Some(p)));
        let digit = modulus.multiply(cofactor, factor(&modulus));
        modulus.multiply(digit, modulus.power(2, 52))
    });
    let fraction = primes.iter().map(|&p| ((1u128 << (52 + bits - 1)) / u128::from(p)) as u64);
    Digits { to_digit: to_digit.collect(), fraction: fraction.collect(), bits }
}

fn switch(primes: &[Prime]) -> Switch {
    let (_, dropped) = PRIMES.split_at(ANSWER_PRIMES);
    let combine = primes[..ANSWER_PRIMES].iter().map(|prime| {
        let modulus = prime.modulus;
        let t = modulus.reduce(&PLAINTEXT_MODULUS);
        let mut row = [0; FRESH_PRIMES - ANSWER_PRIMES + 2];
        for (entry, &p) in row.iter_mut().zip(dropped) {
            *entry = modulus.multiply(t, modulus.invert(p % modulus.prime));
        }
        row[dropped.len()] = modulus.invert(product_except(&modulus, dropped, None));
        row[dropped.len() + 1] = modulus.negate(t);
        row.map(|entry| modulus.multiply(entry, modulus.power(2, 52)))
    });
    Switch {
        moduli: primes.iter().map(|prime| prime.modulus).collect(),
        digits: digits(dropped, RESIDUE_BITS[ANSWER_PRIMES], |modulus| {
            modulus.negate(modulus.invert(modulus.reduce(&PLAINTEXT_MODULUS)))
        }),
        combine: combine.collect(),
    }
}

fn recombine(primes: &[Prime]) -> Recombine {
    let (kept, dropped) = PRIMES.split_at(ANSWER_PRIMES);
    let product = |primes: &[u64]| primes.iter().map(|&p| Fr::from(p)).product::<Fr>();
    let base = product(dropped) * Fr::from(2).pow_vartime([52 + 256]);
    let without = |k: usize| product(&[&kept[..k], &kept[k + 1..]].concat());
    let mut limbs: Vec<_> = (0..ANSWER_PRIMES).map(|k| to_limbs(base * without(k))).collect();
    limbs.push(to_limbs(-base * product(kept)));
    // Canonical limbs of t are those of -1, plus one.
    let mut plaintext = to_limbs(-Fr::ONE);
    plaintext[0] += 1;
    Recombine {
        moduli: primes[..ANSWER_PRIMES].iter().map(|prime| prime.modulus).collect(),
        digits: digits(kept, RESIDUE_BITS[0], |_| 1),
        limbs,
        plaintext: (plaintext, Modulus::new(PLAINTEXT_MODULUS[0] & MASK).negated_inverse),
    }
}
