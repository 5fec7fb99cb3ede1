//! Element-wise operations on short blocks, on the calling thread: for evaluators that walk an
//! expression over blocks that stay in the first-level cache (512 elements are 16 KiB).
//!
//! All slices of a call have the same length; a call with different ones panics.

use ff::Field;

use crate::Fr;
use crate::tiles::TILE;
#[cfg(target_arch = "x86_64")]
use crate::{Backend, backend};

/// Runs the SIMD kernel of the same name, if it is in use, on what fills its lanes. The value is
/// the number of elements done, or that and a partial result.
macro_rules! simd {
    ($kernel:ident($($argument:expr),*), $otherwise:expr) => {{
        #[cfg(target_arch = "x86_64")]
        let result = match backend() {
            Backend::Ifma => crate::ifma::kernels::$kernel($($argument),*),
            Backend::Portable => $otherwise,
        };
        #[cfg(not(target_arch = "x86_64"))]
        let result = {
            let _ = ($(&$argument,)*);
            $otherwise
        };
        result
    }};
}

/// `target[i] = a[i] · b[i]`.
pub fn mul(target: &mut [Fr], a: &[Fr], b: &[Fr]) {
    check(target, &[a, b]);
    let done = simd!(mul(target, a, b), 0);
    for ((target, a), b) in target.iter_mut().zip(a).zip(b).skip(done) {
        *target = a * b;
    }
}

/// `target[i] = target[i] · a[i]`.
pub fn mul_assign(target: &mut [Fr], a: &[Fr]) {
    check(target, &[a]);
    let done = simd!(mul_assign(target, a), 0);
    target.iter_mut().zip(a).skip(done).for_each(|(target, a)| *target *= a);
}

/// `target[i] = target[i] + a[i] · b[i]`.
pub fn mul_add(target: &mut [Fr], a: &[Fr], b: &[Fr]) {
    check(target, &[a, b]);
    let done = simd!(mul_add(target, a, b), 0);
    for ((target, a), b) in target.iter_mut().zip(a).zip(b).skip(done) {
        *target += a * b;
    }
}

/// `target[i] = a[i] + b[i]`.
pub fn add(target: &mut [Fr], a: &[Fr], b: &[Fr]) {
    check(target, &[a, b]);
    for ((target, a), b) in target.iter_mut().zip(a).zip(b) {
        *target = a + b;
    }
}

/// `target[i] = target[i] + a[i]`.
pub fn add_assign(target: &mut [Fr], a: &[Fr]) {
    check(target, &[a]);
    target.iter_mut().zip(a).for_each(|(target, a)| *target += a);
}

/// `target[i] = a[i] − b[i]`.
pub fn sub(target: &mut [Fr], a: &[Fr], b: &[Fr]) {
    check(target, &[a, b]);
    for ((target, a), b) in target.iter_mut().zip(a).zip(b) {
        *target = a - b;
    }
}

/// `target[i] = target[i] − a[i]`.
pub fn sub_assign(target: &mut [Fr], a: &[Fr]) {
    check(target, &[a]);
    target.iter_mut().zip(a).for_each(|(target, a)| *target -= a);
}

/// `target[i] = factor · target[i]`.
pub fn scale(target: &mut [Fr], factor: Fr) {
    let done = simd!(scale(target, factor), 0);
    target[done..].iter_mut().for_each(|target| *target *= factor);
}

/// `target[i] = target[i] + factor · a[i]`.
pub fn add_scaled(target: &mut [Fr], a: &[Fr], factor: Fr) {
    check(target, &[a]);
    let done = simd!(add_scaled(target, a, factor), 0);
    target.iter_mut().zip(a).skip(done).for_each(|(target, a)| *target += a * factor);
}

/// `target[i] = start · base^i · target[i]`.
pub fn scale_by_powers(target: &mut [Fr], start: Fr, base: Fr) {
    let mut starts = [start; TILE];
    for lane in 1..TILE {
        starts[lane] = starts[lane - 1] * base;
    }
    let step = base.square().square().square();
    let done = simd!(scale_by_powers(target, &starts, step), 0);
    let mut power = start * base.pow_vartime([done as u64]);
    for value in &mut target[done..] {
        *value *= power;
        power *= base;
    }
}

/// `Σ a[i] · b[i]`.
pub fn inner_product(a: &[Fr], b: &[Fr]) -> Fr {
    check(a, &[b]);
    let (lanes, done) = simd!(inner_product(a, b), ([Fr::ZERO; TILE], 0));
    let rest = a.iter().zip(b).skip(done).map(|(a, b)| a * b).sum::<Fr>();
    lanes.iter().sum::<Fr>() + rest
}

/// The value at `point` of the polynomial with the given coefficients, lowest first.
pub fn eval_polynomial(coefficients: &[Fr], point: Fr) -> Fr {
    let horner = |coefficients: &[Fr]| {
        coefficients.iter().rev().fold(Fr::ZERO, |value, coefficient| value * point + coefficient)
    };
    let eighth_power = point.square().square().square();
    let (lanes, done) = simd!(evaluate(coefficients, eighth_power), ([Fr::ZERO; TILE], 0));
    horner(&lanes) + horner(&coefficients[done..]) * point.pow_vartime([done as u64])
}

fn check(target: &[Fr], others: &[&[Fr]]) {
    assert!(others.iter().all(|other| other.len() == target.len()), "blocks differ in length");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Elements that reach the ends of the reductions, and any others.
    fn element() -> impl Strategy<Value = Fr> {
        let any = any::<[u64; 4]>().prop_map(Fr::from_raw);
        prop_oneof![Just(Fr::ZERO), Just(Fr::ONE), Just(-Fr::ONE), Just(Fr([1, 0, 0, 0])), any]
    }

    fn pairs() -> impl Strategy<Value = (Vec<Fr>, Vec<Fr>, Vec<Fr>)> {
        proptest::collection::vec((element(), element(), element()), 0..300).prop_map(|triples| {
            let column = |pick: fn(&(Fr, Fr, Fr)) -> Fr| triples.iter().map(pick).collect();
            (column(|t| t.0), column(|t| t.1), column(|t| t.2))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn kernels_agree_with_field_arithmetic((a, b, c) in pairs(), factor in element()) {
            let length = a.len();
            let check = |got: Vec<Fr>, expected: &dyn Fn(usize) -> Fr| {
                prop_assert_eq!(got, (0..length).map(expected).collect::<Vec<_>>());
                Ok(())
            };
            let apply = |operation: &dyn Fn(&mut [Fr])| {
                let mut target = c.clone();
                operation(&mut target);
                target
            };
            check(apply(&|t| mul(t, &a, &b)), &|i| a[i] * b[i])?;
            check(apply(&|t| mul_assign(t, &a)), &|i| c[i] * a[i])?;
            check(apply(&|t| mul_add(t, &a, &b)), &|i| c[i] + a[i] * b[i])?;
            check(apply(&|t| add(t, &a, &b)), &|i| a[i] + b[i])?;
            check(apply(&|t| add_assign(t, &a)), &|i| c[i] + a[i])?;
            check(apply(&|t| sub(t, &a, &b)), &|i| a[i] - b[i])?;
            check(apply(&|t| sub_assign(t, &a)), &|i| c[i] - a[i])?;
            check(apply(&|t| scale(t, factor)), &|i| c[i] * factor)?;
            check(apply(&|t| add_scaled(t, &a, factor)), &|i| c[i] + a[i] * factor)?;
            check(apply(&|t| scale_by_powers(t, factor, b.first().copied().unwrap_or(factor))), &|i| {
                c[i] * factor * b[0].pow_vartime([i as u64])
            })?;
            let product: Fr = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            prop_assert_eq!(inner_product(&a, &b), product);
            let value = a.iter().rev().fold(Fr::ZERO, |value, a| value * factor + a);
            prop_assert_eq!(eval_polynomial(&a, factor), value);
        }
    }
}
