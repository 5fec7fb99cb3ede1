//! Child processes of this machine. They outlive the server: each is a process group of its own,
//! known by its number and the time it was started, and is found again after a restart.

use super::{Attempt, EngineState, Executor, Place};
use crate::error::ServiceError;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Where its processes are.
const HERE: EngineState = EngineState::Running(IpAddr::V4(Ipv4Addr::LOCALHOST));

/// The executor.
#[derive(Debug)]
pub struct Local {
    /// The program that is this one: the wrapper.
    wrapper: PathBuf,
    /// The folder that all attempts' folders are in.
    directory: PathBuf,
    /// Those started by this process, to be waited for.
    children: Mutex<HashMap<i32, Child>>,
}

impl Local {
    /// Runs attempts whose folders are somewhere below `directory`.
    pub fn new(directory: &Path) -> Result<Self, ServiceError> {
        let wrapper = std::env::current_exe()
            .map_err(|error| ServiceError::internal("finding this program", error))?;
        Ok(Self { wrapper, directory: directory.to_path_buf(), children: Mutex::default() })
    }

    fn children(&self) -> std::sync::MutexGuard<'_, HashMap<i32, Child>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `PID:START`, with the start in clock ticks since the machine's.
fn engine(pid: i32) -> Option<String> {
    Some(format!("{pid}:{}", started(pid)?))
}

/// When a process was started, if it is there, no zombie, and leads its process group: a child that
/// is about to become another program still has the name of its parent.
fn started(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may have blanks and parentheses in it.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // The state is the third field, the group the fifth, the start the twenty-second.
    let (state, group) = (*fields.first()?, fields.get(2)?.parse::<i32>().ok()?);
    match state != "Z" && group == pid {
        true => fields.get(19)?.parse().ok(),
        false => None,
    }
}

fn pid(engine: &str) -> Option<i32> {
    engine.split_once(':')?.0.parse().ok()
}

impl Executor for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn place(&self) -> Place {
        Place { listen: "127.0.0.1:0", lease_seconds: None }
    }

    fn submit(&self, attempt: &Attempt) -> Result<String, ServiceError> {
        let child = Command::new(&self.wrapper)
            .args(["exec", &attempt.id])
            .arg(&attempt.folder)
            .current_dir("/")
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| ServiceError::internal("starting a process", error))?;
        let number = i32::try_from(child.id())
            .map_err(|error| ServiceError::internal("a process number", error))?;
        // One that has ended already stays a zombie until it is waited for: it has a start, too.
        let engine = engine(number).unwrap_or_else(|| format!("{number}:0"));
        self.children().insert(number, child);
        Ok(engine)
    }

    fn state(&self, name: &str) -> EngineState {
        let Some(number) = pid(name) else { return EngineState::Gone };
        let mut children = self.children();
        if let Some(child) = children.get_mut(&number) {
            if let Ok(None) = child.try_wait() {
                return HERE;
            }
            children.remove(&number);
            return EngineState::Gone;
        }
        match engine(number).as_deref() == Some(name) {
            true => HERE,
            false => EngineState::Gone,
        }
    }

    fn cancel(&self, name: &str, force: bool) -> Result<(), ServiceError> {
        let Some(number) = pid(name) else { return Ok(()) };
        if self.state(name) == EngineState::Gone {
            return Ok(());
        }
        let signal = if force { Signal::SIGKILL } else { Signal::SIGTERM };
        match killpg(Pid::from_raw(number), signal) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
            Err(errno) => Err(ServiceError::internal("ending a process", errno)),
        }
    }

    fn list_ours(&self) -> Result<Vec<(String, String)>, ServiceError> {
        let entries = fs::read_dir("/proc")
            .map_err(|error| ServiceError::internal("listing processes", error))?;
        let mut ours = Vec::new();
        for entry in entries.flatten() {
            let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
            let words: Vec<String> = line
                .split(|byte| *byte == 0)
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect();
            let [_, exec, attempt, folder, ..] = words.as_slice() else { continue };
            if exec == "exec" && Path::new(folder).starts_with(&self.directory) {
                ours.extend(engine(number).map(|engine| (engine, attempt.clone())));
            }
        }
        Ok(ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_number_and_start() {
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().expect("starts");
        let name = engine(child.id() as i32).unwrap();
        assert_eq!(engine(std::process::id() as i32 + 1_000_000_000), None);
        let executor = Local::new(Path::new("/nowhere")).unwrap();
        assert_eq!(executor.state(&name), HERE);
        // Another process that has the number by now.
        assert_eq!(executor.state(&format!("{}:1", child.id())), EngineState::Gone);
        assert_eq!(executor.state("not one"), EngineState::Gone);
        assert!(executor.list_ours().unwrap().is_empty());
        executor.cancel(&name, true).unwrap();
        assert!(!child.wait().unwrap().success());
        assert_eq!(executor.state(&name), EngineState::Gone);
    }
}
