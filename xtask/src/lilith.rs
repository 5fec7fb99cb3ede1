//! The slow tests of `crates/lilith/tests`: servers, jobs and peers that are killed (`chaos`), what
//! jobs, requests, listeners and relayed bytes cost (`load`), and jobs on a cluster (`slurm`). They
//! print what they find.

use crate::error::Error;
use crate::process::cargo;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the slow tests of a file with an environment, showing what they do; `optimised` if what is
/// measured is to be what users run.
pub fn slow(
    repository: &Path,
    file: &str,
    optimised: bool,
    environment: &[(&str, PathBuf)],
) -> Result<(), Error> {
    // Also the program that the tests run, which lies beside the server; with the features that all
    // tests have, so that nothing is compiled anew.
    let mut build = cargo();
    build.args(["build", "--workspace", "--bins", "--test", file]);
    let mut test = cargo();
    test.args(["test", "--workspace", "--test", file]);
    if optimised {
        build.arg("--release");
        test.arg("--release");
    }
    test.args(["--", "--ignored", "--nocapture", "--test-threads", "1"]);
    show(&mut build, repository, "cargo build")?;
    show(test.envs(environment.iter().cloned()), repository, file)
}

/// Runs a command whose output is shown.
fn show(command: &mut Command, repository: &Path, what: &str) -> Result<(), Error> {
    let status = command
        .current_dir(repository)
        .status()
        .map_err(|source| Error::Start { program: "cargo".into(), source })?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed { what: what.into(), reason: status.to_string() })
}
