//! `lilith serve` can be told in three ways: by flags, by the environment (`LILITH_PEER_HOST` for
//! `--peer-host`), and by a file (`--config`, TOML: `peer-host = "prove.example"`). A flag comes
//! before the environment, and that before the file. What the latter two say becomes flags, so that
//! all three are read, checked and complained about by the same code.

use crate::arguments::Arguments;
use clap::parser::ValueSource;
use clap::{Arg, CommandFactory};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use twain_cli::flag_sources::{
    FlagFile, FlagSourceError, Variables, flags, variable, variable_name,
};

/// Words of a command line, with what environment and file say added if it is `serve`'s.
///
/// # Errors
/// A file that cannot be read, or names what is no flag.
pub fn complete(
    words: Vec<OsString>,
    variables: Variables,
) -> Result<Vec<OsString>, FlagSourceError> {
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
    let path = given.get_one::<PathBuf>("config").cloned();
    let path = path.or_else(|| variables("LILITH_CONFIG").map(PathBuf::from));
    let file = path.map(|path| read_file(&path, serve)).transpose()?;
    let mut added = Vec::new();
    for argument in serve.get_arguments() {
        let Some(long) = argument.get_long().filter(|long| *long != "config") else { continue };
        if is_given(argument) {
            continue;
        }
        let entry = file.as_ref().and_then(|file| Some((file, file.table.get(long)?)));
        match (variable(variables, &variable_name("LILITH", long))?, entry) {
            (Some(text), _) => added.extend(flags(argument, long, text.split(','))),
            (None, Some((file, value))) => added.extend(file.flags(argument, long, value)?),
            (None, None) => {}
        }
    }
    // They belong to `serve`, whose own words are the last.
    Ok(words.into_iter().chain(added.into_iter().map(OsString::from)).collect())
}

fn read_file(path: &Path, serve: &clap::Command) -> Result<FlagFile, FlagSourceError> {
    let file = FlagFile::read(path)?;
    let is_flag = |name: &str| {
        name != "config" && serve.get_arguments().any(|argument| argument.get_long() == Some(name))
    };
    match file.table.keys().find(|name| !is_flag(name)) {
        Some(name) => Err(file.error(format!("{name} is no flag of lilith serve"))),
        None => Ok(file),
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
        match Arguments::try_parse_from(complete(words, &variable)?)?.command {
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
        assert_eq!(complete(words.clone(), &variable).unwrap(), words);
    }
}
