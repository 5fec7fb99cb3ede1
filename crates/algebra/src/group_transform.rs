//! The inverse transform of a vector of points: from the commitments to the powers of `X` to those
//! to the Lagrange polynomials (SRS downsizing, spec 01 §2).

use ff::{Field, PrimeField};
use group::{Curve, prime::PrimeCurveAffine};
use halo2curves::fft::best_fft;
use rayon::prelude::*;

use crate::{AlgebraError, Fr, G1, G1Affine, domain::MAX_K};

/// Points per task of the final conversion.
const CHUNK: usize = 1024;

/// `[L_i(τ)]` for the domain of as many rows as there are points `g[i] = [τ^i]`.
pub fn g_lagrange_from_g(g: &[G1Affine]) -> Result<Vec<G1Affine>, AlgebraError> {
    let length = g.len();
    if !length.is_power_of_two() || length.ilog2() > MAX_K {
        return Err(AlgebraError::LengthNotPowerOfTwo { length });
    }
    let k = length.ilog2();
    let omega_inv = Fr::ROOT_OF_UNITY_INV.pow_vartime([1u64 << (MAX_K - k)]);
    let n_inv = Fr::TWO_INV.pow_vartime([u64::from(k)]);
    let mut points: Vec<G1> = g.par_iter().map(|point| point.to_curve()).collect();
    best_fft(&mut points, omega_inv, k);
    points.par_iter_mut().for_each(|point| *point *= n_inv);
    let mut lagrange = vec![G1Affine::identity(); length];
    points.par_chunks(CHUNK).zip(lagrange.par_chunks_mut(CHUNK)).for_each(|(points, affine)| {
        G1::batch_normalize(points, affine);
    });
    Ok(lagrange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Domain, msm};

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
        assert_eq!(
            g_lagrange_from_g(&g[..63]),
            Err(AlgebraError::LengthNotPowerOfTwo { length: 63 })
        );
    }
}
