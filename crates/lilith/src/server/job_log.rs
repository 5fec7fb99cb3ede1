//! What a job's log says: lines of JSON, as `twain --log-format json` writes them (docs/errors.md),
//! and whatever else the program prints. Whole lines only.

use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::Path;

const MOST: u64 = 1 << 20;

/// The whole lines of a log from an offset on, and where they end.
pub fn lines(path: &Path, from: u64) -> io::Result<(Vec<String>, u64)> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), from)),
        Err(error) => return Err(error),
    };
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let text = String::from_utf8_lossy(&bytes[..end]);
    Ok((text.lines().map(str::to_string).collect(), from + end as u64))
}

/// What the lines of a log tell of a command.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Events for listeners, in order: their kind, and what there is to say.
    pub events: Vec<(&'static str, Value)>,
    /// What the command is doing.
    pub phase: Option<String>,
    /// How far it is.
    pub progress: Option<Value>,
    /// Where it listens for its peer.
    pub listening: Option<SocketAddr>,
    /// Whether the peer was there.
    pub connected: bool,
    /// Bytes of memory it expects to take.
    pub memory: Option<u64>,
    /// The code and the text of its error.
    pub error: Option<(String, String)>,
}

impl Told {
    /// Reads lines.
    pub fn of(lines: &[String]) -> Self {
        let mut told = Self::default();
        for line in lines {
            if let Ok(Value::Object(event)) = serde_json::from_str(line) {
                told.hear(Value::Object(event));
            }
        }
        told
    }

    fn hear(&mut self, event: Value) {
        let text = |name: &str| event[name].as_str().map(str::to_string);
        match event["event"].as_str() {
            Some("listening") => {
                self.listening = text("address").and_then(|address| address.parse().ok());
                self.events.push(("listening", json!({})));
            }
            Some("connected") => {
                self.connected = true;
                let data = json!({ "fingerprint": event["fingerprint"] });
                self.events.push(("connected", data));
            }
            Some("phase") => {
                if event["state"] == "began" {
                    self.phase = text("phase");
                }
                let mut data = event.clone();
                if let Some(data) = data.as_object_mut() {
                    data.remove("event");
                }
                self.events.push(("phase", data));
            }
            Some("progress") => self.progress = Some(event),
            Some("forecast") => {
                self.memory = event["expected"]["memory"].as_u64();
                self.events.push(("forecast", event["expected"].clone()));
            }
            Some("error") => self.error = text("code").zip(text("error")),
            _ => {}
        }
    }
}

/// A line of a log for people; none for what is only for programs.
pub fn for_people(line: &str) -> Option<String> {
    let Ok(Value::Object(event)) = serde_json::from_str::<Value>(line) else {
        return Some(line.to_string());
    };
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let seconds = || event.get("seconds").and_then(Value::as_f64).unwrap_or(0.0);
    match text("event") {
        "phase" if text("state") == "ended" => {
            Some(format!("{} took {:.3}s", text("phase"), seconds()))
        }
        "notice" => Some(format!("{}: {}", text("kind"), text("message"))),
        "listening" => Some("listening for the peer".into()),
        "connected" => Some(format!("connected to {}", text("fingerprint"))),
        "error" => Some(format!("error: {}", text("error"))),
        "trial" => Some(format!("trial: {}", text("what"))),
        "cancelled" => Some("cancelled".into()),
        "phase" | "progress" | "forecast" | "result" => None,
        _ => Some(line.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_whole_and_once() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("log");
        assert_eq!(lines(&path, 0).unwrap(), (vec![], 0));
        std::fs::write(&path, "one\ntwo\nthr").unwrap();
        let (read, end) = lines(&path, 0).unwrap();
        assert_eq!((read, end), (vec!["one".to_string(), "two".into()], 8));
        std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
        assert_eq!(lines(&path, end).unwrap(), (vec!["three".to_string()], 14));
    }

    #[test]
    fn events_of_twain() {
        let lines = [
            r#"{"event":"forecast","expected":{"memory":1000}}"#,
            r#"{"event":"listening","address":"127.0.0.1:40000"}"#,
            r#"{"event":"phase","phase":"connect","state":"began"}"#,
            r#"{"event":"connected","address":"127.0.0.1:1","fingerprint":"sha256:00"}"#,
            "verified: true",
            r#"{"event":"error","code":"link","error":"the peer has gone"}"#,
        ];
        let told = Told::of(&lines.map(str::to_string));
        assert_eq!(told.listening, "127.0.0.1:40000".parse().ok());
        assert_eq!((told.memory, told.connected), (Some(1000), true));
        assert_eq!(told.phase.as_deref(), Some("connect"));
        assert_eq!(told.error, Some(("link".into(), "the peer has gone".into())));
        let kinds: Vec<_> = told.events.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, ["forecast", "listening", "phase", "connected"]);
        let shown: Vec<_> = lines.iter().filter_map(|line| for_people(line)).collect();
        assert_eq!(shown.len(), 4, "{shown:?}");
        assert_eq!(shown[2], "verified: true");
    }
}
