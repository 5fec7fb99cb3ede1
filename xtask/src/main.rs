//! Slow checks against the unmodified EZKL wheel, and benchmarks. Needs `python3` with
//! `ezkl==23.0.5` and, for random circuits, `onnx` and `numpy`.

mod aarch64;
mod bench;
#[cfg(test)]
mod citations;
mod compare;
mod differential;
mod error;
mod ezkl;
mod faults;
mod files;
mod interop;
#[cfg(test)]
mod layers;
mod lilith;
mod mutants;
mod pair;
mod process;
mod slurm;
mod sweep;
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
    /// Compares both tools on random circuits: keys, witness, and each other's proofs.
    Differential {
        /// How many circuits.
        #[arg(long, default_value_t = 10)]
        count: u64,
        /// The first circuit's seed; the others' follow.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Have two processes prove each circuit together as well: three quarters of the circuits
        /// with constraints of degree 5, the others of a higher one.
        #[arg(long)]
        pair: bool,
    },
    /// The same comparison on the folders of circuits in the repository, or elsewhere.
    Interop {
        /// Folder of folders with at least network.onnx and input.json; EZKL makes what is missing.
        #[arg(long)]
        vectors: Option<PathBuf>,
    },
    /// Lets EZKL make anew what tests compare the front end with.
    FrontEnd {
        /// Folder of folders with network.onnx and calibration.json [default: tests/onnx].
        #[arg(long)]
        models: Option<PathBuf>,
    },
    /// Asks of each ONNX model: are settings, circuit, calibration and keys EZKL's, and does it
    /// accept our proof and a pair's?
    Sweep {
        /// Folder of models: NAME/network.onnx (with input.json, calibration.json, run_args.json as
        /// there are), or NAME.onnx.
        #[arg(long)]
        onnx_dir: PathBuf,
        /// Where results are kept: models that have one are not asked again [default:
        /// target/sweep].
        #[arg(long)]
        work: Option<PathBuf>,
        /// Models at a time.
        #[arg(long, default_value_t = 1)]
        jobs: usize,
        /// No keys for circuits with more than 2^MAX_LOGROWS rows.
        #[arg(long, default_value_t = 17, value_parser = clap::value_parser!(u64).range(..64))]
        max_logrows: u64,
        /// Only these models.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Without EZKL: does each command do its work, and do proofs verify?
        #[arg(long)]
        alone: bool,
    },
    /// Lets the link of a pair go wrong in every way at every step, and be slow.
    Faults,
    /// Starts a Slurm of two nodes, and runs jobs of `lilith` on it. For root on Debian.
    Slurm {
        /// A machine on which it cannot be installed and started passes, and is told so.
        #[arg(long)]
        or_skip: bool,
    },
    /// Kills servers of `lilith`, their jobs and their peers, and fills their disk.
    LilithChaos,
    /// Has EZKL check the proof of a hosted side and a customer.
    LilithInterop,
    /// Measures what jobs, requests, listeners and relayed bytes cost a server of `lilith`.
    LilithLoad,
    /// Tests the arithmetic on 64-bit ARM, under an emulator.
    Aarch64,
    /// Takes each mask and check of a pair away in turn: a test must find it.
    Mutants {
        /// Only those whose description contains this, or one of these between `|`.
        #[arg(default_value = "")]
        only: String,
    },
    /// Times `twain prove` beside EZKL's, in the same run and on the same artifacts.
    Bench {
        /// One prover, who holds both secrets.
        #[arg(long, required_unless_present = "pair")]
        alone: bool,
        /// Two processes on this machine: one with the model, one with the data.
        #[arg(long)]
        pair: bool,
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
        Ok((twain, Ezkl::new(python.clone(), repository().join("xtask/python/ezkl_tool.py"))))
    };
    match arguments.command {
        Command::Differential { count, seed, pair } => {
            let (twain, ezkl) = tools()?;
            differential::run(&twain, &ezkl, differential::Plan { count, seed, pair })
        }
        Command::Interop { vectors } => {
            let (twain, ezkl) = tools()?;
            let vectors = vectors.unwrap_or_else(|| repository().join("tests/vectors"));
            interop::run(&twain, &ezkl, &vectors)
        }
        Command::FrontEnd { models } => {
            let ezkl = Ezkl::new(python, repository().join("xtask/python/ezkl_tool.py"));
            let models = models.unwrap_or_else(|| repository().join("tests/onnx"));
            for folder in files::circuits(&models)? {
                println!("{}", folder.name());
                ezkl.front_end(&folder)?;
                ezkl.calibrate(&folder)?;
            }
            Ok(true)
        }
        Command::Sweep { onnx_dir, work, jobs, max_logrows, only, alone } => {
            let (twain, ezkl) = tools()?;
            let work = work.unwrap_or_else(|| repository().join("target/sweep"));
            let models = onnx_dir;
            let ezkl = Some(&ezkl).filter(|_| !alone);
            sweep::run(&twain, ezkl, &sweep::Plan { models, work, jobs, max_logrows, only })
        }
        Command::Mutants { only } => mutants::run(repository(), &only),
        Command::LilithChaos => lilith::slow(repository(), "chaos", false, &[]).map(|()| true),
        Command::LilithInterop => {
            let environment = [("TWAIN_EZKL_PYTHON", python)];
            lilith::slow(repository(), "ezkl", false, &environment).map(|()| true)
        }
        Command::LilithLoad => lilith::slow(repository(), "load", true, &[]).map(|()| true),
        Command::Slurm { or_skip } => slurm::check(repository(), or_skip).map(|()| true),
        Command::Aarch64 => aarch64::run(repository()).map(|()| true),
        Command::Faults => faults::run(repository()).map(|()| true),
        Command::Bench { alone, pair, models, runs, names } => {
            let (twain, ezkl) = tools()?;
            let models = models.unwrap_or_else(|| repository().join("tests/models"));
            let work = repository().join("target/bench");
            let plan = bench::Plan { alone, pair, models, work, runs, names };
            bench::run(&twain, &ezkl, &plan).map(|()| true)
        }
    }
}

fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
