//! The block kernels compiled for AVX-512 IFMA.
//!
//! Each takes the part of a block that fills lanes and says how many elements that was; the caller
//! does the rest. Results are fully reduced: the same bytes as the portable kernels.
#![allow(unsafe_code)]

use super::limbs::Limbs;
use super::scalar::{Scalars, factor};
use crate::Fr;
use crate::lanes::Lanes;
use crate::tiles::TILE;

/// Shift that turns one factor of a product to radix `2^260`, so that the product has the radix of
/// the other.
const RADIX_SHIFT: u32 = 4;

/// How often sums of products are reduced: each adds less than `2p`, and `64p` is the limit.
const REDUCE_EVERY: usize = 16;

/// Defines a kernel: a safe function that runs the body if the processor can and else does nothing.
macro_rules! kernel {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) -> $result:ty, $default:expr, $body:expr) => {
        $(#[$doc])*
        pub(crate) fn $name($($argument: $type),*) -> $result {
            #[target_feature(enable = "avx512f,avx512ifma,avx512vl,avx512dq,avx512bw")]
            fn compiled($($argument: $type),*) -> $result {
                $body
            }
            if !super::available() {
                return $default;
            }
            // SAFETY: the processor has the instructions.
            unsafe { compiled($($argument),*) }
        }
    };
}

/// The part of a block that fills lanes.
#[inline(always)]
fn lanes(block: &[Fr]) -> &[[Fr; TILE]] {
    block.as_chunks().0
}

/// The part of a block that fills lanes.
#[inline(always)]
fn lanes_mut(block: &mut [Fr]) -> &mut [[Fr; TILE]] {
    block.as_chunks_mut().0
}

/// Product of memory words, with the radix of memory and below `2p`.
#[inline(always)]
fn product(a: &[Fr; TILE], b: &[Fr; TILE]) -> Scalars {
    Limbs::mul(&Scalars::load_scalars::<RADIX_SHIFT>(a), &Scalars::load_scalars::<0>(b))
}

kernel!(
    /// `target = a · b`.
    mul(target: &mut [Fr], a: &[Fr], b: &[Fr]) -> usize, 0, {
        let target = lanes_mut(target);
        for ((target, a), b) in target.iter_mut().zip(lanes(a)).zip(lanes(b)) {
            product(a, b).normal().store_scalars(target);
        }
        target.len() * TILE
    }
);

kernel!(
    /// `target = target · a`.
    mul_assign(target: &mut [Fr], a: &[Fr]) -> usize, 0, {
        let target = lanes_mut(target);
        for (target, a) in target.iter_mut().zip(lanes(a)) {
            product(target, a).normal().store_scalars(target);
        }
        target.len() * TILE
    }
);

kernel!(
    /// `target = target + a · b`.
    mul_add(target: &mut [Fr], a: &[Fr], b: &[Fr]) -> usize, 0, {
        let target = lanes_mut(target);
        for ((target, a), b) in target.iter_mut().zip(lanes(a)).zip(lanes(b)) {
            let sum = Limbs::add(&product(a, b), &Scalars::load_scalars::<0>(target));
            Lanes::store(sum.normal(), target);
        }
        target.len() * TILE
    }
);

kernel!(
    /// `target = factor · target`.
    scale(target: &mut [Fr], scalar: Fr) -> usize, 0, {
        let factor = factor(scalar);
        let target = lanes_mut(target);
        for target in target.iter_mut() {
            Limbs::mul(&Scalars::load_scalars::<0>(target), &factor).normal().store_scalars(target);
        }
        target.len() * TILE
    }
);

kernel!(
    /// `target = target + factor · a`.
    add_scaled(target: &mut [Fr], a: &[Fr], scalar: Fr) -> usize, 0, {
        let factor = factor(scalar);
        let target = lanes_mut(target);
        for (target, a) in target.iter_mut().zip(lanes(a)) {
            let product = Limbs::mul(&Scalars::load_scalars::<0>(a), &factor);
            let sum = Limbs::add(&product, &Scalars::load_scalars::<0>(target));
            Lanes::store(sum.normal(), target);
        }
        target.len() * TILE
    }
);

kernel!(
    /// `Σ a · b` per lane, and how many elements went in.
    inner_product(a: &[Fr], b: &[Fr]) -> ([Fr; TILE], usize), ([Fr::zero(); TILE], 0), {
        let (a, b) = (lanes(a), lanes(b));
        let mut sum = Scalars::load_scalars::<0>(&[Fr::zero(); TILE]);
        for (a_part, b_part) in a.chunks(REDUCE_EVERY).zip(b.chunks(REDUCE_EVERY)) {
            for (a, b) in a_part.iter().zip(b_part) {
                sum = Limbs::add(&sum, &product(a, b)).normal();
            }
            sum = sum.below_two_primes();
        }
        let mut result = [Fr::zero(); TILE];
        sum.store_scalars(&mut result);
        (result, a.len() * TILE)
    }
);

kernel!(
    /// Horner's rule on every eighth coefficient: the values at `point` of the eight polynomials,
    /// one per lane, that the coefficients `j, j + 8, …` make, and how many went in. `point` is the
    /// eighth power of the point of evaluation.
    evaluate(coefficients: &[Fr], point: Fr) -> ([Fr; TILE], usize), ([Fr::zero(); TILE], 0), {
        let factor = factor(point);
        let coefficients = lanes(coefficients);
        let mut value = Scalars::load_scalars::<0>(&[Fr::zero(); TILE]);
        for coefficient in coefficients.iter().rev() {
            let product = Limbs::mul(&value, &factor);
            value = Limbs::add(&product, &Scalars::load_scalars::<0>(coefficient)).normal();
        }
        let mut result = [Fr::zero(); TILE];
        Lanes::store(value, &mut result);
        (result, coefficients.len() * TILE)
    }
);

kernel!(
    /// `target = powers · target`, where lane `j` of `powers` starts at `start[j]` and grows by
    /// `step` from one set of eight elements to the next.
    scale_by_powers(target: &mut [Fr], start: &[Fr; TILE], step: Fr) -> usize, 0, {
        let step = factor(step);
        let mut power = Scalars::load_scalars::<RADIX_SHIFT>(start).below_two_primes();
        let target = lanes_mut(target);
        for target in target.iter_mut() {
            let product = Limbs::mul(&Scalars::load_scalars::<0>(target), &power);
            power = Limbs::mul(&power, &step).normal();
            product.normal().store_scalars(target);
        }
        target.len() * TILE
    }
);
