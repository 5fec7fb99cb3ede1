//! Proofs by one prover: from files, or from a circuit, keys and an SRS that stay in memory.

use crate::alone::witness_to_python;
use crate::work::{Callbacks, Cancel, quietly, run};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use twain::{Error, Prover, ProverFiles};
use twain_artifacts::{GraphWitness, InputFile, Proof, field_to_hex};

/// prove(witness="witness.json", model="model.compiled", pk_path="pk.key", proof_path=None,
/// srs_path=None, allow_unbound_einsums=False, check_mode="safe", on_event=None, cancel=None)
///     -> dict
///
/// See `twain.prove`: proves, checks the proof unless `check_mode` is "unsafe", writes it if
/// `proof_path` is given, and returns its `instances` and `proof`.
#[pyfunction]
#[pyo3(signature = (
    witness = "witness.json".into(), model = "model.compiled".into(), pk_path = "pk.key".into(),
    proof_path = None, srs_path = None, allow_unbound_einsums = false, check_mode = "safe",
    on_event = None, cancel = None
))]
#[allow(clippy::too_many_arguments)] // EZKL's, and four
fn prove<'py>(
    py: Python<'py>,
    witness: PathBuf,
    model: PathBuf,
    pk_path: PathBuf,
    proof_path: Option<PathBuf>,
    srs_path: Option<PathBuf>,
    allow_unbound_einsums: bool,
    check_mode: &str,
    on_event: Option<Py<PyAny>>,
    cancel: Option<Cancel>,
) -> PyResult<Bound<'py, PyDict>> {
    let verify = check_mode != "unsafe";
    let files = ProverFiles { compiled_circuit: model, pk_path, srs_path, allow_unbound_einsums };
    let callbacks = Callbacks { on_event, on_first_meeting: None };
    let proof = run(py, callbacks, cancel, |run| {
        let witness_path = witness;
        let prover = Prover::read(&files, run)?;
        let proof = prover.prove(&GraphWitness::read(&witness_path)?, verify, run)?;
        if let Some(path) = &proof_path {
            proof.write(path)?;
        }
        Ok(proof)
    })?;
    proof_to_python(py, &proof)
}

/// `instances` and `proof`.
fn proof_to_python<'py>(py: Python<'py>, proof: &Proof) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let instances = proof.instances.iter().map(|column| column.iter().map(field_to_hex).collect());
    dict.set_item("instances", instances.collect::<Vec<Vec<String>>>())?;
    dict.set_item("proof", proof.hex_proof.clone())?;
    Ok(dict)
}

/// A circuit, its keys and its SRS in memory: nothing is read again for the next proof.
#[pyclass(frozen, module = "twain", name = "Prover")]
pub struct PyProver(Prover);

#[pymethods]
impl PyProver {
    #[new]
    #[pyo3(signature = (
        model = "model.compiled".into(), pk_path = "pk.key".into(), srs_path = None,
        allow_unbound_einsums = false
    ))]
    fn new(
        py: Python<'_>,
        model: PathBuf,
        pk_path: PathBuf,
        srs_path: Option<PathBuf>,
        allow_unbound_einsums: bool,
    ) -> PyResult<Self> {
        let files =
            ProverFiles { compiled_circuit: model, pk_path, srs_path, allow_unbound_einsums };
        Ok(Self(quietly(py, |run| Prover::read(&files, run))?))
    }

    /// The witness of an input: a file, `@file` or JSON text.
    fn witness<'py>(&self, py: Python<'py>, data: String) -> PyResult<Bound<'py, PyDict>> {
        let witness = quietly(py, |_| self.witness_of(&data))?;
        witness_to_python(py, &witness)
    }

    /// Proves for an input (a file, `@file` or JSON text), writes the proof if `proof_path` is
    /// given, and returns its `instances` and `proof`.
    #[pyo3(signature = (data, proof_path = None, check_mode = "safe", on_event = None, cancel = None))]
    fn prove<'py>(
        &self,
        py: Python<'py>,
        data: String,
        proof_path: Option<PathBuf>,
        check_mode: &str,
        on_event: Option<Py<PyAny>>,
        cancel: Option<Cancel>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let verify = check_mode != "unsafe";
        let callbacks = Callbacks { on_event, on_first_meeting: None };
        let proof = run(py, callbacks, cancel, |run| {
            let proof = self.0.prove(&self.witness_of(&data)?, verify, run)?;
            if let Some(path) = &proof_path {
                proof.write(path)?;
            }
            Ok(proof)
        })?;
        proof_to_python(py, &proof)
    }
}

impl PyProver {
    fn witness_of(&self, data: &str) -> Result<GraphWitness, Error> {
        self.0.witness(&InputFile::from_argument(data)?)
    }
}

/// Puts the class and the function into the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyProver>()?;
    module.add_function(wrap_pyfunction!(prove, module)?)
}
