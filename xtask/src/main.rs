//! Slow checks against the unmodified EZKL wheel, and benchmarks. Needs `python3` with `ezkl==23.0.5`
//! and, for random circuits, `onnx` and `numpy`.

mod bench;
mod compare;
mod differential;
mod error;
mod ezkl;
mod files;
mod interop;
mod licences;
mod process;
mod twain;

use clap::{Args, Parser, Subcommand};
use error::Error;
use ezkl::Ezkl;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use twain::Twain;

/// Slow checks against the unmodified EZKL wheel, and benchmarks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(flatten)]
    tools: Tools,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Tools {
    /// The `twain` to check, instead of one built now.
    #[arg(long, global = true)]
    twain: Option<PathBuf>,
    /// A Python that has the wheel.
    #[arg(long, global = true, default_value = "python3")]
    python: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks that every dependency is permissively licensed.
    Licences,
    /// Compares both tools on random circuits: keys, witness, and each other's proofs.
    Differential {
        /// How many circuits.
        #[arg(long, default_value_t = 10)]
        count: u64,
        /// The first circuit's seed; the others' follow.
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// The same comparison on the folders of circuits in the repository, or elsewhere.
    Interop {
        /// Folder of folders with at least network.onnx and input.json; EZKL makes what is missing.
        #[arg(long)]
        vectors: Option<PathBuf>,
    },
    /// Times `twain prove` beside EZKL's, in the same run and on the same artifacts.
    Bench {
        /// One prover, who holds both secrets.
        #[arg(long, required = true)]
        alone: bool,
        /// Folder of folders with at least network.onnx and input.json; EZKL makes what is missing.
        #[arg(long)]
        models: Option<PathBuf>,
        /// How often each is run; the run of the least wall time counts.
        #[arg(long, default_value_t = 3)]
        runs: u32,
        /// Only these folders.
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command; false if a comparison failed.
fn run(arguments: Arguments) -> Result<bool, Error> {
    let Tools { twain, python } = arguments.tools;
    let tools = || -> Result<(Twain, Ezkl), Error> {
        let twain = match twain {
            Some(path) => Twain::at(path),
            None => Twain::build(repository())?,
        };
        Ok((twain, Ezkl::new(python, repository().join("xtask/python/ezkl_tool.py"))))
    };
    match arguments.command {
        Command::Licences => licences::check(repository()),
        Command::Differential { count, seed } => {
            let (twain, ezkl) = tools()?;
            differential::run(&twain, &ezkl, count, seed)
        }
        Command::Interop { vectors } => {
            let (twain, ezkl) = tools()?;
            let vectors = vectors.unwrap_or_else(|| repository().join("tests/vectors"));
            interop::run(&twain, &ezkl, &vectors)
        }
        Command::Bench { alone: _, models, runs, names } => {
            let (twain, ezkl) = tools()?;
            let models = models.unwrap_or_else(|| repository().join("tests/models"));
            let work = repository().join("target/bench");
            bench::run(&twain, &ezkl, &bench::Plan { models, work, runs, names }).map(|()| true)
        }
    }
}

fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
