//! The service over HTTP: every route of the interface, and how refusals become answers. The document of
//! the interface ([`openapi`]) is made from the same functions.

mod artifacts;
pub mod events;
mod health;
mod openapi;
mod peers;
mod projects;
mod recipes;
mod submit;
mod tokens;
mod upload;

pub use peers::{What as InviteFor, invitation_of};
pub use recipes::{answer, find};
pub use submit::submit;

use super::app::App;
use super::pages;
use crate::error::{Code, ServiceError};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Bytes of a body that is no upload.
const BODY: usize = 32 << 20;

impl IntoResponse for ServiceError {
    fn into_response(self) -> Response {
        if self.code == Code::Internal {
            eprintln!("lilith: {self}");
        }
        let status = StatusCode::from_u16(self.code.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.body())).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    let uploads = Router::new()
        .route("/artifact/update", post(upload::update_first_generation))
        .route("/artifact/{name}", post(upload::create).put(upload::update))
        .layer(DefaultBodyLimit::disable());
    let rest = Router::new()
        .route("/ping", get(health::ping))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::document))
        .route("/audit", get(tokens::audit))
        .route("/token", get(tokens::list).post(tokens::create))
        .route("/token/{id}", delete(tokens::revoke))
        .route("/artifact", get(projects::list))
        .route("/artifact/{name}", get(projects::show).delete(projects::remove))
        .route("/artifact/{name}/limits", put(projects::set_limits))
        .route("/artifact/{name}/webhook", get(projects::webhook).post(projects::rotate_webhook))
        .route("/artifact/{name}/peer/{fingerprint}", put(peers::put).delete(peers::remove))
        .route("/artifact/{name}/invite", get(peers::invite))
        .route("/artifact/{name}/file/{*file}", get(artifacts::download).delete(artifacts::remove))
        .route("/artifact/{name}/{*file}", get(artifacts::download_short))
        .route("/recipe", get(recipes::list).post(submit::recipe))
        .route("/recipe/{id}", get(recipes::show).delete(recipes::cancel))
        .route("/recipe/{id}/events", get(events::stream))
        .route("/recipe/{id}/log", get(recipes::log))
        .route("/recipe/{id}/callback", post(recipes::resend))
        // Older generations of clients.
        .route("/spell", post(submit::recipe))
        .route("/spell/{id}", get(recipes::show))
        .route("/post-spell", post(submit::recipe))
        .route("/get-spell/{id}", get(recipes::show))
        .layer(DefaultBodyLimit::max(BODY));
    Router::new()
        .merge(uploads)
        .merge(rest)
        .merge(pages::router())
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), count))
        .with_state(app)
}

async fn unknown() -> ServiceError {
    ServiceError::new(Code::NotFound, "there is no such page; /openapi.json tells what there is")
}

async fn wrong_method() -> Response {
    let body = ServiceError::new(Code::BadRequest, "the route does not take this method").body();
    (StatusCode::METHOD_NOT_ALLOWED, Json(body)).into_response()
}

async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let class = usize::from(response.status().as_u16() / 100);
    if let Some(count) = app.metrics.requests.get(class) {
        count.fetch_add(1, Ordering::Relaxed);
    }
    let headers = response.headers_mut();
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A JSON body, whatever the client calls it; refusals have the form of all others.
pub fn json_body(bytes: &[u8]) -> Result<serde_json::Value, ServiceError> {
    serde_json::from_slice(bytes).map_err(|error| {
        // Its place, and nothing of its content.
        let text =
            format!("the body is not JSON: line {}, column {}", error.line(), error.column());
        ServiceError::new(Code::BadRequest, text)
    })
}

/// A member of a query that cannot be read.
pub fn bad_query(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::new(Code::BadRequest, format!("the query: {error}"))
}

/// The query of a request as a type, with refusals in the form of all others.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: serde::de::DeserializeOwned> axum::extract::FromRequestParts<Arc<App>> for Query<T> {
    type Rejection = ServiceError;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &Arc<App>,
    ) -> Result<Self, ServiceError> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|error| bad_query(error.body_text()))
    }
}

/// A part of the path, with refusals in the form of all others.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: serde::de::DeserializeOwned + Send> axum::extract::FromRequestParts<Arc<App>> for Path<T> {
    type Rejection = ServiceError;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        app: &Arc<App>,
    ) -> Result<Self, ServiceError> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, app).await;
        path.map(|path| Self(path.0)).map_err(|error| {
            ServiceError::new(Code::BadRequest, format!("the path: {}", error.body_text()))
        })
    }
}
