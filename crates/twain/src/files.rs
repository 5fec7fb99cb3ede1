//! Where files are, and in which format keys are, unless the user says otherwise (spec 02 §5).

use crate::error::Error;
use std::path::PathBuf;
use twain_artifacts::key::KeyFormat;

/// The SRS's path: what the user says, or EZKL's default for this size.
pub fn srs_path(given: &Option<PathBuf>, logrows: u32) -> Result<PathBuf, Error> {
    if let Some(path) = given {
        return Ok(path.clone());
    }
    let folder = match (std::env::var_os("EZKL_REPO_PATH"), std::env::home_dir()) {
        (Some(folder), _) => PathBuf::from(folder),
        (None, Some(home)) => home.join(".ezkl"),
        (None, None) => {
            return Err(Error::Usage("there is no home folder: give --srs-path".into()));
        }
    };
    Ok(folder.join("srs").join(format!("kzg{logrows}.srs")))
}

/// The format of keys, by the environment variable `EZKL_KEY_FORMAT`.
pub fn key_format() -> Result<KeyFormat, Error> {
    KeyFormat::from_environment().map_err(|error| Error::Usage(error.to_string()))
}
