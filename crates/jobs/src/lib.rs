//! What clients of a server ask it to run, read and looked at before anything is kept or started:
//! the bodies of requests in all forms that clients know ([`bodies`]), and from a line or a list of
//! words to a job ([`read`]) whose files all stay below one folder ([`check_path`]). No server is
//! in here, so that whatever reads what strangers send is built, and fuzzed, without one.
//! docs/lilith.md §3 and §5.
//!
//! ```
//! let line = "prove --remote-peer 203.0.113.9:7000 --local-addr 7101 --id model";
//! let job = twain_jobs::read(&twain_jobs::from_line(line)?, 0)?.job;
//! assert_eq!(job.reads, ["model.compiled", "pk.key"]);
//! assert_eq!(job.pair.and_then(|pair| pair.port), Some(7101));
//! # Ok::<(), twain_jobs::Refusal>(())
//! ```

pub mod bodies;
mod command;
mod paths;
mod refusal;
mod split;

pub use command::{Job, PairJob, Read, read};
pub use paths::check_path;
pub use refusal::{Refusal, Why};
pub use split::{from_enum, from_items, from_line};
