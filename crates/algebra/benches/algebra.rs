//! Own implementation against `halo2curves`, on one and two threads.
//!
//! `cargo bench -p twain-algebra -- ntt/20`; with `TWAIN_PORTABLE=1` the portable implementation.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ff::{Field, PrimeField};
use group::{Curve, Group, prime::PrimeCurveAffine};
use halo2curves::{fft::best_fft, msm::msm_best};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use rayon::{ThreadPool, ThreadPoolBuilder};
use twain_algebra::{Domain, Fr, G1, G1Affine, MsmBases, backend, kernels};

const SIZES: [u32; 3] = [15, 18, 20];

fn pools() -> Vec<(usize, ThreadPool)> {
    [1, 2]
        .map(|threads| (threads, ThreadPoolBuilder::new().num_threads(threads).build().unwrap()))
        .into()
}

fn random_scalars(length: usize) -> Vec<Fr> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    (0..length).map(|_| Fr::random(&mut rng)).collect()
}

fn random_points(length: usize) -> Vec<G1Affine> {
    let mut points = Vec::with_capacity(length);
    let mut point = G1::random(ChaCha20Rng::seed_from_u64(2));
    while points.len() < length {
        let mut affine = vec![G1Affine::identity(); 1024.min(length - points.len())];
        let multiples: Vec<G1> = affine
            .iter()
            .map(|_| {
                point = point.double() + G1::generator();
                point
            })
            .collect();
        G1::batch_normalize(&multiples, &mut affine);
        points.extend(affine);
    }
    points
}

fn product(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("block of 512");
    group.throughput(Throughput::Elements(512));
    let (mut a, b) = (random_scalars(512), random_scalars(512));
    type Operation = fn(&mut [Fr], &[Fr]);
    let operations: [(&str, Operation); 3] = [
        ("mul", kernels::mul_assign),
        ("add", kernels::add_assign),
        ("add_scaled", |a, b| kernels::add_scaled(a, b, twain_algebra::domain::ZETA)),
    ];
    for (name, operation) in operations {
        let id = BenchmarkId::new(name, backend().name());
        group.bench_function(id, |bencher| bencher.iter(|| operation(black_box(&mut a), &b)));
    }
    group.bench_function(BenchmarkId::new("mul", "halo2curves"), |bencher| {
        bencher.iter(|| a.iter_mut().zip(&b).for_each(|(a, b)| *a *= b));
    });
}

fn ntt(criterion: &mut Criterion) {
    for k in SIZES {
        let mut group = criterion.benchmark_group(format!("ntt/{k}"));
        group.sample_size(10).measurement_time(Duration::from_secs(2));
        let domain = Domain::new(k).unwrap();
        let mut values = random_scalars(domain.n());
        let shift = twain_algebra::domain::ZETA;
        for (threads, pool) in pools() {
            let mut own = |name: &str, transform: &(dyn Fn(&mut [Fr]) + Sync)| {
                let id = BenchmarkId::new(format!("{name} {}", backend().name()), threads);
                group.bench_function(id, |bencher| {
                    bencher.iter(|| pool.install(|| transform(&mut values)));
                });
            };
            own("ntt", &|values| domain.ntt(values));
            own("intt", &|values| domain.intt(values));
            own("coset_ntt", &|values| domain.coset_ntt_in_place(values, shift));
            group.bench_function(BenchmarkId::new("halo2curves", threads), |bencher| {
                bencher.iter(|| pool.install(|| best_fft(&mut values, domain.omega(), k)));
            });
        }
    }
}

fn msm(criterion: &mut Criterion) {
    let points = random_points(1 << SIZES[2]);
    let full = random_scalars(points.len());
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut shorter = |bits: u32| -> Vec<Fr> {
        let mask = u128::MAX >> (128 - bits);
        let draw =
            |rng: &mut ChaCha20Rng| u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
        (0..points.len()).map(|_| Fr::from_u128(draw(&mut rng) & mask)).collect()
    };
    let (half, mut small) = (shorter(128), shorter(14));
    small.iter_mut().enumerate().filter(|(i, _)| i % 5 != 0).for_each(|(_, s)| *s = Fr::ZERO);
    for k in SIZES {
        let n = 1 << k;
        let mut group = criterion.benchmark_group(format!("msm/{k}"));
        group.sample_size(10).measurement_time(Duration::from_secs(2));
        let bases = MsmBases::new(&points[..n]);
        for (threads, pool) in pools() {
            for (kind, scalars) in [("full", &full), ("128 bits", &half), ("small", &small)] {
                let scalars = &scalars[..n];
                let id = BenchmarkId::new(format!("{kind} {}", backend().name()), threads);
                group.bench_function(id, |bencher| {
                    bencher.iter(|| pool.install(|| black_box(bases.msm(scalars))));
                });
                let id = BenchmarkId::new(format!("{kind} halo2curves"), threads);
                group.bench_function(id, |bencher| {
                    bencher.iter(|| pool.install(|| black_box(msm_best(scalars, &points[..n]))));
                });
            }
            for (kind, bits, scalars) in [("bounded 254", 254, &full), ("bounded 128", 128, &half)]
            {
                let id = BenchmarkId::new(format!("{kind} {}", backend().name()), threads);
                group.bench_function(id, |bencher| {
                    bencher.iter(|| {
                        pool.install(|| black_box(bases.msm_bounded(&scalars[..n], bits).unwrap()))
                    });
                });
            }
        }
    }
}

criterion_group!(benches, product, ntt, msm);
criterion_main!(benches);
