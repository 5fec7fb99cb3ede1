//! Recipes: what became of them, their logs, and how they are ended.

use crate::database::{Command, Key, Recipe, Role, audit, cancel as ask};
use crate::error::{Code, ServiceError};
use crate::identifiers::{now, rfc3339};
use crate::server::answer::answer;
use crate::server::app::App;
use crate::server::extract::{Path, Query, bad_query};
use crate::server::job_log;
use crate::server::webhooks;
use crate::server::who::Who;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const LONGEST_WAIT: u64 = 60;

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
