//! How much memory something takes.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Runs `work`; returns its result and the most bytes that were allocated on top of what there was.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = work();
    (result, ALLOCATOR.peak_usage().saturating_sub(before))
}

/// Runs `work`, which must not take more than `limit` bytes at a time.
pub fn within<T>(limit: usize, work: impl FnOnce() -> T) -> T {
    let (result, peak) = measure(work);
    assert!(peak <= limit, "{peak} bytes were allocated where {limit} are justified");
    result
}
