//! The unmodified EZKL wheel, through `xtask/python/ezkl_tool.py`.

use crate::error::Error;
use crate::files::Folder;
use crate::process::{Output, run};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The wheel.
pub struct Ezkl {
    python: PathBuf,
    driver: PathBuf,
}

/// What a proof by the wheel took.
#[derive(Clone, Copy, Debug)]
pub struct ProveCost {
    /// Seconds, from reading the files to the proof's file.
    pub wall: f64,
    /// Seconds of all threads.
    pub cpu: f64,
    /// Peak resident memory, bytes.
    pub memory: u64,
}

impl Ezkl {
    /// The wheel of a Python.
    pub fn new(python: PathBuf, driver: PathBuf) -> Self {
        Self { python, driver }
    }

    fn run(&self, command: &str, rest: &[&OsStr]) -> Result<Output, Error> {
        let mut python = Command::new(&self.python);
        // A panic in the wheel would end with its backtrace instead of its message.
        python.env("RUST_BACKTRACE", "0").arg(&self.driver).arg(command).args(rest);
        run(&format!("ezkl {command}"), &mut python)
    }

    /// Draws a random model, its input and run arguments.
    pub fn random(&self, folder: &Folder, seed: u64) -> Result<(), Error> {
        let seed = seed.to_string();
        self.run("random", &[folder.0.as_os_str(), OsStr::new(&seed)]).map(drop)
    }

    /// The SRS for `2^logrows` rows in a folder, made if it is not there.
    pub fn srs(&self, folder: &Path, logrows: u64) -> Result<PathBuf, Error> {
        let path = folder.join(format!("kzg{logrows}.srs"));
        if !path.exists() {
            std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
            let logrows = logrows.to_string();
            self.run("srs", &[path.as_os_str(), OsStr::new(&logrows)])?;
        }
        Ok(path)
    }

    /// Settings and the compiled circuit, if they are not there.
    pub fn compile(&self, folder: &Folder) -> Result<(), Error> {
        if folder.has("settings.json") && folder.has("model.compiled") {
            return Ok(());
        }
        self.run("settings", &[folder.0.as_os_str()]).map(drop)
    }

    /// Settings and the compiled circuit, made by one thread: with more, EZKL counts differently
    /// each time.
    pub fn front_end(&self, folder: &Folder) -> Result<(), Error> {
        self.run("front-end", &[folder.0.as_os_str()]).map(drop)
    }

    /// The same after calibration: `calibrated.json`, `calibrated.compiled`.
    pub fn calibrate(&self, folder: &Folder) -> Result<(), Error> {
        self.run("calibrate", &[folder.0.as_os_str()]).map(drop)
    }

    /// Keys.
    pub fn setup(&self, folder: &Folder, srs: &Path) -> Result<(), Error> {
        self.run("setup", &[folder.0.as_os_str(), srs.as_os_str()]).map(drop)
    }

    /// Keys, witness and proof, if they are not there.
    pub fn complete(&self, folder: &Folder, srs: &Path) -> Result<(), Error> {
        let arguments = [folder.0.as_os_str(), srs.as_os_str()];
        let proving_key = folder.has("pk.key") || folder.has("pk.sha256");
        if !(proving_key && folder.has("vk.key")) {
            self.setup(folder, srs)?;
            folder.remove("witness.json")?;
            folder.remove("proof.json")?;
        }
        if !folder.has("witness.json") {
            self.run("witness", &arguments)?;
        }
        if !folder.has("proof.json") {
            self.prove(folder, srs)?;
        }
        Ok(())
    }

    /// Makes a proof.
    pub fn prove(&self, folder: &Folder, srs: &Path) -> Result<ProveCost, Error> {
        let output = self.run("prove", &[folder.0.as_os_str(), srs.as_os_str()])?;
        let last = output.stdout.lines().last().unwrap_or_default();
        let numbers: Vec<f64> = last.split(' ').filter_map(|n| n.parse().ok()).collect();
        match numbers[..] {
            [wall, cpu, kilobytes] => Ok(ProveCost { wall, cpu, memory: kilobytes as u64 * 1024 }),
            _ => Err(Error::content("ezkl prove", format!("it said {last:?}"))),
        }
    }

    /// Checks a proof with a verifying key.
    pub fn verify(&self, folder: &Folder, srs: &Path, proof: &Path) -> Result<(), Error> {
        let arguments = [folder.0.as_os_str(), srs.as_os_str(), proof.as_os_str()];
        self.run("verify", &arguments).map(drop)
    }
}
