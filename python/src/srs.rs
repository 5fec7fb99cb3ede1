//! The SRS: where EZKL keeps it, and how it comes there.

use crate::error;
use crate::work::{Callbacks, Cancel, quietly, run};
use pyo3::prelude::*;
use std::path::PathBuf;
use twain::alone;

/// gen_srs(srs_path, logrows) -> None
///
/// Makes a test SRS: whoever knew its secret could forge proofs.
#[pyfunction]
fn gen_srs(py: Python<'_>, srs_path: PathBuf, logrows: u32) -> PyResult<()> {
    quietly(py, |run| alone::generate_srs(&srs_path, logrows, run))
}

/// import_srs(source, srs_path=None, settings_path="settings.json", logrows=None) -> str
///
/// Imports a ceremony's file after checking it; says what was imported.
#[pyfunction]
#[pyo3(signature = (
    source, srs_path = None, settings_path = "settings.json".into(), logrows = None
))]
fn import_srs(
    py: Python<'_>,
    source: PathBuf,
    srs_path: Option<PathBuf>,
    settings_path: PathBuf,
    logrows: Option<u32>,
) -> PyResult<String> {
    quietly(py, |run| alone::import_srs(&source, srs_path, &settings_path, logrows, run))
}

/// download_srs(url, srs_path, settings_path, logrows, on_event, cancel) -> str
///
/// See `twain.get_srs`; says what was imported.
#[pyfunction]
fn download_srs(
    py: Python<'_>,
    url: Option<String>,
    srs_path: Option<PathBuf>,
    settings_path: PathBuf,
    logrows: Option<u32>,
    on_event: Option<Py<PyAny>>,
    cancel: Option<Cancel>,
) -> PyResult<String> {
    let callbacks = Callbacks { on_event, on_first_meeting: None };
    let url = url.as_deref();
    run(py, callbacks, cancel, |run| {
        alone::download_srs(url, srs_path, &settings_path, logrows, run)
    })
}

/// srs_place(settings_path, logrows=None, srs_path=None) -> str
///
/// Where EZKL keeps the SRS of a circuit.
#[pyfunction]
#[pyo3(signature = (settings_path, logrows = None, srs_path = None))]
fn srs_place(
    settings_path: PathBuf,
    logrows: Option<u32>,
    srs_path: Option<PathBuf>,
) -> PyResult<PathBuf> {
    let logrows = logrows.map(Ok).unwrap_or_else(|| {
        twain_artifacts::read_settings(&settings_path).map(|settings| settings.run_args.logrows)
    });
    let logrows = logrows.map_err(|error| error::raise(&error.into()))?;
    twain::files::srs_path(&srs_path, logrows).map_err(|error| error::raise(&error))
}

/// Puts the functions into the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(gen_srs, module)?)?;
    module.add_function(wrap_pyfunction!(import_srs, module)?)?;
    module.add_function(wrap_pyfunction!(download_srs, module)?)?;
    module.add_function(wrap_pyfunction!(srs_place, module)?)
}
