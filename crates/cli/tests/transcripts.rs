//! Sessions of people at their terminals, as they are written down in the folder `transcripts`: every
//! command is run, and what it says must be what stands below it, so that no wording rots.
//!
//! Who types stands before the `$`; each person has a home and a folder of their own. A command that
//! ends in ` &` runs at the same time as the next one. `? 3` is its exit status, if that is not 0.
//! Empty lines do not count. In what is said `[..]` stands for any text in a line and a line `...` for any number of lines.
//! `NAME has FILE` gives a person a file of the repository, `NAME gives NAME: FILE, FILE` passes
//! some on. Ports, keys and folders have the same names in all transcripts ([`Cast::fill`]).
//!
//! `TRANSCRIPTS=write cargo test -p twain-cli --test transcripts` writes down what is said now.

mod processes;

use processes::{free_ports, repository};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A person at a machine.
struct Person {
    home: TempDir,
    fingerprint: String,
}

impl Person {
    fn new() -> Self {
        let mut person = Person { home: tempfile::tempdir().unwrap(), fingerprint: String::new() };
        fs::create_dir(person.folder()).unwrap();
        let (_, said) = person.run("twain -q identity");
        person.fingerprint = said.trim().to_string();
        person
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("work")
    }

    /// Runs a line in their shell, with `twain` installed; its exit status, and all it says.
    fn run(&self, line: &str) -> (i32, String) {
        let program = Path::new(env!("CARGO_BIN_EXE_twain")).parent().unwrap();
        let mut path = OsString::from(program);
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1; umask 022; {line}")]).current_dir(self.folder());
        shell.env_clear().env("PATH", path).env("HOME", self.home.path()).stdin(Stdio::null());
        let output = shell.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap_or(-1), said)
    }
}

/// The people of a transcript, by name.
struct Cast {
    people: BTreeMap<String, Person>,
    ports: [u16; 2],
}

impl Cast {
    fn person(&mut self, name: &str) -> &Person {
        self.people.entry(name.to_string()).or_insert_with(Person::new)
    }

    /// What stands for what differs from run to run.
    fn names(&self) -> Vec<(String, String)> {
        let mut names = Vec::new();
        for (name, person) in &self.people {
            let name = name.to_uppercase();
            let home = person.home.path().to_str().unwrap();
            names.push((format!("{name}S_FINGERPRINT"), person.fingerprint.clone()));
            names.push((format!("{name}S_HOME"), home.to_string()));
        }
        for (name, port) in [("7001", self.ports[0]), ("7000", self.ports[1])] {
            names.push((format!("127.0.0.1:{name}"), format!("127.0.0.1:{port}")));
        }
        names
    }

    /// A line with its names filled in.
    fn fill(&self, line: &str) -> String {
        let names = self.names().into_iter();
        names.fold(line.to_string(), |line, (name, value)| line.replace(&name, &value))
    }

    /// What was said, with the names in their places.
    fn hide(&self, said: &str) -> String {
        let names = self.names().into_iter();
        names.fold(said.to_string(), |said, (name, value)| said.replace(&value, &name))
    }
}

/// A command, and what is to be said.
struct Typed {
    name: String,
    line: String,
    at_once: bool,
    expected: Vec<String>,
}

fn prompt(line: &str) -> Option<(&str, &str)> {
    let (name, command) = line.split_once("$ ")?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
    is_name.then_some((name, command))
}

/// Whether lines are as they are to be.
fn lines_match(expected: &[String], said: &[&str]) -> bool {
    match expected.split_first() {
        None => said.is_empty(),
        Some((line, rest)) if line == "..." => {
            (0..=said.len()).any(|skipped| lines_match(rest, &said[skipped..]))
        }
        Some((line, rest)) => match said.split_first() {
            Some((first, others)) => line_matches(line, first) && lines_match(rest, others),
            None => false,
        },
    }
}

fn line_matches(expected: &str, said: &str) -> bool {
    let mut parts = expected.split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = said.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Runs commands that were typed at the same time; what stands in the file afterwards, and what is
/// wrong.
fn run(cast: &mut Cast, typed: &[Typed]) -> (Vec<String>, Vec<String>) {
    for one in typed {
        cast.person(&one.name);
    }
    let cast = &*cast;
    let said: Vec<(i32, String)> = std::thread::scope(|scope| {
        let start = |one: &Typed| {
            let (person, line) = (&cast.people[&one.name], cast.fill(&one.line));
            scope.spawn(move || person.run(&line))
        };
        let running: Vec<_> = typed.iter().map(start).collect();
        running.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let (mut written, mut wrong) = (Vec::new(), Vec::new());
    for (one, (status, said)) in typed.iter().zip(said) {
        let said = cast.hide(&said);
        let status = (status != 0).then(|| format!("? {status}"));
        let lines = said.lines().filter(|line| !line.trim().is_empty());
        let said: Vec<&str> = status.as_deref().into_iter().chain(lines).collect();
        let sign = if one.at_once { " &" } else { "" };
        written.push(format!("{}$ {}{sign}", one.name, one.line));
        if lines_match(&one.expected, &said) {
            written.extend(one.expected.iter().cloned());
        } else {
            let expected = one.expected.join("\n");
            wrong.push(format!(
                "{}$ {}\nsaid:\n{}\nnot:\n{expected}",
                one.name,
                one.line,
                said.join("\n")
            ));
            written.extend(said.into_iter().map(str::to_string));
        }
    }
    (written, wrong)
}

/// Plays a transcript.
fn play(name: &str) {
    let path = repository("crates/cli/tests/transcripts").join(name).with_extension("md");
    let text = fs::read_to_string(&path).unwrap();
    let mut cast = Cast { people: BTreeMap::new(), ports: free_ports() };
    let (mut written, mut wrong) = (Vec::new(), Vec::new());
    let mut lines = text.lines().peekable();
    let mut typed: Vec<Typed> = Vec::new();
    while let Some(line) = lines.next() {
        let (indent, content) = line.split_at(line.len() - line.trim_start().len());
        let Some((name, command)) = prompt(content) else {
            if let Some((who, file)) = content.split_once(" has ")
                && !who.contains(' ')
            {
                let (from, to) = file.split_once(" as ").unwrap_or((file, file));
                let to = Path::new(to).file_name().unwrap();
                let to = cast.person(who).folder().join(to);
                fs::copy(repository(from), to).unwrap();
            } else if let Some((who, rest)) = content.split_once(" gives ")
                && !who.contains(' ')
            {
                let (whom, files) = rest.split_once(": ").expect("NAME gives NAME: FILES");
                for file in files.split(", ") {
                    let from = cast.person(who).folder().join(file);
                    fs::copy(from, cast.person(whom).folder().join(file)).unwrap();
                }
            }
            written.push(line.to_string());
            continue;
        };
        let at_once = command.ends_with(" &");
        let mut expected = Vec::new();
        while let Some(next) = lines.peek()
            && let Some(said) = next.strip_prefix(indent).filter(|said| !said.is_empty())
            && !indent.is_empty()
            && prompt(said).is_none()
        {
            expected.push(said.to_string());
            lines.next();
        }
        let line = command.strip_suffix(" &").unwrap_or(command).to_string();
        typed.push(Typed { name: name.to_string(), line, at_once, expected });
        if !at_once {
            let (lines, complaints) = run(&mut cast, &std::mem::take(&mut typed));
            written.extend(lines.iter().map(|line| format!("{indent}{line}")));
            wrong.extend(complaints);
        }
    }
    assert!(typed.is_empty(), "the last command is at the same time as none");
    if std::env::var_os("TRANSCRIPTS").is_some_and(|value| value == "write") {
        fs::write(&path, written.join("\n") + "\n").unwrap();
    } else {
        assert!(wrong.is_empty(), "{}:\n\n{}", path.display(), wrong.join("\n\n"));
    }
}

#[test]
fn alone() {
    play("alone");
}

#[test]
fn with_a_peer() {
    play("with_a_peer");
}

#[test]
fn what_is_kept() {
    play("what_is_kept");
}

#[test]
fn patterns() {
    let fits = |expected: &str, said: &str| {
        let expected: Vec<String> = expected.lines().map(str::to_string).collect();
        lines_match(&expected, &said.lines().collect::<Vec<_>>())
    };
    assert!(fits("a\n...\nd", "a\nb\nc\nd") && fits("a\n...\nd", "a\nd"));
    assert!(!fits("a\n...\nd", "a\nb") && !fits("a", "a\nb") && !fits("a\nb", "a"));
    assert!(fits("took [..] s of [..]", "took 1.5 s of 2") && line_matches("[..]", ""));
    assert!(!fits("took [..] s", "took 1.5 ms") && !fits("a [..] b", "a b c"));
}
