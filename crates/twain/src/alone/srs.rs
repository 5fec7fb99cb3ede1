//! `gen-srs` and `get-srs`.

use super::load_settings;
use crate::error::Error;
use crate::files;
use crate::observe::Run;
use ff::{Field, PrimeField};
use group::prime::PrimeCurveAffine;
use group::{Curve, Group};
use rand_core::OsRng;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use twain_algebra::{Domain, Fr, G1, G1Affine, G2Affine, vector};
use twain_artifacts::srs::{MAX_K, PointCheck, Powers, PowersOfTau, SrsFile, check, write_srs};
use twain_party::{PartyError, Watched};

/// Makes an SRS from a fresh secret, which this process then forgets: no ceremony, hence for tests.
pub fn generate(path: &Path, k: u32, run: &Run) -> Result<(), Error> {
    if k > MAX_K {
        return Err(Error::Usage(format!("--logrows {k}: at most {MAX_K} is possible")));
    }
    let secret = [Fr::random(OsRng)];
    let mut powers = vector::powers(secret[0], 1 << k);
    let watched = run.watched();
    let g = multiples_of_generator(&powers, &watched)?;
    let domain = Domain::new(k).map_err(|e| Error::Usage(e.to_string()))?;
    // L_i(s) = 1/n sum_j w^(-ij) s^j: the inverse transform of the powers.
    domain.intt(&mut powers);
    let g_lagrange = multiples_of_generator(&powers, &watched)?;
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
) -> Result<String, Error> {
    let k = match logrows {
        Some(k) => k,
        None => load_settings(settings)?.run_args.logrows,
    };
    let (g, g2, s_g2, what) = if from.extension().is_some_and(|extension| extension == "ptau") {
        let file = PowersOfTau::open(from)?;
        let what = format!("from a Powers-of-Tau ceremony of 2^{} powers", file.power());
        (file.g(k, PointCheck::OnCurve)?, file.g2(), file.s_g2(), what)
    } else {
        let file = SrsFile::open(from)?;
        let what = "from a raw SRS, which does not name its ceremony".to_string();
        (file.g(k, PointCheck::OnCurve)?, file.g2(), file.s_g2(), what)
    };
    let powers = Powers { g: &g, g_lagrange: None, g2: &g2, s_g2: &s_g2 };
    check(&powers, &mut OsRng).map_err(|error| Error::file(from, error))?;
    let g_lagrange = twain_algebra::g_lagrange_from_g(&g).map_err(|e| Error::file(from, e))?;
    let to = files::srs_path(&to, k)?;
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::file(folder, error))?;
    }
    write_srs(&to, &g, &g_lagrange, &g2, &s_g2)?;
    Ok(format!("{}: {what}; checked: 2^{k} powers of one secret, on the curve", to.display()))
}
