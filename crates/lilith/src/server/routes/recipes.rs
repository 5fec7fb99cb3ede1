//! Recipes: what became of them, their logs, and how they are ended.

use super::{Path, Query, bad_query};
use crate::database::{Command, Key, Recipe, Role, State as CommandState, audit, cancel as ask};
use crate::error::{Code, ServiceError};
use crate::identifiers::{now, rfc3339};
use crate::server::app::{App, lock};
use crate::server::attempt::all_lines;
use crate::server::job_log;
use crate::server::webhooks;
use crate::server::who::Who;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LONGEST_WAIT: u64 = 60;
/// Bytes of one output that an answer holds; larger ones are downloaded.
const OUTPUT: u64 = 16 << 20;

/// The recipe, if the token may see it.
pub fn find(app: &App, who: &Who, id: &str, role: Role) -> Result<Recipe, ServiceError> {
    let hidden = || ServiceError::new(Code::NotFound, "there is no such recipe");
    let recipe = app.database.read(|connection| Recipe::find(connection, id))?;
    let recipe = recipe.ok_or_else(hidden)?;
    match who.project(app, &recipe.project, role) {
        Ok(_) => Ok(recipe),
        Err(error) if error.code == Code::NotFound => Err(hidden()),
        Err(error) => Err(error),
    }
}

/// Which commands, and for how long to wait for the recipe's end.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Which {
    /// Numbers of commands, separated by commas; all if it is not given.
    indices: Option<String>,
    /// Seconds to wait for the end, at most 60.
    wait: Option<u64>,
    /// Leaves logs and outputs out.
    brief: bool,
}

/// What became of each command of a recipe, in order.
#[utoipa::path(get, path = "/recipe/{id}", params(("id" = String, Path), Which),
    responses((status = 200, body = Vec<serde_json::Value>), (status = 400), (status = 404)))]
pub async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Value>, ServiceError> {
    let mut recipe = find(&app, &who, &id, Role::Read)?;
    if let Some(seconds) = which.wait {
        let until = Instant::now() + Duration::from_secs(seconds.min(LONGEST_WAIT));
        let mut changes = app.database.changes();
        while recipe.state == "active" && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            let _ = tokio::time::timeout(left, changes.changed()).await;
            recipe = find(&app, &who, &id, Role::Read)?;
        }
    }
    let indices: Option<Vec<usize>> = which
        .indices
        .map(|text| text.split(',').map(|part| part.trim().parse()).collect())
        .transpose()
        .map_err(|_| bad_query("indices are numbers, separated by commas"))?;
    let mut commands = answer(&app, &recipe, !which.brief)?;
    if let Some(indices) = indices {
        commands.retain(|command| {
            command["index"].as_u64().is_some_and(|index| indices.contains(&(index as usize)))
        });
    }
    Ok(Json(commands.into()))
}

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

/// Which recipes.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Filter {
    /// Of this project.
    artifact: Option<String>,
    /// `active`, `complete`, `errored` or `cancelled`.
    status: Option<String>,
    /// Those before this one: the `next` of the answer before.
    cursor: Option<String>,
    /// At most so many (100).
    limit: Option<usize>,
}

/// The recipes that the token may see, newest first.
#[utoipa::path(get, path = "/recipe", params(Filter),
    responses((status = 200, body = serde_json::Value), (status = 400), (status = 404)))]
pub async fn list(
    State(app): State<Arc<App>>,
    who: Who,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, ServiceError> {
    if let Some(project) = &filter.artifact {
        who.project(&app, project, Role::Read)?;
    }
    let status = filter.status.map(|status| status.to_lowercase());
    let known = ["active", "complete", "errored", "cancelled"];
    if status.as_ref().is_some_and(|status| !known.contains(&status.as_str())) {
        return Err(bad_query(format!("a status is one of {}", known.join(", "))));
    }
    let project = filter.artifact.as_ref().or(who.token.project.as_ref()).map(String::as_str);
    let limit = filter.limit.unwrap_or(20).clamp(1, 100);
    let cursor = filter.cursor.as_deref();
    let (recipes, commands) = app.database.read(|connection| {
        let recipes = Recipe::list(connection, project, status.as_deref(), cursor, limit)?;
        let commands: Result<Vec<_>, ServiceError> =
            recipes.iter().map(|recipe| Command::all(connection, &recipe.id)).collect();
        Ok((recipes, commands?))
    })?;
    let shown = recipes.iter().zip(&commands).map(|(recipe, commands)| {
        json!({
            "id": recipe.id, "artifact": recipe.project, "deployment": recipe.deployment,
            "status": recipe.state, "created_at": rfc3339(recipe.created),
            "ended_at": recipe.ended.map(rfc3339),
            "commands": commands.iter().map(|command| json!({
                "command": command.job.command, "status": command.state.status(),
                "phase": command.phase, "note": command.note,
            })).collect::<Vec<_>>(),
        })
    });
    let next = recipes.last().filter(|_| recipes.len() == limit).map(|recipe| &recipe.id);
    Ok(Json(json!({ "recipes": shown.collect::<Vec<_>>(), "next": next })))
}

/// Asks for a recipe's end; it has ended when its processes are gone.
#[utoipa::path(delete, path = "/recipe/{id}", params(("id" = String, Path)),
    responses((status = 202, body = serde_json::Value), (status = 404), (status = 409)))]
pub async fn cancel(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ServiceError> {
    let recipe = find(&app, &who, &id, Role::Run)?;
    let asked = app.database.write(|write| {
        audit(write, &who.token.id, Some(&recipe.project), "cancel", Some(&id), "done")?;
        ask(write, &id)
    })?;
    if find(&app, &who, &id, Role::Run)?.state != "active" {
        app.clean(&id);
    }
    match asked {
        true => Ok((StatusCode::ACCEPTED, Json(json!({ "id": id, "cancel": true })))),
        false => {
            let text = format!("the recipe has ended already: {}", recipe.state);
            Err(ServiceError::new(Code::Busy, text))
        }
    }
}

/// Which part of which log.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Part {
    /// The number of the command (0).
    index: usize,
    /// From which byte on: the `X-Next-Offset` of the answer before.
    offset: u64,
    /// As the program wrote it, and not for people.
    raw: bool,
}

/// The log of a command: whole lines from an offset on.
#[utoipa::path(get, path = "/recipe/{id}/log", params(("id" = String, Path), Part),
    responses((status = 200, content_type = "text/plain"), (status = 404)))]
pub async fn log(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Result<Response, ServiceError> {
    find(&app, &who, &id, Role::Read)?;
    let key = Key { recipe: id, number: part.index };
    let command = app.database.read(|connection| Command::find(connection, &key))?;
    let command =
        command.ok_or_else(|| ServiceError::new(Code::NotFound, "there is no such command"))?;
    let path = app.attempt(&key, command.attempt).join(crate::executor::LOG);
    let (lines, next) = job_log::lines(&path, part.offset)
        .map_err(|error| ServiceError::internal("reading a log", error))?;
    let shown = lines.into_iter().filter_map(|line| match part.raw {
        true => Some(line),
        false => job_log::for_people(&line),
    });
    let text: String = shown.map(|line| line + "\n").collect();
    let headers = [
        ("content-type", "text/plain; charset=utf-8".to_string()),
        ("x-next-offset", next.to_string()),
    ];
    Ok((headers, text).into_response())
}

/// Has the end of a recipe told once more.
#[utoipa::path(post, path = "/recipe/{id}/callback", params(("id" = String, Path)),
    responses((status = 202), (status = 404), (status = 409)))]
pub async fn resend(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<String>,
) -> Result<StatusCode, ServiceError> {
    let recipe = find(&app, &who, &id, Role::Run)?;
    app.database.write(|write| {
        webhooks::again(write, &recipe.id, now())?;
        audit(write, &who.token.id, Some(&recipe.project), "callback again", Some(&id), "done")
    })?;
    Ok(StatusCode::ACCEPTED)
}
