//! The library as a program uses it: two sessions of different roles in one process, each with an
//! observer of its own; one that is cancelled.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use twain::observe::{Cancel, Event, Observer, Run};
use twain::pair::{self, CommonFiles, Peer, ProveFiles, Side};
use twain::{Fault, alone};
use twain_link::channel::memory_pair;
use twain_link::channel::tls::{ConnectOptions, PeerPolicy, Timeouts, Unwatched, connect};
use twain_link::identity::Identity;
use twain_party::{Phase, Role};

/// What a session told.
#[derive(Default)]
struct Diary(Mutex<Vec<Event>>);

impl Observer for Diary {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// A folder with what both sides hold of a circuit, and the model's side's own.
struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Self {
        let site = Site(tempfile::tempdir().unwrap());
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
        for name in ["model.compiled", "input.json", "settings.json"] {
            fs::copy(vectors.join("1l_relu-k8-private").join(name), site.at(name)).unwrap();
        }
        fs::copy(vectors.join("srs/kzg8.srs"), site.at("kzg.srs")).unwrap();
        let redaction = alone::redact(&site.at("model.compiled")).unwrap();
        redaction.write(&site.at("model.redacted.compiled")).unwrap();
        let setup = alone::Setup {
            compiled_circuit: site.at("model.redacted.compiled"),
            srs: Some(site.at("kzg.srs")),
            vk_path: site.at("vk.key"),
            pk_path: site.at("pk.key"),
            witness: None,
            compress: true,
            allow_unbound_einsums: false,
        };
        alone::setup(&setup, &Run::silent()).unwrap();
        site
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn common(&self, role: Role) -> CommonFiles {
        let circuit = match role {
            Role::Model => "model.compiled",
            Role::Data => "model.redacted.compiled",
        };
        CommonFiles {
            compiled_circuit: self.at(circuit),
            pk_path: self.at("pk.key"),
            srs_path: Some(self.at("kzg.srs")),
            allow_polycommit: false,
            allow_unbound_einsums: false,
        }
    }

    fn data(&self) -> String {
        self.at("input.json").display().to_string()
    }

    fn files(&self, role: Role) -> ProveFiles {
        ProveFiles {
            common: self.common(role),
            data: self.data(),
            proof_path: self.at(&format!("{role:?}.json")),
            reveal: None,
            output_path: self.at("output.json"),
            published_commitment: None,
        }
    }

    /// Meets the other role's identity, which lies in its own folder here.
    fn peer(&self, role: Role, local_addr: Option<String>, remote_peer: Option<String>) -> Peer {
        let identity = |role: Role| Some(self.at(&format!("{role:?}")));
        Peer {
            remote_peer,
            local_addr,
            peer: Some(pair::fingerprint(&identity(role.other())).unwrap().to_string()),
            identity: identity(role),
            connect_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(60),
            session_timeout: None,
        }
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn two_sessions_of_different_roles_in_one_process() {
    let site = Site::new();
    let address = free_address();
    let diaries = [Arc::new(Diary::default()), Arc::new(Diary::default())];
    // One dialable side is enough.
    let peers = [
        site.peer(Role::Model, Some(address.clone()), None),
        site.peer(Role::Data, None, Some(address)),
    ];
    thread::scope(|scope| {
        for (role, (peer, diary)) in
            [Role::Model, Role::Data].into_iter().zip(peers.iter().zip(&diaries))
        {
            let site = &site;
            scope.spawn(move || {
                let run = Run::new(diary.clone(), Cancel::default());
                pair::prove(role, &site.files(role), peer, &run).unwrap();
                assert!(run.finish().iter().any(|(phase, _)| *phase == Phase::Quotient));
                assert!(run.traffic().unwrap().sent > 0);
            });
        }
    });
    let [model, data] = ["Model.json", "Data.json"].map(|name| fs::read(site.at(name)).unwrap());
    assert_eq!(model, data);
    let (settings, vk) = (site.at("settings.json"), site.at("vk.key"));
    let srs = Some(site.at("kzg.srs"));
    alone::verify(&settings, &site.at("Data.json"), &vk, srs, false).unwrap();
    for diary in &diaries {
        let events = diary.0.lock().unwrap();
        let has = |wanted: fn(&Event) -> bool| events.iter().any(wanted);
        assert!(has(|event| matches!(event, Event::Forecast(_))));
        assert!(has(|event| matches!(event, Event::Connected { .. })));
        assert!(has(|event| *event == Event::Began(Phase::Witness)));
        assert!(has(|event| matches!(event, Event::Ended(Phase::Opening, _))));
    }
    let listens = |diary: &Diary| {
        diary.0.lock().unwrap().iter().any(|event| matches!(event, Event::Listening(_)))
    };
    assert!(listens(&diaries[0]) && !listens(&diaries[1]));
}

#[test]
fn a_pair_over_a_channel_in_memory() {
    let site = Site::new();
    let side = |role| Side::read(role, &site.common(role), &site.data(), &Run::silent()).unwrap();
    let (model, data) = (side(Role::Model), side(Role::Data));
    let (mut model_end, mut data_end) = memory_pair([7; 32]);
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(|| data.prove_over(&mut data_end, &Run::silent()).unwrap());
        (model.prove_over(&mut model_end, &Run::silent()).unwrap(), other.join().unwrap())
    });
    assert_eq!((one.proof, one.instances), (other.proof, other.instances));
}

#[test]
fn a_session_that_waits_for_its_peer_can_be_cancelled() {
    let site = Site::new();
    let peer = site.peer(Role::Model, Some(free_address()), None);
    let cancel = Cancel::default();
    let run = Run::new(Arc::new(Diary::default()), cancel.clone());
    let session = thread::spawn({
        let files = site.files(Role::Model);
        move || pair::prove(Role::Model, &files, &peer, &run)
    });
    thread::sleep(Duration::from_millis(300));
    let start = Instant::now();
    cancel.cancel();
    let error = session.join().unwrap().unwrap_err();
    assert_eq!(error.fault(), Fault::Cancelled, "{error}");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert!(!site.at("Model.json").exists());
}

/// A peer that is there, but says nothing more.
#[test]
fn a_session_that_waits_for_a_frame_can_be_cancelled() {
    let site = Site::new();
    let address = free_address();
    let peer = site.peer(Role::Model, Some(address.clone()), None);
    let identity = Identity::load_or_create(&site.at("Data")).unwrap();
    let cancel = Cancel::default();
    let run = Run::new(Arc::new(Diary::default()), cancel.clone());
    thread::scope(|scope| {
        let session =
            scope.spawn(|| pair::prove(Role::Model, &site.files(Role::Model), &peer, &run));
        let mute = connect(ConnectOptions {
            role: Role::Data,
            identity: &identity,
            local: None,
            remote: Some(&address),
            peer: PeerPolicy::Pinned(pair::fingerprint(&Some(site.at("Model"))).unwrap()),
            connect_timeout: Duration::from_secs(60),
            watcher: &Unwatched,
            timeouts: Timeouts::default(),
        });
        let mute = mute.unwrap();
        thread::sleep(Duration::from_millis(300));
        let start = Instant::now();
        cancel.cancel();
        let error = session.join().unwrap().unwrap_err();
        assert_eq!(error.fault(), Fault::Cancelled, "{error}");
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        drop(mute);
    });
}
