//! Runs of the built `twain`, for tests: a folder with what each side of a pair holds, the two
//! processes, and how they ended.
#![allow(dead_code)] // Each test binary uses a part.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The program, deaf to the surroundings.
pub fn twain(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twain"));
    command.current_dir(folder).env_remove("RUST_LOG").env_remove("EZKL_KEY_FORMAT");
    command.env("TWAIN_CONFIG", "");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    twain(folder).args(arguments).output().expect("starts")
}

/// Runs it and insists on success.
pub fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    String::from_utf8(output.stdout).expect("text")
}

/// Two ports that are free now. No other test gets them, and the system, which chooses from 32,768
/// on, does not give them to outgoing connections meanwhile.
pub fn free_ports() -> [u16; 2] {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let port = || loop {
        let number = std::process::id() + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + (number % 10_000) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    };
    [port(), port()]
}

/// A side of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Holds the parameters.
    Model,
    /// Holds the input.
    Data,
}

impl Side {
    /// Both.
    pub const BOTH: [Side; 2] = [Side::Model, Side::Data];

    /// As the flag `--id` has it; also the side's folder.
    pub fn name(self) -> &'static str {
        match self {
            Side::Model => "model",
            Side::Data => "data",
        }
    }

    /// The peer.
    pub fn other(self) -> Side {
        match self {
            Side::Model => Side::Data,
            Side::Data => Side::Model,
        }
    }
}

/// What the two sides hold: a folder each, under the default names, and the verifier's files above.
pub struct Site {
    root: TempDir,
    fingerprints: [String; 2],
}

impl Site {
    /// A pair for the circuit in `folder` (with `model.compiled`, `settings.json`, `input.json`).
    pub fn new(folder: &Path) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let mut site = Site { root, fingerprints: Default::default() };
        let text = fs::read_to_string(folder.join("settings.json")).expect("settings");
        let settings: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let k = settings["run_args"]["logrows"].as_u64().expect("logrows");
        fs::write(site.path("settings.json"), text).expect("written");
        for side in Side::BOTH {
            fs::create_dir(site.folder(side)).expect("made");
            let srs = repository(&format!("tests/vectors/srs/kzg{k}.srs"));
            fs::copy(srs, site.file(side, "kzg.srs")).expect("copied");
        }
        let copy = |name, side| {
            fs::copy(folder.join(name), site.file(side, name)).expect("copied");
        };
        copy("model.compiled", Side::Model);
        copy("input.json", Side::Data);
        succeed(&site.folder(Side::Model), &["redact", "-O", "../data/model.compiled", "--yes"]);
        let setup = ["setup", "--srs-path", "kzg.srs", "--vk-path", "../vk.key"];
        succeed(&site.folder(Side::Data), &setup);
        fs::copy(site.file(Side::Data, "pk.key"), site.file(Side::Model, "pk.key"))
            .expect("copied");
        let print = |side| {
            let text = succeed(&site.folder(side), &["identity", "--identity", "identity"]);
            text.trim().to_string()
        };
        site.fingerprints = Side::BOTH.map(print);
        site
    }

    /// A pair for one of `tests/vectors`.
    pub fn vector(name: &str) -> Self {
        Self::new(&repository("tests/vectors").join(name))
    }

    /// A file both could hold.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A side's folder.
    pub fn folder(&self, side: Side) -> PathBuf {
        self.path(side.name())
    }

    /// A file of a side.
    pub fn file(&self, side: Side, name: &str) -> PathBuf {
        self.folder(side).join(name)
    }

    /// A side's fingerprint.
    pub fn fingerprint(&self, side: Side) -> &str {
        &self.fingerprints[side as usize]
    }

    /// A side's `prove`, without `--peer`.
    pub fn prove(&self, side: Side, own: u16, remote: u16) -> Command {
        self.command("prove", side, own, remote)
    }

    /// A side's `prove` or `preprocess`, without `--peer`.
    pub fn command(&self, name: &str, side: Side, own: u16, remote: u16) -> Command {
        let mut command = twain(&self.folder(side));
        command.args([name, "--id", side.name(), "--identity", "identity"]);
        command.args(["--pk-path", "pk.key", "--srs-path", "kzg.srs"]);
        command.args(["--local-addr", &format!("127.0.0.1:{own}")]);
        command.args(["--remote-peer", &format!("127.0.0.1:{remote}")]);
        command
    }

    /// Starts a side's `prove` that pins the other's key.
    pub fn start(&self, side: Side, own: u16, remote: u16, flags: &[&str]) -> Running {
        self.start_command("prove", side, [own, remote], flags)
    }

    /// Starts a side that pins the other's key, at `[own, remote]` port.
    pub fn start_command(
        &self,
        name: &str,
        side: Side,
        [own, remote]: [u16; 2],
        flags: &[&str],
    ) -> Running {
        let mut command = self.command(name, side, own, remote);
        command.args(["--peer", self.fingerprint(side.other())]).args(flags);
        Running::start(command, self.file(side, "proof.json"))
    }

    /// Has both sides make bundles, which must succeed.
    pub fn preprocess(&self, flags: &[&str]) {
        let [model, data] = free_ports();
        let sides = [(Side::Model, [model, data]), (Side::Data, [data, model])];
        let sides = sides.map(|(side, ports)| self.start_command("preprocess", side, ports, flags));
        for side in sides.map(Running::end) {
            assert_eq!(side.code, Some(0), "{}", side.stderr);
        }
    }

    /// The files of bundles and of unfinished ones in a side's store.
    pub fn bundles(&self, side: Side) -> Vec<PathBuf> {
        let Ok(files) = fs::read_dir(self.file(side, "identity").join("bundles")) else {
            return Vec::new();
        };
        let paths = files.map(|file| file.expect("listed").path());
        let is_bundle = |path: &PathBuf| {
            let extension = path.extension().unwrap_or_default();
            extension == "bundle" || extension == "pending"
        };
        paths.filter(is_bundle).collect()
    }

    /// Runs both sides to their ends.
    pub fn pair(&self, flags: &[&str]) -> [Ended; 2] {
        self.pair_of("prove", [flags; 2])
    }

    /// Runs both sides of a command to their ends, the model's with the first flags.
    pub fn pair_of(&self, command: &str, flags: [&[&str]; 2]) -> [Ended; 2] {
        let [model, data] = free_ports();
        let [of_model, of_data] = flags;
        let sides = [
            self.start_command(command, Side::Model, [model, data], of_model),
            self.start_command(command, Side::Data, [data, model], of_data),
        ];
        sides.map(Running::end)
    }

    /// Runs both sides, which must succeed, and returns the proof file both have and EZKL's checks
    /// passed.
    pub fn prove_and_verify(&self, flags: &[&str]) -> Vec<u8> {
        let [model, data] = self.pair(flags);
        let proof = model.succeeded();
        assert_eq!(proof, data.succeeded(), "both write the same file");
        self.verify_and_remove();
        proof
    }

    /// EZKL's checks on the proof both sides wrote, which must pass; it is gone then.
    pub fn verify_and_remove(&self) {
        let verify = ["verify", "--proof-path", "data/proof.json", "--srs-path", "data/kzg.srs"];
        assert!(succeed(self.root.path(), &verify).trim().ends_with("; verified: true"));
        for side in Side::BOTH {
            fs::remove_file(self.file(side, "proof.json")).expect("removed");
        }
    }
}

/// A side at work.
pub struct Running {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    read: String,
    proof: PathBuf,
}

impl Running {
    /// Starts a command that may write `proof`.
    pub fn start(mut command: Command, proof: PathBuf) -> Self {
        let mut child = command.spawn().expect("starts");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        Running { child, stderr, read: String::new(), proof }
    }

    /// Waits until it (with `--log-format json`) has finished a phase.
    pub fn wait_for(&mut self, phase: &str) {
        let mark = format!("\"phase\":\"{phase}\"");
        loop {
            let start = self.read.len();
            let count = self.stderr.read_line(&mut self.read).expect("text");
            assert!(count > 0, "it ended before {phase}: {}", self.read);
            let line = &self.read[start..];
            if line.contains("\"state\":\"ended\"") && line.contains(&mark) {
                return;
            }
        }
    }

    /// Sends it a signal, by its name.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args(["-s", name, &self.child.id().to_string()]);
        assert!(kill.status().expect("runs").success());
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
        assert!(!self.proof.exists());
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        self.stderr.read_to_string(&mut self.read).expect("text");
        let code = self.child.wait().expect("gone").code();
        Ended { code, stderr: self.read, proof: fs::read(self.proof).ok() }
    }
}

/// How a side ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code.
    pub code: Option<i32>,
    /// What it printed for people.
    pub stderr: String,
    /// The proof file it wrote.
    pub proof: Option<Vec<u8>>,
}

impl Ended {
    /// The proof of a side that must have succeeded.
    pub fn succeeded(self) -> Vec<u8> {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.proof.expect("a proof")
    }

    /// The message of a side that must have failed, cleanly and with one line.
    pub fn failed(&self) -> &str {
        // 1 is no exit status of twain's, 101 that of a panic (docs/errors.md).
        assert!(self.code.is_some_and(|code| (2..=13).contains(&code)), "{self:?}");
        assert!(self.proof.is_none(), "no proof is left");
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        one_error(&self.stderr)
    }
}

/// The error message, as text or JSON, which must be one line and the last.
pub fn one_error(stderr: &str) -> &str {
    let is_error =
        |line: &str| line.starts_with("error: ") || line.starts_with("{\"event\":\"error\"");
    let errors = stderr.lines().filter(|line| is_error(line)).count();
    let last = stderr.lines().last().unwrap_or_default();
    assert!(errors == 1 && is_error(last), "not one last line: {stderr}");
    last
}
