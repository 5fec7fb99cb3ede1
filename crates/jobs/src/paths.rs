//! Names of files as commands give them: a plain name below the project, or one in a folder there.

use crate::refusal::{Refusal, Why};
use std::path::{Component, Path};

const LONGEST: usize = 200;

/// The name, if it stays below the project: one or two ordinary parts, none hidden.
///
/// # Errors
/// [`Why::BadPath`]. That no part is a link is the file system's to check, when the file is opened.
pub fn check_path(path: &Path) -> Result<String, Refusal> {
    let bad = |reason: &str| {
        let shown: String =
            path.to_string_lossy().chars().filter(|c| !c.is_control()).take(60).collect();
        Err(Refusal::new(Why::BadPath, format!("the path {shown:?} {reason}"))
            .hint("give a plain name, or NAME/NAME, of the project's folder"))
    };
    let Some(text) = path.to_str() else { return bad("is not text") };
    if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
        return bad("is empty, too long, or has control characters");
    }
    let mut parts = 0;
    for component in path.components() {
        let Component::Normal(part) = component else { return bad("leads out of the project") };
        if part.to_string_lossy().starts_with('.') {
            return bad("is hidden");
        }
        parts += 1;
    }
    if parts > 2 || text.ends_with('/') || text.contains("//") || text.contains("/./") {
        return bad("is not a plain name");
    }
    Ok(text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_below_the_project_pass() {
        for path in ["network.onnx", "a/b.json", "a b", "ü.json", "-x"] {
            assert!(check_path(Path::new(path)).is_ok(), "{path}");
        }
        let long = "a".repeat(201);
        let refused = [
            "",
            ".",
            "..",
            "/etc/passwd",
            "../a",
            "a/../b",
            "a/b/c",
            ".hidden",
            "a/.hidden",
            "a/",
            "a//b",
            "a/./b",
            "a\nb",
            "./a",
            &long,
        ];
        for path in refused {
            assert!(check_path(Path::new(path)).is_err(), "{path:?}");
        }
    }
}
