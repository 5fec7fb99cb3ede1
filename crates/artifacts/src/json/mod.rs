//! The JSON files (spec 02 §1, §3). EZKL writes them without blanks, keys in a fixed order.

pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod pretty;
pub(crate) mod proof;
pub(crate) mod settings;
pub(crate) mod witness;

use crate::destination::Destination;
use crate::{ArtifactError, ArtifactKind, FormatError};
use serde::Serialize;
use std::path::Path;
use zeroize::Zeroizing;

/// Reads a file and parses its content.
fn read_file<T>(
    path: &Path,
    kind: ArtifactKind,
    parse: impl FnOnce(&[u8]) -> Result<T, FormatError>,
) -> Result<T, ArtifactError> {
    let bytes = std::fs::read(path).map(Zeroizing::new).map_err(FormatError::Io);
    bytes.and_then(|bytes| parse(&bytes)).map_err(ArtifactError::content(path, kind))
}

fn write_file<T: Serialize>(
    path: &Path,
    kind: ArtifactKind,
    value: &T,
) -> Result<(), ArtifactError> {
    write_to(Destination::open(path, kind)?, value)
}

fn write_to<T: Serialize>(destination: Destination, value: &T) -> Result<(), ArtifactError> {
    destination.fill(|writer| Ok(serde_json::to_writer(writer, value)?))?.place()
}
