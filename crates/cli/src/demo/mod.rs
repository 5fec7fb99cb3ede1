//! `demo`: the main job on a bundled network, from its ONNX file to a verified proof, with two real
//! processes on this machine.

mod side;

use crate::print;
use indicatif::MultiProgress;
use side::{Ended, Side};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Instant;
use twain::observe::Run;
use twain::{Error, alone, pair};
use twain_artifacts::{Proof, read_settings};
use twain_graph::RunArgs;
use twain_graph::numbers::dequantize_field;

/// What is proven.
struct Story {
    network: &'static [u8],
    input: &'static [u8],
    args: RunArgs,
    owner: &'static str,
    subject: &'static str,
    network_in_words: &'static str,
    input_in_words: &'static str,
    output_in_words: &'static str,
}

/// A credit score: small digits make a small circuit.
fn credit() -> Story {
    Story {
        network: include_bytes!("../../demo/network.onnx"),
        input: include_bytes!("../../demo/input.json"),
        args: RunArgs { decomp_base: 128, decomp_legs: 3, logrows: 10, ..RunArgs::default() },
        owner: "lender",
        subject: "applicant",
        network_in_words: "a credit model, 61 parameters (8-6-1 neurons, ReLU)",
        input_in_words: "eight numbers about themselves",
        output_in_words: "credit score",
    }
}

/// Digits: default run arguments, and as many rows as calibration chooses for them.
fn digits() -> Story {
    Story {
        network: include_bytes!("../../../../tests/models/mnist_cnn/network.onnx"),
        input: include_bytes!("../../../../tests/models/mnist_cnn/input.json"),
        args: RunArgs { logrows: 15, ..RunArgs::default() },
        owner: "lab",
        subject: "patient",
        network_in_words: "a convolutional network for 28 x 28 pixels (mnist_cnn)",
        input_in_words: "a picture of 784 pixels",
        output_in_words: "ten class scores",
    }
}

/// Proves with two processes, verifies, and tells what happened.
pub fn run(large: bool, run: &Run) -> Result<(), Error> {
    let story = if large { digits() } else { credit() };
    let folder = tempfile::tempdir().map_err(|error| Error::Usage(error.to_string()))?;
    let place = Place(folder.path().to_path_buf());
    print::line(format_args!(
        "twain demo: the {}'s private model on the {}'s private data.\n",
        story.owner, story.subject
    ))?;

    let step = Instant::now();
    place.compile(&story, run)?;
    done("1. a circuit from the network, and a copy without parameters", step)?;
    let step = Instant::now();
    place.set_up(&story, run)?;
    done("2. both make keys from the redacted circuit", step)?;
    let step = Instant::now();
    let ends = place.prove(&story)?;
    done("3. two processes prove together, over TLS", step)?;
    let step = Instant::now();
    place.verify(run)?;
    done("4. anyone verifies the proof", step)?;
    tell(&place, &story, &ends)
}

fn done(what: &str, since: Instant) -> Result<(), Error> {
    print::line(format_args!("{what:<60}{:>8.2} s", since.elapsed().as_secs_f64()))
}

/// The demo's folder: what both have, and a folder for what each side has alone.
struct Place(PathBuf);

impl Place {
    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The owner's part: from the network to the circuit, and to the one the other side gets.
    fn compile(&self, story: &Story, run: &Run) -> Result<(), Error> {
        for side in ["model", "data"] {
            let folder = self.at(side);
            fs::create_dir(&folder).map_err(|error| Error::file(&folder, error))?;
        }
        let network = self.at("model/network.onnx");
        let (settings, circuit) = (self.at("settings.json"), self.at("model/model.compiled"));
        write(&network, story.network)?;
        write(&self.at("data/input.json"), story.input)?;
        let exactly = alone::Allowances::default();
        alone::generate_settings(&network, &settings, &story.args, exactly, run)?;
        alone::compile(&network, &circuit, &settings, exactly, run)?;
        alone::redact(&circuit)?.write(&self.at("data/model.redacted.compiled"))
    }

    fn set_up(&self, story: &Story, run: &Run) -> Result<(), Error> {
        alone::generate_srs(&self.at("kzg.srs"), story.args.logrows, run)?;
        alone::setup(
            &alone::Setup {
                compiled_circuit: self.at("data/model.redacted.compiled"),
                srs: Some(self.at("kzg.srs")),
                vk_path: self.at("vk.key"),
                pk_path: self.at("pk.key"),
                witness: None,
                compress: true,
                allow_unbound_einsums: false,
            },
            run,
        )
    }

    /// Two processes; both must write the same proof.
    fn prove(&self, story: &Story) -> Result<[Ended; 2], Error> {
        let ports = free_ports()?;
        let identity = |side| -> Result<String, Error> {
            Ok(pair::fingerprint(&Some(self.at(side)))?.to_string())
        };
        let fingerprints = [identity("model")?, identity("data")?];
        let bars = MultiProgress::new();
        let start = |own: usize, name, side| {
            let peer = 1 - own;
            let mut arguments = vec![
                "--id".to_owned(),
                format!("{side}"),
                "--local-addr".into(),
                format!("127.0.0.1:{}", ports[own]),
                "--remote-peer".into(),
                format!("127.0.0.1:{}", ports[peer]),
                "--peer".into(),
                fingerprints[peer].clone(),
            ];
            let files = ["--identity", ".", "--pk-path", "../pk.key", "--srs-path", "../kzg.srs"];
            arguments.extend(files.map(str::to_owned));
            if side == "data" {
                arguments.extend(["-M", "model.redacted.compiled"].map(str::to_owned));
            }
            Side::start(name, &self.at(side), &arguments, &bars)
        };
        let sides = [start(0, story.owner, "model")?, start(1, story.subject, "data")?];
        let [owner, subject] = sides.map(Side::end);
        let ends = [owner?, subject?];
        let proofs = ["model/proof.json", "data/proof.json"].map(|name| self.at(name));
        if read(&proofs[0])? != read(&proofs[1])? {
            return Err(Error::file(&proofs[1], "the two sides wrote different proofs"));
        }
        Ok(ends)
    }

    fn verify(&self, run: &Run) -> Result<(), Error> {
        let (settings, proof) = (self.at("settings.json"), self.at("data/proof.json"));
        let srs = Some(self.at("kzg.srs"));
        alone::verify(&settings, &proof, &self.at("vk.key"), srs, false, run).map(drop)
    }
}

/// The screen at the end.
fn tell(place: &Place, story: &Story, ends: &[Ended; 2]) -> Result<(), Error> {
    let proof = Proof::read(&place.at("data/proof.json"))?;
    let settings = read_settings(&place.at("settings.json"))?;
    let scale = settings.model_output_scales.first().copied().unwrap_or_default();
    let outputs = proof.instances.iter().flatten();
    let outputs: Vec<String> =
        outputs.map(|value| format!("{:.3}", dequantize_field(value, scale))).collect();
    let Story { owner, subject, .. } = story;
    let line = |who: &str, what: &str, text: &str| {
        print::line(format_args!("  {:<24}{text}", format!("{who} {what}")))
    };
    print::line("")?;
    line(owner, "had", story.network_in_words)?;
    line(subject, "had", story.input_in_words)?;
    line(owner, "learned", "the output and the proof, nothing else of the input")?;
    line(subject, "learned", "the output and the proof, nothing else of the parameters")?;
    line("both", "now trust", &format!("the {}: {}", story.output_in_words, outputs.join(" ")))?;
    line("because", "of", &format!("a proof of {} bytes", proof.proof.len()))?;
    line(owner, "took", &ends[0].in_words())?;
    line(subject, "took", &ends[1].in_words())?;
    print::line(format_args!(
        "\nFor real, with network.onnx here and input.json there:
  {owner}$ twain gen-settings && twain calibrate-settings -D samples.json && twain compile-circuit
  {owner}$ twain redact          # then give settings.json and model.redacted.compiled to the {subject}
  both$ twain get-srs
  both$ twain setup -M model.redacted.compiled && twain identity     # compare over the phone
  {owner}$ twain prove --id model --local-addr 0.0.0.0:7001 --remote-peer {subject}:7000 --peer FINGERPRINT
  {subject}$ twain prove --id data --local-addr 0.0.0.0:7000 --remote-peer {owner}:7001 --peer FINGERPRINT \\
      -M model.redacted.compiled -D input.json
  anyone$ ezkl verify"
    ))
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
