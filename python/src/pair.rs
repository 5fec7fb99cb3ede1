//! What EZKL lacks: one proof by two parties, and what that takes: an identity, a circuit without its
//! parameters, bundles ahead of time.

use crate::error;
use crate::work::{Callbacks, Cancel, quietly, run};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use std::time::Duration;
use twain::pair::{self, CommonFiles, Peer, ProveFiles, Reveal, Terms};
use twain::{ProverFiles, alone};
use twain_party::Role;

fn role_of(text: &str) -> PyResult<Role> {
    match text {
        "model" => Ok(Role::Model),
        "data" => Ok(Role::Data),
        _ => Err(PyValueError::new_err(format!("{text:?} is no role: model or data"))),
    }
}

fn reveal_of(text: Option<&str>) -> PyResult<Option<Reveal>> {
    Ok(match text {
        None => None,
        Some("model") => Some(Reveal::Model),
        Some("data") => Some(Reveal::Data),
        Some("both") => Some(Reveal::Both),
        Some(other) => {
            let text = format!("{other:?} cannot learn outputs: model, data or both");
            return Err(PyValueError::new_err(text));
        }
    })
}

fn seconds(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| PyValueError::new_err("a number of seconds"))
}

/// identity(identity=None) -> str
///
/// The fingerprint of this machine's key in the folder `identity` (default ~/.config/twain), which is
/// made if it is not there. The peer's owner needs it; it is no secret.
#[pyfunction]
#[pyo3(signature = (identity = None))]
fn identity(identity: Option<PathBuf>) -> PyResult<String> {
    let found = pair::fingerprint(&identity).map_err(|error| error::raise(&error))?;
    Ok(found.to_string())
}

/// redact(model="model.compiled", output="model.redacted.compiled", accept_visible=False) -> list[str]
///
/// Writes the circuit without its parameters, for the data's owner, and returns the values of the model
/// that stay visible in it. If there are any, nothing is written unless `accept_visible`.
#[pyfunction]
#[pyo3(signature = (
    model = "model.compiled".into(), output = "model.redacted.compiled".into(),
    accept_visible = false
))]
fn redact(
    py: Python<'_>,
    model: PathBuf,
    output: PathBuf,
    accept_visible: bool,
) -> PyResult<Vec<String>> {
    let (visible, written) = quietly(py, |_| {
        let redaction = alone::redact(&model)?;
        let write = accept_visible || redaction.visible.is_empty();
        if write {
            redaction.write(&output)?;
        }
        Ok((redaction.visible.clone(), write))
    })?;
    match written {
        true => Ok(visible),
        false => {
            let text = "values of the model stay visible; nothing was written: pass \
                        accept_visible=True if the data's owner may see them";
            Err(error::UsageError::new_err(format!("{text}\n{}", visible.join("\n"))))
        }
    }
}

/// bind_params(model="model.compiled", output=None) -> int
///
/// Ties every parameter to the cells that are hashed or committed to; the number of constants tied. The
/// circuit needs new keys.
#[pyfunction]
#[pyo3(signature = (model = "model.compiled".into(), output = None))]
fn bind_params(py: Python<'_>, model: PathBuf, output: Option<PathBuf>) -> PyResult<usize> {
    let output = output.unwrap_or_else(|| model.clone());
    quietly(py, |_| alone::bind_params(&model, &output))
}

/// How the peer is met: arguments that `prove_pair` and `preprocess` have alike.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Meeting {
    remote_peer: Option<String>,
    local_addr: Option<String>,
    peer: Option<String>,
    identity: Option<PathBuf>,
    connect_timeout: f64,
    idle_timeout: f64,
    session_timeout: Option<f64>,
}

impl Meeting {
    fn peer(self) -> PyResult<Peer> {
        if self.remote_peer.is_none() && self.local_addr.is_none() {
            let text =
                "give remote_peer (an address to dial), local_addr (one to listen on) or both";
            return Err(PyValueError::new_err(text));
        }
        Ok(Peer {
            remote_peer: self.remote_peer,
            local_addr: self.local_addr,
            peer: self.peer,
            identity: self.identity,
            invitation: None,
            connect_timeout: seconds(self.connect_timeout)?,
            idle_timeout: seconds(self.idle_timeout)?,
            session_timeout: self.session_timeout.map(seconds).transpose()?,
            ended_sessions: None,
        })
    }
}

/// prove_pair(role, meeting, model, pk_path, srs_path, data, proof_path, reveal_output, output_path,
/// published_commitment, allow_polycommit, on_event, on_first_meeting, cancel) -> None
///
/// See `twain.prove_pair`.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // called by `twain.prove_pair` only, which has names for them
fn prove_pair(
    py: Python<'_>,
    role: &str,
    meeting: &Bound<'_, PyDict>,
    model: PathBuf,
    pk_path: PathBuf,
    srs_path: Option<PathBuf>,
    data: String,
    proof_path: PathBuf,
    reveal_output: Option<String>,
    output_path: PathBuf,
    published_commitment: Option<PathBuf>,
    allow_polycommit: bool,
    on_event: Option<Py<PyAny>>,
    on_first_meeting: Option<Py<PyAny>>,
    cancel: Option<Cancel>,
) -> PyResult<()> {
    let role = role_of(role)?;
    let peer = meeting.extract::<Meeting>()?.peer()?;
    let prover = ProverFiles { compiled_circuit: model, pk_path, srs_path };
    let files = ProveFiles {
        common: CommonFiles { prover, allow_polycommit },
        data,
        terms: Terms { reveal: reveal_of(reveal_output.as_deref())?, published_commitment },
        proof_path,
        output_path,
    };
    let callbacks = Callbacks { on_event, on_first_meeting };
    run(py, callbacks, cancel, |run| pair::prove(role, &files, &peer, run).map(drop))
}

/// preprocess(role, meeting, model, pk_path, srs_path, proofs, allow_polycommit, on_event,
/// on_first_meeting, cancel) -> None
///
/// See `twain.preprocess`.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // called by `twain.preprocess` only, which has names for them
fn preprocess(
    py: Python<'_>,
    role: &str,
    meeting: &Bound<'_, PyDict>,
    model: PathBuf,
    pk_path: PathBuf,
    srs_path: Option<PathBuf>,
    proofs: u32,
    allow_polycommit: bool,
    on_event: Option<Py<PyAny>>,
    on_first_meeting: Option<Py<PyAny>>,
    cancel: Option<Cancel>,
) -> PyResult<()> {
    let role = role_of(role)?;
    if proofs == 0 {
        return Err(PyValueError::new_err("proofs: at least one"));
    }
    let peer = meeting.extract::<Meeting>()?.peer()?;
    let prover = ProverFiles { compiled_circuit: model, pk_path, srs_path };
    let files = CommonFiles { prover, allow_polycommit };
    let callbacks = Callbacks { on_event, on_first_meeting };
    run(py, callbacks, cancel, |run| pair::preprocess(role, &files, proofs, &peer, run))
}

/// Puts the functions into the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(identity, module)?)?;
    module.add_function(wrap_pyfunction!(redact, module)?)?;
    module.add_function(wrap_pyfunction!(bind_params, module)?)?;
    module.add_function(wrap_pyfunction!(prove_pair, module)?)?;
    module.add_function(wrap_pyfunction!(preprocess, module)?)
}
