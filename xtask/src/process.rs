//! Runs a program to its end and keeps what it said.

use crate::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a program said, when it succeeded.
pub struct Output {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// How long it ran.
    pub wall: Duration,
}

/// Runs a program; an error with the last thing it said if it fails.
pub fn run(what: &str, command: &mut Command) -> Result<Output, Error> {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().map_err(|source| {
        let program = command.get_program().to_string_lossy().into_owned();
        Error::Start { program, source }
    })?;
    let wall = start.elapsed();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Ok(Output { stdout, stderr, wall });
    }
    let said = stderr.lines().chain(stdout.lines()).rfind(|line| !line.trim().is_empty());
    let reason = said.map_or_else(|| output.status.to_string(), str::to_owned);
    Err(Error::Failed { what: what.to_owned(), reason })
}

/// The cargo that runs `xtask`.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
