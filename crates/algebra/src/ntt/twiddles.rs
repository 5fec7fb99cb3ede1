//! Factors of the layers: the same for all lanes in the first pass, a coset per lane in the second.

use ff::Field;

use super::butterflies::Twiddles;
use crate::Fr;
use crate::lanes::Lanes;

/// The lowest `bits` bits of `index` in reverse order.
pub(super) fn bit_reverse(index: usize, bits: u32) -> usize {
    if bits == 0 { 0 } else { index.reverse_bits() >> (usize::BITS - bits) }
}

/// The first half of the powers of `root`, a root of unity of order `2^log_order`, in bit-reversed
/// order. Entry `i` does not depend on the order of the root: shorter transforms use a prefix.
pub(super) fn roots_bit_reversed(root: Fr, log_order: u32) -> Vec<Fr> {
    let half = log_order.saturating_sub(1);
    let mut roots = vec![Fr::ONE; 1 << half];
    let mut power = Fr::ONE;
    for exponent in 0..roots.len() {
        roots[bit_reverse(exponent, half)] = power;
        power *= root;
    }
    roots
}

/// `shift^(2^level)` for all levels below `levels`.
fn shift_powers(shift: Fr, levels: u32) -> Vec<Fr> {
    std::iter::successors(Some(shift), |power| Some(power.square())).take(levels as usize).collect()
}

/// Factors for all lanes: entry `blocks + block`.
pub(super) struct UniformTwiddles<L: Lanes>(Vec<L::Factor>);

impl<L: Lanes> UniformTwiddles<L> {
    /// Factors of a transform of length `2^log_length` to `shift` times the roots of unity.
    pub(super) fn new(roots: &[Fr], log_length: u32, shift: Fr) -> Self {
        let powers = shift_powers(shift, log_length);
        let mut factors = vec![L::factor(Fr::ONE)];
        for power in powers.iter().rev() {
            let blocks = factors.len();
            factors.extend(roots[..blocks].iter().map(|root| L::factor(power * root)));
        }
        Self(factors)
    }
}

impl<L: Lanes> Twiddles<L> for UniformTwiddles<L> {
    type Value = L::Factor;

    #[inline(always)]
    fn halves(&self, blocks: usize, block: usize) -> L::Factor {
        self.0[blocks + block]
    }

    #[inline(always)]
    fn quarters(&self, blocks: usize, block: usize) -> [L::Factor; 3] {
        let inner = 2 * (blocks + block);
        [self.0[blocks + block], self.0[inner], self.0[inner + 1]]
    }

    #[inline(always)]
    fn apply(value: L, factor: &L::Factor) -> L {
        value.mul(factor)
    }
}

/// Most levels of a second pass: half of the 28 of the longest domain.
const MAX_LEVELS: usize = 14;

/// Factors per lane: made as they are used, from the powers of the lane's shift.
pub(super) struct LaneTwiddles<'a, L: Lanes> {
    roots: &'a [L::Factor],
    /// Entry `i` is `shift^(2^i)`.
    powers: [L; MAX_LEVELS],
    log_length: u32,
}

impl<'a, L: Lanes> LaneTwiddles<'a, L> {
    /// Factors of a transform of `length` to `shift` times the roots of unity. The roots and the
    /// lanes of `shift` are factors.
    #[inline(always)]
    pub(super) fn new(roots: &'a [L::Factor], shift: L, length: usize) -> Self {
        let log_length = length.ilog2();
        let mut powers = [shift; MAX_LEVELS];
        for level in 1..log_length as usize {
            powers[level] = powers[level - 1].mul_lanes(&powers[level - 1]).carried();
        }
        Self { roots, powers, log_length }
    }

    /// Base-two logarithm of half a block.
    #[inline(always)]
    fn level(&self, blocks: usize) -> usize {
        (self.log_length - 1 - blocks.ilog2()) as usize
    }
}

impl<L: Lanes> Twiddles<L> for LaneTwiddles<'_, L> {
    type Value = L;

    #[inline(always)]
    fn halves(&self, blocks: usize, block: usize) -> L {
        self.powers[self.level(blocks)].mul(&self.roots[block]).carried()
    }

    #[inline(always)]
    fn quarters(&self, blocks: usize, block: usize) -> [L; 3] {
        let level = self.level(blocks);
        let (outer, inner) = (self.powers[level], self.powers[level - 1]);
        [
            outer.mul(&self.roots[block]).carried(),
            inner.mul(&self.roots[2 * block]).carried(),
            inner.mul(&self.roots[2 * block + 1]).carried(),
        ]
    }

    #[inline(always)]
    fn apply(value: L, factor: &L) -> L {
        value.mul_lanes(factor)
    }
}
