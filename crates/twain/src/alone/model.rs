//! `redact` and `bind-params`: compiled circuits from compiled circuits.

use crate::error::{AtFile, Error};
use std::path::Path;
use twain_artifacts::{CompiledModel, clear_values};

/// A circuit without its parameters, not written yet.
pub struct Redaction {
    redacted: CompiledModel,
    /// Values of the model that stay visible in it, a line each.
    pub visible: Vec<String>,
}

/// Takes the parameters out of a circuit: what the data's owner may have. Its structure, shapes,
/// scales, logrows and timestamp stay, and the values listed.
pub fn redact(path: &Path) -> Result<Redaction, Error> {
    let compiled = CompiledModel::read(path)?;
    let redacted = twain_artifacts::redact(&compiled).at(path)?;
    let visible = clear_values(&compiled).iter().map(ToString::to_string).collect();
    Ok(Redaction { redacted, visible })
}

impl Redaction {
    /// Writes it, once the model's owner has seen what stays visible.
    pub fn write(&self, output: &Path) -> Result<(), Error> {
        Ok(self.redacted.write(output)?)
    }
}

/// Ties every parameter to the cells that are hashed or committed; how many constants that are
/// (spec 02 §6.6).
pub fn bind_params(path: &Path, output: &Path) -> Result<usize, Error> {
    let mut compiled = CompiledModel::read(path)?;
    let bound = twain_artifacts::bind_params(&mut compiled);
    compiled.write(output)?;
    Ok(bound)
}
