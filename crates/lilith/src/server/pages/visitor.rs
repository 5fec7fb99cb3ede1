//! Who looks at a page, and what they see when they may not.

use super::layout::{Menu, message};
use crate::database::Token;
use crate::error::{Code, ServiceError};
use crate::server::app::App;
use crate::server::sessions::Session;
use crate::server::who::{Who, admit};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// The name of the cookie.
pub const COOKIE: &str = "lilith_session";

/// Who looks at a page.
pub struct Visitor {
    /// Their token.
    pub who: Who,
    session: Session,
}

/// A page that is none: who is not logged in is led to where one does, others are told what is
/// wrong.
pub struct PageError(ServiceError);

impl From<ServiceError> for PageError {
    fn from(error: ServiceError) -> Self {
        Self(error)
    }
}

impl From<twain_jobs::Refusal> for PageError {
    fn from(refusal: twain_jobs::Refusal) -> Self {
        Self(refusal.into())
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

/// The cookie of a session.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
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
    pub fn check_form(&self, sent: &str) -> Result<(), ServiceError> {
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(
            sent.as_bytes(),
            self.session.form.as_bytes(),
        );
        same.map_err(|_| {
            ServiceError::new(Code::Forbidden, "the form is an old one: load it again")
        })
    }

    /// What every page of theirs has.
    pub fn menu(&self) -> Menu {
        Menu { form: self.session.form.clone(), operator: self.who.operator().is_ok() }
    }
}

/// What every form carries.
#[derive(Deserialize)]
pub struct Plain {
    /// What other sites cannot know.
    pub form: String,
}
