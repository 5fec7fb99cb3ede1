//! The `twain` command: proofs that a private model applied to private data gives an output, by EZKL's
//! files and keys, alone or between two parties.

mod allocator;
mod commands;
mod demo;
mod evm_commands;
mod report;

use clap::Parser;
use std::process::ExitCode;
use std::sync::Arc;
use twain::observe::{Cancel, Observer, Run};
use twain_cli::arguments::{Arguments, LogFormat};

fn main() -> ExitCode {
    allocator::keep_freed_memory();
    let arguments = Arguments::parse();
    let as_json = arguments.log_format == LogFormat::Json;
    let observer: Arc<dyn Observer> =
        if as_json { Arc::new(report::Lines) } else { Arc::new(report::Screen::new()) };
    let run = Run::new(observer, Cancel::default());
    match commands::run(arguments.command, &run) {
        Ok(()) => {
            report::tell_costs(&run, as_json);
            ExitCode::SUCCESS
        }
        Err(error) => {
            // The bars go first.
            drop(run);
            report::tell_error(&error, as_json);
            ExitCode::from(error.fault().exit_status())
        }
    }
}
