//! A proof by two processes of our own command line, on this machine.

use crate::error::Error;
use crate::files::{Folder, read};
use crate::process::run;
use crate::twain::Twain;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

const SIDES: [&str; 2] = ["model", "data"];

/// Lets two processes prove together: `from` has the circuit and the input, `keys` the keys. The proofs,
/// which must be the same, go to folders in `keys`; the path of one is the answer.
pub fn prove(twain: &Twain, from: &Folder, keys: &Folder, srs: &Path) -> Result<PathBuf, Error> {
    let folders = SIDES.map(|side| Folder(keys.at(side)));
    for folder in &folders {
        std::fs::create_dir_all(&folder.0).map_err(Error::file(&folder.0))?;
    }
    let redacted = folders[1].at("model.compiled");
    let mut redact = twain.command();
    redact.args(["redact", "--yes", "-M"]).arg(from.at("model.compiled")).arg("-O").arg(&redacted);
    run("twain redact", &mut redact)?;
    let mut fingerprints = Vec::new();
    for folder in &folders {
        let mut identity = twain.command();
        identity.args(["identity", "--identity"]).arg(&folder.0);
        fingerprints.push(run("twain identity", &mut identity)?.stdout.trim().to_owned());
    }
    let ports = free_ports()?;
    let side = |own: usize| -> Command {
        let peer = 1 - own;
        let mut prove = twain.command();
        prove.args(["--log-format", "json", "prove", "--id", SIDES[own], "--identity"]);
        prove.arg(&folders[own].0).args(["--peer", &fingerprints[peer]]);
        prove.args(["--local-addr", &format!("127.0.0.1:{}", ports[own])]);
        prove.args(["--remote-peer", &format!("127.0.0.1:{}", ports[peer])]);
        let circuit = if own == 0 { from.at("model.compiled") } else { redacted.clone() };
        prove.arg("-M").arg(circuit).arg("-D").arg(from.at("input.json"));
        prove.arg("--pk-path").arg(keys.at("pk.key")).arg("--srs-path").arg(srs);
        prove.arg("--proof-path").arg(folders[own].at("proof.json"));
        prove
    };
    let (mut owner, mut subject) = (side(0), side(1));
    let (first, second) = std::thread::scope(|scope| {
        let owner = scope.spawn(|| run("twain prove --id model", &mut owner));
        let subject = run("twain prove --id data", &mut subject);
        let panicked = |_| Err(Error::content("twain prove --id model", "its thread panicked"));
        (owner.join().unwrap_or_else(panicked), subject)
    });
    first?;
    second?;
    let [first, second] = folders.map(|folder| folder.at("proof.json"));
    if read(&first)? != read(&second)? {
        return Err(Error::content("twain prove", "the two sides wrote different proofs"));
    }
    Ok(second)
}

fn free_ports() -> Result<[u16; 2], Error> {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let ports = || -> std::io::Result<[u16; 2]> {
        let (first, second) = (listen()?, listen()?);
        Ok([first.local_addr()?.port(), second.local_addr()?.port()])
    };
    ports().map_err(Error::file("127.0.0.1"))
}
