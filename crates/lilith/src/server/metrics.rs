//! Counts for operators, in the text form of Prometheus. What the database knows is asked there; what
//! only this process sees is counted here.

use super::app::App;
use crate::error::ServiceError;
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

    fn write(&self, name: &str, text: &mut String) {
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

/// All of it as text.
pub fn text(app: &App) -> Result<String, ServiceError> {
    let commands: Vec<(String, String, i64)> = app.database.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT state, json_extract(job, '$.command'), COUNT(*) FROM commands GROUP BY 1, 2",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })?;
    let mut text = String::from("# TYPE lilith_jobs gauge\n");
    for (state, command, count) in commands {
        let labels = format!("state=\"{state}\",command=\"{command}\"");
        let _ = writeln!(text, "lilith_jobs{{{labels}}} {count}");
    }
    let metrics = &app.metrics;
    metrics.ran.write("lilith_job_seconds", &mut text);
    metrics.waited.write("lilith_queue_seconds", &mut text);
    let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let mut one = |name: &str, kind: &str, value: u64| {
        let _ = writeln!(text, "# TYPE {name} {kind}\n{name} {value}");
    };
    one("lilith_attempts_lost_total", "counter", load(&metrics.lost));
    one("lilith_ports_used", "gauge", app.relay.held() as u64);
    one("lilith_relay_bytes_total", "counter", app.relay.carried());
    one("lilith_executor_up", "gauge", u64::from(app.executor.list_ours().is_ok()));
    let _ = writeln!(text, "# TYPE lilith_callbacks_total counter");
    for (result, count) in
        [("taken", &metrics.callbacks_taken), ("failed", &metrics.callbacks_failed)]
    {
        let _ = writeln!(text, "lilith_callbacks_total{{result=\"{result}\"}} {}", load(count));
    }
    let _ = writeln!(text, "# TYPE lilith_http_requests_total counter");
    for (class, count) in metrics.requests.iter().enumerate().skip(1) {
        let _ =
            writeln!(text, "lilith_http_requests_total{{status=\"{class}xx\"}} {}", load(count));
    }
    Ok(text)
}
