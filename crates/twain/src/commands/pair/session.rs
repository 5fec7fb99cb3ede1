//! Meeting the peer: identity, connection, handshake, farewell; and telling the peer when this side
//! cannot start, so that nobody waits in the dark.

use crate::arguments::{Pair, Side};
use crate::error::Error;
use crate::report::{self, Phases};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use tracing::info_span;
use twain_mpc::channel::Channel;
use twain_mpc::channel::tls::{ConnectOptions, PeerPolicy, Timeouts, TlsChannel, connect};
use twain_mpc::handshake::{Item, Manifest, Session, handshake};
use twain_mpc::identity::{Fingerprint, Identity, KnownPeers};
use twain_mpc::store::{Store, StoreError};
use twain_party::Role;

/// Why this side cannot start, and what the peer is told of it.
pub struct Unready {
    /// For this side's user.
    pub error: Box<Error>,
    /// For the peer; none if it finds out by itself.
    pub told: Option<String>,
}

impl From<Error> for Unready {
    fn from(error: Error) -> Self {
        Self { error: error.into(), told: None }
    }
}

/// Says what the peer is told of an error.
pub trait Told<T> {
    /// The result, with what the peer is told. `text` must not depend on a secret.
    fn told(self, text: &str) -> Result<T, Unready>;
}

impl<T> Told<T> for Result<T, Error> {
    fn told(self, text: &str) -> Result<T, Unready> {
        self.map_err(|error| Unready { error: error.into(), told: Some(text.into()) })
    }
}

/// The side's role.
pub fn role(side: Side) -> Role {
    match side {
        Side::Model => Role::Model,
        Side::Data => Role::Data,
    }
}

/// Opens the store of an identity's bundles.
pub fn open_store(identity: &Identity) -> Result<Store<'_>, StoreError> {
    let [bundles, marks] = ["bundles", "marks"].map(|name| identity.directory().join(name));
    Store::open(&bundles, &marks, identity)
}

/// The key in `folder`, or in the default one.
pub fn identity_of(folder: &Option<PathBuf>) -> Result<Identity, Error> {
    let folder = match folder {
        Some(folder) => folder.clone(),
        None => Identity::default_directory().map_err(Error::peer)?,
    };
    Identity::load_or_create(&folder).map_err(Error::peer)
}

/// Prints this machine's fingerprint.
pub fn identity(folder: Option<PathBuf>) -> Result<(), Error> {
    println!("{}", identity_of(&folder)?.fingerprint());
    Ok(())
}

/// Connects to the peer, who must hold the same and have been told to do the same, for a session within
/// `timeouts`.
pub fn meet(
    role: Role,
    pair: &Pair,
    timeouts: Timeouts,
    identity: &Identity,
    items: impl IntoIterator<Item = (String, Item)>,
    phases: &Phases,
) -> Result<(TlsChannel, Session), Error> {
    let _connecting = info_span!("connect").entered();
    let version = Item::Text(env!("CARGO_PKG_VERSION").into());
    let items = items.into_iter().chain([("version of twain".to_string(), version)]);
    let manifest = Manifest::new(items).map_err(Error::peer)?;
    let mut channel = reach(role, pair, timeouts, identity, phases)?;
    phases.watch(channel.meter().totals());
    let session = handshake(&mut channel, &manifest).map_err(Error::peer)?;
    Ok((channel, session))
}

/// Tells the peer that this side cannot start, if it appears in time; returns the error for the user.
pub fn tell(
    role: Role,
    pair: &Pair,
    identity: &Identity,
    Unready { error, told }: Unready,
    phases: &Phases,
) -> Error {
    if let Some(reason) = told {
        let seconds = pair.connect_timeout.as_secs_f64();
        phases.say(&format!("{error}\nTelling the peer, for up to {seconds} s (Ctrl-C: not)."));
        let timeouts = Timeouts { silence: pair.idle_timeout, ..Timeouts::default() };
        // What becomes of it does not change why this side stops.
        if let Ok(mut channel) = reach(role, pair, timeouts, identity, phases) {
            let _ = handshake(&mut channel, &Manifest::refusal(&reason));
        }
    }
    *error
}

/// Ends the session and prints what it took.
pub fn finish(channel: TlsChannel, phases: &Phases, done: &str, pair: &Pair) {
    phases.finish();
    match channel.finish(pair.idle_timeout) {
        Ok(meter) => report::print_costs(phases, meter.phases()),
        Err(error) => {
            tracing::warn!("{done}, but the peer's farewell is missing: {error}");
            report::print_costs(phases, &[]);
        }
    }
}

fn reach(
    role: Role,
    pair: &Pair,
    timeouts: Timeouts,
    identity: &Identity,
    phases: &Phases,
) -> Result<TlsChannel, Error> {
    let policy = match &pair.peer {
        Some(text) => PeerPolicy::Pinned(text.parse::<Fingerprint>().map_err(Error::peer)?),
        None => {
            let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
            // The bars would draw over the question.
            let ask = |name: &str, found: &Fingerprint| phases.suspend(|| confirm(name, found));
            let ask = terminal.then(|| Box::new(ask) as Box<dyn FnMut(&str, &Fingerprint) -> bool>);
            PeerPolicy::Known(KnownPeers::new(identity.directory().join("known_peers"), ask))
        }
    };
    let options = ConnectOptions {
        role,
        identity,
        local: pair.local_addr.as_deref(),
        remote: pair.remote_peer.as_deref(),
        peer: policy,
        connect_timeout: pair.connect_timeout,
        timeouts,
    };
    connect(options).map_err(Error::peer)
}

fn confirm(name: &str, found: &Fingerprint) -> bool {
    eprint!("The peer at {name} shows the key {found}, not seen before. Trust it? [yes/no] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}
