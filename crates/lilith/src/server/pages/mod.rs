//! The pages: what runs, one job, a project, the server. Made by the server, of its own style and script
//! only; every page works without the script, by loading it again. Who is logged in is a cookie; forms
//! carry what other sites cannot know.

mod jobs;
mod layout;
mod operator;
mod projects;

use super::app::App;
use super::sessions::Session;
use super::tls::Caller;
use super::who::{Who, admit};
use crate::database::Token;
use crate::error::{Code, ServiceError};
use axum::Router;
use axum::extract::{ConnectInfo, Form, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use layout::{message, page};
use maud::html;
use serde::Deserialize;
use std::sync::Arc;

const COOKIE: &str = "lilith_session";
const POLICY: &str =
    "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'";

/// The routes of the pages.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(jobs::list))
        .route("/login", get(login_page).post(login))
        .route("/logout", post(logout))
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

/// Who looks at a page.
pub struct Visitor {
    who: Who,
    session: Session,
}

/// A page that is none: who is not logged in is led to where one does, others are told what is wrong.
pub struct PageError(ServiceError);

impl From<ServiceError> for PageError {
    fn from(error: ServiceError) -> Self {
        Self(error)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        if self.0.code == Code::Unauthorized {
            return Redirect::to("/login").into_response();
        }
        let status = StatusCode::from_u16(self.0.code.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Html(message("That did not work", &self.0.to_string()).into_string()))
            .into_response()
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get(header::COOKIE)?.to_str().ok()?;
    let pairs = all.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find_map(|(name, value)| (name == COOKIE).then_some(value))
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageError> {
        let refused = || ServiceError::new(Code::Unauthorized, "nobody is logged in");
        let session = cookie(&parts.headers).and_then(|value| app.sessions.find(value));
        let session = session.ok_or_else(refused)?;
        let token =
            app.database.read(|connection| Token::still_good(connection, &session.token))?;
        let token = token.ok_or_else(refused)?;
        admit(app, &token)?;
        Ok(Self { who: Who { token }, session })
    }
}

impl Visitor {
    /// Refuses forms of other sites.
    fn check_form(&self, sent: &str) -> Result<(), ServiceError> {
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(
            sent.as_bytes(),
            self.session.form.as_bytes(),
        );
        same.map_err(|_| {
            ServiceError::new(Code::Forbidden, "the form is an old one: load it again")
        })
    }
}

async fn login_page() -> Html<String> {
    Html(login_form("").into_string())
}

fn login_form(complaint: &str) -> maud::Markup {
    page(
        "Log in",
        None,
        html! {
            form.card method="post" action="/login" {
                @if !complaint.is_empty() { p.bad role="alert" { (complaint) } }
                label for="token" { "Token" }
                input #token name="token" type="password" autocomplete="off" required autofocus;
                p.dim { "The server printed the first one when it was started; later ones are made by "
                    code { "lilith token create" } "." }
                button { "Log in" }
            }
            p.dim { (super::TRUST) }
        },
    )
}

#[derive(Deserialize)]
struct Login {
    token: String,
}

async fn login(
    State(app): State<Arc<App>>,
    ConnectInfo(Caller(from)): ConnectInfo<Caller>,
    Form(login): Form<Login>,
) -> Result<Response, PageError> {
    let text = zeroize::Zeroizing::new(login.token);
    app.limiter.admit(&format!("login from {}", from.ip()))?;
    let token = app.database.read(|connection| Token::check(connection, text.trim()));
    let Ok(token) = token else {
        let form = login_form("This token is not good.").into_string();
        return Ok((StatusCode::UNAUTHORIZED, Html(form)).into_response());
    };
    let secure = if app.options.tls_cert.is_some() { "; Secure" } else { "" };
    let value = app.sessions.begin(&token.id);
    let cookie = format!("{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/{secure}");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

/// What every form carries.
#[derive(Deserialize)]
struct Plain {
    form: String,
}

async fn logout(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<Plain>,
) -> Result<Response, PageError> {
    visitor.check_form(&form.form)?;
    if let Some(value) = cookie(&headers) {
        app.sessions.end(value);
    }
    let cookie = format!("{COOKIE}=; Max-Age=0; Path=/");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response())
}
