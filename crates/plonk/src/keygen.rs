//! Key generation: from a laid-out circuit to its proving and verifying key (spec 01 §4).

use crate::assembly::{Assembly, BitRows};
use crate::compiled::{CompiledSystem, SelectorColumn};
use crate::constraint_system::ConstraintSystem;
use crate::error::KeyError;
use crate::permutation::Permutation;
use crate::proving_key::{ColumnPolynomials, ProvingKey};
use crate::srs::Srs;
use crate::verifying_key::VerifyingKey;
use ff::Field;
use group::Curve;
use twain_algebra::domain::DELTA;
use twain_algebra::{Domain, Fr, G1, G1Affine, vector};
use twain_party::Watched;

/// Makes the keys of a circuit; a function of its arguments only. The SRS has exactly the circuit's
/// number of rows ([`Srs::downsize`]).
pub fn generate_keys(
    configured: ConstraintSystem,
    assembly: Assembly,
    srs: &Srs,
    compress_selectors: bool,
) -> Result<ProvingKey, KeyError> {
    generate_keys_watched(configured, assembly, srs, compress_selectors, &Watched::default())
}

/// The same for a session that can be ended early.
///
/// # Errors
/// As [`generate_keys`], and [`KeyError::Cancelled`].
pub fn generate_keys_watched(
    configured: ConstraintSystem,
    assembly: Assembly,
    srs: &Srs,
    compress_selectors: bool,
    watched: &Watched,
) -> Result<ProvingKey, KeyError> {
    if srs.k() != assembly.k {
        return Err(KeyError::SrsSize { circuit: assembly.k, srs: srs.k() });
    }
    let Columns { system, domain, selectors, selector_columns, fixed, permutation, sigma } =
        Columns::new(configured, assembly, compress_selectors, watched)?;
    let fixed = ColumnPolynomials::from_values(fixed, &domain, watched)?;
    let commit = |column: &Vec<Fr>| commit(srs, column, watched).map(|point| point.to_affine());
    let fixed_commitments = fixed.values.iter().map(commit).collect::<Result<_, _>>()?;
    let sigma = ColumnPolynomials::from_values(sigma, &domain, watched)?;
    let permutation_commitments =
        commit_permutation(&permutation, &sigma.values, &domain, srs, watched)?;

    let selectors = if compress_selectors { selectors } else { Vec::new() };
    let vk = VerifyingKey::from_compiled(
        system,
        selectors,
        selector_columns,
        fixed_commitments,
        permutation_commitments,
    )?;
    ProvingKey::new(vk, fixed, sigma)
}

/// Fails unless the values of a key's columns are those that the circuit gives. A proof made with another key can verify, by that key, and tell something of
/// the witness: in a pair the peer may have handed the key over.
///
/// # Errors
/// [`KeyError::OtherCircuit`]; a circuit of which no key can be made; [`KeyError::Cancelled`].
pub fn check_key(
    key: &ProvingKey,
    configured: &ConstraintSystem,
    assembly: &Assembly,
    watched: &Watched,
) -> Result<(), KeyError> {
    let compress = key.vk().parts().compress_selectors;
    let Columns { fixed, sigma, .. } =
        Columns::new(configured.clone(), assembly.clone(), compress, watched)?;
    match fixed == key.fixed().values && sigma == key.sigma().values {
        true => Ok(()),
        false => Err(KeyError::OtherCircuit),
    }
}

/// What a circuit alone says of its key.
struct Columns {
    system: CompiledSystem,
    domain: Domain,
    selectors: Vec<BitRows>,
    selector_columns: Vec<SelectorColumn>,
    fixed: Vec<Vec<Fr>>,
    permutation: Permutation,
    sigma: Vec<Vec<Fr>>,
}

impl Columns {
    fn new(
        configured: ConstraintSystem,
        assembly: Assembly,
        compress_selectors: bool,
        watched: &Watched,
    ) -> Result<Self, KeyError> {
        let check = || watched.check().map_err(|_| KeyError::Cancelled);
        let Assembly { k, mut fixed, selectors, copies } = assembly;
        let (expected, found) = (configured.fixed_columns(), fixed.len());
        if found != expected {
            return Err(KeyError::Columns { what: "fixed columns", expected, found });
        }
        let (expected, found) = (configured.selectors().len(), selectors.len());
        if found != expected {
            return Err(KeyError::SelectorCount { expected, found });
        }
        let (system, selector_columns) =
            CompiledSystem::new(configured, k, &selectors, compress_selectors)?;
        let domain =
            Domain::new(k).map_err(|_| KeyError::TooLarge { k, degree: system.degree() })?;
        let usable = system.usable_rows();
        let outside = |rows: &BitRows| rows.iter().any(|row| row >= usable);
        if let Some(index) = selectors.iter().position(outside) {
            return Err(KeyError::SelectorOutside { index, usable });
        }
        for column in &selector_columns {
            check()?;
            fixed.push(column.values(&selectors, system.rows()));
        }
        let permutation =
            Permutation::new(system.permutation(), system.rows(), usable, &copies, watched)?;
        check()?;
        let sigma = permutation.values(&domain);
        check()?;
        Ok(Self { system, domain, selectors, selector_columns, fixed, permutation, sigma })
    }
}

/// Commits to values on the rows.
fn commit(srs: &Srs, values: &[Fr], watched: &Watched) -> Result<G1, KeyError> {
    // It fails in no other way.
    srs.g_lagrange().msm_unless(values, watched).map_err(|_| KeyError::Cancelled)
}

/// Commits to permutation polynomials. Where no cell is moved, the polynomial at position `i` is
/// `delta^i X`, whose commitment is a multiple of the SRS's second power; only the differences in
/// moved rows need a multiplication each.
fn commit_permutation(
    permutation: &Permutation,
    values: &[Vec<Fr>],
    domain: &Domain,
    srs: &Srs,
    watched: &Watched,
) -> Result<Vec<G1Affine>, KeyError> {
    let roots = vector::powers(domain.omega(), domain.n());
    let second_power = srs.g().point(1);
    let mut delta = Fr::ONE;
    let mut commitments = Vec::with_capacity(values.len());
    for (position, column) in values.iter().enumerate() {
        let moved = permutation.moved_rows(position);
        let mut differences = vec![Fr::ZERO; column.len()];
        moved.iter().for_each(|row| differences[*row] = column[*row] - delta * roots[*row]);
        let unmoved: G1 = second_power * delta;
        commitments.push((unmoved + commit(srs, &differences, watched)?).to_affine());
        delta *= DELTA;
    }
    Ok(commitments)
}
