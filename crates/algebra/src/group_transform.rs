//! The inverse transform of a vector of points: from the commitments to the powers of `X` to those
//! to the Lagrange polynomials (SRS downsizing, spec 01 §2). Points are public.

use ff::{Field, PrimeField};
use group::{Curve, Group, prime::PrimeCurveAffine};
use halo2curves::CurveExt;
use rayon::prelude::*;

use crate::interrupt::go_on;
use crate::{AlgebraError, Fr, G1, G1Affine, Interrupt, Uninterrupted, domain::MAX_K};

/// Points per task.
const CHUNK: usize = 1024;

/// Points that are multiplied, which takes about a millisecond, between two looks whether to go on.
const STEP: usize = 16;

/// `[L_i(τ)]` for the domain of as many rows as there are points `g[i] = [τ^i]`.
pub fn g_lagrange_from_g(g: &[G1Affine]) -> Result<Vec<G1Affine>, AlgebraError> {
    g_lagrange_unless(g, &Uninterrupted)
}

/// The same, unless it is ended early: it takes minutes for `2^20` points.
///
/// # Errors
/// As [`g_lagrange_from_g`], and [`AlgebraError::Interrupted`].
pub fn g_lagrange_unless(
    g: &[G1Affine],
    interrupt: &dyn Interrupt,
) -> Result<Vec<G1Affine>, AlgebraError> {
    let length = g.len();
    if !length.is_power_of_two() || length.ilog2() > MAX_K {
        return Err(AlgebraError::LengthNotPowerOfTwo { length });
    }
    let k = length.ilog2();
    let omega_inv = Fr::ROOT_OF_UNITY_INV.pow_vartime([1u64 << (MAX_K - k)]);
    let factors: Vec<HalfScalars> =
        crate::vector::powers(omega_inv, length / 2).par_iter().map(HalfScalars::new).collect();
    let mut points: Vec<G1> = g.par_iter().map(|point| point.to_curve()).collect();
    // Decimation in frequency: the first sums and differences are of the farthest points; the results
    // come out in bit-reversed order.
    let mut half = length / 2;
    while half > 0 {
        let stride = length / 2 / half;
        points.par_chunks_mut(2 * half).try_for_each(|block| {
            let (low, high) = block.split_at_mut(half);
            let steps = low.par_chunks_mut(STEP).zip(high.par_chunks_mut(STEP)).enumerate();
            steps.try_for_each(|(step, (low, high))| {
                go_on(interrupt)?;
                for ((low, high), i) in low.iter_mut().zip(high).zip(step * STEP..) {
                    let difference = *low - *high;
                    *low += *high;
                    *high = match i {
                        0 => difference,
                        _ => factors[i * stride].times(&difference),
                    };
                }
                Ok(())
            })
        })?;
        half /= 2;
    }
    let n_inv = HalfScalars::new(&Fr::TWO_INV.pow_vartime([u64::from(k)]));
    let reversed = |i: usize| i.reverse_bits().checked_shr(usize::BITS - k).unwrap_or(0);
    let mut lagrange = vec![G1Affine::identity(); length];
    lagrange.par_chunks_mut(CHUNK).enumerate().try_for_each(|(chunk, affine)| {
        let mut ordered = Vec::with_capacity(affine.len());
        for i in (chunk * CHUNK..).take(affine.len()) {
            if i % STEP == 0 {
                go_on(interrupt)?;
            }
            ordered.push(n_inv.times(&points[reversed(i)]));
        }
        G1::batch_normalize(&ordered, affine);
        Ok(())
    })?;
    Ok(lagrange)
}

/// A scalar as `first + second * ζ` with halves below `2^127` in size: `ζ` times a point is the curve's
/// endomorphism, which costs one multiplication.
struct HalfScalars {
    halves: [u128; 2],
    negative: [bool; 2],
}

/// With `x` the curve's parameter, `(S, L)` and `(M, -S)` are pairs `(i, j)` with `i + j ζ = 0`:
/// `S = 2x + 1`, `L = 6x² + 4x + 1`, `M = 6x² + 2x`.
const S: u128 = 9931322734385697763;
const L: u128 = 147946756881789319010696353538189108491;
const M: u128 = 147946756881789319000765030803803410728;
/// `S` and `L` times `2^256` over the field's order.
const S_PART: [u64; 4] = [0xd91d232ec7e0b3d7, 2, 0, 0];
const L_PART: [u64; 4] = [0x5398fd0300ff6565, 0x4ccef014a773d2d2, 2, 0];

impl HalfScalars {
    /// Takes about as many of both pairs as bring `(scalar, 0)` nearest to zero.
    fn new(scalar: &Fr) -> Self {
        let [of_first, of_second] = [S_PART, L_PART].map(|part| high_half(scalar, part));
        let [s, l, m] = [S, L, M].map(Fr::from_u128);
        let halves = [*scalar - of_first * s - of_second * m, of_second * s - of_first * l];
        let negative = halves.map(|half| low_half(&half).is_none());
        let sizes = halves.map(|half| low_half(&half).or_else(|| low_half(&-half)));
        Self { halves: sizes.map(Option::unwrap_or_default), negative }
    }

    /// The multiple of a point, two bits of both halves at a time; time depends on the scalar.
    fn times(&self, point: &G1) -> G1 {
        let signed = |point: G1, negative: bool| if negative { -point } else { point };
        let first = signed(*point, self.negative[0]);
        let second = signed(point.endo(), self.negative[1]);
        // i * first + 4 j * second is at i + 4 j.
        let mut table = [G1::identity(); 16];
        for index in 1..16 {
            let (below, step) = if index < 4 { (index - 1, first) } else { (index - 4, second) };
            table[index] = table[below] + step;
        }
        let mut sum = G1::identity();
        for shift in (0..u128::BITS / 2).rev().map(|digit| 2 * digit) {
            sum = sum.double().double();
            let [i, j] = self.halves.map(|half| (half >> shift) as usize & 3);
            sum += table[i + 4 * j];
        }
        sum
    }
}

/// The scalar's 256 bits, lowest first.
fn limbs(scalar: &Fr) -> [u64; 4] {
    let bytes = scalar.to_repr();
    let limb = |i: usize| bytes.as_ref()[8 * i..].iter().take(8).rev();
    std::array::from_fn(|i| limb(i).fold(0, |limb, byte| (limb << 8) | u64::from(*byte)))
}

/// The scalar, if it is below `2^128`.
fn low_half(scalar: &Fr) -> Option<u128> {
    match limbs(scalar) {
        [low, high, 0, 0] => Some(u128::from(low) | (u128::from(high) << 64)),
        _ => None,
    }
}

/// The product of two numbers of 256 bits, divided by `2^256`.
fn high_half(scalar: &Fr, factor: [u64; 4]) -> Fr {
    let mut product = [0u64; 8];
    for (i, left) in limbs(scalar).into_iter().enumerate() {
        let mut carry = 0;
        for (j, right) in factor.into_iter().enumerate() {
            let sum = u128::from(product[i + j]) + u128::from(left) * u128::from(right) + carry;
            product[i + j] = sum as u64;
            carry = sum >> 64;
        }
        product[i + 4] = carry as u64;
    }
    Fr::from_raw([product[4], product[5], product[6], product[7]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Domain, msm};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn multiples() {
        let point = G1::generator() * Fr::from(7);
        let large = Fr::ROOT_OF_UNITY;
        for scalar in [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(3), large, -large, large.square()] {
            assert_eq!(HalfScalars::new(&scalar).times(&point), point * scalar);
        }
        assert_eq!(HalfScalars::new(&large).times(&G1::identity()), G1::identity());
    }

    #[test]
    fn ends_when_it_is_interrupted() {
        let g = vec![G1Affine::generator(); 1 << 10];
        let asked = AtomicUsize::new(0);
        let count = || {
            asked.fetch_add(1, Ordering::Relaxed);
            false
        };
        assert_eq!(g_lagrange_unless(&g, &count), g_lagrange_from_g(&g));
        let asked = asked.into_inner();
        assert!(asked >= g.len() * 5 / STEP, "{asked}"); // ten rounds of half as many points
        for end in [0, 1, asked / 2, asked - 1] {
            let asked = AtomicUsize::new(0);
            let ends = || asked.fetch_add(1, Ordering::Relaxed) >= end;
            assert_eq!(g_lagrange_unless(&g, &ends), Err(AlgebraError::Interrupted), "{end}");
        }
    }

    #[test]
    fn commitments_to_values_equal_commitments_to_coefficients() {
        let tau = Fr::from(0x1234_5678_9abc);
        let g: Vec<G1Affine> = crate::vector::powers(tau, 64)
            .iter()
            .map(|power| (G1::generator() * power).to_affine())
            .collect();
        let lagrange = g_lagrange_from_g(&g).unwrap();
        let coefficients = crate::vector::powers(Fr::from(3), 64);
        let mut values = coefficients.clone();
        Domain::new(6).unwrap().ntt(&mut values);
        assert_eq!(msm(&coefficients, &g), msm(&values, &lagrange));
        assert_eq!(g_lagrange_from_g(&g[..1]).unwrap(), g[..1]);
        assert_eq!(
            g_lagrange_from_g(&g[..63]),
            Err(AlgebraError::LengthNotPowerOfTwo { length: 63 })
        );
    }
}
