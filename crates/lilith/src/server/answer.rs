//! What clients are told of a recipe: each command's state, log and results, as `GET /recipe/{id}`
//! and callbacks have them.

use super::app::App;
use super::attempt::all_lines;
use super::job_log;
use super::lock::lock;
use crate::database::{Command, Recipe, State as CommandState};
use crate::error::ServiceError;
use crate::identifiers::rfc3339;
use serde_json::{Value, json};
use std::io::Read;

/// Bytes of one output that an answer holds; larger ones are downloaded.
const OUTPUT: u64 = 16 << 20;

/// The commands of a recipe, as clients know them.
pub fn answer(app: &App, recipe: &Recipe, whole: bool) -> Result<Vec<Value>, ServiceError> {
    let commands = app.database.read(|connection| Command::all(connection, &recipe.id))?;
    commands.iter().map(|command| one(app, recipe, command, whole)).collect()
}

fn one(app: &App, recipe: &Recipe, command: &Command, whole: bool) -> Result<Value, ServiceError> {
    let key = &command.key;
    let words: Vec<String> = [command.job.command.clone()]
        .into_iter()
        .chain(command.job.flags.iter().map(|(name, value)| match value {
            Some(value) => format!("--{name} {value}"),
            None => format!("--{name}"),
        }))
        .collect();
    let (logs, output) = match whole {
        true => (log_text(app, command), outputs(app, command)?),
        false => (Value::Null, Value::Null),
    };
    let error =
        command.error.as_ref().map(|(code, message)| json!({ "code": code, "message": message }));
    Ok(json!({
        "recipe_id": recipe.id,
        "spell_id": recipe.id,
        "index": key.number,
        "command": {
            "command": words, "artifact": recipe.project, "deployment": recipe.deployment,
            "binary": "ezkl", "output_path": command.outputs.files,
        },
        "status": command.state.status(),
        "state": command.state.name(),
        "logs": logs,
        "output": output,
        "created_at": rfc3339(recipe.created),
        "queued_at": command.queued.map(rfc3339),
        "started_at": command.started.map(rfc3339),
        "ended_at": command.ended.map(rfc3339),
        "attempt": command.attempt,
        "phase": command.phase,
        "progress": lock(&app.progress).get(key).cloned(),
        "note": command.note,
        "peer": command.peer,
        "port": command.port,
        "exit": command.exit,
        "error": error,
    }))
}

/// The log for people, with how long the command took at its end.
fn log_text(app: &App, command: &Command) -> Value {
    let path = app.attempt(&command.key, command.attempt).join(crate::executor::LOG);
    let (lines, _) = all_lines(&path);
    let mut text: Vec<String> = lines.iter().filter_map(|line| job_log::for_people(line)).collect();
    if let (CommandState::Complete, Some(started), Some(ended)) =
        (command.state, command.started, command.ended)
    {
        let what = if command.job.command == "prove" { "proof" } else { &command.job.command };
        text.push(format!("{what} took {:.3}s", (ended - started) as f64 / 1000.0));
    }
    text.join("\n").into()
}

/// The contents that the client asked for: one text for old clients, else a list.
fn outputs(app: &App, command: &Command) -> Result<Value, ServiceError> {
    let files = &command.outputs.files;
    if files.is_empty() || command.state != CommandState::Complete {
        return Ok(Value::Null);
    }
    let folder = crate::folder::Folder::open(&app.outputs(&command.key))?;
    let mut contents = Vec::new();
    for name in files {
        let mut bytes = Vec::new();
        let read = folder.read(name).map(|file| file.take(OUTPUT + 1).read_to_end(&mut bytes));
        let content = match read {
            Ok(Ok(_)) if bytes.len() as u64 > OUTPUT => {
                json!({ "error": "too large for an answer: download the file" })
            }
            Ok(Ok(_)) => match String::from_utf8(bytes) {
                Ok(text) => json!({ "utf8_string": text }),
                Err(_) => json!({ "error": "not text: download the file" }),
            },
            _ => json!({ "error": "the command did not write it" }),
        };
        contents.push(content);
    }
    Ok(match (command.outputs.as_text, contents.as_slice()) {
        (true, [one]) => one["utf8_string"].clone(),
        _ => contents.into(),
    })
}
