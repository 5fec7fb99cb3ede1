//! What EZKL lacks: one proof by two parties, and what that takes: an identity, a circuit without
//! its parameters, bundles ahead of time.

use crate::error;
use crate::work::{Callbacks, Cancel, quietly, run};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::path::PathBuf;
use std::time::Duration;
use twain::observe::Run;
use twain::pair::{self, CommonFiles, Invitation, OwnInputs, Peer, ProveFiles, Reveal, Terms};
use twain::{Error, InputHash, ProverFiles, alone};
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

/// Thirty years: later times can be computed with.
const MOST_SECONDS: f64 = 1e9;

fn seconds(seconds: f64) -> PyResult<Duration> {
    let duration = Duration::try_from_secs_f64(seconds).ok();
    duration
        .filter(|_| seconds <= MOST_SECONDS)
        .ok_or_else(|| PyValueError::new_err("a time is a number of seconds, 1e9 at most"))
}

/// identity(identity=None) -> str
///
/// The fingerprint of this machine's key in the folder `identity` (default ~/.config/twain), which
/// is made if it is not there. The peer's owner needs it; it is no secret.
#[pyfunction]
#[pyo3(signature = (identity = None))]
fn identity(identity: Option<PathBuf>) -> PyResult<String> {
    let found = pair::fingerprint(&identity).map_err(|error| error::raise(&error))?;
    Ok(found.to_string())
}

/// redact(model="model.compiled", output="model.redacted.compiled", accept_visible=False)
///     -> list[str]
///
/// Writes the circuit without its parameters, for the data's owner, and returns the values of the
/// model that stay visible in it. If there are any, nothing is written unless `accept_visible`.
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
/// Ties every parameter to the cells that are hashed or committed to; the number of constants tied.
/// The circuit needs new keys.
#[pyfunction]
#[pyo3(signature = (model = "model.compiled".into(), output = None))]
fn bind_params(py: Python<'_>, model: PathBuf, output: Option<PathBuf>) -> PyResult<usize> {
    let output = output.unwrap_or_else(|| model.clone());
    quietly(py, |_| alone::bind_params(&model, &output))
}

/// invite(address, model="model.compiled", days=7.0, identity=None) -> str
///
/// A line by which the peer finds this side at `address` (`host:port`) and knows its key and its
/// circuit, for some days. It is no secret, but whoever changes it chooses the peer.
#[pyfunction]
#[pyo3(signature = (address, model = "model.compiled".into(), days = 7.0, identity = None))]
fn invite(
    py: Python<'_>,
    address: String,
    model: PathBuf,
    days: f64,
    identity: Option<PathBuf>,
) -> PyResult<String> {
    let lasts = seconds(days * 86_400.0)?;
    let invitation = quietly(py, |_| pair::invite(&identity, &model, &address, lasts))?;
    Ok(invitation.to_string())
}

/// hash_inputs(data, model, own_inputs) -> list[str]
///
/// See `twain.hash_inputs`.
#[pyfunction]
fn hash_inputs(
    py: Python<'_>,
    data: String,
    model: PathBuf,
    own_inputs: Vec<usize>,
) -> PyResult<Vec<String>> {
    let hashes = quietly(py, |_| alone::hash_inputs(&data, &model, &own_inputs))?;
    Ok(hashes.iter().map(ToString::to_string).collect())
}

/// What `prove_pair` and `preprocess` are told alike: what both sides hold, how the peer is met,
/// and who hears of it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Session {
    model: PathBuf,
    pk_path: PathBuf,
    srs_path: Option<PathBuf>,
    allow_polycommit: bool,
    allow_unbound_einsums: bool,
    remote_peer: Option<String>,
    local_addr: Option<String>,
    peer: Option<String>,
    invite: Option<String>,
    identity: Option<PathBuf>,
    connect_timeout: f64,
    idle_timeout: f64,
    session_timeout: Option<f64>,
    own_inputs: Option<Vec<usize>>,
    ended_sessions: Option<u32>,
    on_event: Option<Py<PyAny>>,
    on_first_meeting: Option<Py<PyAny>>,
    cancel: Option<Cancel>,
}

impl Session {
    fn peer(&self) -> PyResult<Peer> {
        let wrong = |text: String| PyValueError::new_err(text);
        let invitation = self.invite.as_deref().map(str::parse::<Invitation>).transpose();
        let invitation = invitation.map_err(|error| wrong(format!("invite: {error}")))?;
        if invitation.is_some() && (self.remote_peer.is_some() || self.peer.is_some()) {
            let text = "invite stands for remote_peer and peer: give it or them";
            return Err(wrong(text.into()));
        }
        let addresses = [&self.remote_peer, &self.local_addr];
        if invitation.is_none() && addresses.iter().all(|address| address.is_none()) {
            let text = "give an invitation (invite) or an address to dial (remote_peer), or one to \
                        listen on (local_addr)";
            return Err(wrong(text.into()));
        }
        let peer = Peer {
            remote_peer: self.remote_peer.clone(),
            local_addr: self.local_addr.clone(),
            peer: self.peer.clone(),
            identity: self.identity.clone(),
            invitation: None,
            connect_timeout: seconds(self.connect_timeout)?,
            idle_timeout: seconds(self.idle_timeout)?,
            session_timeout: self.session_timeout.map(seconds).transpose()?,
            ended_sessions: self.ended_sessions,
        };
        match invitation {
            Some(invitation) => Ok(peer.invited(invitation)),
            None => peer.resolved().map_err(|error| error::raise(&error)),
        }
    }

    fn common(&self, role: Role) -> CommonFiles {
        let prover = ProverFiles {
            compiled_circuit: self.model.clone(),
            pk_path: self.pk_path.clone(),
            srs_path: self.srs_path.clone(),
            allow_unbound_einsums: self.allow_unbound_einsums,
        };
        let own_inputs = self.own_inputs.clone().map(|inputs| OwnInputs { role, inputs });
        CommonFiles { prover, allow_polycommit: self.allow_polycommit, own_inputs }
    }

    /// Does `work` and waits for it.
    fn run(
        self,
        py: Python<'_>,
        work: impl FnOnce(&Run) -> Result<(), Error> + Send,
    ) -> PyResult<()> {
        let Self { on_event, on_first_meeting, cancel, .. } = self;
        run(py, Callbacks { on_event, on_first_meeting }, cancel, work)
    }
}

/// prove_pair(role, session, data, proof_path, reveal_output, output_path, published_commitment,
/// published_hashes, trust_peer) -> None
///
/// See `twain.prove_pair`.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // called by `twain.prove_pair` only, which has names for them
fn prove_pair(
    py: Python<'_>,
    role: &str,
    session: Session,
    data: String,
    proof_path: PathBuf,
    reveal_output: Option<String>,
    output_path: PathBuf,
    published_commitment: Option<PathBuf>,
    published_hashes: Vec<String>,
    trust_peer: bool,
) -> PyResult<()> {
    let (role, peer) = (role_of(role)?, session.peer()?);
    let common = session.common(role);
    let published_hashes = published_hashes.iter().map(|text| {
        let wrong = |error| PyValueError::new_err(format!("published_hashes: {error}"));
        text.parse::<InputHash>().map_err(wrong)
    });
    let published_hashes = published_hashes.collect::<PyResult<_>>()?;
    let reveal = reveal_of(reveal_output.as_deref())?;
    let terms = Terms { reveal, published_commitment, published_hashes, trust_peer };
    let files = ProveFiles { common, data, terms, proof_path, output_path };
    session.run(py, |run| pair::prove(role, &files, &peer, run).map(drop))
}

/// preprocess(role, session, proofs) -> None
///
/// See `twain.preprocess`.
#[pyfunction]
fn preprocess(py: Python<'_>, role: &str, session: Session, proofs: u32) -> PyResult<()> {
    if proofs == 0 {
        return Err(PyValueError::new_err("proofs: at least one"));
    }
    let (role, peer) = (role_of(role)?, session.peer()?);
    let common = session.common(role);
    session.run(py, |run| pair::preprocess(role, &common, proofs, &peer, run))
}

/// Puts the functions into the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(identity, module)?)?;
    module.add_function(wrap_pyfunction!(redact, module)?)?;
    module.add_function(wrap_pyfunction!(bind_params, module)?)?;
    module.add_function(wrap_pyfunction!(hash_inputs, module)?)?;
    module.add_function(wrap_pyfunction!(invite, module)?)?;
    module.add_function(wrap_pyfunction!(prove_pair, module)?)?;
    module.add_function(wrap_pyfunction!(preprocess, module)?)
}
