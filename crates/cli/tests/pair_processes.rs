//! Two processes over loopback: the proofs they make, and how they end when their link is cut,
//! stalls or changes bytes.

mod processes;

use processes::{Ended, Running, Side, Site, free_ports, repository};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use twain_artifacts::{GraphWitness, Proof, read_settings};
use twain_link::channel::emulator::{ByteFault, Direction, LinkProfile, TcpEmulator};

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
        site.start(
            side,
            ports[side as usize],
            remote,
            &["--idle-timeout", "3", "--ended-sessions", "99"],
        )
    };
    [start(Side::Model), start(Side::Data)].map(Running::end)
}

#[test]
fn a_bad_link() {
    let site = Site::vector(RELU);
    let faults = [
        (ByteFault::Cut, 1_000_000, ["the connection broke", "the peer closed"]),
        (ByteFault::Stall, 2_000_000, ["nothing was heard from the peer for 3s", "nothing"]),
        (ByteFault::Corrupt, 2_000_000, ["not authentic", "the connection broke"]),
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
    }
    site.prove_and_verify(&["--ended-sessions", "99"]);
}

#[test]
fn a_session_over_its_limit() {
    let site = Site::vector(RELU);
    let sides = site.pair(&["--session-timeout", "0.02"]);
    sides.iter().for_each(names_a_phase);
    let reason = "the session took more than 20ms (see --session-timeout)";
    assert!(sides.iter().any(|side| side.failed().contains(reason)), "{}", sides[0].stderr);
    let unlimited = site.pair(&["--session-timeout", "100000"]);
    for side in unlimited {
        assert!(side.stderr.contains("ends after 100000 s at the latest"), "{}", side.stderr);
        side.succeeded();
    }
}

#[test]
fn an_operator_s_end_is_told_to_the_peer() {
    let site = Site::vector(RELU);
    for (signal, stopped) in [("INT", Side::Model), ("TERM", Side::Data)] {
        let ports = free_ports();
        let start = |side: Side| {
            let ports = [ports[side as usize], ports[side.other() as usize]];
            site.start_command("prove", side, ports, &["--log-format", "json"])
        };
        let (mut stopped, other) = (start(stopped), start(stopped.other()));
        stopped.wait_for("witness");
        stopped.signal(signal);
        let (stopped, other) = (stopped.end(), other.end());
        assert_eq!((stopped.code, other.code), (Some(11), Some(13)), "{stopped:?} {other:?}");
        assert!(stopped.failed().contains("\"code\":\"cancelled\""), "{}", stopped.stderr);
        let told = other.failed();
        assert!(told.contains("the peer was stopped by its operator"), "{told}");
        // Nothing is left over where the proof would have been.
        for side in Side::BOTH {
            let names = fs::read_dir(site.folder(side)).unwrap();
            let names = names.map(|file| file.unwrap().file_name().into_string().unwrap());
            assert!(names.into_iter().all(|name| !name.starts_with(".twain")), "{side:?}");
        }
    }
}

#[test]
fn an_address_that_is_none_is_refused_at_once() {
    let site = Site::vector(RELU);
    let start = std::time::Instant::now();
    let refused = |flag: &str, address: &str, complaint: String| {
        let mut command = processes::twain(&site.folder(Side::Model));
        command.args(["prove", "--id", "model", "--identity", "identity"]);
        command.args([flag, address, "--peer", site.fingerprint(Side::Data)]);
        let ended = Running::start(command, site.file(Side::Model, "proof.json")).end();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.failed().contains(&complaint), "{ended:?}");
    };
    for address in ["localhost", "localhost:port", "localhost:0", "http://localhost:7000"] {
        refused("--remote-peer", address, format!("`{address}` is no address"));
    }
    for address in ["7000", "localhost:port"] {
        refused("--local-addr", address, format!("cannot listen on {address}"));
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "no waiting for a peer");
}
