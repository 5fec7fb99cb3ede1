//! What a user sees while a proof is made and after: the phase that runs, and a table of what each
//! phase took. Both come from the spans the prover opens.

use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::Registry;
use twain_mpc::channel::{Traffic, TrafficMeter};

/// What a phase took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Wall time.
    pub wall: Duration,
    /// Time of all threads.
    pub cpu: Duration,
    order: usize,
}

/// Collects the cost of each phase: the spans that are in no other span.
#[derive(Clone, Default)]
pub struct Phases {
    costs: Arc<Mutex<BTreeMap<&'static str, Cost>>>,
    bar: Option<ProgressBar>,
    json: bool,
}

struct Started(Instant, Duration);

impl Phases {
    /// A collector; `show`: with a line on the terminal that names the running phase; `json`: it
    /// tells the costs to a program.
    pub fn new(show: bool, json: bool) -> Self {
        let bar = show.then(|| {
            let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}");
            let bar = ProgressBar::new_spinner();
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        });
        Phases { costs: Arc::default(), bar, json }
    }

    /// The costs so far, in the order the phases first ended.
    pub fn costs(&self) -> Vec<(&'static str, Cost)> {
        let Ok(costs) = self.costs.lock() else { return Vec::new() };
        let mut costs: Vec<_> = costs.iter().map(|(name, cost)| (*name, *cost)).collect();
        costs.sort_by_key(|(_, cost)| cost.order);
        costs
    }

    /// Ends the line on the terminal.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Layer<Registry> for Phases {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, Registry>) {
        let Some(span) = context.span(id) else { return };
        if span.parent().is_some() {
            return;
        }
        span.extensions_mut().insert(Started(Instant::now(), process_cpu()));
        if let Some(bar) = &self.bar {
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.set_message(span.name());
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, Registry>) {
        let Some(span) = context.span(&id) else { return };
        let Some(Started(wall, cpu)) = span.extensions_mut().remove::<Started>() else { return };
        let Ok(mut costs) = self.costs.lock() else { return };
        let order = costs.len();
        let cost = costs.entry(span.name()).or_insert(Cost { order, ..Cost::default() });
        cost.wall += wall.elapsed();
        cost.cpu += process_cpu().saturating_sub(cpu);
    }
}

/// CPU time of this process so far, from `/proc` (zero where there is none), in steps of 10 ms.
pub fn process_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The process's name, in parentheses, may hold blanks; fields 14 and 15 of the line are ticks.
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// Largest resident memory of this process so far, in bytes (0 where the system does not say).
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    1024 * kilobytes.unwrap_or(0)
}

/// A number of bytes for people.
pub fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} B"),
        10_000..10_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}

/// Prints what each phase took: a table, or one line of JSON.
pub fn print_costs(phases: &Phases) {
    if phases.json {
        let costs = phases.costs().into_iter().map(|(name, cost)| {
            let (seconds, cpu) = (cost.wall.as_secs_f64(), cost.cpu.as_secs_f64());
            serde_json::json!({ "phase": name, "seconds": seconds, "cpu_seconds": cpu })
        });
        let line = serde_json::json!({
            "phases": costs.collect::<Vec<_>>(),
            "cpu_seconds": process_cpu().as_secs_f64(),
            "peak_memory": peak_memory(),
        });
        return eprintln!("{line}");
    }
    eprintln!("{:<28}{:>10}{:>12}", "phase", "seconds", "CPU seconds");
    let mut total = (Duration::ZERO, Duration::ZERO);
    for (name, cost) in phases.costs() {
        eprintln!("{name:<28}{:>10.3}{:>12.2}", cost.wall.as_secs_f64(), cost.cpu.as_secs_f64());
        total = (total.0 + cost.wall, total.1 + cost.cpu);
    }
    eprintln!("{:<28}{:>10.3}{:>12.2}", "sum", total.0.as_secs_f64(), total.1.as_secs_f64());
    eprintln!("peak memory {}", bytes(peak_memory()));
}

/// Prints what went over the link.
pub fn print_traffic(meter: &TrafficMeter) {
    eprintln!("{:<28}{:>12}{:>12}{:>8}", "traffic", "sent", "received", "rounds");
    let line = |name: &str, traffic: &Traffic| {
        let (sent, received) = (bytes(traffic.sent), bytes(traffic.received));
        eprintln!("{name:<28}{sent:>12}{received:>12}{:>8}", traffic.rounds);
    };
    meter.phases().iter().for_each(|(name, traffic)| line(name, traffic));
    line("sum", &meter.total());
}
