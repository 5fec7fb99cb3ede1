//! `pk.key`: the verifying key, then polynomials (spec 01 §4.4).
//!
//! A polynomial is its length (`u32`, big-endian) and its scalars; a list of polynomials is their
//! number, their lengths, and the polynomials (so each length comes twice). Only the values of fixed
//! and permutation columns carry information; the rest is read if asked for. Nothing but one
//! polynomial at a time is ever in memory.

use super::{KeyFormat, KeyShape, VerifyingKeyFile};
use crate::destination::{Destination, Prepared};
use crate::points::SCALAR_BYTES;
use crate::source::Source;
use crate::srs::MAX_K;
use crate::{ArtifactError, ArtifactKind, FormatError};
use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use twain_algebra::{Fr, Interrupt};

/// Scalars that are written, which takes a few milliseconds, before somebody may end it.
const SCALARS_AT_ONCE: usize = 1 << 15;

/// A polynomial of a proving key. Lagrange form: `2^k` values; coefficients: `2^k`; extended form:
/// `2^extended_k` values on the coset (spec 01 §1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPolynomial {
    /// 1 in the first row; extended form.
    L0,
    /// 1 in the last usable row; extended form.
    LLast,
    /// 1 in the usable rows; extended form.
    LActive,
    /// A fixed column, Lagrange form.
    FixedValues(usize),
    /// A fixed column, coefficients.
    FixedCoefficients(usize),
    /// A fixed column, extended form.
    FixedCoset(usize),
    /// A column of the permutation, Lagrange form.
    PermutationValues(usize),
    /// A column of the permutation, coefficients.
    PermutationCoefficients(usize),
    /// A column of the permutation, extended form.
    PermutationCoset(usize),
}

use KeyPolynomial as P;

/// Numbers and lengths of a key's polynomials.
#[derive(Clone, Copy)]
struct Layout {
    rows: u64,
    extended_rows: u64,
    fixed: u64,
    permutation: u64,
}

/// A list of polynomials of one length.
#[derive(Clone, Copy)]
struct List {
    count: u64,
    length: u64,
    name: fn(usize) -> KeyPolynomial,
}

impl List {
    /// Bytes of one of its polynomials.
    fn polynomial(&self) -> u64 {
        polynomial_bytes(self.length)
    }
}

/// Bytes of a polynomial of `length` scalars.
fn polynomial_bytes(length: u64) -> u64 {
    4 + SCALAR_BYTES as u64 * length
}

impl Layout {
    fn of(key: &VerifyingKeyFile, extended_k: u32) -> Option<Self> {
        (key.k..=MAX_K).contains(&extended_k).then(|| Self {
            rows: 1 << key.k,
            extended_rows: 1 << extended_k,
            fixed: key.fixed_commitments.len() as u64,
            permutation: key.permutation_commitments.len() as u64,
        })
    }

    /// The six lists, in the order of the file.
    fn lists(&self) -> [List; 6] {
        let Self { rows, extended_rows, fixed, permutation } = *self;
        [
            List { count: fixed, length: rows, name: P::FixedValues },
            List { count: fixed, length: rows, name: P::FixedCoefficients },
            List { count: fixed, length: extended_rows, name: P::FixedCoset },
            List { count: permutation, length: rows, name: P::PermutationValues },
            List { count: permutation, length: rows, name: P::PermutationCoefficients },
            List { count: permutation, length: extended_rows, name: P::PermutationCoset },
        ]
    }

    /// Bytes after the verifying key.
    fn length(&self) -> u128 {
        let bytes = |list: List| 4 + u128::from(list.count) * u128::from(4 + list.polynomial());
        let three = 3 * u128::from(polynomial_bytes(self.extended_rows));
        three + self.lists().into_iter().map(bytes).sum::<u128>()
    }

    /// The list (counting from 0; `None` for the first three), the index in it, and the length of a
    /// polynomial.
    fn place(&self, which: KeyPolynomial) -> Option<(Option<usize>, u64, u64)> {
        let (list, index) = match which {
            P::L0 => return Some((None, 0, self.extended_rows)),
            P::LLast => return Some((None, 1, self.extended_rows)),
            P::LActive => return Some((None, 2, self.extended_rows)),
            P::FixedValues(index) => (0, index),
            P::FixedCoefficients(index) => (1, index),
            P::FixedCoset(index) => (2, index),
            P::PermutationValues(index) => (3, index),
            P::PermutationCoefficients(index) => (4, index),
            P::PermutationCoset(index) => (5, index),
        };
        let List { count, length, .. } = self.lists()[list];
        let index = index as u64;
        (index < count).then_some((Some(list), index, length))
    }

    /// Offset of a polynomial's length prefix after the verifying key. The whole length fits (it was
    /// compared with that of the file).
    fn offset(&self, list: Option<usize>, index: u64) -> u64 {
        let first = polynomial_bytes(self.extended_rows);
        let Some(list) = list else {
            return index * first;
        };
        let lists = self.lists();
        let skipped = lists[..list].iter().map(|list| 4 + list.count * (4 + list.polynomial()));
        let head = 4 + 4 * lists[list].count;
        3 * first + skipped.sum::<u64>() + head + index * lists[list].polynomial()
    }
}

/// A proving key on disk. Polynomials are read when they are asked for.
pub struct ProvingKeyFile {
    source: Source,
    path: PathBuf,
    format: KeyFormat,
    verifying_key: VerifyingKeyFile,
    layout: Layout,
    start: u64,
}

impl ProvingKeyFile {
    /// Opens a file, reads the verifying key in it, and checks the file's length and every length
    /// prefix. `extended_k` is log2 of the length of the extended form (spec 01 §1.4).
    ///
    /// # Errors
    /// Not a key of this shape in this format, or from the file system.
    pub fn open(
        path: &Path,
        format: KeyFormat,
        shape: KeyShape,
        extended_k: u32,
    ) -> Result<Self, ArtifactError> {
        Source::open(path)
            .map_err(FormatError::Io)
            .and_then(|source| Self::from_source(source, path, format, shape, extended_k))
            .map_err(ArtifactError::content(path, ArtifactKind::ProvingKey))
    }

    /// As [`ProvingKeyFile::open`], from bytes.
    ///
    /// # Errors
    /// Not the content of a key of this shape in this format.
    pub fn parse(
        bytes: &[u8],
        format: KeyFormat,
        shape: KeyShape,
        extended_k: u32,
    ) -> Result<Self, FormatError> {
        let source = Source::from_bytes(bytes.to_vec());
        Self::from_source(source, Path::new("bytes"), format, shape, extended_k)
    }

    fn from_source(
        source: Source,
        path: &Path,
        format: KeyFormat,
        shape: KeyShape,
        extended_k: u32,
    ) -> Result<Self, FormatError> {
        let (verifying_key, start) = VerifyingKeyFile::prefix(&source, format, shape)?;
        let layout = Layout::of(&verifying_key, extended_k).ok_or_else(|| {
            FormatError::Mismatch(format!("an extended domain of 2^{extended_k} is impossible"))
        })?;
        let expected = u128::from(start) + layout.length();
        if expected != u128::from(source.length()) {
            return Err(FormatError::Length { expected, found: source.length() });
        }
        let key = Self { source, path: path.to_path_buf(), format, verifying_key, layout, start };
        key.check_prefixes()?;
        Ok(key)
    }

    fn check_prefixes(&self) -> Result<(), FormatError> {
        let check = |offset: u64, expected: u64| {
            let offset = self.start + offset;
            let found = u32::from_be_bytes(self.source.array(offset)?);
            if u64::from(found) == expected {
                return Ok(());
            }
            let reason = format!("there is the length {found} where {expected} is expected");
            Err(FormatError::Invalid { offset, reason })
        };
        for index in 0..3 {
            check(self.layout.offset(None, index), self.layout.extended_rows)?;
        }
        for (list, List { count, length, .. }) in self.layout.lists().into_iter().enumerate() {
            let first = self.layout.offset(Some(list), 0);
            check(first - 4 * count - 4, count)?;
            for index in 0..count {
                check(first - 4 * count + 4 * index, length)?;
                check(self.layout.offset(Some(list), index), length)?;
            }
        }
        Ok(())
    }

    /// The same, whose polynomials are read unless somebody ends it: [`ArtifactError::Cancelled`].
    pub fn interrupted_by(self, interrupt: impl Interrupt + Send + 'static) -> Self {
        Self { source: self.source.interrupted_by(interrupt), ..self }
    }

    /// The verifying key in it.
    pub fn verifying_key(&self) -> &VerifyingKeyFile {
        &self.verifying_key
    }

    /// The scalars of a polynomial, each checked to be below the modulus.
    ///
    /// # Errors
    /// A polynomial the key has not, or a scalar that is none.
    pub fn polynomial(&self, which: KeyPolynomial) -> Result<Vec<Fr>, ArtifactError> {
        let content = ArtifactError::content(&self.path, ArtifactKind::ProvingKey);
        self.read_polynomial(which).map_err(content)
    }

    fn read_polynomial(&self, which: KeyPolynomial) -> Result<Vec<Fr>, FormatError> {
        let (list, index, length) = self
            .layout
            .place(which)
            .ok_or_else(|| FormatError::Mismatch(format!("it has no {which:?}")))?;
        let offset = self.start + self.layout.offset(list, index) + 4;
        // at most 2^28
        let count = length as usize;
        let what = "a scalar that is not below the modulus";
        self.source.elements(offset, count, SCALAR_BYTES, what, |bytes| self.format.scalar(bytes))
    }
}

/// Writes a proving key that is yet to be put in its place, unless somebody ends it. `polynomial` is
/// called once for each polynomial in the order of the file, and its result is dropped before the next
/// call.
///
/// # Errors
/// A polynomial of the wrong length, parts of `verifying_key` that do not fit together, from the file
/// system, or [`ArtifactError::Cancelled`].
pub fn prepare_proving_key<'a>(
    path: &Path,
    format: KeyFormat,
    verifying_key: &VerifyingKeyFile,
    extended_k: u32,
    interrupt: &dyn Interrupt,
    mut polynomial: impl FnMut(KeyPolynomial) -> Cow<'a, [Fr]>,
) -> Result<Prepared, ArtifactError> {
    let cancelled = Cell::new(false);
    let go_on = || {
        cancelled.set(interrupt.is_interrupted());
        if cancelled.get() { Err(io::Error::other("cancelled")) } else { Ok(()) }
    };
    let content = |writer: &mut dyn Write| {
        encode(format, verifying_key, extended_k, &mut polynomial, &go_on, writer)
    };
    let filled = Destination::open(path, ArtifactKind::ProvingKey)?.fill(content);
    if cancelled.get() { Err(ArtifactError::Cancelled) } else { filled }
}

fn encode<'a>(
    format: KeyFormat,
    verifying_key: &VerifyingKeyFile,
    extended_k: u32,
    polynomial: &mut impl FnMut(KeyPolynomial) -> Cow<'a, [Fr]>,
    go_on: &dyn Fn() -> io::Result<()>,
    writer: &mut dyn Write,
) -> io::Result<()> {
    let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidInput, reason);
    let layout = Layout::of(verifying_key, extended_k)
        .ok_or_else(|| invalid(format!("an extended domain of 2^{extended_k} is impossible")))?;
    verifying_key.encode(format, writer)?;
    // lengths are at most 2^28, counts are u32 (checked by the verifying key for the fixed columns)
    let prefix = |value: u64, writer: &mut dyn Write| {
        let value = u32::try_from(value).map_err(|_| invalid("too many columns".into()))?;
        writer.write_all(&value.to_be_bytes())
    };
    let mut write = |which, length: u64, writer: &mut dyn Write| {
        let scalars = polynomial(which);
        if scalars.len() as u64 != length {
            let found = scalars.len();
            return Err(invalid(format!("{which:?} has {found} scalars, not {length}")));
        }
        prefix(length, writer)?;
        scalars.chunks(SCALARS_AT_ONCE).try_for_each(|scalars| {
            go_on()?;
            scalars.iter().try_for_each(|scalar| format.write_scalar(scalar, writer))
        })
    };
    for which in [P::L0, P::LLast, P::LActive] {
        write(which, layout.extended_rows, writer)?;
    }
    for List { count, length, name } in layout.lists() {
        prefix(count, writer)?;
        (0..count).try_for_each(|_| prefix(length, writer))?;
        (0..count).try_for_each(|index| write(name(index as usize), length, writer))?;
    }
    Ok(())
}
