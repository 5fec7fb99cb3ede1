//! Both sides of a pair on this machine: two processes of our own command line over loopback, each
//! with what that side may have.

use crate::error::Error;
use crate::ezkl::Ezkl;
use crate::files::{Folder, read, read_json};
use crate::process::run;
use crate::twain::{Cost, Twain};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

const SIDES: [&str; 2] = ["model", "data"];
/// Leaves out the tests of what the peer does.
const TRUST: &str = "--trust-peer";

/// What the two sides of a pair hold.
pub struct Pair<'a> {
    twain: &'a Twain,
    /// The circuit and its input.
    circuit: &'a Folder,
    /// `pk.key`.
    keys: &'a Folder,
    srs: &'a Path,
    /// Of the model's side and of the data's: circuit, identity, store, proof.
    folders: [Folder; 2],
    fingerprints: [String; 2],
    commits: bool,
}

impl<'a> Pair<'a> {
    /// A pair for a circuit and keys; what the sides have of their own goes into `work`, and has no
    /// bundles from earlier.
    pub fn new(
        twain: &'a Twain,
        circuit: &'a Folder,
        keys: &'a Folder,
        srs: &'a Path,
        work: &Path,
    ) -> Result<Self, Error> {
        let folders = SIDES.map(|side| Folder(work.join(side)));
        for folder in &folders {
            if folder.0.exists() {
                std::fs::remove_dir_all(&folder.0).map_err(Error::file(&folder.0))?;
            }
            std::fs::create_dir_all(&folder.0).map_err(Error::file(&folder.0))?;
        }
        let (whole, own) = (circuit.at("model.compiled"), folders[0].at("model.compiled"));
        std::fs::copy(&whole, &own).map_err(Error::file(&whole))?;
        twain.redact(&own, &folders[1].at("model.compiled"))?;
        let [model, data] = folders.each_ref().map(|folder| twain.identity(&folder.0));
        let commits = circuit.settings()?.commits;
        Ok(Self { twain, circuit, keys, srs, folders, fingerprints: [model?, data?], commits })
    }

    /// Makes a bundle. The costs of both sides.
    pub fn preprocess(&self) -> Result<[Cost; 2], Error> {
        self.both("preprocess", false, &[])
    }

    /// Makes a proof: with a bundle if there is one. The costs of both sides. What the peer does is
    /// tested if there are tests for the circuit.
    pub fn prove(&self, portable: bool) -> Result<[Cost; 2], Error> {
        match self.made(portable, &[]) {
            Err(error) if error.to_string().contains(TRUST) => self.made(portable, &[TRUST]),
            made => made,
        }
    }

    /// The same without tests.
    pub fn prove_trusting(&self) -> Result<[Cost; 2], Error> {
        self.made(false, &[TRUST])
    }

    fn made(&self, portable: bool, flags: &[&str]) -> Result<[Cost; 2], Error> {
        let costs = self.both("prove", portable, flags)?;
        let [model, data] = self.folders.each_ref().map(|folder| read(&folder.at("proof.json")));
        if model? != data? {
            return Err(Error::content("twain prove", "the two sides wrote different proofs"));
        }
        Ok(costs)
    }

    /// The proof.
    pub fn proof(&self) -> PathBuf {
        self.folders[1].at("proof.json")
    }

    /// Has EZKL check the proof, and compares the instances with those of EZKL's proof of the same
    /// circuit and input.
    pub fn check(&self, ezkl: &Ezkl) -> Result<bool, Error> {
        let proof = self.proof();
        ezkl.verify(self.circuit, self.srs, &proof)?;
        let instances =
            |path: &Path| read_json(path).map(|mut proof| proof["instances"].take().to_string());
        Ok(instances(&proof)? == instances(&self.circuit.at("proof.json"))?)
    }

    fn both(&self, name: &str, portable: bool, flags: &[&str]) -> Result<[Cost; 2], Error> {
        let ports = free_ports()?;
        let [mut model, mut data] = [0, 1].map(|side| {
            let mut command = self.command(name, side, [ports[side], ports[1 - side]], portable);
            command.args(flags);
            command
        });
        let what = format!("twain {name}");
        let (model, data) = std::thread::scope(|scope| {
            let model = scope.spawn(|| run(&what, &mut model));
            let data = run(&what, &mut data);
            (model.join(), data)
        });
        let model = model.map_err(|_| Error::content(&what, "its thread ended"))??;
        Ok([Cost::read(&what, &model)?, Cost::read(&what, &data?)?])
    }

    fn command(&self, name: &str, side: usize, [own, remote]: [u16; 2], portable: bool) -> Command {
        let folder = &self.folders[side];
        let mut twain = self.twain.measured(portable);
        twain.arg(name).args(["--id", SIDES[side], "--peer", &self.fingerprints[1 - side]]);
        twain.args(["--local-addr", &format!("127.0.0.1:{own}")]);
        twain.args(["--remote-peer", &format!("127.0.0.1:{remote}")]);
        twain.arg("--identity").arg(&folder.0).arg("-M").arg(folder.at("model.compiled"));
        twain.arg("--pk-path").arg(self.keys.at("pk.key")).arg("--srs-path").arg(self.srs);
        twain.arg("--allow-unbound-einsums");
        if self.commits {
            twain.arg("--allow-polycommit");
        }
        if name == "prove" {
            twain.arg("--proof-path").arg(folder.at("proof.json"));
            twain.arg("-D").arg(self.circuit.at("input.json"));
        }
        twain
    }
}

/// Two ports that are free now.
fn free_ports() -> Result<[u16; 2], Error> {
    let failed = |source| Error::Start { program: "a listener on 127.0.0.1".into(), source };
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed);
    let both = [listen()?, listen()?];
    let [first, second] = both.each_ref().map(|listener| listener.local_addr().map_err(failed));
    Ok([first?.port(), second?.port()])
}
