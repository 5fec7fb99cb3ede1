//! Peers seen before, as `ssh` keeps them: the first key found by dialling an address is confirmed
//! by the user and remembered, another key at that address is refused.
//!
//! The file has a line `host:port fingerprint` for every peer; `#` starts a comment.

use super::Fingerprint;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const LONGEST_FILE: u64 = 1 << 20;

/// Asks the user whether the key with this fingerprint belongs to the peer at this address.
pub type Ask<'a> = Box<dyn FnMut(&str, &Fingerprint) -> bool + 'a>;

/// Why a peer is not known.
#[derive(Debug, thiserror::Error)]
pub enum KnownPeersError {
    /// The file could not be read or written.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A line that is not `host:port fingerprint`.
    #[error("{path}, line {line}: expected `host:port fingerprint`")]
    Line {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
    },
    /// The file cannot be a list of peers.
    #[error("{path} is longer than a list of peers")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// An address that the file cannot hold.
    #[error("`{0}` is not an address to remember a peer by")]
    Name(String),
    /// Another key than the one remembered.
    #[error(
        "the peer {name} shows the key {found}, but {path} remembers {known}: someone may be in \
         between. If the peer really has a new key, remove its line from {path}"
    )]
    Changed {
        /// The peer's address.
        name: String,
        /// The file.
        path: PathBuf,
        /// The key remembered.
        known: Fingerprint,
        /// The key shown.
        found: Fingerprint,
    },
    /// First use, and nobody to ask.
    #[error(
        "the peer {name} is not known yet and there is no terminal to confirm its key. At that address \
         {found} was found: compare it with what `twain identity` prints on the peer's machine, over a \
         channel you trust, and only if it is the same give --peer {found}"
    )]
    Unconfirmed {
        /// The peer's address.
        name: String,
        /// The key shown.
        found: Fingerprint,
    },
    /// The user said no.
    #[error("the key {found} of the peer {name} was not confirmed")]
    Declined {
        /// The peer's address.
        name: String,
        /// The key shown.
        found: Fingerprint,
    },
}

/// The list of known peers, and whom to ask about new ones.
pub struct KnownPeers<'a> {
    path: PathBuf,
    ask: Option<Ask<'a>>,
}

impl<'a> KnownPeers<'a> {
    /// The list in the file `path` (which need not exist). `ask` is none when there is no terminal.
    pub fn new(path: PathBuf, ask: Option<Ask<'a>>) -> Self {
        Self { path, ask }
    }

    /// The key remembered for the peer `name`.
    pub fn lookup(&self, name: &str) -> Result<Option<Fingerprint>, KnownPeersError> {
        check_name(name)?;
        let text = self.read()?;
        let peers = parse(&self.path, &text)?;
        Ok(peers.into_iter().find(|(known, _)| *known == name).map(|(_, fingerprint)| fingerprint))
    }

    /// Accepts the key that was found by dialling the peer `name`, asking and remembering on first
    /// use.
    pub fn accept(&mut self, name: &str, found: Fingerprint) -> Result<(), KnownPeersError> {
        match self.lookup(name)? {
            Some(known) if known == found => Ok(()),
            Some(known) => {
                let (name, path) = (name.to_string(), self.path.clone());
                Err(KnownPeersError::Changed { name, path, known, found })
            }
            None => {
                let Some(ask) = &mut self.ask else {
                    return Err(KnownPeersError::Unconfirmed { name: name.to_string(), found });
                };
                if !ask(name, &found) {
                    return Err(KnownPeersError::Declined { name: name.to_string(), found });
                }
                self.remember(name, found)
            }
        }
    }

    fn failed(&self, action: &'static str) -> impl Fn(std::io::Error) -> KnownPeersError {
        let path = self.path.clone();
        move |source| KnownPeersError::File { action, path: path.clone(), source }
    }

    fn read(&self) -> Result<String, KnownPeersError> {
        let file = match OpenOptions::new().read(true).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
            Err(error) => return Err(self.failed("open")(error)),
        };
        let mut text = String::new();
        file.take(LONGEST_FILE + 1).read_to_string(&mut text).map_err(self.failed("read"))?;
        if text.len() as u64 > LONGEST_FILE {
            return Err(KnownPeersError::TooLong { path: self.path.clone() });
        }
        Ok(text)
    }

    fn remember(&self, name: &str, fingerprint: Fingerprint) -> Result<(), KnownPeersError> {
        if let Some(directory) = self.path.parent().filter(|path| !path.as_os_str().is_empty()) {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)
                .map_err(self.failed("make the directory of"))?;
        }
        let before = self.read()?;
        // A user's editor may have left the last line open.
        let start = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
            .map_err(self.failed("open"))?;
        file.write_all(format!("{start}{name} {fingerprint}\n").as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(self.failed("write"))
    }
}

/// Nothing that would break the file's lines.
fn check_name(name: &str) -> Result<(), KnownPeersError> {
    let fits = !name.is_empty()
        && name.len() <= 300
        && !name.starts_with('#')
        && !name.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits { Ok(()) } else { Err(KnownPeersError::Name(name.to_string())) }
}

fn parse<'t>(path: &Path, text: &'t str) -> Result<Vec<(&'t str, Fingerprint)>, KnownPeersError> {
    let is_entry = |line: &str| !line.is_empty() && !line.starts_with('#');
    text.lines()
        .map(str::trim)
        .enumerate()
        .filter(|(_, line)| is_entry(line))
        .map(|(index, line)| {
            let wrong = || KnownPeersError::Line { path: path.to_path_buf(), line: index + 1 };
            let (name, fingerprint) = line.split_once(char::is_whitespace).ok_or_else(wrong)?;
            let fingerprint = fingerprint.trim().parse().map_err(|_| wrong())?;
            Ok((name, fingerprint))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: Fingerprint = Fingerprint([1; 32]);
    const B: Fingerprint = Fingerprint([2; 32]);

    fn list(directory: &tempfile::TempDir, answer: Option<bool>) -> KnownPeers<'static> {
        let ask = answer.map(|answer| Box::new(move |_: &str, _: &Fingerprint| answer) as Ask);
        KnownPeers::new(directory.path().join("twain/known_peers"), ask)
    }

    #[test]
    fn first_use_asks_and_remembers() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let error = list(&directory, None).accept("host:1", A).expect_err("nobody to ask");
        assert!(matches!(error, KnownPeersError::Unconfirmed { .. }), "{error}");
        let error = list(&directory, Some(false)).accept("host:1", A).expect_err("declined");
        assert!(matches!(error, KnownPeersError::Declined { .. }), "{error}");
        list(&directory, Some(true)).accept("host:1", A).expect("confirmed");
        list(&directory, None).accept("host:1", A).expect("remembered");
        let error = list(&directory, Some(true)).accept("host:1", B).expect_err("changed");
        assert!(matches!(error, KnownPeersError::Changed { .. }), "{error}");
        list(&directory, Some(true)).accept("host:2", B).expect("another peer");
        list(&directory, None).accept("host:1", A).expect("still remembered");
        assert_eq!(list(&directory, None).lookup("host:3").expect("read"), None);
    }

    #[test]
    fn a_line_left_open_is_closed_and_a_wrong_one_named() {
        let directory = tempfile::tempdir().expect("temporary directory");
        std::fs::create_dir(directory.path().join("twain")).expect("made");
        let path = directory.path().join("twain/known_peers");
        std::fs::write(&path, format!("# peers\n\n  host:1   {A}  ")).expect("written");
        list(&directory, Some(true)).accept("host:2", B).expect("added");
        list(&directory, None).accept("host:1", A).expect("known");
        list(&directory, None).accept("host:2", B).expect("known");
        std::fs::write(&path, format!("host:1 {A}\nhost:2 what\n")).expect("written");
        let error = list(&directory, None).accept("host:1", A).expect_err("refused");
        assert!(matches!(error, KnownPeersError::Line { line: 2, .. }), "{error}");
    }

    #[test]
    fn names_that_would_break_the_file_are_refused() {
        let directory = tempfile::tempdir().expect("temporary directory");
        for name in ["", "a b", "a\nb:1 x", "#a"] {
            assert!(matches!(
                list(&directory, Some(true)).accept(name, A),
                Err(KnownPeersError::Name(_))
            ));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = parse(Path::new("known_peers"), &text);
        }
    }
}
