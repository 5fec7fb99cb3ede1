//! The slow part of `crates/twain/tests/faults.rs`: every fault of the emulated link at every step of a
//! pair's proof, on either side, and links of 0.1, 10 and 100 ms one way.

use crate::error::Error;
use crate::process::cargo;
use std::path::Path;

/// Runs it, showing what it does.
pub fn run(repository: &Path) -> Result<(), Error> {
    let mut command = cargo();
    command.current_dir(repository).args(["test", "--release", "-p", "twain", "--test", "faults"]);
    command.args(["--", "--ignored", "--nocapture", "--test-threads", "1"]);
    let status =
        command.status().map_err(|source| Error::Start { program: "cargo".into(), source })?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed { what: "the sweep of faults".into(), reason: status.to_string() })
}
