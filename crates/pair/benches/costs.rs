//! What the protocols cost: processor time of both parties together (all their threads, so other
//! load on the machine hardly counts), bytes both ways and rounds, as a table. `TWAIN_PORTABLE=1`
//! measures the portable path. Linux only: the times are the kernel's account of the process.
//!
//!     cargo bench -p twain-pair --bench costs

use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};
use twain_algebra::Fr;
use twain_link::channel::tls::{
    ConnectOptions, PeerPolicy, Timeouts, TlsChannel, Unwatched, connect,
};
use twain_link::channel::{Channel, MemoryChannel, memory_pair};
use twain_link::identity::Identity;
use twain_masks::{Demand, DigitMaskSource, InlineMaterial};
use twain_ole::{BgvOle, OleGroup, OleSource};
use twain_pair::TwoParty;
use twain_party::{
    Hint, HintBatch, Inverted, Kind, Operand, PartyError, PartySeeds, ProverParty, Role, Seed,
    WireValue, WitnessParty,
};

const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time of this process so far.
fn processor_seconds() -> f64 {
    let account = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    // The name of the program, the second field, may hold spaces.
    let fields = account.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
        / TICKS_PER_SECOND
}

/// The largest resident set so far, in megabytes.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) / 1024.0
}

/// Runs `prepare` and then `run` on both sides and prints what one of `count` items of `run` costs.
fn measure<T>(
    name: &str,
    count: usize,
    prepare: impl Fn(&mut MemoryChannel, ChaCha20Rng) -> Result<T, PartyError> + Sync,
    run: impl Fn(&mut MemoryChannel, T) -> Result<(), PartyError> + Sync,
) {
    let step = Barrier::new(3);
    let side = &|mut channel: MemoryChannel| {
        let rng = ChaCha20Rng::seed_from_u64(channel.role() as u64);
        let prepared = prepare(&mut channel, rng).expect("prepared");
        let before = channel.traffic();
        step.wait();
        run(&mut channel, prepared).expect("run");
        step.wait();
        let after = channel.traffic();
        (after.sent - before.sent, after.rounds - before.rounds)
    };
    let (model, data) = memory_pair([1; 32]);
    let (seconds, [(model, rounds), (data, _)]) = thread::scope(|scope| {
        let sides = [model, data].map(|channel| scope.spawn(move || side(channel)));
        step.wait();
        let start = processor_seconds();
        step.wait();
        (processor_seconds() - start, sides.map(|side| side.join().expect("no fault")))
    });
    println!(
        "| {name} | {:.3} | {:.0} | {:.1} | {rounds} | {:.0} |",
        1e6 * seconds / count as f64,
        2.0 * count as f64 / seconds,
        (model + data) as f64 / count as f64,
        peak_memory(),
    );
}

/// Inner products whose cross terms are `terms`.
fn inner_products(name: &str, count: usize, terms: &[(u32, u32)]) {
    let operands = terms.len();
    let prepare = |channel: &mut MemoryChannel, mut rng: ChaCha20Rng| {
        let mut operands = vec![vec![Fr::ZERO; count]; operands];
        operands.iter_mut().for_each(|operand| twain_rlwe::uniform_scalars(&mut rng, operand));
        let mut source = BgvOle::new(rng);
        let first = [OleGroup { length: 1, terms: vec![(0, 0)] }];
        source.inner_products(channel, "keys", &[&operands[0][..1]], &first)?;
        Ok((source, operands))
    };
    measure(name, count, prepare, |channel, (mut source, operands)| {
        let operands: Vec<&[Fr]> = operands.iter().map(Vec::as_slice).collect();
        let group = OleGroup { length: count, terms: terms.to_vec() };
        source.inner_products(channel, "products", &operands, &[group]).map(drop)
    });
}

/// A step of a party over shared values, everything made inline.
fn step(
    name: &str,
    count: usize,
    bits: u16,
    run: impl Fn(&mut TwoParty, &[Operand]) -> Result<(), PartyError> + Sync,
) {
    let prepare = |_: &mut MemoryChannel, _| Ok(());
    measure(name, count, prepare, |channel, ()| {
        let role = channel.role();
        let seeds = PartySeeds { blinding: Seed([1; 32]), protocol: Seed([role as u8; 32]) };
        let share = Fr::from(if role == Role::Model { 5 } else { 7 });
        let operands = vec![Operand { share, kind: Kind::Shared, bits }; count];
        run(&mut TwoParty::inline(channel, &seeds)?, &operands)
    });
}

fn digit_masks(bits: usize, count: usize) {
    let prepare = |channel: &mut MemoryChannel, rng| {
        let mut material = InlineMaterial::new(rng);
        let mut demand = Demand::default();
        demand.masks[1] = 1;
        material.supply(channel, &demand)?;
        Ok(material)
    };
    measure(
        &format!("digit mask of {bits} bits, made"),
        count,
        prepare,
        |channel, mut material| {
            let mut demand = Demand::default();
            demand.masks[bits] = count;
            material.supply(channel, &demand).map(drop)
        },
    );
}

/// Bytes a second one way over loopback TLS, in wall time.
fn tls() {
    const FRAME: usize = 4 << 20;
    const FRAMES: usize = 256;
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let identities =
        folders.each_ref().map(|folder| Identity::load_or_create(folder.path()).expect("made"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
    let address = listener.local_addr().expect("bound").to_string();
    drop(listener);
    let side = |role: Role| -> TlsChannel {
        let (local, remote) = match role {
            Role::Model => (Some(address.as_str()), None),
            Role::Data => (None, Some(address.as_str())),
        };
        connect(ConnectOptions {
            role,
            identity: &identities[role as usize],
            local,
            remote,
            peer: PeerPolicy::Pinned(identities[role.other() as usize].fingerprint()),
            connect_timeout: Duration::from_secs(20),
            watcher: &Unwatched,
            timeouts: Timeouts::default(),
        })
        .expect("connected")
    };
    thread::scope(|scope| {
        let model = scope.spawn(|| side(Role::Model));
        let mut data = side(Role::Data);
        let mut model = model.join().expect("connected");
        let (start, processor) = (Instant::now(), processor_seconds());
        scope.spawn(move || {
            for _ in 0..FRAMES {
                model.send("bytes", vec![7; FRAME]).expect("sent");
            }
            model.receive("end", 1).expect("ended");
        });
        for _ in 0..FRAMES {
            data.receive("bytes", FRAME).expect("received");
        }
        let megabytes = (FRAME * FRAMES) as f64 / 1e6;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "\nTLS over loopback, one way: {:.0} MB/s, {:.2} ns of processor a byte on both sides",
            megabytes / seconds,
            1e3 * (processor_seconds() - processor) / megabytes,
        );
        data.send("end", vec![0]).expect("sent");
    });
}

fn main() {
    // One core a party.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build_global();
    pool.expect("the first pool");
    println!("{} path\n", twain_algebra::backend().name());
    println!("| item | µs, both sides | a second a core | bytes, both ways | rounds | peak MB |");
    println!("|---|---|---|---|---|---|");
    inner_products("OLE (one cross term)", 1 << 19, &[(0, 0)]);
    inner_products("product of two shared values", 1 << 19, &[(0, 1), (1, 0)]);
    let six: Vec<(u32, u32)> = (0..12).map(|i| (i, i ^ 1)).collect();
    inner_products("inner product of six products", 1 << 17, &six);
    step("factors of a shared value", 1 << 18, 254, |party, values| {
        let numbered = (0..).zip(values);
        let wires: Vec<WireValue> =
            numbered.map(|(wire, operand)| WireValue { wire, operand: *operand }).collect();
        party.claim(&wires)?;
        let conversion = party.prepare_factors(&wires)?;
        let conversion = party.begin_factors(conversion, &vec![Fr::ONE; values.len()])?;
        party.finish_factors(conversion).map(drop)
    });
    step("inverse of a shared value", 1 << 18, 254, |party, values| {
        let inverted = |operand: &Operand| Inverted { operand: *operand, form: None };
        let inverted: Vec<Inverted> = values.iter().map(inverted).collect();
        let inversion = party.begin_inverses(&inverted, &[], &[])?;
        party.finish_inverses(inversion).map(drop)
    });
    digit_masks(7, 1 << 14);
    digit_masks(14, 1 << 9);
    step("sign and two digits of 14 bits, masks included", 1 << 9, 28, |party, inputs| {
        let hint = Hint::Decompose { base: 1 << 14, legs: 2 };
        party.hints(&[HintBatch { hint, inputs, first_output: 0 }]).map(drop)
    });
    tls();
}
