//! `settings.json` (spec 02 §1).

use super::{read_file, write_file};
use crate::{ArtifactError, ArtifactKind, FormatError};
use std::path::Path;
use twain_graph::Settings;

/// Reads the content of a file. An unknown key is an error, except in `run_args`. The run arguments
/// are not validated: EZKL does that when it compiles ([`twain_graph::RunArgs::validate`]).
///
/// # Errors
/// Not JSON, a key missing, twice or unknown.
pub fn parse_settings(bytes: &[u8]) -> Result<Settings, FormatError> {
    Ok(serde_json::from_slice(bytes)?)
}

/// Reads a file. Settings of another version of EZKL are worth a warning:
/// [`Settings::foreign_version`].
///
/// # Errors
/// As [`parse_settings`], or from the file system.
pub fn read_settings(path: &Path) -> Result<Settings, ArtifactError> {
    read_file(path, ArtifactKind::Settings, parse_settings)
}

/// Writes a file.
///
/// # Errors
/// From the file system.
pub fn write_settings(path: &Path, settings: &Settings) -> Result<(), ArtifactError> {
    write_file(path, ArtifactKind::Settings, settings)
}
