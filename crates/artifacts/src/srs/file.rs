//! `kzgK.srs`: `k` (`u32`, little-endian), `g`, `g_lagrange` (`2^k` raw points each), `g2`, `s_g2`
//! (spec 01 §2).

use super::MAX_K;
use crate::destination::Destination;
use crate::points::{
    G1_BYTES, G2_BYTES, PointCheck, g1_from_raw, g1_to_raw, g2_from_raw, g2_to_raw,
};
use crate::source::Source;
use crate::{ArtifactError, ArtifactKind, FormatError};
use std::io;
use std::path::{Path, PathBuf};
use twain_algebra::{G1Affine, G2Affine, Interrupt};

const HEAD: u64 = 4;

/// An SRS on disk. Points are read when they are asked for.
pub struct SrsFile {
    source: Source,
    path: PathBuf,
    k: u32,
    g2: G2Affine,
    s_g2: G2Affine,
}

impl SrsFile {
    /// Opens a file: its length must be that of its `k`, and `g2`, `s_g2` points of the twist.
    ///
    /// # Errors
    /// Not such a file, or from the file system.
    pub fn open(path: &Path) -> Result<Self, ArtifactError> {
        Source::open(path)
            .map_err(FormatError::Io)
            .and_then(|source| Self::from_source(source, path))
            .map_err(ArtifactError::content(path, ArtifactKind::Srs))
    }

    /// As [`SrsFile::open`], from bytes.
    ///
    /// # Errors
    /// Not the content of such a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::from_source(Source::from_bytes(bytes.to_vec()), Path::new("bytes"))
    }

    fn from_source(source: Source, path: &Path) -> Result<Self, FormatError> {
        let k = u32::from_le_bytes(source.array(0)?);
        if k > MAX_K {
            let reason = format!("k is {k}, above {MAX_K}");
            return Err(FormatError::Invalid { offset: 0, reason });
        }
        let points = 2 * G1_BYTES as u64 * (1 << k);
        let expected = HEAD + points + 2 * G2_BYTES as u64;
        if source.length() != expected {
            let found = source.length();
            return Err(FormatError::Length { expected: expected.into(), found });
        }
        let twist = |offset| {
            let bytes: [u8; G2_BYTES] = source.array(offset)?;
            g2_from_raw(&bytes).ok_or_else(|| FormatError::Invalid {
                offset,
                reason: "not a point of the twist".into(),
            })
        };
        let g2 = twist(HEAD + points)?;
        let s_g2 = twist(HEAD + points + G2_BYTES as u64)?;
        Ok(Self { source, path: path.to_path_buf(), k, g2, s_g2 })
    }

    /// The same, whose points are read unless somebody ends it: [`ArtifactError::Cancelled`].
    pub fn interrupted_by(self, interrupt: impl Interrupt + Send + 'static) -> Self {
        Self { source: self.source.interrupted_by(interrupt), ..self }
    }

    /// log2 of the number of powers.
    pub fn k(&self) -> u32 {
        self.k
    }

    /// The generator of G2.
    pub fn g2(&self) -> G2Affine {
        self.g2
    }

    /// The generator of G2 times the secret.
    pub fn s_g2(&self) -> G2Affine {
        self.s_g2
    }

    /// The first `2^k` powers `[s^i]G`, for a `k` up to that of the file.
    ///
    /// # Errors
    /// A larger `k`, or bytes that are no points.
    pub fn g(&self, k: u32, check: PointCheck) -> Result<Vec<G1Affine>, ArtifactError> {
        if k > self.k {
            let reason = format!("it has 2^{} powers, but 2^{k} are needed", self.k);
            let content = ArtifactError::content(&self.path, ArtifactKind::Srs);
            return Err(content(FormatError::Mismatch(reason)));
        }
        self.points(HEAD, 1 << k, check)
    }

    /// The `2^k` commitments to the Lagrange basis, for the `k` of the file. For a smaller domain
    /// they must be computed from [`SrsFile::g`].
    ///
    /// # Errors
    /// Bytes that are no points.
    pub fn g_lagrange(&self, check: PointCheck) -> Result<Vec<G1Affine>, ArtifactError> {
        self.points(HEAD + G1_BYTES as u64 * (1 << self.k), 1 << self.k, check)
    }

    fn points(
        &self,
        offset: u64,
        count: usize,
        check: PointCheck,
    ) -> Result<Vec<G1Affine>, ArtifactError> {
        let decode = |bytes: &[u8]| g1_from_raw(bytes, check);
        self.source
            .elements(offset, count, G1_BYTES, "not a point of the curve", decode)
            .map_err(ArtifactError::content(&self.path, ArtifactKind::Srs))
    }
}

/// Writes an SRS file.
///
/// # Errors
/// If the numbers of points are not the same power of two, or from the file system.
pub fn write_srs(
    path: &Path,
    g: &[G1Affine],
    g_lagrange: &[G1Affine],
    g2: &G2Affine,
    s_g2: &G2Affine,
) -> Result<(), ArtifactError> {
    let destination = Destination::open(path, ArtifactKind::Srs)?;
    let written = destination.fill(|writer| {
        if !g.len().is_power_of_two() || g.len() != g_lagrange.len() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "g and g_lagrange must be of the same power-of-two length",
            ));
        }
        writer.write_all(&g.len().trailing_zeros().to_le_bytes())?;
        let mut points = g.iter().chain(g_lagrange);
        points.try_for_each(|point| writer.write_all(&g1_to_raw(point)))?;
        writer.write_all(&g2_to_raw(g2))?;
        writer.write_all(&g2_to_raw(s_g2))
    });
    written?.place()
}
