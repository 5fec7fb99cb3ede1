//! The implementation for processors with AVX-512 and its 52-bit integer multiply-add (IFMA).
//!
//! Everything here compiles to functions that need these instructions, so it is reached only after
//! [`available`] said yes. Arithmetic is written in `#[inline(always)]` functions; the few
//! functions that the rest of the crate calls carry `#[target_feature]` and become one body each.

pub(crate) mod base;
pub(crate) mod kernels;
pub(crate) mod limbs;
pub(crate) mod scalar;
pub(crate) mod transform;

/// Whether this processor has the instructions.
pub(crate) fn available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512ifma")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
}
