//! Tokens, and the log of who did what.

use crate::database::{Audit, Project, Role, Token, audit as note};
use crate::error::{Code, ServiceError};
use crate::identifiers::{now, rfc3339};
use crate::server::app::App;
use crate::server::extract::{Path, Query, json_body};
use crate::server::who::Who;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// A token to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// What to call it.
    #[serde(default)]
    name: String,
    /// `admin`, `run` or `read`.
    role: String,
    /// The one project it is for.
    #[serde(alias = "artifact")]
    project: Option<String>,
    /// After how many seconds it ends.
    expires_in: Option<u32>,
}

fn shown(token: &Token) -> Value {
    json!({
        "id": token.id, "name": token.name, "role": token.role.name(), "project": token.project,
        "created_at": rfc3339(token.created), "expires_at": token.expires.map(rfc3339),
        "last_used_at": token.last_used.map(rfc3339),
    })
}

/// The tokens that are good or have expired, without their secrets.
#[utoipa::path(get, path = "/token", responses((status = 200, body = Vec<serde_json::Value>)))]
pub async fn list(State(app): State<Arc<App>>, who: Who) -> Result<Json<Value>, ServiceError> {
    who.operator()?;
    let tokens = app.database.read(Token::all)?;
    Ok(Json(tokens.iter().map(shown).collect()))
}

/// Makes a token; the answer is the only place where it is shown.
#[utoipa::path(post, path = "/token", request_body = New,
    responses((status = 201, body = serde_json::Value), (status = 400), (status = 403)))]
pub async fn create(
    State(app): State<Arc<App>>,
    who: Who,
    body: axum::body::Bytes,
) -> Result<(StatusCode, Json<Value>), ServiceError> {
    who.operator()?;
    let new: New = serde_json::from_value(json_body(&body)?)
        .map_err(|error| ServiceError::new(Code::BadRequest, error.to_string()))?;
    let role = Role::from_name(&new.role)
        .ok_or_else(|| ServiceError::new(Code::BadRequest, "a role is admin, run or read"))?;
    if new.name.len() > 100 || new.name.chars().any(char::is_control) {
        return Err(ServiceError::new(Code::BadRequest, "a token's name is one short line"));
    }
    if role != Role::Admin && new.project.is_none() {
        let text = "a token that is not the operator's is for one project: give \"project\"";
        return Err(ServiceError::new(Code::BadRequest, text));
    }
    let expires = new.expires_in.map(|seconds| now() + i64::from(seconds) * 1000);
    let (token, text) = app.database.write(|write| {
        if let Some(project) = &new.project
            && Project::find(write, project)?.is_none()
        {
            return Err(ServiceError::new(Code::NotFound, "there is no such project"));
        }
        let project = new.project.as_deref();
        let made = Token::make(write, &new.name, role, project, expires)?;
        note(write, &who.token.id, project, "make token", Some(&made.0.id), "done")?;
        Ok(made)
    })?;
    let mut answer = shown(&token);
    answer["token"] = text.as_str().into();
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Ends a token.
#[utoipa::path(delete, path = "/token/{id}", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub async fn revoke(
    State(app): State<Arc<App>>,
    who: Who,
    Path(id): Path<String>,
) -> Result<StatusCode, ServiceError> {
    who.operator()?;
    app.database.write(|write| {
        Token::revoke(write, &id)?;
        note(write, &who.token.id, None, "revoke token", Some(&id), "done")
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// How much of the log.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct Latest {
    /// At most so many entries (1000).
    limit: Option<usize>,
}

/// The latest of the audit log, newest first.
#[utoipa::path(get, path = "/audit", params(Latest), responses((status = 200, body = Vec<serde_json::Value>)))]
pub async fn audit(
    State(app): State<Arc<App>>,
    who: Who,
    Query(query): Query<Latest>,
) -> Result<Json<Value>, ServiceError> {
    who.operator()?;
    let limit = query.limit.unwrap_or(100).min(1000);
    let entries = app.database.read(|connection| Audit::latest(connection, limit))?;
    let shown = entries.iter().map(|entry| {
        json!({
            "at": rfc3339(entry.at), "token": entry.token, "project": entry.project,
            "action": entry.action, "subject": entry.subject, "result": entry.result,
        })
    });
    Ok(Json(shown.collect()))
}
