//! `demo`: the main job on a bundled model, with two real processes on this machine.

use super::{keys, model, srs};
use crate::error::Error;
use crate::report::bytes;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use twain_artifacts::{CompiledModel, Proof};
use twain_graph::numbers::{dequantize, field_to_integer};

/// The bundled circuit: a credit score of eight numbers about an applicant, 8-6-1 neurons with ReLU.
const MODEL: &[u8] = include_bytes!("../../demo/model.compiled");
const SETTINGS: &[u8] = include_bytes!("../../demo/settings.json");
const APPLICANT: &[u8] = include_bytes!("../../demo/input.json");

/// Proves with two processes, verifies, and tells what happened.
pub fn run() -> Result<(), Error> {
    let start = Instant::now();
    let folder = tempfile::tempdir().map_err(|error| Error::Usage(error.to_string()))?;
    let place = Place { folder: folder.path().to_path_buf() };
    println!("twain demo: a lender's private model scores an applicant's private data.\n");
    place.prepare()?;
    println!(
        "1. keys   made from the circuit without its parameters: they fit the full one as well \
         ({:.1} s)",
        start.elapsed().as_secs_f64()
    );
    let proving = Instant::now();
    let [model_port, data_port] = free_ports()?;
    let fingerprints = [place.fingerprint("model")?, place.fingerprint("data")?];
    let lender = place.start("model", model_port, data_port, &fingerprints[1])?;
    let applicant = place.start("data", data_port, model_port, &fingerprints[0])?;
    let (lender, applicant) = (Ended::of(lender, "model")?, Ended::of(applicant, "data")?);
    println!(
        "2. prove  two processes over TLS on 127.0.0.1, each with its own secret ({:.1} s)",
        proving.elapsed().as_secs_f64()
    );
    let proofs = [place.at("model/proof.json"), place.at("data/proof.json")];
    if read(&proofs[0])? != read(&proofs[1])? {
        return Err(Error::file(&proofs[1], "the two sides wrote different proofs"));
    }
    super::verify::verify(
        &place.at("settings.json"),
        &proofs[1],
        &place.at("vk.key"),
        Some(place.at("kzg.srs")),
        false,
    )?;
    println!("3. verify with the ordinary verifier: the proof is valid\n");
    tell(&place, &proofs[1], &lender, &applicant)
}

/// The demo's folder: what both have, and a folder for what each side has alone.
struct Place {
    folder: PathBuf,
}

impl Place {
    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn prepare(&self) -> Result<(), Error> {
        for side in ["model", "data"] {
            let folder = self.at(side);
            fs::create_dir(&folder).map_err(|error| Error::file(&folder, error))?;
        }
        write(&self.at("settings.json"), SETTINGS)?;
        write(&self.at("model/model.compiled"), MODEL)?;
        write(&self.at("data/input.json"), APPLICANT)?;
        let redacted = self.at("data/model.redacted.compiled");
        model::redact_quietly(&self.at("model/model.compiled"), &redacted)?;
        let compiled = CompiledModel::read(&redacted)?;
        srs::generate(&self.at("kzg.srs"), compiled.settings.run_args.logrows)?;
        keys::setup(&keys::Setup {
            compiled_circuit: redacted,
            srs: Some(self.at("kzg.srs")),
            vk_path: self.at("vk.key"),
            pk_path: self.at("pk.key"),
            witness: None,
            compress: true,
        })
    }

    fn fingerprint(&self, side: &str) -> Result<String, Error> {
        let identity = twain_mpc::identity::Identity::load_or_create(&self.at(side));
        Ok(identity.map_err(Error::peer)?.fingerprint().to_string())
    }

    /// Starts one side's `twain prove` in its own folder.
    fn start(&self, side: &str, own: u16, peer: u16, pinned: &str) -> Result<Child, Error> {
        let program = std::env::current_exe().map_err(|e| Error::Usage(e.to_string()))?;
        let mut command = Command::new(program);
        command.current_dir(self.at(side)).args(["prove", "--id", side, "--identity", "."]);
        command.args(["--log-format", "json"]);
        command.args(["--local-addr", &format!("127.0.0.1:{own}")]);
        command.args(["--remote-peer", &format!("127.0.0.1:{peer}"), "--peer", pinned]);
        command.args(["--pk-path", "../pk.key", "--srs-path", "../kzg.srs"]);
        if side == "data" {
            command.args(["-M", "model.redacted.compiled"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().map_err(|error| Error::Usage(format!("cannot start a process: {error}")))
    }
}

/// What a side printed.
struct Ended {
    report: String,
}

impl Ended {
    fn of(child: Child, side: &str) -> Result<Self, Error> {
        let output = child.wait_with_output().map_err(|error| Error::Usage(error.to_string()))?;
        let report = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            return Ok(Ended { report });
        }
        let last = report.lines().last().unwrap_or("no message");
        Err(Error::Usage(format!("the {side}'s side failed: {last}")))
    }

    /// Bytes sent and received, from the costs in its last line.
    fn traffic(&self) -> String {
        let last = self.report.lines().last().unwrap_or_default();
        let costs: serde_json::Value = serde_json::from_str(last).unwrap_or_default();
        let count = |way| costs["traffic"][way].as_u64().map(bytes);
        match (count("sent"), count("received")) {
            (Some(sent), Some(received)) => format!("sent {sent}, received {received}"),
            _ => "not measured".into(),
        }
    }
}

fn tell(place: &Place, proof: &Path, lender: &Ended, applicant: &Ended) -> Result<(), Error> {
    let proof = Proof::read(proof)?;
    let compiled = CompiledModel::read(&place.at("data/model.redacted.compiled"))?;
    let scale = compiled.settings.model_output_scales.first().copied().unwrap_or_default();
    let scores = proof.instances.iter().flatten();
    let scores: Vec<String> =
        scores.map(|value| dequantize(field_to_integer(value), scale).to_string()).collect();
    println!("  the lender had     the parameters of the model, which never left its process");
    println!("  the applicant had  eight numbers, which never left theirs");
    println!("  both learned       the score {}, and a proof of it", scores.join(", "));
    println!("  the proof          {} bytes, an ordinary EZKL proof", proof.proof.len());
    println!("  the lender         {}", lender.traffic());
    println!("  the applicant      {}\n", applicant.traffic());
    println!("For real, after EZKL's compile-circuit:");
    println!(
        "  lender$    twain redact -M model.compiled            # give the result to the applicant"
    );
    println!("  both$      twain setup -M ... ; twain identity       # exchange fingerprints");
    println!(
        "  lender$    twain prove --id model --remote-peer APPLICANT:7000 --local-addr 0.0.0.0:7001 --peer FINGERPRINT"
    );
    println!(
        "  applicant$ twain prove --id data --remote-peer LENDER:7001 --local-addr 0.0.0.0:7000 --peer FINGERPRINT \\"
    );
    println!("                 -M model.redacted.compiled -D input.json");
    println!("  anyone$    ezkl verify                               # the unmodified verifier");
    Ok(())
}

fn free_ports() -> Result<[u16; 2], Error> {
    let listen = || TcpListener::bind("127.0.0.1:0");
    let ports = || -> std::io::Result<[u16; 2]> {
        let (first, second) = (listen()?, listen()?);
        Ok([first.local_addr()?.port(), second.local_addr()?.port()])
    };
    ports().map_err(|error| Error::Usage(format!("no free port on 127.0.0.1: {error}")))
}

fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    fs::write(path, content).map_err(|error| Error::file(path, error))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| Error::file(path, error))
}
