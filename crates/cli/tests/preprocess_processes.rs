//! Two processes over loopback that make bundles ahead of time, and what `prove` does with them.

mod processes;

use processes::{Ended, Running, Side, Site, free_ports};
use std::fs;
use std::path::PathBuf;

const RELU: &str = "1l_relu-k8-private";

/// Bytes this side sent and received, from the line of JSON with the costs.
fn traffic(side: &Ended) -> u64 {
    let line = side.stderr.lines().rfind(|line| line.contains("\"traffic\"")).expect("the costs");
    let costs: serde_json::Value = serde_json::from_str(line).expect("JSON");
    ["sent", "received"].map(|way| costs["traffic"][way].as_u64().expect("bytes")).iter().sum()
}

/// A proof by both; the traffic, and whether both said that they used a bundle.
fn prove(site: &Site) -> (u64, bool) {
    prove_with(site, &[])
}

fn prove_with(site: &Site, flags: &[&str]) -> (u64, bool) {
    let sides = site.pair(&[&["--log-format", "json"], flags].concat());
    let bytes = sides.each_ref().map(traffic);
    let used = sides.each_ref().map(|side| side.stderr.contains("Uses bundle"));
    let inline = sides.each_ref().map(|side| side.stderr.contains("No bundle on both sides"));
    let [model, data] = sides.map(Ended::succeeded);
    assert_eq!(model, data, "both write the same file");
    assert_eq!(bytes[0], bytes[1], "what one sends the other receives");
    assert!(used[0] == used[1] && inline == used.map(|used| !used));
    (bytes[0], used[0])
}

#[test]
fn each_bundle_serves_one_proof() {
    let site = Site::vector(RELU);
    site.preprocess(&["--proofs", "2"]);
    // Tests of what the peer does are made while the proof runs.
    let prove = |site: &Site| prove_with(site, &["--trust-peer"]);
    let (first, used) = prove(&site);
    assert!(used);
    // The same proof again, from what the first one must have left: another bundle.
    assert_eq!(prove(&site), (first, true));
    for side in Side::BOTH {
        assert_eq!(site.bundles(side), Vec::<PathBuf>::new(), "both are spent");
    }
    let (inline, used) = prove(&site);
    assert!(!used);
    assert!(10 * first < inline, "{first} bytes with a bundle, {inline} without");
}

#[test]
fn a_bundle_that_one_side_lost_is_not_used() {
    let site = Site::vector(RELU);
    site.preprocess(&["--proofs", "2"]);
    let mut lost = site.bundles(Side::Data);
    lost.sort();
    fs::remove_file(&lost[0]).expect("removed");
    assert!(prove(&site).1, "the other one is left");
    assert!(!prove(&site).1);
}

#[test]
fn bundles_are_listed_and_erased() {
    let site = Site::vector(RELU);
    site.preprocess(&["--proofs", "3"]);
    let bundles = |words: &[&str]| {
        let arguments = [&["bundles"], words, &["--identity", "identity"]].concat();
        processes::succeed(&site.folder(Side::Data), &arguments)
    };
    let listed = bundles(&["list"]);
    assert_eq!(listed.lines().count(), 3, "{listed}");
    let told = format!(" as the data's side with {}, 0 hours old, ", site.fingerprint(Side::Model));
    assert!(listed.lines().all(|line| line.contains(&told)), "{listed}");
    let first = listed.split(' ').next().expect("an identifier");
    assert_eq!(bundles(&["remove", first]), "erased 1\n");
    assert!(!bundles(&["list"]).contains(first));
    let arguments = ["bundles", "remove", first, "--identity", "identity"];
    let again = processes::run(&site.folder(Side::Data), &arguments);
    assert_eq!(again.status.code(), Some(2), "it is gone");
    assert!(prove(&site).1, "another one is left on both sides");
    assert_eq!(bundles(&["remove", "--all"]), "erased 1\n");
    assert_eq!(bundles(&["list"]), "");
    assert!(!prove(&site).1);
}

#[test]
fn a_proof_that_fails_spends_its_bundle() {
    let site = Site::vector(RELU);
    site.preprocess(&["--proofs", "1"]);
    let [model, data] = free_ports();
    let flags = ["--log-format", "json"];
    let survivor = site.start(Side::Model, model, data, &flags);
    let mut victim = site.start(Side::Data, data, model, &flags);
    victim.wait_for("witness");
    victim.kill();
    assert!(survivor.end().failed().contains("during "));
    assert!(!prove(&site).1, "nothing of it is used again");
}

#[test]
fn a_peer_killed_while_a_bundle_is_made_leaves_none() {
    let site = Site::vector(RELU);
    for victim in Side::BOTH {
        let ports = free_ports();
        let start = |side: Side| {
            let ports = [ports[side as usize], ports[side.other() as usize]];
            let flags = ["--log-format", "json", "--idle-timeout", "20"];
            site.start_command("preprocess", side, ports, &flags)
        };
        let survivor = start(victim.other());
        let mut killed = start(victim);
        killed.wait_for("connect");
        // Until it has begun to write.
        while site.bundles(victim).is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        killed.kill();
        let survivor: Ended = Running::end(survivor);
        assert!(survivor.failed().contains("during "), "{}", survivor.stderr);
        assert_eq!(site.bundles(victim.other()), Vec::<PathBuf>::new());
    }
    assert!(!prove(&site).1);
    for side in Side::BOTH {
        assert_eq!(site.bundles(side), Vec::<PathBuf>::new(), "the half is swept away");
    }
    site.preprocess(&[]);
    assert!(prove(&site).1);
}
