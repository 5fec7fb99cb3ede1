//! What a product of two shared values costs: two fresh encryptions and one answer, both parties'
//! work on one thread, packing for the wire included. `TWAIN_PORTABLE=1` measures the portable path.
//!
//! Times are those of the thread on the processor, so other load on the machine does not count.

#![allow(missing_docs)] // criterion's macros

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::hint::black_box;
use twain_algebra::Fr;
use twain_rlwe::{
    ANSWER_BYTES, Answer, Encryption, Evaluator, FRESH_BYTES, PublicKey, Request, SLOTS, SecretKey,
    uniform_scalars,
};

/// Time on the processor, of which the kernel keeps account per thread (Linux).
struct CpuTime;

impl CpuTime {
    fn now() -> u64 {
        let account = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let time = account.split_whitespace().next().and_then(|time| time.parse().ok());
        time.expect("/proc/thread-self/schedstat holds the thread's time")
    }
}

impl Measurement for CpuTime {
    type Intermediate = u64;
    type Value = u64;
    fn start(&self) -> u64 {
        Self::now()
    }
    fn end(&self, start: u64) -> u64 {
        Self::now() - start
    }
    fn add(&self, a: &u64, b: &u64) -> u64 {
        a + b
    }
    fn zero(&self) -> u64 {
        0
    }
    fn to_f64(&self, nanoseconds: &u64) -> f64 {
        *nanoseconds as f64
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

struct Parties {
    rng: ChaCha20Rng,
    key: SecretKey,
    public: PublicKey,
    evaluator: Evaluator,
    operands: [Vec<Fr>; 3],
}

impl Parties {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (key, public) = SecretKey::generate([1; 32], &mut rng);
        let evaluator = Evaluator::new([1; 32], public.clone());
        let operands = [(); 3].map(|()| vec![Fr::default(); SLOTS]);
        Self { rng, key, public, evaluator, operands }
    }

    /// The encryptor: random operands, encrypted and packed.
    fn encrypt(&mut self, terms: usize) -> Vec<(u64, Vec<u8>)> {
        for operand in &mut self.operands[..terms] {
            uniform_scalars(&mut self.rng, operand);
        }
        let operands: Vec<_> = self.operands[..terms].iter().map(Vec::as_slice).collect();
        let encryptions = self.key.encrypt(&operands, &mut self.rng).expect("fits");
        encryptions.iter().map(|e| (e.counter(), e.to_bytes())).collect()
    }

    /// The evaluator: random operands and mask, unpacking, answer, packing.
    fn answer(&mut self, messages: &[(u64, Vec<u8>)]) -> Vec<u8> {
        for operand in &mut self.operands {
            uniform_scalars(&mut self.rng, operand);
        }
        let read = |(counter, bytes): &(u64, Vec<u8>)| Encryption::from_bytes(*counter, bytes);
        let encryptions: Vec<_> = messages.iter().map(|m| read(m).expect("valid")).collect();
        let products = encryptions.iter().zip(self.operands.iter().map(Vec::as_slice)).collect();
        let request = Request { products, mask: &self.operands[2] };
        // A benchmark makes more answers than one session may.
        if self.evaluator.budget().statistical_bits() < 65.0 {
            self.evaluator = Evaluator::new([1; 32], self.public.clone());
        }
        self.evaluator.answer(&[request], &mut self.rng).expect("within budget")[0].to_bytes()
    }

    fn decrypt(&self, message: &[u8]) -> Vec<Fr> {
        self.key.decrypt(&Answer::from_bytes(message).expect("valid"))
    }
}

fn products(criterion: &mut Criterion<CpuTime>) {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build_global()
        .expect("the first pool");
    let path = twain_algebra::backend().name();
    for (name, terms) in [("triple", 2), ("cross term", 1)] {
        let bytes = (terms * FRESH_BYTES + ANSWER_BYTES) as f64 / SLOTS as f64;
        let mut group = criterion.benchmark_group(format!("{name}, {bytes} bytes, {path}"));
        group.sample_size(20).throughput(Throughput::Elements(SLOTS as u64));
        let mut parties = Parties::new();
        let messages = parties.encrypt(terms);
        let answer = parties.answer(&messages);
        group.bench_function("encrypt", |b| b.iter(|| black_box(parties.encrypt(terms))));
        group.bench_function("answer", |b| b.iter(|| black_box(parties.answer(&messages))));
        group.bench_function("decrypt", |b| b.iter(|| black_box(parties.decrypt(&answer))));
        group.bench_function("both parties", |b| {
            b.iter(|| {
                let messages = parties.encrypt(terms);
                let answer = parties.answer(&messages);
                black_box(parties.decrypt(&answer))
            })
        });
        group.finish();
    }
}

criterion_group!(
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = products
);
criterion_main!(benches);
