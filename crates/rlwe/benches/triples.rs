//! What a product of two shared values costs: two fresh encryptions and one answer, both parties'
//! work on one thread, packing for the wire included. `TWAIN_PORTABLE=1` measures the portable
//! path.
//!
//! Times are those of the thread on the processor, so other load on the machine does not count.

#![allow(missing_docs)] // criterion's macros

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::hint::black_box;
use twain_algebra::Fr;
use twain_rlwe::bounds::{MAX_BATCH, ROWS, response_bytes};
use twain_rlwe::proof::{Batch, BatchId, Openings, Prover, Received, Verified};
use twain_rlwe::{
    ANSWER_BYTES, Answer, Encryption, Evaluator, FRESH_BYTES, Opening, PublicKey, Request, SLOTS,
    SecretKey, uniform_scalars,
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

/// What an encryptor has sent, and what it knows of it.
type Sent = Vec<(Encryption, Opening)>;

impl Parties {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (key, public) = SecretKey::generate([1; 32], &mut rng);
        let evaluator = Evaluator::default();
        let operands = [(); 3].map(|()| vec![Fr::default(); SLOTS]);
        Self { rng, key, public, evaluator, operands }
    }

    /// The encryptor: random operands, encrypted and packed.
    fn encrypt(&mut self, terms: usize) -> (Sent, Vec<Vec<u8>>) {
        for operand in &mut self.operands[..terms] {
            uniform_scalars(&mut self.rng, operand);
        }
        let operands: Vec<_> = self.operands[..terms].iter().map(Vec::as_slice).collect();
        let sent = self.key.encrypt(&operands, &mut self.rng).expect("fits");
        let bytes = sent.iter().map(|(encryption, _)| encryption.to_bytes()).collect();
        (sent, bytes)
    }

    /// Both parties: the proof of a batch.
    fn prove(&mut self, sent: Sent) -> Verified {
        let id = BatchId { session: [2; 32], number: 0 };
        let (encryptions, openings) = sent.into_iter().unzip();
        let parts = vec![Openings { key: &self.key, openings }];
        // A benchmark makes more proofs than one session may.
        let prover = Prover::new(id, parts).expect("a batch");
        let received = Received { key: self.public.clone(), encryptions };
        let batch = Batch::new(id, vec![received]).expect("a batch");
        let (batch, weights) = batch.weigh(&mut self.rng);
        let (masked, commitment) = prover.commit(&weights, &mut self.rng);
        let (batch, challenge) = batch.challenge(commitment, &mut self.rng);
        batch.verify(&masked.respond(&challenge).expect("not at an end")).expect("true").remove(0)
    }

    /// The evaluator: random operands and mask, unpacking, answer, packing.
    fn answer(&mut self, proved: &Verified, messages: &[Vec<u8>]) -> Vec<u8> {
        for operand in &mut self.operands {
            uniform_scalars(&mut self.rng, operand);
        }
        for (encryption, bytes) in proved.encryptions.iter().zip(messages) {
            let (key, counter) = (*encryption.key(), encryption.counter());
            black_box(Encryption::from_bytes(key, counter, bytes).expect("valid"));
        }
        let products = proved.encryptions.iter().zip(self.operands.iter().map(Vec::as_slice));
        let products = products.take(messages.len()).collect();
        let request = Request { key: &proved.key, products, mask: &self.operands[2] };
        // A benchmark makes more answers than one session may.
        if self.evaluator.budget().statistical_bits() < 66.0 {
            self.evaluator = Evaluator::default();
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
        let (sent, messages) = parties.encrypt(terms);
        let proved = parties.prove(sent);
        let answer = parties.answer(&proved, &messages);
        group.bench_function("encrypt", |b| b.iter(|| black_box(parties.encrypt(terms))));
        group.bench_function("answer", |b| {
            b.iter(|| black_box(parties.answer(&proved, &messages)));
        });
        group.bench_function("decrypt", |b| b.iter(|| black_box(parties.decrypt(&answer))));
        group.bench_function("both parties, without the proof", |b| {
            b.iter(|| {
                let (_, messages) = parties.encrypt(terms);
                let answer = parties.answer(&proved, &messages);
                black_box(parties.decrypt(&answer))
            })
        });
        group.finish();
    }
}

/// Encryptions of a batch and their proof: both parties' work for the latter.
fn proofs(criterion: &mut Criterion<CpuTime>) {
    for size in [1, MAX_BATCH / 2] {
        let bytes = ROWS * response_bytes(1);
        let mut group = criterion.benchmark_group(format!("proof, {bytes} bytes"));
        group.sample_size(10).throughput(Throughput::Elements(size as u64));
        let mut parties = Parties::new();
        group.bench_function(format!("{size} encryptions"), |b| {
            b.iter(|| {
                let sent = (0..size).flat_map(|_| parties.encrypt(1).0).collect();
                black_box(parties.prove(sent))
            });
        });
        group.finish();
    }
}

criterion_group!(
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = products, proofs
);
criterion_main!(benches);
