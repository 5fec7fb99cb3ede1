//! `.ptau`, the file of snarkjs' powers-of-tau ceremonies.
//!
//! After `ptau`, a version (1) and a number of sections (`u32`, little-endian, as everything), each
//! section is its type (`u32`), its length (`u64`) and its bytes. Section 1: bytes per coordinate
//! (32), the modulus, the power `p`, the power of the ceremony. Section 2: `2^(p+1) - 1` points
//! `[s^i]G1`, section 3: `2^p` points `[s^i]G2`, both as Montgomery limbs (the raw forms of spec 01
//! §1.3). The other sections are not used.

use super::MAX_K;
use crate::points::{G1_BYTES, G2_BYTES, PointCheck, SCALAR_BYTES, g1_from_raw, g2_from_raw};
use crate::source::Source;
use crate::{ArtifactError, ArtifactKind, FormatError};
use ff::PrimeField;
use std::path::{Path, PathBuf};
use twain_algebra::{Fq, G1Affine, G2Affine, Interrupt};

/// Most sections that are looked at; real files have at most 11.
const MOST_SECTIONS: u32 = 64;
/// Types of the sections.
const HEADER: u32 = 1;
const TAU_G1: u32 = 2;
const TAU_G2: u32 = 3;

/// A powers-of-tau file on disk. Points are read when they are asked for.
pub struct PowersOfTau {
    source: Source,
    path: PathBuf,
    power: u32,
    g1_offset: u64,
    g2: G2Affine,
    s_g2: G2Affine,
}

impl PowersOfTau {
    /// Opens a file of BN254 and reads its head.
    ///
    /// # Errors
    /// Not such a file, of another curve, or from the file system.
    pub fn open(path: &Path) -> Result<Self, ArtifactError> {
        Source::open(path)
            .map_err(FormatError::Io)
            .and_then(|source| Self::from_source(source, path))
            .map_err(ArtifactError::content(path, ArtifactKind::PowersOfTau))
    }

    /// As [`PowersOfTau::open`], from bytes.
    ///
    /// # Errors
    /// Not the content of such a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::from_source(Source::from_bytes(bytes.to_vec()), Path::new("bytes"))
    }

    fn from_source(source: Source, path: &Path) -> Result<Self, FormatError> {
        let invalid = |offset, reason: &str| FormatError::Invalid { offset, reason: reason.into() };
        if &source.array::<4>(0)? != b"ptau" {
            return Err(invalid(0, "the file does not start with ptau"));
        }
        if u32::from_le_bytes(source.array(4)?) != 1 {
            return Err(invalid(4, "only version 1 is known"));
        }
        let (header, length) = section(&source, HEADER)?;
        if length != 4 + SCALAR_BYTES as u64 + 8 {
            return Err(invalid(header, "a header of another length (another curve?)"));
        }
        let width = u32::from_le_bytes(source.array(header)?);
        let modulus: [u8; SCALAR_BYTES] = source.array(header + 4)?;
        if width != SCALAR_BYTES as u32 || modulus != fq_modulus() {
            return Err(invalid(header, "it is of another curve than BN254"));
        }
        let power = u32::from_le_bytes(source.array(header + 4 + SCALAR_BYTES as u64)?);
        if power > MAX_K {
            return Err(invalid(header + 36, &format!("its power is {power}, above {MAX_K}")));
        }
        let (g1_offset, g1_length) = section(&source, TAU_G1)?;
        let (g2_offset, g2_length) = section(&source, TAU_G2)?;
        if g1_length != ((2 << power) - 1) * G1_BYTES as u64 {
            return Err(invalid(g1_offset, "the number of powers in G1 is not that of the header"));
        }
        if power == 0 || g2_length != (1 << power) * G2_BYTES as u64 {
            return Err(invalid(g2_offset, "the number of powers in G2 is not that of the header"));
        }
        let twist = |offset| {
            let bytes: [u8; G2_BYTES] = source.array(offset)?;
            g2_from_raw(&bytes).ok_or_else(|| invalid(offset, "not a point of the twist"))
        };
        let (g2, s_g2) = (twist(g2_offset)?, twist(g2_offset + G2_BYTES as u64)?);
        Ok(Self { source, path: path.to_path_buf(), power, g1_offset, g2, s_g2 })
    }

    /// The same, whose points are read unless somebody ends it: [`ArtifactError::Cancelled`].
    pub fn interrupted_by(self, interrupt: impl Interrupt + Send + 'static) -> Self {
        Self { source: self.source.interrupted_by(interrupt), ..self }
    }

    /// The largest `k` there are `2^k` powers for. (The file has twice as many, less one.)
    pub fn power(&self) -> u32 {
        self.power
    }

    /// The generator of G2.
    pub fn g2(&self) -> G2Affine {
        self.g2
    }

    /// The generator of G2 times the secret.
    pub fn s_g2(&self) -> G2Affine {
        self.s_g2
    }

    /// The first `2^k` powers `[s^i]G`, for a `k` up to [`PowersOfTau::power`].
    ///
    /// # Errors
    /// A larger `k`, or bytes that are no points.
    pub fn g(&self, k: u32, check: PointCheck) -> Result<Vec<G1Affine>, ArtifactError> {
        let content = ArtifactError::content(&self.path, ArtifactKind::PowersOfTau);
        if k > self.power {
            let reason = format!("it is for 2^{} rows, but 2^{k} are needed", self.power);
            return Err(content(FormatError::Mismatch(reason)));
        }
        let decode = |bytes: &[u8]| g1_from_raw(bytes, check);
        self.source
            .elements(self.g1_offset, 1 << k, G1_BYTES, "not a point of the curve", decode)
            .map_err(content)
    }
}

/// The modulus of the coordinates, least significant byte first.
fn fq_modulus() -> [u8; SCALAR_BYTES] {
    let mut bytes: [u8; SCALAR_BYTES] = (-Fq::one()).to_repr().into();
    bytes[0] += 1; // the modulus is odd, so its predecessor ends in an even byte
    bytes
}

/// Offset and length of the first section of a type, in a file that holds all its sections.
fn section(source: &Source, wanted: u32) -> Result<(u64, u64), FormatError> {
    let count = u32::from_le_bytes(source.array(8)?);
    let mut offset = 12;
    let mut found = None;
    for _ in 0..count.min(MOST_SECTIONS) {
        let kind = u32::from_le_bytes(source.array(offset)?);
        let length = u64::from_le_bytes(source.array(offset + 4)?);
        let start = offset + 12;
        let end = start.checked_add(length).filter(|end| *end <= source.length());
        let Some(end) = end else {
            return Err(FormatError::Truncated(source.length()));
        };
        if kind == wanted {
            found = found.or(Some((start, length)));
        }
        offset = end;
    }
    found.ok_or_else(|| FormatError::Mismatch(format!("it has no section of type {wanted}")))
}
