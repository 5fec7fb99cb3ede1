//! Why the service refuses or fails: a stable word for programs, a line for people, and where it
//! helps what to do. The same type travels through the whole server and becomes the body of an HTTP
//! answer at its edge. Texts never carry file contents, tokens or inline data.

use serde_json::{Value, json};
use std::fmt;
use twain_jobs::{Refusal, Why};

/// The stable word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// No token, or one that is not good.
    Unauthorized,
    /// The token may not do this.
    Forbidden,
    /// Not there, or not for this token.
    NotFound,
    /// There already.
    Exists,
    /// In use.
    Busy,
    /// A request that cannot be read.
    BadRequest,
    /// A command that Twain does not understand, or that is not run here.
    BadCommand,
    /// A path that leads out of the project.
    BadPath,
    /// The other side's secret.
    WrongSide,
    /// A peer that the project does not know.
    UnknownPeer,
    /// A port that is taken, or not the server's.
    PortTaken,
    /// A limit of the project or the token.
    Quota,
    /// Larger than is taken.
    TooLarge,
    /// Not offered.
    Unsupported,
    /// The server itself.
    Internal,
}

impl Code {
    /// As it stands in answers.
    pub const fn word(self) -> &'static str {
        match self {
            Code::Unauthorized => "unauthorized",
            Code::Forbidden => "forbidden",
            Code::NotFound => "not_found",
            Code::Exists => "exists",
            Code::Busy => "busy",
            Code::BadRequest => "bad_request",
            Code::BadCommand => "bad_command",
            Code::BadPath => "bad_path",
            Code::WrongSide => "wrong_side",
            Code::UnknownPeer => "unknown_peer",
            Code::PortTaken => "port_taken",
            Code::Quota => "quota",
            Code::TooLarge => "too_large",
            Code::Unsupported => "unsupported",
            Code::Internal => "internal",
        }
    }

    /// The status of the HTTP answer.
    pub const fn status(self) -> u16 {
        match self {
            Code::Unauthorized => 401,
            Code::Forbidden => 403,
            Code::NotFound => 404,
            Code::Exists | Code::Busy | Code::PortTaken => 409,
            Code::BadRequest => 400,
            Code::TooLarge => 413,
            Code::Quota => 429,
            Code::BadCommand
            | Code::BadPath
            | Code::WrongSide
            | Code::UnknownPeer
            | Code::Unsupported => 422,
            Code::Internal => 500,
        }
    }
}

/// A refusal or a failure.
#[derive(Clone, Debug)]
pub struct ServiceError {
    /// The stable word.
    pub code: Code,
    /// One line for people.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// More, for people: several lines.
    pub details: Option<String>,
    /// After how many seconds another try may succeed.
    pub retry_after: Option<u64>,
}

impl ServiceError {
    /// A refusal.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, hint: None, details: None, retry_after: None }
    }

    /// A failure of the server: what it was doing, and what the system said.
    pub fn internal(doing: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::new(Code::Internal, format!("{doing}: {error}"))
    }

    /// Adds what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds more to read.
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        let mut body = json!({ "message": self.message, "code": self.code.word() });
        if let Some(hint) = &self.hint {
            body["hint"] = hint.as_str().into();
        }
        if let Some(details) = &self.details {
            body["details"] = details.as_str().into();
        }
        body
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ServiceError {}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.why {
            Why::BadRequest => Code::BadRequest,
            Why::BadCommand => Code::BadCommand,
            Why::BadPath => Code::BadPath,
            Why::Unsupported => Code::Unsupported,
        };
        let Refusal { message, hint, details, .. } = refusal;
        Self { code, message, hint, details, retry_after: None }
    }
}

impl From<rusqlite::Error> for ServiceError {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal("the database", error)
    }
}
