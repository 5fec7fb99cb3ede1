//! Counts of what only this process sees.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

const BOUNDS: [f64; 7] = [0.1, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0];

/// How many took how long.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    milliseconds: AtomicU64,
}

impl Histogram {
    /// Adds one that took so long.
    pub fn add(&self, milliseconds: i64) {
        let milliseconds = u64::try_from(milliseconds).unwrap_or(0);
        let seconds = milliseconds as f64 / 1000.0;
        for (bucket, bound) in self.buckets.iter().zip(BOUNDS) {
            if seconds <= bound {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.milliseconds.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// Adds it to a text in the form of Prometheus.
    pub fn write(&self, name: &str, text: &mut String) {
        let count = self.count.load(Ordering::Relaxed);
        let sum = self.milliseconds.load(Ordering::Relaxed) as f64 / 1000.0;
        let _ = writeln!(text, "# TYPE {name} histogram");
        for (bucket, bound) in self.buckets.iter().zip(BOUNDS) {
            let number = bucket.load(Ordering::Relaxed);
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {number}");
        }
        let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(text, "{name}_sum {sum}\n{name}_count {count}");
    }
}

/// The counts.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Requests answered, by the first digit of their status.
    pub requests: [AtomicU64; 6],
    /// Attempts whose process was gone without a result.
    pub lost: AtomicU64,
    /// Callbacks that were taken.
    pub callbacks_taken: AtomicU64,
    /// Tries of callbacks that failed.
    pub callbacks_failed: AtomicU64,
    /// How long commands ran.
    pub ran: Histogram,
    /// How long they waited for a slot.
    pub waited: Histogram,
}
