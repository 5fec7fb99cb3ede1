//! Files of a project: downloaded whole or in part, and removed.

use crate::database::{Project, Role, audit};
use crate::error::{Code, ServiceError};
use crate::server::app::{App, check_name};
use crate::server::extract::{Path, Query};
use crate::server::who::Who;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// Which of a project's files.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
pub struct Where {
    /// A second name below the project.
    deployment: Option<String>,
}

/// The content of a file; `Range: bytes=FROM-[TO]` for a part, `ETag` is its SHA-256.
#[utoipa::path(get, path = "/artifact/{name}/file/{file}",
    params(("name" = String, Path), ("file" = String, Path), Where),
    responses((status = 200, content_type = "application/octet-stream"), (status = 206),
              (status = 404), (status = 416), (status = 422)))]
pub async fn download(
    State(app): State<Arc<App>>,
    who: Who,
    Path((name, file)): Path<(String, String)>,
    Query(place): Query<Where>,
    headers: HeaderMap,
) -> Result<Response, ServiceError> {
    who.project(&app, &name, Role::Read)?;
    if let Some(deployment) = &place.deployment {
        check_name("a deployment", deployment)?;
    }
    let content = app.files(&name, place.deployment.as_deref())?.read(&file)?;
    send(content, &headers).map_err(|error| ServiceError::internal("reading a file", error))
}

/// The same, as older clients ask for it.
#[utoipa::path(get, path = "/artifact/{name}/{file}",
    params(("name" = String, Path), ("file" = String, Path), Where),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404)))]
pub async fn download_short(
    state: State<Arc<App>>,
    who: Who,
    path: Path<(String, String)>,
    query: Query<Where>,
    headers: HeaderMap,
) -> Result<Response, ServiceError> {
    download(state, who, path, query, headers).await
}

/// `bytes=FROM-[TO]` within a length; none for what is not understood, which is then not asked.
fn range(headers: &HeaderMap, length: u64) -> Option<Result<(u64, u64), ()>> {
    let text = headers.get(header::RANGE)?.to_str().ok()?.strip_prefix("bytes=")?;
    let (from, to) = text.split_once('-')?;
    let from: u64 = from.parse().ok()?;
    let to: u64 = if to.is_empty() { length.saturating_sub(1) } else { to.parse().ok()? };
    let to = to.min(length.saturating_sub(1));
    Some(if from <= to && from < length { Ok((from, to)) } else { Err(()) })
}

fn send(mut file: File, headers: &HeaderMap) -> io::Result<Response> {
    let length = file.metadata()?.len();
    let digest = tokio::task::block_in_place(|| crate::folder::digest(&file))?;
    let tag = format!("\"{digest}\"");
    let (status, from, count) = match range(headers, length) {
        None => (StatusCode::OK, 0, length),
        Some(Ok((from, to))) => (StatusCode::PARTIAL_CONTENT, from, to - from + 1),
        Some(Err(())) => {
            let all = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, all).into_response());
        }
    };
    file.seek(SeekFrom::Start(from))?;
    let body = stream::unfold((file, count), |(mut file, left)| async move {
        if left == 0 {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(left.min(1 << 18)).unwrap_or(0)];
        let read = tokio::task::block_in_place(|| file.read(&mut bytes));
        match read {
            Ok(0) => Some((Err(io::ErrorKind::UnexpectedEof.into()), (file, 0))),
            Ok(count) => {
                bytes.truncate(count);
                Some((Ok(Bytes::from(bytes)), (file, left - count as u64)))
            }
            Err(error) => Some((Err(error), (file, 0))),
        }
    });
    let mut response = (status, Body::from_stream(body)).into_response();
    let mut add = |name: header::HeaderName, value: String| {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    };
    add(header::CONTENT_LENGTH, count.to_string());
    add(header::CONTENT_TYPE, "application/octet-stream".into());
    add(header::CONTENT_DISPOSITION, "attachment".into());
    add(header::ACCEPT_RANGES, "bytes".into());
    add(header::ETAG, tag);
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {from}-{}/{length}", from + count - 1);
        add(header::CONTENT_RANGE, range);
    }
    Ok(response)
}

/// Removes a file, while no recipe of the project runs.
#[utoipa::path(delete, path = "/artifact/{name}/file/{file}",
    params(("name" = String, Path), ("file" = String, Path), Where),
    responses((status = 204), (status = 404), (status = 409)))]
pub async fn remove(
    State(app): State<Arc<App>>,
    who: Who,
    Path((name, file)): Path<(String, String)>,
    Query(place): Query<Where>,
) -> Result<StatusCode, ServiceError> {
    who.project(&app, &name, Role::Run)?;
    if let Some(deployment) = &place.deployment {
        check_name("a deployment", deployment)?;
    }
    if app.database.read(|connection| Project::is_busy(connection, &name))? {
        return Err(ServiceError::new(Code::Busy, "recipes of the project have not ended"));
    }
    app.files(&name, place.deployment.as_deref())?.remove(&file)?;
    app.database.write(|write| {
        audit(write, &who.token.id, Some(&name), "remove file", Some(&file), "done")
    })?;
    Ok(StatusCode::NO_CONTENT)
}
