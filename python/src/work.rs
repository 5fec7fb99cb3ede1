//! Long work: on a thread of its own, without the interpreter's lock, so that a kernel, a server or
//! a progress bar goes on. The thread that waits looks for signals, so Ctrl-C ends the work within
//! a second; so does a [`Cancel`] from any thread. What happens is told to a callable as `dict`s,
//! those of docs/errors.md's events; what a user should know goes to the logger `twain`, too.

use crate::error::raise;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use twain::Error;
use twain::observe::{self, Event, Notice, Observer, Run};
use twain_link::identity::Fingerprint;

/// How often signals are looked for.
const PATIENCE: Duration = Duration::from_millis(100);

/// Ends whatever it was given to, within a second.
#[pyclass(frozen, module = "twain", from_py_object)]
#[derive(Clone, Default)]
pub struct Cancel(observe::Cancel);

#[pymethods]
impl Cancel {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Ends it.
    fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether it was ended.
    #[getter]
    fn cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// Callables of the caller.
#[derive(Default)]
pub struct Callbacks {
    /// Hears of events.
    pub on_event: Option<Py<PyAny>>,
    /// Says whether a key not seen before is trusted: `(address, fingerprint) -> bool`.
    pub on_first_meeting: Option<Py<PyAny>>,
}

impl Observer for Callbacks {
    fn event(&self, event: &Event) {
        if let Event::Notice(notice) = event {
            Python::attach(|py| {
                // A logger that fails does not fail the work.
                if let Err(error) = log(py, notice) {
                    error.write_unraisable(py, None);
                }
            });
        }
        let Some(callback) = &self.on_event else { return };
        let Some(value) = event.to_json() else { return };
        Python::attach(|py| {
            let told = to_python(py, &value).and_then(|event| callback.call1(py, (event,)));
            // A callback that fails does not fail the work.
            if let Err(error) = told {
                error.write_unraisable(py, Some(callback.bind(py)));
            }
        });
    }

    fn can_confirm(&self) -> bool {
        self.on_first_meeting.is_some()
    }

    fn confirm(&self, address: &str, fingerprint: &Fingerprint) -> bool {
        let Some(callback) = &self.on_first_meeting else { return false };
        Python::attach(|py| {
            let answer = callback
                .call1(py, (address, fingerprint.to_string()))
                .and_then(|answer| answer.bind(py).is_truthy());
            answer.unwrap_or_else(|error| {
                error.write_unraisable(py, Some(callback.bind(py)));
                false
            })
        })
    }
}

/// Tells the logger `twain`: warnings as such, the rest as information.
fn log(py: Python<'_>, notice: &Notice) -> PyResult<()> {
    let logging = py.import("logging")?;
    let level = match notice {
        Notice::Warning(_) => logging.getattr("WARNING")?,
        _ => logging.getattr("INFO")?,
    };
    let logger = logging.call_method1("getLogger", ("twain",))?;
    logger.call_method1("log", (level, "%s", notice.text())).map(drop)
}

/// Does `work` and waits for it.
pub fn run<T: Send>(
    py: Python<'_>,
    callbacks: Callbacks,
    cancel: Option<Cancel>,
    work: impl FnOnce(&Run) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let cancel = cancel.unwrap_or_default().0;
    let run = Run::new(Arc::new(callbacks), cancel.clone());
    py.detach(|| {
        std::thread::scope(|scope| {
            let (done, finished) = channel::<()>();
            let worker = scope.spawn(|| {
                let result = work(&run);
                run.finish();
                // The other end waits until this one is gone.
                drop(done);
                result
            });
            let mut interrupted = None;
            while let Err(RecvTimeoutError::Timeout) = finished.recv_timeout(PATIENCE) {
                if interrupted.is_none() {
                    interrupted = Python::attach(|py| py.check_signals()).err();
                    if interrupted.is_some() {
                        cancel.cancel();
                    }
                }
            }
            let result = worker.join().map_err(|_| Error::bug("a thread stopped"));
            match interrupted {
                Some(error) => Err(error),
                None => result.and_then(|result| result).map_err(|error| raise(&error)),
            }
        })
    })
}

/// The same without callables.
pub fn quietly<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Run) -> Result<T, Error> + Send,
) -> PyResult<T> {
    run(py, Callbacks::default(), None, work)
}

/// JSON as Python's values.
pub fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => flag.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any(),
            (None, Some(number)) => number.into_pyobject(py)?.into_any(),
            _ => number.as_f64().unwrap_or(f64::NAN).into_pyobject(py)?.into_any(),
        },
        Value::String(text) => text.into_pyobject(py)?.into_any(),
        Value::Array(values) => {
            let values = values.iter().map(|value| to_python(py, value));
            values.collect::<PyResult<Vec<_>>>()?.into_pyobject(py)?.into_any()
        }
        Value::Object(members) => {
            let dict = PyDict::new(py);
            for (name, value) in members {
                dict.set_item(name, to_python(py, value)?)?;
            }
            dict.into_any()
        }
    })
}
