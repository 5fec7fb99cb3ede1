//! One word or eight at a time: every bulk computation is written once, over [`Lanes`], and runs
//! either on plain words or on the eight lanes of AVX-512 IFMA, whichever the processor has. Both
//! compute the same numbers: an operation here is defined by what it does to a word.

#[cfg(target_arch = "x86_64")]
mod ifma;
mod operations;
mod scalar;

pub use operations::{Kernel, Lanes};
pub use scalar::Scalar;

#[cfg(target_arch = "x86_64")]
use twain_algebra::{Backend, backend};

/// Runs a computation on the widest lanes there are.
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if backend() == Backend::Ifma && ifma::is_available() {
        return ifma::run(kernel);
    }
    kernel.run::<Scalar>()
}

/// The vectors' result, if the processor has them: for tests against [`Scalar`].
#[cfg(test)]
pub fn run_vectors<K: Kernel>(kernel: K) -> Option<K::Output> {
    #[cfg(target_arch = "x86_64")]
    if ifma::is_available() {
        return Some(ifma::run(kernel));
    }
    let _ = kernel;
    None
}
