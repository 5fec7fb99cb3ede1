//! Slow checks and benchmarks.
fn main() {}
