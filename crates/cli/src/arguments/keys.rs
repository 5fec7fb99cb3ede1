//! The commands that make an SRS or keys, and what is accepted of the circuit then.

use crate::files::{Files, SrsPath};
use clap::Args;
use std::path::PathBuf;

/// `--allow-unbound-einsums`.
#[derive(Clone, Copy, Debug, Args)]
pub struct UnboundEinsums {
    /// Accept that a proof says next to nothing where einsums use Freivalds' check: EZKL's circuits
    /// do not tie it to the values used.
    #[arg(long)]
    pub allow_unbound_einsums: bool,
}

/// Flags of `gen-srs`.
#[derive(Debug, Args)]
pub struct GenSrs {
    /// Where it goes.
    #[arg(long)]
    pub srs_path: PathBuf,
    /// log2 of the number of powers.
    #[arg(long)]
    pub logrows: u32,
}

/// Flags of `get-srs`.
#[derive(Debug, Args)]
pub struct GetSrs {
    /// A Powers-of-Tau file that is there: `.ptau` as snarkjs writes it, or EZKL's raw form.
    #[arg(long)]
    pub from: Option<PathBuf>,
    /// Where to download the ceremony's file instead: the address of a copy, or of a folder of
    /// copies (with a slash at its end).
    #[arg(long, conflicts_with = "from")]
    pub url: Option<String>,
    /// Where the SRS goes [default: as `--srs-path` elsewhere].
    #[arg(long)]
    pub srs_path: Option<PathBuf>,
    /// Settings that say how many rows are needed.
    #[arg(short = 'S', long, default_value = "settings.json")]
    pub settings_path: PathBuf,
    /// log2 of the number of powers, instead of the settings'.
    #[arg(long)]
    pub logrows: Option<u32>,
}

/// Flags of `setup`.
#[derive(Debug, Args)]
pub struct Setup {
    /// The compiled circuit (a redacted one gives the same keys).
    #[arg(short = 'M', long, default_value = "model.compiled")]
    pub compiled_circuit: PathBuf,
    /// SRS.
    #[command(flatten)]
    pub srs: SrsPath,
    /// Where the verifying key goes.
    #[arg(long, default_value = "vk.key")]
    pub vk_path: PathBuf,
    /// Where the proving key goes.
    #[arg(long, default_value = "pk.key")]
    pub pk_path: PathBuf,
    /// A witness whose values take the place of fixed inputs and outputs.
    #[arg(short = 'W', long)]
    pub witness: Option<PathBuf>,
    /// One fixed column for each selector.
    #[arg(long)]
    pub disable_selector_compression: bool,
    /// What is accepted of the circuit.
    #[command(flatten)]
    pub einsums: UnboundEinsums,
}

/// Flags of `gen-vk-from-pk`.
#[derive(Debug, Args)]
pub struct GenVkFromPk {
    /// The proving key.
    #[arg(long, default_value = "pk.key")]
    pub pk_path: PathBuf,
    /// The settings the keys were made with.
    #[arg(short = 'S', long, default_value = "settings.json")]
    pub settings_path: PathBuf,
    /// Where the verifying key goes.
    #[arg(long, default_value = "vk.key")]
    pub vk_path: PathBuf,
}

impl GenSrs {
    pub(super) fn files(&self) -> Files {
        Files::default().writes(&[&self.srs_path])
    }
}

impl GetSrs {
    pub(super) fn files(&self) -> Files {
        let mut files = Files::default().may_read(&self.from);
        if self.logrows.is_none() {
            files.reads.push(self.settings_path.clone());
        }
        files.writes.extend(self.srs_path.clone());
        files
    }
}

impl Setup {
    pub(super) fn files(&self) -> Files {
        Files::default()
            .reads(&[&self.compiled_circuit])
            .may_read(&self.srs.srs_path)
            .may_read(&self.witness)
            .writes(&[&self.vk_path, &self.pk_path])
    }
}

impl GenVkFromPk {
    pub(super) fn files(&self) -> Files {
        Files::default().reads(&[&self.pk_path, &self.settings_path]).writes(&[&self.vk_path])
    }
}
