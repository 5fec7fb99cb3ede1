//! `table`, `gen-settings`, `gen-random-data` and `compile-circuit`: from an ONNX file to a circuit.

use crate::error::{AtFile, Error};
use crate::observe::Run;
use std::ops::Range;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use twain_artifacts::{CompiledModel, InputElement, InputFile, write_settings};
use twain_circuit::{Warning, check_public_values, check_tables, settings};
use twain_graph::{CheckMode, Model, RunArgs, Settings};
use twain_onnx::{Loaded, Reading, build, departures, load, random_inputs};

/// What a user accepts of a model beyond what EZKL's circuits have exactly.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowances {
    /// Attributes EZKL ignores are ignored, instead of refused.
    pub as_ezkl: bool,
    /// Constants that mask a softmax with "minus infinity" are taken as -100.
    pub clamp_masks: bool,
}

/// Loads an ONNX file.
pub(super) fn read(
    path: &Path,
    variables: &[(String, usize)],
    allowances: Allowances,
) -> Result<Loaded, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let Allowances { as_ezkl, clamp_masks } = allowances;
    load(&bytes, variables, &Reading { folder: Some(folder), as_ezkl, clamp_masks }).at(path)
}

/// Reads a model, and says where its circuit is not the network of the file.
fn model(path: &Path, args: &RunArgs, allowances: Allowances, run: &Run) -> Result<Model, Error> {
    args.validate().map_err(|error| Error::Usage(error.to_string()))?;
    let loaded = read(path, &args.variables, allowances)?;
    let model = build(&loaded, args).at(path)?;
    warn_of_departures(&loaded, &model, run);
    Ok(model)
}

/// Says where a circuit means something else than the file.
pub(super) fn warn_of_departures(loaded: &Loaded, model: &Model, run: &Run) {
    for departure in departures(loaded, model) {
        run.warn(departure.to_string());
    }
}

/// Says that proofs would show next to nothing, if so, and what the circuit takes that has none of it.
pub(super) fn warn_of_untied_einsums(model: &Model, settings: &Settings, run: &Run) {
    let warnings = twain_circuit::warnings(model, settings);
    let Some(untied) = warnings.iter().find(|warning| **warning == Warning::UntiedEinsums) else {
        return;
    };
    let args = RunArgs { disable_freivalds: true, ..settings.run_args.clone() };
    let instead = match twain_circuit::settings(model, &args, 0) {
        Ok(tied) => format!("which takes {} rows instead of {}", tied.num_rows, settings.num_rows),
        Err(error) => format!("although it fails as it is: {error}"),
    };
    run.warn(format!("{untied} ({instead})"));
}

/// The nodes of a model as they become circuit operations, a line each.
pub fn table(
    path: &Path,
    args: &RunArgs,
    allowances: Allowances,
    run: &Run,
) -> Result<String, Error> {
    Ok(twain_onnx::table(&model(path, args, allowances, run)?).to_string())
}

/// Measures the circuit of a model.
pub fn generate_settings(
    path: &Path,
    output: &Path,
    args: &RunArgs,
    allowances: Allowances,
    run: &Run,
) -> Result<(), Error> {
    let model = model(path, args, allowances, run)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let settings = settings(&model, args, since.as_millis()).at(path)?;
    check_tables(&settings).at(path)?;
    warn_of_untied_einsums(&model, &settings, run);
    Ok(write_settings(output, &settings)?)
}

/// Writes random inputs.
pub fn random_data(
    path: &Path,
    output: &Path,
    variables: &[(String, usize)],
    seed: u64,
    range: Range<f32>,
) -> Result<(), Error> {
    if !range.start.is_finite() || !range.end.is_finite() || range.is_empty() {
        return Err(Error::Usage("--min must be below --max".into()));
    }
    // Only shapes and types matter here.
    let loaded = read(path, variables, Allowances { as_ezkl: true, clamp_masks: false })?;
    let inputs = random_inputs(&loaded, seed, range.start, range.end).at(path)?;
    let elements = |input: Vec<f64>| input.into_iter().map(InputElement::Number).collect();
    let input_data = inputs.into_iter().map(elements).collect();
    Ok(InputFile { input_data, output_data: None }.write(output)?)
}

/// Turns a model into a circuit.
pub fn compile(
    path: &Path,
    output: &Path,
    settings_path: &Path,
    allowances: Allowances,
    run: &Run,
) -> Result<(), Error> {
    let mut settings = super::load_settings(settings_path)?;
    let model = model(path, &settings.run_args, allowances, run)?;
    check_tables(&settings).and_then(|()| check_public_values(&settings)).at(settings_path)?;
    warn_of_untied_einsums(&model, &settings, run);
    settings.check_mode = CheckMode::UNSAFE;
    Ok(CompiledModel::new(model, settings).write(output)?)
}
