//! A link that goes wrong at each step of what a pair does, and links that are slow. Both sides run
//! in this process, over TLS through an emulated link; `tests/kills.rs` does the same to processes.
//!
//! A pair makes a bundle, proves from a bundle, or proves without one. Whatever strikes wherever:
//! both sides end in time with an error that names the step, the same work then succeeds, the two
//! stores hold the same bundles, and none is taken twice. The full sweep (`cargo xtask faults`)
//! takes minutes; a few of its strikes always run.

mod in_process;
mod table;

use in_process::{Case, case, seeds};
use std::collections::HashSet;
use std::error::Error;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};
use table::Table;
use tempfile::TempDir;
use twain_link::channel::emulator::{ByteFault, Direction, LinkProfile, TcpEmulator};
use twain_link::channel::tls::{
    ConnectOptions, PeerPolicy, Timeouts, TlsChannel, Unwatched, connect,
};
use twain_link::channel::{Channel, ChannelError, TrafficMeter};
use twain_link::handshake::{Manifest, Session, handshake};
use twain_link::identity::Identity;
use twain_pair::TwoParty;
use twain_pair::preprocessing::{Plan, make};
use twain_party::{PartySeeds, Role, Seed};
use twain_store::Store;

const SILENCE: Duration = Duration::from_secs(3);
/// Within this both sides have ended: the silence limit, and the work before the strike.
const PATIENCE: Duration = Duration::from_secs(120);
const SERIES: [u8; 32] = [6; 32];
const FAULTS: [ByteFault; 4] =
    [ByteFault::Cut, ByteFault::Corrupt, ByteFault::Replay, ByteFault::Stall];

/// What a pair does in a session, after the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// Makes a bundle.
    Preprocess,
    /// Takes a bundle and proves.
    ProveFromBundle,
    /// Proves without.
    ProveInline,
}

type Failure = Box<dyn Error + Send + Sync>;

/// A channel that calls something as soon as a step begins to send.
struct Trigger<'a> {
    inner: TlsChannel,
    step: &'a str,
    action: Option<Box<dyn FnOnce() + Send + 'a>>,
}

impl Channel for Trigger<'_> {
    fn role(&self) -> Role {
        self.inner.role()
    }
    fn send(&mut self, step: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        if step == self.step
            && let Some(action) = self.action.take()
        {
            action();
        }
        self.inner.send(step, frame)
    }
    fn receive(&mut self, step: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        self.inner.receive(step, length)
    }
    fn note_due(&mut self, length: usize) {
        self.inner.note_due(length);
    }
    fn session_id(&self) -> [u8; 32] {
        self.inner.session_id()
    }
    fn meter(&self) -> &TrafficMeter {
        self.inner.meter()
    }
}

/// Two machines, each with an identity and a store, and what they prove.
struct Machines {
    case: Case,
    plan: Plan,
    folders: [TempDir; 2],
    identities: [Identity; 2],
    /// Bundles each side has taken.
    taken: [Mutex<Vec<[u8; 32]>>; 2],
}

/// Names of steps.
type Steps = Vec<&'static str>;

/// How a side ended.
struct Ended {
    /// The proof, if it was to make one.
    made: Result<Option<Vec<u8>>, Failure>,
    /// In which it sent.
    steps: Steps,
}

/// What goes wrong: after `.0` has begun, on what this side sends.
type Strike<'a> = (&'a str, Role, ByteFault);

impl Machines {
    fn new() -> Self {
        Self::of(case("1l_mlp-k9-private"))
    }

    fn of(case: Case) -> Self {
        let plan = case.plan();
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let identities = [0, 1].map(|i| Identity::load_or_create(folders[i].path()).unwrap());
        Self { case, plan, folders, identities, taken: Default::default() }
    }

    fn store(&self, role: Role) -> Store<'_> {
        let folder = self.folders[role as usize].path();
        let [bundles, marks]: [PathBuf; 2] = ["bundles", "marks"].map(|name| folder.join(name));
        Store::open(&bundles, &marks, &self.identities[role as usize]).unwrap()
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
            watcher: &Unwatched,
            timeouts: Timeouts { silence: SILENCE, ..Timeouts::default() },
        })
        .unwrap()
    }

    fn preprocess(&self, channel: &mut dyn Channel, session: &Session) -> Result<(), Failure> {
        let mut store = self.store(session.role);
        let mut bundle = store.make(channel, session, SERIES)?;
        let (id, seed) = (bundle.id(), Seed([10 + session.role as u8; 32]));
        let seeds = PartySeeds { blinding: seed.clone(), protocol: seed };
        make(channel, id, &self.plan, &seeds, &mut |bytes| bundle.write(bytes))?;
        Ok(bundle.commit(channel)?)
    }

    fn prove_from_bundle(
        &self,
        channel: &mut dyn Channel,
        session: &Session,
    ) -> Result<Vec<u8>, Failure> {
        let role = session.role;
        let bundle = self.store(role).reserve(channel, session, SERIES)?;
        let bundle = bundle.ok_or("the stores have no bundle in common")?;
        let id = bundle.id();
        self.taken[role as usize].lock().unwrap().push(id);
        let mut party = TwoParty::from_bundle(channel, id, bundle, &seeds(role))?;
        Ok(self.case.side(&mut party, &self.case.secrets(), role)?.1)
    }

    fn work(
        &self,
        work: Work,
        channel: &mut dyn Channel,
        session: &Session,
    ) -> Result<Option<Vec<u8>>, Failure> {
        match work {
            Work::Preprocess => self.preprocess(channel, session).map(|()| None),
            Work::ProveFromBundle => self.prove_from_bundle(channel, session).map(Some),
            Work::ProveInline => {
                Store::decline(channel)?;
                Ok(Some(self.case.side_over(channel, &self.case.secrets())?.1))
            }
        }
    }

    /// A session of both sides over a link: how each ended.
    fn session(&self, work: Work, profile: LinkProfile, strike: Option<Strike>) -> [Ended; 2] {
        // Away from the address from which all tests call: none of their ports is taken here.
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let emulator = TcpEmulator::start(address, profile).unwrap();
        let (emulator, emulated) = (&emulator, emulator.address().to_string());
        let side = |role: Role| {
            let mut channel = self.connect(role, &address.to_string(), &emulated);
            let manifest = Manifest::new([("circuit".to_string(), [1; 32])]).unwrap();
            let session = match handshake(&mut channel, &manifest) {
                Ok(session) => session,
                Err(error) => return Ended { made: Err(error.into()), steps: Vec::new() },
            };
            let direction = match role {
                Role::Model => Direction::Backward,
                Role::Data => Direction::Forward,
            };
            let (step, action) = match strike {
                Some((step, striking, fault)) if striking == role => {
                    let inject = move || emulator.inject(direction, 40, fault);
                    (step, Some(Box::new(inject) as Box<dyn FnOnce() + Send + '_>))
                }
                _ => ("", None),
            };
            let mut trigger = Trigger { inner: channel, step, action };
            let made = self.work(work, &mut trigger, &session);
            let phases = trigger.meter().phases().iter();
            let steps = phases.filter(|(_, traffic)| traffic.sent > 0).map(|(name, _)| *name);
            let steps = steps.collect();
            let made = made.and_then(|made| {
                trigger.inner.finish(SILENCE)?;
                Ok(made)
            });
            Ended { made, steps }
        };
        thread::scope(|scope| {
            let model = scope.spawn(|| side(Role::Model));
            let data = side(Role::Data);
            [model.join().unwrap(), data]
        })
    }

    /// A session that must succeed; the steps in which each side sends.
    fn succeeds(&self, work: Work, profile: LinkProfile) -> [Steps; 2] {
        let [model, data] = self.session(work, profile, None);
        assert_eq!(model.made.unwrap(), data.made.unwrap());
        [model.steps, data.steps]
    }

    /// What a session of `work` needs in the stores.
    fn prepare(&self, work: Work) {
        if work == Work::ProveFromBundle {
            self.succeeds(Work::Preprocess, LinkProfile::default());
        }
    }

    /// A session that must fail on both sides; the seconds until both have ended.
    fn fails(&self, work: Work, strike: Strike, steps: &[Steps; 2]) -> f64 {
        self.prepare(work);
        let start = Instant::now();
        let ended = self.session(work, LinkProfile::default(), Some(strike));
        let took = start.elapsed();
        assert!(took < PATIENCE, "{strike:?} took {took:?}");
        for side in ended {
            let error = side.made.err().unwrap_or_else(|| panic!("{strike:?} goes unnoticed"));
            let text = error.to_string();
            let steps = steps.iter().flatten().chain([&"farewell"]);
            let mut named = steps.filter(|step| text.contains(&format!("during {step},")));
            assert!(named.next().is_some(), "{strike:?}: {text}");
        }
        took.as_secs_f64()
    }

    /// After whatever happened, the same work succeeds, and the stores are as they must be.
    fn recovers(&self, work: Work) {
        self.prepare(work);
        self.succeeds(work, LinkProfile::default());
        let [model, data] = [Role::Model, Role::Data].map(|role| {
            let taken = self.taken[role as usize].lock().unwrap();
            let taken_once: HashSet<[u8; 32]> = taken.iter().copied().collect();
            assert_eq!(taken_once.len(), taken.len(), "{role:?} took a bundle twice");
            let left = self.store(role).bundles().unwrap();
            let left: Vec<[u8; 32]> = left.into_iter().map(|bundle| bundle.id).collect();
            assert!(left.iter().all(|id| !taken_once.contains(id)), "{role:?} keeps what it used");
            left
        });
        if work == Work::ProveFromBundle {
            assert_eq!(model, data, "the stores differ");
        }
    }
}

#[test]
fn some_faults_in_some_steps() {
    let strikes = [
        (Work::Preprocess, "store: make a bundle", Role::Model, ByteFault::Cut),
        (Work::Preprocess, "digit masks", Role::Data, ByteFault::Stall),
        (Work::ProveFromBundle, "store: reserve a bundle", Role::Data, ByteFault::Corrupt),
        (Work::ProveFromBundle, "openings", Role::Data, ByteFault::Replay),
        (Work::ProveInline, "quotient", Role::Model, ByteFault::Corrupt),
    ];
    let machines = Machines::new();
    some_faults(&machines, &strikes);
    let near = LinkProfile { latency: Duration::from_micros(100), bandwidth: None };
    machines.succeeds(Work::ProveInline, near);
}

/// Inputs of both sides, no model.
#[test]
fn some_faults_between_two_owners() {
    let case = case("../circuits/logic").owned_by(&[Role::Model, Role::Data]);
    let strikes = [
        (Work::ProveInline, "masked", Role::Model, ByteFault::Corrupt),
        (Work::ProveFromBundle, "validity test", Role::Data, ByteFault::Cut),
    ];
    some_faults(&Machines::of(case), &strikes);
}

fn some_faults(machines: &Machines, strikes: &[(Work, &str, Role, ByteFault)]) {
    for &(work, step, role, fault) in strikes {
        machines.prepare(work);
        let steps = machines.succeeds(work, LinkProfile::default());
        let step = *steps[role as usize].iter().find(|name| name.contains(step)).unwrap();
        machines.fails(work, (step, role, fault), &steps);
        machines.recovers(work);
    }
}

fn every_fault_in_every_step(work: Work) {
    let machines = Machines::new();
    machines.prepare(work);
    let all = machines.succeeds(work, LinkProfile::default());
    let sides = [Role::Model, Role::Data];
    let columns = sides.iter().flat_map(|role| FAULTS.map(|fault| format!("{role:?} {fault:?}")));
    let mut table = Table::new(&format!("{work:?}: seconds until both have ended"), columns);
    let mut steps: Steps = Vec::new();
    for step in all.iter().flatten() {
        // The handshake is over when the emulator is told.
        if !steps.contains(step) && *step != "handshake" {
            steps.push(step);
        }
    }
    for step in steps {
        let mut cells = Vec::new();
        for role in sides {
            if !all[role as usize].contains(&step) {
                cells.extend(FAULTS.map(|_| None));
                continue;
            }
            cells.extend(FAULTS.map(|fault| Some(machines.fails(work, (step, role, fault), &all))));
            machines.recovers(work);
        }
        table.row(step, cells);
    }
    table.end();
}

#[test]
#[ignore = "takes minutes: cargo xtask faults"]
fn every_fault_in_every_step_of_making_a_bundle() {
    every_fault_in_every_step(Work::Preprocess);
}

#[test]
#[ignore = "takes minutes: cargo xtask faults"]
fn every_fault_in_every_step_of_a_proof_from_a_bundle() {
    every_fault_in_every_step(Work::ProveFromBundle);
}

#[test]
#[ignore = "takes minutes: cargo xtask faults"]
fn every_fault_in_every_step_of_a_proof() {
    every_fault_in_every_step(Work::ProveInline);
}

#[test]
#[ignore = "takes minutes: cargo xtask faults"]
fn near_and_far_links() {
    let machines = Machines::new();
    let mut table = Table::new("One way over the link: seconds", ["proof", "bundle", "from it"]);
    for microseconds in [100, 10_000, 100_000] {
        let latency = Duration::from_micros(microseconds);
        let profile = LinkProfile { latency, bandwidth: None };
        let works = [Work::ProveInline, Work::Preprocess, Work::ProveFromBundle];
        let cells = works.map(|work| {
            let start = Instant::now();
            machines.succeeds(work, profile);
            Some(start.elapsed().as_secs_f64())
        });
        table.row(&format!("{latency:?}"), cells);
    }
    table.end();
}
