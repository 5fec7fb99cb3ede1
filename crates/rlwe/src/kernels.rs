//! Bulk arithmetic on residue vectors: what encryption, answers and decryption do between
//! transforms.
//!
//! All residues are below their prime, before and after. Products are Montgomery's with radix
//! `2^52`: a product of `x` and `y` comes out as `x·y/2^52`, so one factor is kept multiplied by
//! `2^52` ("in Montgomery form").

use crate::buffer::{Element, Words};
use crate::lanes::{self, Kernel, Lanes};
use crate::modulus::Modulus;
use crate::parameters::{ANSWER_PRIMES, FRESH_PRIMES, SLOTS};

/// Number of 52-bit limbs of a scalar.
pub const LIMBS: usize = 5;
/// Most terms of a [`linear_combination`]: keeps the lazy sum below `16 p`.
pub const MAX_TERMS: usize = 13;

/// A prime in lanes, with Montgomery's reduction.
#[derive(Clone, Copy)]
struct Field<L> {
    once: L,
    twice: L,
    four: L,
    eight: L,
    negated_inverse: L,
    zero: L,
}

impl<L: Lanes> Field<L> {
    #[inline(always)]
    fn new(modulus: &Modulus) -> Self {
        let times = |k: u64| L::splat(k * modulus.prime);
        Self {
            once: times(1),
            twice: times(2),
            four: times(4),
            eight: times(8),
            negated_inverse: L::splat(modulus.negated_inverse),
            zero: L::splat(0),
        }
    }

    /// `(low + 2^52·high) / 2^52`, not reduced: below `high + p + low/2^52`.
    #[inline(always)]
    fn montgomery(&self, low: L, high: L) -> L {
        let multiple = self.zero.low(low, self.negated_inverse);
        let low = low.low(multiple, self.once);
        high.high(multiple, self.once).add(low.shift_52())
    }

    /// `x·y / 2^52`, below `2 p` for `x`, `y` below `p`.
    #[inline(always)]
    fn product(&self, x: L, y: L) -> L {
        self.montgomery(self.zero.low(x, y), self.zero.high(x, y))
    }

    #[inline(always)]
    fn reduce(x: L, bound: L) -> L {
        x.min(x.sub(bound))
    }

    /// From below `4 p` to below `p`.
    #[inline(always)]
    fn reduce_4(&self, x: L) -> L {
        Self::reduce(Self::reduce(x, self.twice), self.once)
    }

    /// From below `16 p` to below `p`.
    #[inline(always)]
    fn reduce_16(&self, x: L) -> L {
        self.reduce_4(Self::reduce(Self::reduce(x, self.eight), self.four))
    }
}

/// `out += Σ words_i · constant_i + addend`; the constants in Montgomery form, the words any 52-bit
/// numbers, at most [`MAX_TERMS`] of them.
pub fn linear_combination<const K: usize>(
    modulus: &Modulus,
    terms: &[(&[u64], u64); K],
    addend: u64,
    out: &mut [u64],
) {
    const { assert!(K <= MAX_TERMS) }
    lanes::run(LinearCombination { modulus, terms, addend, out });
}

/// The number of terms is a constant, so that the constants stay in registers.
struct LinearCombination<'a, const K: usize> {
    modulus: &'a Modulus,
    terms: &'a [(&'a [u64], u64); K],
    addend: u64,
    out: &'a mut [u64],
}

impl<const K: usize> Kernel for LinearCombination<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let field = Field::<L>::new(self.modulus);
        let addend = L::splat(self.addend);
        let out = L::blocks_mut(self.out);
        let mut words = [L::blocks(&[]); K];
        let mut constants = [field.zero; K];
        for ((words, constant), term) in words.iter_mut().zip(&mut constants).zip(self.terms) {
            *words = &L::blocks(term.0)[..out.len()];
            *constant = L::splat(term.1);
        }
        for (i, out) in out.iter_mut().enumerate() {
            let mut factors = [(field.zero, field.zero); K];
            for ((factors, words), constant) in factors.iter_mut().zip(&words).zip(&constants) {
                *factors = (L::load(&words[i]), *constant);
            }
            let (low, high) = L::sum_of_products(&factors);
            // 13 p from the terms, p each from the reduction, the addend and `out`.
            let sum = field.montgomery(low, high).add(addend).add(L::load(out));
            field.reduce_16(sum).store(out);
        }
    }
}

/// `out += Σ x_i · y_i`, the `y_i` in Montgomery form.
pub fn add_products(modulus: &Modulus, factors: &[(&[u64], &[u64])], out: &mut [u64]) {
    let (pairs, single) = factors.as_chunks::<2>();
    for factors in pairs {
        lanes::run(AddProducts { modulus, factors, out: &mut *out });
    }
    if let [factors] = single {
        lanes::run(AddProducts { modulus, factors: &[*factors], out });
    }
}

/// The number of products, at most two, is a constant to spare a loop in the innermost loop.
struct AddProducts<'a, const K: usize> {
    modulus: &'a Modulus,
    factors: &'a [(&'a [u64], &'a [u64]); K],
    out: &'a mut [u64],
}

impl<const K: usize> Kernel for AddProducts<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let field = Field::<L>::new(self.modulus);
        let out = L::blocks_mut(self.out);
        let mut factors = [(L::blocks(&[]), L::blocks(&[])); K];
        for (blocks, (x, y)) in factors.iter_mut().zip(self.factors) {
            *blocks = (&L::blocks(x)[..out.len()], &L::blocks(y)[..out.len()]);
        }
        for (i, out) in out.iter_mut().enumerate() {
            let mut loaded = [(field.zero, field.zero); K];
            for (loaded, (x, y)) in loaded.iter_mut().zip(&factors) {
                *loaded = (L::load(&x[i]), L::load(&y[i]));
            }
            let (low, high) = L::sum_of_products(&loaded);
            // A product of residues below 2^48 adds less than p/16; p each from the reduction and
            // `out`.
            field.reduce_4(field.montgomery(low, high).add(L::load(out))).store(out);
        }
    }
}

/// `out -= x · y`, `y` in Montgomery form.
pub fn subtract_product(modulus: &Modulus, x: &[u64], y: &[u64], out: &mut [u64]) {
    lanes::run(SubtractProduct { modulus, x, y, out });
}

struct SubtractProduct<'a> {
    modulus: &'a Modulus,
    x: &'a [u64],
    y: &'a [u64],
    out: &'a mut [u64],
}

impl Kernel for SubtractProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let field = Field::<L>::new(self.modulus);
        let factors = L::blocks(self.x).iter().zip(L::blocks(self.y));
        for ((x, y), out) in factors.zip(L::blocks_mut(self.out)) {
            let product = field.product(L::load(x), L::load(y));
            field.reduce_4(L::load(out).add(field.twice).sub(product)).store(out);
        }
    }
}

/// `x · y` in place of `x`, `y` in Montgomery form.
pub fn multiply(modulus: &Modulus, x: &mut [u64], y: &[u64]) {
    lanes::run(Multiply { modulus, x, y });
}

struct Multiply<'a> {
    modulus: &'a Modulus,
    x: &'a mut [u64],
    y: &'a [u64],
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let field = Field::<L>::new(self.modulus);
        for (x, y) in L::blocks_mut(self.x).iter_mut().zip(L::blocks(self.y)) {
            Field::reduce(field.product(L::load(x), L::load(y)), field.once).store(x);
        }
    }
}

/// `x + y` in place of `x`.
pub fn add(modulus: &Modulus, x: &mut [u64], y: &[u64]) {
    lanes::run(Add { modulus, x, y });
}

struct Add<'a> {
    modulus: &'a Modulus,
    x: &'a mut [u64],
    y: &'a [u64],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let field = Field::<L>::new(self.modulus);
        for (x, y) in L::blocks_mut(self.x).iter_mut().zip(L::blocks(self.y)) {
            Field::reduce(L::load(x).add(L::load(y)), field.once).store(x);
        }
    }
}

/// Constants that divide a number by the product `P` of some primes, exactly after a multiple of
/// the plaintext modulus `t` is added, or read it off: [`switch_modulus`], [`recombine`].
pub struct Digits {
    /// Per prime, what takes a residue to its digit, in Montgomery form.
    pub to_digit: Vec<u64>,
    /// Per prime, `floor(2^(52 + b - 1) / prime)`, `b` its bits: digit times this is the fraction
    /// `digit / prime`, scaled by `2^(52 + b - 1)`.
    pub fraction: Vec<u64>,
    /// `b`, the same for all primes.
    pub bits: u32,
}

/// Digits `y_i` of one column of residues, and the integer nearest to `Σ y_i / p_i`.
///
/// The nearest integer is found with fixed-point numbers of `b - 1` fractional bits, so it is the
/// same on all machines; the sum is off by at most `2^-40`, which the callers' margins absorb.
#[inline(always)]
fn digits<L: Lanes, const K: usize>(
    fields: &[Field<L>; K],
    residues: &[L; K],
    to_digit: &[L; K],
    fraction: &[L; K],
    bits: u32,
) -> ([L; K], L) {
    let mut out = *residues;
    let mut sum = L::splat(1 << (bits - 2));
    for i in 0..K {
        out[i] = Field::reduce(fields[i].product(residues[i], to_digit[i]), fields[i].once);
        sum = sum.high(out[i], fraction[i]);
    }
    (out, sum.shift(bits - 1))
}

/// The constants of an array in lanes.
#[inline(always)]
fn splat<L: Lanes, const K: usize>(words: &[u64]) -> [L; K] {
    let mut out = [L::splat(0); K];
    for (out, word) in out.iter_mut().zip(words) {
        *out = L::splat(*word);
    }
    out
}

#[inline(always)]
fn fields<L: Lanes, const K: usize>(moduli: &[Modulus]) -> [Field<L>; K] {
    let mut out = [Field::new(&moduli[0]); K];
    for (out, modulus) in out.iter_mut().zip(moduli) {
        *out = Field::new(modulus);
    }
    out
}

const DROPPED: usize = FRESH_PRIMES - ANSWER_PRIMES;

/// Constants of [`switch_modulus`].
pub struct Switch {
    /// All primes.
    pub moduli: Vec<Modulus>,
    /// Of the dropped primes: `y_d = -x/t · (P/p_d)^-1`.
    pub digits: Digits,
    /// Per kept prime: `t/p_d` for each dropped one, `1/P`, `-t`, all in Montgomery form.
    pub combine: Vec<[u64; DROPPED + 2]>,
}

/// From residues modulo all primes to residues modulo the kept ones: `(x + t·d)/P`, `d` the number
/// nearest to 0 that makes it exact. Divides what `x` is modulo `t` by `P`, and adds at most `t/2`.
pub fn switch_modulus(constants: &Switch, residues: &[Words]) -> Element {
    debug_assert_eq!(residues.len(), FRESH_PRIMES);
    let mut out = vec![Words::new(); ANSWER_PRIMES];
    lanes::run(SwitchModulus { constants, residues, out: &mut out });
    out
}

struct SwitchModulus<'a> {
    constants: &'a Switch,
    residues: &'a [Words],
    out: &'a mut [Words],
}

impl Kernel for SwitchModulus<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Switch { moduli, digits: constants, combine } = self.constants;
        let (kept, dropped) = moduli.split_at(ANSWER_PRIMES);
        let (kept, dropped) = (fields::<L, ANSWER_PRIMES>(kept), fields::<L, DROPPED>(dropped));
        let to_digit = splat::<L, DROPPED>(&constants.to_digit);
        let fraction = splat::<L, DROPPED>(&constants.fraction);
        let zero = L::splat(0);
        for i in 0..SLOTS / L::LANES {
            let mut column = [zero; DROPPED];
            for (word, residues) in column.iter_mut().zip(&self.residues[ANSWER_PRIMES..]) {
                *word = L::load(&L::blocks(residues)[i]);
            }
            let (digits, rounded) = digits(&dropped, &column, &to_digit, &fraction, constants.bits);
            for k in 0..ANSWER_PRIMES {
                let combine = splat::<L, { DROPPED + 2 }>(&combine[k]);
                let (mut low, mut high) = (zero, zero);
                for d in 0..DROPPED {
                    low = low.low(digits[d], combine[d]);
                    high = high.high(digits[d], combine[d]);
                }
                let own = L::load(&L::blocks(&self.residues[k])[i]);
                low = low.low(own, combine[DROPPED]).low(rounded, combine[DROPPED + 1]);
                high = high.high(own, combine[DROPPED]).high(rounded, combine[DROPPED + 1]);
                let sum = kept[k].reduce_16(kept[k].montgomery(low, high));
                sum.store(&mut L::blocks_mut(&mut self.out[k])[i]);
            }
        }
    }
}

/// Constants of [`recombine`].
pub struct Recombine {
    /// The primes of `q'`.
    pub moduli: Vec<Modulus>,
    /// `y_k = x · (q'/p_k)^-1`.
    pub digits: Digits,
    /// Limbs of `2^308 · P · q'/p_k` modulo `t` for each prime, and of `-2^308 · P · q'`: what a
    /// digit, and the rounded sum, contribute.
    pub limbs: Vec<[u64; LIMBS]>,
    /// Limbs of `t`, and `-1/t` modulo `2^52`.
    pub plaintext: ([u64; LIMBS], u64),
}

/// From residues modulo the primes of `q'` of a number nearest to 0 to that number times
/// `2^256 · P` modulo `t`: five vectors of 52-bit limbs of a number below `2 t`.
pub fn recombine(constants: &Recombine, residues: &[Words], out: &mut [Words; LIMBS]) {
    debug_assert!(residues.len() == ANSWER_PRIMES && out.iter().all(|limb| limb.len() == SLOTS));
    lanes::run(Recombination { constants, residues, out });
}

struct Recombination<'a> {
    constants: &'a Recombine,
    residues: &'a [Words],
    out: &'a mut [Words; LIMBS],
}

impl Kernel for Recombination<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Recombine { moduli, digits: constants, limbs, plaintext } = self.constants;
        let fields = fields::<L, ANSWER_PRIMES>(moduli);
        let to_digit = splat::<L, ANSWER_PRIMES>(&constants.to_digit);
        let fraction = splat::<L, ANSWER_PRIMES>(&constants.fraction);
        let mut factors = [[L::splat(0); LIMBS]; ANSWER_PRIMES + 1];
        for (factors, limbs) in factors.iter_mut().zip(limbs) {
            *factors = splat(limbs);
        }
        let modulus = splat::<L, LIMBS>(&plaintext.0);
        let negated_inverse = L::splat(plaintext.1);
        let (zero, mask) = (L::splat(0), L::splat(crate::modulus::MASK));
        for i in 0..SLOTS / L::LANES {
            let mut column = [zero; ANSWER_PRIMES];
            for (word, residues) in column.iter_mut().zip(self.residues) {
                *word = L::load(&L::blocks(residues)[i]);
            }
            let (digits, rounded) = digits(&fields, &column, &to_digit, &fraction, constants.bits);
            let mut sum = [zero; LIMBS + 1];
            for k in 0..=ANSWER_PRIMES {
                let digit = if k < ANSWER_PRIMES { digits[k] } else { rounded };
                for limb in 0..LIMBS {
                    sum[limb] = sum[limb].low(digit, factors[k][limb]);
                    sum[limb + 1] = sum[limb + 1].high(digit, factors[k][limb]);
                }
            }
            // One step of Montgomery's reduction takes the factor 2^52 off.
            let multiple = zero.low(sum[0], negated_inverse);
            for limb in 0..LIMBS {
                sum[limb] = sum[limb].low(multiple, modulus[limb]);
                sum[limb + 1] = sum[limb + 1].high(multiple, modulus[limb]);
            }
            let mut carry = sum[0].shift_52();
            for limb in 0..LIMBS {
                let total = sum[limb + 1].add(carry);
                total.and(mask).store(&mut L::blocks_mut(&mut self.out[limb])[i]);
                carry = total.shift_52();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::{Element, Words};
    use crate::context::context;
    use crate::expand::Stream;
    use crate::lanes::Scalar;
    use crate::parameters::PRIMES;

    /// Residues modulo every prime; the first ones the largest and smallest there are.
    fn residues(seed: u8) -> Element {
        let mut stream = Stream::new(&[seed; 32]);
        let element = PRIMES.into_iter().map(|prime| {
            let mut words = Words::new();
            stream.fill(&mut words);
            words.iter_mut().for_each(|word| *word %= prime);
            words[..9].fill(prime - 1);
            words[9..17].fill(0);
            words
        });
        element.collect()
    }

    /// Runs a kernel that writes to its argument both ways.
    macro_rules! agree {
        ($out:expr, |$name:ident| $kernel:expr) => {{
            let mut slow = $out;
            let mut fast = slow.clone();
            let $name = &mut slow;
            $kernel.run::<Scalar>();
            let $name = &mut fast;
            if lanes::run_vectors($kernel).is_some() {
                assert!(slow == fast);
            }
            slow
        }};
    }

    #[test]
    fn vectors_and_words_agree_and_are_right() {
        let (a, b) = (residues(1), residues(2));
        for (k, prime) in context().primes.iter().enumerate() {
            let modulus = &prime.modulus;
            let (x, y, p) = (&a[k][..], &b[k][..], modulus.prime);
            let inverse = modulus.invert(modulus.power(2, 52));
            let product = |i: usize| modulus.multiply(modulus.multiply(x[i], y[i]), inverse);
            let out = agree!(b[k].clone(), |out| SubtractProduct { modulus, x, y, out });
            for i in [0, 8, 9, 17, SLOTS - 1] {
                assert_eq!(out[i], modulus.add(y[i], modulus.negate(product(i))));
            }
            for count in [0, 1, 2, 3] {
                let mut out = b[k].clone();
                add_products(modulus, &vec![(x, y); count], &mut out);
                for i in [0, 8, 9, 17, SLOTS - 1] {
                    let sum = modulus.multiply(product(i), count as u64);
                    assert_eq!(out[i], modulus.add(y[i], sum));
                }
            }
            agree!(b[k].clone(), |out| AddProducts { modulus, factors: &[(x, y); 1], out });
            agree!(b[k].clone(), |out| AddProducts { modulus, factors: &[(x, y); 2], out });
            let out = agree!(a[k].clone(), |x| Multiply { modulus, x, y });
            assert_eq!(out[20], product(20));
            let out = agree!(a[k].clone(), |x| Add { modulus, x, y });
            assert_eq!(out[20], modulus.add(x[20], y[20]));

            // The widest words and constants there are.
            let words = vec![crate::modulus::MASK; SLOTS];
            let terms = [(&words[..], p - 1); MAX_TERMS];
            let (terms, addend) = (&terms, p - 1);
            let out = agree!(a[k].clone(), |out| LinearCombination { modulus, terms, addend, out });
            let word = modulus.reduce(&[crate::modulus::MASK]);
            let term = modulus.negate(modulus.multiply(word, inverse));
            let sum = modulus.multiply(term, MAX_TERMS as u64 % p);
            assert_eq!(out[17], modulus.add(modulus.add(sum, addend), x[17]));
        }
    }

    #[test]
    fn switch_and_recombination_agree() {
        let element = residues(3);
        let constants = &context().switch;
        let zeros = vec![Words::new(); ANSWER_PRIMES];
        let switched = agree!(zeros, |out| SwitchModulus { constants, residues: &element, out });
        let constants = &context().recombine;
        let zeros: [Words; LIMBS] = std::array::from_fn(|_| Words::new());
        let limbs = agree!(zeros, |out| Recombination { constants, residues: &switched, out });
        assert!(
            limbs.iter().flat_map(|limb| limb.iter()).all(|&limb| limb <= crate::modulus::MASK)
        );
    }
}
