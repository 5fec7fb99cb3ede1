//! `table`, `gen-settings`, `gen-random-data` and `compile-circuit`: from an ONNX file to a circuit.

use crate::error::{AtFile, Error};
use std::ops::Range;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use twain_artifacts::{CompiledModel, InputElement, InputFile, write_settings};
use twain_circuit::settings;
use twain_graph::{CheckMode, Model, RunArgs};
use twain_onnx::{Loaded, build, load, random_inputs};

/// Loads an ONNX file.
pub(super) fn read(path: &Path, variables: &[(String, usize)]) -> Result<Loaded, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
    load(&bytes, variables).at(path)
}

fn model(path: &Path, args: &RunArgs) -> Result<Model, Error> {
    build(&read(path, &args.variables)?, args).at(path)
}

/// The nodes of a model as they become circuit operations, a line each.
pub fn table(path: &Path, args: &RunArgs) -> Result<String, Error> {
    Ok(twain_onnx::table(&model(path, args)?).to_string())
}

/// Measures the circuit of a model.
pub fn generate_settings(path: &Path, output: &Path, args: &RunArgs) -> Result<(), Error> {
    let model = model(path, args)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let settings = settings(&model, args, since.as_millis()).at(path)?;
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
    let loaded = read(path, variables)?;
    let inputs = random_inputs(&loaded, seed, range.start, range.end).at(path)?;
    let elements = |input: Vec<f64>| input.into_iter().map(InputElement::Number).collect();
    let input_data = inputs.into_iter().map(elements).collect();
    Ok(InputFile { input_data, output_data: None }.write(output)?)
}

/// Turns a model into a circuit.
pub fn compile(path: &Path, output: &Path, settings_path: &Path) -> Result<(), Error> {
    let mut settings = super::load_settings(settings_path)?;
    let args = &settings.run_args;
    let model = model(path, args)?;
    settings.check_mode = CheckMode::UNSAFE;
    Ok(CompiledModel::new(model, settings).write(output)?)
}
