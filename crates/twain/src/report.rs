//! What a user sees while a proof is made and after: a bar for each phase, and a table of what each
//! phase took. Both come from the spans the prover opens.

mod bars;

use bars::Bars;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::Registry;
use twain_link::channel::{Traffic, TrafficTotals};

/// What a phase took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Wall time.
    pub wall: Duration,
    /// Time of all threads.
    pub cpu: Duration,
    /// What went over the link.
    pub traffic: Traffic,
    /// Largest resident memory so far when it last ended, in bytes.
    pub peak_memory: u64,
    order: usize,
}

/// Collects the cost of each phase: the spans that are in no other span.
#[derive(Clone, Default)]
pub struct Phases {
    costs: Arc<Mutex<BTreeMap<&'static str, Cost>>>,
    link: Arc<OnceLock<TrafficTotals>>,
    /// Bytes both ways that each phase is expected to carry.
    expected: Arc<OnceLock<BTreeMap<&'static str, u64>>>,
    bars: Option<Arc<Bars>>,
    json: bool,
}

/// The state of things when a phase began.
struct Started {
    at: Instant,
    cpu: Duration,
    traffic: Traffic,
}

impl Phases {
    /// A collector; `show`: with a bar on the terminal for each phase; `json`: it tells the costs to a
    /// program.
    pub fn new(show: bool, json: bool) -> Self {
        Phases { json, bars: show.then(Arc::default), ..Phases::default() }
    }

    /// Tells the user something, without disturbing the bars: text, or a line of JSON.
    pub fn say(&self, text: &str) {
        self.say_with(text, serde_json::json!({ "message": text }));
    }

    /// The same with JSON of its own.
    pub fn say_with(&self, text: &str, json: serde_json::Value) {
        match self.json {
            true => eprintln!("{json}"),
            false => self.suspend(|| eprintln!("{text}")),
        }
    }

    /// Does something on the terminal while there are no bars.
    pub fn suspend<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(work),
            None => work(),
        }
    }

    /// What phases are expected to carry; the bars show how far they are.
    pub fn expect(&self, phases: impl IntoIterator<Item = (&'static str, Traffic)>) {
        let mut expected = BTreeMap::new();
        for (name, Traffic { sent, received, .. }) in phases {
            *expected.entry(name).or_insert(0) += sent + received;
        }
        // A program has one session.
        let _ = self.expected.set(expected);
    }

    /// Shows a phase that begins now.
    fn show(&self, bars: &Bars, name: &'static str) {
        let before =
            self.costs.lock().ok().and_then(|costs| costs.get(name).map(|cost| cost.traffic));
        let before = before.unwrap_or_default();
        let (start, link, expected) = (self.traffic(), self.link.clone(), self.expected.clone());
        bars.begin(name, move || {
            let now = link.get().map(TrafficTotals::read).unwrap_or_default() - start;
            let expected = expected.get().and_then(|expected| expected.get(name));
            let carried = before.sent + before.received + now.sent + now.received;
            (carried, expected.copied().unwrap_or(0))
        });
    }

    /// Counts what this session carries as well.
    pub fn watch(&self, link: TrafficTotals) {
        // A program has one session.
        let _ = self.link.set(link);
    }

    fn traffic(&self) -> Traffic {
        self.link.get().map_or_else(Traffic::default, TrafficTotals::read)
    }

    /// The costs so far, in the order the phases first ended.
    pub fn costs(&self) -> Vec<(&'static str, Cost)> {
        let Ok(costs) = self.costs.lock() else { return Vec::new() };
        let mut costs: Vec<_> = costs.iter().map(|(name, cost)| (*name, *cost)).collect();
        costs.sort_by_key(|(_, cost)| cost.order);
        costs
    }

    /// Takes the bars off the terminal.
    pub fn finish(&self) {
        if let Some(bars) = &self.bars {
            bars.clear();
        }
    }
}

impl Layer<Registry> for Phases {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, Registry>) {
        let Some(span) = context.span(id) else { return };
        if span.parent().is_some() {
            return;
        }
        let (at, cpu, traffic) = (Instant::now(), process_cpu(), self.traffic());
        span.extensions_mut().insert(Started { at, cpu, traffic });
        if let Some(bars) = &self.bars {
            self.show(bars, span.name());
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, Registry>) {
        let Some(span) = context.span(&id) else { return };
        let Some(started) = span.extensions_mut().remove::<Started>() else { return };
        let Ok(mut costs) = self.costs.lock() else { return };
        let order = costs.len();
        let cost = costs.entry(span.name()).or_insert(Cost { order, ..Cost::default() });
        cost.wall += started.at.elapsed();
        cost.cpu += process_cpu().saturating_sub(started.cpu);
        cost.traffic += self.traffic() - started.traffic;
        cost.peak_memory = peak_memory();
        let Cost { wall, traffic, .. } = *cost;
        drop(costs);
        if let Some(bars) = &self.bars {
            bars.end(span.name(), wall, traffic.sent + traffic.received);
        }
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

/// Traffic by what the messages are for: finer than the phases, and across them.
pub type Messages<'a> = &'a [(&'static str, Traffic)];

/// Prints what each phase took, and with a peer what went over the link: a table, or one line of JSON,
/// which alone tells the messages apart.
pub fn print_costs(phases: &Phases, messages: Messages) {
    if phases.json {
        return eprintln!("{}", costs_as_json(phases, messages));
    }
    let with_peer = phases.link.get().is_some();
    let line = |name: &str, cost: &Cost| {
        let (wall, cpu) = (cost.wall.as_secs_f64(), cost.cpu.as_secs_f64());
        eprint!("{name:<16}{wall:>10.3}{cpu:>13.2}{:>13}", bytes(cost.peak_memory));
        let Traffic { sent, received, rounds } = cost.traffic;
        match with_peer {
            true => eprintln!("{:>12}{:>12}{rounds:>8}", bytes(sent), bytes(received)),
            false => eprintln!(),
        }
    };
    eprint!("{:<16}{:>10}{:>13}{:>13}", "phase", "seconds", "CPU seconds", "peak memory");
    match with_peer {
        true => eprintln!("{:>12}{:>12}{:>8}", "sent", "received", "rounds"),
        false => eprintln!(),
    }
    let (traffic, peak_memory) = (phases.traffic(), peak_memory());
    let mut sum = Cost { traffic, peak_memory, ..Cost::default() };
    for (name, cost) in phases.costs() {
        line(name, &cost);
        sum.wall += cost.wall;
        sum.cpu += cost.cpu;
    }
    line("sum", &sum);
}

/// Traffic as JSON.
pub fn traffic_as_json(Traffic { sent, received, rounds }: Traffic) -> serde_json::Value {
    serde_json::json!({ "sent": sent, "received": received, "rounds": rounds })
}

fn costs_as_json(phases: &Phases, messages: Messages) -> serde_json::Value {
    let costs = phases.costs().into_iter().map(|(name, cost)| {
        serde_json::json!({
            "phase": name,
            "seconds": cost.wall.as_secs_f64(),
            "cpu_seconds": cost.cpu.as_secs_f64(),
            "peak_memory": cost.peak_memory,
            "traffic": traffic_as_json(cost.traffic),
        })
    });
    let messages = messages.iter().map(
        |(name, traffic)| serde_json::json!({ "messages": name, "traffic": traffic_as_json(*traffic) }),
    );
    serde_json::json!({
        "phases": costs.collect::<Vec<_>>(),
        "messages": messages.collect::<Vec<_>>(),
        "traffic": traffic_as_json(phases.traffic()),
        "cpu_seconds": process_cpu().as_secs_f64(),
        "peak_memory": peak_memory(),
    })
}
