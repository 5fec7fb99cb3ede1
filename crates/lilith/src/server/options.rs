//! What the operator says when the server is started.

use crate::networks::{Network, Policy};
use clap::{Args, ValueEnum};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// What every operator is to know.
pub const TRUST: &str = "This server sees every secret that is put into it. It must belong to, or be \
     trusted by, the party whose secret that is; one project holds one side's secret, and the other \
     side's stays on the other side's machines.";

/// Flags of `lilith serve`. Each can also be set in the environment and in a file
/// ([`super::config`]).
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// A file (TOML) with what is not said here: long names of flags, and their values.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The server's folder: database, projects, identities. Made if it is not there.
    #[arg(long = "dir", value_name = "DIR")]
    pub directory: PathBuf,
    /// Where clients and browsers find the server.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Certificates (PEM), the server's own first.
    #[arg(long, requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of the first certificate (PEM).
    #[arg(long, requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Take tokens and files in the clear on other addresses than loopback.
    #[arg(long)]
    pub insecure_http: bool,
    /// A new file for the first admin token, instead of printing it: where output is kept in a log.
    #[arg(long, value_name = "FILE")]
    pub first_token: Option<PathBuf>,
    /// The name or address under which peers find this machine.
    #[arg(long, default_value = "127.0.0.1", value_parser = host)]
    pub peer_host: String,
    /// The address that listens for peers [default: all, or loopback if --peer-host is].
    #[arg(long)]
    pub peer_bind: Option<IpAddr>,
    /// The ports that peers dial.
    #[arg(long, default_value = "7100-7199", value_parser = ports)]
    pub peer_ports: RangeInclusive<u16>,
    /// Networks that jobs may dial although they are this machine's or its neighbours'.
    #[arg(long, value_name = "NETWORK")]
    pub peer_allow: Vec<Network>,
    /// Networks that jobs may not dial.
    #[arg(long, value_name = "NETWORK")]
    pub peer_deny: Vec<Network>,
    /// Hosts that callbacks may reach by plain HTTP, and on any network.
    #[arg(long, value_name = "HOST:PORT")]
    pub callback_allow: Vec<String>,
    /// The program `twain` [default: the one beside this].
    #[arg(long)]
    pub twain: Option<PathBuf>,
    /// Where jobs run.
    #[arg(long, value_enum, default_value_t = ExecutorName::Local)]
    pub executor: ExecutorName,
    /// One more flag for Slurm's sbatch, such as --sbatch=--partition=prove; may be given several
    /// times.
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    pub sbatch: Vec<String>,
    /// Run the jobs of each project as a Unix user of its own, one of these numbers: for servers
    /// that root starts.
    #[arg(long, value_name = "FIRST-LAST", num_args = 0..=1, default_missing_value = "200000-265535",
          value_parser = accounts)]
    pub user_per_project: Option<RangeInclusive<u32>>,
    /// How many commands run at a time [default: one a core; 1000 with Slurm, which has a queue
    /// itself].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub jobs: Option<u32>,
    /// Take both sides' secrets of one circuit: for tests and demos, for then they are no secrets
    /// from who runs this machine.
    #[arg(long)]
    pub allow_both_sides: bool,
    /// The side of projects that old clients make without saying it.
    #[arg(long, value_enum)]
    pub default_side: Option<SideName>,
    /// Let jobs make SRS files whose secret somebody knows: for tests.
    #[arg(long)]
    pub allow_gen_srs: bool,
    /// The operator's SRS files, kzgK.srs [default: $EZKL_REPO_PATH/srs, or ~/.ezkl/srs].
    #[arg(long)]
    pub srs: Option<PathBuf>,
    /// Seconds a command may wait in the queue.
    #[arg(long, default_value_t = 3600)]
    pub queue_seconds: u64,
    /// Seconds a hosted side waits for its peer.
    #[arg(long, default_value_t = 600)]
    pub connect_seconds: u64,
    /// How often a command is tried again whose process is gone without a result.
    #[arg(long, default_value_t = 1)]
    pub retries: u32,
    /// Requests a second of one token.
    #[arg(long, default_value_t = 100)]
    pub requests_a_second: u32,
    /// Bytes below which the disk counts as full: no uploads, no new recipes.
    #[arg(long, default_value_t = 256 << 20)]
    pub disk_floor: u64,
}

/// Where jobs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExecutorName {
    /// Child processes of this machine.
    Local,
    /// Batch jobs of a Slurm cluster whose nodes share the server's folder.
    Slurm,
}

/// Whose secret a project holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SideName {
    /// The parameters.
    Model,
    /// The inputs.
    Data,
}

impl SideName {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            SideName::Model => "model",
            SideName::Data => "data",
        }
    }
}

fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let parse = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (parse(first), parse(last)) {
        (Some(first), Some(last)) if first <= last => Ok(first..=last),
        _ => Err("ports look like 7100-7199, or 7100".into()),
    }
}

fn accounts(text: &str) -> Result<RangeInclusive<u32>, String> {
    // 0 is root, and the last number means "no change" to the system.
    let parse = |text: &str| text.parse().ok().filter(|id| (1..u32::MAX).contains(id));
    match text.split_once('-').map(|(first, last)| (parse(first), parse(last))) {
        Some((Some(first), Some(last))) if first <= last => Ok(first..=last),
        _ => Err("numbers of users look like 200000-265535".into()),
    }
}

fn host(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    match !text.is_empty() && text.len() <= 255 && text.chars().all(plain) {
        true => Ok(text.to_string()),
        false => Err("a host name or an address, without a port".into()),
    }
}

impl Options {
    /// Whom jobs may dial.
    pub fn peer_policy(&self) -> Policy {
        Policy { allow: self.peer_allow.clone(), deny: self.peer_deny.clone() }
    }

    /// The address that listens for peers.
    pub fn peer_bind(&self) -> IpAddr {
        let host: Option<IpAddr> = self.peer_host.parse().ok();
        let loopback = host.filter(IpAddr::is_loopback);
        self.peer_bind.or(loopback).unwrap_or(IpAddr::from([0, 0, 0, 0]))
    }

    /// The operator's SRS files.
    pub fn srs_folder(&self) -> Option<PathBuf> {
        let repository = || std::env::var_os("EZKL_REPO_PATH").map(PathBuf::from);
        let home = || std::env::home_dir().map(|home| home.join(".ezkl"));
        self.srs.clone().or_else(|| Some(repository().or_else(home)?.join("srs")))
    }

    /// How many commands run at a time.
    pub fn slots(&self) -> usize {
        let most = || match self.executor {
            ExecutorName::Local => std::thread::available_parallelism().map_or(1, usize::from),
            ExecutorName::Slurm => 1000,
        };
        self.jobs.map_or_else(most, |jobs| jobs as usize)
    }

    /// How long a command may wait in the queue.
    pub fn queue_limit(&self) -> Duration {
        Duration::from_secs(self.queue_seconds)
    }
}
