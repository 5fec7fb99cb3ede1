//! Why something is not run: a kind for programs, a line for people, and what to do about it. Texts
//! never carry file contents or inline data.

/// The kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A request that cannot be read.
    BadRequest,
    /// A command that Twain does not understand, or that is not run.
    BadCommand,
    /// A path that leads out of the project.
    BadPath,
    /// Not offered.
    Unsupported,
}

/// A refusal.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The kind.
    pub why: Why,
    /// One line for people.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// More, for people: several lines.
    pub details: Option<String>,
}

impl Refusal {
    /// A refusal.
    pub fn new(why: Why, message: impl Into<String>) -> Self {
        Self { why, message: message.into(), hint: None, details: None }
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
}
