//! The slow part of `crates/twain/tests/faults.rs` and `crates/cli/tests/kills.rs`: every fault of
//! the emulated link, on either side, at every step of making a bundle, of a proof from it and of a
//! proof without; links of 0.1, 10 and 100 ms one way; either process killed after every phase. The
//! tests print tables.

use crate::error::Error;
use crate::process::cargo;
use std::path::Path;
use std::time::Instant;

/// Runs it, showing what it does. Built as the other tests are, whose build it shares.
pub fn run(repository: &Path) -> Result<(), Error> {
    let start = Instant::now();
    let mut command = cargo();
    command.current_dir(repository).args([
        "test",
        "-p",
        "twain",
        "-p",
        "twain-cli",
        "--test",
        "faults",
    ]);
    command.args(["--test", "kills", "--no-fail-fast"]);
    command.args(["--", "--ignored", "--nocapture", "--test-threads", "1"]);
    let status =
        command.status().map_err(|source| Error::Start { program: "cargo".into(), source })?;
    println!("The sweep of faults took {:.0} s.", start.elapsed().as_secs_f64());
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed { what: "the sweep of faults".into(), reason: status.to_string() })
}
