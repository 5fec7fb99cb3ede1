//! `proof.json` (spec 01 §7, spec 02 §3.3).

use super::pretty::PrettyElements;
use super::{read_file, write_to};
use crate::felt::field_lists;
use crate::{ArtifactError, ArtifactKind, Destination, FormatError};
use serde::{Deserialize, Serialize};
use std::path::Path;
use twain_algebra::Fr;
use twain_graph::EZKL_VERSION;

/// A proof with its public instances. Unknown keys are ignored when reading; verification uses
/// `instances` and `proof` only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// Always absent in files EZKL's `prove` writes.
    pub protocol: Option<serde_json::Value>,
    /// The instances, one list for each instance column.
    #[serde(with = "field_lists")]
    pub instances: Vec<Vec<Fr>>,
    /// The bytes of the proof.
    pub proof: Vec<u8>,
    /// `0x` and the same bytes in hexadecimal.
    pub hex_proof: Option<String>,
    /// Which leading points of the proof commit to the outputs.
    pub split: Option<Split>,
    /// The instances for people.
    pub pretty_public_inputs: Option<PrettyElements>,
    /// Milliseconds since the Unix epoch.
    pub timestamp: Option<u128>,
    /// The version of EZKL that wrote it.
    pub version: Option<String>,
}

/// A range of leading points of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The first.
    pub start: usize,
    /// One after the last.
    pub end: usize,
}

impl Proof {
    /// A proof as `prove` writes it. `timestamp` is in milliseconds since the Unix epoch.
    pub fn new(
        instances: Vec<Vec<Fr>>,
        proof: Vec<u8>,
        split: Option<Split>,
        pretty_public_inputs: Option<PrettyElements>,
        timestamp: u128,
    ) -> Self {
        Self {
            protocol: None,
            instances,
            hex_proof: Some(format!("0x{}", hex::encode(&proof))),
            proof,
            split,
            pretty_public_inputs,
            timestamp: Some(timestamp),
            version: Some(EZKL_VERSION.into()),
        }
    }

    /// The version that wrote the file, if it is not [`EZKL_VERSION`]: worth a warning.
    pub fn foreign_version(&self) -> Option<&str> {
        self.version.as_deref().filter(|version| *version != EZKL_VERSION)
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// Not JSON, or not a proof.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`Proof::parse`], or from the file system.
    pub fn read(path: &Path) -> Result<Self, ArtifactError> {
        read_file(path, ArtifactKind::Proof, Self::parse)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// From the file system.
    pub fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        self.write_to(Destination::open(path, ArtifactKind::Proof)?)
    }

    /// Writes the file, to a place opened for an [`ArtifactKind::Proof`].
    ///
    /// # Errors
    /// From the file system.
    pub fn write_to(&self, destination: Destination) -> Result<(), ArtifactError> {
        write_to(destination, self)
    }
}
