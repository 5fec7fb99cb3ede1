//! The service over HTTP: every route of the interface, and how refusals become answers. The
//! document of the interface ([`openapi`]) is made from the same functions.

mod artifacts;
pub mod events;
mod health;
mod openapi;
pub mod peers;
mod projects;
pub mod recipes;
pub mod submit;
mod tokens;
mod upload;

use super::app::App;
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

/// All routes, those of the pages among them.
pub fn router(app: Arc<App>, pages: Router<Arc<App>>) -> Router {
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
        .merge(pages)
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
