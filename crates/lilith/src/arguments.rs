//! The command line of `lilith`.

use crate::server::options::{Options, SideName};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Hosted peers and proving jobs, on one's own servers.
#[derive(Debug, Parser)]
#[command(name = "lilith", version, about, max_term_width = 100)]
pub struct Arguments {
    /// Whom to ask, and how to answer.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of all commands that ask a server.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The server [default: $LILITH_SERVER_URL, $ARCHON_SERVER_URL, or server_url in the settings].
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// A file with the token [default: $LILITH_API_KEY, $ARCHON_API_KEY, or api_key in the
    /// settings].
    #[arg(long, global = true, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Certificates (PEM) to believe besides the system's [default: ca in the settings].
    #[arg(long, global = true, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The settings [default: ~/.config/lilith/config.toml].
    #[arg(long, global = true, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Answers as JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the server.
    Serve(Box<Options>),
    /// Runs one attempt of a job: for the server only.
    #[command(hide = true)]
    Exec {
        /// The second stage, which becomes the program.
        #[arg(long)]
        inner: bool,
        /// The attempt.
        attempt: String,
        /// Its folder.
        folder: PathBuf,
    },
    /// Asks the server for its version, executor and clock.
    Ping,
    /// Projects: each holds one side's secret.
    #[command(subcommand)]
    Project(ProjectCommand),
    /// Makes a project and uploads its files.
    CreateArtifact {
        /// The project.
        #[arg(short, long)]
        artifact: String,
        /// Whose secret it holds.
        #[arg(long, value_enum)]
        side: Option<SideName>,
        /// The files.
        #[command(flatten)]
        files: Files,
    },
    /// Uploads files to a project.
    UpdateArtifact {
        /// The project.
        #[arg(short, long)]
        artifact: String,
        /// A second name below it.
        #[arg(short, long)]
        deployment: Option<String>,
        /// Write over files that are there.
        #[arg(long)]
        replace: bool,
        /// The files.
        #[command(flatten)]
        files: Files,
    },
    /// Lists projects, or the files of one.
    ListArtifacts {
        /// The project.
        #[arg(short, long)]
        artifact: Option<String>,
    },
    /// Downloads a file of a project.
    DownloadArtifact {
        /// The project.
        #[arg(short, long)]
        artifact: String,
        /// A second name below it.
        #[arg(short, long)]
        deployment: Option<String>,
        /// The file.
        #[arg(short, long)]
        file: String,
        /// Where it goes [default: its own name, here].
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Removes a file of a project.
    DeleteArtifact {
        /// The project.
        #[arg(short, long)]
        artifact: String,
        /// The file.
        #[arg(short, long)]
        file: String,
    },
    /// Has Twain's commands run on the server.
    Job(Job),
    /// Tells what became of a recipe (exit status: 0 complete, 1 errored, 3 cancelled, 4 not
    /// ended).
    Get {
        /// The recipe [default: the latest].
        #[arg(short, long)]
        id: Option<String>,
        /// Taken for old scripts' sake.
        #[arg(short = 'q', long, value_name = "USER_ID")]
        user_id: Option<String>,
        /// Wait for its end.
        #[arg(short, long)]
        poll_til_done: bool,
        /// Print its events and log while it runs.
        #[arg(long)]
        follow: bool,
    },
    /// Ends a recipe.
    Cancel {
        /// The recipe.
        #[arg(short, long)]
        id: String,
    },
    /// Lists recipes, newest first.
    List {
        /// Of this project.
        #[arg(short, long)]
        artifact: Option<String>,
        /// active, complete, errored or cancelled.
        #[arg(long)]
        status: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Prints the log of a recipe's commands.
    Logs {
        /// The recipe.
        #[arg(short, long)]
        id: String,
        /// As the programs wrote it.
        #[arg(long)]
        raw: bool,
    },
    /// Whom a project proves with.
    #[command(subcommand)]
    Peer(PeerCommand),
    /// Prints the line that the other side gives `twain prove --invite`.
    Invite {
        /// The project.
        #[arg(short, long)]
        artifact: String,
        /// For whom: one of the project's peers.
        #[arg(long)]
        peer: Option<String>,
        /// The port the peer is to dial [default: the first of the server's that is free].
        #[arg(long)]
        port: Option<u16>,
        /// The compiled circuit.
        #[arg(long, default_value = "model.compiled")]
        circuit: String,
        /// For how many days it is good.
        #[arg(long, default_value_t = 7)]
        days: u32,
        /// Write the line to a file.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Tokens: who may do what.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Shows it all on this machine: a company's server, and a customer that proves with it.
    Demo {
        /// The program `twain` [default: the one beside this].
        #[arg(long)]
        twain: Option<PathBuf>,
    },
    /// Prints completions for a shell.
    Completions {
        /// Which shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// Files to upload.
#[derive(Debug, Args)]
pub struct Files {
    /// The input, which becomes input.json.
    #[arg(short = 'i', long, value_name = "FILE")]
    pub data_path: Option<PathBuf>,
    /// The model, which becomes network.onnx.
    #[arg(short = 'm', long, value_name = "FILE")]
    pub model_path: Option<PathBuf>,
    /// Data for calibration, which become calibration.json.
    #[arg(short = 'c', long, value_name = "FILE")]
    pub calibration_path: Option<PathBuf>,
    /// Any other file, under its own name.
    #[arg(long, value_name = "FILE")]
    pub file: Vec<PathBuf>,
}

/// Flags of `job`.
#[derive(Debug, Args)]
pub struct Job {
    /// The project [default: the only one].
    #[arg(short, long)]
    pub artifact: Option<String>,
    /// A second name below it.
    #[arg(short, long)]
    pub deployment: Option<String>,
    /// Taken for old scripts' sake.
    #[arg(short = 'q', long, value_name = "USER_ID")]
    pub user_id: Option<String>,
    /// A command as one line; several make a chain.
    #[arg(long, value_name = "LINE")]
    pub command: Vec<String>,
    /// Wait for the end, and exit as `get` does.
    #[arg(long)]
    pub wait: bool,
    /// Where the end is told.
    #[arg(long, alias = "callback_url", value_name = "URL")]
    pub callback_url: Option<String>,
    /// Seconds each command may run.
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// A file whose content the result is to hold.
    #[arg(long, value_name = "FILE")]
    pub output_path: Vec<String>,
    /// By which a repeated request is known, and not run twice.
    #[arg(long, value_name = "TEXT")]
    pub idempotency_key: Option<String>,
    /// The command and its flags.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, conflicts_with = "command")]
    pub words: Vec<String>,
}

/// `project …`.
#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// Makes a project.
    Create {
        /// Its name.
        name: String,
        /// Whose secret it holds.
        #[arg(long, value_enum)]
        side: SideName,
    },
    /// Lists projects.
    List,
    /// Shows a project: fingerprint, files, peers, limits and use.
    Show {
        /// Its name.
        name: String,
    },
    /// Deletes a project with all that is in it.
    Delete {
        /// Its name.
        name: String,
    },
    /// Sets what a project may use, as JSON: {"running": 2, "memory_bytes": 8000000000}.
    Limit {
        /// Its name.
        name: String,
        /// The limits.
        limits: String,
    },
    /// Prints the secrets that sign the project's callbacks.
    Webhook {
        /// Its name.
        name: String,
        /// Make a new one; the one before it stays good until the next.
        #[arg(long)]
        rotate: bool,
    },
}

/// `peer …`.
#[derive(Debug, Subcommand)]
pub enum PeerCommand {
    /// Says that a project proves with a peer.
    #[command(group(ArgGroup::new("place").args(["address", "wait_port"]).multiple(true)))]
    Add {
        /// The project.
        #[arg(short, long)]
        artifact: String,
        /// What the project calls it.
        name: String,
        /// Its fingerprint, as its `twain identity` prints it.
        fingerprint: String,
        /// HOST:PORT where it listens, if it does.
        #[arg(long)]
        address: Option<String>,
        /// How many proofs a day are made with it at most.
        #[arg(long)]
        proofs_a_day: Option<u32>,
        /// How many bundles are to be ready with it: made while it listens at its address, or dials
        /// --wait-port. Of two servers one needs the address, the other the port.
        #[arg(long, requires = "place")]
        keep_bundles: Option<u32>,
        /// The port of the server where it waits for the peer while there are too few bundles.
        #[arg(long, requires = "keep_bundles")]
        wait_port: Option<u16>,
    },
    /// Lists the peers of a project.
    List {
        /// The project.
        #[arg(short, long)]
        artifact: String,
    },
    /// Says that a project no longer proves with a peer.
    Remove {
        /// The project.
        #[arg(short, long)]
        artifact: String,
        /// Its name or fingerprint.
        peer: String,
    },
}

/// `token …`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Makes a token, which is shown once.
    Create {
        /// The project it is for.
        #[arg(short, long)]
        artifact: Option<String>,
        /// What it may do.
        #[arg(long, value_enum)]
        role: RoleName,
        /// After how many seconds, minutes (m), hours (h) or days (d) it ends.
        #[arg(long, value_parser = lasting)]
        expires: Option<u32>,
        /// What to call it.
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Lists tokens, without their secrets.
    List,
    /// Ends a token.
    Revoke {
        /// Its identifier.
        id: String,
    },
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Everything.
    Admin,
    /// Change its project, and run commands in it.
    Run,
    /// Look at its project.
    Read,
}

impl RoleName {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            RoleName::Admin => "admin",
            RoleName::Run => "run",
            RoleName::Read => "read",
        }
    }
}

fn lasting(text: &str) -> Result<u32, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let unit = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => 1,
    };
    let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
    seconds
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| "a time looks like 90, 15m, 12h, 30d".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_line_that_users_know_is_one() {
        Arguments::command().debug_assert();
        let line = [
            "lilith",
            "job",
            "-a",
            "credit",
            "--command",
            "prove --remote-peer 203.0.113.9:7000 --local-addr 7101 --id model",
        ];
        let Command::Job(job) = Arguments::parse_from(line).command else { panic!("a job") };
        assert_eq!(job.command.len(), 1);
        let line = ["archon", "job", "-a", "x", "-q", "user", "gen-witness", "-D", "a.json"];
        let Command::Job(job) = Arguments::parse_from(line).command else { panic!("a job") };
        assert_eq!(job.words, ["gen-witness", "-D", "a.json"]);
    }

    #[test]
    fn times() {
        assert_eq!((lasting("90"), lasting("15m"), lasting("2d")), (Ok(90), Ok(900), Ok(172_800)));
        assert!(lasting("").is_err() && lasting("0").is_err() && lasting("99999999d").is_err());
    }
}
