//! What a mutant is.

use crate::error::Error;

/// A change that a test must find.
pub struct Mutant {
    /// What is taken away.
    pub what: &'static str,
    /// The file, from the repository's root.
    pub file: &'static str,
    /// Text that stands exactly once in the file.
    pub from: &'static str,
    /// What stands there then.
    pub to: &'static str,
    /// Arguments of `cargo test`.
    pub test: &'static [&'static str],
}

impl Mutant {
    /// The text with the change.
    pub fn applied(&self, text: &str) -> Result<String, Error> {
        match text.matches(self.from).count() {
            1 => Ok(text.replace(self.from, self.to)),
            _ => {
                let reason = format!("does not hold exactly once: {}", self.from);
                Err(Error::content(self.file, reason))
            }
        }
    }
}
