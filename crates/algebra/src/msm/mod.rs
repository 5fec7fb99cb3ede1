//! Multi-scalar multiplication (MSM): `Σ scalars[i] · bases[i]`.
//!
//! Two ways to treat the scalars. [`msm`] looks at them and saves work on zeros and short values:
//! for public values and for a prover alone. [`msm_bounded`] is told a bound and does the work that
//! the bound asks for, whatever the values: for a party whose timing its peer can see. (Not yet so:
//! until the own bucket method is in, both run the same code.)

use ff::PrimeField;
use group::Group;
use halo2curves::msm::msm_best;

use crate::{AlgebraError, Fr, G1, G1Affine};

/// Bases prepared for many multiplications.
pub struct MsmBases {
    points: Vec<G1Affine>,
}

impl MsmBases {
    /// Prepares the bases; costs about a hundredth of a multiplication.
    pub fn new(bases: &[G1Affine]) -> Self {
        Self { points: bases.to_vec() }
    }

    /// Number of bases.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are no bases.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// `Σ scalars[i] · bases[i]` over the first bases, as many as there are scalars. Faster for
    /// zeros and short scalars (or negatives of short ones).
    ///
    /// # Panics
    /// If there are more scalars than bases; likewise in the other multiplications.
    pub fn msm(&self, scalars: &[Fr]) -> G1 {
        msm(scalars, &self.points[..scalars.len()])
    }

    /// `Σ scalars[i] · bases[i]` for scalars in `[0, 2^bits)` or negatives of such, in a time that
    /// depends on `bits` and the number of scalars only. Fails if a scalar is longer.
    pub fn msm_bounded(&self, scalars: &[Fr], bits: u32) -> Result<G1, AlgebraError> {
        msm_bounded(scalars, &self.points[..scalars.len()], bits)
    }
}

/// `Σ scalars[i] · bases[i]`; see [`MsmBases::msm`].
///
/// # Panics
/// If there are not as many scalars as bases.
pub fn msm(scalars: &[Fr], bases: &[G1Affine]) -> G1 {
    assert_eq!(scalars.len(), bases.len(), "as many scalars as bases");
    if scalars.is_empty() { G1::identity() } else { msm_best(scalars, bases) }
}

/// `Σ scalars[i] · bases[i]` for scalars in `[0, 2^bits)` or negatives of such; see
/// [`MsmBases::msm_bounded`].
///
/// # Panics
/// If there are not as many scalars as bases.
pub fn msm_bounded(scalars: &[Fr], bases: &[G1Affine], bits: u32) -> Result<G1, AlgebraError> {
    let short = |scalar: &Fr| {
        let bytes = scalar.to_repr();
        let highest = bytes.as_ref().iter().rposition(|byte| *byte != 0);
        highest
            .is_none_or(|byte| byte as u32 * 8 + 8 - bytes.as_ref()[byte].leading_zeros() <= bits)
    };
    if !scalars.iter().all(|scalar| short(scalar) || short(&-scalar)) {
        return Err(AlgebraError::ScalarTooLong { bits });
    }
    Ok(msm(scalars, bases))
}
