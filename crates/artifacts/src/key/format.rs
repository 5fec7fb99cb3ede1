//! How scalars and points are encoded in key files: `EZKL_KEY_FORMAT` (spec 01 §4.4, spec 02 §5.1).

use crate::FormatError;
use crate::points::{
    G1_BYTES, PointCheck, SCALAR_BYTES, fr_from_raw, fr_from_repr, g1_from_compressed, g1_from_raw,
    g1_to_compressed, g1_to_raw,
};
use ff::PrimeField;
use halo2curves::serde::SerdeObject;
use std::io::{self, Write};
use std::str::FromStr;
use twain_algebra::{Fr, G1Affine};

/// The encoding of a key file; nothing in the file tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyFormat {
    /// Montgomery limbs.
    #[default]
    RawBytes,
    /// The same bytes. EZKL then does not check them when reading; here they are checked all the
    /// same.
    RawBytesUnchecked,
    /// Canonical scalars, compressed points.
    Processed,
}

impl KeyFormat {
    /// The format that `EZKL_KEY_FORMAT` asks for.
    ///
    /// # Errors
    /// A value that is none.
    pub fn from_environment() -> Result<Self, FormatError> {
        match std::env::var("EZKL_KEY_FORMAT") {
            Ok(text) => text.parse(),
            Err(std::env::VarError::NotPresent) => Ok(Self::default()),
            Err(error) => Err(FormatError::Mismatch(format!("EZKL_KEY_FORMAT: {error}"))),
        }
    }

    pub(super) fn point_bytes(self) -> usize {
        match self {
            KeyFormat::Processed => SCALAR_BYTES,
            _ => G1_BYTES,
        }
    }

    pub(super) fn point(self, bytes: &[u8]) -> Option<G1Affine> {
        match self {
            KeyFormat::Processed => g1_from_compressed(bytes),
            _ => g1_from_raw(bytes, PointCheck::OnCurve),
        }
    }

    pub(super) fn write_point(self, point: &G1Affine, writer: &mut dyn Write) -> io::Result<()> {
        match self {
            KeyFormat::Processed => writer.write_all(&g1_to_compressed(point)),
            _ => writer.write_all(&g1_to_raw(point)),
        }
    }

    pub(super) fn scalar(self, bytes: &[u8]) -> Option<Fr> {
        match self {
            KeyFormat::Processed => fr_from_repr(bytes),
            _ => fr_from_raw(bytes),
        }
    }

    pub(super) fn write_scalar(self, scalar: &Fr, mut writer: &mut dyn Write) -> io::Result<()> {
        match self {
            KeyFormat::Processed => writer.write_all(scalar.to_repr().as_ref()),
            _ => scalar.write_raw(&mut writer),
        }
    }
}

impl FromStr for KeyFormat {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        match text {
            "raw-bytes" => Ok(KeyFormat::RawBytes),
            "raw-bytes-unchecked" => Ok(KeyFormat::RawBytesUnchecked),
            "processed" => Ok(KeyFormat::Processed),
            _ => Err(FormatError::Mismatch(format!(
                "the key format {text:?} is none of raw-bytes, raw-bytes-unchecked, processed"
            ))),
        }
    }
}
