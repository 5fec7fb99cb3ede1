//! `lilith serve` can be told in three ways: by flags, by the environment (`LILITH_PEER_HOST` for
//! `--peer-host`), and by a file (`--config`, TOML: `peer-host = "prove.example"`). A flag comes
//! before the environment, and that before the file. What the latter two say becomes flags, so that
//! all three are read, checked and complained about by the same code.

use crate::arguments::Arguments;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, CommandFactory};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Why the settings cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A variable.
    #[error("{name}: it is not text")]
    Variable {
        /// Which.
        name: String,
    },
}

/// Words of a command line, with what environment and file say added if it is `serve`'s.
///
/// # Errors
/// A file that cannot be read, or names what is no flag.
pub fn complete(
    words: Vec<OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<OsString>, ConfigError> {
    let root = Arguments::command();
    // What is wrong with the words is said when they are read once more, with what is added.
    let Ok(read) = root.clone().ignore_errors(true).try_get_matches_from(&words) else {
        return Ok(words);
    };
    let Some(("serve", given)) = read.subcommand() else { return Ok(words) };
    let Some(serve) = root.find_subcommand("serve") else { return Ok(words) };
    let is_given = |argument: &Arg| {
        let id = argument.get_id().as_str();
        // Flags of all commands are not `serve`'s own, and unknown to it here.
        matches!(given.try_contains_id(id), Ok(true))
            && given.value_source(id) == Some(ValueSource::CommandLine)
    };
    let from_environment = |argument: &Arg| -> Result<Option<String>, ConfigError> {
        let Some(long) = argument.get_long() else { return Ok(None) };
        let name = format!("LILITH_{}", long.replace('-', "_").to_uppercase());
        let value = variable(&name).filter(|value| !value.is_empty());
        value
            .map(|value| value.into_string())
            .transpose()
            .map_err(|_| ConfigError::Variable { name })
    };
    let mut file = toml::Table::new();
    let path = given.get_one::<PathBuf>("config").cloned();
    let path = path.or_else(|| variable("LILITH_CONFIG").map(PathBuf::from));
    if let Some(path) = &path {
        file = read_file(path, serve)?;
    }
    let mut added = Vec::new();
    for argument in serve.get_arguments() {
        let Some(long) = argument.get_long().filter(|long| *long != "config") else { continue };
        if is_given(argument) {
            continue;
        }
        match (from_environment(argument)?, file.get(long)) {
            (Some(text), _) => added.extend(flags(argument, long, text.split(','))),
            (None, Some(value)) => {
                let fail = |reason: &str| ConfigError::File {
                    path: path.clone().unwrap_or_default(),
                    reason: format!("{long}: {reason}"),
                };
                let texts = texts(value).ok_or_else(|| fail("give a text, a number or a list"))?;
                added.extend(flags(argument, long, texts.iter().map(String::as_str)));
            }
            (None, None) => {}
        }
    }
    // They belong to `serve`, whose own words are the last.
    Ok(words.into_iter().chain(added.into_iter().map(OsString::from)).collect())
}

fn read_file(path: &Path, serve: &clap::Command) -> Result<toml::Table, ConfigError> {
    let fail = |reason: String| ConfigError::File { path: path.to_path_buf(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    let table: toml::Table =
        toml::from_str(&text).map_err(|error| fail(error.message().to_string()))?;
    let is_flag = |name: &str| {
        name != "config" && serve.get_arguments().any(|argument| argument.get_long() == Some(name))
    };
    match table.keys().find(|name| !is_flag(name)) {
        Some(name) => Err(fail(format!("{name} is no flag of lilith serve"))),
        None => Ok(table),
    }
}

/// The values of an entry as the command line would have them.
fn texts(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Boolean(is_so) => Some(vec![is_so.to_string()]),
        toml::Value::Array(values) => {
            let one = |value: &toml::Value| match value {
                toml::Value::String(text) => Some(text.clone()),
                _ => None,
            };
            values.iter().map(one).collect()
        }
        _ => None,
    }
}

/// An entry as flags: a switch by itself, or not at all; a list as one flag for each value.
fn flags<'a>(argument: &Arg, long: &str, values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let is_switch = matches!(argument.get_action(), ArgAction::SetTrue);
    let may_be_bare = argument.get_num_args().is_some_and(|number| number.min_values() == 0);
    let is_list = matches!(argument.get_action(), ArgAction::Append);
    let values: Vec<&str> = values.collect();
    let flag = |value: &str| match value {
        "true" | "1" if is_switch => Some(format!("--{long}")),
        "false" | "0" if is_switch => None,
        "true" if may_be_bare => Some(format!("--{long}")),
        "false" if may_be_bare => None,
        _ => Some(format!("--{long}={value}")),
    };
    match is_list {
        true => values.into_iter().filter_map(flag).collect(),
        // A comma is a part of what is no list.
        false => flag(&values.join(",")).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Command;
    use crate::server::options::{ExecutorName, Options};
    use clap::Parser;

    fn options(
        words: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Options, Box<dyn std::error::Error>> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let words = ["lilith"].iter().chain(words).map(OsString::from).collect();
        match Arguments::try_parse_from(complete(words, variable)?)?.command {
            Command::Serve(options) => Ok(*options),
            _ => panic!("another command"),
        }
    }

    #[test]
    fn a_flag_comes_before_the_environment_and_that_before_the_file() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lilith.toml");
        let text = "dir = \"/srv/lilith\"\npeer-host = \"file.example\"\njobs = 3\n\
             insecure-http = true\nallow-gen-srs = false\npeer-allow = [\"10.0.0.0/8\", \"::1\"]\n\
             peer-ports = \"7000-7009\"\nuser-per-project = true\nexecutor = \"slurm\"\n";
        std::fs::write(&path, text).unwrap();
        let config = path.to_str().unwrap();
        let read = options(
            &["serve", "--config", config, "--jobs", "5"],
            &[("LILITH_JOBS", "4"), ("LILITH_PEER_HOST", "environment.example")],
        )
        .unwrap();
        assert_eq!((read.jobs, read.peer_host.as_str()), (Some(5), "environment.example"));
        assert_eq!(read.directory, Path::new("/srv/lilith"));
        assert!(read.insecure_http && !read.allow_gen_srs);
        assert_eq!((read.peer_allow.len(), read.peer_ports), (2, 7000..=7009));
        assert_eq!(read.user_per_project, Some(200_000..=265_535));
        assert_eq!(read.executor, ExecutorName::Slurm);
        // The file itself can be named by the environment; a list there has commas.
        let variables =
            [("LILITH_CONFIG", config), ("LILITH_PEER_ALLOW", "10.0.0.0/8,10.1.2.3,::")];
        assert_eq!(options(&["serve"], &variables).unwrap().peer_allow.len(), 3);
    }

    #[test]
    fn what_is_no_flag_is_said() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lilith.toml");
        let words = ["serve", "--config", path.to_str().unwrap()];
        let complaint = || options(&words, &[]).unwrap_err().to_string();
        assert!(complaint().contains("lilith.toml"), "{}", complaint());
        for (text, part) in [
            ("dri = \"/srv\"", "dri is no flag of lilith serve"),
            ("dir = { a = 1 }", "dir: give a text"),
            ("dir = \"/srv\"\njobs = 0", "--jobs"),
            ("jobs = 2", "--dir"),
            ("dir", "lilith.toml"),
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(complaint().contains(part), "{text}: {}", complaint());
        }
    }

    #[test]
    fn other_commands_are_left_alone() {
        let words: Vec<OsString> = ["lilith", "ping"].map(OsString::from).to_vec();
        let variable = |_: &str| Some(OsString::from("x"));
        assert_eq!(complete(words.clone(), variable).unwrap(), words);
    }
}
