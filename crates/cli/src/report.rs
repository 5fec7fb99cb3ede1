//! What a user sees of a session: bars and text on a terminal, or a line of JSON for each event
//! (docs/errors.md); and at the end a table of what each phase took.

mod bars;

use bars::Bars;
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use twain::Error;
use twain::observe::{Cancel, Cost, Event, Notice, Observer, Run, Usage, bytes, traffic_to_json};
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

/// How much a person wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Warnings and questions.
    Little,
    /// What is known beforehand, bars if there is a terminal, costs at the end.
    Usual,
    /// That, and each phase in lines.
    Much,
}

/// Tells a person.
pub struct Screen {
    amount: Amount,
    /// One for each phase, if there is a terminal.
    bars: Option<Bars>,
    /// Ends a question, too.
    cancel: Cancel,
}

impl Screen {
    /// Standard error, with bars if it is a terminal.
    pub fn new(cancel: Cancel, amount: Amount) -> Self {
        let bars = std::io::stderr().is_terminal() && amount == Amount::Usual;
        Self { amount, bars: bars.then(Bars::default), cancel }
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
        if self.amount == Amount::Much {
            match event {
                Event::Began(phase) => tell!("{} begins", phase.name()),
                Event::Ended(phase, cost) => {
                    tell!("{} took {:.3} s", phase.name(), cost.wall.as_secs_f64());
                }
                _ => {}
            }
        }
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
            _ if self.amount == Amount::Little => {}
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
                "The peer at {address} shows the key {found}, not seen before ({}). Is it what \
                 `twain identity` prints on the peer's machine? [yes/no] ",
                found.in_groups()
            );
            let cancelled = || self.cancel.is_cancelled();
            says_yes(&lines_of_input(), cancelled, || say!("Please answer yes or no: "))
        })
    }
}

/// The lines of standard input, read by a thread of their own: nothing else ends a wait for one.
fn lines_of_input() -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Whether the first line that is an answer is a yes; `again` asks for a better one. Without any it
/// is a no.
fn says_yes(lines: &Receiver<String>, cancelled: impl Fn() -> bool, again: impl Fn()) -> bool {
    loop {
        let _ = std::io::stderr().flush();
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => match line.trim().to_lowercase().as_str() {
                "y" | "yes" => return true,
                "n" | "no" => return false,
                _ => again(),
            },
            Err(RecvTimeoutError::Timeout) if !cancelled() => {}
            Err(_) => return false,
        }
    }
}

/// Tells a program: a JSON object a line, each with the member `event`.
pub struct Lines;

impl Observer for Lines {
    fn event(&self, event: &Event) {
        if let Some(line) = event.to_json() {
            tell!("{line}");
        }
    }
}

/// Which flags do not stand on the command line.
pub fn tell_added(added: &[String]) {
    tell!("also taken: {}", added.join(", "));
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

fn costs_as_json(run: &Run, costs: &[(Phase, Cost)]) -> Value {
    let phases: Vec<Value> = costs.iter().map(|(phase, cost)| cost.to_json(*phase)).collect();
    let messages = run
        .messages()
        .into_iter()
        .map(|(name, traffic)| json!({ "messages": name, "traffic": traffic_to_json(traffic) }));
    let usage = Usage::now();
    json!({
        "event": "result",
        "phases": phases,
        "messages": messages.collect::<Vec<_>>(),
        "traffic": traffic_to_json(run.traffic().unwrap_or_default()),
        "cpu_seconds": usage.cpu.as_secs_f64(),
        "peak_memory": usage.peak_memory,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_question_is_asked_until_it_is_answered() {
        for (lines, answer, times_again) in [
            (&["yes"][..], true, 0),
            (&["y"], true, 0),
            (&[" Y "], true, 0),
            (&["no"], false, 0),
            (&["N"], false, 0),
            (&["", "yes please", "y"], true, 2),
            (&["sure", "n", "y"], false, 1),
            // The end of the input.
            (&["what"], false, 1),
            (&[], false, 0),
        ] {
            let (sender, receiver) = channel();
            lines.iter().for_each(|line| sender.send(line.to_string()).unwrap());
            drop(sender);
            let again = Cell::new(0);
            let said = says_yes(&receiver, || false, || again.set(again.get() + 1));
            assert_eq!((said, again.get()), (answer, times_again), "{lines:?}");
        }
        let (_open, receiver) = channel();
        assert!(!says_yes(&receiver, || true, || ()), "the operator ends it");
    }
}
