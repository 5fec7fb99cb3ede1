//! Keys and reference strings between their files (`twain-artifacts`) and their meaning
//! (`twain-plonk`). A key file holds no constraint system: it is configured from the settings.

use rand_core::{CryptoRng, RngCore};
use rayon::prelude::*;
use std::borrow::Cow;
use std::path::Path;
use twain_algebra::{Backend, Domain, Fr, MsmBases, backend};
use twain_artifacts::key::{
    KeyFormat, KeyPolynomial, KeyShape, ProvingKeyFile, SelectorRows, VerifyingKeyFile,
    prepare_proving_key,
};
use twain_artifacts::srs::{self, PointCheck, Powers, SrsFile};
use twain_artifacts::{ArtifactError, Prepared};
use twain_circuit::{LayoutError, ProductTree, configure};
use twain_graph::Settings;
use twain_party::{PartyError, Watched};
use twain_plonk::{
    BitRows, ColumnPolynomials, ConstraintSystem, ExtendedDomain, KeyError, ProvingKey,
    RowPolynomials, Srs, SrsError, VerifierSrs, VerifyingKey, VerifyingKeyParts, split_into_cosets,
};

/// Why a key or an SRS could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file.
    #[error(transparent)]
    File(ArtifactError),
    /// A key that is not one of the circuit.
    #[error("{path}: {source}; run setup again with the settings and the circuit of this key")]
    Key {
        /// The file.
        path: String,
        /// The reason.
        source: KeyError,
    },
    /// A key of another number of rows.
    #[error(
        "{path}: the key is for 2^{found} rows, the settings say 2^{expected}: run setup again"
    )]
    Rows {
        /// The file.
        path: String,
        /// log2 of the settings' rows.
        expected: u32,
        /// log2 of the key's rows.
        found: u32,
    },
    /// Settings that no circuit fits.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// An SRS that does not do.
    #[error("{path}: {source}")]
    Srs {
        /// The file.
        path: String,
        /// The reason.
        source: SrsError,
    },
    /// An SRS whose points are not what they should be: with it secrets could leak.
    #[error("{path}: {source}; get another one with get-srs")]
    UnsafeSrs {
        /// The file.
        path: String,
        /// The reason.
        source: srs::SrsError,
    },
    /// Whoever watches has ended it.
    #[error(transparent)]
    Ended(#[from] PartyError),
}

impl From<ArtifactError> for KeyFileError {
    fn from(error: ArtifactError) -> Self {
        match error {
            ArtifactError::Cancelled => PartyError::Cancelled.into(),
            error => Self::File(error),
        }
    }
}

impl KeyFileError {
    fn key(path: &Path) -> impl Fn(KeyError) -> Self {
        let path = path.display().to_string();
        move |source| match source {
            KeyError::Cancelled => PartyError::Cancelled.into(),
            source => Self::Key { path: path.clone(), source },
        }
    }

    fn srs(path: &Path) -> impl Fn(SrsError) -> Self {
        let path = path.display().to_string();
        move |source| match source {
            SrsError::Cancelled => PartyError::Cancelled.into(),
            source => Self::Srs { path: path.clone(), source },
        }
    }
}

/// Reads a verifying key of a circuit with `2^k` rows.
///
/// # Errors
/// No such file, or not a key of this circuit.
pub fn read_verifying_key(
    path: &Path,
    format: KeyFormat,
    configured: ConstraintSystem,
    k: u32,
) -> Result<VerifyingKey, KeyFileError> {
    let file = VerifyingKeyFile::read(path, format, shape(&configured))?;
    verifying_key(&file, path, configured, k)
}

/// Reads the verifying keys that a file stands for, the likeliest first. There is more than one
/// only if a table has more than eight columns: EZKL's constraint system then depends on its number
/// of threads (spec 01 §8.1), which no file tells.
///
/// # Errors
/// As [`read_verifying_key`]; settings that no circuit fits.
pub fn read_verifying_keys(
    path: &Path,
    format: KeyFormat,
    settings: &Settings,
) -> Result<Vec<VerifyingKey>, KeyFileError> {
    let k = settings.run_args.logrows;
    let (split, _) = configure(settings, ProductTree::FullySplit)?;
    let mut keys = vec![read_verifying_key(path, format, split.clone(), k)?];
    // One thread splits to depth 3, and twice as many threads one level deeper.
    for depth in 3..u32::BITS {
        let (system, _) = configure(settings, ProductTree::Depth(depth))?;
        if system == split {
            break;
        }
        keys.push(read_verifying_key(path, format, system, k)?);
    }
    Ok(keys)
}

/// Fails if a verifying key's selectors are not those it commits to, which verification by itself
/// does not notice. It takes an SRS of the key's size; with one of another size nothing is checked.
///
/// # Errors
/// No such SRS, another key, or the watcher's.
pub fn check_selectors(
    vk_path: &Path,
    key: &VerifyingKey,
    srs_path: &Path,
    watched: &Watched,
) -> Result<(), KeyFileError> {
    let file = SrsFile::open(srs_path)?.interrupted_by(watched.clone());
    if file.k() != key.system().k() {
        return Ok(());
    }
    let g_lagrange = MsmBases::new(&file.g_lagrange(PointCheck::OnCurve)?);
    key.check_selectors(&g_lagrange, watched).map_err(KeyFileError::key(vk_path))
}

/// Writes a verifying key.
///
/// # Errors
/// From the file system.
pub fn write_verifying_key(
    path: &Path,
    format: KeyFormat,
    key: &VerifyingKey,
) -> Result<(), KeyFileError> {
    Ok(verifying_key_file(key).prepare(path, format)?.place()?)
}

/// What to do with the extended form of a key's polynomials, most of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtendedForm {
    /// Keep it: the prover saves its transforms.
    Read,
    /// Leave it in the file.
    Skip,
}

impl ExtendedForm {
    /// What makes a proof sooner: with AVX-512, transforms are as fast as reading.
    pub fn faster() -> Self {
        match backend() {
            Backend::Portable => Self::Read,
            Backend::Ifma => Self::Skip,
        }
    }
}

/// Reads a proving key of a circuit with `2^k` rows: the column polynomials, in parallel.
///
/// # Errors
/// No such file, not a key of this circuit, or the watcher's.
pub fn read_proving_key(
    path: &Path,
    format: KeyFormat,
    configured: ConstraintSystem,
    k: u32,
    extended: ExtendedForm,
    watched: &Watched,
) -> Result<ProvingKey, KeyFileError> {
    let file = ProvingKeyFile::open(path, format, shape(&configured), configured.extended_k(k))?;
    let file = file.interrupted_by(watched.clone());
    let vk = verifying_key(file.verifying_key(), path, configured, k)?;
    let polynomial = |name: KeyPolynomial| Ok::<_, KeyFileError>(file.polynomial(name)?);
    let read = |count: usize, name: fn(usize) -> KeyPolynomial| {
        let columns = (0..count).into_par_iter().map(|index| polynomial(name(index)));
        columns.collect::<Result<Vec<Vec<Fr>>, KeyFileError>>()
    };
    let rows = vk.system().rows();
    let read_cosets = |count: usize, name: fn(usize) -> KeyPolynomial| {
        let count = if extended == ExtendedForm::Read { count } else { 0 };
        let columns = (0..count).into_par_iter();
        let columns = columns.map(|i| Ok(split_into_cosets(&polynomial(name(i))?, rows)));
        columns.collect::<Result<Vec<_>, KeyFileError>>()
    };
    let (fixed, permutation) = (vk.system().fixed_columns(), vk.system().permutation().len());
    let fixed = ColumnPolynomials {
        values: read(fixed, KeyPolynomial::FixedValues)?,
        coefficients: read(fixed, KeyPolynomial::FixedCoefficients)?,
        cosets: read_cosets(fixed, KeyPolynomial::FixedCoset)?,
    };
    let sigma = ColumnPolynomials {
        values: read(permutation, KeyPolynomial::PermutationValues)?,
        coefficients: read(permutation, KeyPolynomial::PermutationCoefficients)?,
        cosets: read_cosets(permutation, KeyPolynomial::PermutationCoset)?,
    };
    ProvingKey::new(vk, fixed, sigma).map_err(KeyFileError::key(path))
}

/// Writes both keys, or neither. The proving key has all that EZKL expects in the file; what
/// follows from the rest is computed column by column.
///
/// # Errors
/// From the file system, or the watcher's.
pub fn write_keys(
    vk_path: &Path,
    pk_path: &Path,
    format: KeyFormat,
    key: &ProvingKey,
    watched: &Watched,
) -> Result<(), KeyFileError> {
    let system = key.system();
    let extended = ExtendedDomain::new(system).map_err(KeyFileError::key(pk_path))?;
    let too_large = |_| KeyError::TooLarge { k: system.k(), degree: system.degree() };
    let domain = Domain::new(system.k()).map_err(too_large).map_err(KeyFileError::key(pk_path))?;
    let rows = RowPolynomials::new(system, &domain);
    let coset = |coefficients: &[Fr]| Cow::Owned(extended.values(coefficients));
    let polynomial = |which| match which {
        KeyPolynomial::L0 => coset(&rows.first),
        KeyPolynomial::LLast => coset(&rows.last),
        KeyPolynomial::LActive => coset(&rows.active),
        KeyPolynomial::FixedValues(i) => Cow::Borrowed(&key.fixed().values[i][..]),
        KeyPolynomial::FixedCoefficients(i) => Cow::Borrowed(&key.fixed().coefficients[i][..]),
        KeyPolynomial::FixedCoset(i) => coset(&key.fixed().coefficients[i]),
        KeyPolynomial::PermutationValues(i) => Cow::Borrowed(&key.sigma().values[i][..]),
        KeyPolynomial::PermutationCoefficients(i) => {
            Cow::Borrowed(&key.sigma().coefficients[i][..])
        }
        KeyPolynomial::PermutationCoset(i) => coset(&key.sigma().coefficients[i]),
    };
    let vk = verifying_key_file(key.vk());
    let extended_k = system.extended_k();
    let pk = prepare_proving_key(pk_path, format, &vk, extended_k, watched, polynomial)?;
    Ok(Prepared::place_both(vk.prepare(vk_path, format)?, pk)?)
}

/// Bytes of a proving key's polynomials, which are all but a few thousand of its file.
pub fn proving_key_bytes(key: &ProvingKey) -> u64 {
    let system = key.system();
    let extended = 1 << system.extended_k();
    let columns = key.fixed().values.len() + key.sigma().values.len();
    // Each column has values, coefficients and values on the extended domain; three more the last.
    let scalars = columns * (2 * system.rows() + extended) + 3 * extended;
    (scalars * size_of::<Fr>()) as u64
}

/// Reads the SRS for `2^k` rows from a file for at least as many; a larger one is cut down, which
/// takes a transform of its points. The file may come from someone who wants what is committed to,
/// so all points that are used are checked, over `rng`: wrong ones pass with probability `2^-225`.
///
/// # Errors
/// No such file, not an SRS, one that is too small, one that is not the powers of one secret, or
/// the watcher's.
pub fn read_srs(
    path: &Path,
    k: u32,
    rng: &mut (impl RngCore + CryptoRng),
    watched: &Watched,
) -> Result<Srs, KeyFileError> {
    let file = SrsFile::open(path)?.interrupted_by(watched.clone());
    let srs_error = KeyFileError::srs(path);
    if k > file.k() {
        return Err(srs_error(SrsError::TooSmall { needed: k, found: file.k() }));
    }
    let (g2, s_g2) = (file.g2(), file.s_g2());
    let g = file.g(k, PointCheck::Coordinates)?;
    let whole = k == file.k();
    let g_lagrange = whole.then(|| file.g_lagrange(PointCheck::Coordinates)).transpose()?;
    let powers = Powers { g: &g, g_lagrange: g_lagrange.as_deref(), g2: &g2, s_g2: &s_g2 };
    srs::check(&powers, rng, watched).map_err(|source| match source {
        srs::SrsError::Cancelled => PartyError::Cancelled.into(),
        source => KeyFileError::UnsafeSrs { path: path.display().to_string(), source },
    })?;
    let srs = match g_lagrange {
        Some(g_lagrange) => Srs::new(k, g, g_lagrange, g2, s_g2),
        None => Srs::from_powers(k, g, g2, s_g2, watched),
    };
    srs.map_err(srs_error)
}

/// Reads what a verifier needs from an SRS file of any size.
///
/// # Errors
/// No such file, or not an SRS.
pub fn read_verifier_srs(path: &Path) -> Result<VerifierSrs, KeyFileError> {
    let file = SrsFile::open(path)?;
    let g = file.g(0, PointCheck::OnCurve)?;
    let first = g.first().copied().unwrap_or_default();
    VerifierSrs::new(first, file.g2(), file.s_g2()).map_err(KeyFileError::srs(path))
}

fn shape(configured: &ConstraintSystem) -> KeyShape {
    KeyShape {
        permutation_columns: configured.permutation().len(),
        selectors: configured.selectors().len(),
    }
}

fn verifying_key(
    file: &VerifyingKeyFile,
    path: &Path,
    configured: ConstraintSystem,
    k: u32,
) -> Result<VerifyingKey, KeyFileError> {
    if file.k != k {
        let path = path.display().to_string();
        return Err(KeyFileError::Rows { path, expected: k, found: file.k });
    }
    let bits = |rows: &SelectorRows| BitRows::from_bytes(rows.as_bytes().to_vec());
    let parts = VerifyingKeyParts {
        k,
        compress_selectors: file.compress_selectors,
        fixed_commitments: file.fixed_commitments.clone(),
        permutation_commitments: file.permutation_commitments.clone(),
        selectors: file.selectors.iter().map(bits).collect(),
    };
    VerifyingKey::new(configured, parts).map_err(KeyFileError::key(path))
}

fn verifying_key_file(key: &VerifyingKey) -> VerifyingKeyFile {
    let parts = key.parts();
    let rows = |bits: &BitRows| SelectorRows::from_bytes(bits.as_bytes().to_vec());
    VerifyingKeyFile {
        k: parts.k,
        compress_selectors: parts.compress_selectors,
        fixed_commitments: parts.fixed_commitments,
        permutation_commitments: parts.permutation_commitments,
        selectors: parts.selectors.iter().map(rows).collect(),
    }
}
