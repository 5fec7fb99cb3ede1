//! The `twain` command: proofs that a private model applied to private data gives an output, by EZKL's
//! files and keys, alone or between two parties.

mod allocator;
mod arguments;
mod commands;
mod error;
mod files;
mod report;
mod run_arguments;

use arguments::{Arguments, LogFormat};
use clap::Parser;
use report::Phases;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

fn main() -> ExitCode {
    allocator::keep_freed_memory();
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let people = arguments.log_format == LogFormat::Text;
    let phases = Phases::new(people && std::io::stderr().is_terminal(), !people);
    let registry = tracing_subscriber::registry().with(phases.clone());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if people {
        registry.with(lines.with_target(false).without_time().with_filter(filter)).init();
    } else {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        registry.with(lines.json().with_span_events(FmtSpan::CLOSE).with_filter(filter)).init();
    }
    let result = commands::run(arguments.command, &phases);
    phases.finish();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match people {
                true => eprintln!("error: {error}"),
                false => eprintln!("{}", serde_json::json!({ "error": error.to_string() })),
            }
            ExitCode::FAILURE
        }
    }
}
