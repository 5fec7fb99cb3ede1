//! A token typed once becomes a cookie.

use super::layout::page as whole;
use super::visitor::{COOKIE, PageError, Plain, Visitor, cookie};
use crate::database::Token;
use crate::server::app::App;
use crate::server::options::TRUST;
use crate::server::tls::Caller;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;
use std::sync::Arc;

/// Where one logs in.
pub async fn page() -> Html<String> {
    Html(login_form("").into_string())
}

fn login_form(complaint: &str) -> maud::Markup {
    whole(
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
            p.dim { (TRUST) }
        },
    )
}

/// What is typed.
#[derive(Deserialize)]
pub struct Login {
    token: String,
}

/// A token becomes a session.
pub async fn log_in(
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

/// A session ends.
pub async fn log_out(
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
