//! One side's process: `twain prove`, with a bar for its phases, and what it said at its end.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;
use twain::Error;
use twain::observe::bytes;
use twain_cli::configuration::SHARED;
use twain_cli::flag_sources::variable_name;
use twain_party::Phase;

/// A running side.
pub struct Side {
    process: Child,
    reader: JoinHandle<String>,
    name: String,
}

impl Side {
    /// Starts `twain prove` in a folder.
    pub fn start(
        name: &str,
        folder: &Path,
        arguments: &[String],
        bars: &MultiProgress,
    ) -> Result<Self, Error> {
        let fail = |error| Error::Usage(format!("the {name}'s process does not start: {error}"));
        let program = std::env::current_exe().map_err(fail)?;
        let mut command = Command::new(program);
        command.current_dir(folder).args(["--log-format", "json", "prove"]).args(arguments);
        // What the user has set is for proofs of their own.
        command.env("TWAIN_CONFIG", "");
        for long in SHARED {
            command.env_remove(variable_name("TWAIN", long));
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(fail)?;
        let bar = bars.add(ProgressBar::new(Phase::OF_PROOF.len() as u64));
        let style = ProgressStyle::with_template("{prefix:>12} {bar:30} {elapsed:>4} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        let pipe = process.stderr.take();
        let reader = spawn(move || {
            let mut last = String::new();
            for line in pipe.into_iter().flat_map(|pipe| BufReader::new(pipe).lines()) {
                let Ok(line) = line else { break };
                if let Some(index) = ended_phase(&line) {
                    bar.set_position(index as u64 + 1);
                    let next = Phase::OF_PROOF.get(index + 1);
                    bar.set_message(next.map_or("proof made", |phase| phase.name()));
                }
                last = line;
            }
            bar.finish_and_clear();
            last
        });
        Ok(Self { process, reader, name: name.into() })
    }

    /// Waits for its end.
    pub fn end(mut self) -> Result<Ended, Error> {
        let status = self.process.wait().map_err(|error| Error::Usage(error.to_string()))?;
        let last = self.reader.join().unwrap_or_default();
        if !status.success() {
            let error: Value = serde_json::from_str(&last).unwrap_or_default();
            let last = error["error"].as_str().unwrap_or(&last);
            return Err(Error::Usage(format!("the {}'s process failed: {last}", self.name)));
        }
        Ok(Ended { costs: serde_json::from_str(&last).unwrap_or_default() })
    }
}

/// Which phase's end a line tells.
fn ended_phase(line: &str) -> Option<usize> {
    let event: Value = serde_json::from_str(line).ok()?;
    let name = event["phase"].as_str().filter(|_| event["state"] == "ended")?;
    Phase::OF_PROOF.iter().position(|phase| phase.name() == name)
}

/// The costs a side told at its end.
pub struct Ended {
    costs: Value,
}

impl Ended {
    /// Bytes sent and received, and memory, in words.
    pub fn in_words(&self) -> String {
        let count = |value: &Value| value.as_u64().map(bytes).unwrap_or_else(|| "?".into());
        let (traffic, memory) = (&self.costs["traffic"], &self.costs["peak_memory"]);
        let (sent, received) = (count(&traffic["sent"]), count(&traffic["received"]));
        format!("sent {sent}, received {received}, memory {}", count(memory))
    }
}
