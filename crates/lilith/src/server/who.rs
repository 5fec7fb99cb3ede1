//! Who asks: the token of a request, and what it may do. What a token may not see is not there for
//! it.

use super::app::App;
use crate::database::{Project, Role, Token};
use crate::error::{Code, ServiceError};
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use std::sync::Arc;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Who {
    /// The token.
    pub token: Token,
}

/// The token in the headers of a request.
fn given(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("x-api-key").or_else(|| text("authorization").and_then(|it| it.strip_prefix("Bearer ")))
}

/// Notes that a token is used, and lets it ask only so often.
pub fn admit(app: &App, token: &Token) -> Result<(), ServiceError> {
    app.limiter.admit(&token.id)?;
    if token.use_is_news() {
        app.database.write(|write| token.used(write))?;
    }
    Ok(())
}

impl FromRequestParts<Arc<App>> for Who {
    type Rejection = ServiceError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ServiceError> {
        let text = given(&parts.headers).unwrap_or_default();
        let token = app.database.read(|connection| Token::check(connection, text))?;
        admit(app, &token)?;
        Ok(Self { token })
    }
}

impl Who {
    /// The project, if it may be used so.
    ///
    /// # Errors
    /// [`Code::NotFound`] for projects that the token may not see.
    pub fn project(&self, app: &App, name: &str, role: Role) -> Result<Project, ServiceError> {
        let hidden = || {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
            ServiceError::new(Code::NotFound, format!("there is no project {shown:?}"))
        };
        if self.token.project.as_ref().is_some_and(|own| own != name) {
            return Err(hidden());
        }
        let project = app.database.read(|connection| Project::find(connection, name))?;
        let project = project.ok_or_else(hidden)?;
        self.at_least(role)?;
        Ok(project)
    }

    /// Refuses tokens that may do less.
    pub fn at_least(&self, role: Role) -> Result<(), ServiceError> {
        match self.token.role >= role {
            true => Ok(()),
            false => Err(ServiceError::new(
                Code::Forbidden,
                format!(
                    "a token of the role {:?} may not do this; it takes {:?}",
                    self.token.role.name(),
                    role.name()
                ),
            )),
        }
    }

    /// Refuses all but the operator's tokens.
    pub fn operator(&self) -> Result<(), ServiceError> {
        self.at_least(Role::Admin)?;
        match &self.token.project {
            None => Ok(()),
            Some(_) => Err(ServiceError::new(Code::Forbidden, "the token is for one project")),
        }
    }
}
