//! `redact` and `bind-params`: compiled circuits from compiled circuits.

use crate::error::{AtFile, Error};
use std::path::Path;
use twain_artifacts::{CompiledModel, clear_values};

/// Writes the circuit without its parameters, after listing what of the model stays visible.
pub fn redact(path: &Path, output: &Path, yes: bool) -> Result<(), Error> {
    let compiled = CompiledModel::read(path)?;
    let redacted = twain_artifacts::redact(&compiled).at(path)?;
    println!(
        "Visible in any case: the graph, the shapes and scales of its tensors, logrows and timestamp. \
         They can tell what the parameters decided before compilation: a bias of zeros and a factor \
         of one are left out, equal constants are merged, calibration chose scales and logrows by \
         activations."
    );
    let visible = clear_values(&compiled);
    if !visible.is_empty() {
        println!("Values of the model that stay visible:");
        for value in &visible {
            println!("  {value}");
        }
        if !yes {
            let reason = "nothing was written: pass --yes if the data's owner may see these values";
            return Err(Error::file(path, reason));
        }
    }
    Ok(redacted.write(output)?)
}

/// As [`redact`] for a circuit whose owner has seen what stays visible.
pub fn redact_quietly(path: &Path, output: &Path) -> Result<(), Error> {
    let compiled = CompiledModel::read(path)?;
    Ok(twain_artifacts::redact(&compiled).at(path)?.write(output)?)
}

/// Ties every parameter to the cells that are hashed or committed (spec 02 §6.6).
pub fn bind_params(path: &Path, output: &Path) -> Result<(), Error> {
    let mut compiled = CompiledModel::read(path)?;
    let bound = twain_artifacts::bind_params(&mut compiled);
    compiled.write(output)?;
    println!(
        "{}: {bound} constants are now assigned once and copied to their uses; make new keys with \
         setup (if it runs out of rows, generate settings with a larger --logrows)",
        output.display()
    );
    Ok(())
}
