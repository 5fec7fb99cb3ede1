//! The `twain` command: proofs that a private model applied to private data gives an output, by
//! EZKL's files and keys, alone or between two parties.

mod allocator;
mod commands;
mod demo;
mod evm_commands;
mod kept_commands;
mod manual;
mod outcome;
mod print;
mod report;
mod signals;

use clap::Parser;
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use twain::observe::{Cancel, Observer, Run};
use twain::{Error, Fault};
use twain_cli::arguments::{Arguments, LogFormat};
use twain_cli::configuration::{Completed, complete};
use twain_cli::flag_sources::FlagSourceError;
use twain_party::PartyError;

/// What the user says, on the command line and elsewhere; and what of it stands elsewhere.
fn arguments() -> Result<(Arguments, Vec<String>), ExitCode> {
    let words = std::env::args_os().collect();
    let completed = complete(words, &|name| std::env::var_os(name)).map_err(|error| {
        let error = match error {
            FlagSourceError::File { path, reason } => Error::file(path, reason),
            FlagSourceError::Variable { .. } => Error::Usage(error.to_string()),
        };
        report::tell_error(&error, false);
        ExitCode::from(error.fault().exit_status())
    })?;
    let Completed { words, added } = completed;
    let arguments = Arguments::try_parse_from(words).map_err(|error| {
        // Standard error may be closed: no reason to fail otherwise.
        let _ = error.print();
        if error.use_stderr() && !added.is_empty() {
            report::tell_added(&added);
        }
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })?;
    Ok((arguments, added))
}

fn main() -> ExitCode {
    allocator::keep_freed_memory();
    let (arguments, added) = match arguments() {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let as_json = arguments.log_format == LogFormat::Json;
    let amount = match (arguments.quiet, arguments.verbose) {
        (true, _) => report::Amount::Little,
        (_, true) => report::Amount::Much,
        _ => report::Amount::Usual,
    };
    let cancel = Cancel::default();
    // One of two ends it, and says why.
    let ended = Arc::new(AtomicBool::new(false));
    signals::cancel_on_signals(cancel.clone(), {
        let ended = ended.clone();
        move || {
            if !ended.swap(true, Ordering::SeqCst) {
                report::tell_error(&PartyError::Cancelled.into(), as_json);
                exit(Fault::Cancelled.exit_status().into());
            }
        }
    });
    let observer: Arc<dyn Observer> = match as_json {
        true => Arc::new(report::Lines),
        false => Arc::new(report::Screen::new(cancel.clone(), amount)),
    };
    if amount == report::Amount::Much && !as_json && !added.is_empty() {
        report::tell_added(&added);
    }
    let run = Run::new(observer, cancel);
    let outcome = commands::run(arguments.command, &run).and_then(|last_line| {
        if as_json || amount != report::Amount::Little {
            report::tell_costs(&run, as_json);
        }
        last_line.map_or(Ok(()), print::line)
    });
    // The bars go first.
    drop(run);
    if ended.swap(true, Ordering::SeqCst) {
        // The process is about to exit.
        loop {
            std::thread::park();
        }
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::tell_error(&error, as_json);
            ExitCode::from(error.fault().exit_status())
        }
    }
}
