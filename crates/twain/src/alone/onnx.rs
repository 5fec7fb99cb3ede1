//! `table`, `gen-settings`, `gen-random-data` and `compile-circuit`: from an ONNX file to a
//! circuit.

use crate::error::{AtFile, Error};
use crate::observe::Run;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use twain_artifacts::{
    CompiledModel, InputElement, InputFile, ONNX_MODEL, recognise_bytes, write_settings,
};
use twain_circuit::{Warning, check_public_values, check_tables, settings};
use twain_graph::{CheckMode, Model, RunArgs, Settings};
use twain_onnx::{Loaded, OnnxError, Reading, build, departures, load, random_inputs};

/// What a user accepts of a model beyond what EZKL's circuits have exactly.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowances {
    /// Attributes EZKL ignores are ignored, instead of refused.
    pub as_ezkl: bool,
    /// Constants that mask a softmax with "minus infinity" are taken as -100.
    pub clamp_masks: bool,
}

/// Loads an ONNX file, with the weights kept beside it.
pub(super) fn read(
    path: &Path,
    variables: &[(String, usize)],
    allowances: Allowances,
) -> Result<Loaded, Error> {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::file(path, "there is no such file; name the network with -M"),
        _ => Error::file(path, error),
    })?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let Allowances { as_ezkl, clamp_masks } = allowances;
    let loaded = load(&bytes, variables, &Reading { folder: Some(folder), as_ezkl, clamp_masks });
    loaded.or_else(|error| match (&error, recognise_bytes(&bytes)) {
        (OnnxError::Parse(_), Some(found)) if found != ONNX_MODEL => {
            Err(Error::file(path, format!("this is {found}, not {ONNX_MODEL}")))
        }
        _ => Err(error).at(path),
    })
}

/// Says where a circuit means something else than the file.
pub(super) fn warn_of_departures(loaded: &Loaded, model: &Model, run: &Run) {
    for departure in departures(loaded, model) {
        run.warn(departure.to_string());
    }
}

/// Says that proofs would show next to nothing, if so, and what the circuit takes that has none of
/// it.
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

/// An ONNX network in memory.
pub struct Network {
    loaded: Loaded,
    /// Where it is from, for messages.
    place: PathBuf,
}

impl Network {
    /// Reads a file; `variables` are the sizes of symbolic dimensions.
    ///
    /// # Errors
    /// A file that is no ONNX network, or has operators that no circuit is made of.
    pub fn read(path: &Path, variables: &[(String, usize)]) -> Result<Self, Error> {
        Self::read_allowing(path, variables, Allowances::default())
    }

    /// The same, with what the user accepts of it.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_allowing(
        path: &Path,
        variables: &[(String, usize)],
        allowances: Allowances,
    ) -> Result<Self, Error> {
        Ok(Self { loaded: read(path, variables, allowances)?, place: path.into() })
    }

    /// The same, from the bytes of a file.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(bytes: &[u8], variables: &[(String, usize)]) -> Result<Self, Error> {
        let place = PathBuf::from("the network");
        Ok(Self { loaded: load(bytes, variables, &Reading::default()).at(&place)?, place })
    }

    fn model(&self, args: &RunArgs) -> Result<Model, Error> {
        args.validate().map_err(|error| Error::Usage(error.to_string()))?;
        build(&self.loaded, args).at(&self.place)
    }

    /// The nodes as they become circuit operations, a line each.
    ///
    /// # Errors
    /// Operators or constants that the arguments of the run do not allow.
    pub fn table(&self, args: &RunArgs) -> Result<String, Error> {
        Ok(twain_onnx::table(&self.model(args)?).to_string())
    }

    /// Measures the circuit.
    ///
    /// # Errors
    /// As [`Self::table`]; a circuit that cannot be laid out.
    pub fn settings(&self, args: &RunArgs) -> Result<Settings, Error> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let settings = settings(&self.model(args)?, args, since.as_millis()).at(&self.place)?;
        check_tables(&settings).at(&self.place)?;
        Ok(settings)
    }

    /// Random inputs within `range`.
    ///
    /// # Errors
    /// A range without numbers; inputs of types that are not numbers.
    pub fn random_data(&self, seed: u64, range: Range<f32>) -> Result<InputFile, Error> {
        if !range.start.is_finite() || !range.end.is_finite() || range.is_empty() {
            return Err(Error::Usage("--min must be below --max".into()));
        }
        let inputs = random_inputs(&self.loaded, seed, range.start, range.end).at(&self.place)?;
        let elements = |input: Vec<f64>| input.into_iter().map(InputElement::Number).collect();
        let input_data = inputs.into_iter().map(elements).collect();
        Ok(InputFile { input_data, output_data: None })
    }

    /// Turns it into a circuit of these settings.
    ///
    /// # Errors
    /// As [`Self::table`].
    pub fn compile(&self, mut settings: Settings) -> Result<CompiledModel, Error> {
        let model = self.model(&settings.run_args)?;
        check_tables(&settings).and_then(|()| check_public_values(&settings)).at(&self.place)?;
        settings.check_mode = CheckMode::UNSAFE;
        Ok(CompiledModel::new(model, settings))
    }
}

/// The nodes of a model as they become circuit operations, a line each.
pub fn table(
    path: &Path,
    args: &RunArgs,
    allowances: Allowances,
    run: &Run,
) -> Result<String, Error> {
    let network = Network::read_allowing(path, &args.variables, allowances)?;
    warn_of_departures(&network.loaded, &network.model(args)?, run);
    network.table(args)
}

/// Measures the circuit of a model, and writes the settings that it returns.
pub fn generate_settings(
    path: &Path,
    output: &Path,
    args: &RunArgs,
    allowances: Allowances,
    run: &Run,
) -> Result<Settings, Error> {
    measure(path, output, args, allowances, run, |model, settings| {
        warn_of_untied_einsums(model, settings, run);
        Ok(())
    })
}

/// As [`generate_settings`], for circuits whose proofs bind what they are about: einsums are laid
/// out cell by cell, whatever `args` say. Says what that costs, and what is left to do.
///
/// # Errors
/// As [`generate_settings`]; a visibility whose proofs tell of the values: polycommit.
pub fn generate_sound_settings(
    path: &Path,
    output: &Path,
    args: &RunArgs,
    allowances: Allowances,
    run: &Run,
) -> Result<Settings, Error> {
    let sound = RunArgs { disable_freivalds: true, ..args.clone() };
    measure(path, output, &sound, allowances, run, |model, settings| {
        for warning in twain_circuit::warnings(model, settings) {
            match warning {
                Warning::CommitmentLeaks { .. } | Warning::UntiedEinsums => {
                    return Err(Error::Usage(format!("--sound: {warning}")));
                }
                Warning::UntiedParameters { .. } | Warning::UncheckedInputs => {
                    run.warn(warning.to_string());
                }
            }
        }
        let otherwise = RunArgs { disable_freivalds: false, ..sound.clone() };
        let otherwise = twain_circuit::settings(model, &otherwise, 0);
        match otherwise.map(|otherwise| otherwise.num_rows) {
            Ok(rows) if rows != settings.num_rows => run.step(format!(
                "Takes {} rows, and {rows} with Freivalds' check, which binds nothing.",
                settings.num_rows
            )),
            _ => run.step("Takes no more rows than without --sound."),
        }
        Ok(())
    })
}

/// Measures a circuit, and writes its settings if `look` finds nothing against them.
fn measure(
    path: &Path,
    output: &Path,
    args: &RunArgs,
    allowances: Allowances,
    run: &Run,
    look: impl FnOnce(&Model, &Settings) -> Result<(), Error>,
) -> Result<Settings, Error> {
    let network = Network::read_allowing(path, &args.variables, allowances)?;
    let model = network.model(args)?;
    warn_of_departures(&network.loaded, &model, run);
    let settings = network.settings(args)?;
    look(&model, &settings)?;
    write_settings(output, &settings)?;
    Ok(settings)
}

/// Writes random inputs.
pub fn random_data(
    path: &Path,
    output: &Path,
    variables: &[(String, usize)],
    seed: u64,
    range: Range<f32>,
) -> Result<(), Error> {
    // Only shapes and types matter here.
    let any = Allowances { as_ezkl: true, clamp_masks: false };
    Ok(Network::read_allowing(path, variables, any)?.random_data(seed, range)?.write(output)?)
}

/// Turns a model into a circuit, and writes the circuit that it returns.
pub fn compile(
    path: &Path,
    output: &Path,
    settings_path: &Path,
    allowances: Allowances,
    run: &Run,
) -> Result<CompiledModel, Error> {
    let settings = super::load_settings(settings_path)?;
    let network = Network::read_allowing(path, &settings.run_args.variables, allowances)?;
    let compiled = network.compile(settings)?;
    warn_of_departures(&network.loaded, &compiled.model, run);
    warn_of_untied_einsums(&compiled.model, &compiled.settings, run);
    compiled.write(output)?;
    Ok(compiled)
}
