//! `gen-srs` and `get-srs`.

use super::load_settings;
use crate::ceremony::CeremonyFile;
use crate::error::Error;
use crate::files;
use crate::observe::Run;
use ff::{Field, PrimeField};
use group::prime::PrimeCurveAffine;
use group::{Curve, Group};
use rand_core::OsRng;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use twain_algebra::{AlgebraError, Domain, Fr, G1, G1Affine, G2Affine, g_lagrange_unless, vector};
use twain_artifacts::srs::{
    MAX_K, PointCheck, Powers, PowersOfTau, SrsError, SrsFile, check, write_srs,
};
use twain_artifacts::{ArtifactKind, Destination};
use twain_party::{PartyError, Watched};

/// Makes an SRS from a fresh secret, which this process then forgets: no ceremony, hence for tests.
pub fn generate(path: &Path, k: u32, run: &Run) -> Result<(), Error> {
    if k > MAX_K {
        return Err(Error::Usage(format!("--logrows {k}: at most {MAX_K} is possible")));
    }
    // What stands in the way is found before the work.
    drop(Destination::open(path, ArtifactKind::Srs)?);
    let secret = [Fr::random(OsRng)];
    let mut powers = vector::powers(secret[0], 1 << k);
    let watched = run.watched();
    let g = multiples_of_generator(&powers, &watched)?;
    let domain = Domain::new(k).map_err(|e| Error::Usage(e.to_string()))?;
    // L_i(s) = 1/n sum_j w^(-ij) s^j: the inverse transform of the powers.
    domain.intt(&mut powers);
    let g_lagrange = multiples_of_generator(&powers, &watched)?;
    watched.check()?;
    let s_g2 = (G2Affine::generator() * secret[0]).to_affine();
    twain_algebra::erase(&mut powers);
    write_srs(path, &g, &g_lagrange, &G2Affine::generator(), &s_g2)?;
    run.warn(format!(
        "{}: a test SRS; whoever knew its secret could forge proofs: use get-srs for a real one",
        path.display()
    ));
    Ok(())
}

/// Fixed-base multiples, from tables of the generator's multiples for 32 windows of 8 bits.
fn multiples_of_generator(scalars: &[Fr], watched: &Watched) -> Result<Vec<G1Affine>, PartyError> {
    let normalize = |points: &[G1]| {
        let mut affine = vec![G1Affine::identity(); points.len()];
        G1::batch_normalize(points, &mut affine);
        affine
    };
    let mut base = G1::generator();
    let mut tables = Vec::with_capacity(32);
    for _ in 0..32 {
        let multiples: Vec<G1> =
            std::iter::successors(Some(G1::identity()), |m| Some(m + base)).take(257).collect();
        base = multiples[256];
        tables.push(normalize(&multiples[..256]));
    }
    let multiple = |scalar: &Fr| -> G1 {
        let bytes = scalar.to_repr();
        let digits = bytes.as_ref().iter().zip(&tables);
        digits.fold(G1::identity(), |sum, (digit, table)| sum + table[usize::from(*digit)])
    };
    let multiples = |chunk: &[Fr]| -> Result<Vec<G1Affine>, PartyError> {
        watched.check()?;
        Ok(normalize(&chunk.iter().map(multiple).collect::<Vec<_>>()))
    };
    let chunks = scalars.par_chunks(1 << 10).map(multiples);
    Ok(chunks.collect::<Result<Vec<Vec<G1Affine>>, PartyError>>()?.concat())
}

/// Imports a ceremony's powers after checking them: on the curve, powers of one secret. What was
/// imported, in a line.
pub fn import(
    from: &Path,
    to: Option<PathBuf>,
    settings: &Path,
    logrows: Option<u32>,
    run: &Run,
) -> Result<String, Error> {
    let k = rows(settings, logrows)?;
    let is_ptau = from.extension().is_some_and(|extension| extension == "ptau");
    import_rows(from, is_ptau, &files::srs_path(&to, k)?, k, &run.watched())
}

/// log2 of the rows asked for, or else the settings'.
fn rows(settings: &Path, logrows: Option<u32>) -> Result<u32, Error> {
    match logrows {
        Some(k) => Ok(k),
        None => Ok(load_settings(settings)?.run_args.logrows),
    }
}

/// Downloads a ceremony's powers, from a mirror if one is named, and imports them as [`import`]
/// does; what was imported, in a line.
pub fn download(
    mirror: Option<&str>,
    to: Option<PathBuf>,
    settings: &Path,
    logrows: Option<u32>,
    run: &Run,
) -> Result<String, Error> {
    let k = rows(settings, logrows)?;
    let to = files::srs_path(&to, k)?;
    download_file(&CeremonyFile::for_rows(k)?, mirror, &to, k, run)
}

/// The same of one file, for `2^k` rows. It is kept beside the SRS until it is whole and has been
/// imported.
pub fn download_file(
    file: &CeremonyFile,
    mirror: Option<&str>,
    to: &Path,
    k: u32,
    run: &Run,
) -> Result<String, Error> {
    let folder = to.parent().unwrap_or(Path::new(""));
    let part = file.download(mirror, folder, run)?;
    let imported = import_rows(&part, true, to, k, &run.watched())?;
    std::fs::remove_file(&part).map_err(|error| Error::file(&part, error))?;
    Ok(imported)
}

fn import_rows(
    from: &Path,
    is_ptau: bool,
    to: &Path,
    k: u32,
    watched: &Watched,
) -> Result<String, Error> {
    let (g, g2, s_g2, what) = if is_ptau {
        let file = PowersOfTau::open(from)?.interrupted_by(watched.clone());
        let what = format!("from a Powers-of-Tau ceremony of 2^{} powers", file.power());
        (file.g(k, PointCheck::OnCurve)?, file.g2(), file.s_g2(), what)
    } else {
        let file = SrsFile::open(from)?.interrupted_by(watched.clone());
        let what =
            "from a raw SRS, which names no ceremony: if it is a test SRS (gen-srs), or you \
                    cannot tell, whoever knows its secret could forge proofs"
                .to_string();
        (file.g(k, PointCheck::OnCurve)?, file.g2(), file.s_g2(), what)
    };
    let powers = Powers { g: &g, g_lagrange: None, g2: &g2, s_g2: &s_g2 };
    check(&powers, &mut OsRng, watched).map_err(|error| match error {
        SrsError::Cancelled => PartyError::Cancelled.into(),
        error => Error::file(from, error),
    })?;
    let g_lagrange = g_lagrange_unless(&g, watched).map_err(|error| match error {
        AlgebraError::Interrupted => PartyError::Cancelled.into(),
        error => Error::file(from, error),
    })?;
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::file(folder, error))?;
    }
    write_srs(to, &g, &g_lagrange, &g2, &s_g2)?;
    Ok(format!("{}: {what}; checked: 2^{k} powers of one secret, on the curve", to.display()))
}
