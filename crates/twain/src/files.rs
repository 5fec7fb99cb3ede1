//! Where files are, and in which format keys are, unless the user says otherwise (spec 02 §5).

use crate::error::Error;
use std::path::PathBuf;
use twain_artifacts::key::KeyFormat;
use twain_graph::Settings;

/// The SRS's path: what the user says, which may be a folder with EZKL's names in it, or EZKL's
/// default for this size.
pub fn srs_path(given: &Option<PathBuf>, logrows: u32) -> Result<PathBuf, Error> {
    let name = format!("kzg{logrows}.srs");
    match given {
        Some(folder) if folder.is_dir() => return Ok(folder.join(name)),
        Some(path) => return Ok(path.clone()),
        None => {}
    }
    let folder = match (std::env::var_os("EZKL_REPO_PATH"), std::env::home_dir()) {
        (Some(folder), _) => PathBuf::from(folder),
        (None, Some(home)) => home.join(".ezkl"),
        (None, None) => {
            return Err(Error::Usage("there is no home folder: give --srs-path".into()));
        }
    };
    Ok(folder.join("srs").join(name))
}

/// The format of keys, by the environment variable `EZKL_KEY_FORMAT`.
pub fn key_format() -> Result<KeyFormat, Error> {
    KeyFormat::from_environment().map_err(|error| Error::Usage(error.to_string()))
}

/// Bytes that a proof takes as a file, at most: each public value is there up to three times, as
/// hexadecimal and decimal digits; the rest is the same for all models but for their columns.
pub(crate) fn space_of_proof(settings: &Settings) -> u64 {
    let shapes = settings.model_instance_shapes.iter();
    let values: usize = shapes.map(|shape| shape.iter().product::<usize>()).sum();
    (1 << 20) + 300 * values as u64
}
