//! What one prover does who holds everything: EZKL's functions, over files with EZKL's default names.
//! All return what EZKL's return and raise a `TwainError`; none holds the interpreter's lock.

use crate::run_args::{PyRunArgs, or_default};
use crate::work::{Callbacks, Cancel, quietly, run, to_python};
use crate::{error, felts};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use twain::calibration::{MOST_LOGROWS, SCALES, Target};
use twain::{Error, alone};
use twain_artifacts::{GraphWitness, field_to_hex};

/// gen_settings(model="network.onnx", output="settings.json", py_run_args=None) -> bool
///
/// Measures the circuit of a network and writes its settings.
#[pyfunction]
#[pyo3(signature = (model = "network.onnx".into(), output = "settings.json".into(), py_run_args = None))]
fn gen_settings(
    py: Python<'_>,
    model: PathBuf,
    output: PathBuf,
    py_run_args: Option<PyRunArgs>,
) -> PyResult<bool> {
    let args = or_default(py_run_args);
    let exactly = alone::Allowances::default();
    quietly(py, |run| alone::generate_settings(&model, &output, &args, exactly, run))?;
    Ok(true)
}

/// calibrate_settings(data="calibration.json", model="network.onnx", settings="settings.json",
/// target="resources", lookup_safety_margin=2, scales=None, scale_rebase_multiplier=[1, 10],
/// max_logrows=None, report=None, on_event=None, cancel=None) -> bool
///
/// Tries scales on sample data and rewrites the settings with the best; `report` is where a page with
/// plots of the circuit's errors goes (HTML), unless they cannot be measured.
#[pyfunction]
#[pyo3(signature = (
    data = "calibration.json".into(), model = "network.onnx".into(),
    settings = "settings.json".into(), target = "resources", lookup_safety_margin = 2.0,
    scales = None, scale_rebase_multiplier = vec![1, 10], max_logrows = None, report = None,
    on_event = None, cancel = None
))]
#[allow(clippy::too_many_arguments)] // EZKL's, and three
fn calibrate_settings(
    py: Python<'_>,
    data: String,
    model: PathBuf,
    settings: PathBuf,
    target: &str,
    lookup_safety_margin: f64,
    scales: Option<Vec<i32>>,
    scale_rebase_multiplier: Vec<u32>,
    max_logrows: Option<u32>,
    report: Option<PathBuf>,
    on_event: Option<Py<PyAny>>,
    cancel: Option<Cancel>,
) -> PyResult<bool> {
    let target = match target {
        "resources" => Target::Resources,
        "resources/col-overflow" => Target::ResourcesColumnOverflow,
        "accuracy" => Target::Accuracy,
        _ => {
            let text =
                format!("{target:?} is no target: resources, resources/col-overflow or accuracy");
            return Err(PyValueError::new_err(text));
        }
    };
    let calibration = alone::Calibration {
        data,
        model,
        settings_path: settings,
        target,
        margin: lookup_safety_margin,
        scales: scales.unwrap_or_else(|| SCALES.to_vec()),
        multipliers: scale_rebase_multiplier,
        max_logrows: max_logrows.unwrap_or(MOST_LOGROWS),
        allowances: alone::Allowances::default(),
        // As EZKL's function.
        accept_error: true,
    };
    let callbacks = Callbacks { on_event, on_first_meeting: None };
    run(py, callbacks, cancel, |run| {
        let calibrated = alone::calibrate(&calibration, run)?;
        let report = report.filter(|_| !calibrated.comparison.outputs.is_empty());
        report.map_or(Ok(()), |path| {
            std::fs::write(&path, calibrated.page()).map_err(|error| Error::file(path, error))
        })
    })?;
    Ok(true)
}

/// compile_circuit(model="network.onnx", compiled_circuit="model.compiled",
/// settings_path="settings.json") -> bool
///
/// Turns a network into a circuit of these settings.
#[pyfunction]
#[pyo3(signature = (
    model = "network.onnx".into(), compiled_circuit = "model.compiled".into(),
    settings_path = "settings.json".into()
))]
fn compile_circuit(
    py: Python<'_>,
    model: PathBuf,
    compiled_circuit: PathBuf,
    settings_path: PathBuf,
) -> PyResult<bool> {
    let exactly = alone::Allowances::default();
    quietly(py, |run| alone::compile(&model, &compiled_circuit, &settings_path, exactly, run))?;
    Ok(true)
}

/// table(model="network.onnx", py_run_args=None) -> str
///
/// The nodes of a network as they become circuit operations.
#[pyfunction]
#[pyo3(signature = (model = "network.onnx".into(), py_run_args = None))]
fn table(py: Python<'_>, model: PathBuf, py_run_args: Option<PyRunArgs>) -> PyResult<String> {
    let args = or_default(py_run_args);
    quietly(py, |run| alone::table(&model, &args, alone::Allowances::default(), run))
}

/// gen_random_data(model="network.onnx", output="input.json", variables=[("batch_size", 1)],
/// seed=21242, min=None, max=None) -> bool
///
/// Writes random inputs between `min` (0) and `max` (1).
#[pyfunction]
#[pyo3(signature = (
    model = "network.onnx".into(), output = "input.json".into(),
    variables = vec![("batch_size".into(), 1)], seed = 21242, min = None, max = None
))]
fn gen_random_data(
    py: Python<'_>,
    model: PathBuf,
    output: PathBuf,
    variables: Vec<(String, usize)>,
    seed: u64,
    min: Option<f32>,
    max: Option<f32>,
) -> PyResult<bool> {
    let range = min.unwrap_or(0.0)..max.unwrap_or(1.0);
    quietly(py, |_| alone::random_data(&model, &output, &variables, seed, range))?;
    Ok(true)
}

/// gen_witness(data="input.json", model="model.compiled", output="witness.json", vk_path=None,
/// srs_path=None) -> dict
///
/// Runs the circuit on an input (a file, `@file` or JSON text), writes the witness if `output` is given,
/// and returns it; field elements are hexadecimal text.
#[pyfunction]
#[pyo3(signature = (
    data = "input.json".into(), model = "model.compiled".into(),
    output = Some("witness.json".into()), vk_path = None, srs_path = None
))]
fn gen_witness(
    py: Python<'_>,
    data: String,
    model: PathBuf,
    output: Option<PathBuf>,
    vk_path: Option<PathBuf>,
    srs_path: Option<PathBuf>,
) -> PyResult<Bound<'_, PyDict>> {
    let witness = quietly(py, |run| {
        let witness = alone::witness_of_files(&data, &model, vk_path, srs_path, run)?;
        if let Some(output) = &output {
            witness.write(output)?;
        }
        Ok(witness)
    })?;
    witness_to_python(py, &witness)
}

/// A witness as EZKL's function returns it: the file without what is for people.
pub fn witness_to_python<'py>(
    py: Python<'py>,
    witness: &GraphWitness,
) -> PyResult<Bound<'py, PyDict>> {
    let value = serde_json::to_value(witness).map_err(|error| error::raise(&Error::bug(error)))?;
    let dict = to_python(py, &value)?.cast_into::<PyDict>()?;
    for name in ["pretty_elements", "version"] {
        if dict.contains(name)? {
            dict.del_item(name)?;
        }
    }
    let processed = [
        ("processed_inputs", &witness.processed_inputs),
        ("processed_params", &witness.processed_params),
        ("processed_outputs", &witness.processed_outputs),
    ];
    for (name, processed) in processed {
        let Some(processed) = processed else {
            dict.del_item(name)?;
            continue;
        };
        let made = PyDict::new(py);
        if let Some(hashes) = &processed.poseidon_hash {
            made.set_item("poseidon_hash", hashes.iter().map(field_to_hex).collect::<Vec<_>>())?;
        }
        if let Some(lists) = &processed.polycommit {
            let points = |list: &Vec<_>| list.iter().map(felts::PyG1Affine::from).collect();
            made.set_item("polycommit", lists.iter().map(points).collect::<Vec<Vec<_>>>())?;
        }
        dict.set_item(name, made)?;
    }
    Ok(dict)
}

/// mock(witness="witness.json", model="model.compiled") -> bool
///
/// Checks every constraint on a witness; raises InvalidWitnessError with the first that fail.
#[pyfunction]
#[pyo3(signature = (witness = "witness.json".into(), model = "model.compiled".into()))]
fn mock(py: Python<'_>, witness: PathBuf, model: PathBuf) -> PyResult<bool> {
    let failures = quietly(py, |_| alone::mock(&witness, &model))?;
    match failures.is_empty() {
        true => Ok(true),
        false => Err(error::InvalidWitnessError::new_err(failures.join("\n"))),
    }
}

/// setup(model="model.compiled", vk_path="vk.key", pk_path="pk.key", srs_path=None,
/// witness_path=None, disable_selector_compression=False, *, allow_unbound_einsums=False) -> bool
///
/// Makes the keys. A circuit whose proofs say next to nothing where einsums use Freivalds' check is
/// refused unless `allow_unbound_einsums`.
#[pyfunction]
#[pyo3(signature = (
    model = "model.compiled".into(), vk_path = "vk.key".into(), pk_path = "pk.key".into(),
    srs_path = None, witness_path = None, disable_selector_compression = false, *,
    allow_unbound_einsums = false
))]
#[allow(clippy::too_many_arguments)] // EZKL's, and one
fn setup(
    py: Python<'_>,
    model: PathBuf,
    vk_path: PathBuf,
    pk_path: PathBuf,
    srs_path: Option<PathBuf>,
    witness_path: Option<PathBuf>,
    disable_selector_compression: bool,
    allow_unbound_einsums: bool,
) -> PyResult<bool> {
    let setup = alone::Setup {
        compiled_circuit: model,
        srs: srs_path,
        vk_path,
        pk_path,
        witness: witness_path,
        compress: !disable_selector_compression,
        allow_unbound_einsums,
    };
    quietly(py, |run| alone::setup(&setup, run))?;
    Ok(true)
}

/// verify(proof_path="proof.json", settings_path="settings.json", vk_path="vk.key", srs_path=None,
/// reduced_srs=False) -> bool
///
/// Checks a proof; one that is not valid raises.
#[pyfunction]
#[pyo3(signature = (
    proof_path = "proof.json".into(), settings_path = "settings.json".into(),
    vk_path = "vk.key".into(), srs_path = None, reduced_srs = false
))]
fn verify(
    py: Python<'_>,
    proof_path: PathBuf,
    settings_path: PathBuf,
    vk_path: PathBuf,
    srs_path: Option<PathBuf>,
    reduced_srs: bool,
) -> PyResult<bool> {
    quietly(py, |run| {
        alone::verify(&settings_path, &proof_path, &vk_path, srs_path, reduced_srs, run)
    })?;
    Ok(true)
}

/// gen_vk_from_pk_single(path_to_pk="pk.key", circuit_settings_path="settings.json",
/// vk_output_path="vk.key") -> bool
///
/// Copies the verifying key out of a proving key.
#[pyfunction]
#[pyo3(signature = (
    path_to_pk = "pk.key".into(), circuit_settings_path = "settings.json".into(),
    vk_output_path = "vk.key".into()
))]
fn gen_vk_from_pk_single(
    py: Python<'_>,
    path_to_pk: PathBuf,
    circuit_settings_path: PathBuf,
    vk_output_path: PathBuf,
) -> PyResult<bool> {
    quietly(py, |run| {
        alone::vk_from_pk(&path_to_pk, &circuit_settings_path, &vk_output_path, run)
    })?;
    Ok(true)
}

/// swap_proof_commitments(proof_path="proof.json", witness_path="witness.json") -> None
///
/// Puts a witness's commitments into a proof, which then verifies only if they are the same.
#[pyfunction]
#[pyo3(signature = (proof_path = "proof.json".into(), witness_path = "witness.json".into()))]
fn swap_proof_commitments(
    py: Python<'_>,
    proof_path: PathBuf,
    witness_path: PathBuf,
) -> PyResult<()> {
    quietly(py, |_| alone::swap_commitments(&proof_path, &witness_path))
}

/// kzg_commit(message, vk_path="vk.key", settings_path="settings.json", srs_path=None) -> list[PyG1Affine]
///
/// The commitments that a circuit with polycommit visibility makes of a tensor.
#[pyfunction]
#[pyo3(signature = (
    message, vk_path = "vk.key".into(), settings_path = "settings.json".into(), srs_path = None
))]
fn kzg_commit(
    py: Python<'_>,
    message: Vec<String>,
    vk_path: PathBuf,
    settings_path: PathBuf,
    srs_path: Option<PathBuf>,
) -> PyResult<Vec<felts::PyG1Affine>> {
    let _ = vk_path; // EZKL asks for it; the settings say the number of usable rows.
    let message = message.iter().map(|felt| felts::parse(felt)).collect::<PyResult<Vec<_>>>()?;
    let points = quietly(py, |_| alone::commit(&message, &settings_path, srs_path))?;
    Ok(points.iter().map(Into::into).collect())
}

/// Puts the functions into the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(gen_settings, module)?)?;
    module.add_function(wrap_pyfunction!(calibrate_settings, module)?)?;
    module.add_function(wrap_pyfunction!(compile_circuit, module)?)?;
    module.add_function(wrap_pyfunction!(table, module)?)?;
    module.add_function(wrap_pyfunction!(gen_random_data, module)?)?;
    module.add_function(wrap_pyfunction!(gen_witness, module)?)?;
    module.add_function(wrap_pyfunction!(mock, module)?)?;
    module.add_function(wrap_pyfunction!(setup, module)?)?;
    module.add_function(wrap_pyfunction!(verify, module)?)?;
    module.add_function(wrap_pyfunction!(gen_vk_from_pk_single, module)?)?;
    module.add_function(wrap_pyfunction!(swap_proof_commitments, module)?)?;
    module.add_function(wrap_pyfunction!(kzg_commit, module)?)
}
