//! Exceptions: one class for each [`Fault`], all of them `TwainError`s, which is a `RuntimeError`
//! as EZKL's are. Each instance has the library's stable `code` (docs/errors.md).

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::{create_exception, intern};
use twain::{Error, Fault};

create_exception!(twain, TwainError, PyRuntimeError, "Something failed; `code` says whose fault.");
create_exception!(twain, UsageError, TwainError, "An argument, or a combination of them.");
create_exception!(twain, FileError, TwainError, "A file of this side.");
create_exception!(
    twain,
    UnsupportedError,
    TwainError,
    "It cannot be proven (yet), or not in a pair."
);
create_exception!(twain, InvalidWitnessError, TwainError, "The values do not satisfy the circuit.");
create_exception!(twain, LinkError, TwainError, "The link to the peer, or nobody at its end.");
create_exception!(twain, PeerMisbehavedError, TwainError, "The peer does not follow the protocol.");
create_exception!(twain, PeerDiffersError, TwainError, "The sides hold different things.");
create_exception!(twain, PeerStoppedError, TwainError, "The operator of the peer ended it.");
create_exception!(twain, StoreError, TwainError, "The store of bundles on this side.");
create_exception!(twain, IdentityError, TwainError, "This side's identity or known peers.");
create_exception!(twain, CancelledError, TwainError, "This side was told to end.");
create_exception!(twain, BugError, TwainError, "A mistake of twain.");

/// An error of the library as an exception.
pub fn raise(error: &Error) -> PyErr {
    let text = error.to_string();
    let raised = match error.fault() {
        Fault::Usage => UsageError::new_err(text),
        Fault::File => FileError::new_err(text),
        Fault::Unsupported => UnsupportedError::new_err(text),
        Fault::InvalidWitness => InvalidWitnessError::new_err(text),
        Fault::Link => LinkError::new_err(text),
        Fault::PeerMisbehaved => PeerMisbehavedError::new_err(text),
        Fault::PeerDiffers => PeerDiffersError::new_err(text),
        Fault::PeerStopped => PeerStoppedError::new_err(text),
        Fault::Store => StoreError::new_err(text),
        Fault::Identity => IdentityError::new_err(text),
        Fault::Cancelled => CancelledError::new_err(text),
        Fault::Bug => BugError::new_err(text),
        _ => TwainError::new_err(text),
    };
    Python::attach(|py| {
        // The text says it all should this fail.
        let _ = raised.value(py).setattr(intern!(py, "code"), error.code());
    });
    raised
}

/// Puts the classes into the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let classes = [
        py.get_type::<TwainError>(),
        py.get_type::<UsageError>(),
        py.get_type::<FileError>(),
        py.get_type::<UnsupportedError>(),
        py.get_type::<InvalidWitnessError>(),
        py.get_type::<LinkError>(),
        py.get_type::<PeerMisbehavedError>(),
        py.get_type::<PeerDiffersError>(),
        py.get_type::<PeerStoppedError>(),
        py.get_type::<StoreError>(),
        py.get_type::<IdentityError>(),
        py.get_type::<CancelledError>(),
        py.get_type::<BugError>(),
    ];
    // The class says whose fault it is before there is an instance.
    let codes = [
        "error",
        Fault::Usage.code(),
        Fault::File.code(),
        Fault::Unsupported.code(),
        Fault::InvalidWitness.code(),
        Fault::Link.code(),
        Fault::PeerMisbehaved.code(),
        Fault::PeerDiffers.code(),
        Fault::PeerStopped.code(),
        Fault::Store.code(),
        Fault::Identity.code(),
        Fault::Cancelled.code(),
        Fault::Bug.code(),
    ];
    for (class, code) in classes.into_iter().zip(codes) {
        class.setattr("code", code)?;
        module.add(class.name()?, class)?;
    }
    Ok(())
}
