//! The commands from an ONNX file to a circuit, and those that change a circuit.

use crate::files::Files;
use crate::run_arguments::{RunArguments, Variables, variables};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

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

/// Flags of `table`.
#[derive(Debug, Args)]
pub struct Table {
    /// The ONNX file.
    #[arg(short = 'M', long, default_value = "network.onnx")]
    pub model: PathBuf,
    /// Scales, visibilities, circuit size.
    #[command(flatten)]
    pub args: RunArguments,
    /// What is accepted of the model.
    #[command(flatten)]
    pub allow: ModelAllowances,
}

/// Flags of `gen-settings`.
#[derive(Debug, Args)]
pub struct GenSettings {
    /// The ONNX file.
    #[arg(short = 'M', long, default_value = "network.onnx")]
    pub model: PathBuf,
    /// Where the settings go.
    #[arg(short = 'O', long, default_value = "settings.json")]
    pub settings_path: PathBuf,
    /// Only what binds: no Freivalds' check, no polycommit. Says what it costs.
    #[arg(long)]
    pub sound: bool,
    /// Scales, visibilities, circuit size.
    #[command(flatten)]
    pub args: RunArguments,
    /// What is accepted of the model.
    #[command(flatten)]
    pub allow: ModelAllowances,
}

/// Flags of `gen-random-data`.
#[derive(Debug, Args)]
pub struct GenRandomData {
    /// The ONNX file.
    #[arg(short = 'M', long, default_value = "network.onnx")]
    pub model: PathBuf,
    /// Where the inputs go.
    #[arg(short = 'D', long, default_value = "input.json")]
    pub data: PathBuf,
    /// Values of named dimensions, `name->value`, separated by commas.
    #[arg(short = 'V', long, default_value = "batch_size->1", value_parser = variables)]
    pub variables: Variables,
    /// Seed: the same seed gives the same data.
    #[arg(long, default_value_t = 21242)]
    pub seed: u64,
    /// The smallest number.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    pub min: f32,
    /// Numbers are below this.
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    pub max: f32,
}

/// Flags of `calibrate-settings`.
#[derive(Debug, Args)]
pub struct CalibrateSettings {
    /// Sample data: a file, @file, or JSON itself; any number of inputs one after the other.
    #[arg(short = 'D', long, default_value = "calibration.json")]
    pub data: String,
    /// The ONNX file.
    #[arg(short = 'M', long, default_value = "network.onnx")]
    pub model: PathBuf,
    /// The settings, rewritten.
    #[arg(short = 'O', long, default_value = "settings.json")]
    pub settings_path: PathBuf,
    /// What matters most.
    #[arg(long, value_enum, default_value_t = Target::Resources)]
    pub target: Target,
    /// How many times the range the data needs lookup tables cover.
    #[arg(long, default_value_t = 2.0)]
    pub lookup_safety_margin: f64,
    /// Scales to try.
    #[arg(long, value_delimiter = ',', default_value = "11,12,13")]
    pub scales: Vec<i32>,
    /// Multipliers to try.
    #[arg(long, value_delimiter = ',', default_value = "1,10")]
    pub scale_rebase_multiplier: Vec<u32>,
    /// log2 of the most rows.
    #[arg(long, default_value_t = 26)]
    pub max_logrows: u32,
    /// Where a page with plots of the circuit's errors goes (HTML).
    #[arg(long)]
    pub report: Option<PathBuf>,
    /// Accept a circuit whose outputs are not the network's.
    #[arg(long)]
    pub accept_error: bool,
    /// What is accepted of the model.
    #[command(flatten)]
    pub allow: ModelAllowances,
}

/// Flags of `compile-circuit`.
#[derive(Debug, Args)]
pub struct CompileCircuit {
    /// The ONNX file.
    #[arg(short = 'M', long, default_value = "network.onnx")]
    pub model: PathBuf,
    /// Where the circuit goes.
    #[arg(long, default_value = "model.compiled")]
    pub compiled_circuit: PathBuf,
    /// The settings.
    #[arg(short = 'S', long, default_value = "settings.json")]
    pub settings_path: PathBuf,
    /// What is accepted of the model.
    #[command(flatten)]
    pub allow: ModelAllowances,
}

/// Flags of `redact`.
#[derive(Debug, Args)]
pub struct Redact {
    /// The compiled circuit.
    #[arg(short = 'M', long, default_value = "model.compiled")]
    pub compiled_circuit: PathBuf,
    /// Where the redacted circuit goes.
    #[arg(short = 'O', long, default_value = "model.redacted.compiled")]
    pub output: PathBuf,
    /// Accept that the values listed remain visible in clear.
    #[arg(long)]
    pub yes: bool,
}

/// Flags of `bind-params`.
#[derive(Debug, Args)]
pub struct BindParams {
    /// The compiled circuit.
    #[arg(short = 'M', long, default_value = "model.compiled")]
    pub compiled_circuit: PathBuf,
    /// Where the bound circuit goes.
    #[arg(short = 'O', long, default_value = "model.bound.compiled")]
    pub output: PathBuf,
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

impl Table {
    pub(super) fn files(&self) -> Files {
        Files::default().reads(&[&self.model])
    }
}

impl GenSettings {
    pub(super) fn files(&self) -> Files {
        Files::default().reads(&[&self.model]).writes(&[&self.settings_path])
    }
}

impl GenRandomData {
    pub(super) fn files(&self) -> Files {
        Files::default().reads(&[&self.model]).writes(&[&self.data])
    }
}

impl CalibrateSettings {
    pub(super) fn files(&self) -> Files {
        let files = Files::default().reads_data(&self.data);
        let mut files = files.reads(&[&self.model, &self.settings_path]);
        files.writes.push(self.settings_path.clone());
        files.writes.extend(self.report.clone());
        files
    }
}

impl CompileCircuit {
    pub(super) fn files(&self) -> Files {
        let files = Files::default().reads(&[&self.model, &self.settings_path]);
        files.writes(&[&self.compiled_circuit])
    }
}

impl Redact {
    pub(super) fn files(&self) -> Files {
        Files::default().reads(&[&self.compiled_circuit]).writes(&[&self.output])
    }
}

impl BindParams {
    pub(super) fn files(&self) -> Files {
        Files::default().reads(&[&self.compiled_circuit]).writes(&[&self.output])
    }
}
