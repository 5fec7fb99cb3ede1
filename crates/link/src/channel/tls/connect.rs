//! Finding the peer: listens and dials at once until a time limit, so that one dialable side is
//! enough. When both connections authenticate, the model's side takes one and says which, and the
//! data's side confirms (protocol §17).
//!
//! A key seen for the first time is the peer's only if it was found at the address dialled and the
//! user says so. Anybody can dial in: who does with another key is noted, never asked about.

use super::config::{KeyRefused, TlsConfig};
use super::error::ConnectError;
use super::greeting::GreetingError;
use super::search::{Event, Search};
use super::{Timeouts, TlsChannel};
use crate::identity::{Fingerprint, Identity, KnownPeers, KnownPeersError};
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;
use twain_party::Role;

/// Whom to accept.
pub enum PeerPolicy<'a> {
    /// The holder of the key with this fingerprint (`--peer`).
    Pinned(Fingerprint),
    /// The peer remembered under the remote address; on first use whom the user confirms of whose
    /// key is found there.
    Known(KnownPeers<'a>),
}

/// How to reach the peer.
pub struct ConnectOptions<'a> {
    /// This side.
    pub role: Role,
    /// This side's key.
    pub identity: &'a Identity,
    /// Address to listen on, `host:port`.
    pub local: Option<&'a str>,
    /// Address to dial, `host:port`; also the name under which the peer is remembered.
    pub remote: Option<&'a str>,
    /// Whom to accept.
    pub peer: PeerPolicy<'a>,
    /// How long to try.
    pub connect_timeout: Duration,
    /// The limits of the session that follows.
    pub timeouts: Timeouts,
    /// Who hears of the search.
    pub watcher: &'a dyn Watcher,
}

/// What is worth hearing of a search while it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heard {
    /// This side listens here.
    Listening(SocketAddr),
    /// What this side's user can do something about.
    Note(String),
    /// The peer's user is being asked to confirm this side's key, which has this fingerprint.
    AskedByPeer(Fingerprint),
    /// The peer is there: its address, or the host that dialled, and its key's fingerprint.
    Connected(String, Fingerprint),
}

/// Hears of a search for the peer, and may end it.
pub trait Watcher {
    /// Something happens.
    fn hear(&self, heard: Heard);

    /// Whether the search is to end; asked ten times a second.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Hears nothing.
pub struct Unwatched;

impl Watcher for Unwatched {
    fn hear(&self, _: Heard) {}
}

/// Connects to the peer.
///
/// # Errors
/// Whatever makes success impossible is reported at once; otherwise all that was tried, when the
/// time is over.
pub fn connect(options: ConnectOptions<'_>) -> Result<TlsChannel, ConnectError> {
    let ConnectOptions { role, identity, local, remote, mut peer, .. } = options;
    let ConnectOptions { connect_timeout, timeouts, watcher, .. } = options;
    remote.map_or(Ok(()), check_address)?;
    let own = identity.fingerprint();
    let mut expected = expected_key(identity, remote, &peer)?;
    let configure = |expected| {
        TlsConfig::new(identity, expected).map_err(|error| ConnectError::Tls(error.to_string()))
    };
    let search = Search::start(configure(expected)?, role, local, remote, connect_timeout)?;
    if let Some(address) = search.listens_at() {
        watcher.hear(Heard::Listening(address));
    }
    let (mut notes, mut asked_by_peer) = (Notes::default(), false);
    while let Some(event) = search.next(|| watcher.cancelled())? {
        let Event { dialled, address, expecting, outcome } = event;
        let linked = outcome.is_ok();
        let error = match outcome.and_then(|mut link| search.agree(&mut link).map(|()| link)) {
            Ok(link) => {
                if let Some(fingerprint) = expected {
                    watcher.hear(Heard::Connected(address, fingerprint));
                }
                return TlsChannel::start(*link, role, own, timeouts).map_err(|source| {
                    ConnectError::System { action: "start the link's threads", source }
                });
            }
            Err(error) => error,
        };
        match error {
            GreetingError::Key(KeyRefused::NotKnown { found }) if dialled => {
                search.ask(found, || learn(&mut peer, remote, found))?;
                expected = Some(found);
                search.expect(configure(expected)?);
                search.dial_again()?;
                continue;
            }
            GreetingError::Key(KeyRefused::Other { found, .. }) if dialled => {
                learn(&mut peer, remote, found)?;
            }
            GreetingError::AskedByPeer => {
                search.wait_for_answer();
                if !std::mem::replace(&mut asked_by_peer, true) {
                    watcher.hear(Heard::AskedByPeer(own));
                }
            }
            _ => {}
        }
        // A stranger who dials in does not end the wait, a wrong peer that was dialled does.
        let says = matches!(
            error,
            GreetingError::Version { .. }
                | GreetingError::SameRole(_)
                | GreetingError::DeclinedByPeer
        );
        if error.is_final() && (dialled || (says && expecting)) {
            return Err(final_error(address, error, own));
        }
        if let Some(note) = notes.add(dialled, &address, &error, own) {
            watcher.hear(Heard::Note(note));
        }
        if dialled && linked {
            search.dial_again()?;
        }
    }
    let (after, tried) = (connect_timeout, notes.into_list());
    Err(match remote {
        Some(address) if expected.is_none() => {
            ConnectError::NoKey { after, address: address.to_string(), tried }
        }
        _ => ConnectError::Timeout { after, tried },
    })
}

/// Refuses what can never be dialled. A name that is not known may be known later.
///
/// # Errors
/// [`ConnectError::Address`].
pub fn check_address(address: &str) -> Result<(), ConnectError> {
    let wrong = || ConnectError::Address(address.to_string());
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_fits = match in_brackets {
        Some(host) => host.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || "-._".contains(c)),
    };
    let port_fits = port.parse::<u16>().is_ok_and(|port| port != 0);
    if host_fits && port_fits { Ok(()) } else { Err(wrong()) }
}

/// Accepts a key found at the address dialled, if it is or becomes the one remembered.
fn learn(
    peer: &mut PeerPolicy<'_>,
    remote: Option<&str>,
    found: Fingerprint,
) -> Result<(), KnownPeersError> {
    if let (PeerPolicy::Known(known), Some(name)) = (peer, remote) {
        known.accept(name, found)?;
    }
    Ok(())
}

/// The key the peer must show; none on first use.
fn expected_key(
    identity: &Identity,
    remote: Option<&str>,
    peer: &PeerPolicy<'_>,
) -> Result<Option<Fingerprint>, ConnectError> {
    let expected = match peer {
        PeerPolicy::Pinned(fingerprint) => Some(*fingerprint),
        PeerPolicy::Known(known) => known.lookup(remote.ok_or(ConnectError::NoName)?)?,
    };
    match expected {
        Some(own) if own == identity.fingerprint() => Err(ConnectError::OwnKey(own)),
        _ => Ok(expected),
    }
}

fn final_error(address: String, error: GreetingError, own: Fingerprint) -> ConnectError {
    match error {
        GreetingError::Key(KeyRefused::Own) => ConnectError::OwnKey(own),
        GreetingError::Key(KeyRefused::Other { expected, found }) => {
            ConnectError::WrongKey { address, expected, found }
        }
        GreetingError::RefusedByPeer => ConnectError::RefusedByPeer { address, own },
        GreetingError::DeclinedByPeer => ConnectError::DeclinedByPeer { address, own },
        other => ConnectError::Unfit { address, reason: other.to_string() },
    }
}

/// What was tried, each once: the latest few calls, and the first few connections from elsewhere.
#[derive(Default)]
struct Notes {
    calls: Vec<String>,
    callers: Vec<String>,
}

impl Notes {
    const MOST: usize = 6;

    /// Notes what became of a connection; gives what this side's user can do something about, the
    /// first time.
    fn add(
        &mut self,
        dialled: bool,
        address: &str,
        error: &GreetingError,
        own: Fingerprint,
    ) -> Option<String> {
        use GreetingError::{Key, NotKnownToPeer};
        let stranger =
            |key| format!("a stranger with the key {key} connected from {address}: not the peer");
        let (note, urgent) = match error {
            Key(KeyRefused::NotKnown { found }) => (stranger(found), true),
            Key(KeyRefused::Other { found, expected }) => {
                (format!("{}, whose key is {expected}", stranger(found)), true)
            }
            NotKnownToPeer if dialled => {
                let text = "if it cannot dial this side to find it, it must be started with --peer";
                (format!("{address}: {error}; {text} {own}"), true)
            }
            GreetingError::Name(_) => (format!("{address}: {error}"), true),
            _ => (format!("{address}: {error}"), false),
        };
        let notes = if dialled { &mut self.calls } else { &mut self.callers };
        let known = notes.contains(&note);
        if dialled {
            notes.retain(|earlier| *earlier != note);
            if notes.len() == Self::MOST {
                notes.remove(0);
            }
        } else if known || notes.len() == Self::MOST {
            return None;
        }
        let news = (urgent && !known).then(|| note.clone());
        notes.push(note);
        news
    }

    fn into_list(self) -> Vec<String> {
        let Self { mut calls, callers } = self;
        calls.extend(callers);
        calls
    }
}

#[cfg(test)]
mod tests {
    use super::check_address;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for address in
            ["alice.example:7000", "10.0.0.7:1", "[::1]:65535", "[2001:db8::1]:7", "my_host-2:80"]
        {
            check_address(address).unwrap();
        }
        for text in [
            "",
            "alice.example",
            ":7000",
            "alice.example:",
            "alice.example:0",
            "alice.example:65536",
            "alice.example:https",
            "http://alice.example:7000",
            "alice.example:7000/",
            "alice example:7000",
            "::1:7000",
            "[::1:7000",
            "[alice]:7000",
        ] {
            let error = check_address(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is no address")), "{error}");
        }
    }
}
