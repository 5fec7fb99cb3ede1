//! The library as a program uses it: two sessions of different roles in one process, each with an
//! observer of its own; one that is cancelled; ends that are counted.

use rand_core::OsRng;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use twain::alone::Network;
use twain::key_files::read_srs;
use twain::observe::{Cancel, Event, Observer, Run};
use twain::pair::{self, Common, CommonFiles, Peer, ProveFiles, Side, Terms};
use twain::{Error, Fault, Prover, ProverFiles, alone};
use twain_artifacts::{CompiledModel, GraphWitness, InputFile};
use twain_link::channel::tls::{ConnectOptions, PeerPolicy, Timeouts, Unwatched, connect};
use twain_link::channel::{Channel, memory_pair};
use twain_link::identity::Identity;
use twain_party::{Phase, Role, Watched};

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
        let prover = ProverFiles {
            compiled_circuit: self.at(circuit),
            pk_path: self.at("pk.key"),
            srs_path: Some(self.at("kzg.srs")),
            allow_unbound_einsums: false,
        };
        CommonFiles { prover, allow_polycommit: false, own_inputs: None }
    }

    fn data(&self) -> String {
        self.at("input.json").display().to_string()
    }

    fn files(&self, role: Role) -> ProveFiles {
        ProveFiles {
            common: self.common(role),
            data: self.data(),
            proof_path: self.at(&format!("{role:?}.json")),
            terms: Terms::default(),
            output_path: self.at("output.json"),
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
            invitation: None,
            connect_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(60),
            session_timeout: None,
            ended_sessions: None,
        }
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// From a network to a verified proof without a file between.
#[test]
fn alone_on_values() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let folder = vectors.join("1l_relu-k8-private");
    let expected = CompiledModel::read(&folder.join("model.compiled")).unwrap();
    let args = expected.settings.run_args.clone();
    let bytes = fs::read(folder.join("network.onnx")).unwrap();
    let network = Network::parse(&bytes, &args.variables).unwrap();
    let compiled = network.compile(network.settings(&args).unwrap()).unwrap();
    assert_eq!(compiled.model, expected.model);
    let input = network.random_data(1, -1.0..1.0).unwrap();
    let witness = alone::witness(&compiled, &input, None).unwrap();
    assert_eq!(alone::mock_witness(&compiled, &witness).unwrap(), Vec::<String>::new());
    let srs =
        read_srs(&vectors.join("srs/kzg8.srs"), args.logrows, &mut OsRng, &Watched::default())
            .unwrap();
    let key = alone::keys(&compiled, &srs, true).unwrap();
    let prover = Prover::new(compiled, key, srs, false).unwrap();
    let proof = prover.prove(&witness, true, &Run::silent()).unwrap();
    assert_eq!(proof.instances.concat(), witness.outputs.concat());
    // No network, no number, another circuit's witness: whose fault it is.
    assert_eq!(Network::parse(b"no network", &[]).err().unwrap().fault(), Fault::File);
    assert_eq!(network.random_data(1, 1.0..-1.0).err().unwrap().fault(), Fault::Usage);
    let other = GraphWitness::read(&vectors.join("1l_mlp-k9-private/witness.json")).unwrap();
    assert!(prover.prove(&other, true, &Run::silent()).is_err());
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
    alone::verify(&settings, &site.at("Data.json"), &vk, srs, false, &Run::silent()).unwrap();
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

/// A session that ends is counted on both sides, whoever ended it; after three ends a side wants its
/// user's word, and tells its peer so.
#[test]
fn ended_sessions_are_counted() {
    let site = Site::new();
    let fingerprint = |role: Role| pair::fingerprint(&Some(site.at(&format!("{role:?}")))).unwrap();
    let both = |agreed: [Option<u32>; 2], ends: Option<Phase>| {
        let address = free_address();
        let [mut model, mut data] = [
            site.peer(Role::Model, Some(address.clone()), None),
            site.peer(Role::Data, None, Some(address)),
        ];
        [model.ended_sessions, data.ended_sessions] = agreed;
        let cancel = Cancel::default();
        let run = match ends {
            Some(phase) => Run::new(Arc::new(EndsAt(phase, cancel.clone())), cancel),
            None => Run::silent(),
        };
        thread::scope(|scope| {
            let files = site.files(Role::Model);
            let model = scope.spawn(move || pair::prove(Role::Model, &files, &model, &run));
            let data = pair::prove(Role::Data, &site.files(Role::Data), &data, &Run::silent());
            [model.join().unwrap(), data]
        })
    };
    let counted = |role: Role| {
        let list = fs::read_to_string(site.at(&format!("{role:?}/ended_sessions"))).unwrap();
        let peer = fingerprint(role.other());
        let lines = |state| list.lines().filter(|line| *line == format!("{peer} {state}")).count();
        lines("begun") - lines("has its result")
    };
    for result in both([None; 2], Some(Phase::Quotient)) {
        result.unwrap_err();
    }
    assert_eq!([counted(Role::Model), counted(Role::Data)], [1, 1]);
    for result in both([None; 2], None) {
        result.unwrap();
    }
    assert_eq!([counted(Role::Model), counted(Role::Data)], [1, 1]);

    let more = format!("{0} begun\n{0} begun\n", fingerprint(Role::Model));
    let list = fs::OpenOptions::new().append(true).open(site.at("Data/ended_sessions"));
    list.unwrap().write_all(more.as_bytes()).unwrap();
    let [model, data] = both([None; 2], None).map(Result::unwrap_err);
    assert_eq!(data.fault(), Fault::Identity, "{data}");
    assert!(data.to_string().contains("--ended-sessions 3"), "{data}");
    assert_eq!(model.fault(), Fault::PeerDiffers, "{model}");
    assert!(model.to_string().contains("its user must first agree"), "{model}");
    for result in both([None, Some(3)], None) {
        result.unwrap();
    }
    assert_eq!([counted(Role::Model), counted(Role::Data)], [1, 3]);
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

/// What both sides hold is read once, from files or as values, for many proofs of different inputs.
#[test]
fn sides_of_many_proofs_share_what_is_in_memory() {
    let site = Site::new();
    let run = Run::silent();
    let common = |role| Arc::new(Common::read(&site.common(role), &run).unwrap());
    let (model, data) = (common(Role::Model), common(Role::Data));
    let peers = [(Role::Model, &model), (Role::Data, &data)];
    for input in [r#"{"input_data": [[0.5, 1, -1]]}"#, r#"{"input_data": [[-0.25, 0, 2]]}"#] {
        let input = InputFile::parse(input.as_bytes()).unwrap();
        let address = free_address();
        let [one, other] = thread::scope(|scope| {
            let sides = peers.map(|(role, common)| {
                let (input, address, site, run) = (&input, address.clone(), &site, &run);
                scope.spawn(move || {
                    let input = (role == Role::Data).then_some(input);
                    let side = Side::new(role, common.clone(), input, &Terms::default(), run);
                    let side = side.unwrap();
                    let peer = match role {
                        Role::Model => site.peer(role, Some(address), None),
                        Role::Data => site.peer(role, None, Some(address)),
                    };
                    let mut meeting = side.connect(&peer, run).unwrap();
                    let proven = meeting.prove(run).unwrap();
                    meeting.finish("all is done", run).unwrap();
                    proven
                })
            });
            sides.map(|side| side.join().unwrap())
        });
        assert_eq!((one.proof, &one.instances), (other.proof, &other.instances));
        // What the same circuit gives alone.
        let prover = Prover::read(&site.common(Role::Model).prover, &run).unwrap();
        let inputs = input.quantize(&prover.compiled().model).unwrap();
        let witness = site.at("witness.json");
        let argument = site.at("input.json");
        input.write(&argument).unwrap();
        let circuit = site.at("model.compiled");
        alone::generate_witness(
            &argument.display().to_string(),
            &circuit,
            &witness,
            None,
            None,
            &run,
        )
        .unwrap();
        let witness = GraphWitness::read(&witness).unwrap();
        assert_eq!(witness.inputs, inputs);
        assert_eq!(prover.prove(&witness, true, &run).unwrap().instances, one.instances);
    }
    let no_input = Side::new(Role::Data, data, None, &Terms::default(), &run).err().unwrap();
    assert_eq!(no_input.fault(), Fault::Usage);
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
        let mut mute = mute.unwrap();
        thread::sleep(Duration::from_millis(300));
        let start = Instant::now();
        cancel.cancel();
        let error = session.join().unwrap().unwrap_err();
        assert_eq!(error.fault(), Fault::Cancelled, "{error}");
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        // The peer hears why, behind the frames of the handshake.
        let hello = mute.receive("handshake", 36).unwrap();
        let length = u32::from_le_bytes(hello[32..].try_into().unwrap()) as usize;
        mute.receive("handshake", length).unwrap();
        let told = mute.receive("next", 1).unwrap_err();
        assert!(told.to_string().ends_with("the peer was stopped by its operator"), "{told}");
    });
}

/// Ends its session when a phase begins.
struct EndsAt(Phase, Cancel);

impl Observer for EndsAt {
    fn event(&self, event: &Event) {
        if *event == Event::Began(self.0) {
            self.1.cancel();
        }
    }
}

#[test]
fn a_proof_alone_can_be_cancelled_in_every_phase() {
    let site = Site::new();
    let circuit = site.at("model.compiled");
    alone::generate_witness(
        &site.data(),
        &circuit,
        &site.at("witness.json"),
        None,
        None,
        &Run::silent(),
    )
    .unwrap();
    let prove = alone::Prove {
        prover: ProverFiles {
            compiled_circuit: circuit,
            pk_path: site.at("pk.key"),
            srs_path: Some(site.at("kzg.srs")),
            allow_unbound_einsums: false,
        },
        witness: site.at("witness.json"),
        proof_path: site.at("alone.json"),
        verify: true,
    };
    let phases = [
        Phase::Load,
        Phase::Witness,
        Phase::CommitAdvice,
        Phase::Lookups,
        Phase::Permutation,
        Phase::CommitSums,
        Phase::Transforms,
        Phase::Quotient,
        Phase::Evaluations,
        Phase::Opening,
    ];
    for phase in phases {
        let cancel = Cancel::default();
        let run = Run::new(Arc::new(EndsAt(phase, cancel.clone())), cancel);
        let error = alone::prove(&prove, &run).unwrap_err();
        assert_eq!(error.fault(), Fault::Cancelled, "{phase}: {error}");
        assert_eq!(run.finish().last().unwrap().0, phase, "nothing begins after it");
        assert!(!prove.proof_path.exists());
    }
    assert_eq!(alone::prove(&prove, &Run::silent()).unwrap(), 3);
}

#[test]
fn keys_are_not_made_when_cancelled() {
    let site = Site::new();
    let setup = alone::Setup {
        compiled_circuit: site.at("model.redacted.compiled"),
        srs: Some(site.at("kzg.srs")),
        vk_path: site.at("new.vk"),
        pk_path: site.at("new.pk"),
        witness: None,
        compress: true,
        allow_unbound_einsums: false,
    };
    let run = Run::silent();
    run.cancel().cancel();
    let error = alone::setup(&setup, &run).unwrap_err();
    assert_eq!(error.fault(), Fault::Cancelled, "{error}");
    assert!(!setup.vk_path.exists() && !setup.pk_path.exists());
}

/// Whatever the way to a proof: what EZKL's circuits leave open has to be accepted first.
#[test]
fn einsums_that_are_not_tied_are_refused_at_every_entrance() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let compiled_circuit = tests.join("circuits/freivalds/model.compiled");
    let srs_path = tests.join("vectors/srs/kzg9.srs");
    let folder = tempfile::tempdir().unwrap();
    let [vk_path, pk_path] = ["vk.key", "pk.key"].map(|name| folder.path().join(name));
    let (run, refused) = (Run::silent(), |error: Option<Error>| {
        let text = error.unwrap().to_string();
        assert!(text.contains("--allow-unbound-einsums"), "{text}");
    });
    let mut setup = alone::Setup {
        compiled_circuit: compiled_circuit.clone(),
        srs: Some(srs_path.clone()),
        vk_path,
        pk_path: pk_path.clone(),
        witness: None,
        compress: true,
        allow_unbound_einsums: false,
    };
    refused(alone::setup(&setup, &run).err());
    assert!(!setup.pk_path.exists());
    setup.allow_unbound_einsums = true;
    alone::setup(&setup, &run).unwrap();
    let (compiled_circuit, srs_path) = (compiled_circuit, Some(srs_path));
    let mut files =
        ProverFiles { compiled_circuit, pk_path, srs_path, allow_unbound_einsums: false };
    refused(Prover::read(&files, &run).err());
    let common = CommonFiles { prover: files.clone(), allow_polycommit: false, own_inputs: None };
    refused(Common::read(&common, &run).err());
    files.allow_unbound_einsums = true;
    Prover::read(&files, &run).unwrap();
    let compiled = CompiledModel::read(&files.compiled_circuit).unwrap();
    let srs = read_srs(&files.srs_path.unwrap(), 9, &mut OsRng, &Watched::default()).unwrap();
    let key = alone::keys(&compiled, &srs, true).unwrap();
    refused(Prover::new(compiled, key, srs, false).err());
}
