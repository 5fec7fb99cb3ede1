//! Scalar-field vectors, number-theoretic transforms (NTT) and multi-scalar multiplication (MSM)
//! over BN254: everything the prover spends its time in, and nothing it means.
//!
//! Types are those of `halo2curves` (same memory, same files). The arithmetic over long inputs is
//! our own: one algorithm per task, written over eight values at a time, with a portable
//! instantiation and one for AVX-512 IFMA. Both give the same bytes; [`backend`] says which runs.
//!
//! - [`vector`]: element-wise operations on long vectors, on all threads of the rayon pool;
//! - [`kernels`]: the same on short blocks and one thread, for evaluators with their own blocking;
//! - [`domain`]: roots of unity and the transforms between coefficients and values;
//! - [`mod@msm`]: sums of scalar multiples of points;
//! - [`group_transform`]: the inverse transform of a vector of points (SRS downsizing);
//! - [`signed_integer`]: the integer a scalar stands for;
//! - [`Interrupt`]: an early end of what takes longer than a moment.
//!
//! A length that does not fit is a mistake in the calling code and panics; what can come from a
//! file or a peer (the size of a domain, the size of a scalar) is an [`AlgebraError`].
//!
//! A commitment is the same from coefficients as from values:
//!
//! ```
//! use twain_algebra::{Domain, Fr, G1, G1Affine, g_lagrange_from_g, msm};
//!
//! # fn main() -> Result<(), twain_algebra::AlgebraError> {
//! let domain = Domain::new(4)?;
//! // Powers of a secret times the generator: an SRS of 16 points.
//! let secret = Fr::from(3);
//! let powers = std::iter::successors(Some(G1::generator()), |point| Some(point * secret));
//! let g: Vec<G1Affine> = powers.take(domain.n()).map(G1Affine::from).collect();
//! let g_lagrange = g_lagrange_from_g(&g)?;
//!
//! let coefficients: Vec<Fr> = (0..16).map(Fr::from).collect();
//! let mut values = coefficients.clone();
//! domain.ntt(&mut values);
//! assert_eq!(msm(&coefficients, &g), msm(&values, &g_lagrange));
//! # Ok(())
//! # }
//! ```

pub mod domain;
pub mod group_transform;
pub mod kernels;
pub mod msm;
pub mod vector;

mod backend;
mod error;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod integers;
mod interrupt;
mod lanes;
mod ntt;
mod scratch;
mod tiles;

pub use backend::{Backend, backend};
pub use domain::Domain;
pub use error::AlgebraError;
pub use group_transform::{g_lagrange_from_g, g_lagrange_unless};
pub use halo2curves::bn256::{Bn256, Fq, Fr, G1, G1Affine, G2, G2Affine};
pub use integers::signed_integer;
pub use interrupt::{Interrupt, Uninterrupted};
pub use msm::{MsmBases, msm, msm_bounded};

use ff::Field;

/// Overwrites secrets with zeros. The fence and the opaque read keep the compiler from dropping the
/// writes of a vector that is about to be freed.
pub fn erase(values: &mut [Fr]) {
    values.fill(Fr::ZERO);
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    std::hint::black_box(values);
}
