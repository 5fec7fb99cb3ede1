//! Digit masks a second on one core: made (one party's share of the work) and expanded.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use twain_link::channel::{Channel, memory_pair};
use twain_masks::dpf::{Checked, DigitMask, Scratch};
use twain_masks::{Demand, DigitMaskSource, InlineMaterial};
use twain_party::PartyError;

/// One party's masks below `2^bits`; the other's are made in a second thread and dropped.
fn make(bits: u8, count: usize) -> Result<Vec<Checked<DigitMask>>, PartyError> {
    let mut demand = Demand::default();
    demand.masks[usize::from(bits)] = count;
    let (mut model, mut data) = memory_pair([1; 32]);
    let side = |channel: &mut dyn Channel, seed| {
        let mut source = InlineMaterial::new(ChaCha20Rng::seed_from_u64(seed));
        source.supply(channel, &demand).map(|mut made| made.masks.swap_remove(usize::from(bits)))
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| side(&mut data, 1).map(|masks| masks.len()));
        let masks = side(&mut model, 2);
        drop(other.join());
        masks
    })
}

fn digit_masks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("digit masks");
    group.sample_size(10);
    for bits in [7u8, 14] {
        // Both parties' work on the machine's cores, base transfers included.
        let count = 1usize << (20 - bits);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("made by both parties, 2^{bits}"), |b| {
            b.iter(|| make(bits, count))
        });

        let Ok(masks) = make(bits, 64) else { continue };
        let mut scratch = Scratch::default();
        let mut counts = vec![0u128; 1 << bits];
        group.throughput(Throughput::Elements(masks.len() as u64));
        group.bench_function(format!("expanded and counted, one thread, 2^{bits}"), |b| {
            b.iter(|| masks.iter().for_each(|m| m.accumulate(77, &mut counts, &mut scratch)));
        });
        group.bench_function(format!("compared, one thread, 2^{bits}"), |b| {
            b.iter(|| masks.iter().map(|m| m.compare(77, &mut scratch).0).fold(0, |a, b| a ^ b));
        });
    }
}

criterion_group!(benches, digit_masks);
criterion_main!(benches);
