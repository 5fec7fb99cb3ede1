//! What a user sees of a session: bars and text on a terminal, or a line of JSON for each event
//! (docs/errors.md); and at the end a table of what each phase took.

mod bars;

use bars::Bars;
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Write};
use twain::Error;
use twain::observe::{Cost, Event, Notice, Observer, Run, Usage, bytes};
use twain::pair::Forecast;
use twain_link::channel::Traffic;
use twain_link::identity::Fingerprint;
use twain_party::Phase;

/// As `eprintln!`, for a standard error that may be closed: no reason to stop.
macro_rules! tell {
    ($($text:tt)*) => {{
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

/// The same without an end of the line.
macro_rules! say {
    ($($text:tt)*) => {{
        let _ = write!(std::io::stderr(), $($text)*);
    }};
}

/// Tells a person.
pub struct Screen {
    /// One for each phase, if there is a terminal.
    bars: Option<Bars>,
}

impl Screen {
    /// Standard error, with bars if it is a terminal.
    pub fn new() -> Self {
        Self { bars: std::io::stderr().is_terminal().then(Bars::default) }
    }

    /// Does something on the terminal while there are no bars.
    fn suspend<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(work),
            None => work(),
        }
    }
}

impl Observer for Screen {
    fn event(&self, event: &Event) {
        match (event, &self.bars) {
            (Event::Began(phase), Some(bars)) => bars.begin(phase.name()),
            (Event::Progress { phase, done, of, .. }, Some(bars)) => {
                bars.progress(phase.name(), *done, *of);
            }
            (Event::Ended(phase, cost), Some(bars)) => {
                let carried = cost.traffic.sent + cost.traffic.received;
                bars.end(phase.name(), cost.wall, carried);
            }
            (Event::Trial { done, of, what }, Some(bars)) => bars.trial(*done, *of, what),
            (Event::Downloaded { done, of }, Some(bars)) => bars.download(*done, *of),
            (Event::Notice(Notice::Warning(text)), _) => {
                self.suspend(|| tell!("warning: {text}"));
            }
            (Event::Notice(notice), _) => self.suspend(|| tell!("{}", notice.text())),
            (Event::Forecast(forecast), _) => self.suspend(|| tell!("{}", forecast.text())),
            _ => {}
        }
    }

    fn can_confirm(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    fn confirm(&self, address: &str, found: &Fingerprint) -> bool {
        // The bars would draw over the question.
        self.suspend(|| {
            say!(
                "The peer at {address} shows the key {found}, not seen before. Trust it? [yes/no] "
            );
            let _ = std::io::stderr().flush();
            let mut answer = String::new();
            std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
        })
    }
}

/// Tells a program: a JSON object a line, each with the member `event`.
pub struct Lines;

impl Observer for Lines {
    fn event(&self, event: &Event) {
        let line = match event {
            Event::Began(phase) => json!({
                "event": "phase", "phase": phase.name(), "state": "began",
            }),
            Event::Ended(phase, cost) => {
                let mut line = cost_as_json(*phase, cost);
                line["event"] = "phase".into();
                line["state"] = "ended".into();
                line
            }
            Event::Progress { phase, done, of, traffic } => json!({
                "event": "progress", "phase": phase.name(), "done": done, "of": of,
                "traffic": traffic_as_json(*traffic),
            }),
            Event::Trial { done, of, what } => json!({
                "event": "trial", "done": done, "of": of, "what": what,
            }),
            Event::Downloaded { done, of } => json!({
                "event": "download", "done": done, "of": of,
            }),
            Event::Forecast(forecast) => forecast_as_json(forecast),
            Event::Notice(notice) => {
                let kind = match notice {
                    Notice::Warning(_) => "warning",
                    Notice::Learns(_) => "learns",
                    _ => "step",
                };
                json!({ "event": "notice", "kind": kind, "message": notice.text() })
            }
            Event::Listening(address) => {
                json!({ "event": "listening", "address": address.to_string() })
            }
            Event::Connected { address, fingerprint } => json!({
                "event": "connected", "address": address,
                "fingerprint": fingerprint.to_string(),
            }),
            Event::Cancelled => json!({ "event": "cancelled" }),
            _ => return,
        };
        tell!("{line}");
    }
}

/// The last line of a command that failed.
pub fn tell_error(error: &Error, as_json: bool) {
    match as_json {
        true => tell!(
            "{}",
            json!({ "event": "error", "code": error.code(), "error": error.to_string() })
        ),
        false => tell!("error: {error}"),
    }
}

/// Ends a session and tells what it took, if it has had phases.
pub fn tell_costs(run: &Run, as_json: bool) {
    let costs = run.finish();
    if costs.is_empty() {
        return;
    }
    if as_json {
        return tell!("{}", costs_as_json(run, &costs));
    }
    let link = run.traffic();
    let line = |name: &str, cost: &Cost| {
        let (wall, cpu) = (cost.wall.as_secs_f64(), cost.cpu.as_secs_f64());
        say!("{name:<16}{wall:>10.3}{cpu:>13.2}{:>13}", bytes(cost.peak_memory));
        let Traffic { sent, received, rounds } = cost.traffic;
        match link {
            Some(_) => tell!("{:>12}{:>12}{rounds:>8}", bytes(sent), bytes(received)),
            None => tell!(),
        }
    };
    say!("{:<16}{:>10}{:>13}{:>13}", "phase", "seconds", "CPU seconds", "peak memory");
    match link {
        Some(_) => tell!("{:>12}{:>12}{:>8}", "sent", "received", "rounds"),
        None => tell!(),
    }
    let (traffic, peak_memory) = (link.unwrap_or_default(), Usage::now().peak_memory);
    let mut sum = Cost { traffic, peak_memory, ..Cost::default() };
    for (phase, cost) in costs {
        line(phase.name(), &cost);
        sum.wall += cost.wall;
        sum.cpu += cost.cpu;
    }
    line("sum", &sum);
}

/// Traffic as JSON.
fn traffic_as_json(Traffic { sent, received, rounds }: Traffic) -> Value {
    json!({ "sent": sent, "received": received, "rounds": rounds })
}

fn cost_as_json(phase: Phase, cost: &Cost) -> Value {
    json!({
        "phase": phase.name(),
        "seconds": cost.wall.as_secs_f64(),
        "cpu_seconds": cost.cpu.as_secs_f64(),
        "peak_memory": cost.peak_memory,
        "traffic": traffic_as_json(cost.traffic),
    })
}

fn forecast_as_json(forecast: &Forecast) -> Value {
    json!({ "event": "forecast", "expected": {
        "inline": traffic_as_json(forecast.inline),
        "bundled": traffic_as_json(forecast.bundled),
        "memory": forecast.memory,
        "cpu_seconds": forecast.seconds,
    }})
}

fn costs_as_json(run: &Run, costs: &[(Phase, Cost)]) -> Value {
    let phases: Vec<Value> = costs.iter().map(|(phase, cost)| cost_as_json(*phase, cost)).collect();
    let messages = run
        .messages()
        .into_iter()
        .map(|(name, traffic)| json!({ "messages": name, "traffic": traffic_as_json(traffic) }));
    let usage = Usage::now();
    json!({
        "event": "result",
        "phases": phases,
        "messages": messages.collect::<Vec<_>>(),
        "traffic": traffic_as_json(run.traffic().unwrap_or_default()),
        "cpu_seconds": usage.cpu.as_secs_f64(),
        "peak_memory": usage.peak_memory,
    })
}
