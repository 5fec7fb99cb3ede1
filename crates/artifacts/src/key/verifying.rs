//! `vk.key` (spec 01 §4.4).
//!
//! Version (3), `k`, whether selectors are compressed (a byte each), the number of fixed columns
//! (`u32`, little-endian), their commitments, the permutation's commitments, then, if selectors are
//! compressed, their rows as bits. Numbers of permutation columns and selectors are not in the
//! file: they follow from the settings.

use super::KeyFormat;
use crate::destination::{Destination, Prepared};
use crate::source::Source;
use crate::srs::MAX_K;
use crate::{ArtifactError, ArtifactKind, FormatError};
use std::io::{self, Write};
use std::path::Path;
use twain_algebra::G1Affine;

const VERSION: u8 = 3;
const HEAD: u64 = 7;

/// What a key's file does not tell: it follows from the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyShape {
    /// Columns of the permutation.
    pub permutation_columns: usize,
    /// Selectors, before compression.
    pub selectors: usize,
}

/// A verifying key as it is on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifyingKeyFile {
    /// log2 of the number of rows, at least 3.
    pub k: u32,
    /// Whether selectors are compressed.
    pub compress_selectors: bool,
    /// A commitment for each fixed column, those of the selectors included.
    pub fixed_commitments: Vec<G1Affine>,
    /// A commitment for each column of the permutation.
    pub permutation_commitments: Vec<G1Affine>,
    /// The active rows of each selector; empty if selectors are not compressed.
    pub selectors: Vec<SelectorRows>,
}

/// The active rows of a selector, eight to a byte, first row in the lowest bit.
#[derive(Clone, PartialEq, Eq)]
pub struct SelectorRows(Vec<u8>);

impl SelectorRows {
    /// From one Boolean for each row; rows beyond a multiple of 8 are cut off (there are none, as
    /// `k >= 3`).
    pub fn from_rows(rows: &[bool]) -> Self {
        let byte = |rows: &[bool]| {
            rows.iter().rev().fold(0u8, |byte, active| byte << 1 | u8::from(*active))
        };
        Self(rows.chunks_exact(8).map(byte).collect())
    }

    /// From the bytes of a file.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes of a file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        8 * self.0.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the selector is active in each row, from the first.
    pub fn rows(&self) -> impl Iterator<Item = bool> + '_ {
        self.0.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1))
    }
}

impl std::fmt::Debug for SelectorRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "SelectorRows({} of {})",
            self.rows().filter(|active| *active).count(),
            self.len()
        )
    }
}

/// The first bytes of a key, and what follows from them.
struct Head {
    format: KeyFormat,
    k: u32,
    compress_selectors: bool,
    fixed: usize,
    permutation: usize,
    selectors: usize,
    /// Bytes of the whole key.
    length: u128,
}

impl Head {
    fn read(source: &Source, format: KeyFormat, shape: KeyShape) -> Result<Self, FormatError> {
        let invalid = |offset, reason| Err(FormatError::Invalid { offset, reason });
        let [version, k, compressed, fixed @ ..]: [u8; HEAD as usize] = source.array(0)?;
        if version != VERSION {
            return invalid(0, format!("the version is {version}, not {VERSION}"));
        }
        let k = u32::from(k);
        if !(3..=MAX_K).contains(&k) {
            return invalid(1, format!("k is {k}, not 3 to {MAX_K}"));
        }
        if compressed > 1 {
            return invalid(2, format!("{compressed} is not a Boolean"));
        }
        let fixed = u32::from_le_bytes(fixed);
        let selectors = if compressed == 1 { shape.selectors } else { 0 };
        let points = u128::from(fixed) + shape.permutation_columns as u128;
        let length = u128::from(HEAD)
            + points * format.point_bytes() as u128
            + selectors as u128 * (1 << (k - 3));
        Ok(Self {
            format,
            k,
            compress_selectors: compressed == 1,
            fixed: fixed as usize,
            permutation: shape.permutation_columns,
            selectors,
            length,
        })
    }

    /// Reads the rest, which must not be longer than `source`.
    fn key(&self, source: &Source) -> Result<VerifyingKeyFile, FormatError> {
        let size = self.format.point_bytes();
        let points = |offset, count| {
            source.elements(offset, count, size, "not a point of the curve", |bytes| {
                self.format.point(bytes)
            })
        };
        let permutation_offset = HEAD + (self.fixed * size) as u64;
        let selector_offset = permutation_offset + (self.permutation * size) as u64;
        let selector_bytes = 1usize << (self.k - 3);
        let selector = |index| {
            let mut rows = vec![0; selector_bytes];
            source.read(selector_offset + (index * selector_bytes) as u64, &mut rows)?;
            Ok(SelectorRows(rows))
        };
        Ok(VerifyingKeyFile {
            k: self.k,
            compress_selectors: self.compress_selectors,
            fixed_commitments: points(HEAD, self.fixed)?,
            permutation_commitments: points(permutation_offset, self.permutation)?,
            selectors: (0..self.selectors).map(selector).collect::<Result<_, FormatError>>()?,
        })
    }
}

impl VerifyingKeyFile {
    /// Reads the content of a file. Every point is checked to be on the curve.
    ///
    /// # Errors
    /// Not a key of this shape in this format.
    pub fn parse(bytes: &[u8], format: KeyFormat, shape: KeyShape) -> Result<Self, FormatError> {
        Self::from_source(&Source::from_bytes(bytes.to_vec()), format, shape)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`VerifyingKeyFile::parse`], or from the file system.
    pub fn read(path: &Path, format: KeyFormat, shape: KeyShape) -> Result<Self, ArtifactError> {
        Source::open(path)
            .map_err(FormatError::Io)
            .and_then(|source| Self::from_source(&source, format, shape))
            .map_err(ArtifactError::content(path, ArtifactKind::VerifyingKey))
    }

    fn from_source(
        source: &Source,
        format: KeyFormat,
        shape: KeyShape,
    ) -> Result<Self, FormatError> {
        let head = Head::read(source, format, shape)?;
        if head.length != u128::from(source.length()) {
            return Err(FormatError::Length { expected: head.length, found: source.length() });
        }
        head.key(source)
    }

    /// Reads the key a file starts with, and tells its length.
    pub(super) fn prefix(
        source: &Source,
        format: KeyFormat,
        shape: KeyShape,
    ) -> Result<(Self, u64), FormatError> {
        let head = Head::read(source, format, shape)?;
        if head.length > u128::from(source.length()) {
            return Err(FormatError::Length { expected: head.length, found: source.length() });
        }
        Ok((head.key(source)?, head.length as u64))
    }

    /// Writes the content of a file.
    ///
    /// # Errors
    /// Those of `writer`, and parts that do not fit together.
    pub fn encode(&self, format: KeyFormat, writer: &mut dyn Write) -> io::Result<()> {
        let invalid = |reason| io::Error::new(io::ErrorKind::InvalidInput, reason);
        let fixed = u32::try_from(self.fixed_commitments.len())
            .map_err(|_| invalid("too many fixed columns"))?;
        if !(3..=MAX_K).contains(&self.k) {
            return Err(invalid("k must be 3 to 28"));
        }
        if self.selectors.iter().any(|rows| rows.len() != 1 << self.k)
            || (!self.compress_selectors && !self.selectors.is_empty())
        {
            return Err(invalid("selectors must have 2^k rows each, and none if not compressed"));
        }
        // k is at most 28
        writer.write_all(&[VERSION, self.k as u8, u8::from(self.compress_selectors)])?;
        writer.write_all(&fixed.to_le_bytes())?;
        let mut points = self.fixed_commitments.iter().chain(&self.permutation_commitments);
        points.try_for_each(|point| format.write_point(point, writer))?;
        self.selectors.iter().try_for_each(|rows| writer.write_all(&rows.0))
    }

    /// Writes a file that is yet to be put in its place.
    ///
    /// # Errors
    /// As [`VerifyingKeyFile::encode`], or from the file system.
    pub fn prepare(&self, path: &Path, format: KeyFormat) -> Result<Prepared, ArtifactError> {
        let destination = Destination::open(path, ArtifactKind::VerifyingKey)?;
        destination.fill(|writer| self.encode(format, writer))
    }
}
