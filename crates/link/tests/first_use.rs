//! Peers that do not know each other's keys yet, over loopback: who is asked about, and what
//! becomes of those who dial in.

mod endpoints;

use endpoints::{PATIENCE, QUICK, both, free_address, identity};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;
use twain_link::channel::tls::{
    ConnectError, ConnectOptions, Heard, PeerPolicy, TlsChannel, Unwatched, Watcher, connect,
};
use twain_link::identity::{Fingerprint, Identity, KnownPeers, KnownPeersError};
use twain_party::Role;

const SOON: Duration = Duration::from_secs(2);
const ROLES: [Role; 2] = [Role::Model, Role::Data];

/// The user at a side.
#[derive(Clone, Copy)]
enum User {
    /// No terminal.
    Away,
    /// After some thought.
    No(Duration),
    /// After some thought.
    Yes(Duration),
}

const YES: User = User::Yes(Duration::ZERO);

/// A side with a list of known peers, and what its user was asked.
struct Side {
    role: Role,
    identity: Identity,
    folder: TempDir,
    /// Where it listens, if it does.
    address: String,
    asked: Mutex<Vec<(String, Fingerprint)>>,
}

impl Side {
    fn new(role: Role) -> Self {
        let folder = tempfile::tempdir().expect("temporary directory");
        let (address, asked) = (free_address(), Mutex::default());
        Self { role, identity: identity(), folder, address, asked }
    }

    fn list(&self) -> PathBuf {
        self.folder.path().join("known_peers")
    }

    fn key(&self) -> Fingerprint {
        self.identity.fingerprint()
    }

    fn asked(&self) -> Vec<(String, Fingerprint)> {
        self.asked.lock().expect("not poisoned").clone()
    }

    fn options<'a>(&'a self, remote: &'a str, peer: PeerPolicy<'a>) -> ConnectOptions<'a> {
        ConnectOptions {
            role: self.role,
            identity: &self.identity,
            local: Some(&self.address),
            remote: Some(remote),
            peer,
            connect_timeout: PATIENCE,
            watcher: &Unwatched,
            timeouts: QUICK,
        }
    }

    /// Whoever the user confirms.
    fn confirmed(&self, user: User) -> PeerPolicy<'_> {
        let answer = match user {
            User::Away => None,
            User::No(pause) => Some((pause, false)),
            User::Yes(pause) => Some((pause, true)),
        };
        let ask = answer.map(|(pause, answer)| {
            Box::new(move |name: &str, key: &Fingerprint| {
                self.asked.lock().expect("not poisoned").push((name.to_string(), *key));
                std::thread::sleep(pause);
                answer
            }) as _
        });
        PeerPolicy::Known(KnownPeers::new(self.list(), ask))
    }

    /// Looks for the peer at `remote`, which is not known yet.
    fn seek(&self, remote: &str, user: User) -> Result<TlsChannel, ConnectError> {
        connect(self.options(remote, self.confirmed(user)))
    }

    /// The same until `limit`.
    fn seek_until(&self, remote: &str, limit: Duration) -> Result<TlsChannel, ConnectError> {
        let options = self.options(remote, self.confirmed(YES));
        connect(ConnectOptions { connect_timeout: limit, ..options })
    }

    /// Looks for the peer with this key.
    fn pin(&self, remote: &str, key: Fingerprint) -> Result<TlsChannel, ConnectError> {
        connect(self.options(remote, PeerPolicy::Pinned(key)))
    }
}

#[test]
fn first_use_asks_remembers_and_refuses_a_change() {
    let data = Side::new(Role::Data);
    let (model, mut changed) = (Side::new(Role::Model), Side::new(Role::Model));
    changed.address.clone_from(&model.address);
    let attempt = |model: &Side, user: User| {
        data.asked.lock().expect("not poisoned").clear();
        let (m, d) = both(
            || {
                let options = ConnectOptions {
                    remote: None,
                    connect_timeout: SOON,
                    ..model.options("", PeerPolicy::Pinned(data.key()))
                };
                connect(options).map(drop)
            },
            || data.seek(&model.address, user).map(drop),
        );
        (m, d, data.asked())
    };
    let (m, d, _) = attempt(&model, User::Away);
    assert!(m.is_err());
    let error = d.expect_err("no terminal");
    assert!(matches!(error, ConnectError::KnownPeers(KnownPeersError::Unconfirmed { .. })));
    let text = error.to_string();
    let parts =
        [&format!("only if it is the same give --peer {}", model.key()), "channel you trust"];
    assert!(parts.iter().all(|part| text.contains(*part)), "{text}");
    let (m, d, _) = attempt(&model, User::No(Duration::ZERO));
    assert!(m.is_err());
    let error = d.expect_err("declined");
    assert!(matches!(error, ConnectError::KnownPeers(KnownPeersError::Declined { .. })));
    let (m, d, asked) = attempt(&model, YES);
    m.and(d).expect("connected");
    assert_eq!(asked, [(model.address.clone(), model.key())]);
    let (m, d, asked) = attempt(&model, User::Away);
    m.and(d).expect("connected");
    assert!(asked.is_empty());
    let (m, d, asked) = attempt(&changed, YES);
    assert!(m.is_err() && asked.is_empty());
    let error = d.expect_err("changed");
    assert!(matches!(error, ConnectError::KnownPeers(KnownPeersError::Changed { .. })), "{error}");
}

/// Notes what it hears.
#[derive(Default)]
struct Ears(Mutex<Vec<Heard>>);

impl Watcher for Ears {
    fn hear(&self, heard: Heard) {
        self.0.lock().expect("not poisoned").push(heard);
    }
}

/// A side whose user answers so, with little time to search, and what becomes of its peer, which
/// knows its key and only listens.
fn while_the_user_thinks(
    role: Role,
    user: User,
) -> (Result<TlsChannel, ConnectError>, Result<TlsChannel, ConnectError>) {
    let (own, peer) = (Side::new(role), Side::new(role.other()));
    let ears = Ears::default();
    let outcome = both(
        || {
            let options = own.options(&peer.address, own.confirmed(user));
            connect(ConnectOptions { connect_timeout: SOON, ..options })
        },
        || {
            let options = peer.options("", PeerPolicy::Pinned(own.key()));
            connect(ConnectOptions {
                remote: None,
                connect_timeout: SOON,
                watcher: &ears,
                ..options
            })
        },
    );
    // The peer's user hears of the question, once.
    let asked = Heard::AskedByPeer(peer.key());
    let heard = ears.0.into_inner().expect("not poisoned");
    assert_eq!(heard.iter().filter(|heard| **heard == asked).count(), 1, "{heard:?}");
    outcome
}

#[test]
fn a_question_takes_nothing_of_the_time_to_search() {
    for role in ROLES {
        let (own, peer) = while_the_user_thinks(role, User::Yes(2 * SOON));
        own.and(peer).map(drop).expect("connected");
    }
}

#[test]
fn a_no_is_told_to_the_peer() {
    for role in ROLES {
        let (own, peer) = while_the_user_thinks(role, User::No(2 * SOON));
        let error = own.err().expect("declined");
        assert!(matches!(error, ConnectError::KnownPeers(KnownPeersError::Declined { .. })));
        let error = peer.err().expect("declined");
        assert!(matches!(error, ConnectError::DeclinedByPeer { .. }), "{error}");
    }
}

/// Ends the search of a side once its user is asked.
struct Ends<'a>(&'a Side);

impl Watcher for Ends<'_> {
    fn hear(&self, _: Heard) {}

    fn cancelled(&self) -> bool {
        !self.0.asked().is_empty()
    }
}

#[test]
fn an_end_instead_of_an_answer_is_no_no() {
    let (own, peer) = (Side::new(Role::Model), Side::new(Role::Data));
    let (ended, alone) = both(
        || {
            let options = own.options(&peer.address, own.confirmed(User::No(Duration::ZERO)));
            connect(ConnectOptions { watcher: &Ends(&own), ..options })
        },
        || {
            let options = peer.options("", PeerPolicy::Pinned(own.key()));
            connect(ConnectOptions { remote: None, connect_timeout: SOON, ..options })
        },
    );
    assert!(matches!(ended.err(), Some(ConnectError::Cancelled)));
    assert!(matches!(alone.err(), Some(ConnectError::Timeout { .. })));
}

#[test]
fn a_stranger_who_comes_before_the_peer_is_not_asked_about() {
    for role in ROLES {
        let (own, peer) = (Side::new(role), Side::new(role.other()));
        let stranger = Side::new(role.other());
        let (connected, met) = both(
            || own.seek(&peer.address, YES),
            || {
                // In the peer's absence, for as long as it likes.
                let nobody = free_address();
                let options = stranger.options(&own.address, PeerPolicy::Pinned(own.key()));
                let options = ConnectOptions { local: None, connect_timeout: SOON, ..options };
                let error = connect(options).err().expect("not the peer").to_string();
                assert!(error.contains("does not know this side's key yet"), "{error}");
                assert!(own.asked().is_empty());
                // The peer's own call fails, so that it must be found.
                peer.pin(&nobody, own.key())
            },
        );
        assert_eq!(connected.expect("connected").peer(), peer.key());
        assert_eq!(met.expect("connected").peer(), own.key());
        assert_eq!(own.asked(), [(peer.address.clone(), peer.key())]);
        let list = std::fs::read_to_string(own.list()).expect("remembered");
        assert_eq!(list, format!("{} {}\n", peer.address, peer.key()));
    }
}

#[test]
fn a_stranger_with_the_same_role_does_not_end_the_search() {
    let (own, peer) = (Side::new(Role::Data), Side::new(Role::Model));
    let stranger = Side::new(Role::Data);
    let nobody = free_address();
    let ((connected, met), error) = both(
        || {
            let answer = User::Yes(Duration::from_secs(1));
            both(|| own.seek(&peer.address, answer), || peer.pin(&nobody, own.key()))
        },
        || {
            // While the user thinks.
            while own.asked().is_empty() {
                std::thread::sleep(Duration::from_millis(10));
            }
            stranger.pin(&own.address, own.key()).err().expect("refused").to_string()
        },
    );
    assert!(error.contains("both sides are the data's side"), "{error}");
    assert_eq!(connected.expect("connected").peer(), peer.key());
    met.expect("connected");
}

#[test]
fn strangers_alone_are_noted_and_the_way_out_is_said() {
    for role in ROLES {
        let (own, strangers) = (Side::new(role), [(); 2].map(|()| Side::new(role.other())));
        let nobody = free_address();
        let (error, _) = both(
            || own.seek_until(&nobody, SOON).err().expect("nobody the user could know").to_string(),
            || {
                for stranger in &strangers {
                    for _ in 0..2 {
                        let options = stranger.options(&own.address, PeerPolicy::Pinned(own.key()));
                        let limit = Duration::from_millis(400);
                        let options =
                            ConnectOptions { local: None, connect_timeout: limit, ..options };
                        assert!(connect(options).is_err());
                    }
                }
            },
        );
        assert!(own.asked().is_empty());
        for stranger in strangers {
            let key = stranger.key();
            let note =
                format!("a stranger with the key {key} connected from 127.0.0.1: not the peer");
            assert_eq!(error.matches(&key.to_string()).count(), 1, "{error}");
            assert!(error.contains(&note), "{error}");
        }
        let advice = format!("its key is not known yet, and only one found at {nobody} can be");
        assert!(error.contains(&advice), "{error}");
        assert!(
            error.contains("--peer and the fingerprint that `twain identity` prints"),
            "{error}"
        );
        assert!(!error.contains("--peer sha256"), "{error}");
    }
}

#[test]
fn two_who_do_not_know_each_other_both_ask() {
    for [first, second] in [[0, 0], [0, 1200], [1200, 0]] {
        let [model, data] = ROLES.map(Side::new);
        let user = |pause| User::Yes(Duration::from_millis(pause));
        let (m, d) = both(
            || model.seek(&data.address, user(first)),
            || data.seek(&model.address, user(second)),
        );
        assert_eq!(m.expect("connected").peer(), data.key());
        assert_eq!(d.expect("connected").peer(), model.key());
        assert_eq!(model.asked(), [(data.address.clone(), data.key())]);
        assert_eq!(data.asked(), [(model.address.clone(), model.key())]);
    }
}

#[test]
fn a_side_that_cannot_dial_must_pin_and_both_are_told() {
    for role in ROLES {
        let (dialable, other) = (Side::new(role), Side::new(role.other()));
        let nobody = free_address();
        let (at_dialable, at_other) = both(
            || dialable.seek_until(&nobody, SOON).err().expect("it knows nobody").to_string(),
            || other.seek_until(&dialable.address, SOON).err().expect("refused").to_string(),
        );
        assert_eq!(other.asked(), [(dialable.address.clone(), dialable.key())]);
        let key = other.key();
        assert!(at_other.contains(&format!("it must be started with --peer {key}")), "{at_other}");
        assert!(at_dialable.contains(&format!("a stranger with the key {key}")), "{at_dialable}");
        assert!(!at_dialable.contains("--peer sha256"), "{at_dialable}");
        assert!(dialable.asked().is_empty());
        // It does, and the other remembers.
        let (m, d) = both(
            || dialable.pin(&nobody, other.key()).map(drop),
            || other.seek(&dialable.address, User::Away).map(drop),
        );
        m.and(d).expect("connected");
    }
}

#[test]
fn without_an_address_to_dial_the_key_must_be_given() {
    let own = Side::new(Role::Data);
    let options = ConnectOptions { remote: None, ..own.options("", own.confirmed(YES)) };
    let error = connect(options).err().expect("nobody to ask about");
    assert!(matches!(error, ConnectError::NoName), "{error}");
    assert!(error.to_string().contains("twain identity"), "{error}");
}
