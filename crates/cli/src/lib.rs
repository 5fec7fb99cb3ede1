//! The arguments of the `twain` command, as types: for the command itself, and for servers that
//! take command lines from their users and stage the files these name
//! ([`arguments::Command::files`]).
//!
//! ```
//! use clap::Parser;
//! use twain_cli::arguments::Arguments;
//!
//! let line = "twain prove --id data --remote-peer alice.example:7000 -D input.json";
//! let arguments = Arguments::try_parse_from(line.split(' ')).expect("a command");
//! let files = arguments.command.files();
//! assert!(files.reads.iter().any(|path| path.ends_with("input.json")));
//! assert!(files.writes.iter().any(|path| path.ends_with("proof.json")));
//! ```

pub mod arguments;
pub mod configuration;
pub mod evm_arguments;
mod files;
pub mod flag_sources;
pub mod kept_arguments;
mod run_arguments;
mod side;

pub use run_arguments::{RunArguments, Variables};
