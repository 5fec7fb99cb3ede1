//! Proving keys: the fixed columns and permutation polynomials themselves (spec 01 §4.4).
//!
//! A key file also holds what follows from these: polynomials on the extended domain, and those that
//! single out rows. They are computed when a file is written, and not needed for a proof.

use crate::compiled::CompiledSystem;
use crate::error::KeyError;
use crate::permutation::Permutation;
use crate::verifying_key::VerifyingKey;
use ff::Field;
use std::sync::OnceLock;
use twain_algebra::domain::ZETA;
use twain_algebra::{Domain, Fr};
use twain_party::{PartyError, Watched};

/// What a prover holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvingKey {
    vk: VerifyingKey,
    fixed: ColumnPolynomials,
    sigma: ColumnPolynomials,
    permutation: Found<Option<Permutation>>,
}

/// What follows from the rest, once it has been asked for: two keys are the same whether it has or not.
#[derive(Clone, Debug)]
struct Found<T>(OnceLock<T>);

impl<T> PartialEq for Found<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Found<T> {}

/// Columns as values on the rows and as coefficients: `n` scalars each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnPolynomials {
    /// Values by column and row.
    pub values: Vec<Vec<Fr>>,
    /// Coefficients by column and power.
    pub coefficients: Vec<Vec<Fr>>,
    /// The extended form by column, coset ([`twain_party::coset_shifts`]) and row, if it is kept: a
    /// prover without it computes what it needs.
    pub cosets: Vec<Vec<Vec<Fr>>>,
}

impl ColumnPolynomials {
    /// From values; fails if a column does not have the domain's length, or if it is ended between two
    /// columns.
    pub fn from_values(
        values: Vec<Vec<Fr>>,
        domain: &Domain,
        watched: &Watched,
    ) -> Result<Self, KeyError> {
        check_lengths(&values, domain.n())?;
        let mut coefficients = values.clone();
        for column in &mut coefficients {
            watched.check().map_err(|_| KeyError::Cancelled)?;
            domain.intt(column);
        }
        Ok(Self { values, coefficients, cosets: Vec::new() })
    }
}

fn check_lengths(columns: &[Vec<Fr>], rows: usize) -> Result<(), KeyError> {
    match columns.iter().position(|column| column.len() != rows) {
        Some(index) => Err(KeyError::ColumnLength { index, rows, found: columns[index].len() }),
        None => Ok(()),
    }
}

/// The coefficients of the polynomials that single out rows (spec 01 §3.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPolynomials {
    /// 1 in row 0.
    pub first: Vec<Fr>,
    /// 1 in row `u`.
    pub last: Vec<Fr>,
    /// 1 in rows `0..u`.
    pub active: Vec<Fr>,
}

impl RowPolynomials {
    /// Those of a system.
    pub fn new(system: &CompiledSystem, domain: &Domain) -> Self {
        let usable = system.usable_rows();
        let indicator = |rows: std::ops::Range<usize>| {
            let mut values = vec![Fr::ZERO; domain.n()];
            values[rows].fill(Fr::ONE);
            domain.intt(&mut values);
            values
        };
        Self {
            first: indicator(0..1),
            last: indicator(usable..usable + 1),
            active: indicator(0..usable),
        }
    }
}

impl ProvingKey {
    /// Puts a key together; fails unless numbers and lengths are those of the verifying key's system.
    /// Whether the columns are those the verifying key commits to is not checked: a prover with a
    /// wrong key makes proofs that do not verify.
    pub fn new(
        vk: VerifyingKey,
        fixed: ColumnPolynomials,
        sigma: ColumnPolynomials,
    ) -> Result<Self, KeyError> {
        let system = vk.system();
        for (what, expected, columns) in [
            ("fixed columns", system.fixed_columns(), &fixed),
            ("permutation columns", system.permutation().len(), &sigma),
        ] {
            for part in [&columns.values, &columns.coefficients] {
                if part.len() != expected {
                    return Err(KeyError::Columns { what, expected, found: part.len() });
                }
                check_lengths(part, system.rows())?;
            }
            columns.cosets.iter().try_for_each(|cosets| check_lengths(cosets, system.rows()))?;
        }
        Ok(Self { vk, fixed, sigma, permutation: Found(OnceLock::new()) })
    }

    /// The verifying key.
    pub fn vk(&self) -> &VerifyingKey {
        &self.vk
    }

    /// The constraint system.
    pub fn system(&self) -> &CompiledSystem {
        self.vk.system()
    }

    /// The fixed columns, those of selectors included.
    pub fn fixed(&self) -> &ColumnPolynomials {
        &self.fixed
    }

    /// The permutation polynomials, in the order of the permutation columns.
    pub fn sigma(&self) -> &ColumnPolynomials {
        &self.sigma
    }

    /// The permutation of the cells of the permutation columns; none if the polynomials are those of none.
    ///
    /// # Errors
    /// [`PartyError::Cancelled`] while it is looked for.
    pub(crate) fn permutation(
        &self,
        domain: &Domain,
        watched: &Watched,
    ) -> Result<Option<&Permutation>, PartyError> {
        let Found(place) = &self.permutation;
        if let Some(found) = place.get() {
            return Ok(found.as_ref());
        }
        let found = Permutation::from_values(&self.sigma.values, domain, watched)?;
        Ok(place.get_or_init(|| found).as_ref())
    }
}

/// The extended form of a polynomial, coset by coset.
pub fn split_into_cosets(extended: &[Fr], rows: usize) -> Vec<Vec<Fr>> {
    let cosets = extended.len() / rows.max(1);
    let coset = |index| extended.iter().skip(index).step_by(cosets).copied().collect();
    (0..cosets).map(coset).collect()
}

/// The extended domain of a system, for writing key files.
pub struct ExtendedDomain {
    domain: Domain,
}

impl ExtendedDomain {
    /// That of the system.
    pub fn new(system: &CompiledSystem) -> Result<Self, KeyError> {
        let too_large = |_| KeyError::TooLarge { k: system.k(), degree: system.degree() };
        Ok(Self { domain: Domain::new(system.extended_k()).map_err(too_large)? })
    }

    /// Number of points.
    pub fn size(&self) -> usize {
        self.domain.n()
    }

    /// The values of a polynomial at `zeta W^i`, `W` the domain's generator; it has at most as many
    /// coefficients as the domain has points.
    pub fn values(&self, coefficients: &[Fr]) -> Vec<Fr> {
        self.domain.coset_ntt(coefficients, ZETA)
    }
}
