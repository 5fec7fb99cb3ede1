//! Our own command line, as a user runs it.

use crate::error::Error;
use crate::files::{Folder, Settings};
use crate::process::{Output, cargo, run};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The binary.
pub struct Twain {
    binary: PathBuf,
}

/// What went over the link to the peer.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Traffic {
    /// Bytes this side sent.
    pub sent: u64,
    /// Bytes it received.
    pub received: u64,
    /// One-way delays it waited for.
    pub rounds: u64,
}

/// What a phase of a command took, as `twain --log-format json` tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct Phase {
    /// Name.
    pub phase: String,
    /// Wall time.
    pub seconds: f64,
    /// Time of all threads.
    pub cpu_seconds: f64,
    /// With a peer.
    pub traffic: Traffic,
}

/// What a command took.
#[derive(Clone, Debug, Deserialize)]
pub struct Cost {
    /// The phases, in the order they ran.
    pub phases: Vec<Phase>,
    /// Time of all threads, from the start of the process.
    pub cpu_seconds: f64,
    /// Peak resident memory, bytes.
    pub peak_memory: u64,
    /// With a peer.
    pub traffic: Traffic,
    /// Seconds the process ran.
    #[serde(skip)]
    pub wall: f64,
}

impl Cost {
    /// What a command that ran with `--log-format json` says of itself.
    pub fn read(what: &str, output: &Output) -> Result<Self, Error> {
        let last = output.stderr.lines().last().unwrap_or_default();
        let cost: Cost = serde_json::from_str(last)
            .map_err(|error| Error::content(what, format!("{error} in {last:?}")))?;
        Ok(Cost { wall: output.wall.as_secs_f64(), ..cost })
    }

    /// A phase, by name.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.phase == name)
    }
}

impl Twain {
    /// A binary that is there.
    pub fn at(binary: PathBuf) -> Self {
        // Commands run in folders of their own.
        let binary = std::path::absolute(&binary).unwrap_or(binary);
        Self { binary }
    }

    /// Builds the binary of this repository, in the profile of `xtask` itself.
    pub fn build(repository: &Path) -> Result<Self, Error> {
        let own = std::env::current_exe().map_err(Error::file("xtask"))?;
        let folder = own.parent().unwrap_or(repository);
        let mut build = cargo();
        build.current_dir(repository).args(["build", "--quiet", "--package", "twain-cli"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        run("cargo build", &mut build)?;
        Ok(Self { binary: folder.join(format!("twain{}", std::env::consts::EXE_SUFFIX)) })
    }

    /// A command of it, deaf to the surroundings.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env_remove("RUST_LOG").env_remove("EZKL_KEY_FORMAT").env("TWAIN_CONFIG", "");
        command
    }

    /// A command in a folder, with the names that files have by default.
    pub fn within(&self, folder: &Folder, arguments: &[&str]) -> Result<(), Error> {
        let mut twain = self.command();
        twain.current_dir(&folder.0).args(arguments);
        run(&format!("twain {}", arguments[0]), &mut twain).map(drop)
    }

    fn run(&self, command: &str, flags: &[(&str, &Path)]) -> Result<Output, Error> {
        let mut twain = self.command();
        twain.arg(command);
        for (flag, path) in flags {
            twain.arg(flag).arg(path);
        }
        run(&format!("twain {command}"), &mut twain)
    }

    /// A command that makes of a network what EZKL makes of it.
    fn run_as_ezkl(
        &self,
        command: &str,
        accepted: &[&str],
        flags: &[(&str, &Path)],
    ) -> Result<(), Error> {
        let mut twain = self.command();
        twain.args([command, "--as-ezkl"]).args(accepted);
        for (flag, path) in flags {
            twain.arg(flag).arg(path);
        }
        run(&format!("twain {command}"), &mut twain).map(drop)
    }

    /// Settings of a network with the run arguments in another settings file, if they are flags'.
    pub fn generate_settings(
        &self,
        folder: &Folder,
        flags: &[String],
        to: &Path,
    ) -> Result<(), Error> {
        let mut twain = self.command();
        twain
            .args(["gen-settings", "--as-ezkl", "-M"])
            .arg(folder.at("network.onnx"))
            .arg("-O")
            .arg(to);
        run("twain gen-settings", twain.args(flags)).map(drop)
    }

    /// Calibrates settings in place, with the folder's calibration data or its input.
    pub fn calibrate(&self, folder: &Folder, settings: &Path) -> Result<(), Error> {
        let samples = ["calibration.json", "input.json"].map(|name| folder.at(name));
        let samples = samples.iter().find(|path| path.exists()).unwrap_or(&samples[1]);
        let flags = [("-D", &**samples), ("-M", &folder.at("network.onnx")), ("-O", settings)];
        self.run_as_ezkl("calibrate-settings", &["--accept-error"], &flags)
    }

    /// Compiles a network.
    pub fn compile(&self, folder: &Folder, settings: &Path, to: &Path) -> Result<(), Error> {
        let network = folder.at("network.onnx");
        let flags = [("-M", &*network), ("-S", settings), ("--compiled-circuit", to)];
        self.run_as_ezkl("compile-circuit", &[], &flags)
    }

    /// Writes a random input.
    pub fn random_data(&self, folder: &Folder) -> Result<(), Error> {
        let flags = [("-M", &*folder.at("network.onnx")), ("-D", &folder.at("input.json"))];
        self.run("gen-random-data", &flags).map(drop)
    }

    /// Makes keys in `to`.
    pub fn setup(&self, from: &Folder, to: &Folder, srs: &Path) -> Result<(), Error> {
        let flags = [
            ("-M", &*from.at("model.compiled")),
            ("--srs-path", srs),
            ("--vk-path", &to.at("vk.key")),
            ("--pk-path", &to.at("pk.key")),
        ];
        let mut twain = self.command();
        twain.args(["setup", "--allow-unbound-einsums"]);
        for (flag, path) in flags {
            twain.arg(flag).arg(path);
        }
        run("twain setup", &mut twain).map(drop)
    }

    /// Makes the witness in `to`, with commitments if the circuit has any.
    pub fn witness(
        &self,
        from: &Folder,
        to: &Folder,
        srs: &Path,
        settings: Settings,
    ) -> Result<(), Error> {
        let (input, circuit) = (from.at("input.json"), from.at("model.compiled"));
        let (output, key) = (to.at("witness.json"), from.at("vk.key"));
        let mut flags = vec![("-D", &*input), ("-M", &*circuit), ("-O", &*output)];
        if settings.commits {
            flags.extend([("-V", &*key), ("-P", srs)]);
        }
        self.run("gen-witness", &flags).map(drop)
    }

    /// Makes a proof in `to`, from the keys and the witness in `keys`.
    pub fn prove(
        &self,
        from: &Folder,
        keys: &Folder,
        to: &Folder,
        srs: &Path,
        portable: bool,
    ) -> Result<Cost, Error> {
        let mut twain = self.measured(portable);
        twain.args(["prove", "--check-mode", "unsafe", "--allow-unbound-einsums"]);
        twain.arg("-W").arg(keys.at("witness.json")).arg("-M").arg(from.at("model.compiled"));
        twain.arg("--pk-path").arg(keys.at("pk.key")).arg("--srs-path").arg(srs);
        twain.arg("--proof-path").arg(to.at("proof.json"));
        Cost::read("twain prove", &run("twain prove", &mut twain)?)
    }

    /// A command that tells its costs: with the machine's vector instructions, or without.
    pub fn measured(&self, portable: bool) -> Command {
        let mut twain = self.command();
        twain.args(["--log-format", "json"]);
        twain.env("TWAIN_PORTABLE", if portable { "1" } else { "0" });
        twain
    }

    /// Writes a compiled circuit without its parameters.
    pub fn redact(&self, from: &Path, to: &Path) -> Result<(), Error> {
        let mut twain = self.command();
        twain.args(["redact", "--yes", "-M"]).arg(from).arg("-O").arg(to);
        run("twain redact", &mut twain).map(drop)
    }

    /// The fingerprint of the identity in a folder, which is made if it is not there.
    pub fn identity(&self, folder: &Path) -> Result<String, Error> {
        let output = self.run("identity", &[("--identity", folder)])?;
        Ok(output.stdout.trim().to_owned())
    }

    /// Checks a proof with the verifying key of a folder.
    pub fn verify(&self, folder: &Folder, srs: &Path, proof: &Path) -> Result<(), Error> {
        let flags = [
            ("-S", &*folder.at("settings.json")),
            ("--vk-path", &folder.at("vk.key")),
            ("--srs-path", srs),
            ("--proof-path", proof),
        ];
        self.run("verify", &flags).map(drop)
    }
}
