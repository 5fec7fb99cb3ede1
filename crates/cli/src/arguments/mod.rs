//! The command line: EZKL's commands with EZKL's names, flags and defaults (spec 02 §5), and what a
//! pair of provers needs on top. One file a group of commands.

mod keys;
mod model;
mod peer;
mod proof;
mod witness;

pub use crate::files::{Files, SrsPath};
pub use crate::side::Side;
pub use keys::{GenSrs, GenVkFromPk, GetSrs, Setup, UnboundEinsums};
pub use model::{
    BindParams, CalibrateSettings, CompileCircuit, GenRandomData, GenSettings, ModelAllowances,
    Redact, Table, Target,
};
pub use peer::{Invite, Pair};
pub use proof::{CheckMode, Preprocess, Prove, Reveal, SwapProofCommitments, Verify};
pub use witness::{GenWitness, HashInputs, Mock};

use crate::evm_arguments::EvmCommand;
use crate::kept_arguments::{Bundles, Peers};
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Private model, private data, one ordinary EZKL proof.
#[derive(Debug, Parser)]
#[command(name = "twain", version, about, max_term_width = 100)]
pub struct Arguments {
    /// Progress bars and text for people, or one JSON object a line for programs.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How progress is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints the nodes of a model as they become circuit operations.
    Table(Table),
    /// Measures the circuit of a model and writes its settings.
    GenSettings(GenSettings),
    /// Writes random inputs of the right shape.
    GenRandomData(GenRandomData),
    /// Chooses scales, lookup range and number of rows from sample data.
    CalibrateSettings(CalibrateSettings),
    /// Turns an ONNX model into a circuit.
    CompileCircuit(CompileCircuit),
    /// Runs the quantised model on an input and writes what the proof will be about.
    GenWitness(GenWitness),
    /// Prints the hashes of inputs that a proof publishes, for circuits with hashed inputs: PLACE=HASH a line.
    HashInputs(HashInputs),
    /// Makes an SRS whose secret nobody threw away: for tests only.
    GenSrs(GenSrs),
    /// Downloads the SRS of a public ceremony, or imports one, and checks it.
    GetSrs(GetSrs),
    /// Checks every constraint on a witness and names those that fail.
    Mock(Mock),
    /// Makes the proving and the verifying key.
    Setup(Setup),
    /// Makes a proof: alone, or with a peer that holds the other secret.
    Prove(Box<Prove>),
    /// With the peer, makes ahead of time what proofs of this circuit need and no input decides.
    Preprocess(Box<Preprocess>),
    /// Checks a proof.
    Verify(Verify),
    /// Puts the commitments of a witness in the place of a proof's.
    SwapProofCommitments(SwapProofCommitments),
    /// Copies the verifying key out of a proving key.
    GenVkFromPk(GenVkFromPk),
    /// Writes the circuit without its parameters: what the data's owner may have.
    Redact(Redact),
    /// Ties hashed or committed parameters to the weights used (new keys are needed).
    BindParams(BindParams),
    /// Smart contracts.
    #[command(flatten)]
    Evm(EvmCommand),
    /// Shows it all: two processes on this machine prove a bundled model's score of bundled data.
    Demo {
        /// A convolutional network with default run arguments, instead of a small credit score.
        #[arg(long)]
        large: bool,
    },
    /// Prints an invitation: the line that a peer gives `prove --invite` to find and know this
    /// side.
    Invite(Invite),
    /// What preprocess made and no proof has used yet.
    Bundles(Bundles),
    /// Gives names to peers: `--remote-peer NAME` then stands for a key and an address.
    Peers(Peers),
    /// Prints the fingerprint by which peers know this machine; makes its key where there is none.
    Identity {
        /// Folder of the identity [default: ~/.config/twain].
        #[arg(long)]
        identity: Option<PathBuf>,
    },
}

impl Command {
    /// Every file the command reads or writes, as its arguments say: without the default SRS and
    /// the folder of the identity, which depend on the machine.
    pub fn files(&self) -> Files {
        match self {
            Command::Table(flags) => flags.files(),
            Command::GenSettings(flags) => flags.files(),
            Command::GenRandomData(flags) => flags.files(),
            Command::CalibrateSettings(flags) => flags.files(),
            Command::CompileCircuit(flags) => flags.files(),
            Command::GenWitness(flags) => flags.files(),
            Command::HashInputs(flags) => flags.files(),
            Command::Mock(flags) => flags.files(),
            Command::GenSrs(flags) => flags.files(),
            Command::GetSrs(flags) => flags.files(),
            Command::Setup(flags) => flags.files(),
            Command::Prove(flags) => flags.files(),
            Command::Preprocess(flags) => flags.files(),
            Command::Verify(flags) => flags.files(),
            Command::SwapProofCommitments(flags) => flags.files(),
            Command::GenVkFromPk(flags) => flags.files(),
            Command::Redact(flags) => flags.files(),
            Command::BindParams(flags) => flags.files(),
            Command::Invite(flags) => flags.files(),
            Command::Evm(command) => command.files(),
            Command::Demo { .. }
            | Command::Identity { .. }
            | Command::Peers(_)
            | Command::Bundles(_) => Files::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_cannot_be_computed_with_are_refused() {
        for time in ["1e10", "-1", "NaN", "inf", "soon"] {
            let flags = ["twain", "prove", "--session-timeout", time];
            assert!(Arguments::try_parse_from(flags).is_err(), "{time}");
        }
    }

    #[test]
    fn one_address_is_enough_and_nothing_of_a_peer_goes_without_a_side() {
        let parse = |flags: &[&str]| {
            Arguments::try_parse_from(["twain", "prove"].iter().chain(flags)).is_ok()
        };
        assert!(parse(&[]));
        assert!(parse(&["--id", "model", "--local-addr", "0.0.0.0:7000", "--remote-peer", "b:7"]));
        assert!(parse(&["--id", "model", "--local-addr", "0.0.0.0:7000"]));
        assert!(parse(&["--id", "data", "--remote-peer", "alice.example:7000"]));
        assert!(!parse(&["--id", "data"]));
        let text = "twain-peer:1:a.example:7:sha256:0";
        assert!(!parse(&["--id", "data", "--invite", text]), "no invitation");
        assert!(!parse(&["--remote-peer", "alice.example:7000"]));
        assert!(!parse(&["--allow-polycommit"]));
        assert!(!parse(&["--peer", "sha256:00"]));
    }
}
