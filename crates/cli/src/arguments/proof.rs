//! The commands that make proofs, what is made for them ahead of time, and those that check them.

use super::keys::UnboundEinsums;
use super::peer::Pair;
use crate::files::{Files, SrsPath};
use crate::side::Side;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use twain::InputHash;

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
    /// The input, at the data's side of a pair and with --own-inputs: a file, @file, or JSON
    /// itself.
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
    /// The published hash of an input of the peer's (`hash-inputs`): no proof with another one is
    /// made. For circuits with hashed inputs; once for each input.
    #[arg(long, value_name = "PLACE=HASH", requires = "id")]
    pub published_hash: Vec<InputHash>,
    /// Take the peer's word for following the protocol, so that nothing it does is tested: faster, and
    /// only for machines of one owner. The same on both sides.
    #[arg(long, requires = "id")]
    pub trust_peer: bool,
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

/// Whether a proof is verified before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckMode {
    /// Verify.
    Safe,
    /// Do not.
    Unsafe,
}

/// Flags of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The compiled circuit; at the data's side the redacted one.
    #[arg(short = 'M', long, default_value = "model.compiled")]
    pub compiled_circuit: PathBuf,
    /// The proving key.
    #[arg(long, default_value = "pk.key")]
    pub pk_path: PathBuf,
    /// SRS.
    #[command(flatten)]
    pub srs: SrsPath,
    /// The input, at the data's side and with --own-inputs: a file, @file, or JSON itself.
    #[arg(short = 'D', long, default_value = "input.json")]
    pub data: String,
    /// As prove will be told; the same on both sides.
    #[arg(long, value_enum, requires = "id")]
    pub reveal_output: Option<Reveal>,
    /// As prove will be told; the same on both sides.
    #[arg(long, requires = "id")]
    pub trust_peer: bool,
    /// What is accepted of the circuit.
    #[command(flatten)]
    pub einsums: UnboundEinsums,
    /// The peer, which checks at the same time; without one this is a forecast.
    #[command(flatten)]
    pub pair: Pair,
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

/// Flags of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The settings the keys were made with.
    #[arg(short = 'S', long, default_value = "settings.json")]
    pub settings_path: PathBuf,
    /// The proof.
    #[arg(long, default_value = "proof.json")]
    pub proof_path: PathBuf,
    /// The verifying key.
    #[arg(long, default_value = "vk.key")]
    pub vk_path: PathBuf,
    /// SRS.
    #[command(flatten)]
    pub srs: SrsPath,
    /// Use the SRS of one row (kzg1.srs): a verifier needs no more.
    #[arg(long)]
    pub reduced_srs: bool,
}

/// Flags of `swap-proof-commitments`.
#[derive(Debug, Args)]
pub struct SwapProofCommitments {
    /// The proof, rewritten.
    #[arg(short = 'P', long, default_value = "proof.json")]
    pub proof_path: PathBuf,
    /// The witness.
    #[arg(short = 'W', long, default_value = "witness.json")]
    pub witness_path: PathBuf,
}

impl Prove {
    pub(super) fn files(&self) -> Files {
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

impl Check {
    pub(super) fn files(&self) -> Files {
        let common = Files::default()
            .reads(&[&self.compiled_circuit, &self.pk_path])
            .may_read(&self.srs.srs_path);
        match self.pair.id {
            None => common,
            Some(Side::Model) if self.pair.own_inputs.is_empty() => common,
            Some(_) => common.reads_data(&self.data),
        }
    }
}

impl Preprocess {
    pub(super) fn files(&self) -> Files {
        Files::default()
            .reads(&[&self.compiled_circuit, &self.pk_path])
            .may_read(&self.srs.srs_path)
    }
}

impl Verify {
    pub(super) fn files(&self) -> Files {
        Files::default()
            .reads(&[&self.settings_path, &self.proof_path, &self.vk_path])
            .may_read(&self.srs.srs_path)
    }
}

impl SwapProofCommitments {
    pub(super) fn files(&self) -> Files {
        Files::default().reads(&[&self.proof_path, &self.witness_path]).writes(&[&self.proof_path])
    }
}
