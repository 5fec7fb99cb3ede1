//! What the process has used, and numbers of bytes for people.

use std::time::Duration;

/// A number of bytes for people.
pub fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} B"),
        10_000..10_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}

/// What this process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time of all threads, in user and system mode.
    pub cpu: Duration,
    /// Largest resident memory, in bytes.
    pub peak_memory: u64,
}

impl Usage {
    /// As the operating system tells it; zeros where it does not.
    pub fn now() -> Self {
        #[cfg(unix)]
        {
            use nix::sys::resource::{UsageWho, getrusage};
            let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Self::default() };
            let time = |time: nix::sys::time::TimeVal| {
                Duration::from_secs(time.tv_sec().try_into().unwrap_or(0))
                    + Duration::from_micros(time.tv_usec().try_into().unwrap_or(0))
            };
            // Linux counts kilobytes, macOS bytes.
            let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
            Self {
                cpu: time(usage.user_time()) + time(usage.system_time()),
                peak_memory: u64::try_from(usage.max_rss()).unwrap_or(0) * unit,
            }
        }
        #[cfg(not(unix))]
        Self::default()
    }
}
