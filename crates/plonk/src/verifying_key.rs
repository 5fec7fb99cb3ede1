//! Verifying keys (spec 01 §4.4): commitments to the fixed part of a circuit, with the constraint
//! system they belong to.

use crate::assembly::BitRows;
use crate::compiled::{CompiledSystem, SelectorColumn};
use crate::constraint_system::ConstraintSystem;
use crate::error::KeyError;
use crate::key_hash;
use group::Curve;
use halo2curves::CurveAffine;
use twain_algebra::{Fr, G1Affine, Interrupt, MsmBases};

/// What a verifier holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    system: CompiledSystem,
    selectors: Vec<BitRows>,
    selector_columns: Vec<SelectorColumn>,
    fixed_commitments: Vec<G1Affine>,
    permutation_commitments: Vec<G1Affine>,
    transcript_repr: Fr,
}

/// A verifying key as files hold it: without the constraint system, which the settings determine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKeyParts {
    /// log2 of the number of rows.
    pub k: u32,
    /// Whether selectors share fixed columns.
    pub compress_selectors: bool,
    /// Commitments to the fixed columns, those of selectors included.
    pub fixed_commitments: Vec<G1Affine>,
    /// Commitments to the permutation polynomials.
    pub permutation_commitments: Vec<G1Affine>,
    /// Rows where each selector is on; empty without compression.
    pub selectors: Vec<BitRows>,
}

impl VerifyingKey {
    /// Puts a key together; fails unless numbers and sizes are those of the configured system and all
    /// commitments are on the curve.
    pub fn new(configured: ConstraintSystem, parts: VerifyingKeyParts) -> Result<Self, KeyError> {
        let VerifyingKeyParts { k, compress_selectors, selectors, .. } = parts;
        let (system, columns) = CompiledSystem::new(configured, k, &selectors, compress_selectors)?;
        Self::from_compiled(
            system,
            selectors,
            columns,
            parts.fixed_commitments,
            parts.permutation_commitments,
        )
    }

    pub(crate) fn from_compiled(
        system: CompiledSystem,
        selectors: Vec<BitRows>,
        selector_columns: Vec<SelectorColumn>,
        fixed_commitments: Vec<G1Affine>,
        permutation_commitments: Vec<G1Affine>,
    ) -> Result<Self, KeyError> {
        check_points("fixed columns", system.fixed_columns(), &fixed_commitments)?;
        check_points("permutation columns", system.permutation().len(), &permutation_commitments)?;
        let transcript_repr =
            key_hash::representative(&system, &fixed_commitments, &permutation_commitments);
        Ok(Self {
            system,
            selectors,
            selector_columns,
            fixed_commitments,
            permutation_commitments,
            transcript_repr,
        })
    }

    /// Fails unless the selectors' rows are those the key commits to. Verification needs of the rows
    /// only which selectors share a column, so it does not notice another row. `g_lagrange` are the
    /// SRS's commitments to the rows.
    ///
    /// # Errors
    /// Other rows, an SRS of another size, or [`KeyError::Cancelled`].
    pub fn check_selectors(
        &self,
        g_lagrange: &MsmBases,
        interrupt: &dyn Interrupt,
    ) -> Result<(), KeyError> {
        if g_lagrange.len() != self.system.rows() {
            let srs = g_lagrange.len().checked_ilog2().unwrap_or(0);
            return Err(KeyError::SrsSize { circuit: self.system.k(), srs });
        }
        if !self.system.is_compressed() {
            return Ok(());
        }
        let commitments = self.fixed_commitments.iter().rev();
        for (column, commitment) in self.selector_columns.iter().rev().zip(commitments) {
            let values = column.values(&self.selectors, self.system.rows());
            // It fails in no other way.
            let sum = g_lagrange.msm_unless(&values, interrupt).map_err(|_| KeyError::Cancelled)?;
            if sum.to_affine() != *commitment {
                return Err(KeyError::SelectorRows);
            }
        }
        Ok(())
    }

    /// The parts that files hold.
    pub fn parts(&self) -> VerifyingKeyParts {
        let compress_selectors = self.system.is_compressed();
        VerifyingKeyParts {
            k: self.system.k(),
            compress_selectors,
            fixed_commitments: self.fixed_commitments.clone(),
            permutation_commitments: self.permutation_commitments.clone(),
            selectors: if compress_selectors { self.selectors.clone() } else { Vec::new() },
        }
    }

    /// The constraint system.
    pub fn system(&self) -> &CompiledSystem {
        &self.system
    }

    /// Commitments to the fixed columns, those of selectors included.
    pub fn fixed_commitments(&self) -> &[G1Affine] {
        &self.fixed_commitments
    }

    /// Commitments to the permutation polynomials, in the order of the permutation columns.
    pub fn permutation_commitments(&self) -> &[G1Affine] {
        &self.permutation_commitments
    }

    /// The scalar that stands for the key in the transcript.
    pub fn transcript_repr(&self) -> Fr {
        self.transcript_repr
    }
}

fn check_points(what: &'static str, expected: usize, points: &[G1Affine]) -> Result<(), KeyError> {
    if points.len() != expected {
        return Err(KeyError::Commitments { what, expected, found: points.len() });
    }
    match points.iter().position(|point| !bool::from(point.is_on_curve())) {
        Some(index) => Err(KeyError::NotOnCurve { what, index }),
        None => Ok(()),
    }
}
