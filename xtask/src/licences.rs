//! `cargo xtask licences`: every dependency's licence expression must be satisfied by permissive ones.

use crate::error::Error;
use crate::process::{cargo, run};
use serde::Deserialize;
use std::path::Path;

const PERMISSIVE: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "NCSA",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
}

/// Checks all packages of the lock file; false if one is not permissive.
pub fn check(repository: &Path) -> Result<bool, Error> {
    let mut command = cargo();
    command.current_dir(repository).args(["metadata", "--format-version", "1", "--locked"]);
    let output = run("cargo metadata", &mut command)?;
    let metadata: Metadata = serde_json::from_str(&output.stdout)
        .map_err(|error| Error::content("cargo metadata", error))?;
    let mut refused = 0;
    for package in &metadata.packages {
        let licence = package.license.as_deref().unwrap_or("none stated");
        if !is_permissive(licence) {
            println!("{} {}: {licence}", package.name, package.version);
            refused += 1;
        }
    }
    println!("{} packages, {refused} not permissively licensed", metadata.packages.len());
    Ok(refused == 0)
}

/// Whether one may choose permissive licences only. `/` is the old way to write `OR`; an exception
/// (`WITH`) only adds permissions.
fn is_permissive(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut words = words.as_slice();
    any(&mut words) && words.is_empty()
}

fn any(words: &mut &[&str]) -> bool {
    let mut result = all(words);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        result |= all(words);
    }
    result
}

fn all(words: &mut &[&str]) -> bool {
    let mut result = one(words);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        result &= one(words);
    }
    result
}

fn one(words: &mut &[&str]) -> bool {
    let result = match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let inner = any(words);
            match *words {
                [")", rest @ ..] => *words = rest,
                _ => return false,
            }
            inner
        }
        [word, rest @ ..] => {
            *words = rest;
            PERMISSIVE.contains(word)
        }
        [] => false,
    };
    if let ["WITH", _, rest @ ..] = *words {
        *words = rest;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::is_permissive;

    #[test]
    fn expressions_are_read_as_spdx_says() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(is_permissive(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "none stated", "", "(MIT", "MIT GPL-3.0"] {
            assert!(!is_permissive(bad), "{bad}");
        }
    }
}
