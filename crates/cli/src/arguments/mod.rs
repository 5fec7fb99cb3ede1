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
pub use proof::{Check, CheckMode, Preprocess, Prove, Reveal, SwapProofCommitments, Verify};
pub use witness::{GenWitness, HashInputs, Mock};

use crate::evm_arguments::EvmCommand;
use crate::kept_arguments::{Bundles, Peers};
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::sync::LazyLock;

/// What `--version` prints: this program's, the commit it was built from if that is known, and
/// EZKL's whose files and keys it has.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let (own, commit) = (env!("CARGO_PKG_VERSION"), env!("TWAIN_COMMIT"));
    let commit = if commit.is_empty() { String::new() } else { format!("commit {commit}, ") };
    format!("{own} ({commit}EZKL {})", twain_graph::EZKL_VERSION)
});

/// Private model, private data, one ordinary EZKL proof.
#[derive(Debug, Parser)]
#[command(
    name = "twain",
    version = VERSION.as_str(),
    about = "Private model, private data, one ordinary EZKL proof.",
    max_term_width = 100
)]
pub struct Arguments {
    /// A file with flags that would have to be repeated [default: ~/.config/twain/config.toml].
    ///
    /// What the command line or the environment (TWAIN_ID for --id) says comes first.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Progress bars and text for people, or one JSON object a line for programs.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Nothing but warnings, questions, errors and the last line.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// A line when a phase begins and ends, also where there is no terminal.
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What is done with an identity.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum IdentityAction {
    /// A new key takes the place of the old one, which is gone; so are the bundles it kept. Tell
    /// your peers.
    Rotate,
    /// Makes another identity: `--identity NAME` then stands for it, with peers and bundles of its
    /// own.
    New {
        /// Letters, digits, dots, dashes and underscores.
        name: String,
    },
    /// Prints the identities that have names: `NAME FINGERPRINT` a line.
    List,
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
    #[command(after_help = "Example:\n  twain table -M network.onnx")]
    Table(Table),
    /// Measures the circuit of a model and writes its settings.
    #[command(
        after_help = "Example:\n  twain gen-settings -M network.onnx --param-visibility private"
    )]
    GenSettings(GenSettings),
    /// Writes random inputs of the right shape.
    #[command(after_help = "Example:\n  twain gen-random-data -M network.onnx -D input.json")]
    GenRandomData(GenRandomData),
    /// Chooses scales, lookup range and number of rows from sample data.
    #[command(after_help = "Example:\n  twain calibrate-settings -M network.onnx -D samples.json")]
    CalibrateSettings(CalibrateSettings),
    /// Turns an ONNX model into a circuit.
    #[command(
        after_help = "Example:\n  twain compile-circuit -M network.onnx --compiled-circuit model.compiled"
    )]
    CompileCircuit(CompileCircuit),
    /// Runs the quantised model on an input and writes what the proof will be about.
    #[command(after_help = "Example:\n  twain gen-witness -D input.json -M model.compiled")]
    GenWitness(GenWitness),
    /// Prints the hashes of inputs that a proof publishes, for circuits with hashed inputs:
    /// PLACE=HASH a line.
    #[command(after_help = "Example:\n  twain hash-inputs -D input.json -M model.compiled")]
    HashInputs(HashInputs),
    /// Makes an SRS whose secret nobody threw away: for tests only.
    #[command(after_help = "Example:\n  twain gen-srs --logrows 15 --srs-path kzg15.srs")]
    GenSrs(GenSrs),
    /// Downloads the SRS of a public ceremony, or imports one, and checks it.
    #[command(after_help = "Example:\n  twain get-srs --logrows 15")]
    GetSrs(GetSrs),
    /// Checks every constraint on a witness and names those that fail.
    #[command(after_help = "Example:\n  twain mock -W witness.json -M model.compiled")]
    Mock(Mock),
    /// Makes the proving and the verifying key.
    #[command(after_help = "Example:\n  twain setup -M model.compiled")]
    Setup(Setup),
    /// Makes a proof: alone, or with a peer that holds the other secret.
    #[command(
        after_help = "Example:\n  twain prove   (alone)\n  twain prove --id data --peer FINGERPRINT --remote-peer prove.example:7000 --local-addr 0.0.0.0:7001"
    )]
    Prove(Box<Prove>),
    /// Says what a proof with a peer would take; with the peer, compares everything and measures
    /// the link.
    #[command(
        after_help = "Example:\n  twain check   (a forecast)\n  twain check --id data --remote-peer NAME"
    )]
    Check(Box<Check>),
    /// With the peer, makes ahead of time what proofs of this circuit need and no input decides.
    #[command(after_help = "Example:\n  twain preprocess --id model --remote-peer NAME --proofs 5")]
    Preprocess(Box<Preprocess>),
    /// Checks a proof.
    #[command(after_help = "Example:\n  twain verify --proof-path proof.json")]
    Verify(Verify),
    /// Puts the commitments of a witness in the place of a proof's.
    #[command(
        after_help = "Example:\n  twain swap-proof-commitments --proof-path proof.json --witness-path witness.json"
    )]
    SwapProofCommitments(SwapProofCommitments),
    /// Copies the verifying key out of a proving key.
    #[command(after_help = "Example:\n  twain gen-vk-from-pk --pk-path pk.key --vk-path vk.key")]
    GenVkFromPk(GenVkFromPk),
    /// Writes the circuit without its parameters: what the data's owner may have.
    #[command(after_help = "Example:\n  twain redact -M model.compiled -O model.redacted.compiled")]
    Redact(Redact),
    /// Ties hashed or committed parameters to the weights used (new keys are needed).
    #[command(
        after_help = "Example:\n  twain bind-params -M model.compiled -O model.bound.compiled"
    )]
    BindParams(BindParams),
    /// Smart contracts.
    #[command(flatten)]
    Evm(EvmCommand),
    /// Shows it all: two processes on this machine prove a bundled model's score of bundled data.
    #[command(after_help = "Example:\n  twain demo")]
    Demo {
        /// A convolutional network with default run arguments, instead of a small credit score.
        #[arg(long)]
        large: bool,
    },
    /// Prints an invitation: the line that a peer gives `prove --invite` to find and know this
    /// side.
    #[command(
        after_help = "Example:\n  twain invite -M model.compiled --address prove.example:7000"
    )]
    Invite(Invite),
    /// What preprocess made and no proof has used yet.
    #[command(after_help = "Example:\n  twain bundles list")]
    Bundles(Bundles),
    /// Gives names to peers: `--remote-peer NAME` then stands for a key and an address.
    #[command(after_help = "Example:\n  twain peers add bank FINGERPRINT prove.bank.example:7000")]
    Peers(Peers),
    /// Prints the fingerprint by which peers know this machine; makes its key where there is none.
    #[command(after_help = "Example:\n  twain identity")]
    Identity {
        /// What is done with it, if not only printed.
        #[command(subcommand)]
        action: Option<IdentityAction>,
        /// Folder or name of the identity [default: ~/.config/twain].
        #[arg(long, global = true)]
        identity: Option<PathBuf>,
    },
    /// Prints completions for a shell.
    #[command(
        after_help = "Example:\n  twain completions bash > ~/.local/share/bash-completion/completions/twain"
    )]
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Writes a manual page for each command into a folder that is there.
    #[command(after_help = "Example:\n  twain man-pages ~/.local/share/man/man1")]
    ManPages {
        /// The folder.
        folder: PathBuf,
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
            Command::Check(flags) => flags.files(),
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
            | Command::Bundles(_)
            | Command::Completions { .. }
            | Command::ManPages { .. } => Files::default(),
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
