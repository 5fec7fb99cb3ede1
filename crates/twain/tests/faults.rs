//! A link that goes wrong at each step of a pair's proof, and links that are slow. Both sides run in
//! this process, over TLS through an emulated link; before the proof they reserve a bundle from their
//! stores, as `prove` does.
//!
//! Whatever strikes wherever: both sides end in time with an error that names the step, and their stores
//! can still be used, no bundle twice. The full sweep (`cargo xtask faults`) takes minutes; a few of its
//! strikes always run.

mod in_process;

use in_process::{Case, case};
use std::collections::HashSet;
use std::error::Error;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use twain_mpc::channel::emulator::{ByteFault, Direction, LinkProfile, TcpEmulator};
use twain_mpc::channel::tls::{ConnectOptions, PeerPolicy, Timeouts, TlsChannel, connect};
use twain_mpc::channel::{Channel, ChannelError, TrafficMeter};
use twain_mpc::handshake::{Manifest, Session, handshake};
use twain_mpc::identity::Identity;
use twain_mpc::store::Store;
use twain_party::Role;

const SILENCE: Duration = Duration::from_secs(4);
/// Within this both sides have ended: the silence limit, and the proof before the strike.
const PATIENCE: Duration = Duration::from_secs(120);
const PLAN: [u8; 32] = [6; 32];
const FAULTS: [ByteFault; 4] =
    [ByteFault::Cut, ByteFault::Corrupt, ByteFault::Replay, ByteFault::Stall];

type Failure = Box<dyn Error + Send + Sync>;

/// A channel that calls something as soon as a step begins to send.
struct Trigger<'a> {
    inner: TlsChannel,
    phase: &'a str,
    action: Option<Box<dyn FnOnce() + Send + 'a>>,
}

impl Channel for Trigger<'_> {
    fn role(&self) -> Role {
        self.inner.role()
    }
    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        if phase == self.phase
            && let Some(action) = self.action.take()
        {
            action();
        }
        self.inner.send(phase, frame)
    }
    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        self.inner.receive(phase, length)
    }
    fn session_id(&self) -> [u8; 32] {
        self.inner.session_id()
    }
    fn meter(&self) -> &TrafficMeter {
        self.inner.meter()
    }
}

/// Two machines, each with an identity and a store.
struct Machines {
    folders: [TempDir; 2],
    identities: [Identity; 2],
    /// Bundles each side has taken.
    taken: [Mutex<Vec<[u8; 32]>>; 2],
}

/// Names of steps.
type Steps = Vec<&'static str>;

/// How a side ended.
struct Ended {
    proof: Result<Vec<u8>, Failure>,
    steps: Steps,
}

/// What goes wrong: after `.0` has begun, on what this side sends.
type Strike<'a> = (&'a str, Role, ByteFault);

impl Machines {
    fn new() -> Self {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let identities = [0, 1].map(|i| Identity::load_or_create(folders[i].path()).unwrap());
        Self { folders, identities, taken: Default::default() }
    }

    fn store(&self, role: Role) -> PathBuf {
        self.folders[role as usize].path().join("bundles")
    }

    /// A connection; the model's side listens, so what it sends goes backward.
    fn connect(&self, role: Role, address: &str, emulated: &str) -> TlsChannel {
        let (local, remote) = match role {
            Role::Model => (Some(address), None),
            Role::Data => (None, Some(emulated)),
        };
        connect(ConnectOptions {
            role,
            identity: &self.identities[role as usize],
            local,
            remote,
            peer: PeerPolicy::Pinned(self.identities[role.other() as usize].fingerprint()),
            connect_timeout: PATIENCE,
            timeouts: Timeouts { silence: SILENCE, ..Timeouts::default() },
        })
        .unwrap()
    }

    /// Makes a bundle and takes the oldest, as a session does before its proof.
    fn bundles(&self, channel: &mut dyn Channel, session: &Session) -> Result<(), Failure> {
        let side = session.role as usize;
        let mut store = Store::open(&self.store(session.role), &self.identities[side])?;
        let mut bundle = store.make(channel, session, PLAN)?;
        bundle.write(&[1; 100])?;
        bundle.commit(channel)?;
        if let Some(bundle) = store.reserve(channel, session, PLAN)? {
            self.taken[side].lock().unwrap().push(bundle.id());
        }
        Ok(())
    }

    /// One session of both sides over a link: how each ended, and the steps in which it sent.
    fn session(&self, case: &Case, profile: LinkProfile, strike: Option<Strike>) -> [Ended; 2] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let emulator = TcpEmulator::start(address, profile).unwrap();
        let (emulator, emulated) = (&emulator, emulator.address().to_string());
        let side = |role: Role| {
            let mut channel = self.connect(role, &address.to_string(), &emulated);
            let manifest = Manifest::new([("circuit".to_string(), [1; 32])]).unwrap();
            let session = match handshake(&mut channel, &manifest) {
                Ok(session) => session,
                Err(error) => return Ended { proof: Err(error.into()), steps: Vec::new() },
            };
            let direction = match role {
                Role::Model => Direction::Backward,
                Role::Data => Direction::Forward,
            };
            let (phase, action) = match strike {
                Some((phase, striking, fault)) if striking == role => {
                    let inject = move || emulator.inject(direction, 40, fault);
                    (phase, Some(Box::new(inject) as Box<dyn FnOnce() + Send + '_>))
                }
                _ => ("", None),
            };
            let mut trigger = Trigger { inner: channel, phase, action };
            let made = self.bundles(&mut trigger, &session).and_then(|()| {
                let (_, proof) = case.side_over(&mut trigger, &case.secrets())?;
                Ok(proof)
            });
            let phases = trigger.meter().phases().iter();
            let steps = phases.filter(|(_, traffic)| traffic.sent > 0).map(|(name, _)| *name);
            let steps = steps.collect();
            let proof = made.and_then(|proof| {
                trigger.inner.finish(SILENCE)?;
                Ok(proof)
            });
            Ended { proof, steps }
        };
        thread::scope(|scope| {
            let model = scope.spawn(|| side(Role::Model));
            let data = side(Role::Data);
            [model.join().unwrap(), data]
        })
    }

    /// A session that must succeed; the steps in which each side sends.
    fn succeeds(&self, case: &Case, profile: LinkProfile) -> [Steps; 2] {
        let [model, data] = self.session(case, profile, None);
        assert_eq!(model.proof.unwrap(), data.proof.unwrap());
        [model.steps, data.steps]
    }

    fn fails(&self, case: &Case, strike: Strike, steps: &[Steps; 2]) {
        let start = Instant::now();
        let ended = self.session(case, LinkProfile::default(), Some(strike));
        assert!(start.elapsed() < PATIENCE, "{strike:?} took {:?}", start.elapsed());
        for side in ended {
            let error = side.proof.err().unwrap_or_else(|| panic!("{strike:?} goes unnoticed"));
            let text = error.to_string();
            let steps = steps.iter().flatten().chain([&"farewell"]);
            let mut named = steps.filter(|step| text.contains(&format!("during {step},")));
            assert!(named.next().is_some(), "{strike:?}: {text}");
        }
    }

    /// No side took a bundle twice.
    fn is_consistent(&self) {
        for taken in &self.taken {
            let taken = taken.lock().unwrap();
            let distinct: HashSet<_> = taken.iter().collect();
            assert_eq!(distinct.len(), taken.len());
        }
    }
}

#[test]
fn some_faults_in_some_steps() {
    let case = case("1l_mlp-k9-private");
    let machines = Machines::new();
    let steps = machines.succeeds(&case, LinkProfile::default());
    let strikes = [
        ("bundle", Role::Model, ByteFault::Cut),
        ("digit masks", Role::Data, ByteFault::Stall),
        ("quotient", Role::Model, ByteFault::Corrupt),
        ("openings", Role::Data, ByteFault::Replay),
    ];
    for (phase, role, fault) in strikes {
        let phase = *steps[role as usize].iter().find(|step| step.contains(phase)).unwrap();
        machines.fails(&case, (phase, role, fault), &steps);
    }
    machines.succeeds(&case, LinkProfile { latency: Duration::from_micros(100), bandwidth: None });
    machines.is_consistent();
}

#[test]
#[ignore = "takes minutes: cargo xtask faults"]
fn every_fault_in_every_step() {
    let case = case("1l_mlp-k9-private");
    let machines = Machines::new();
    let steps = machines.succeeds(&case, LinkProfile::default());
    for role in [Role::Model, Role::Data] {
        // The handshake is over when the emulator is told.
        for step in steps[role as usize].iter().filter(|step| **step != "handshake") {
            for fault in FAULTS {
                let start = Instant::now();
                machines.fails(&case, (step, role, fault), &steps);
                println!("{step}, {role:?}, {fault:?}: {:.1} s", start.elapsed().as_secs_f64());
            }
            machines.is_consistent();
        }
    }
    machines.succeeds(&case, LinkProfile::default());
    machines.is_consistent();
}

#[test]
#[ignore = "takes minutes: cargo xtask faults"]
fn near_and_far_links() {
    let case = case("1l_mlp-k9-private");
    for microseconds in [100, 10_000, 100_000] {
        let latency = Duration::from_micros(microseconds);
        let start = Instant::now();
        Machines::new().succeeds(&case, LinkProfile { latency, bandwidth: None });
        println!("{latency:?} one way: {:.1} s", start.elapsed().as_secs_f64());
    }
}
