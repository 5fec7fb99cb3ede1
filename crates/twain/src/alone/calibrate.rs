//! `calibrate-settings`: scales, lookup range and number of rows from sample data (spec 05 §5).

use super::load_settings;
use super::onnx::{Allowances, read, warn_of_departures, warn_of_untied_einsums};
use super::witness::run as evaluate;
use crate::calibration::fidelity::{Comparison, page};
use crate::calibration::{Extremes, Predictor, Target, grid, ranked, recalibrated, size};
use crate::error::{AtFile, Error};
use crate::observe::{Event, Run};
use std::path::{Path, PathBuf};
use twain_artifacts::{CompiledModel, InputElement, InputFile, write_settings};
use twain_circuit::{ProductTree, Witness, lay_out, settings};
use twain_graph::numbers::dequantize_field;
use twain_graph::{Model, NodeKind, RunArgs, Settings, Visibility};
use twain_onnx::{Loaded, build};

/// Circuits that try settings out: log2 of their rows, and the range of their lookup tables. The
/// first is large enough for most models; wide tables and many rows take time to fill.
const TRIALS: [(u32, i128); 2] = [(13, 1 << 13), (18, 1 << 20)];

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
    /// What is accepted of the model.
    pub allowances: Allowances,
    /// Accept that the circuit computes something else than the network.
    pub accept_error: bool,
}

/// What calibration has chosen, and how good it is.
pub struct Calibrated {
    /// The settings.
    pub settings: Settings,
    /// Outputs beside the network's; empty if the data are not numbers, or the circuit ignores
    /// attributes of the file.
    pub comparison: Comparison,
    model: String,
}

/// Tries all scales and writes the best settings, which are checked first.
pub fn calibrate(flags: &Calibration, run: &Run) -> Result<Calibrated, Error> {
    if !(flags.margin.is_finite() && flags.margin >= 1.0) {
        return Err(Error::Usage("--lookup-safety-margin must be at least 1".into()));
    }
    let file = load_settings(&flags.settings_path)?;
    let loaded = read(&flags.model, &file.run_args.variables, flags.allowances)?;
    let model = build(&loaded, &file.run_args).at(&flags.model)?;
    warn_of_departures(&loaded, &model, run);
    let batches = batches(&flags.data, &model)?;
    // Also where there are no inputs at all, as in EZKL.
    let integers = file
        .input_types
        .as_deref()
        .is_some_and(|types| types.iter().all(|datum| datum.is_integer()));

    let grid = grid(&flags.scales, &flags.multipliers, integers);
    let of = grid.len();
    let mut candidates = Vec::new();
    let mut last_failure = None;
    for (done, (input_scale, param_scale, scale_rebase_multiplier)) in grid.into_iter().enumerate()
    {
        run.watched().check()?;
        let args =
            RunArgs { input_scale, param_scale, scale_rebase_multiplier, ..file.run_args.clone() };
        run.tell(Event::Trial { done, of, what: chosen(&args) });
        match attempt(&loaded, &file, args.clone(), &batches, flags) {
            Ok(settings) => candidates.push(settings),
            Err(error) => {
                last_failure = Some(error);
            }
        }
    }
    run.tell(Event::Trial { done: of, of, what: "a check of the best".into() });
    for settings in ranked(candidates, flags.target) {
        match check(&loaded, &settings, &batches, &flags.model) {
            Ok(comparison) => {
                if comparison.is_of_another_network() && !flags.accept_error {
                    let errors = comparison.errors();
                    let reason = format!(
                        "with {} the outputs of the circuit are {} off on average, and {} at most: \
                         it computes something else than the network (warnings say where); nothing \
                         was written; accept it with --accept-error",
                        chosen(&settings.run_args),
                        errors.mean_abs_error,
                        errors.max_abs_error
                    );
                    return Err(Error::file(&flags.model, reason));
                }
                write_settings(&flags.settings_path, &settings)?;
                warn_of_untied_einsums(&model, &settings, run);
                let model = flags.model.display().to_string();
                return Ok(Calibrated { settings, comparison, model });
            }
            Err(error) => {
                let args = chosen(&settings.run_args);
                run.warn(format!("{args}: the best so far, but a proof would fail: {error}"));
                last_failure = Some(error);
            }
        }
    }
    let why = last_failure.map_or("there are none to try".into(), |error| error.to_string());
    let reason = format!("no scales work; the last failed so: {why}");
    Err(Error::file(&flags.model, reason))
}

/// What was chosen, in words.
fn chosen(args: &RunArgs) -> String {
    format!(
        "input scale {}, parameter scale {}, multiplier {}",
        args.input_scale, args.param_scale, args.scale_rebase_multiplier
    )
}

impl Calibrated {
    /// What was chosen, in words.
    pub fn chosen(&self) -> String {
        chosen(&self.settings.run_args)
    }

    /// A page with plots of the circuit's errors (HTML).
    pub fn page(&self) -> String {
        let arguments = format!("{}, 2^{} rows", self.chosen(), self.settings.run_args.logrows);
        page(&self.model, &arguments, &self.comparison)
    }
}

/// Makes the circuit of settings, runs it on all data, checks every constraint for the first of
/// them, and compares outputs with the network's.
fn check(
    loaded: &Loaded,
    settings: &Settings,
    batches: &[InputFile],
    path: &Path,
) -> Result<Comparison, Error> {
    let model = build(loaded, &settings.run_args).at(path)?;
    let circuit = lay_out(&model, settings, ProductTree::FullySplit)?;
    let compiled = CompiledModel::new(model, settings.clone());
    let predictor = Predictor::new(loaded).at(path)?;
    let mut comparison = Comparison::default();
    for (index, batch) in batches.iter().enumerate() {
        let inputs = batch.quantize(&compiled.model).at(path)?;
        let values = evaluate(&compiled, &circuit, &inputs).at(path)?;
        if index == 0
            && let Some(failure) = twain_circuit::mock(&circuit, &values, 1)?.first()
        {
            return Err(Error::file(path, failure));
        }
        let scales = &settings.model_output_scales;
        let outputs = Witness::new(&circuit, &values).outputs();
        let outputs = outputs.iter().zip(scales).map(|(output, scale)| {
            output.iter().map(|value| dequantize_field(value, *scale) as f32).collect()
        });
        // What tract computes of a model with ignored attributes is not what the file means.
        if let Some(numbers) = numbers(batch).filter(|_| !loaded.ignores_attributes) {
            let network = predictor.run(&numbers).at(path)?;
            comparison.add(&network, &outputs.collect::<Vec<Vec<f32>>>());
        }
    }
    Ok(comparison)
}

/// The data as the network takes them, unless they are field elements.
fn numbers(batch: &InputFile) -> Option<Vec<Vec<f64>>> {
    let number = |element: &InputElement| match element {
        InputElement::Number(number) => Some(*number),
        InputElement::Bool(bit) => Some(f64::from(u8::from(*bit))),
        InputElement::Field(_) => None,
    };
    batch.input_data.iter().map(|list| list.iter().map(number).collect()).collect()
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

/// Runs a circuit on all batches, with wider tables if its arguments need them; its size does not
/// change its values.
fn forward(
    loaded: &Loaded,
    args: &RunArgs,
    batches: &[InputFile],
    path: &Path,
) -> Result<Extremes, Error> {
    let mut tried = Err(Error::bug("calibration without a circuit to try"));
    for (logrows, most) in TRIALS {
        let args = RunArgs {
            lookup_range: (-most, most),
            logrows,
            input_visibility: Visibility::Private,
            param_visibility: Visibility::Private,
            output_visibility: Visibility::Public,
            ..args.clone()
        };
        tried = forward_with(loaded, &args, batches, path);
        if tried.is_ok() {
            break;
        }
    }
    tried
}

fn forward_with(
    loaded: &Loaded,
    args: &RunArgs,
    batches: &[InputFile],
    path: &Path,
) -> Result<Extremes, Error> {
    let model = build(loaded, args).at(path)?;
    let settings = settings(&model, args, 0).at(path)?;
    let circuit = lay_out(&model, &settings, ProductTree::FullySplit)?;
    let compiled = CompiledModel::new(model, settings);
    let mut extremes = Extremes::default();
    for batch in batches {
        let inputs = batch.quantize(&compiled.model).at(path)?;
        let values = evaluate(&compiled, &circuit, &inputs).at(path)?;
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
    let misfit = |reason: &str| Err(Error::file(InputFile::place(data), reason));
    let lists = sizes.iter().zip(&file.input_data);
    let counts: Vec<usize> = lists.clone().map(|(size, list)| list.len() / size).collect();
    let whole = lists.clone().all(|(size, list)| list.len().is_multiple_of(*size));
    if file.input_data.len() != sizes.len() {
        let (lists, inputs) = (file.input_data.len(), sizes.len());
        return misfit(&format!("it holds {lists} lists, but the model has {inputs} inputs"));
    }
    if !whole {
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
