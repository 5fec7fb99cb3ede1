//! The layers of a transform on a buffer of lanes: natural order in, bit-reversed order out.
//!
//! A block of `n/m` entries holds a polynomial modulo `X^(n/m) − w²`; a layer splits it into the
//! remainders modulo `X^(n/2m) − w` and `X^(n/2m) + w`. With `w = c^(n/2m)·W[i]` for block `i`,
//! where `W` is the bit-reversed table of roots of unity, the last layer leaves the values at
//! `c·ω^j`: the shift `c` of a coset costs nothing.

use crate::lanes::Lanes;

/// Blocks of this many lanes fit the first-level cache.
const CACHED_LANES: usize = 64;

/// The factors of the layers.
pub(super) trait Twiddles<L: Lanes> {
    /// One factor, for all lanes or per lane.
    type Value;

    /// The factor of block `block` of `blocks`, split into two.
    fn halves(&self, blocks: usize, block: usize) -> Self::Value;

    /// The factors of two layers at once: of block `block` of `blocks`, and of its two halves.
    fn quarters(&self, blocks: usize, block: usize) -> [Self::Value; 3];

    /// Product with a factor.
    fn apply(value: L, factor: &Self::Value) -> L;
}

/// Transforms the buffer, whose length is a power of two.
#[inline(always)]
pub(super) fn transform<L: Lanes, T: Twiddles<L>>(buffer: &mut [L], twiddles: &T) {
    let length = buffer.len();
    let mut blocks = 1;
    if length.ilog2() % 2 == 1 {
        split_in_two::<L, T>(buffer, &twiddles.halves(1, 0));
        blocks = 2;
    }
    while length / blocks > CACHED_LANES {
        for (block, lanes) in buffer.chunks_exact_mut(length / blocks).enumerate() {
            split_in_four::<L, T>(lanes, &twiddles.quarters(blocks, block));
        }
        blocks *= 4;
    }
    let cached = length / blocks;
    for (outer, lanes) in buffer.chunks_exact_mut(cached).enumerate() {
        let mut inner = 1;
        while inner < cached {
            for (block, lanes) in lanes.chunks_exact_mut(cached / inner).enumerate() {
                let factors = twiddles.quarters(blocks * inner, outer * inner + block);
                split_in_four::<L, T>(lanes, &factors);
            }
            inner *= 4;
        }
    }
}

#[inline(always)]
fn split_in_two<L: Lanes, T: Twiddles<L>>(lanes: &mut [L], factor: &T::Value) {
    let (low, high) = lanes.split_at_mut(lanes.len() / 2);
    for (low, high) in low.iter_mut().zip(high) {
        let product = T::apply(*high, factor);
        (*low, *high) = (low.add(&product).carried(), low.sub(&product).carried());
    }
}

#[inline(always)]
fn split_in_four<L: Lanes, T: Twiddles<L>>(lanes: &mut [L], factors: &[T::Value; 3]) {
    let (low, high) = lanes.split_at_mut(lanes.len() / 2);
    let (first, second) = low.split_at_mut(low.len() / 2);
    let (third, fourth) = high.split_at_mut(high.len() / 2);
    for (((first, second), third), fourth) in first.iter_mut().zip(second).zip(third).zip(fourth) {
        let third_product = T::apply(*third, &factors[0]);
        let fourth_product = T::apply(*fourth, &factors[0]);
        let (a, c) = (first.add(&third_product), first.sub(&third_product));
        let (b, d) = (second.add(&fourth_product), second.sub(&fourth_product));
        let b_product = T::apply(b.carried(), &factors[1]);
        let d_product = T::apply(d.carried(), &factors[2]);
        *first = a.add(&b_product).carried();
        *second = a.sub(&b_product).carried();
        *third = c.add(&d_product).carried();
        *fourth = c.sub(&d_product).carried();
    }
}
