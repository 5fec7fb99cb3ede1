//! From the words of a command to a job: read with Twain's own argument types, looked at (which
//! command, which files, which peer), and kept as the flags that were given, each by its long name.
//! So flags cannot drift from Twain's, and what is run is exactly what was looked at.

use crate::paths::check_path;
use crate::refusal::{Refusal, Why};
use clap::{ArgAction, CommandFactory, FromArgMatches, parser::ValueSource};
use serde::{Deserialize, Serialize};
use twain_cli::arguments::{Arguments, Command, Pair, Side};

/// What may be run.
const ALLOWED: [&str; 18] = [
    "table",
    "gen-settings",
    "gen-random-data",
    "calibrate-settings",
    "compile-circuit",
    "gen-witness",
    "mock",
    "gen-srs",
    "get-srs",
    "setup",
    "prove",
    "preprocess",
    "verify",
    "swap-proof-commitments",
    "gen-vk-from-pk",
    "redact",
    "bind-params",
    "hash-inputs",
];

/// Flags whose value may be JSON itself; jobs have it in a file.
const DATA: &str = "data";

/// A command that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// `prove`, say.
    pub command: String,
    /// The flags given, by their long names; none for switches.
    pub flags: Vec<(String, Option<String>)>,
    /// Files of the project it reads.
    pub reads: Vec<String>,
    /// Files of the project it writes.
    pub writes: Vec<String>,
    /// What concerns the peer, for a job with one.
    pub pair: Option<PairJob>,
}

/// What concerns the peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairJob {
    /// `model` or `data`: which secret this side holds.
    pub side: String,
    /// The port peers dial, 0 for any; none if this side only dials.
    pub port: Option<u16>,
    /// `HOST:PORT` of the peer, if this side dials.
    pub remote: Option<String>,
    /// The peer's fingerprint, if the command names it.
    pub peer: Option<String>,
}

/// A job, and inline data that must become a file before anything is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The job, whose `--data` names the file.
    pub job: Job,
    /// Name and content of the file.
    pub inline: Option<(String, String)>,
}

fn bad_command(message: impl Into<String>) -> Refusal {
    Refusal::new(Why::BadCommand, message)
}

/// Reads the words of a command, the command's name first. `number` makes the name of the file that
/// inline data goes to.
///
/// # Errors
/// What Twain says of flags it does not know; commands and flags that are not for a server; paths
/// that lead out of the project.
pub fn read(words: &[String], number: usize) -> Result<Read, Refusal> {
    let name = words.first().ok_or_else(|| bad_command("the command is empty"))?;
    if !ALLOWED.contains(&name.as_str()) {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        return Err(bad_command(format!("{shown:?} is not run here"))
            .hint(format!("commands are: {}", ALLOWED.join(", "))));
    }
    let words = ["twain".to_string()].into_iter().chain(words.iter().cloned());
    let (matches, typed) = parse(words)?;
    let mut flags = given(name, &matches)?;
    let inline = take_inline(&mut flags, number);
    let typed = match &inline {
        // Once more, so that the files are those of the command that will run.
        Some(_) => parse(arguments(name, &flags))?.1,
        None => typed,
    };
    let pair = match &typed {
        Command::Prove(prove) => pair_job(&prove.pair)?,
        Command::Preprocess(preprocess) => Some(pair_job(&preprocess.pair)?.ok_or_else(|| {
            bad_command("preprocess needs --id, and --remote-peer, --local-addr or both")
        })?),
        _ => None,
    };
    let files = typed.files();
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for path in &files.reads {
        reads.push(check_path(path)?);
    }
    for path in &files.writes {
        writes.push(check_path(path)?);
    }
    let job = Job { command: name.clone(), flags, reads, writes, pair };
    Ok(Read { job, inline })
}

fn parse(words: impl IntoIterator<Item = String>) -> Result<(clap::ArgMatches, Command), Refusal> {
    let complaint = |error: clap::Error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let first = first.strip_prefix("error: ").unwrap_or(first);
        bad_command(first).details(text.trim_end())
    };
    let matches = Arguments::command().try_get_matches_from(words).map_err(complaint)?;
    let typed = Arguments::from_arg_matches(&matches).map_err(complaint)?;
    Ok((matches, typed.command))
}

/// The flags that were given, by long name, without what the server decides.
fn given(name: &str, matches: &clap::ArgMatches) -> Result<Vec<(String, Option<String>)>, Refusal> {
    let (_, matches) = matches.subcommand().ok_or_else(|| bad_command("there is no command"))?;
    let root = Arguments::command();
    let command = root.find_subcommand(name).ok_or_else(|| bad_command("there is no command"))?;
    let mut flags = Vec::new();
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        // Flags of all commands, such as the log's format, are the server's to choose.
        let mine = matches!(matches.value_source(id), Some(ValueSource::CommandLine));
        let (true, Some(long)) = (mine, argument.get_long()) else { continue };
        if matches!(argument.get_action(), ArgAction::SetTrue) {
            flags.push((long.to_string(), None));
            continue;
        }
        let values = matches.get_raw(id).into_iter().flatten();
        let values: Vec<_> = values.map(|value| value.to_string_lossy().into_owned()).collect();
        match argument.get_value_delimiter() {
            Some(delimiter) => {
                flags.push((long.to_string(), Some(values.join(&delimiter.to_string()))));
            }
            None => flags.extend(values.into_iter().map(|value| (long.to_string(), Some(value)))),
        }
    }
    Ok(flags)
}

/// Takes JSON itself out of `--data`: it goes to a file, and is never kept with the command.
fn take_inline(flags: &mut [(String, Option<String>)], number: usize) -> Option<(String, String)> {
    let (_, value) = flags.iter_mut().find(|(name, _)| name == DATA)?;
    let text = value.take_if(|value| value.trim_start().starts_with('{'))?;
    let name = format!("inline-{number}.json");
    *value = Some(name.clone());
    Some((name, text))
}

fn pair_job(pair: &Pair) -> Result<Option<PairJob>, Refusal> {
    if pair.identity.is_some() {
        return Err(bad_command("--identity is the server's: each project has one of its own"));
    }
    if pair.invite.is_some() {
        let text = "--invite is for the side that is not hosted; give --remote-peer and --peer";
        return Err(Refusal::new(Why::Unsupported, text));
    }
    let Some(side) = pair.id else { return Ok(None) };
    let side = match side {
        Side::Model => "model",
        Side::Data => "data",
    };
    let port = pair.local_addr.as_deref().map(local_port).transpose()?;
    let peer = match &pair.peer {
        None => None,
        Some(text) => Some(
            text.parse::<twain_link::identity::Fingerprint>()
                .map_err(|error| bad_command(format!("--peer: {error}")))?
                .to_string(),
        ),
    };
    Ok(Some(PairJob { side: side.into(), port, remote: pair.remote_peer.clone(), peer }))
}

/// `7101`, `:7101`, `0.0.0.0:7101`, `[::]:7101`, or `auto`, which is 0.
fn local_port(text: &str) -> Result<u16, Refusal> {
    if text == "auto" {
        return Ok(0);
    }
    let port = ["0.0.0.0:", "[::]:", ":"]
        .into_iter()
        .find_map(|start| text.strip_prefix(start))
        .unwrap_or(text);
    match port.parse() {
        Ok(port) if port != 0 => Ok(port),
        _ => Err(bad_command(
            "--local-addr is a port of this server here: 7101, 0.0.0.0:7101, or auto",
        )),
    }
}

/// The words of a command, for Twain.
fn arguments(command: &str, flags: &[(String, Option<String>)]) -> Vec<String> {
    let start = ["twain", "--log-format", "json", command].map(str::to_string);
    let flags = flags.iter().map(|(name, value)| match value {
        Some(value) => format!("--{name}={value}"),
        None => format!("--{name}"),
    });
    start.into_iter().chain(flags).collect()
}

impl Job {
    /// The words after the program's name, with flags of the server's put in the place of those
    /// given.
    pub fn arguments(&self, replace: &[(&str, String)]) -> Vec<String> {
        let kept = self.flags.iter().filter(|(name, _)| replace.iter().all(|(new, _)| new != name));
        let mut flags: Vec<_> = kept.cloned().collect();
        flags.extend(replace.iter().map(|(name, value)| (name.to_string(), Some(value.clone()))));
        arguments(&self.command, &flags).split_off(1)
    }

    /// As a line for people.
    pub fn line(&self) -> String {
        let flags = self.flags.iter().map(|(name, value)| match value {
            Some(value) => format!(" --{name} {value}"),
            None => format!(" --{name}"),
        });
        self.command.clone() + &flags.collect::<String>()
    }

    /// Whether a flag was given.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|(name, _)| name == flag)
    }

    /// The value of a flag that was given.
    pub fn value(&self, flag: &str) -> Option<&str> {
        self.flags.iter().find(|(name, _)| name == flag)?.1.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::from_line;

    fn line(text: &str) -> Result<Read, Refusal> {
        read(&from_line(text)?, 0)
    }

    #[test]
    fn the_line_that_users_know() {
        let text = "prove --remote-peer 203.0.113.9:7000 --local-addr 7101 --id model";
        let job = line(text).unwrap().job;
        assert_eq!(
            job.pair,
            Some(PairJob {
                side: "model".into(),
                port: Some(7101),
                remote: Some("203.0.113.9:7000".into()),
                peer: None,
            })
        );
        assert_eq!(job.reads, ["model.compiled", "pk.key"]);
        assert_eq!(job.writes, ["proof.json"]);
        let run = job.arguments(&[("local-addr", "127.0.0.1:0".into())]);
        let expected = [
            "--log-format",
            "json",
            "prove",
            "--remote-peer=203.0.113.9:7000",
            "--id=model",
            "--local-addr=127.0.0.1:0",
        ];
        assert_eq!(run, expected);
    }

    #[test]
    fn every_form_of_a_flag_comes_out_the_same() {
        let forms =
            ["-M a.onnx -K 9 -V batch_size->2", "-Ma.onnx --logrows=9 --variables batch_size->2"];
        let [one, other] = forms.map(|flags| line(&format!("gen-settings {flags}")).unwrap().job);
        assert_eq!(one, other);
        let scales = line("calibrate-settings --scales 4,5 --target=resources").unwrap().job;
        assert!(scales.flags.contains(&("scales".into(), Some("4,5".into()))), "{scales:?}");
    }

    #[test]
    fn inline_data_leaves_the_command() {
        let text = r#"gen-witness -D '{"input_data": [[0.25]]}' -O w.json"#;
        let Read { job, inline } = line(text).unwrap();
        assert_eq!(inline, Some(("inline-0.json".into(), r#"{"input_data": [[0.25]]}"#.into())));
        assert!(!serde_json::to_string(&job).unwrap().contains("0.25"));
        assert!(job.reads.contains(&"inline-0.json".to_string()));
    }

    #[test]
    fn what_is_not_for_a_server_is_refused() {
        let refused = [
            ("demo", Why::BadCommand),
            ("identity", Why::BadCommand),
            ("sh -c id", Why::BadCommand),
            ("prove --no-such-flag", Why::BadCommand),
            ("preprocess", Why::BadCommand),
            ("prove --id model --local-addr 7101 --identity other", Why::BadCommand),
            ("prove --id model --local-addr localhost:7101", Why::BadCommand),
            ("prove --id model --local-addr 0", Why::BadCommand),
            ("prove -M /etc/passwd", Why::BadPath),
            ("prove --proof-path ../other/proof.json", Why::BadPath),
            ("gen-witness -D @/etc/passwd", Why::BadPath),
        ];
        for (text, code) in refused {
            assert_eq!(line(text).expect_err(text).why, code, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_read_or_refused(
            text in "(prove|setup|gen-witness|table)( -{0,2}[a-zA-Z-]{1,12}[= ]?[^ ]{0,8}){0,4}",
        ) {
            if let Ok(Read { job, .. }) = line(&text) {
                for path in job.reads.iter().chain(&job.writes) {
                    assert!(!path.starts_with(['/', '.']) && !path.contains(".."), "{text}");
                }
                // What is kept says the same when it is read again.
                let again = job.arguments(&[]);
                assert_eq!(read(&again[2..], 0).unwrap().job, job, "{text}");
            }
        }
    }

    #[test]
    fn a_shell_is_nothing_to_it() {
        let job = line("gen-witness -O '$(id);`id`|x.json'").unwrap().job;
        assert_eq!(job.writes, ["$(id);`id`|x.json"]);
    }
}
