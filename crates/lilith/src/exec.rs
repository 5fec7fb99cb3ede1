//! `lilith exec`: the wrapper that runs beside each `twain`. It starts the program with little: its
//! own folder, no other environment, no core dumps, no new privileges, so much memory; keeps the
//! first and the last of what it prints; and writes how it ended, whole or not at all. The server
//! may be gone meanwhile.
//!
//! Two stages, for what is set before a program starts must be set from inside its process: the
//! outer one starts this program again (`exec --inner`), and that sets it and becomes the program.

use crate::executor::{Attempt, Ended, FENCED, LOG, RESULT, SPEC};
use crate::fence::{self, is_fenced};
use crate::identifiers::now;
use nix::sys::prctl::{set_no_new_privs, set_pdeathsig};
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::{Mode, umask};
use nix::sys::time::TimeValLike;
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Signals that the program gets, and the wrapper outlives.
fn passed_on() -> SigSet {
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect()
}

fn read_spec(folder: &Path) -> io::Result<Attempt> {
    serde_json::from_slice(&fs::read(folder.join(SPEC))?).map_err(io::Error::other)
}

/// Runs the attempt in a folder.
pub fn outer(folder: &Path) -> io::Result<()> {
    umask(Mode::from_bits_truncate(0o077));
    passed_on().thread_block()?;
    let spec = read_spec(folder)?;
    let started = now();
    // One that was given up before it began must not begin.
    let fenced = AtomicBool::new(is_fenced(folder));
    let run = match fenced.load(Ordering::Acquire) {
        true => Err(io::Error::other("the server has given the attempt up")),
        false => run(folder, &spec, &fenced),
    };
    if fenced.load(Ordering::Acquire) {
        // Not a result: the server waits for this before it begins another attempt.
        return File::create(folder.join(FENCED))?.sync_all();
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: nix::sys::time::TimeVal| time.num_microseconds() as f64 / 1e6;
    let (exit, signal, failed) = match run {
        Ok(status) => (status.code(), status.signal(), None),
        Err(error) => (None, None, Some(error.to_string())),
    };
    let ended = Ended {
        exit,
        signal,
        failed,
        started,
        ended: now(),
        cpu_seconds: seconds(usage.user_time()) + seconds(usage.system_time()),
        peak_memory: u64::try_from(usage.max_rss()).unwrap_or(0) * 1024,
    };
    let unfinished = folder.join(".result");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(&serde_json::to_vec(&ended)?)?;
    file.sync_all()?;
    fs::rename(unfinished, folder.join(RESULT))?;
    File::open(folder)?.sync_all()
}

/// Runs the program to its end; sets `fenced` if that was because the server has given the attempt
/// up.
fn run(folder: &Path, spec: &Attempt, fenced: &AtomicBool) -> io::Result<ExitStatus> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["exec", "--inner", &spec.id])
        .arg(folder)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let log = Mutex::new(Log::new(&folder.join(LOG), spec.log_bytes)?);
    let (stdout, stderr, number) = (child.stdout.take(), child.stderr.take(), child.id());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let copies = [scope.spawn(|| copy(stdout, &log)), scope.spawn(|| copy(stderr, &log))];
        if let Some(seconds) = spec.lease_seconds {
            let watch = fence::Watch::begin(folder.to_path_buf(), Duration::from_secs(seconds));
            let over = &over;
            scope.spawn(move || fenced.store(watch.guard(number, over), Ordering::Release));
        }
        for one in copies {
            // Copying does not panic; if it did, the program would go on all the same.
            let _ = one.join();
        }
        over.store(true, Ordering::Release);
    });
    let status = child.wait()?;
    log.into_inner().unwrap_or_else(PoisonError::into_inner).finish()?;
    Ok(status)
}

/// Becomes the program of the attempt.
pub fn inner(folder: &Path) -> io::Result<()> {
    // If the wrapper is killed, nobody watches this process any more.
    set_pdeathsig(Signal::SIGKILL)?;
    umask(Mode::from_bits_truncate(0o077));
    set_no_new_privs()?;
    let spec = read_spec(folder)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    if let Some(bytes) = spec.memory_bytes {
        setrlimit(Resource::RLIMIT_AS, bytes, bytes)?;
    }
    if let Some(account) = spec.account {
        setgroups(&[])?;
        setgid(Gid::from_raw(account))?;
        setuid(Uid::from_raw(account))?;
        // The system forgets it when the user changes.
        set_pdeathsig(Signal::SIGKILL)?;
    }
    passed_on().thread_unblock()?;
    Err(Command::new(&spec.program)
        .args(&spec.arguments)
        .current_dir(&spec.directory)
        .env_clear()
        .envs(spec.environment)
        .exec())
}

/// Copies what a pipe gives to the log, line by line, so that two pipes do not mix within a line.
fn copy(pipe: Option<impl Read>, log: &Mutex<Log>) {
    let Some(mut pipe) = pipe else { return };
    let (mut line, mut buffer) = (Vec::new(), [0; 8192]);
    let add = |bytes: &[u8]| {
        // A full disk must not stop the program: it ends by itself, and says why.
        let _ = log.lock().unwrap_or_else(PoisonError::into_inner).add(bytes);
    };
    loop {
        let count = match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        line.extend(&buffer[..count]);
        if let Some(end) = line.iter().rposition(|byte| *byte == b'\n') {
            add(&line[..=end]);
            line.drain(..=end);
        } else if line.len() > 1 << 16 {
            line.push(b'\n');
            add(&std::mem::take(&mut line));
        }
    }
    if !line.is_empty() {
        line.push(b'\n');
        add(&line);
    }
}

/// A log of bounded size: what comes first is written at once, of the rest the last is kept.
struct Log {
    file: File,
    first: u64,
    last: usize,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Log {
    fn new(path: &Path, bytes: u64) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let last = usize::try_from(bytes / 4).unwrap_or(usize::MAX);
        Ok(Self { file, first: bytes - bytes / 4, last, tail: VecDeque::new(), left_out: 0 })
    }

    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = bytes.len() as u64;
        if self.tail.is_empty() && self.left_out == 0 && length <= self.first {
            self.first -= length;
            return self.file.write_all(bytes);
        }
        self.tail.extend(bytes);
        while self.tail.len() > self.last {
            self.tail.pop_front();
            self.left_out += 1;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        if self.left_out > 0 {
            // Begins with a whole line.
            let cut = self.tail.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            self.tail.drain(..cut);
            let left_out = self.left_out + cut as u64;
            writeln!(self.file, "[{left_out} bytes of the log were left out here]")?;
        }
        self.file.write_all(self.tail.make_contiguous())?;
        self.file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_of_a_log_are_kept() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("log");
        let mut log = Log::new(&path, 400).unwrap();
        for number in 0..100 {
            log.add(format!("line {number}\n").as_bytes()).unwrap();
        }
        log.finish().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("line 0\nline 1\n") && text.ends_with("line 98\nline 99\n"));
        assert_eq!(text.matches("bytes of the log were left out here").count(), 1, "{text}");
        assert!(text.len() < 500, "{}", text.len());

        let path = place.path().join("short");
        let mut log = Log::new(&path, 400).unwrap();
        log.add(b"all of it\n").unwrap();
        log.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "all of it\n");
    }
}
