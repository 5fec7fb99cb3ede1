//! Flags that stand in the environment or in a file (TOML) instead of on the command line, as words
//! of a command line: so all three are read, checked and complained about by the same code. Which
//! flags these may be is for each program to say.

use clap::{Arg, ArgAction};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Why what stands elsewhere cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FlagSourceError {
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

/// The environment.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The text of a variable; an empty one counts as none.
///
/// # Errors
/// What is not text.
pub fn variable(variables: Variables, name: &str) -> Result<Option<String>, FlagSourceError> {
    let value = variables(name).filter(|value| !value.is_empty());
    let text = value.map(OsString::into_string).transpose();
    text.map_err(|_| FlagSourceError::Variable { name: name.to_string() })
}

/// `PREFIX_` and a flag's name as a variable has it.
pub fn variable_name(prefix: &str, long: &str) -> String {
    format!("{prefix}_{}", long.replace('-', "_").to_uppercase())
}

/// A file with flags.
pub struct FlagFile {
    path: PathBuf,
    /// Its entries.
    pub table: toml::Table,
}

impl FlagFile {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read or is no TOML. What it says is not repeated.
    pub fn read(path: &Path) -> Result<Self, FlagSourceError> {
        let fail = |reason: String| FlagSourceError::File { path: path.to_path_buf(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        let table = toml::from_str(&text).map_err(|error| fail(error.message().to_string()))?;
        Ok(Self { path: path.to_path_buf(), table })
    }

    /// Which file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Something is wrong with it.
    pub fn error(&self, reason: impl ToString) -> FlagSourceError {
        FlagSourceError::File { path: self.path.clone(), reason: reason.to_string() }
    }

    /// An entry as flags.
    ///
    /// # Errors
    /// A value that no flag has.
    pub fn flags(
        &self,
        argument: &Arg,
        long: &str,
        value: &toml::Value,
    ) -> Result<Vec<String>, FlagSourceError> {
        let wrong = || self.error(format!("{long}: give a text, a number or a list"));
        let texts = texts(value).ok_or_else(wrong)?;
        Ok(flags(argument, long, texts.iter().map(String::as_str)))
    }
}

/// The values of an entry as the command line would have them.
fn texts(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::Array(values) => values.iter().map(text).collect(),
        value => text(value).map(|text| vec![text]),
    }
}

fn text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(is_so) => Some(is_so.to_string()),
        _ => None,
    }
}

/// A flag's values as words: a switch by itself, or not at all; a list as one flag for each value.
pub fn flags<'a>(argument: &Arg, long: &str, values: impl Iterator<Item = &'a str>) -> Vec<String> {
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
