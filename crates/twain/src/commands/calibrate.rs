//! `calibrate-settings`: scales, lookup range and number of rows from sample data (spec 05 §5).

use super::onnx::read;
use super::witness::run;
use crate::error::{AtFile, Error};
use std::path::{Path, PathBuf};
use twain_artifacts::{CompiledModel, InputFile, read_settings, write_settings};
use twain_circuit::{ProductTree, Witness, lay_out};
use twain_graph::{Model, NodeKind, RunArgs, Settings, Visibility};
use twain_onnx::calibrate::{Extremes, Target, best, grid, recalibrated, size};
use twain_onnx::{Loaded, build, settings};

/// log2 of the rows of the circuits that try settings out.
const TRIAL_LOGROWS: u32 = 18;
/// The range of their lookup tables.
const TRIAL_RANGE: (i128, i128) = (-(1 << 20), 1 << 20);

/// The flags.
#[derive(Debug)]
pub struct Calibration {
    /// Sample data.
    pub data: String,
    /// The ONNX file.
    pub model: PathBuf,
    /// The settings, rewritten.
    pub settings_path: PathBuf,
    /// What matters most.
    pub target: Target,
    /// How much wider tables are than what the sample data needs.
    pub margin: f64,
    /// Scales to try.
    pub scales: Vec<i32>,
    /// Multipliers to try.
    pub multipliers: Vec<u32>,
    /// Most rows.
    pub max_logrows: u32,
}

/// Tries all scales and writes the best settings.
pub fn calibrate(flags: &Calibration) -> Result<(), Error> {
    if !(flags.margin.is_finite() && flags.margin >= 1.0) {
        return Err(Error::Usage("--lookup-safety-margin must be at least 1".into()));
    }
    let file = read_settings(&flags.settings_path)?;
    super::version_warning(&flags.settings_path, &file.version);
    let loaded = read(&flags.model, &file.run_args.variables)?;
    let batches = batches(&flags.data, &build(&loaded, &file.run_args).at(&flags.model)?)?;
    let types = file.input_types.as_deref().unwrap_or_default();
    let integers = !types.is_empty() && types.iter().all(|datum| datum.is_integer());

    let mut candidates = Vec::new();
    let mut last_failure = None;
    for (input_scale, param_scale, scale_rebase_multiplier) in
        grid(&flags.scales, &flags.multipliers, integers)
    {
        let args =
            RunArgs { input_scale, param_scale, scale_rebase_multiplier, ..file.run_args.clone() };
        match attempt(&loaded, &file, args, &batches, flags) {
            Ok(settings) => candidates.push(settings),
            Err(error) => {
                tracing::info!(
                    "scales {input_scale} and {param_scale}, multiplier \
                     {scale_rebase_multiplier}: {error}"
                );
                last_failure = Some(error);
            }
        }
    }
    let Some(best) = best(candidates, flags.target) else {
        let why = last_failure.map_or("there are none to try".into(), |e: Error| e.to_string());
        return Err(Error::file(
            &flags.model,
            format!("no scales work; the last failed so: {why}"),
        ));
    };
    Ok(write_settings(&flags.settings_path, &best)?)
}

/// The settings for one choice of scales.
fn attempt(
    loaded: &Loaded,
    file: &Settings,
    args: RunArgs,
    batches: &[InputFile],
    flags: &Calibration,
) -> Result<Settings, Error> {
    let path = &flags.model;
    let timestamp = file.timestamp.unwrap_or_default();
    let model = build(loaded, &args).at(path)?;
    let measured = settings(&model, &args, timestamp).at(path)?;
    let extremes = forward(loaded, &args, batches, path)?;
    let size = size(&measured, extremes, flags.margin, flags.max_logrows);
    let (lookup_range, logrows) =
        size.ok_or_else(|| Error::file(path, "no number of rows holds its tables"))?;
    let args = RunArgs { lookup_range, logrows, ..args };
    Ok(recalibrated(file, settings(&model, &args, timestamp).at(path)?))
}

/// Runs a circuit with wide tables on all batches; its size does not change its values.
fn forward(
    loaded: &Loaded,
    args: &RunArgs,
    batches: &[InputFile],
    path: &Path,
) -> Result<Extremes, Error> {
    let args = RunArgs {
        lookup_range: TRIAL_RANGE,
        logrows: TRIAL_LOGROWS,
        input_visibility: Visibility::Private,
        param_visibility: Visibility::Private,
        output_visibility: Visibility::Public,
        ..args.clone()
    };
    let model = build(loaded, &args).at(path)?;
    let settings = settings(&model, &args, 0).at(path)?;
    let circuit = lay_out(&model, &settings, ProductTree::FullySplit)?;
    let compiled = CompiledModel::new(model, settings);
    let mut extremes = Extremes::default();
    for batch in batches {
        let inputs = batch.quantize(&compiled.model).at(path)?;
        let values = run(&compiled, &circuit, &inputs)?;
        let (low, high) = Witness::new(&circuit, &values).lookup_extremes();
        extremes.low = extremes.low.min(low);
        extremes.high = extremes.high.max(high);
    }
    Ok(extremes)
}

/// The data cut into inputs of the model.
fn batches(data: &str, model: &Model) -> Result<Vec<InputFile>, Error> {
    let file = InputFile::from_argument(data)?;
    let mut sizes = Vec::new();
    for index in &model.graph.inputs {
        if let Some(NodeKind::Node(node)) = model.graph.nodes.get(index) {
            sizes.push(node.out_dims.iter().product::<usize>().max(1));
        }
    }
    let misfit = |reason: &str| Err(Error::file(data, reason));
    let lists = sizes.iter().zip(&file.input_data);
    let counts: Vec<usize> = lists.clone().map(|(size, list)| list.len() / size).collect();
    let whole = lists.clone().all(|(size, list)| list.len().is_multiple_of(*size));
    if counts.len() != sizes.len() || !whole {
        return misfit("each list must hold a whole number of inputs of the model");
    }
    let count = counts.first().copied().unwrap_or(1);
    if count == 0 || counts.iter().any(|other| *other != count) {
        return misfit("all lists must hold the same number of inputs, at least one");
    }
    let batch = |index: usize| {
        let part =
            |(size, list): (&usize, &Vec<_>)| list[index * size..(index + 1) * size].to_vec();
        InputFile { input_data: lists.clone().map(part).collect(), output_data: None }
    };
    Ok((0..count).map(batch).collect())
}
