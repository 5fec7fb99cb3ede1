//! Where attempts run. An executor is four calls: submit, state, cancel, list ours. Nothing else
//! passes through it: files, logs and the result are read from the attempt's folder, where the
//! wrapper ([`crate::exec`]) puts them. What it says of an attempt only tells whether to keep
//! waiting.

mod local;
mod slurm;

pub use local::Local;
pub use slurm::Slurm;

use crate::error::ServiceError;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// File names within an attempt's folder.
pub const SPEC: &str = "attempt.json";
/// The log of the process.
pub const LOG: &str = "log";
/// How the process ended.
pub const RESULT: &str = "result.json";
/// Put there by the server: the attempt is over, whatever still runs of it.
pub const FENCE: &str = "fence";
/// Put there by the wrapper that found the fence: nothing runs of the attempt any more.
pub const FENCED: &str = "fenced";

/// What is to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// Names this attempt, and no other.
    pub id: String,
    /// Its folder, which is there, with this as [`SPEC`].
    pub folder: PathBuf,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where it works.
    pub directory: PathBuf,
    /// All of its environment.
    pub environment: Vec<(String, String)>,
    /// The number of the user, and of the group, that it runs as; none for the server's own.
    pub account: Option<u32>,
    /// Bytes of address space, if limited.
    pub memory_bytes: Option<u64>,
    /// Bytes of its log that are kept: the first and the last.
    pub log_bytes: u64,
    /// Seconds it may run, for executors that want to know.
    pub run_seconds: u64,
    /// After how many seconds without a look at its folder the wrapper takes itself for cut off,
    /// and ends the program; none where wrapper and server are on one machine.
    pub lease_seconds: Option<u64>,
}

/// How a process ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ended {
    /// The exit status.
    pub exit: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Why it could not be started.
    pub failed: Option<String>,
    /// When it began, in milliseconds since the epoch.
    pub started: i64,
    /// When it ended.
    pub ended: i64,
    /// Processor seconds.
    pub cpu_seconds: f64,
    /// Bytes of memory at most.
    pub peak_memory: u64,
}

impl Ended {
    /// What the wrapper wrote, if it has.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(folder.join(RESULT)).ok()?).ok()
    }
}

/// What an executor says of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineState {
    /// Not yet running.
    Queued,
    /// Running, on the machine of this address.
    Running(IpAddr),
    /// The executor does not answer now: wait.
    Unknown,
    /// Not any more, or never: there is no process of it.
    Gone,
}

/// What is so of all attempts of an executor.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Where a job listens so that the server reaches it.
    pub listen: &'static str,
    /// See [`Attempt::lease_seconds`].
    pub lease_seconds: Option<u64>,
}

/// Runs attempts.
pub trait Executor: Send + Sync + std::fmt::Debug {
    /// `local`, say.
    fn name(&self) -> &'static str;

    /// What is so of all its attempts.
    fn place(&self) -> Place;

    /// Starts an attempt; how the executor calls it.
    fn submit(&self, attempt: &Attempt) -> Result<String, ServiceError>;

    /// Where it is.
    fn state(&self, engine: &str) -> EngineState;

    /// Ends it: asks first (`TERM`), then with `force` does not (`KILL`).
    fn cancel(&self, engine: &str, force: bool) -> Result<(), ServiceError>;

    /// The attempts of this server that run: how the executor calls them, and their identifiers.
    fn list_ours(&self) -> Result<Vec<(String, String)>, ServiceError>;
}
