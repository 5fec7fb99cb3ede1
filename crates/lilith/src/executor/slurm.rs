//! Slurm: an attempt is a batch job on a cluster whose nodes share the server's folder. Its
//! commands are used (`sbatch`, `squeue`, `scancel`, `scontrol`), for they have been the same for
//! many versions, and need no more than a machine that jobs are submitted from has.
//!
//! Slurm only tells whether to keep waiting. Two things are not taken from it: how a job ended,
//! which is in the attempt's folder; and that a job of a node that does not answer has ended. Such
//! an attempt is fenced: a file in its folder tells its wrapper to end the program, and the attempt
//! counts as gone when the wrapper has said that it did, or when it must have noticed by itself
//! that it is cut off.

use super::{Attempt, EngineState, Executor, FENCE, FENCED, Place};
use crate::error::ServiceError;
use crate::waiting::blocking;
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Between two questions to Slurm, while somebody wants to know.
const PAUSE: Duration = Duration::from_secs(1);
/// After so long without a question nobody wants to know.
const INTEREST: Duration = Duration::from_secs(5);
/// How long what a job has written may take to be seen here once it has ended.
const SETTLE: Duration = Duration::from_secs(3);
/// A wrapper that could not look at its folder for so long ends the program.
const LEASE: u64 = 30;
/// A wrapper that was fenced and has not said anything has ended the program by now: its lease, and
/// as long again as a file system of a network may hide a new file.
const FENCE_HOLDS: Duration = Duration::from_secs(LEASE + 60);
/// Between two requests to end a job.
const PATIENCE: Duration = Duration::from_secs(5);
/// Slurm counts in minutes; the server ends what runs too long, and Slurm what the server cannot.
const SPARE_MINUTES: u64 = 2;

/// The executor.
#[derive(Debug)]
pub struct Slurm {
    /// The program that is this one: the wrapper. The same path leads to it on all nodes.
    wrapper: PathBuf,
    /// The folder that all attempts' folders are in.
    directory: PathBuf,
    /// What the operator adds to `sbatch`.
    flags: Vec<String>,
    known: Arc<Mutex<Known>>,
}

/// What is known of jobs.
#[derive(Debug, Default)]
struct Known {
    /// When Slurm was last asked with an answer, and what it said, by job number.
    latest: Option<(Instant, HashMap<u64, Job>)>,
    /// When somebody last wanted to know.
    asked: Option<Instant>,
    /// When jobs were submitted by this process.
    submitted: HashMap<u64, Instant>,
    /// Since when jobs are over, as Slurm has it.
    over: HashMap<u64, Instant>,
    /// When jobs were last told to end.
    told: HashMap<u64, Instant>,
    /// Whether the last question had no answer: that is said once.
    is_deaf: bool,
    /// The addresses of nodes.
    nodes: HashMap<String, IpAddr>,
}

/// A line of `squeue`.
#[derive(Clone, Debug, PartialEq)]
struct Job {
    state: String,
    node: String,
    name: String,
    folder: PathBuf,
}

/// What a state of Slurm's means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Queued,
    Running,
    /// Its processes are gone.
    Ended,
    /// Its node is, as far as Slurm knows.
    Lost,
}

impl Job {
    const FORMAT: &str = "--format=%A|%T|%B|%j|%Z";

    fn of_line(line: &str) -> Option<(u64, Self)> {
        let mut parts = line.splitn(5, '|');
        let number = parts.next()?.trim().parse().ok()?;
        let [state, node, name, folder] = [(); 4].map(|()| parts.next());
        let (state, node, name) = (state?.into(), node?.into(), name?.into());
        Some((number, Self { state, node, name, folder: folder?.into() }))
    }

    fn meaning(&self) -> Meaning {
        match self.state.as_str() {
            "PENDING" | "CONFIGURING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED"
            | "RESV_DEL_HOLD" | "SPECIAL_EXIT" => Meaning::Queued,
            "RUNNING" | "COMPLETING" | "RESIZING" | "SIGNALING" | "STAGE_OUT" | "STOPPED"
            | "SUSPENDED" => Meaning::Running,
            "COMPLETED" | "FAILED" | "CANCELLED" | "TIMEOUT" | "DEADLINE" | "OUT_OF_MEMORY"
            | "PREEMPTED" => Meaning::Ended,
            _ => Meaning::Lost,
        }
    }
}

fn failed(program: &str, error: impl std::fmt::Display) -> ServiceError {
    ServiceError::internal(format!("Slurm's {program}"), error)
}

/// What a command of Slurm's says.
fn ask(program: &str, arguments: &[&str], input: Option<&str>) -> Result<String, ServiceError> {
    let run = || -> std::io::Result<std::process::Output> {
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut command = Command::new(program);
        let command = command.args(arguments).stdin(stdin);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let (Some(mut pipe), Some(text)) = (child.stdin.take(), input) {
            pipe.write_all(text.as_bytes())?;
        }
        child.wait_with_output()
    };
    let output = blocking(run).map_err(|error| failed(program, error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(program, said.lines().next().unwrap_or("failed without a word")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// All jobs of this user that Slurm still knows.
fn all_jobs() -> Result<HashMap<u64, Job>, ServiceError> {
    let said = ask("squeue", &["--noheader", "--me", "--states=all", Job::FORMAT], None)?;
    Ok(said.lines().filter_map(Job::of_line).collect())
}

/// The address of a node.
fn address(node: &str) -> Option<IpAddr> {
    let said = ask("scontrol", &["--oneliner", "show", "node", node], None).ok()?;
    let host = said.split_whitespace().find_map(|word| word.strip_prefix("NodeAddr="))?;
    Some((host, 0).to_socket_addrs().ok()?.next()?.ip())
}

/// Asks Slurm as long as the executor is there and somebody wants to know.
fn keep_asking(known: &Weak<Mutex<Known>>) {
    loop {
        let Some(strong) = known.upgrade() else { return };
        if lock(&strong).asked.is_some_and(|at| at.elapsed() < INTEREST) {
            look(&strong);
        }
        drop(strong);
        std::thread::sleep(PAUSE);
    }
}

fn look(known: &Mutex<Known>) {
    let began = Instant::now();
    match all_jobs() {
        Ok(jobs) => {
            let mut new: Vec<&str> = jobs.values().map(|job| job.node.as_str()).collect();
            new.retain(|node| {
                !matches!(*node, "" | "n/a") && !lock(known).nodes.contains_key(*node)
            });
            new.sort_unstable();
            new.dedup();
            let new: Vec<_> = new
                .into_iter()
                .filter_map(|node| Some((node.to_string(), address(node)?)))
                .collect();
            let mut known = lock(known);
            known.nodes.extend(new);
            known.latest = Some((began, jobs));
            known.is_deaf = false;
        }
        Err(error) => {
            if !std::mem::replace(&mut lock(known).is_deaf, true) {
                eprintln!("lilith: {error}");
            }
        }
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `NUMBER:FOLDER`: the job, and the attempt's folder.
fn engine(number: u64, folder: &Path) -> String {
    format!("{number}:{}", folder.display())
}

fn parts(engine: &str) -> Option<(u64, &Path)> {
    let (number, folder) = engine.split_once(':')?;
    Some((number.parse().ok()?, Path::new(folder)))
}

/// A word for a shell that takes nothing in it for anything else.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

impl Slurm {
    /// Runs attempts whose folders are somewhere below `directory`, with more flags for `sbatch`.
    pub fn new(directory: &Path, flags: Vec<String>) -> Result<Self, ServiceError> {
        let wrapper = std::env::current_exe()
            .map_err(|error| ServiceError::internal("finding this program", error))?;
        let known = Arc::<Mutex<Known>>::default();
        let weak = Arc::downgrade(&known);
        std::thread::Builder::new()
            .name("slurm".into())
            .spawn(move || keep_asking(&weak))
            .map_err(|error| ServiceError::internal("starting a thread", error))?;
        Ok(Self { wrapper, directory: directory.to_path_buf(), flags, known })
    }
}

impl Known {
    /// Where a job is, without what follows from it.
    fn meaning(&self, number: u64) -> Option<Meaning> {
        let (asked, jobs) = self.latest.as_ref()?;
        match jobs.get(&number) {
            Some(job) => Some(job.meaning()),
            None if self.submitted.get(&number).is_some_and(|at| at >= asked) => {
                Some(Meaning::Queued)
            }
            // Slurm has forgotten it.
            None => Some(Meaning::Lost),
        }
    }

    fn address_of(&self, number: u64) -> Option<IpAddr> {
        let job = self.latest.as_ref()?.1.get(&number)?;
        self.nodes.get(&job.node).copied()
    }
}

impl Executor for Slurm {
    fn name(&self) -> &'static str {
        "slurm"
    }

    fn place(&self) -> Place {
        Place { listen: "0.0.0.0:0", lease_seconds: Some(LEASE) }
    }

    fn submit(&self, attempt: &Attempt) -> Result<String, ServiceError> {
        let folder = attempt.folder.to_string_lossy();
        let minutes = attempt.run_seconds.div_ceil(60) + SPARE_MINUTES;
        let mut flags = vec![
            "--parsable".to_string(),
            "--no-requeue".into(),
            "--comment=lilith".into(),
            "--export=PATH=/usr/local/bin:/usr/bin:/bin".into(),
            format!("--job-name={}", attempt.id),
            format!("--chdir={folder}"),
            format!("--output={folder}/slurm"),
            format!("--time={minutes}"),
        ];
        if let Some(bytes) = attempt.memory_bytes {
            flags.push(format!("--mem={}M", bytes.div_ceil(1 << 20)));
        }
        flags.extend(self.flags.iter().cloned());
        let script = format!(
            "#!/bin/sh\nexec {} exec {} {}\n",
            quoted(&self.wrapper.to_string_lossy()),
            quoted(&attempt.id),
            quoted(&folder)
        );
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let said = ask("sbatch", &flags, Some(&script))?;
        // `NUMBER`, or `NUMBER;CLUSTER`.
        let number = said.trim().split(';').next().and_then(|text| text.parse().ok());
        let number = number.ok_or_else(|| failed("sbatch", format!("it said {said:?}")))?;
        lock(&self.known).submitted.insert(number, Instant::now());
        Ok(engine(number, &attempt.folder))
    }

    fn state(&self, name: &str) -> EngineState {
        let Some((number, folder)) = parts(name) else { return EngineState::Gone };
        let mut known = lock(&self.known);
        known.asked = Some(Instant::now());
        let meaning = match known.meaning(number) {
            None => return EngineState::Unknown,
            Some(Meaning::Queued) => return EngineState::Queued,
            Some(Meaning::Running) => {
                let address = known.address_of(number);
                return address.map_or(EngineState::Unknown, EngineState::Running);
            }
            Some(ended) => ended,
        };
        let since = *known.over.entry(number).or_insert_with(Instant::now);
        let is_gone = match meaning {
            Meaning::Ended => since.elapsed() >= SETTLE,
            _ => {
                // If it cannot be written, the lease holds all the same: the wrapper cannot look at
                // what cannot be written, or finds the fence at the next try.
                let fence = folder.join(FENCE);
                if !fence.exists() {
                    let _ = fs::write(fence, "");
                }
                folder.join(FENCED).exists() || since.elapsed() >= FENCE_HOLDS
            }
        };
        if !is_gone {
            return EngineState::Unknown;
        }
        known.submitted.remove(&number);
        known.told.remove(&number);
        known.over.remove(&number);
        EngineState::Gone
    }

    fn cancel(&self, name: &str, force: bool) -> Result<(), ServiceError> {
        let Some((number, _)) = parts(name) else { return Ok(()) };
        let meaning = {
            let mut known = lock(&self.known);
            if known.told.get(&number).is_some_and(|at| at.elapsed() < PATIENCE) {
                return Ok(());
            }
            known.told.insert(number, Instant::now());
            known.meaning(number)
        };
        let text = number.to_string();
        match (meaning, force) {
            (Some(Meaning::Ended | Meaning::Lost), _) => Ok(()),
            (Some(Meaning::Running), false) => {
                // To the program, too: without `--full` the script only gets it.
                ask("scancel", &["--full", "--signal=TERM", &text], None).map(drop)
            }
            // `TERM`, and some time after it `KILL`.
            _ => ask("scancel", &[&text], None).map(drop),
        }
    }

    fn list_ours(&self) -> Result<Vec<(String, String)>, ServiceError> {
        let ours = all_jobs()?.into_iter().filter(|(_, job)| {
            let runs = matches!(job.meaning(), Meaning::Queued | Meaning::Running);
            runs && job.folder.starts_with(&self.directory)
        });
        Ok(ours.map(|(number, job)| (engine(number, &job.folder), job.name)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_squeue() {
        let line = "17|RUNNING|n1|0193-a|/srv/a b/recipes/x/0-1";
        let (number, job) = Job::of_line(line).unwrap();
        assert_eq!((number, job.node.as_str(), job.name.as_str()), (17, "n1", "0193-a"));
        assert_eq!(job.folder, Path::new("/srv/a b/recipes/x/0-1"));
        assert_eq!(job.meaning(), Meaning::Running);
        assert_eq!(parts(&engine(17, &job.folder)), Some((17, job.folder.as_path())));
        assert_eq!(Job::of_line("nothing"), None);
        let meanings = [
            ("PENDING", Meaning::Queued),
            ("TIMEOUT", Meaning::Ended),
            ("NODE_FAIL", Meaning::Lost),
            ("A_STATE_OF_LATER_VERSIONS", Meaning::Lost),
        ];
        for (state, meaning) in meanings {
            assert_eq!(Job { state: state.into(), ..job.clone() }.meaning(), meaning, "{state}");
        }
    }

    #[test]
    fn a_job_is_gone_when_nothing_of_it_can_run() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().to_path_buf();
        let executor = Slurm {
            wrapper: "/bin/false".into(),
            directory: folder.clone(),
            flags: Vec::new(),
            known: Arc::default(),
        };
        let name = engine(3, &folder);
        assert_eq!(executor.state(&name), EngineState::Unknown, "Slurm has not answered yet");
        lock(&executor.known).latest = Some((Instant::now(), HashMap::new()));
        lock(&executor.known).submitted.insert(3, Instant::now());
        assert_eq!(executor.state(&name), EngineState::Queued, "asked before it was submitted");
        let say = |state: &str| {
            let (state, name) = (state.to_string(), "a".to_string());
            let job = Job { state, node: "n1".into(), name, folder: folder.clone() };
            lock(&executor.known).latest = Some((Instant::now(), HashMap::from([(3, job)])));
        };
        say("RUNNING");
        assert_eq!(executor.state(&name), EngineState::Unknown, "no address of the node yet");
        let node = IpAddr::from([10, 0, 0, 1]);
        lock(&executor.known).nodes.insert("n1".into(), node);
        assert_eq!(executor.state(&name), EngineState::Running(node));
        // The node does not answer: the job may still run there.
        say("NODE_FAIL");
        assert_eq!(executor.state(&name), EngineState::Unknown);
        assert!(folder.join(FENCE).exists());
        fs::write(folder.join(FENCED), "").unwrap();
        assert_eq!(executor.state(&name), EngineState::Gone);
        assert_eq!(executor.state("not one"), EngineState::Gone);
    }

    #[test]
    fn words_for_the_shell() {
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
    }
}
