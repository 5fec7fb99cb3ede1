//! Scalar-field vectors, NTT and multi-scalar multiplication over BN254.

pub use halo2curves::bn256::{Bn256, Fq, Fr, G1, G1Affine, G2, G2Affine};

use ff::Field;

/// Overwrites secrets with zeros. The fence and the opaque read keep the compiler from dropping the
/// writes of a vector that is about to be freed.
pub fn erase(values: &mut [Fr]) {
    values.fill(Fr::ZERO);
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    std::hint::black_box(values);
}
