//! Whether points are the powers of one secret, without knowing it, and hide what is committed to.
//!
//! With a random `r` and `W = sum r^i g_i` over all `n` powers, `e(r (W - r^(n-1) g_(n-1)), [s]H) =
//! e(W - g_0, H)` tells `e(g_i, [s]H) = e(g_(i+1), H)` for all `i` at once: the coefficient of
//! `r^(i+1)` is that for `i`. The commitments to the Lagrange basis must make `W` of the values, on the
//! domain, of the polynomial with coefficients `r^j`. Both are polynomial identities in `r` of degree
//! below `2^k`, so a wrong SRS passes with probability at most `2^k / |Fr|`.
//!
//! Powers of a root of unity `w^i` are refused too: a commitment would then be the value in row `i`,
//! and the random rows, whose Lagrange commitments are the identity, would blind nothing.

use ff::Field;
use group::prime::PrimeCurveAffine;
use group::{Curve, Group};
use halo2curves::CurveAffine;
use halo2curves::pairing::Engine;
use rand_core::{CryptoRng, RngCore};
use rayon::prelude::*;
use twain_algebra::vector::powers as powers_of;
use twain_algebra::{AlgebraError, Bn256, Domain, Fr, G1, G1Affine, G2Affine, Interrupt, MsmBases};

/// The points to check.
pub struct Powers<'a> {
    /// `[s^i]G`, `2^k` of them.
    pub g: &'a [G1Affine],
    /// Commitments to the Lagrange basis, if there are any: as many.
    pub g_lagrange: Option<&'a [G1Affine]>,
    /// The generator of G2.
    pub g2: &'a G2Affine,
    /// The generator of G2 times the secret.
    pub s_g2: &'a G2Affine,
}

/// What is wrong with an SRS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SrsError {
    /// Not a power of two of powers, or another number of Lagrange commitments.
    #[error("the number of points is not a power of two from 2 to 2^28")]
    Count,
    /// A point is not on its curve or in its group, or is the identity.
    #[error("a point is not an element of its group")]
    Point,
    /// The first power is not the standard generator.
    #[error("the SRS does not start from the standard generators")]
    Generator,
    /// The points are not the powers of one secret.
    #[error("the points are not the powers of one secret: do not use this SRS")]
    Powers,
    /// The Lagrange commitments do not belong to the powers.
    #[error("the Lagrange commitments do not belong to the powers: do not use this SRS")]
    Lagrange,
    /// The secret is in the domain.
    #[error(
        "its secret is a root of unity, so commitments would hide nothing: do not use this SRS"
    )]
    RootOfUnity,
    /// The operator ended the check.
    #[error("cancelled")]
    Cancelled,
}

/// Points that are looked at, which takes a few milliseconds, before somebody may end it.
const POINTS: usize = 1 << 12;

/// Checks that `powers` are those of one secret outside the domain, from the standard generators. A
/// wrong SRS passes with probability at most `2^-225`, over `rng`, which its author must not foresee.
/// Takes a multi-scalar multiplication, and another one for the Lagrange commitments; may be ended early.
///
/// # Errors
/// The first violation, or [`SrsError::Cancelled`].
pub fn check(
    powers: &Powers<'_>,
    rng: &mut (impl RngCore + CryptoRng),
    interrupt: &dyn Interrupt,
) -> Result<(), SrsError> {
    let Powers { g, g_lagrange, g2, s_g2 } = powers;
    let k = g.len().trailing_zeros();
    let lengths_agree = g_lagrange.is_none_or(|lagrange| lagrange.len() == g.len());
    if !g.len().is_power_of_two() || !(1..=super::MAX_K).contains(&k) || !lengths_agree {
        return Err(SrsError::Count);
    }
    for points in [g].into_iter().chain(g_lagrange) {
        points.par_chunks(POINTS).try_for_each(|points| {
            if interrupt.is_interrupted() {
                return Err(SrsError::Cancelled);
            }
            let all = points.iter().all(|point| point.is_on_curve().into());
            if all { Ok(()) } else { Err(SrsError::Point) }
        })?;
    }
    if !in_group(g2) || !in_group(s_g2) {
        return Err(SrsError::Point);
    }
    let (first, last) = (g[0], g.len() - 1);
    if first != G1Affine::generator() || **g2 != G2Affine::generator() {
        return Err(SrsError::Generator);
    }
    let r = Fr::random(rng);
    let mut weights = powers_of(r, g.len());
    let msm = |weights: &[Fr], points| -> Result<G1, SrsError> {
        let sum = MsmBases::new(points).msm_unless(weights, interrupt);
        // It fails in no other way.
        sum.map_err(|_: AlgebraError| SrsError::Cancelled)
    };
    let all = msm(&weights, g)?;
    let low = (all - g[last] * weights[last]) * r;
    let pairing = |point: &G1Affine, twist: &G2Affine| Bn256::pairing(point, twist);
    if pairing(&low.to_affine(), s_g2) != pairing(&(all - first).to_affine(), g2) {
        return Err(SrsError::Powers);
    }
    // s^(n-1) s = 1
    if pairing(&g[last], s_g2) == pairing(&first, g2) {
        return Err(SrsError::RootOfUnity);
    }
    let Some(lagrange) = g_lagrange else {
        return Ok(());
    };
    Domain::new(k).map_err(|_| SrsError::Count)?.ntt(&mut weights);
    if msm(&weights, lagrange)? != all {
        return Err(SrsError::Lagrange);
    }
    Ok(())
}

/// Whether a point of the twist is in the group of order `|Fr|`, and not its identity.
fn in_group(point: &G2Affine) -> bool {
    let on_curve = bool::from(point.is_on_curve()) && !bool::from(point.is_identity());
    // (|Fr| - 1) P = -P
    on_curve && (*point * -Fr::ONE + point).is_identity().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::PrimeField;
    use halo2curves::bn256::{Fq, Fq2};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;
    use twain_algebra::Uninterrupted;

    #[test]
    fn points_outside_the_group_are_refused() {
        let b = {
            let g = G2Affine::generator();
            g.y.square() - g.x.square() * g.x
        };
        let outside = (0u64..).find_map(|start| {
            let x = Fq2::new(Fq::from(start), Fq::ONE);
            let y: Option<Fq2> = (x.square() * x + b).sqrt().into();
            y.map(|y| G2Affine { x, y })
        });
        let outside = outside.unwrap();
        assert!(bool::from(outside.is_on_curve()));
        assert!(!in_group(&outside));
        assert!(in_group(&G2Affine::generator()));
        assert!(!in_group(&G2Affine::identity()));
    }

    #[test]
    fn powers_of_a_known_secret_and_damage() {
        let rng = &mut ChaCha20Rng::seed_from_u64(7);
        let s = Fr::random(&mut *rng);
        let generator = G1Affine::generator();
        let g: Vec<G1Affine> = (0..8u64).map(|i| (generator * s.pow([i])).to_affine()).collect();
        let (g2, s_g2) = (G2Affine::generator(), (G2Affine::generator() * s).to_affine());
        let mut verdict = |g: &[G1Affine], g2: &G2Affine, s_g2: &G2Affine| {
            check(&Powers { g, g_lagrange: None, g2, s_g2 }, rng, &Uninterrupted)
        };
        assert_eq!(verdict(&g, &g2, &s_g2), Ok(()));
        for index in 1..8 {
            let mut wrong = g.clone();
            wrong[index] = generator;
            assert_eq!(verdict(&wrong, &g2, &s_g2), Err(SrsError::Powers));
            wrong[index].x += Fq::ONE;
            assert_eq!(verdict(&wrong, &g2, &s_g2), Err(SrsError::Point));
        }
        assert_eq!(verdict(&g, &g2, &g2), Err(SrsError::Powers));
        assert_eq!(verdict(&g, &s_g2, &s_g2), Err(SrsError::Generator));
        assert_eq!(verdict(&g[1..5], &g2, &s_g2), Err(SrsError::Generator));
        assert_eq!(verdict(&g[..7], &g2, &s_g2), Err(SrsError::Count));
        // In the domain of these powers or not.
        for (root, expected) in
            [(-Fr::ONE, Err(SrsError::RootOfUnity)), (Fr::ROOT_OF_UNITY, Ok(()))]
        {
            let g: Vec<_> = (0..8u64).map(|i| (generator * root.pow([i])).to_affine()).collect();
            assert_eq!(verdict(&g, &g2, &(g2 * root).to_affine()), expected);
        }
    }
}
