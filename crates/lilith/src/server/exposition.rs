//! Counts for operators, in the text form of Prometheus: what this process counted
//! ([`super::metrics`]), and what the database knows.

use super::app::App;
use crate::database::Project;
use crate::error::ServiceError;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

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
    text.push_str("# TYPE lilith_storage_bytes gauge\n");
    for project in app.database.read(Project::all)? {
        let bytes: u64 =
            app.files(&project.name, None)?.list()?.iter().map(|file| file.bytes).sum();
        let _ = writeln!(text, "lilith_storage_bytes{{project=\"{}\"}} {bytes}", project.name);
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
