//! How the C library's allocator is set up: memory once obtained is kept for reuse.
//!
//! A prover frees and asks for vectors of the same few sizes all the time. By default such vectors
//! are pages of their own, which the system takes back and has to clear again: a third of a proof's
//! time went there (2^15 rows: 0.48 of 1.5 seconds of CPU, against 0.08, for 12 MB more at the
//! peak).
#![allow(unsafe_code)]

/// Keeps freed memory, where the C library can be told so; elsewhere nothing happens.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const GIB: libc::c_int = 1 << 30;
        let settings = [
            // Several arenas would each keep what the others could use.
            (libc::M_ARENA_MAX, 1),
            (libc::M_MMAP_THRESHOLD, GIB),
            (libc::M_TRIM_THRESHOLD, GIB),
            // Asking the system seldom.
            (libc::M_TOP_PAD, 1 << 26),
        ];
        for (parameter, value) in settings {
            // SAFETY: `mallopt` takes two integers, checks them, and may be called at any time; a
            // parameter it refuses stays as it is.
            unsafe { libc::mallopt(parameter, value) };
        }
    }
}
