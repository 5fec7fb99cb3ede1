//! The pages: what runs, one job, a project, the server. Made by the server, of its own style and
//! script only; every page works without the script, by loading it again. Who is logged in is a
//! cookie; forms carry what other sites cannot know.

mod jobs;
mod layout;
mod login;
mod operator;
mod projects;
mod visitor;

use super::app::App;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;

const POLICY: &str =
    "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'";

/// The routes of the pages.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(jobs::list))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/run", post(jobs::run))
        .route("/r/{id}", get(jobs::show))
        .route("/r/{id}/cancel", post(jobs::cancel))
        .route("/r/{id}/events", get(jobs::events))
        .route("/p/{name}", get(projects::show))
        .route("/p/{name}/invite", post(projects::invite))
        .route("/p/{name}/peer", post(projects::add_peer))
        .route("/operator", get(operator::show))
        .route("/static/style.css", get(style))
        .route("/static/script.js", get(script))
        .route("/static/icon.svg", get(icon))
        .layer(map_response(with_policy))
}

async fn with_policy(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("content-security-policy", HeaderValue::from_static(POLICY));
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    response
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css")], include_str!("style.css"))
}

async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript")], include_str!("script.js"))
}

async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("icon.svg"))
}
