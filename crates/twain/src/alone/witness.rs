//! `gen-witness` and `mock`.

use super::{load_circuit, load_compiled, load_settings};
use crate::error::{AtFile, Error};
use crate::files;
use crate::input_hash::InputHash;
use crate::key_files::read_srs;
use crate::observe::Run;
use crate::prover::Prover;
use ff::Field;
use rand_core::{OsRng, RngCore};
use std::path::{Path, PathBuf};
use twain_algebra::{Fr, G1Affine};
use twain_artifacts::{
    CompiledModel, GraphWitness, InputFile, LookupExtremes, Processed, ProcessedElements,
};
use twain_circuit::{
    Circuit, ProductTree, Sources, Witness, WitnessError, WitnessValues, configure, lay_out,
    parameters, poseidon_hash,
};
use twain_graph::Visibility;
use twain_party::{Alone, Seed, Watched};
use twain_plonk::Srs;

/// Seeds the operating system gives.
pub fn fresh_seed() -> Seed {
    let mut bytes = [0u8; 32];
    OsRng.fill_bytes(&mut bytes);
    Seed(bytes)
}

/// Runs the model on an input and writes what that gives, and it returns; with a verifying key and an SRS,
/// commitments too.
pub fn generate(
    data: &str,
    circuit_path: &Path,
    output: &Path,
    vk_path: Option<PathBuf>,
    srs_path: Option<PathBuf>,
    run: &Run,
) -> Result<GraphWitness, Error> {
    let witness = witness_of_files(data, circuit_path, vk_path, srs_path, run)?;
    witness.write(output)?;
    Ok(witness)
}

/// The same without writing it.
///
/// # Errors
/// Files that cannot be read or do not fit together; [`Fault::Cancelled`](crate::Fault::Cancelled).
pub fn witness_of_files(
    data: &str,
    circuit_path: &Path,
    vk_path: Option<PathBuf>,
    srs_path: Option<PathBuf>,
    run: &Run,
) -> Result<GraphWitness, Error> {
    let (compiled, circuit) = load_circuit(circuit_path)?;
    let (input, place) = (InputFile::from_argument(data)?, InputFile::place(data));
    let srs = match (vk_path, srs_path) {
        (Some(_), Some(path)) => {
            let logrows = compiled.settings.run_args.logrows;
            Some(read_srs(&path, logrows, &mut OsRng, &run.watched())?)
        }
        _ => None,
    };
    describe(&compiled, &circuit, &input, place, srs.as_ref())
}

/// Runs a model on an input: outputs, hashes and, with an SRS, commitments (spec 02 §3.2).
///
/// # Errors
/// A circuit that cannot be laid out, an input that does not fit it.
pub fn witness(
    compiled: &CompiledModel,
    input: &InputFile,
    srs: Option<&Srs>,
) -> Result<GraphWitness, Error> {
    let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit)?;
    describe(compiled, &circuit, input, Path::new("the input"), srs)
}

/// Runs the witness program on plain values.
pub fn run(
    compiled: &CompiledModel,
    circuit: &Circuit,
    inputs: &[Vec<Fr>],
) -> Result<WitnessValues, WitnessError> {
    evaluate(&mut Alone::new(fresh_seed()), compiled, circuit, inputs)
}

/// The same over a party, which may be watched.
pub fn evaluate(
    party: &mut Alone,
    compiled: &CompiledModel,
    circuit: &Circuit,
    inputs: &[Vec<Fr>],
) -> Result<WitnessValues, WitnessError> {
    let parameters = parameters(&compiled.model);
    let sources = Sources { inputs: Some(inputs), parameters: Some(&parameters) };
    circuit.run_alone(party, &sources)
}

impl Prover {
    /// Runs the circuit on an input, with commitments if its visibilities ask for them.
    ///
    /// # Errors
    /// An input that does not fit it.
    pub fn witness(&self, input: &InputFile) -> Result<GraphWitness, Error> {
        describe(&self.compiled, &self.circuit, input, Path::new("the input"), Some(&self.srs))
    }
}

/// The hashes of inputs as they stand in a proof's instances. The file `data` has a list for each of the
/// inputs at the places `own`, or for every input if `own` is empty.
///
/// # Errors
/// A circuit whose inputs are not hashed; a place that is none; an input that does not fit it.
pub fn hash_inputs(
    data: &str,
    circuit_path: &Path,
    own: &[usize],
) -> Result<Vec<InputHash>, Error> {
    let compiled = load_compiled(circuit_path)?;
    if !compiled.settings.run_args.input_visibility.is_hashed_public() {
        let reason =
            "no proof of it has a hash of an input: compile with --input-visibility hashed";
        return Err(Error::file(circuit_path, reason));
    }
    let count = compiled.model.graph.inputs.len();
    if let Some(place) = own.iter().find(|place| **place >= count) {
        return Err(Error::Usage(format!("--own-inputs: the circuit has no input {place}")));
    }
    let own: Vec<usize> =
        (0..count).filter(|place| own.is_empty() || own.contains(place)).collect();
    let input = InputFile::from_argument(data)?;
    let mut inputs = input.quantize_own(&compiled.model, &own).at(InputFile::place(data))?;
    let digests = own.into_iter().filter_map(|place| {
        let input = inputs.get(place)?;
        Some(InputHash { input: place, digest: poseidon_hash(input) })
    });
    let digests = digests.collect();
    inputs.iter_mut().for_each(|input| twain_algebra::erase(input));
    Ok(digests)
}

/// The commitments to a tensor that a circuit of these settings makes of it if its visibility is
/// polycommit (spec 04 §7.6).
///
/// # Errors
/// Files that cannot be read.
pub fn commit(
    tensor: &[Fr],
    settings_path: &Path,
    srs_path: Option<PathBuf>,
) -> Result<Vec<G1Affine>, Error> {
    let settings = load_settings(settings_path)?;
    let logrows = settings.run_args.logrows;
    let (_, columns) = configure(&settings, ProductTree::FullySplit).at(settings_path)?;
    let srs =
        read_srs(&files::srs_path(&srs_path, logrows)?, logrows, &mut OsRng, &Watched::default())?;
    Ok(Committer::new(&srs, columns.geometry.usable_rows).commit(tensor))
}

/// What a run on an input from `place` gives.
fn describe(
    compiled: &CompiledModel,
    circuit: &Circuit,
    input: &InputFile,
    place: &Path,
    srs: Option<&Srs>,
) -> Result<GraphWitness, Error> {
    let settings = &compiled.settings;
    let inputs = input.quantize(&compiled.model).at(place)?;
    let values = run(compiled, circuit, &inputs).at(place)?;
    let witness = Witness::new(circuit, &values);
    let outputs = witness.outputs();
    let usable_rows = circuit.columns.geometry.usable_rows;
    let committer = srs.map(|srs| Committer::new(srs, usable_rows));
    let args = &settings.run_args;
    let params = match parameters(&compiled.model).concat() {
        params if params.is_empty() => Vec::new(),
        params => vec![params],
    };
    // The instances begin with the hashes of inputs and parameters, and end with those of outputs.
    let count = |visibility: &Visibility, tensors: usize| match visibility.is_hashed() {
        true => tensors,
        false => 0,
    };
    let all = &values.instances;
    let of_inputs = count(&args.input_visibility, inputs.len());
    let of_params = of_inputs + count(&args.param_visibility, params.len());
    let of_outputs = all.len().saturating_sub(count(&args.output_visibility, outputs.len()));
    let process = |visibility: &Visibility, tensors: &[Vec<Fr>], hashes: &[Fr]| match visibility {
        _ if tensors.is_empty() => None,
        Visibility::Hashed { .. } => {
            Some(Processed { poseidon_hash: Some(hashes.to_vec()), polycommit: None })
        }
        Visibility::KZGCommit => {
            let commit =
                |committer: &Committer| tensors.iter().map(|t| committer.commit(t)).collect();
            Some(Processed { poseidon_hash: None, polycommit: committer.as_ref().map(commit) })
        }
        _ => None,
    };
    let hashes = |range: std::ops::Range<usize>| all.get(range).unwrap_or_default();
    let processed = ProcessedElements {
        inputs: process(&args.input_visibility, &inputs, hashes(0..of_inputs)),
        params: process(&args.param_visibility, &params, hashes(of_inputs..of_params)),
        outputs: process(&args.output_visibility, &outputs, hashes(of_outputs..all.len())),
    };
    let (min_lookup_inputs, max_lookup_inputs) = witness.lookup_extremes();
    let widths = settings.required_range_checks.iter().map(|(low, high)| high - low);
    let extremes = LookupExtremes {
        max_lookup_inputs,
        min_lookup_inputs,
        max_range_size: widths.max().unwrap_or(0),
    };
    Ok(GraphWitness::new(inputs, outputs, processed, extremes, settings))
}

/// Commits to tensors as the circuit's unblinded columns do (spec 04 §7.6).
pub struct Committer<'a> {
    srs: &'a Srs,
    usable_rows: usize,
}

impl<'a> Committer<'a> {
    /// For a circuit with as many rows as the SRS, `usable_rows` of which hold values.
    pub fn new(srs: &'a Srs, usable_rows: usize) -> Self {
        Self { srs, usable_rows }
    }

    /// The commitments to a tensor, one for each column it takes.
    pub fn commit(&self, tensor: &[Fr]) -> Vec<G1Affine> {
        let chunks = tensor.len() / self.usable_rows + 1;
        let chunk = |index: usize| {
            let start = (index * self.usable_rows).min(tensor.len());
            let end = (start + self.usable_rows).min(tensor.len());
            let mut column = tensor[start..end].to_vec();
            column.resize(self.usable_rows, Fr::ZERO);
            column.resize(1 << self.srs.k(), Fr::ONE);
            self.srs.commit_lagrange(&column)
        };
        (0..chunks).map(chunk).collect()
    }
}

/// Fails if the file's public values are not those its inputs give.
pub fn check_instances(
    path: &Path,
    witness: &GraphWitness,
    compiled: &CompiledModel,
    values: &WitnessValues,
) -> Result<(), Error> {
    let claimed = witness.instances(&compiled.settings.run_args);
    let mut pairs = claimed.iter().zip(&values.instances);
    let differs = pairs.position(|(claimed, computed)| claimed != computed);
    if claimed.len() == values.instances.len() && differs.is_none() {
        return Ok(());
    }
    let place = differs.map_or("their number".into(), |i| format!("value {i}"));
    let reason = format!(
        "its public values are not what the circuit computes from its inputs ({place} differs): \
         make it again with gen-witness from this circuit"
    );
    Err(Error::file(path, reason))
}

/// Checks every constraint on a witness; a line for each of the first that fail.
pub fn mock(witness_path: &Path, circuit_path: &Path) -> Result<Vec<String>, Error> {
    let (compiled, circuit) = load_circuit(circuit_path)?;
    let witness = GraphWitness::read(witness_path)?;
    failures(&compiled, &circuit, &witness, witness_path)
}

/// The same, for values.
///
/// # Errors
/// A circuit that cannot be laid out, a witness of another one.
pub fn mock_witness(
    compiled: &CompiledModel,
    witness: &GraphWitness,
) -> Result<Vec<String>, Error> {
    let circuit = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit)?;
    failures(compiled, &circuit, witness, Path::new("the witness"))
}

fn failures(
    compiled: &CompiledModel,
    circuit: &Circuit,
    witness: &GraphWitness,
    path: &Path,
) -> Result<Vec<String>, Error> {
    const SHOWN: usize = 20;
    let values = run(compiled, circuit, &witness.inputs).at(path)?;
    check_instances(path, witness, compiled, &values)?;
    let failures = twain_circuit::mock(circuit, &values, SHOWN)?;
    Ok(failures.iter().map(ToString::to_string).collect())
}
