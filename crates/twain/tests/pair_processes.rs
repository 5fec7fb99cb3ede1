//! Two processes over loopback: the proofs they make, and how they end when something is wrong: a
//! killed peer, a link that is cut, stalls or changes bytes, files that do not fit each other.

mod processes;

use processes::{Ended, Running, Side, Site, free_ports, repository, run};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use twain_artifacts::{GraphWitness, Proof, read_settings};
use twain_mpc::channel::emulator::{ByteFault, Direction, LinkProfile, TcpEmulator};

const RELU: &str = "1l_relu-k8-private";
const DENSE: &str = "1l_mlp-k9-private";

/// The proof of `site` is about the witness of the circuit in `folder`.
fn has_witness_of(site: &Site, folder: &Path, flags: &[&str]) {
    let proof = site.prove_and_verify(flags);
    let file = site.path("kept.json");
    fs::write(&file, proof).unwrap();
    let settings = read_settings(&folder.join("settings.json")).unwrap();
    let witness = GraphWitness::read(&folder.join("witness.json")).unwrap();
    let instances = Proof::read(&file).unwrap().instances.concat();
    assert_eq!(instances, witness.instances(&settings.run_args));
}

#[test]
fn private_parameters_and_input() {
    for name in [RELU, DENSE, "tiny_cnn-k11-private"] {
        let folder = repository("tests/vectors").join(name);
        has_witness_of(&Site::new(&folder), &folder, &[]);
    }
}

#[test]
fn committed_parameters_need_the_owner_s_consent() {
    let folder = repository("tests/vectors/1l_mlp-k9-polycommit");
    let site = Site::new(&folder);
    for side in site.pair(&[]) {
        let message = side.failed();
        assert!(message.contains("--allow-polycommit"), "{message}");
        assert!(!side.stderr.contains("learn"), "it stops before it connects");
    }
    has_witness_of(&site, &folder, &["--allow-polycommit"]);
}

#[test]
fn hashed_parameters_and_input() {
    let folder = repository("tests/pair_circuits/hashed_input_parameters-k11");
    has_witness_of(&Site::new(&folder), &folder, &[]);
}

/// The survivor names the phase and the peer.
fn names_a_phase(survivor: &Ended) {
    let message = survivor.failed();
    assert!(message.contains("during ") && message.contains("with "), "{message}");
}

#[test]
fn a_killed_peer() {
    let site = Site::vector(RELU);
    let moments = [
        (Side::Model, "load"),
        (Side::Data, "connect"),
        (Side::Model, "witness"),
        (Side::Data, "commit advice"),
        (Side::Model, "permutation"),
        (Side::Data, "transforms"),
    ];
    for (victim, phase) in moments {
        let ports = free_ports();
        let start = |side: Side| {
            let (own, remote) = (ports[side as usize], ports[side.other() as usize]);
            let limits = ["--log-format", "json", "--connect-timeout", "5", "--idle-timeout", "20"];
            site.start(side, own, remote, &limits)
        };
        let mut killed = start(victim);
        if phase == "load" {
            // Gone before the other appears.
            killed.wait_for(phase);
            killed.kill();
            let survivor = start(victim.other()).end();
            assert!(survivor.failed().contains("no peer within 5s"), "{}", survivor.stderr);
            continue;
        }
        let survivor = start(victim.other());
        killed.wait_for(phase);
        killed.kill();
        names_a_phase(&survivor.end());
    }
    site.prove_and_verify(&[]);
}

/// Runs a pair whose link goes wrong after `after` bytes from each dialler.
fn over_a_bad_link(site: &Site, fault: ByteFault, after: usize) -> [Ended; 2] {
    let ports = free_ports();
    // Either side's call may be the one that is kept, so both go through an emulator.
    let emulators = ports.map(|port| {
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let emulator = TcpEmulator::start(target, LinkProfile::default()).unwrap();
        emulator.inject(Direction::Forward, after, fault);
        emulator
    });
    let start = |side: Side| {
        let remote = emulators[side.other() as usize].address().port();
        site.start(side, ports[side as usize], remote, &["--idle-timeout", "3"])
    };
    [start(Side::Model), start(Side::Data)].map(Running::end)
}

#[test]
fn a_bad_link() {
    let site = Site::vector(RELU);
    let faults = [
        (ByteFault::Cut, 1_000_000, ["the connection broke", "the peer closed"]),
        (ByteFault::Stall, 2_000_000, ["nothing was heard from the peer for 3s", "nothing"]),
        (ByteFault::Corrupt, 9_000_000, ["not authentic", "the connection broke"]),
        (ByteFault::Replay, 1_000_000, ["not authentic", "the connection broke"]),
    ];
    for (fault, after, reasons) in faults {
        let sides = over_a_bad_link(&site, fault, after);
        let fits = |side: &Ended| {
            names_a_phase(side);
            reasons.iter().any(|reason| side.failed().contains(reason))
        };
        let texts = || sides.each_ref().map(|side| side.failed().to_string());
        assert!(sides.iter().any(fits), "{fault:?}: {:?}", texts());
        assert!(sides.iter().all(|side| side.code == Some(1)), "{fault:?}: {:?}", texts());
    }
    site.prove_and_verify(&[]);
}

/// Both sides stop, each with a message that contains `name`.
fn both_name(site: &Site, name: &str) {
    for side in site.pair(&["--connect-timeout", "10"]) {
        let message = side.failed();
        assert!(message.contains(name), "{name}: {message}");
    }
}

#[test]
fn files_that_differ() {
    let site = Site::vector(RELU);
    let own_files = |side: Side, files: &[(&str, &Path)], name: &str| {
        let kept: Vec<Vec<u8>> =
            files.iter().map(|(file, _)| fs::read(site.file(side, file)).unwrap()).collect();
        for (file, other) in files {
            fs::copy(other, site.file(side, file)).unwrap();
        }
        both_name(&site, name);
        for ((file, _), content) in files.iter().zip(kept) {
            fs::write(site.file(side, file), content).unwrap();
        }
    };
    // Another SRS, and keys made with it: of the same circuit.
    let data = site.folder(Side::Data);
    let other = |name: &str| site.path(name);
    for arguments in [
        ["gen-srs", "--logrows", "8", "--srs-path", "../other.srs"].as_slice(),
        &["setup", "--srs-path", "../other.srs", "--vk-path", "../o.vk", "--pk-path", "../o.pk"],
    ] {
        processes::succeed(&data, arguments);
    }
    own_files(Side::Data, &[("kzg.srs", &other("other.srs"))], "SRS");
    own_files(Side::Model, &[("pk.key", &other("o.pk"))], "verifying key");
}

#[test]
fn settings_that_differ() {
    let source = repository("tests/vectors").join(DENSE);
    let site = Site::new(&source);
    let mut compiled =
        twain_artifacts::CompiledModel::read(&source.join("model.compiled")).unwrap();
    compiled.settings.run_args.epsilon = Some(1e-9);
    compiled.write(&site.file(Side::Model, "model.compiled")).unwrap();
    both_name(&site, "settings");
}

#[test]
fn the_same_role_twice() {
    let site = Site::vector(RELU);
    let [first, second] = free_ports();
    let start = |own, remote, identity: &str, pinned: Side| {
        let mut command = site.prove(Side::Model, own, remote);
        command.args(["--peer", site.fingerprint(pinned)]);
        command.current_dir(site.folder(Side::Model));
        let command = replace(command, "identity", identity);
        Running::start(command, site.file(Side::Model, "proof.json"))
    };
    let own = start(first, second, "identity", Side::Data);
    let other = start(second, first, "../data/identity", Side::Model);
    for side in [own.end(), other.end()] {
        let message = side.failed();
        assert!(message.contains("both sides are the"), "{message}");
    }
}

/// The command with the value of one flag replaced.
fn replace(command: std::process::Command, flag: &str, value: &str) -> std::process::Command {
    let name = format!("--{flag}");
    let mut next = false;
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| {
            let argument = argument.to_os_string();
            let taken = if next { value.into() } else { argument.clone() };
            next = argument == *name;
            taken
        })
        .collect();
    let mut replaced = processes::twain(command.get_current_dir().expect("a folder"));
    replaced.args(arguments);
    replaced
}

#[test]
fn another_key_than_the_pinned_one() {
    let site = Site::vector(RELU);
    let [model, data] = free_ports();
    let mut suspicious = site.prove(Side::Model, model, data);
    let stranger = processes::succeed(&site.folder(Side::Model), &["identity", "--identity", "x"]);
    suspicious.args(["--peer", stranger.trim()]);
    let suspicious = Running::start(suspicious, site.file(Side::Model, "proof.json"));
    let refused = site.start(Side::Data, data, model, &[]).end();
    let suspicious = suspicious.end();
    let expected = site.fingerprint(Side::Data);
    assert!(suspicious.failed().contains(expected), "{}", suspicious.stderr);
    assert!(refused.failed().contains("refuses this side's key"), "{}", refused.stderr);
}

#[test]
fn what_is_wrong_on_one_side_alone_is_found_before_it_connects() {
    let site = Site::vector(DENSE);
    let alone = |side: Side, name: &str| {
        let [own, remote] = free_ports();
        let ended = site.start(side, own, remote, &[]).end();
        let message = ended.failed();
        assert!(message.contains(name), "{message}");
        assert!(!ended.stderr.contains("The peer will learn"), "{}", ended.stderr);
    };
    let input = site.file(Side::Data, "input.json");
    fs::write(&input, r#"{"input_data": [[0.5, 0.5]]}"#).unwrap();
    alone(Side::Data, "input.json");
    fs::write(&input, r#"{"input_data": [[0.5, "#).unwrap();
    alone(Side::Data, "input.json");
    fs::remove_file(&input).unwrap();
    alone(Side::Data, "input.json");
    let redacted = site.file(Side::Data, "model.compiled");
    fs::copy(redacted, site.file(Side::Model, "model.compiled")).unwrap();
    alone(Side::Model, "redacted");
}

#[test]
fn a_value_out_of_range_stops_both_with_the_same_words() {
    let site = Site::vector(DENSE);
    let input = r#"{"input_data": [[1e9, -1e9, 1e9]]}"#;
    fs::write(site.file(Side::Data, "input.json"), input).unwrap();
    let [model, data] = site.pair(&[]);
    assert!(model.failed().contains("outside the range"), "{}", model.stderr);
    assert_eq!(model.failed(), data.failed());
}

#[test]
fn part_of_the_flags_is_a_wrong_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["prove", "--id", "model"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("--remote-peer"), "{text}");
}
