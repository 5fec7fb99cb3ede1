//! Which implementation runs, decided once per process from the processor and the environment.

use std::sync::OnceLock;

/// An implementation of the vector arithmetic. All give the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// 64-bit integers, any processor.
    Portable,
    /// AVX-512 with the 52-bit integer multiply-add instructions (IFMA), eight values at a time.
    Ifma,
}

impl Backend {
    /// Short name for logs and benchmark reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Ifma => "avx512-ifma",
        }
    }
}

/// The implementation in use: the fastest that this processor has, or the portable one if the
/// environment variable `TWAIN_PORTABLE` is `1` at the first call.
pub fn backend() -> Backend {
    static BACKEND: OnceLock<Backend> = OnceLock::new();
    *BACKEND.get_or_init(|| {
        let forced = std::env::var_os("TWAIN_PORTABLE").is_some_and(|value| value == "1");
        if !forced && ifma_available() { Backend::Ifma } else { Backend::Portable }
    })
}

/// Whether this processor runs the IFMA kernels.
pub(crate) fn ifma_available() -> bool {
    #[cfg(target_arch = "x86_64")]
    return crate::ifma::available();
    #[cfg(not(target_arch = "x86_64"))]
    false
}
