//! `--invite`: one line instead of an address and a fingerprint, that is for one circuit and ends.

mod processes;

use processes::{Running, Side, Site, free_ports, one_error, repository, succeed, twain};
use std::fs;

const PAIR: [&str; 6] = ["--identity", "identity", "--pk-path", "pk.key", "--srs-path", "kzg.srs"];

fn invitation(site: &Site, port: u16) -> String {
    let address = format!("127.0.0.1:{port}");
    let line = ["invite", "--address", &address, "--identity", "identity"];
    succeed(&site.folder(Side::Model), &line).trim().to_string()
}

#[test]
fn a_peer_is_found_and_known_by_its_invitation() {
    let site = Site::vector("credit_mlp-k10-private");
    let [port, _] = free_ports();
    let invitation = invitation(&site, port);
    assert!(invitation.starts_with(&format!("twain-peer:1:127.0.0.1:{port}:sha256:")));
    let start = |side: Side, flags: &[&str]| {
        let mut command = twain(&site.folder(side));
        command.args(["prove", "--id", side.name()]).args(PAIR).args(flags);
        Running::start(command, site.file(side, "proof.json"))
    };
    let local = format!("127.0.0.1:{port}");
    let listens = ["--local-addr", &local, "--peer", site.fingerprint(Side::Data)];
    let model = start(Side::Model, &listens);
    let data = start(Side::Data, &["--invite", &invitation]);
    assert_eq!(data.end().succeeded(), model.end().succeeded());
}

#[test]
fn invitations_for_other_circuits_and_old_ones_are_refused_before_anybody_is_dialled() {
    let site = Site::vector("credit_mlp-k10-private");
    let [port, _] = free_ports();
    let refused = |invitation: &str| {
        let mut command = twain(&site.folder(Side::Data));
        command.args(["prove", "--id", "data", "--invite", invitation]).args(PAIR);
        let output = command.output().expect("starts");
        let text = String::from_utf8(output.stderr).expect("text");
        (output.status.code(), one_error(&text).to_string())
    };
    let other = repository("tests/vectors/1l_relu-k8-private/model.compiled");
    fs::copy(other, site.file(Side::Model, "model.compiled")).expect("copied");
    let (code, text) = refused(&invitation(&site, port));
    assert_eq!(code, Some(3));
    assert!(text.contains("model.compiled: the invitation is for another circuit"), "{text}");

    let mut old: ::twain::pair::Invitation = invitation(&site, port).parse().expect("one");
    old.expires = 1;
    let (code, text) = refused(&old.to_string());
    assert_eq!(code, Some(2));
    assert!(text.contains("the invitation has expired"), "{text}");
}
