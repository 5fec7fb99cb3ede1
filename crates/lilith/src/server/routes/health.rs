//! Is it there, is it well, and what does it count.

use crate::error::{Code, ServiceError};
use crate::identifiers::{now, rfc3339};
use crate::server::app::App;
use crate::server::exposition;
use crate::server::tls::Caller;
use crate::server::who::Who;
use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

/// The answer to a ping.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Ping {
    version: &'static str,
    executor: &'static str,
    time: String,
}

/// Version, executor and clock of the server; needs no token.
#[utoipa::path(get, path = "/ping", security(()), responses((status = 200, body = Ping)))]
pub async fn ping(State(app): State<Arc<App>>) -> Json<Ping> {
    let version = env!("CARGO_PKG_VERSION");
    Json(Ping { version, executor: app.executor.name(), time: rfc3339(now()) })
}

/// Whether the process is alive; needs no token.
#[utoipa::path(get, path = "/healthz", security(()), responses((status = 200)))]
pub async fn healthz() -> &'static str {
    "alive\n"
}

/// Whether it can work: the database takes writes, the executor answers, the disk has room.
#[utoipa::path(get, path = "/readyz", security(()), responses((status = 200), (status = 503)))]
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let ready = || -> Result<(), ServiceError> {
        app.database.write(|write| Ok(write.execute_batch("SELECT 1")?))?;
        app.executor.list_ours()?;
        disk_has_room(&app)
    };
    match ready() {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
            (status, Json(error.body())).into_response()
        }
    }
}

/// Refuses to take more when the disk is nearly full.
pub fn disk_has_room(app: &App) -> Result<(), ServiceError> {
    let space = nix::sys::statvfs::statvfs(&app.options.directory)
        .map_err(|errno| ServiceError::internal("asking how full the disk is", errno))?;
    let free = space.blocks_available().saturating_mul(space.fragment_size());
    match free < app.options.disk_floor {
        false => Ok(()),
        true => Err(ServiceError::new(Code::Quota, "the server's disk is nearly full")
            .hint("the operator has to make room")),
    }
}

/// Counts in the text form of Prometheus, for this machine or an operator's token.
#[utoipa::path(get, path = "/metrics", responses((status = 200, content_type = "text/plain")))]
pub async fn metrics(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, ServiceError> {
    let (mut parts, _) = request.into_parts();
    let from = parts.extensions.get::<ConnectInfo<Caller>>();
    if !from.is_some_and(|from| from.0.0.ip().is_loopback()) {
        Who::from_request_parts(&mut parts, &app).await?.operator()?;
    }
    let text = exposition::text(&app)?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
