//! `twain._twain`, the part of the Python module that is Rust: functions with the names, order and
//! defaults of EZKL's wheel (those that prove), and pairs. `twain/__init__.py` puts on top what is
//! easier said in Python: coroutines, arrays and frames, progress bars.
//!
//! Everything long runs on a thread of its own without the interpreter's lock (`work`); Ctrl-C and
//! a `Cancel` end it. Errors are exceptions by who is at fault (`error`).

mod alone;
mod error;
mod evm;
mod felts;
mod pair;
mod prover;
mod run_args;
mod srs;
mod work;

use pyo3::prelude::*;

/// The Rust part of `twain`.
#[pymodule]
fn _twain(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("EZKL_VERSION", twain_graph::EZKL_VERSION)?;
    error::add(module)?;
    run_args::add(module)?;
    felts::add(module)?;
    alone::add(module)?;
    srs::add(module)?;
    prover::add(module)?;
    evm::add(module)?;
    pair::add(module)?;
    module.add_class::<work::Cancel>()
}
