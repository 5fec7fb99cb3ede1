//! How many one-way delays of the link a pair's argument takes, one after the other: everything after the
//! witness. Every frame carries how many came before it, whichever side waited, so what both sides do
//! at the same time counts once (Lamport's clock).

mod in_process;

use in_process::{Case, case, seeds};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use twain_circuit::Witness;
use twain_link::channel::{Channel, ChannelError, MemoryChannel, TrafficMeter, memory_pair};
use twain_pair::TwoParty;
use twain_pair::preprocessing::make;
use twain_party::Role;
use twain_plonk::prove;

const CLOCK_BYTES: usize = 8;

/// A link whose frames say after how many delays they were sent.
struct Clocked {
    inner: MemoryChannel,
    delays: Arc<AtomicU64>,
}

impl Clocked {
    fn new(inner: MemoryChannel) -> Self {
        Self { inner, delays: Arc::default() }
    }
}

impl Channel for Clocked {
    fn role(&self) -> Role {
        self.inner.role()
    }
    fn send(&mut self, phase: &'static str, mut frame: Vec<u8>) -> Result<(), ChannelError> {
        frame.extend(self.delays.load(Ordering::Relaxed).to_le_bytes());
        self.inner.send(phase, frame)
    }
    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        let mut frame = self.inner.receive(phase, length + CLOCK_BYTES)?;
        let sent = frame.split_off(length).try_into().map_or(0, u64::from_le_bytes);
        self.delays.fetch_max(sent + 1, Ordering::Relaxed);
        Ok(frame)
    }
    fn session_id(&self) -> [u8; 32] {
        self.inner.session_id()
    }
    fn meter(&self) -> &TrafficMeter {
        self.inner.meter()
    }
}

/// Delays of the witness and of the argument.
type Delays = [u64; 2];

/// The delays of a proof.
fn delays(case: &Case, with_bundle: bool) -> Delays {
    let plan = case.plan();
    let side = |end: MemoryChannel| {
        let role = end.role();
        let mut bundle = Vec::new();
        let mut channel = Clocked::new(end);
        let id = [7; 32];
        if with_bundle {
            let mut write = |bytes: &[u8]| {
                bundle.extend_from_slice(bytes);
                Ok(())
            };
            make(&mut channel, id, &plan, &seeds(role), &mut write).unwrap();
        }
        let clock = channel.delays.clone();
        let party = if with_bundle {
            let bundle = std::io::Cursor::new(bundle);
            TwoParty::from_bundle(&mut channel, id, bundle, &seeds(role))
        } else {
            TwoParty::planned(&mut channel, &plan, &seeds(role))
        };
        let mut party = party.unwrap();
        let start = clock.load(Ordering::Relaxed);
        let values = case.side_values(&mut party, &case.secrets(), role).unwrap();
        let witness = clock.load(Ordering::Relaxed);
        let mut source = Witness::new(&case.circuit, &values);
        let instances = [values.instances.clone()];
        prove(&mut party, &case.key, &case.srs, &instances, &mut source).unwrap();
        [start, witness, clock.load(Ordering::Relaxed)]
    };
    let (model, data) = memory_pair([9; 32]);
    let [model, data] = thread::scope(|scope| {
        let data = scope.spawn(|| side(data));
        [side(model), data.join().unwrap()]
    });
    // A step is over when the second side is through.
    let [start, witness, end] = [0, 1, 2].map(|i| model[i].max(data[i]));
    [witness - start, end - witness]
}

/// Of 2^8, 2^9 and 2^10 rows: the number of rows does not matter. Whatever the first two circuits
/// copy is known to one side, so that there is nothing to do between the second step and the third.
const CIRCUITS: [&str; 3] = ["1l_relu-k8-private", "1l_mlp-k9-private", "credit_mlp-k10-private"];

#[test]
fn the_argument_takes_nine_delays() {
    let argument = CIRCUITS.map(|name| delays(&case(name), true)[1]);
    assert_eq!(argument, [8, 8, 9]);
}

/// Products that are made from ciphertexts wait for the answers, too.
#[test]
fn making_products_meanwhile_takes_a_few_more() {
    let argument = CIRCUITS.map(|name| delays(&case(name), false)[1]);
    assert!(argument.iter().all(|delays| *delays <= 11), "{argument:?}");
}
