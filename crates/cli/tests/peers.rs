//! Peers with names: a session that needs neither fingerprint nor address; what names do not do.

mod processes;

use processes::{Running, Side, Site, free_ports, run, succeed, twain};

fn refused(site: &Site, side: Side, arguments: &[&str]) -> String {
    let output = run(&site.folder(side), arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_name_stands_for_key_and_address() {
    let site = Site::vector("1l_relu-k8-private");
    let ports = free_ports();
    let identity = ["--identity", "identity"];
    let peers = |side: Side, arguments: &[&str]| {
        succeed(&site.folder(side), &[&["peers"], arguments, &identity].concat())
    };
    // The model's side only dials, and is known by its key alone.
    let address = format!("127.0.0.1:{}", ports[1]);
    peers(Side::Model, &["add", "bob", site.fingerprint(Side::Data), &address]);
    peers(Side::Data, &["add", "alice", site.fingerprint(Side::Model)]);
    let listed = format!("bob {} {address}\n", site.fingerprint(Side::Data));
    assert_eq!(peers(Side::Model, &["list"]), listed);
    let prove = |side: Side, flags: &[&str]| {
        let mut command = twain(&site.folder(side));
        command.args(["prove", "--id", side.name(), "--srs-path", "kzg.srs"]).args(identity);
        Running::start(
            {
                command.args(flags);
                command
            },
            site.file(side, "proof.json"),
        )
    };
    let model = prove(Side::Model, &["--remote-peer", "bob"]);
    let data = prove(Side::Data, &["--remote-peer", "alice", "--local-addr", &address]);
    assert_eq!(model.end().succeeded(), data.end().succeeded());
    site.verify_and_remove();

    let nobody = prove(Side::Model, &["--remote-peer", "carol"]).end();
    let text = "`carol` is no address";
    assert!(nobody.failed().contains(text), "{}", nobody.stderr);
    assert!(nobody.failed().contains("nor is it a peer\'s name"), "{}", nobody.stderr);
    let other =
        prove(Side::Model, &["--remote-peer", "bob", "--peer", site.fingerprint(Side::Model)]);
    let other = other.end();
    assert!(other.failed().contains("--peer is another key than that of bob"), "{}", other.stderr);
    let nowhere = prove(Side::Data, &["--remote-peer", "alice"]).end();
    assert!(nowhere.failed().contains("the peer alice has no address"), "{}", nowhere.stderr);

    let add = |name: &str, key: &str, address: &str| {
        let words = ["peers", "add", name, key, address, "--identity", "identity"];
        refused(&site, Side::Model, &words)
    };
    let key = site.fingerprint(Side::Data);
    assert!(add("bob", key, "bob.example:7").contains("there is a peer bob already"));
    assert!(add("bob:7", key, "bob.example:7").contains("is no name for a peer"));
    assert!(add("eve", "sha256:00", "eve.example:7").contains("fingerprint"));
    assert!(add("eve", key, "eve.example").contains("`eve.example` is no address"));
    peers(Side::Model, &["remove", "bob"]);
    assert_eq!(peers(Side::Model, &["list"]), "");
    let gone = refused(&site, Side::Model, &["peers", "remove", "bob", "--identity", "identity"]);
    assert!(gone.contains("there is no peer of the name bob"), "{gone}");
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one() {
    let site = Site::vector("1l_relu-k8-private");
    let identity = ["--identity", "identity"];
    let of_model = |arguments: &[&str]| {
        succeed(&site.folder(Side::Model), &[arguments, &identity].concat()).trim().to_string()
    };
    site.preprocess(&[]);
    assert_eq!(site.bundles(Side::Model).len(), 1);
    let before = of_model(&["identity"]);
    let after = of_model(&["identity", "rotate"]);
    assert_eq!(of_model(&["identity"]), after);
    assert_ne!(before, after);
    assert!(site.bundles(Side::Model).is_empty(), "nobody could read them");

    // The peer takes the new key only, and a proof is made without the old bundle.
    let [model, data] = free_ports();
    let start = |side: Side, ports: [u16; 2], peer: &str| {
        let mut command = site.command("prove", side, ports[0], ports[1]);
        command.args(["--peer", peer, "--connect-timeout", "20"]);
        Running::start(command, site.file(side, "proof.json"))
    };
    let sides = [
        start(Side::Model, [model, data], site.fingerprint(Side::Data)),
        start(Side::Data, [data, model], &after),
    ];
    let [model, data] = sides.map(|side| side.end().succeeded());
    assert_eq!(model, data);
    site.verify_and_remove();
}
