//! Peers that the user gave names: `peers` in the identity's folder, a line
//! `NAME FINGERPRINT [HOST:PORT]` for each (protocol §19). Who goes by a name is known by the key
//! beside it and no other, so nobody is asked about it; the address may be missing, of a peer that
//! dials.

use super::error::IdentityError;
use super::private_file::{read_private, replace};
use super::{Fingerprint, Identity};
use std::fmt;
use std::path::{Path, PathBuf};

const FILE: &str = "peers";
const LONGEST_FILE: u64 = 1 << 20;
const LONGEST_NAME: usize = 64;

/// A peer with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPeer {
    /// 1 to 64 letters, digits, dots, dashes and underscores: nothing that an address could be.
    pub name: String,
    /// Its key.
    pub fingerprint: Fingerprint,
    /// `host:port` where it listens, if it does.
    pub address: Option<String>,
}

impl fmt::Display for NamedPeer {
    /// A line of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.fingerprint)?;
        self.address.as_ref().map_or(Ok(()), |address| write!(f, " {address}"))
    }
}

/// Why a list of named peers cannot be used or changed.
#[derive(Debug, thiserror::Error)]
pub enum NamedPeersError {
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] IdentityError),
    /// A line that is not `NAME FINGERPRINT [HOST:PORT]`.
    #[error("{path}, line {line}: expected `NAME FINGERPRINT [HOST:PORT]`")]
    Line {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
    },
    /// The file cannot be a list of peers.
    #[error("{0} is longer than a list of peers")]
    TooLong(PathBuf),
    /// A name that could be taken for something else.
    #[error("`{0}` is no name for a peer: 1 to 64 letters, digits, dots, dashes and underscores")]
    Name(String),
    /// The name is taken.
    #[error("there is a peer {0} already: remove it first if its key or address has changed")]
    Taken(String),
    /// No such name.
    #[error("there is no peer of the name {0} (see `twain peers list`)")]
    Unknown(String),
}

/// The list in an identity's folder.
pub struct NamedPeers {
    path: PathBuf,
    peers: Vec<NamedPeer>,
}

impl NamedPeers {
    /// The list of the identity that a user means by `directory` ([`Identity::directory_of`]);
    /// empty if there is none.
    ///
    /// # Errors
    /// A file that cannot be read, or that others may read; a line that is none.
    pub fn read(directory: Option<&Path>) -> Result<Self, NamedPeersError> {
        let path = Identity::directory_of(directory)?.join(FILE);
        let content = read_private(&path, LONGEST_FILE + 1)?;
        let content = content.as_ref().map_or(&[][..], |content| content);
        if content.len() as u64 > LONGEST_FILE {
            return Err(NamedPeersError::TooLong(path));
        }
        let peers = parse(&path, &String::from_utf8_lossy(content))?;
        Ok(Self { path, peers })
    }

    /// All of them, in the order of the file.
    pub fn all(&self) -> &[NamedPeer] {
        &self.peers
    }

    /// The peer of a name.
    pub fn find(&self, name: &str) -> Option<&NamedPeer> {
        self.peers.iter().find(|peer| peer.name == name)
    }

    /// Adds a peer.
    ///
    /// # Errors
    /// A name that is none or is taken; a file that cannot be written.
    pub fn add(&mut self, peer: NamedPeer) -> Result<(), NamedPeersError> {
        if !is_name(&peer.name) {
            return Err(NamedPeersError::Name(peer.name));
        }
        if self.find(&peer.name).is_some() {
            return Err(NamedPeersError::Taken(peer.name));
        }
        self.peers.push(peer);
        self.write()
    }

    /// Removes a peer.
    ///
    /// # Errors
    /// A name that nobody has; a file that cannot be written.
    pub fn remove(&mut self, name: &str) -> Result<(), NamedPeersError> {
        let before = self.peers.len();
        self.peers.retain(|peer| peer.name != name);
        if self.peers.len() == before {
            return Err(NamedPeersError::Unknown(name.into()));
        }
        self.write()
    }

    fn write(&self) -> Result<(), NamedPeersError> {
        let lines: String = self.peers.iter().map(|peer| format!("{peer}\n")).collect();
        Ok(replace(&self.path, lines.as_bytes())?)
    }
}

/// Whether a text can be the name of a peer. An address has a colon, a name has none.
pub fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('-')
}

fn parse(path: &Path, text: &str) -> Result<Vec<NamedPeer>, NamedPeersError> {
    let mut peers: Vec<NamedPeer> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let wrong = || NamedPeersError::Line { path: path.to_path_buf(), line: index + 1 };
        let mut words = line.split_whitespace();
        let Some(name) = words.next().filter(|name| !name.starts_with('#')) else { continue };
        let fingerprint = words.next().and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
        let address = words.next().map(str::to_string);
        let twice = peers.iter().any(|peer| peer.name == name);
        if !is_name(name) || twice || words.next().is_some() {
            return Err(wrong());
        }
        peers.push(NamedPeer { name: name.into(), fingerprint, address });
    }
    Ok(peers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt;

    fn peer(name: &str, byte: u8, address: Option<&str>) -> NamedPeer {
        let address = address.map(str::to_string);
        NamedPeer { name: name.into(), fingerprint: Fingerprint([byte; 32]), address }
    }

    #[test]
    fn a_list_is_kept_and_changed() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let folder = directory.path().join("twain");
        let read = || NamedPeers::read(Some(&folder)).expect("read");
        assert_eq!(read().all(), []);
        let (bob, eve) = (peer("bob", 1, Some("bob.example:7000")), peer("eve-2", 2, None));
        read().add(bob.clone()).expect("added");
        read().add(eve.clone()).expect("added");
        assert_eq!(read().all(), [bob.clone(), eve.clone()]);
        assert_eq!(read().find("eve-2"), Some(&eve));
        let taken = read().add(peer("bob", 3, None)).expect_err("taken");
        assert!(matches!(taken, NamedPeersError::Taken(_)), "{taken}");
        read().remove("bob").expect("removed");
        assert_eq!(read().all(), [eve]);
        let unknown = read().remove("bob").expect_err("gone");
        assert!(matches!(unknown, NamedPeersError::Unknown(_)), "{unknown}");
        // Whoever could write it could choose the peer, and reads who the peers are.
        let path = folder.join(FILE);
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o622)).expect("set");
        let open = NamedPeers::read(Some(&folder)).err().expect("refused");
        assert!(matches!(open, NamedPeersError::File(IdentityError::TooOpen { .. })), "{open}");
        let names: Vec<_> = std::fs::read_dir(&folder).expect("listed").collect();
        assert_eq!(names.len(), 1, "nothing temporary is left");
    }

    #[test]
    fn names_are_no_addresses_and_no_flags() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let long = "a".repeat(65);
        for name in ["", "a b", "host:1", "#a", "-a", "ä", &long] {
            let mut list = NamedPeers::read(Some(directory.path())).expect("read");
            let error = list.add(peer(name, 1, None)).expect_err(name);
            assert!(matches!(error, NamedPeersError::Name(_)), "{error}");
        }
    }

    #[test]
    fn a_wrong_line_is_named() {
        let key = Fingerprint([7; 32]);
        for line in ["bob", "bob sha256:0", &format!("a:1 {key}"), &format!("eve {key}")] {
            let text = format!("# peers\n\neve {key} eve.example:1\n{line}\n");
            let error = parse(Path::new("peers"), &text).expect_err(line);
            assert!(matches!(error, NamedPeersError::Line { line: 4, .. }), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = parse(Path::new("peers"), &text);
        }
    }
}
