//! Both backends against sums of single multiplications.

use ff::{Field, PrimeField};
use group::{Curve, prime::PrimeCurveAffine};
use halo2curves::msm::msm_best;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const BACKENDS: [Backend; 2] = [Backend::Portable, Backend::Ifma];

fn sum(scalars: &[Fr], bases: &[G1Affine]) -> G1 {
    scalars.iter().zip(bases).map(|(scalar, base)| base * scalar).sum()
}

/// Points with logarithms `logarithms`.
fn points(logarithms: &[Fr]) -> Vec<G1Affine> {
    logarithms.iter().map(|logarithm| (G1::generator() * logarithm).to_affine()).collect()
}

fn random_points(length: usize, seed: u64) -> Vec<G1Affine> {
    let mut point = G1::random(ChaCha20Rng::seed_from_u64(seed));
    let multiples: Vec<G1> = (0..length)
        .map(|_| {
            point = point.double() + G1::generator();
            point
        })
        .collect();
    let mut affine = vec![G1Affine::identity(); length];
    G1::batch_normalize(&multiples, &mut affine);
    affine
}

/// Scalars at the ends of windows and of the field, short ones, and any others.
fn scalar() -> impl Strategy<Value = Fr> {
    prop_oneof![
        Just(Fr::ZERO),
        Just(Fr::ONE),
        Just(-Fr::ONE),
        Just(Fr::TWO_INV),
        Just(-Fr::TWO_INV),
        (0u32..253).prop_map(|bits| Fr::from(2).pow_vartime([u64::from(bits)])),
        any::<u16>().prop_map(|value| Fr::from(u64::from(value))),
        any::<u16>().prop_map(|value| -Fr::from(u64::from(value))),
        any::<u128>().prop_map(Fr::from_u128),
        any::<[u64; 4]>().prop_map(Fr::from_raw),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Logarithms from a handful of values: equal and opposite points and the identity abound.
    #[test]
    fn sums_agree_whatever_points_meet(
        terms in proptest::collection::vec((scalar(), -2i64..=2), 0..80)
    ) {
        let logarithm = |value: i64| {
            let magnitude = Fr::from(value.unsigned_abs());
            if value < 0 { -magnitude } else { magnitude }
        };
        let scalars: Vec<Fr> = terms.iter().map(|term| term.0).collect();
        let logarithms: Vec<Fr> = terms.iter().map(|term| logarithm(term.1)).collect();
        let bases = points(&logarithms);
        let expected: Fr = scalars.iter().zip(&logarithms).map(|(a, b)| a * b).sum();
        let expected = G1::generator() * expected;
        for backend in BACKENDS {
            let prepared = MsmBases::with_backend(&bases, backend);
            prop_assert_eq!(prepared.msm(&scalars), expected);
            prop_assert_eq!(prepared.msm_bounded(&scalars, 254).unwrap(), expected);
        }
    }
}

#[test]
fn every_size_agrees() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    for length in (0..=12).flat_map(|k| [(1usize << k) - 1, 1 << k]) {
        let bases = random_points(length, 5);
        let scalars: Vec<Fr> = (0..length).map(|_| Fr::random(&mut rng)).collect();
        let expected = if length < 8 { sum(&scalars, &bases) } else { msm_best(&scalars, &bases) };
        for backend in BACKENDS {
            let prepared = MsmBases::with_backend(&bases, backend);
            assert_eq!(prepared.points(0..length), bases, "{length} {backend:?}");
            assert_eq!(prepared.msm(&scalars), expected, "{length} {backend:?}");
            assert_eq!(prepared.msm_bounded(&scalars, 254), Ok(expected), "{length} {backend:?}");
        }
    }
}

#[test]
fn equal_scalars_fill_one_bucket() {
    let bases = random_points(700, 6);
    for scalar in [Fr::ONE, -Fr::from(12345), Fr::from(1 << 40)] {
        let expected = sum(&vec![scalar; 700], &bases);
        for backend in BACKENDS {
            let prepared = MsmBases::with_backend(&bases, backend);
            assert_eq!(prepared.msm(&vec![scalar; 700]), expected);
            assert_eq!(prepared.msm_bounded(&vec![scalar; 700], 41), Ok(expected));
        }
    }
}

#[test]
fn every_bound_is_kept_or_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let bases = random_points(100, 8);
    for bits in [1, 14, 15, 16, 31, 32, 64, 127, 128, 192, 252, 253, 254] {
        let largest = if bits < 253 {
            Fr::from(2).pow_vartime([u64::from(bits)]) - Fr::ONE
        } else {
            Fr::random(&mut rng)
        };
        let mut scalars: Vec<Fr> = (0..100)
            .map(|_| match rng.next_u32() % 4 {
                0 => largest,
                1 => -largest,
                2 => Fr::ZERO,
                _ => Fr::ONE,
            })
            .collect();
        let expected = sum(&scalars, &bases);
        for backend in BACKENDS {
            let prepared = MsmBases::with_backend(&bases, backend);
            assert_eq!(prepared.msm_bounded(&scalars, bits), Ok(expected), "{bits}");
        }
        if bits < 253 {
            scalars[50] = largest + Fr::ONE;
            let refused = Err(AlgebraError::ScalarTooLong { bits });
            assert_eq!(msm_bounded(&scalars, &bases, bits), refused);
        }
    }
}

#[test]
fn what_is_not_selected_is_left_out() {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let bases = random_points(90, 12);
    let scalars: Vec<Fr> = (0..90).map(|_| Fr::random(&mut rng)).collect();
    for indices in [vec![], vec![89], (0..90).step_by(7).collect::<Vec<u32>>()] {
        let mut selected = vec![Fr::ZERO; 90];
        indices.iter().for_each(|&i| selected[i as usize] = scalars[i as usize]);
        let expected = sum(&selected, &bases);
        for backend in BACKENDS {
            let prepared = MsmBases::with_backend(&bases, backend);
            let sum = prepared.msm_bounded_at(&indices, &scalars, 254, &Uninterrupted);
            assert_eq!(sum, Ok(expected));
        }
    }
}

#[test]
fn more_threads_than_windows_give_the_same_sum() {
    let bases = random_points(1 << 15, 9);
    let mut rng = ChaCha20Rng::seed_from_u64(10);
    let scalars: Vec<Fr> =
        (0..bases.len()).map(|_| Fr::from(u64::from(rng.next_u32() % 4096))).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
    let prepared = MsmBases::new(&bases);
    assert_eq!(pool.install(|| prepared.msm(&scalars)), msm_best(&scalars, &bases));
}

/// Whenever it is ended, it ends, and it asks at least once for as many points as are added up together.
#[test]
fn ends_when_it_is_interrupted() {
    let length = 1 << 15;
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let scalars: Vec<Fr> = (0..length).map(|_| Fr::random(&mut rng)).collect();
    let indices: Vec<u32> = (0..length as u32).collect();
    let points = random_points(length, 6);
    for backend in BACKENDS {
        let bases = MsmBases::with_backend(&points, backend);
        let multiply = |bounded: bool, interrupt: &dyn Interrupt| match bounded {
            true => bases.msm_bounded_at(&indices, &scalars, 254, interrupt),
            false => bases.msm_unless(&scalars, interrupt),
        };
        for bounded in [false, true] {
            let asked = AtomicUsize::new(0);
            let count = || {
                asked.fetch_add(1, Ordering::Relaxed);
                false
            };
            assert_eq!(multiply(bounded, &count), Ok(bases.msm(&scalars)));
            let asked = asked.into_inner();
            // Fifteen windows or more.
            assert!(asked >= 15 * length / (1 << 13), "{asked}");
            for end in [0, 1, asked / 2, asked - 1] {
                let asked = AtomicUsize::new(0);
                let ends = || asked.fetch_add(1, Ordering::Relaxed) >= end;
                assert_eq!(multiply(bounded, &ends), Err(AlgebraError::Interrupted), "{end}");
            }
        }
    }
}
