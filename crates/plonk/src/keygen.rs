//! Key generation: from a laid-out circuit to its proving and verifying key (spec 01 §4).

use crate::assembly::Assembly;
use crate::compiled::CompiledSystem;
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

/// Makes the keys of a circuit; a function of its arguments only. The SRS has exactly the circuit's
/// number of rows ([`Srs::downsize`]).
pub fn generate_keys(
    configured: ConstraintSystem,
    assembly: Assembly,
    srs: &Srs,
    compress_selectors: bool,
) -> Result<ProvingKey, KeyError> {
    let Assembly { k, fixed: mut fixed_values, selectors, copies } = assembly;
    if srs.k() != k {
        return Err(KeyError::SrsSize { circuit: k, srs: srs.k() });
    }
    let (expected, found) = (configured.fixed_columns(), fixed_values.len());
    if found != expected {
        return Err(KeyError::Columns { what: "fixed columns", expected, found });
    }
    let (expected, found) = (configured.selectors().len(), selectors.len());
    if found != expected {
        return Err(KeyError::SelectorCount { expected, found });
    }
    let (system, selector_columns) =
        CompiledSystem::new(configured, k, &selectors, compress_selectors)?;
    let domain = Domain::new(k).map_err(|_| KeyError::TooLarge { k, degree: system.degree() })?;
    let usable = system.usable_rows();
    let outside = |rows: &crate::BitRows| rows.iter().any(|row| row >= usable);
    if let Some(index) = selectors.iter().position(outside) {
        return Err(KeyError::SelectorOutside { index, usable });
    }

    let new = selector_columns.iter().map(|column| column.values(&selectors, system.rows()));
    fixed_values.extend(new);
    let fixed = ColumnPolynomials::from_values(fixed_values, &domain)?;
    let commit = |column: &Vec<Fr>| srs.commit_lagrange(column);
    let fixed_commitments = fixed.values.iter().map(commit).collect();

    let permutation = Permutation::new(system.permutation(), system.rows(), usable, &copies)?;
    drop(copies);
    let sigma = ColumnPolynomials::from_values(permutation.values(&domain), &domain)?;
    let permutation_commitments = commit_permutation(&permutation, &sigma.values, &domain, srs);

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

/// Commits to permutation polynomials. Where no cell is moved, the polynomial at position `i` is
/// `delta^i X`, whose commitment is a multiple of the SRS's second power; only the differences in
/// moved rows need a multiplication each.
fn commit_permutation(
    permutation: &Permutation,
    values: &[Vec<Fr>],
    domain: &Domain,
    srs: &Srs,
) -> Vec<G1Affine> {
    let roots = vector::powers(domain.omega(), domain.n());
    let second_power = srs.g().point(1);
    let mut delta = Fr::ONE;
    let mut commitments = Vec::with_capacity(values.len());
    for (position, column) in values.iter().enumerate() {
        let moved = permutation.moved_rows(position);
        let mut differences = vec![Fr::ZERO; column.len()];
        moved.iter().for_each(|row| differences[*row] = column[*row] - delta * roots[*row]);
        let unmoved: G1 = second_power * delta;
        commitments.push((unmoved + srs.g_lagrange().msm(&differences)).to_affine());
        delta *= DELTA;
    }
    commitments
}
