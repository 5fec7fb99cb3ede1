//! Tests of the arithmetic on another processor: cross-compiled for 64-bit ARM with Debian's
//! `gcc-aarch64-linux-gnu`, and run under `qemu-user`. The kernels there are the portable ones.

use crate::error::Error;
use crate::process::cargo;
use std::path::Path;
use std::time::Instant;

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// Runs them, showing what they say. Needs `rustup target add aarch64-unknown-linux-gnu`, too.
pub fn run(repository: &Path) -> Result<(), Error> {
    let start = Instant::now();
    let mut command = cargo();
    command.current_dir(repository).args(["test", "--target", TARGET]);
    command.args(["-p", "twain-algebra", "-p", "twain-rlwe"]);
    command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc");
    let runner = "qemu-aarch64 -L /usr/aarch64-linux-gnu";
    command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner);
    let status =
        command.status().map_err(|source| Error::Start { program: "cargo".into(), source })?;
    println!("The tests on {TARGET} took {:.0} s.", start.elapsed().as_secs_f64());
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed { what: format!("the tests on {TARGET}"), reason: status.to_string() })
}
