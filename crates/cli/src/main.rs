//! The `twain` command: proofs that a private model applied to private data gives an output, by EZKL's
//! files and keys, alone or between two parties.

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
use twain::Fault;
use twain::observe::{Cancel, Observer, Run};
use twain_cli::arguments::{Arguments, LogFormat};
use twain_party::PartyError;

fn main() -> ExitCode {
    allocator::keep_freed_memory();
    let arguments = Arguments::parse();
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
