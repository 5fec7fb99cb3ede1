//! The points `x w^r` of an argument, and Lagrange polynomials at `x` (spec 01 §3.9).

use ff::{BatchInvert, Field, PrimeField};
use twain_algebra::Fr;

/// An evaluation point and its domain.
pub(crate) struct Rotations {
    k: u32,
    omega: Fr,
    omega_inverse: Fr,
    x: Fr,
}

impl Rotations {
    /// The point `x` and its rotations in the domain of `2^k` rows (`k` at most 28).
    pub(crate) fn new(k: u32, x: Fr) -> Self {
        let power = 1u64 << Fr::S.saturating_sub(k);
        let omega = Fr::ROOT_OF_UNITY.pow_vartime([power]);
        Self { k, omega, omega_inverse: Fr::ROOT_OF_UNITY_INV.pow_vartime([power]), x }
    }

    /// `x w^rotation`.
    pub(crate) fn point(&self, rotation: i32) -> Fr {
        self.x * self.root(i64::from(rotation))
    }

    fn root(&self, exponent: i64) -> Fr {
        let base = if exponent < 0 { self.omega_inverse } else { self.omega };
        base.pow_vartime([exponent.unsigned_abs()])
    }

    /// `x^n - 1`.
    pub(crate) fn vanishing(&self) -> Fr {
        self.x.pow_vartime([1u64 << self.k]) - Fr::ONE
    }

    /// `L_first(x), L_(first + 1)(x), …`: `count` Lagrange polynomials, indices modulo `n`. If `x`
    /// is in the domain, the values are wrong; the caller has excluded that.
    pub(crate) fn lagrange(&self, first: i64, count: usize) -> Vec<Fr> {
        let rows = Fr::from(1u64 << self.k);
        let start = self.root(first);
        let roots = || std::iter::successors(Some(start), |root| Some(*root * self.omega));
        let mut values: Vec<Fr> = roots().take(count).map(|root| rows * (self.x - root)).collect();
        values.iter_mut().batch_invert();
        let vanishing = self.vanishing();
        values.iter_mut().zip(roots()).for_each(|(value, root)| *value *= root * vanishing);
        values
    }

    /// Weights `w_i` such that the polynomial with values `f_i` at the given rotations (distinct)
    /// has the value `sum w_i f_i` at `u`. None if `u` is one of the points.
    pub(crate) fn interpolation(&self, rotations: &[i32], u: Fr) -> Option<Vec<Fr>> {
        let points: Vec<Fr> = rotations.iter().map(|rotation| self.point(*rotation)).collect();
        let mut weights = Vec::with_capacity(points.len());
        let mut denominators = Vec::with_capacity(points.len());
        for (i, point) in points.iter().enumerate() {
            let others = || points.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, p)| *p);
            weights.push(others().map(|other| u - other).product::<Fr>());
            denominators.push(others().map(|other| *point - other).product::<Fr>());
        }
        if points.contains(&u) || denominators.contains(&Fr::ZERO) {
            return None;
        }
        denominators.iter_mut().batch_invert();
        Some(weights.into_iter().zip(denominators).map(|(w, d)| w * d).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_and_lagrange() {
        let at = Rotations::new(4, Fr::from(12345));
        let cubic = |x: Fr| x * x * x + Fr::from(3) * x + Fr::from(7);
        let rotations = [-6, -1, 0, 1];
        let u = Fr::from(99);
        let weights = at.interpolation(&rotations, u).unwrap();
        let values = rotations.map(|rotation| cubic(at.point(rotation)));
        assert_eq!(weights.iter().zip(values).map(|(w, f)| w * f).sum::<Fr>(), cubic(u));
        assert!(at.interpolation(&rotations, at.point(-1)).is_none());
        let weights = at.lagrange(-3, 16);
        let values = (-3..13).map(|row| cubic(at.root(row)));
        assert_eq!(weights.iter().zip(values).map(|(w, f)| w * f).sum::<Fr>(), cubic(at.x));
    }
}
