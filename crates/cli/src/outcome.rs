//! What is last said of a command that wrote files: what is in them, in one line. Values of a
//! witness or of a model are not.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use twain_artifacts::{CompiledModel, GraphWitness};
use twain_graph::Settings;

/// What is last said, if `path` is a file: not if it is a pipe, nor if it is where this would be
/// said.
pub fn written(path: &Path, what: impl FnOnce() -> String) -> Option<String> {
    let place = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let is_answer = place(path) == place(Path::new("/dev/stdout"));
    (path.is_file() && !is_answer).then(|| format!("written {}: {}", path.display(), what()))
}

/// Of settings.
pub fn settings(settings: &Settings) -> String {
    let tables = settings.required_lookups.len();
    let ranges = settings.required_range_checks.len();
    format!(
        "2^{} rows, of which the model uses {}; {}, {}",
        settings.run_args.logrows,
        settings.num_rows,
        count(tables, "table of values"),
        count(ranges, "range check"),
    )
}

/// Of a circuit.
pub fn circuit(compiled: &CompiledModel) -> String {
    let parts = [settings(&compiled.settings), count(compiled.model.graph.nodes.len(), "node")];
    parts.join("; ")
}

/// Of a witness.
pub fn witness(witness: &GraphWitness) -> String {
    let values = |tensors: &[Vec<_>]| tensors.iter().map(Vec::len).sum();
    let inputs = count(values(&witness.inputs), "input value");
    let outputs = count(values(&witness.outputs), "output value");
    format!("{inputs}, {outputs}")
}

/// Of keys.
pub fn keys(pk: &Path, vk: &Path) -> Option<String> {
    written(pk, || format!("{}; the verifying key in {}", size(pk), vk.display()))
}

/// Of a proof.
pub fn proof(public_values: usize, verified: bool) -> String {
    let verified = if verified { "verified: true" } else { "not verified (--check-mode unsafe)" };
    format!("{}; {verified}", count(public_values, "public value"))
}

/// A number of things.
pub fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    match what.split_once(" of ") {
        Some((noun, of)) => format!("{number} {noun}{plural} of {of}"),
        None => format!("{number} {what}{plural}"),
    }
}

fn size(path: &Path) -> String {
    let bytes = fs::metadata(path).map_or(0, |metadata| metadata.len());
    format!("{:.1} MB", bytes as f64 / 1e6)
}
