//! Events as JSON objects: the schema of docs/errors.md, for logs and other languages.

use super::{Cost, Event, Notice};
use crate::pair::Forecast;
use serde_json::{Value, json};
use twain_link::channel::Traffic;
use twain_party::Phase;

impl Event {
    /// An object with the member `event`; none for what programs need not know.
    pub fn to_json(&self) -> Option<Value> {
        Some(match self {
            Event::Began(phase) => json!({
                "event": "phase", "phase": phase.name(), "state": "began",
            }),
            Event::Ended(phase, cost) => {
                let mut line = cost.to_json(*phase);
                line["event"] = "phase".into();
                line["state"] = "ended".into();
                line
            }
            Event::Progress { phase, done, of, traffic } => json!({
                "event": "progress", "phase": phase.name(), "done": done, "of": of,
                "traffic": traffic_to_json(*traffic),
            }),
            Event::Trial { done, of, what } => json!({
                "event": "trial", "done": done, "of": of, "what": what,
            }),
            Event::Forecast(forecast) => forecast_to_json(forecast),
            Event::Notice(notice) => {
                let kind = match notice {
                    Notice::Warning(_) => "warning",
                    Notice::Learns(_) => "learns",
                    Notice::Step(_) => "step",
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
        })
    }
}

impl Cost {
    /// What a phase took.
    pub fn to_json(&self, phase: Phase) -> Value {
        json!({
            "phase": phase.name(),
            "seconds": self.wall.as_secs_f64(),
            "cpu_seconds": self.cpu.as_secs_f64(),
            "peak_memory": self.peak_memory,
            "traffic": traffic_to_json(self.traffic),
        })
    }
}

/// What went over a link.
pub fn traffic_to_json(Traffic { sent, received, rounds }: Traffic) -> Value {
    json!({ "sent": sent, "received": received, "rounds": rounds })
}

fn forecast_to_json(forecast: &Forecast) -> Value {
    json!({ "event": "forecast", "expected": {
        "inline": traffic_to_json(forecast.inline),
        "bundled": traffic_to_json(forecast.bundled),
        "memory": forecast.memory,
        "cpu_seconds": forecast.seconds,
    }})
}
