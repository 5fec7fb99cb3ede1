//! Projects: what there is, what they may use, and the secret that signs their callbacks.

use crate::database::{Limits, Peer, Project, Recipe, Role, audit};
use crate::error::{Code, ServiceError};
use crate::identifiers::{now, rfc3339};
use crate::server::app::App;
use crate::server::extract::{Path, json_body};
use crate::server::webhooks;
use crate::server::who::Who;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

const DAY: i64 = 24 * 3600 * 1000;

/// A project in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Listed {
    name: String,
    side: String,
    fingerprint: String,
    created_at: String,
}

/// The projects that the token may see.
#[utoipa::path(get, path = "/artifact", responses((status = 200, body = Vec<Listed>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    who: Who,
) -> Result<Json<Vec<Listed>>, ServiceError> {
    let projects = app.database.read(Project::all)?;
    let own = |project: &Project| who.token.project.as_ref().is_none_or(|it| *it == project.name);
    let listed = projects.into_iter().filter(own).map(|project| Listed {
        name: project.name,
        side: project.side,
        fingerprint: project.fingerprint,
        created_at: rfc3339(project.created),
    });
    Ok(Json(listed.collect()))
}

/// A project: its files, its peers, its limits and what it uses of them.
#[utoipa::path(get, path = "/artifact/{name}", params(("name" = String, Path)),
    responses((status = 200, body = serde_json::Value), (status = 404)))]
pub async fn show(
    State(app): State<Arc<App>>,
    who: Who,
    Path(name): Path<String>,
) -> Result<Json<Value>, ServiceError> {
    let project = who.project(&app, &name, Role::Read)?;
    let folder = app.files(&name, None)?;
    let mut files = Vec::new();
    for entry in folder.list()? {
        let digest = folder.read(&entry.name).and_then(|file| {
            crate::folder::digest(&file)
                .map_err(|error| ServiceError::internal("reading a file", error))
        });
        files.push(json!({
            "name": entry.name, "bytes": entry.bytes, "modified": rfc3339(entry.modified),
            "sha256": digest.ok(),
        }));
    }
    let stored: u64 = files.iter().filter_map(|file| file["bytes"].as_u64()).sum();
    let (peers, active, cpu) = app.database.read(|connection| {
        Ok((
            Peer::all(connection, &name)?,
            Recipe::active(connection, &name)?,
            Project::cpu_seconds_since(connection, &name, now() - DAY)?,
        ))
    })?;
    let (ports, host) = (&app.options.peer_ports, &app.options.peer_host);
    Ok(Json(json!({
        "name": project.name,
        "side": project.side,
        "fingerprint": project.fingerprint,
        "created_at": rfc3339(project.created),
        "files": files,
        "peers": peers,
        "peer_host": host,
        "peer_ports": format!("{}-{}", ports.start(), ports.end()),
        "quota": {
            "limits": project.limits,
            "used": { "stored_bytes": stored, "files": files.len(), "active_recipes": active,
                      "cpu_seconds_a_day": cpu },
        },
    })))
}

/// Deletes a project with all its files, its identity and its recipes.
#[utoipa::path(delete, path = "/artifact/{name}", params(("name" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub async fn remove(
    State(app): State<Arc<App>>,
    who: Who,
    Path(name): Path<String>,
) -> Result<StatusCode, ServiceError> {
    who.project(&app, &name, Role::Run)?;
    who.at_least(Role::Admin)?;
    let recipes = app.database.write(|write| {
        let recipes = Recipe::list(write, Some(&name), None, None, usize::MAX >> 1)?;
        Project::remove(write, &name)?;
        audit(write, &who.token.id, Some(&name), "delete project", None, "done")?;
        Ok(recipes)
    })?;
    let folders = recipes.iter().map(|recipe| app.at(&["recipes", &recipe.id]));
    for folder in folders.chain([app.at(&["projects", &name])]) {
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ServiceError::internal("removing a project's files", error));
            }
            _ => {}
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Sets what a project may use; members that are not given have their defaults.
#[utoipa::path(put, path = "/artifact/{name}/limits", params(("name" = String, Path)),
    request_body = Limits, responses((status = 200, body = Limits), (status = 400)))]
pub async fn set_limits(
    State(app): State<Arc<App>>,
    who: Who,
    Path(name): Path<String>,
    body: axum::body::Bytes,
) -> Result<Json<Limits>, ServiceError> {
    who.project(&app, &name, Role::Read)?;
    who.operator()?;
    let limits: Limits = serde_json::from_value(json_body(&body)?)
        .map_err(|error| ServiceError::new(Code::BadRequest, format!("limits: {error}")))?;
    app.database.write(|write| {
        Project::set_limits(write, &name, &limits)?;
        audit(write, &who.token.id, Some(&name), "set limits", None, "done")
    })?;
    Ok(Json(limits))
}

/// The secrets that sign the project's callbacks: the newest, and one before it.
#[utoipa::path(get, path = "/artifact/{name}/webhook", params(("name" = String, Path)),
    responses((status = 200, body = serde_json::Value)))]
pub async fn webhook(
    State(app): State<Arc<App>>,
    who: Who,
    Path(name): Path<String>,
) -> Result<Json<Value>, ServiceError> {
    who.project(&app, &name, Role::Run)?;
    let secrets = webhooks::secrets(&app, &name)?;
    Ok(Json(json!({ "secrets": secrets })))
}

/// Makes a new secret for the project's callbacks; the one before it is good until the next.
#[utoipa::path(post, path = "/artifact/{name}/webhook", params(("name" = String, Path)),
    responses((status = 201, body = serde_json::Value)))]
pub async fn rotate_webhook(
    State(app): State<Arc<App>>,
    who: Who,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Value>), ServiceError> {
    who.project(&app, &name, Role::Run)?;
    let secrets = webhooks::rotate(&app, &name)?;
    app.database.write(|write| {
        audit(write, &who.token.id, Some(&name), "rotate the callback secret", None, "done")
    })?;
    Ok((StatusCode::CREATED, Json(json!({ "secrets": secrets }))))
}
