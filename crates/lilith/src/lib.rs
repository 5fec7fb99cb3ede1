//! Hosted peers and proving jobs, on one's own servers: the library behind the command `lilith`.
//!
//! A company with a private model (or a body with private data) runs [`server`]; what it is asked
//! to run are Twain's own commands, each looked at as a job ([`twain_jobs`]) and run by an
//! [`executor`], with the state of all of it in a [`database`]. Peers reach hosted jobs through a
//! [`relay`] that sees ciphertext only. [`client`] is the other end: `lilith job`, `lilith get`.
//! docs/lilith.md tells how it is used, and what it does not do.
//!
//! ```
//! use clap::Parser;
//! use lilith::arguments::{Arguments, Command};
//!
//! let line = "lilith --server https://prove.example get --id 7 --poll-til-done";
//! let arguments = Arguments::parse_from(line.split(' '));
//! assert_eq!(arguments.common.server.as_deref(), Some("https://prove.example"));
//! let Command::Get { id, poll_til_done, .. } = arguments.command else { panic!("another") };
//! assert!(poll_til_done && id.as_deref() == Some("7"));
//! ```

pub mod arguments;
pub mod client;
pub mod database;
mod demo;
pub mod error;
pub mod exec;
pub mod executor;
mod fence;
pub mod folder;
pub mod http;
pub mod identifiers;
pub mod networks;
pub mod relay;
pub mod server;
mod waiting;

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};
use serde_json::json;
use std::process::ExitCode;

/// The program.
pub fn main() -> ExitCode {
    let words = std::env::args_os().collect();
    let words = match server::config::complete(words, &|name| std::env::var_os(name)) {
        Ok(words) => words,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let arguments = Arguments::parse_from(words);
    let as_json = arguments.common.json;
    match arguments.command {
        Command::Exec { inner, folder, .. } => {
            let result = if inner { exec::inner(&folder) } else { exec::outer(&folder) };
            match result {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("error: {}: {error}", folder.display());
                    ExitCode::FAILURE
                }
            }
        }
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Arguments::command(),
                "lilith",
                &mut std::io::stdout(),
            );
            ExitCode::SUCCESS
        }
        Command::Demo { twain } => match demo::run(twain.as_deref()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
        _ => in_runtime(arguments, as_json),
    }
}

fn in_runtime(arguments: Arguments, as_json: bool) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        if let Command::Serve(options) = arguments.command {
            return match server::serve(*options).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("error: {error}");
                    ExitCode::from(2)
                }
            };
        }
        match client::run(arguments).await {
            Ok(code) => code,
            Err(error) => {
                match as_json {
                    true => println!(
                        "{}",
                        json!({ "error": { "code": error.code(), "message": error.to_string() } })
                    ),
                    false => eprintln!("error: {error}"),
                }
                ExitCode::from(error.exit_status())
            }
        }
    })
}
