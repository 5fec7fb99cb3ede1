//! Meeting the peer: identity, connection, handshake, farewell; and telling the peer when this side
//! cannot start, so that nobody waits in the dark.

use super::ended::{EndedSessions, Underway};
use super::invitation::Invitation;
use crate::error::Error;
use crate::observe::Run;
use crate::owners;
use std::net::ToSocketAddrs;
use std::path::PathBuf;
use std::time::Duration;
use twain_link::channel::Channel;
use twain_link::channel::tls::{
    ConnectError, ConnectOptions, PeerPolicy, Timeouts, TlsChannel, check_address, connect,
};
use twain_link::handshake::{Item, Manifest, Session, handshake};
use twain_link::identity::{Fingerprint, Identity, KnownPeers, NamedPeers, is_name};
use twain_party::{Phase, Role};
use twain_store::{Store, StoreError};

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

/// How the peer is met.
#[derive(Clone, Debug)]
pub struct Peer {
    /// `host:port` where the peer listens; also the name under which its key is remembered. Without
    /// it this side only listens.
    pub remote_peer: Option<String>,
    /// `address:port` to listen on. Without it this side only dials.
    pub local_addr: Option<String>,
    /// The peer's fingerprint, as its `twain identity` prints it.
    pub peer: Option<String>,
    /// Folder or name of this side's identity, if not the default.
    pub identity: Option<PathBuf>,
    /// The invitation that the address and the fingerprint are from: it is for one circuit, and
    /// ends.
    pub invitation: Option<Invitation>,
    /// How long to wait for the peer to appear.
    pub connect_timeout: Duration,
    /// How long the peer may be silent.
    pub idle_timeout: Duration,
    /// How long the session may take, if not as its forecast allows.
    pub session_timeout: Option<Duration>,
    /// How many sessions with this peer may have ended without a result: each may have told it
    /// something, so after three of them one begins only if this side's user says so.
    pub ended_sessions: Option<u32>,
}

impl Peer {
    /// The same peer where an invitation says, and with its key.
    pub fn invited(self, invitation: Invitation) -> Self {
        Self {
            remote_peer: Some(invitation.address.clone()),
            peer: Some(invitation.fingerprint.to_string()),
            invitation: Some(invitation),
            ..self
        }
    }

    /// The same with address and key in the place of the name that a remote peer without a port is
    /// (`twain peers`).
    ///
    /// # Errors
    /// A name that nobody has; a named peer that another key is given for, or that has no address
    /// while this side does not listen.
    pub fn resolved(mut self) -> Result<Self, Error> {
        let Some(name) = self.remote_peer.take_if(|text| is_name(text)) else { return Ok(self) };
        let named = NamedPeers::read(self.identity.as_deref())?;
        let Some(peer) = named.find(&name) else {
            // Perhaps it was meant as one.
            let no_address = ConnectError::Address(name);
            let text = format!("{no_address}; nor is it a peer's name (see `twain peers list`)");
            return Err(Error::Usage(text));
        };
        if self.pinned()?.is_some_and(|given| given != peer.fingerprint) {
            let text = format!("--peer is another key than that of {name}: leave it out");
            return Err(Error::Usage(text));
        }
        if peer.address.is_none() && self.local_addr.is_none() {
            let text =
                format!("the peer {name} has no address: give --local-addr, so that it can dial");
            return Err(Error::Usage(text));
        }
        (self.remote_peer, self.peer) = (peer.address.clone(), Some(peer.fingerprint.to_string()));
        Ok(self)
    }

    /// Refuses at once what no waiting would mend.
    ///
    /// # Errors
    /// An address or a fingerprint that is none.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.remote_peer.as_deref().map_or(Ok(()), check_address)?;
        if let Some(address) = &self.local_addr {
            let wrong = |source| ConnectError::Listen { address: address.clone(), source };
            address.to_socket_addrs().map_err(wrong)?;
        }
        self.pinned().map(drop)
    }

    /// The key that the peer must show, if it is given.
    fn pinned(&self) -> Result<Option<Fingerprint>, Error> {
        Ok(self.peer.as_ref().map(|text| text.parse()).transpose()?)
    }
}

/// What the peer is told of a session that this side's user must agree to first.
const TOO_MANY_ENDED: &str =
    "its user must first agree to another session: some with this peer have ended without a result";

/// The folders of an identity's bundles, and of the other copy of their marks.
pub const STORE: [&str; 2] = ["bundles", "marks"];

/// Opens the store of an identity's bundles.
pub fn open_store(identity: &Identity) -> Result<Store<'_>, StoreError> {
    let [bundles, marks] = STORE.map(|name| identity.directory().join(name));
    Store::open(&bundles, &marks, identity)
}

/// The identity that a user means by `given`: a folder, a name, or the default one.
pub fn identity_of(given: &Option<PathBuf>) -> Result<Identity, Error> {
    let folder = Identity::directory_of(given.as_deref())?;
    Identity::load_or_create(&folder).map_err(Error::from)
}

/// The fingerprint of the identity in a folder, of a name, or of the default one, which is made if
/// it is not there.
///
/// # Errors
/// A folder or a key file that cannot be used.
pub fn fingerprint(folder: &Option<PathBuf>) -> Result<Fingerprint, Error> {
    Ok(identity_of(folder)?.fingerprint())
}

/// What is compared with the peer: `items`, and the version of this program.
pub fn manifest(items: impl IntoIterator<Item = (String, Item)>) -> Result<Manifest, Error> {
    let version = Item::Text(env!("CARGO_PKG_VERSION").into());
    let items = items.into_iter().chain([("version of twain".to_string(), version)]);
    // The plan, which differs as well, follows from whose the inputs are.
    Ok(Manifest::new(items)?.insist(owners::NAME))
}

/// Connects to the peer, who must hold the same and have been told to do the same, for a session
/// within `timeouts`.
pub fn meet(
    role: Role,
    pair: &Peer,
    timeouts: Timeouts,
    identity: &Identity,
    manifest: &Manifest,
    run: &Run,
) -> Result<(TlsChannel, Session, Underway), Error> {
    run.enter(Phase::Connect)?;
    let mut channel = reach(role, pair, timeouts, identity, run)?;
    run.cancel().ends(channel.canceller());
    run.watch_link(channel.meter().totals());
    let underway = EndedSessions::of(identity).begin(channel.peer(), pair.ended_sessions);
    let underway = match underway {
        Ok(underway) => underway,
        Err(error) => {
            // What becomes of it does not change why this side stops.
            let _ = handshake(&mut channel, &Manifest::refusal(TOO_MANY_ENDED));
            return Err(error);
        }
    };
    match handshake(&mut channel, manifest) {
        Ok(session) => Ok((channel, session, underway)),
        Err(error) => {
            // Nothing of a secret was in it: sides that hold different things may try again.
            underway.has_result()?;
            Err(owners::explain(error))
        }
    }
}

/// Tells the peer that this side cannot start, if it appears in time; returns the error for the
/// user.
pub fn tell(
    role: Role,
    pair: &Peer,
    identity: &Identity,
    Unready { error, told }: Unready,
    run: &Run,
) -> Error {
    if let Some(reason) = told {
        let seconds = pair.connect_timeout.as_secs_f64();
        run.step(format!("{error}\nTelling the peer, for up to {seconds} s (Ctrl-C: not)."));
        let timeouts = Timeouts { silence: pair.idle_timeout, ..Timeouts::default() };
        // What becomes of it does not change why this side stops.
        if let Ok(mut channel) = reach(role, pair, timeouts, identity, run) {
            let _ = handshake(&mut channel, &Manifest::refusal(&reason));
        }
    }
    *error
}

/// Ends the session.
pub fn finish(
    channel: TlsChannel,
    underway: Underway,
    run: &Run,
    done: &str,
    pair: &Peer,
) -> Result<(), Error> {
    underway.has_result()?;
    run.enter(Phase::Finish)?;
    match channel.finish(pair.idle_timeout) {
        Ok(meter) => run.keep_messages(meter.phases()),
        Err(error) => run.warn(format!("{done}, but the peer's farewell is missing: {error}")),
    }
    Ok(())
}

fn reach(
    role: Role,
    pair: &Peer,
    timeouts: Timeouts,
    identity: &Identity,
    run: &Run,
) -> Result<TlsChannel, Error> {
    let policy = match pair.pinned()? {
        Some(key) => PeerPolicy::Pinned(key),
        None => {
            let observer = run.observer();
            let ask = |name: &str, found: &Fingerprint| observer.confirm(name, found);
            let ask = observer
                .can_confirm()
                .then(|| Box::new(ask) as Box<dyn FnMut(&str, &Fingerprint) -> bool>);
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
        watcher: run,
        timeouts,
    };
    connect(options).map_err(Error::from)
}
