//! Jobs of `lilith` on a real Slurm: installs it (Debian's packages), starts one with two nodes on
//! this machine, runs `crates/lilith/tests/slurm.rs` on it, and takes it down. For root, since
//! nodes are namespaces of the network.

mod cluster;

use crate::error::Error;
use crate::lilith;
use crate::process::run;
use cluster::Cluster;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const PACKAGES: [&str; 8] = [
    "slurmctld",
    "slurmd",
    "slurm-client",
    "slurm-wlm-basic-plugins",
    "munge",
    "bindfs",
    "iproute2",
    "util-linux",
];

/// Runs it, showing what becomes of every job. If it `may_be_missing`, a machine on which Slurm
/// cannot be installed and started passes, and is told so.
pub fn check(repository: &Path, may_be_missing: bool) -> Result<(), Error> {
    let start = Instant::now();
    // Where the user of the controller can reach it, wherever the repository is.
    let folder = std::env::temp_dir().join("twain-slurm");
    let cluster = match install().and_then(|()| Cluster::start(&folder)) {
        Err(error) if may_be_missing => {
            println!("jobs on Slurm skipped: {error}");
            return Ok(());
        }
        started => started?,
    };
    println!("Slurm has two nodes after {:.0} s.", start.elapsed().as_secs_f64());
    let result = lilith::slow(repository, "slurm", false, &cluster.environment());
    println!("All took {:.0} s.", start.elapsed().as_secs_f64());
    result
}

fn install() -> Result<(), Error> {
    if !Path::new("/dev/fuse").exists() {
        let reason = "no file system of a program can be mounted here (/dev/fuse)".into();
        return Err(Error::Failed { what: "bindfs".into(), reason });
    }
    let programs = ["sbin/slurmctld", "sbin/slurmd", "sbin/munged", "bin/bindfs"];
    if programs.iter().all(|program| Path::new("/usr").join(program).exists()) {
        return Ok(());
    }
    println!("Installing Slurm.");
    run("apt-get update", Command::new("apt-get").args(["-q", "update"]))?;
    let mut install = Command::new("apt-get");
    install.args(["-qy", "install", "--no-install-recommends"]).args(PACKAGES);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    run("apt-get install", &mut install).map(drop)
}
