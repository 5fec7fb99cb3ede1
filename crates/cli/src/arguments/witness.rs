//! The commands that run a circuit on an input.

use crate::files::Files;
use clap::Args;
use std::path::PathBuf;

/// Flags of `gen-witness`.
#[derive(Debug, Args)]
pub struct GenWitness {
    /// Input: a file, @file, or JSON itself.
    #[arg(short = 'D', long, default_value = "input.json")]
    pub data: String,
    /// The compiled circuit.
    #[arg(short = 'M', long, default_value = "model.compiled")]
    pub compiled_circuit: PathBuf,
    /// Where the witness goes.
    #[arg(short = 'O', long, default_value = "witness.json")]
    pub output: PathBuf,
    /// Verifying key; with an SRS it makes polycommit commitments part of the witness.
    #[arg(short = 'V', long)]
    pub vk_path: Option<PathBuf>,
    /// SRS, for polycommit commitments.
    #[arg(short = 'P', long)]
    pub srs_path: Option<PathBuf>,
}

/// Flags of `hash-inputs`.
#[derive(Debug, Args)]
pub struct HashInputs {
    /// Input: a file, @file, or JSON itself, with a list for each input named.
    #[arg(short = 'D', long, default_value = "input.json")]
    pub data: String,
    /// The compiled circuit.
    #[arg(short = 'M', long, default_value = "model.compiled")]
    pub compiled_circuit: PathBuf,
    /// The inputs that are in the file, by their places from 0: `0,2` [default: all].
    #[arg(long, value_name = "PLACES", value_delimiter = ',')]
    pub own_inputs: Vec<usize>,
}

/// Flags of `mock`.
#[derive(Debug, Args)]
pub struct Mock {
    /// The witness.
    #[arg(short = 'W', long, default_value = "witness.json")]
    pub witness: PathBuf,
    /// The compiled circuit.
    #[arg(short = 'M', long, default_value = "model.compiled")]
    pub model: PathBuf,
}

impl GenWitness {
    pub(super) fn files(&self) -> Files {
        Files::default()
            .reads_data(&self.data)
            .reads(&[&self.compiled_circuit])
            .may_read(&self.vk_path)
            .may_read(&self.srs_path)
            .writes(&[&self.output])
    }
}

impl HashInputs {
    pub(super) fn files(&self) -> Files {
        Files::default().reads_data(&self.data).reads(&[&self.compiled_circuit])
    }
}

impl Mock {
    pub(super) fn files(&self) -> Files {
        Files::default().reads(&[&self.witness, &self.model])
    }
}
