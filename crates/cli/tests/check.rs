//! `check`: a forecast from the files both hold; with a peer, that it holds the same, and the link.

mod processes;

use processes::{Side, Site, free_ports, succeed};
use std::process::Stdio;

const RELU: &str = "1l_relu-k8-private";

#[test]
fn alone_it_is_a_forecast_for_both_sides() {
    let site = Site::vector(RELU);
    let flags = ["check", "--srs-path", "kzg.srs", "--quiet"];
    let [model, data] = Side::BOTH.map(|side| succeed(&site.folder(side), &flags));
    assert_eq!(model, data, "the circuit decides it");
    let lines: Vec<&str> = model.lines().collect();
    assert!(lines[0].starts_with("The model's side. Expected: "), "{model}");
    assert!(lines[1].starts_with("The data's side. Expected: "), "{model}");
    assert_eq!(lines.len(), 2);
}

/// What a side says on standard output, and its exit status; the sides run these commands.
fn both(site: &Site, commands: [&str; 2]) -> [(Option<i32>, String, String); 2] {
    let [model, data] = free_ports();
    let sides = [(Side::Model, [model, data]), (Side::Data, [data, model])];
    let start = |((side, [own, remote]), name): ((Side, [u16; 2]), &str)| {
        let mut command = site.command(name, side, own, remote);
        command.args(["--peer", site.fingerprint(side.other())]).stdout(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut running = sides.into_iter().zip(commands).map(start).collect::<Vec<_>>().into_iter();
    std::array::from_fn(|_| {
        let output = running.next().unwrap().wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    })
}

#[test]
fn two_sides_that_check_learn_that_they_could_prove() {
    let site = Site::vector(RELU);
    for (code, said, told) in both(&site, ["check"; 2]) {
        assert_eq!(code, Some(0), "{told}");
        assert!(said.starts_with("The peer holds the same. The link takes "), "{said}");
        assert!(said.contains(" ms one way and carries ") && said.ends_with(" s.\n"), "{said}");
        assert!(!told.contains("learn"), "nothing is proven: {told}");
    }
    for side in Side::BOTH {
        assert!(!site.file(side, "proof.json").exists());
    }
    // What the other does is compared as well.
    for (code, _, told) in both(&site, ["check", "prove"]) {
        assert_ne!(code, Some(0));
        assert!(told.contains("command") && told.contains("check"), "{told}");
    }
}
