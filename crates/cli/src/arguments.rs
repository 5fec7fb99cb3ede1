//! The command line: EZKL's commands with EZKL's names, flags and defaults (spec 02 §5), and what a
//! pair of provers needs on top.

pub use crate::files::{Files, SrsPath};

pub use crate::side::Side;

use crate::evm_arguments::EvmCommand;
use crate::kept_arguments::{Bundles, Peers};
use crate::run_arguments::{RunArguments, Variables, variables};
use clap::{ArgAction, ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use twain::InputHash;
use twain::pair::Invitation;

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

/// What a user accepts of a model; the same for every command that reads it.
#[derive(Clone, Copy, Debug, Args)]
pub struct ModelAllowances {
    /// Ignore what EZKL ignores in the file (attributes of recurrent layers, scales of channels):
    /// the circuit is EZKL's, not the file's network.
    #[arg(long)]
    pub as_ezkl: bool,
    /// Take constants below -10000 that mask a softmax as -100.
    #[arg(long)]
    pub clamp_masks: bool,
}

impl From<ModelAllowances> for twain::alone::Allowances {
    fn from(flags: ModelAllowances) -> Self {
        Self { as_ezkl: flags.as_ezkl, clamp_masks: flags.clamp_masks }
    }
}

/// `--allow-unbound-einsums`.
#[derive(Clone, Copy, Debug, Args)]
pub struct UnboundEinsums {
    /// Accept that a proof says next to nothing where einsums use Freivalds' check: EZKL's circuits
    /// do not tie it to the values used.
    #[arg(long)]
    pub allow_unbound_einsums: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints the nodes of a model as they become circuit operations.
    Table {
        /// The ONNX file.
        #[arg(short = 'M', long, default_value = "network.onnx")]
        model: PathBuf,
        /// Scales, visibilities, circuit size.
        #[command(flatten)]
        args: RunArguments,
        /// What is accepted of the model.
        #[command(flatten)]
        allow: ModelAllowances,
    },
    /// Measures the circuit of a model and writes its settings.
    GenSettings {
        /// The ONNX file.
        #[arg(short = 'M', long, default_value = "network.onnx")]
        model: PathBuf,
        /// Where the settings go.
        #[arg(short = 'O', long, default_value = "settings.json")]
        settings_path: PathBuf,
        /// Scales, visibilities, circuit size.
        #[command(flatten)]
        args: RunArguments,
        /// What is accepted of the model.
        #[command(flatten)]
        allow: ModelAllowances,
    },
    /// Writes random inputs of the right shape.
    GenRandomData {
        /// The ONNX file.
        #[arg(short = 'M', long, default_value = "network.onnx")]
        model: PathBuf,
        /// Where the inputs go.
        #[arg(short = 'D', long, default_value = "input.json")]
        data: PathBuf,
        /// Values of named dimensions, `name->value`, separated by commas.
        #[arg(short = 'V', long, default_value = "batch_size->1", value_parser = variables)]
        variables: Variables,
        /// Seed: the same seed gives the same data.
        #[arg(long, default_value_t = 21242)]
        seed: u64,
        /// The smallest number.
        #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
        min: f32,
        /// Numbers are below this.
        #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
        max: f32,
    },
    /// Chooses scales, lookup range and number of rows from sample data.
    CalibrateSettings {
        /// Sample data: a file, @file, or JSON itself; any number of inputs one after the other.
        #[arg(short = 'D', long, default_value = "calibration.json")]
        data: String,
        /// The ONNX file.
        #[arg(short = 'M', long, default_value = "network.onnx")]
        model: PathBuf,
        /// The settings, rewritten.
        #[arg(short = 'O', long, default_value = "settings.json")]
        settings_path: PathBuf,
        /// What matters most.
        #[arg(long, value_enum, default_value_t = Target::Resources)]
        target: Target,
        /// How many times the range the data needs lookup tables cover.
        #[arg(long, default_value_t = 2.0)]
        lookup_safety_margin: f64,
        /// Scales to try.
        #[arg(long, value_delimiter = ',', default_value = "11,12,13")]
        scales: Vec<i32>,
        /// Multipliers to try.
        #[arg(long, value_delimiter = ',', default_value = "1,10")]
        scale_rebase_multiplier: Vec<u32>,
        /// log2 of the most rows.
        #[arg(long, default_value_t = 26)]
        max_logrows: u32,
        /// Where a page with plots of the circuit's errors goes (HTML).
        #[arg(long)]
        report: Option<PathBuf>,
        /// Accept a circuit whose outputs are not the network's.
        #[arg(long)]
        accept_error: bool,
        /// What is accepted of the model.
        #[command(flatten)]
        allow: ModelAllowances,
    },
    /// Turns an ONNX model into a circuit.
    CompileCircuit {
        /// The ONNX file.
        #[arg(short = 'M', long, default_value = "network.onnx")]
        model: PathBuf,
        /// Where the circuit goes.
        #[arg(long, default_value = "model.compiled")]
        compiled_circuit: PathBuf,
        /// The settings.
        #[arg(short = 'S', long, default_value = "settings.json")]
        settings_path: PathBuf,
        /// What is accepted of the model.
        #[command(flatten)]
        allow: ModelAllowances,
    },
    /// Runs the quantised model on an input and writes what the proof will be about.
    GenWitness {
        /// Input: a file, @file, or JSON itself.
        #[arg(short = 'D', long, default_value = "input.json")]
        data: String,
        /// The compiled circuit.
        #[arg(short = 'M', long, default_value = "model.compiled")]
        compiled_circuit: PathBuf,
        /// Where the witness goes.
        #[arg(short = 'O', long, default_value = "witness.json")]
        output: PathBuf,
        /// Verifying key; with an SRS it makes polycommit commitments part of the witness.
        #[arg(short = 'V', long)]
        vk_path: Option<PathBuf>,
        /// SRS, for polycommit commitments.
        #[arg(short = 'P', long)]
        srs_path: Option<PathBuf>,
    },
    /// Prints the hashes of inputs that a proof publishes, for circuits with hashed inputs: PLACE=HASH a line.
    HashInputs {
        /// Input: a file, @file, or JSON itself, with a list for each input named.
        #[arg(short = 'D', long, default_value = "input.json")]
        data: String,
        /// The compiled circuit.
        #[arg(short = 'M', long, default_value = "model.compiled")]
        compiled_circuit: PathBuf,
        /// The inputs that are in the file, by their places from 0: `0,2` [default: all].
        #[arg(long, value_name = "PLACES", value_delimiter = ',')]
        own_inputs: Vec<usize>,
    },
    /// Makes an SRS whose secret nobody threw away: for tests only.
    GenSrs {
        /// Where it goes.
        #[arg(long)]
        srs_path: PathBuf,
        /// log2 of the number of powers.
        #[arg(long)]
        logrows: u32,
    },
    /// Downloads the SRS of a public ceremony, or imports one, and checks it.
    GetSrs {
        /// A Powers-of-Tau file that is there: `.ptau` as snarkjs writes it, or EZKL's raw form.
        #[arg(long)]
        from: Option<PathBuf>,
        /// Where to download the ceremony's file instead: the address of a copy, or of a folder of
        /// copies (with a slash at its end).
        #[arg(long, conflicts_with = "from")]
        url: Option<String>,
        /// Where the SRS goes [default: as `--srs-path` elsewhere].
        #[arg(long)]
        srs_path: Option<PathBuf>,
        /// Settings that say how many rows are needed.
        #[arg(short = 'S', long, default_value = "settings.json")]
        settings_path: PathBuf,
        /// log2 of the number of powers, instead of the settings'.
        #[arg(long)]
        logrows: Option<u32>,
    },
    /// Checks every constraint on a witness and names those that fail.
    Mock {
        /// The witness.
        #[arg(short = 'W', long, default_value = "witness.json")]
        witness: PathBuf,
        /// The compiled circuit.
        #[arg(short = 'M', long, default_value = "model.compiled")]
        model: PathBuf,
    },
    /// Makes the proving and the verifying key.
    Setup {
        /// The compiled circuit (a redacted one gives the same keys).
        #[arg(short = 'M', long, default_value = "model.compiled")]
        compiled_circuit: PathBuf,
        /// SRS.
        #[command(flatten)]
        srs: SrsPath,
        /// Where the verifying key goes.
        #[arg(long, default_value = "vk.key")]
        vk_path: PathBuf,
        /// Where the proving key goes.
        #[arg(long, default_value = "pk.key")]
        pk_path: PathBuf,
        /// A witness whose values take the place of fixed inputs and outputs.
        #[arg(short = 'W', long)]
        witness: Option<PathBuf>,
        /// One fixed column for each selector.
        #[arg(long)]
        disable_selector_compression: bool,
        /// What is accepted of the circuit.
        #[command(flatten)]
        einsums: UnboundEinsums,
    },
    /// Makes a proof: alone, or with a peer that holds the other secret.
    Prove(Box<Prove>),
    /// With the peer, makes ahead of time what proofs of this circuit need and no input decides.
    Preprocess(Box<Preprocess>),
    /// Checks a proof.
    Verify {
        /// The settings the keys were made with.
        #[arg(short = 'S', long, default_value = "settings.json")]
        settings_path: PathBuf,
        /// The proof.
        #[arg(long, default_value = "proof.json")]
        proof_path: PathBuf,
        /// The verifying key.
        #[arg(long, default_value = "vk.key")]
        vk_path: PathBuf,
        /// SRS.
        #[command(flatten)]
        srs: SrsPath,
        /// Use the SRS of one row (kzg1.srs): a verifier needs no more.
        #[arg(long)]
        reduced_srs: bool,
    },
    /// Puts the commitments of a witness in the place of a proof's.
    SwapProofCommitments {
        /// The proof, rewritten.
        #[arg(short = 'P', long, default_value = "proof.json")]
        proof_path: PathBuf,
        /// The witness.
        #[arg(short = 'W', long, default_value = "witness.json")]
        witness_path: PathBuf,
    },
    /// Copies the verifying key out of a proving key.
    GenVkFromPk {
        /// The proving key.
        #[arg(long, default_value = "pk.key")]
        pk_path: PathBuf,
        /// The settings the keys were made with.
        #[arg(short = 'S', long, default_value = "settings.json")]
        settings_path: PathBuf,
        /// Where the verifying key goes.
        #[arg(long, default_value = "vk.key")]
        vk_path: PathBuf,
    },
    /// Writes the circuit without its parameters: what the data's owner may have.
    Redact {
        /// The compiled circuit.
        #[arg(short = 'M', long, default_value = "model.compiled")]
        compiled_circuit: PathBuf,
        /// Where the redacted circuit goes.
        #[arg(short = 'O', long, default_value = "model.redacted.compiled")]
        output: PathBuf,
        /// Accept that the values listed remain visible in clear.
        #[arg(long)]
        yes: bool,
    },
    /// Ties hashed or committed parameters to the weights used (new keys are needed).
    BindParams {
        /// The compiled circuit.
        #[arg(short = 'M', long, default_value = "model.compiled")]
        compiled_circuit: PathBuf,
        /// Where the bound circuit goes.
        #[arg(short = 'O', long, default_value = "model.bound.compiled")]
        output: PathBuf,
    },
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
    Invite {
        /// The compiled circuit the peer is to prove with this side.
        #[arg(short = 'M', long, default_value = "model.compiled")]
        compiled_circuit: PathBuf,
        /// HOST:PORT where the peer can dial this side.
        #[arg(long)]
        address: String,
        /// For how many days it is good.
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
        /// Folder of the identity [default: ~/.config/twain].
        #[arg(long)]
        identity: Option<PathBuf>,
    },
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

/// Flags of `prove`.
#[derive(Debug, Args)]
pub struct Prove {
    /// The witness (alone).
    #[arg(short = 'W', long, default_value = "witness.json")]
    pub witness: PathBuf,
    /// The compiled circuit; at the data's side the redacted one.
    #[arg(short = 'M', long, default_value = "model.compiled")]
    pub compiled_circuit: PathBuf,
    /// The proving key.
    #[arg(long, default_value = "pk.key")]
    pub pk_path: PathBuf,
    /// Where the proof goes.
    #[arg(long, default_value = "proof.json")]
    pub proof_path: PathBuf,
    /// SRS.
    #[command(flatten)]
    pub srs: SrsPath,
    /// safe: verify the proof before it is written (a pair always does).
    #[arg(long, value_enum, default_value_t = CheckMode::Safe)]
    pub check_mode: CheckMode,
    /// The input, at the data's side of a pair and with --own-inputs: a file, @file, or JSON itself.
    #[arg(short = 'D', long, default_value = "input.json")]
    pub data: String,
    /// Who learns outputs that the proof does not publish, in a pair; the same on both sides.
    #[arg(long, value_enum, requires = "id")]
    pub reveal_output: Option<Reveal>,
    /// Where revealed outputs go.
    #[arg(long, default_value = "output.json")]
    pub output_path: PathBuf,
    /// A witness with a published polycommit of the parameters (`processed_params`): no proof with
    /// others is written. For circuits in the tied form (bind-params).
    #[arg(long, requires = "id")]
    pub published_commitment: Option<PathBuf>,
    /// The published hash of an input of the peer's (`hash-inputs`): no proof with another one is made.
    /// For circuits with hashed inputs; once for each input.
    #[arg(long, value_name = "PLACE=HASH", requires = "id")]
    pub published_hash: Vec<InputHash>,
    /// What is accepted of the circuit.
    #[command(flatten)]
    pub einsums: UnboundEinsums,
    /// The peer.
    #[command(flatten)]
    pub pair: Pair,
}

/// Whom outputs are revealed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reveal {
    /// The model's side.
    Model,
    /// The data's side.
    Data,
    /// Both sides.
    Both,
}

impl From<Reveal> for twain::pair::Reveal {
    fn from(reveal: Reveal) -> Self {
        match reveal {
            Reveal::Model => Self::Model,
            Reveal::Data => Self::Data,
            Reveal::Both => Self::Both,
        }
    }
}

/// Flags of `preprocess`.
#[derive(Debug, Args)]
pub struct Preprocess {
    /// The compiled circuit; at the data's side the redacted one.
    #[arg(short = 'M', long, default_value = "model.compiled")]
    pub compiled_circuit: PathBuf,
    /// The proving key.
    #[arg(long, default_value = "pk.key")]
    pub pk_path: PathBuf,
    /// SRS.
    #[command(flatten)]
    pub srs: SrsPath,
    /// For how many proofs; the same number on both sides.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub proofs: u32,
    /// What is accepted of the circuit.
    #[command(flatten)]
    pub einsums: UnboundEinsums,
    /// The peer.
    #[command(flatten)]
    pub pair: Pair,
}

/// What calibration aims at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// The fewest rows, then the highest scales.
    Resources,
    /// The same, with as few rows as tables and instances allow.
    #[value(name = "resources/col-overflow")]
    ResourcesColumnOverflow,
    /// The highest scales, then the fewest rows.
    Accuracy,
}

impl From<Target> for twain::calibration::Target {
    fn from(target: Target) -> Self {
        match target {
            Target::Resources => Self::Resources,
            Target::ResourcesColumnOverflow => Self::ResourcesColumnOverflow,
            Target::Accuracy => Self::Accuracy,
        }
    }
}

/// Whether a proof is verified before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckMode {
    /// Verify.
    Safe,
    /// Do not.
    Unsafe,
}

/// Flags for work with a peer: `--id` and an address to dial, one to listen on, or both.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("address").multiple(true).args(["remote_peer", "local_addr", "invite"])))]
pub struct Pair {
    /// HOST:PORT where the peer listens, or the name that `peers add` gave it.
    #[arg(long, value_name = "ADDRESS", requires = "id")]
    pub remote_peer: Option<String>,
    /// The peer's invitation, instead of its address and fingerprint.
    #[arg(long, value_name = "TEXT", requires = "id", conflicts_with_all = ["remote_peer", "peer"])]
    pub invite: Option<Invitation>,
    /// ADDR:PORT to listen on.
    #[arg(long, requires = "id")]
    pub local_addr: Option<String>,
    /// Which secret this side holds.
    #[arg(long, value_enum, requires = "address")]
    pub id: Option<Side>,
    /// The inputs of the circuit that are this side's, by their places from 0: `0,2`; all others are the
    /// peer's, which must say so [default: all are the data's side's].
    #[arg(long, value_name = "PLACES", requires = "id", value_delimiter = ',', action = ArgAction::Append)]
    pub own_inputs: Vec<usize>,
    /// The peer's fingerprint, as its `twain identity` prints it.
    #[arg(long, requires = "id")]
    pub peer: Option<String>,
    /// Folder of the identity [default: ~/.config/twain].
    #[arg(long)]
    pub identity: Option<PathBuf>,
    /// How long to wait for the peer to appear, in seconds.
    #[arg(long, default_value = "60", value_parser = seconds)]
    pub connect_timeout: Duration,
    /// How long the peer may be silent, in seconds; it gives signs of life while it computes.
    #[arg(long, default_value = "300", value_parser = seconds)]
    pub idle_timeout: Duration,
    /// How long the session may take once the peer is there, in seconds [default: an hour, or 20
    /// times what is expected without AVX-512 over 100 Mbit/s and 100 ms if that is longer].
    #[arg(long, value_parser = seconds)]
    pub session_timeout: Option<Duration>,
    /// Begin although up to N sessions with this peer have ended without a result: each may have told it
    /// up to two bits about the secret here, so that after three each further one is asked for.
    #[arg(long, value_name = "N", requires = "id")]
    pub ended_sessions: Option<u32>,
    /// Accept that every proof publishes one exact linear equation of the committed values.
    #[arg(long, requires = "id")]
    pub allow_polycommit: bool,
}

impl Pair {
    /// What is said of whose the inputs are.
    pub fn own_inputs(&self) -> Option<twain::pair::OwnInputs> {
        let inputs = self.own_inputs.clone();
        let role = self.id.filter(|_| !inputs.is_empty())?.into();
        Some(twain::pair::OwnInputs { role, inputs })
    }

    /// As the library takes it.
    pub fn peer(&self) -> twain::pair::Peer {
        let peer = twain::pair::Peer {
            remote_peer: self.remote_peer.clone(),
            local_addr: self.local_addr.clone(),
            peer: self.peer.clone(),
            identity: self.identity.clone(),
            invitation: None,
            connect_timeout: self.connect_timeout,
            idle_timeout: self.idle_timeout,
            session_timeout: self.session_timeout,
            ended_sessions: self.ended_sessions,
        };
        match self.invite.clone() {
            Some(invitation) => peer.invited(invitation),
            None => peer,
        }
    }
}

/// Thirty years: later times can be computed with.
const MOST_SECONDS: f64 = 1e9;

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds".to_string())?;
    if seconds > MOST_SECONDS {
        return Err(format!("at most {MOST_SECONDS} seconds"));
    }
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}

impl Command {
    /// Every file the command reads or writes, as its arguments say: without the default SRS and
    /// the folder of the identity, which depend on the machine.
    pub fn files(&self) -> Files {
        let none = Files::default();
        match self {
            Command::Table { model, .. } => none.reads(&[model]),
            Command::GenSettings { model, settings_path, .. } => {
                none.reads(&[model]).writes(&[settings_path])
            }
            Command::GenRandomData { model, data, .. } => none.reads(&[model]).writes(&[data]),
            Command::CalibrateSettings { data, model, settings_path, report, .. } => {
                let mut files = none.reads_data(data).reads(&[model, settings_path]);
                files.writes.push(settings_path.clone());
                files.writes.extend(report.clone());
                files
            }
            Command::CompileCircuit { model, compiled_circuit, settings_path, .. } => {
                none.reads(&[model, settings_path]).writes(&[compiled_circuit])
            }
            Command::GenWitness { data, compiled_circuit, output, vk_path, srs_path } => none
                .reads_data(data)
                .reads(&[compiled_circuit])
                .may_read(vk_path)
                .may_read(srs_path)
                .writes(&[output]),
            Command::HashInputs { data, compiled_circuit, .. } => {
                none.reads_data(data).reads(&[compiled_circuit])
            }
            Command::Mock { witness, model } => none.reads(&[witness, model]),
            Command::GenSrs { srs_path, .. } => none.writes(&[srs_path]),
            Command::GetSrs { from, srs_path, settings_path, logrows, .. } => {
                let mut files = none.may_read(from);
                if logrows.is_none() {
                    files.reads.push(settings_path.clone());
                }
                files.writes.extend(srs_path.clone());
                files
            }
            Command::Setup { compiled_circuit, srs, vk_path, pk_path, witness, .. } => none
                .reads(&[compiled_circuit])
                .may_read(&srs.srs_path)
                .may_read(witness)
                .writes(&[vk_path, pk_path]),
            Command::Prove(prove) => prove.files(),
            Command::Preprocess(preprocess) => none
                .reads(&[&preprocess.compiled_circuit, &preprocess.pk_path])
                .may_read(&preprocess.srs.srs_path),
            Command::Verify { settings_path, proof_path, vk_path, srs, .. } => {
                none.reads(&[settings_path, proof_path, vk_path]).may_read(&srs.srs_path)
            }
            Command::SwapProofCommitments { proof_path, witness_path } => {
                none.reads(&[proof_path, witness_path]).writes(&[proof_path])
            }
            Command::GenVkFromPk { pk_path, settings_path, vk_path } => {
                none.reads(&[pk_path, settings_path]).writes(&[vk_path])
            }
            Command::Redact { compiled_circuit, output, .. }
            | Command::BindParams { compiled_circuit, output } => {
                none.reads(&[compiled_circuit]).writes(&[output])
            }
            Command::Invite { compiled_circuit, .. } => none.reads(&[compiled_circuit]),
            Command::Evm(command) => command.files(),
            Command::Demo { .. }
            | Command::Identity { .. }
            | Command::Peers(_)
            | Command::Bundles(_) => none,
        }
    }
}

impl Prove {
    fn files(&self) -> Files {
        let common = Files::default()
            .reads(&[&self.compiled_circuit, &self.pk_path])
            .may_read(&self.srs.srs_path)
            .writes(&[&self.proof_path]);
        let mut files = match self.pair.id {
            None => common.reads(&[&self.witness]),
            Some(Side::Model) if self.pair.own_inputs.is_empty() => common,
            Some(_) => common.reads_data(&self.data),
        };
        files.reads.extend(self.published_commitment.clone());
        if self.reveal_output.is_some() {
            files.writes.push(self.output_path.clone());
        }
        files
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
