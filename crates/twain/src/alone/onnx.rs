//! `table`, `gen-settings`, `gen-random-data` and `compile-circuit`: from an ONNX file to a circuit.

use crate::error::{AtFile, Error};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use twain_artifacts::{CompiledModel, InputElement, InputFile, write_settings};
use twain_circuit::settings;
use twain_graph::{CheckMode, Model, RunArgs, Settings};
use twain_onnx::{Loaded, build, load, random_inputs};

/// Loads an ONNX file.
pub(super) fn read(path: &Path, variables: &[(String, usize)]) -> Result<Loaded, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
    load(&bytes, variables).at(path)
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
        Ok(Self { loaded: read(path, variables)?, place: path.into() })
    }

    /// The same, from the bytes of a file.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(bytes: &[u8], variables: &[(String, usize)]) -> Result<Self, Error> {
        let place = PathBuf::from("the network");
        Ok(Self { loaded: load(bytes, variables).at(&place)?, place })
    }

    fn model(&self, args: &RunArgs) -> Result<Model, Error> {
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
        settings(&self.model(args)?, args, since.as_millis()).at(&self.place)
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
        settings.check_mode = CheckMode::UNSAFE;
        Ok(CompiledModel::new(model, settings))
    }
}

/// The nodes of a model as they become circuit operations, a line each.
pub fn table(path: &Path, args: &RunArgs) -> Result<String, Error> {
    Network::read(path, &args.variables)?.table(args)
}

/// Measures the circuit of a model.
pub fn generate_settings(path: &Path, output: &Path, args: &RunArgs) -> Result<(), Error> {
    let settings = Network::read(path, &args.variables)?.settings(args)?;
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
    Ok(Network::read(path, variables)?.random_data(seed, range)?.write(output)?)
}

/// Turns a model into a circuit.
pub fn compile(path: &Path, output: &Path, settings_path: &Path) -> Result<(), Error> {
    let settings = super::load_settings(settings_path)?;
    let network = Network::read(path, &settings.run_args.variables)?;
    Ok(network.compile(settings)?.write(output)?)
}
