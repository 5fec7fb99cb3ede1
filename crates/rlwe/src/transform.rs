//! The negacyclic number-theoretic transform modulo one prime of the ciphertext modulus.
//!
//! [`Transform::forward`] takes the `N` coefficients of a polynomial modulo `X^N + 1` to its values
//! at the odd powers of a `2N`-th root of unity `ψ`: entry `k` is the value at `ψ^(2·rev(k) + 1)`,
//! `rev` the reversal of 15 bits. Products of polynomials become products of entries. The order is
//! part of the format on the wire and the same on every machine.
//!
//! Method: Cooley–Tukey forward, Gentleman–Sande back (both in place, no bit reversal), with
//! Shoup's multiplication and Harvey's lazy reduction (*Faster arithmetic for number-theoretic
//! transforms*, 2014). The primes are below 2^48 and the words have 52 bits, so values may grow to
//! `16 p` and two layers share one conditional subtraction. Two layers are done per pass over
//! memory (radix 4), depth first, so that all but the first passes stay in the first-level cache;
//! the last three layers, whose partners lie within a vector, in registers.

use crate::lanes::{self, Kernel, Lanes};
use crate::modulus::Modulus;
use crate::parameters::{LOG_DEGREE, SLOTS};

/// Below this many words the passes go breadth first.
const CACHED: usize = 2048;

/// A constant factor and its Shoup quotient, word by word.
struct Factors {
    /// `w`.
    value: Vec<u64>,
    /// `floor(w * 2^52 / p)`.
    quotient: Vec<u64>,
}

impl Factors {
    fn new(modulus: &Modulus, value: Vec<u64>) -> Self {
        let quotient = value.iter().map(|&w| modulus.quotient(w)).collect();
        Self { value, quotient }
    }

    /// Factor `index` in every lane.
    #[inline(always)]
    fn splat<L: Lanes>(&self, index: usize) -> Factor<L> {
        Factor { value: L::splat(self.value[index]), quotient: L::splat(self.quotient[index]) }
    }
}

/// A factor in lanes.
#[derive(Clone, Copy)]
struct Factor<L> {
    value: L,
    quotient: L,
}

/// Tables of one prime.
pub struct Transform {
    modulus: Modulus,
    /// Entry `m + i`: the factor of block `i` in the layer of `m` blocks, `ψ^rev(m + i)`.
    forward: Factors,
    /// Their inverses; entry 0, otherwise unused, is `1/N`, entry 1 is multiplied by `1/N`.
    inverse: Factors,
}

impl Transform {
    /// Tables for a prime that is 1 modulo `2N`.
    pub fn new(modulus: Modulus) -> Self {
        let root = modulus.root_of_unity(LOG_DEGREE + 1);
        let powers = |base: u64| -> Vec<u64> {
            let mut table = vec![1; SLOTS];
            let mut power = 1;
            for exponent in 0..SLOTS {
                table[exponent.reverse_bits() >> (usize::BITS as usize - LOG_DEGREE)] = power;
                power = modulus.multiply(power, base);
            }
            table
        };
        let mut inverse = powers(modulus.invert(root));
        inverse[0] = modulus.invert(SLOTS as u64);
        inverse[1] = modulus.multiply(inverse[1], inverse[0]);
        Self {
            modulus,
            forward: Factors::new(&modulus, powers(root)),
            inverse: Factors::new(&modulus, inverse),
        }
    }

    /// Coefficients to values, in place. All entries are below the prime, before and after.
    ///
    /// # Panics
    /// Unless there are exactly `N` values.
    pub fn forward(&self, values: &mut [u64]) {
        assert_eq!(values.len(), SLOTS);
        lanes::run(Forward { tables: self, values });
    }

    /// Values to coefficients, in place. All entries are below the prime, before and after.
    ///
    /// # Panics
    /// Unless there are exactly `N` values.
    pub fn inverse(&self, values: &mut [u64]) {
        assert_eq!(values.len(), SLOTS);
        lanes::run(Inverse { tables: self, values });
    }
}

/// The prime and its multiples in lanes.
#[derive(Clone, Copy)]
struct Prime<L> {
    once: L,
    twice: L,
    four: L,
    eight: L,
}

impl<L: Lanes> Prime<L> {
    #[inline(always)]
    fn new(modulus: &Modulus) -> Self {
        let times = |k: u64| L::splat(k * modulus.prime);
        Self { once: times(1), twice: times(2), four: times(4), eight: times(8) }
    }

    /// `y * factor`, below `2 p`, for any `y` below 2^52.
    #[inline(always)]
    fn multiply(&self, y: L, factor: Factor<L>) -> L {
        L::shoup(y, factor.value, factor.quotient, self.once)
    }

    /// Subtracts `bound` once if the value is not below it.
    #[inline(always)]
    fn reduce(x: L, bound: L) -> L {
        x.min(x.sub(bound))
    }

    /// From below `16 p` to below `p`.
    #[inline(always)]
    fn canonical(&self, x: L) -> L {
        let x = Self::reduce(Self::reduce(x, self.eight), self.four);
        Self::reduce(Self::reduce(x, self.twice), self.once)
    }

    /// Cooley–Tukey: adds at most `2 p` to the bound of `x`; `y` may be anything below 2^52.
    #[inline(always)]
    fn cooley_tukey(&self, x: L, y: L, factor: Factor<L>) -> (L, L) {
        let product = self.multiply(y, factor);
        (x.add(product), x.add(self.twice).sub(product))
    }

    /// Gentleman–Sande: `x + y` and a product below `2 p`; `y` must be below `bound`.
    #[inline(always)]
    fn gentleman_sande(&self, x: L, y: L, factor: Factor<L>, bound: L) -> (L, L) {
        (x.add(y), self.multiply(x.add(bound).sub(y), factor))
    }
}

/// The four quarters of a slice of blocks.
#[inline(always)]
fn quarters<B>(blocks: &mut [B]) -> impl Iterator<Item = ((&mut B, &mut B), (&mut B, &mut B))> {
    let (low, high) = blocks.split_at_mut(blocks.len() / 2);
    let (a, b) = low.split_at_mut(low.len() / 2);
    let (c, d) = high.split_at_mut(high.len() / 2);
    a.iter_mut().zip(b).zip(c.iter_mut().zip(d))
}

struct Forward<'a> {
    tables: &'a Transform,
    values: &'a mut [u64],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let prime = Prime::<L>::new(&self.tables.modulus);
        let factors = &self.tables.forward;
        // Depth first down to blocks that fit the cache; 32768 = 4^2 * 2048.
        forward_pass::<L>(prime, factors, self.values, 1);
        for (i, quarter) in self.values.chunks_exact_mut(SLOTS / 4).enumerate() {
            forward_pass::<L>(prime, factors, quarter, 4 + i);
            for (j, part) in quarter.chunks_exact_mut(CACHED).enumerate() {
                let mut block = 16 + 4 * i + j;
                let mut length = part.len();
                while length >= 32 {
                    for (k, part) in part.chunks_exact_mut(length).enumerate() {
                        forward_pass::<L>(prime, factors, part, block + k);
                    }
                    length /= 4;
                    block *= 4;
                }
                forward_tail::<L>(prime, factors, part, block);
            }
        }
    }
}

/// Two layers over one block; `block` is the index of its factor in the first of them. Values are
/// below `12 p` before and after.
#[inline(always)]
fn forward_pass<L: Lanes>(prime: Prime<L>, factors: &Factors, values: &mut [u64], block: usize) {
    let first = factors.splat::<L>(block);
    let (left, right) = (factors.splat::<L>(2 * block), factors.splat::<L>(2 * block + 1));
    for ((a, b), (c, d)) in quarters(L::blocks_mut(values)) {
        let x0 = Prime::reduce(L::load(a), prime.eight);
        let x1 = Prime::reduce(L::load(b), prime.eight);
        let (x0, x2) = prime.cooley_tukey(x0, L::load(c), first);
        let (x1, x3) = prime.cooley_tukey(x1, L::load(d), first);
        let (x0, x1) = prime.cooley_tukey(x0, x1, left);
        let (x2, x3) = prime.cooley_tukey(x2, x3, right);
        x0.store(a);
        x1.store(b);
        x2.store(c);
        x3.store(d);
    }
}

/// The last three layers, blocks of eight words; `block` is the index of the first one's factor.
#[inline(always)]
fn forward_tail<L: Lanes>(prime: Prime<L>, factors: &Factors, values: &mut [u64], block: usize) {
    if L::LANES == 1 {
        for (i, part) in L::blocks_mut(values).as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let mut x = part.each_ref().map(L::load);
            for x in &mut x[..4] {
                *x = Prime::reduce(*x, prime.eight);
            }
            for layer in 0..3 {
                let half = 4 >> layer;
                for j in 0..1 << layer {
                    let factor = factors.splat::<L>(((block + i) << layer) + j);
                    for k in 2 * half * j..2 * half * j + half {
                        (x[k], x[k + half]) = prime.cooley_tukey(x[k], x[k + half], factor);
                    }
                }
            }
            for (x, part) in x.into_iter().zip(part) {
                prime.canonical(x).store(part);
            }
        }
        return;
    }
    let tails = Tails::new(factors, block, values.len() / 8);
    for (pair, tail) in L::blocks_mut(values).chunks_exact_mut(2).zip(tails) {
        let [a, b] = pair else { continue };
        let (x, y) = L::split_4(L::load(a), L::load(b));
        let (x, y) = prime.cooley_tukey(Prime::reduce(x, prime.eight), y, tail.four());
        let (x, y) = L::split_2(x, y);
        let (x, y) = prime.cooley_tukey(x, y, tail.two());
        let (x, y) = L::split_1(x, y);
        let (x, y) = prime.cooley_tukey(x, y, tail.one());
        let (x, y) = L::join_1(prime.canonical(x), prime.canonical(y));
        let (x, y) = L::join_2(x, y);
        let (x, y) = L::join_4(x, y);
        x.store(a);
        y.store(b);
    }
}

/// The factors of the last three layers for 16 words.
struct Tail<'a> {
    fours: (&'a [u64; 2], &'a [u64; 2]),
    twos: (&'a [u64; 4], &'a [u64; 4]),
    ones: (&'a [u64; 8], &'a [u64; 8]),
}

impl Tail<'_> {
    #[inline(always)]
    fn four<L: Lanes>(&self) -> Factor<L> {
        Factor { value: L::spread_2(self.fours.0), quotient: L::spread_2(self.fours.1) }
    }
    #[inline(always)]
    fn two<L: Lanes>(&self) -> Factor<L> {
        Factor { value: L::spread_4(self.twos.0), quotient: L::spread_4(self.twos.1) }
    }
    #[inline(always)]
    fn one<L: Lanes>(&self) -> Factor<L> {
        Factor { value: L::spread_8(self.ones.0), quotient: L::spread_8(self.ones.1) }
    }
}

/// The factors of the last three layers, 16 words at a time.
struct Tails<'a> {
    fours: (&'a [[u64; 2]], &'a [[u64; 2]]),
    twos: (&'a [[u64; 4]], &'a [[u64; 4]]),
    ones: (&'a [[u64; 8]], &'a [[u64; 8]]),
    next: usize,
}

impl<'a> Tails<'a> {
    /// For `count` blocks of eight words from `block` on.
    #[inline(always)]
    fn new(factors: &'a Factors, block: usize, count: usize) -> Self {
        let range = |k: usize| k * block..k * (block + count);
        let (w, q) = (&factors.value, &factors.quotient);
        Self {
            fours: (w[range(1)].as_chunks().0, q[range(1)].as_chunks().0),
            twos: (w[range(2)].as_chunks().0, q[range(2)].as_chunks().0),
            ones: (w[range(4)].as_chunks().0, q[range(4)].as_chunks().0),
            next: 0,
        }
    }
}

impl<'a> Iterator for Tails<'a> {
    type Item = Tail<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Tail<'a>> {
        let i = self.next;
        self.next += 1;
        Some(Tail {
            fours: (self.fours.0.get(i)?, self.fours.1.get(i)?),
            twos: (self.twos.0.get(i)?, self.twos.1.get(i)?),
            ones: (self.ones.0.get(i)?, self.ones.1.get(i)?),
        })
    }
}

struct Inverse<'a> {
    tables: &'a Transform,
    values: &'a mut [u64],
}

impl Kernel for Inverse<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let prime = Prime::<L>::new(&self.tables.modulus);
        let factors = &self.tables.inverse;
        for (i, quarter) in self.values.chunks_exact_mut(SLOTS / 4).enumerate() {
            for (j, part) in quarter.chunks_exact_mut(CACHED).enumerate() {
                let top = 16 + 4 * i + j;
                inverse_tail::<L>(prime, factors, part, top * (CACHED / 8));
                let mut length = 32;
                while length <= CACHED {
                    let block = top * (CACHED / length);
                    for (k, part) in part.chunks_exact_mut(length).enumerate() {
                        inverse_pass::<L>(prime, factors, part, block + k);
                    }
                    length *= 4;
                }
            }
            inverse_pass::<L>(prime, factors, quarter, 4 + i);
        }
        inverse_last::<L>(prime, factors, self.values);
    }
}

/// Undoes the last three layers of the forward transform; values below `p` become values below
/// `2 p`.
#[inline(always)]
fn inverse_tail<L: Lanes>(prime: Prime<L>, factors: &Factors, values: &mut [u64], block: usize) {
    if L::LANES == 1 {
        for (i, part) in L::blocks_mut(values).as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let mut x = part.each_ref().map(L::load);
            for (layer, bound) in [(2, prime.once), (1, prime.twice), (0, prime.four)] {
                let half = 4 >> layer;
                for j in 0..1 << layer {
                    let factor = factors.splat::<L>(((block + i) << layer) + j);
                    for k in 2 * half * j..2 * half * j + half {
                        (x[k], x[k + half]) =
                            prime.gentleman_sande(x[k], x[k + half], factor, bound);
                    }
                }
            }
            for x in &mut x[..4] {
                *x = Prime::reduce(Prime::reduce(*x, prime.four), prime.twice);
            }
            for (x, part) in x.into_iter().zip(part) {
                x.store(part);
            }
        }
        return;
    }
    let tails = Tails::new(factors, block, values.len() / 8);
    for (pair, tail) in L::blocks_mut(values).chunks_exact_mut(2).zip(tails) {
        let [a, b] = pair else { continue };
        let (x, y) = L::split_4(L::load(a), L::load(b));
        let (x, y) = L::split_2(x, y);
        let (x, y) = L::split_1(x, y);
        let (x, y) = prime.gentleman_sande(x, y, tail.one(), prime.once);
        let (x, y) = L::join_1(x, y);
        let (x, y) = prime.gentleman_sande(x, y, tail.two(), prime.twice);
        let (x, y) = L::join_2(x, y);
        let (x, y) = prime.gentleman_sande(x, y, tail.four(), prime.four);
        let x = Prime::reduce(Prime::reduce(x, prime.four), prime.twice);
        let (x, y) = L::join_4(x, y);
        x.store(a);
        y.store(b);
    }
}

/// Undoes two layers of the forward transform over one block. Values are below `2 p` before and
/// after.
#[inline(always)]
fn inverse_pass<L: Lanes>(prime: Prime<L>, factors: &Factors, values: &mut [u64], block: usize) {
    let last = factors.splat::<L>(block);
    let (left, right) = (factors.splat::<L>(2 * block), factors.splat::<L>(2 * block + 1));
    for ((a, b), (c, d)) in quarters(L::blocks_mut(values)) {
        let (x0, x1) = prime.gentleman_sande(L::load(a), L::load(b), left, prime.twice);
        let (x2, x3) = prime.gentleman_sande(L::load(c), L::load(d), right, prime.twice);
        let (x0, x2) = prime.gentleman_sande(x0, x2, last, prime.four);
        let (x1, x3) = prime.gentleman_sande(x1, x3, last, prime.twice);
        Prime::reduce(Prime::reduce(x0, prime.four), prime.twice).store(a);
        Prime::reduce(x1, prime.twice).store(b);
        x2.store(c);
        x3.store(d);
    }
}

/// The last pass: as [`inverse_pass`], with every result multiplied by `1/N` and reduced.
#[inline(always)]
fn inverse_last<L: Lanes>(prime: Prime<L>, factors: &Factors, values: &mut [u64]) {
    let (scale, last) = (factors.splat::<L>(0), factors.splat::<L>(1));
    let (left, right) = (factors.splat::<L>(2), factors.splat::<L>(3));
    for ((a, b), (c, d)) in quarters(L::blocks_mut(values)) {
        let (x0, x1) = prime.gentleman_sande(L::load(a), L::load(b), left, prime.twice);
        let (x2, x3) = prime.gentleman_sande(L::load(c), L::load(d), right, prime.twice);
        let (x0, x2) = prime.gentleman_sande(x0, x2, last, prime.four);
        let (x1, x3) = prime.gentleman_sande(x1, x3, last, prime.twice);
        Prime::reduce(prime.multiply(x0, scale), prime.once).store(a);
        Prime::reduce(prime.multiply(x1, scale), prime.once).store(b);
        Prime::reduce(x2, prime.once).store(c);
        Prime::reduce(x3, prime.once).store(d);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Scalar;
    use crate::parameters::PRIMES;
    use rand_chacha::ChaCha20Rng;
    use rand_core::{RngCore, SeedableRng};

    fn random(modulus: &Modulus, seed: u64) -> Vec<u64> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        (0..SLOTS).map(|_| rng.next_u64() % modulus.prime).collect()
    }

    #[test]
    fn values_are_those_of_the_polynomial() {
        for prime in [PRIMES[0], PRIMES[14]] {
            let modulus = Modulus::new(prime);
            let transform = Transform::new(modulus);
            let coefficients = random(&modulus, 1);
            let mut values = coefficients.clone();
            transform.forward(&mut values);
            let root = modulus.root_of_unity(LOG_DEGREE + 1);
            for k in [0, 1, 7, 4096, SLOTS - 1] {
                let exponent = 2 * (k.reverse_bits() >> (usize::BITS as usize - LOG_DEGREE)) + 1;
                let point = modulus.power(root, exponent as u64);
                let value = coefficients
                    .iter()
                    .rev()
                    .fold(0, |sum, &c| modulus.add(modulus.multiply(sum, point), c));
                assert_eq!(values[k], value, "entry {k}");
            }
            transform.inverse(&mut values);
            assert_eq!(values, coefficients);
        }
    }

    #[test]
    fn vectors_and_words_agree_at_the_extremes() {
        for prime in PRIMES {
            let modulus = Modulus::new(prime);
            let tables = &Transform::new(modulus);
            for input in [vec![prime - 1; SLOTS], random(&modulus, prime), vec![0; SLOTS]] {
                let (mut fast, mut slow) = (input.clone(), input.clone());
                Forward { tables, values: &mut slow }.run::<Scalar>();
                if lanes::run_vectors(Forward { tables, values: &mut fast }).is_some() {
                    assert_eq!(fast, slow);
                }
                assert!(slow.iter().all(|&x| x < prime));
                fast.copy_from_slice(&slow);
                Inverse { tables, values: &mut slow }.run::<Scalar>();
                if lanes::run_vectors(Inverse { tables, values: &mut fast }).is_some() {
                    assert_eq!(fast, slow);
                }
                assert_eq!(slow, input);
            }
        }
    }
}
