//! Finding the peer: listens and dials at once until a time limit, so that one dialable side is
//! enough. When both connections authenticate, the model's side takes one and says which, and the
//! data's side confirms (protocol §8).

use super::config::{KeyRefused, TlsConfig};
use super::greeting::{GreetingError, Link, Patience};
use super::{Timeouts, TlsChannel};
use crate::identity::{Fingerprint, Identity, KnownPeers, KnownPeersError};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use twain_party::Role;

const DIAL_ATTEMPT: Duration = Duration::from_secs(5);
const DIAL_PAUSE: Duration = Duration::from_millis(250);
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// Strangers on the listening port get this long, and so many at once.
const STRANGER_LIMIT: Duration = Duration::from_secs(10);
const STRANGERS_AT_ONCE: usize = 8;

/// The model's side takes this connection.
const CHOSEN: [u8; 1] = *b"C";
/// The data's side has seen that.
const READY: [u8; 1] = *b"R";

/// Whom to accept.
pub enum PeerPolicy<'a> {
    /// The holder of the key with this fingerprint (`--peer`).
    Pinned(Fingerprint),
    /// The peer remembered under the remote address; on first use whom the user confirms.
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
}

/// Why there is no connection to the peer.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Neither address was given.
    #[error("give an address to listen on (--local-addr), one to dial (--remote-peer), or both")]
    NoAddress,
    /// Nothing to remember a first-time peer by.
    #[error("without an address to dial (--remote-peer) the peer's key must be given: --peer")]
    NoName,
    /// One's own key as the peer's.
    #[error("the peer would be this side itself: {0} is its own key")]
    OwnKey(Fingerprint),
    /// The listening address cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Another key than the pinned one.
    #[error("at {address} is another peer: its key is {found}, expected was {expected}")]
    WrongKey {
        /// Where.
        address: String,
        /// The key pinned.
        expected: Fingerprint,
        /// The key shown.
        found: Fingerprint,
    },
    /// The peer does not accept this side's key.
    #[error("the peer at {address} refuses this side's key {own}: it must pin it (--peer {own})")]
    RefusedByPeer {
        /// Where.
        address: String,
        /// This side's key.
        own: Fingerprint,
    },
    /// The peer is not known, or has changed.
    #[error(transparent)]
    KnownPeers(#[from] KnownPeersError),
    /// Versions or roles do not fit.
    #[error("with the peer at {address}: {reason}")]
    Unfit {
        /// Where.
        address: String,
        /// What does not fit.
        reason: String,
    },
    /// Nobody came.
    #[error("no peer within {after:?}{}", attempts(.tried))]
    Timeout {
        /// The limit.
        after: Duration,
        /// What was tried, and its outcome.
        tried: Vec<String>,
    },
    /// TLS could not be set up on this side.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The system has no more threads or sockets.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
}

fn attempts(tried: &[String]) -> String {
    tried.iter().map(|attempt| format!("; {attempt}")).collect()
}

/// What the threads that listen and dial report.
enum Event {
    Link(Box<Link>),
    Failed { dialled: bool, address: String, error: GreetingError },
}

/// Connects to the peer.
///
/// # Errors
/// Whatever makes success impossible is reported at once; otherwise all that was tried, when the
/// time is over.
pub fn connect(options: ConnectOptions<'_>) -> Result<TlsChannel, ConnectError> {
    let ConnectOptions { role, identity, local, remote, mut peer, connect_timeout, timeouts } =
        options;
    let expected = expected_key(identity, remote, &peer)?;
    let config =
        TlsConfig::new(identity, expected).map_err(|error| ConnectError::Tls(error.to_string()))?;
    let mut search = Search { stopped: Arc::new(AtomicBool::new(false)), listener: None };
    let patience =
        Patience { deadline: Instant::now() + connect_timeout, cancelled: search.stopped.clone() };
    let seeker = Arc::new(Seeker { config, role, patience: patience.clone() });

    let events = search.start(&seeker, local, remote)?;
    let mut tried: Vec<String> = Vec::new();
    loop {
        let left = patience.deadline.saturating_duration_since(Instant::now());
        match events.recv_timeout(left) {
            Ok(Event::Link(mut link)) => {
                if expected.is_none()
                    && let PeerPolicy::Known(known) = &mut peer
                {
                    known.accept(remote.ok_or(ConnectError::NoName)?, link.fingerprint)?;
                }
                match agree(&mut link, role, &patience) {
                    Ok(()) => {
                        return TlsChannel::start(*link, role, identity.fingerprint(), timeouts)
                            .map_err(|source| ConnectError::System {
                                action: "start the link's threads",
                                source,
                            });
                    }
                    Err(error) => note(&mut tried, format!("{}: {error}", link.address)),
                }
            }
            Ok(Event::Failed { dialled, address, error }) => {
                // A stranger who dials in does not end the wait, a wrong peer that was dialled does.
                let known =
                    matches!(error, GreetingError::Version { .. } | GreetingError::SameRole(_))
                        && expected.is_some();
                if error.is_final() && (dialled || known) {
                    if let GreetingError::Key(KeyRefused::Other { found, .. }) = error
                        && let (PeerPolicy::Known(known), Some(name)) = (&mut peer, remote)
                    {
                        known.accept(name, found)?;
                    }
                    return Err(final_error(address, error, identity.fingerprint()));
                }
                note(&mut tried, format!("{address}: {error}"));
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(ConnectError::Timeout { after: connect_timeout, tried });
            }
        }
    }
}

/// What [`connect`] does with one connection while nobody knows who is at its other end: TLS, the key,
/// the greeting. For fuzzing.
///
/// # Errors
/// Why the other end is not the peer, in words.
pub fn court(
    stream: TcpStream,
    dialled: bool,
    role: Role,
    identity: &Identity,
    peer: Fingerprint,
    limit: Duration,
) -> Result<(), String> {
    let config = TlsConfig::new(identity, Some(peer)).map_err(|error| error.to_string())?;
    let patience = Patience { deadline: Instant::now() + limit, cancelled: Arc::default() };
    let seeker = Seeker { config, role, patience };
    seeker.court(stream, dialled).map(drop).map_err(|error| error.to_string())
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

/// The model's side takes the connection, the data's side (which was told) confirms.
fn agree(link: &mut Link, role: Role, patience: &Patience) -> Result<(), GreetingError> {
    match role {
        Role::Model => {
            link.write(&CHOSEN, patience)?;
            expect(link, READY, patience)
        }
        Role::Data => link.write(&READY, patience),
    }
}

fn expect(link: &mut Link, signal: [u8; 1], patience: &Patience) -> Result<(), GreetingError> {
    let mut byte = [0; 1];
    link.read(&mut byte, patience)?;
    if byte == signal { Ok(()) } else { Err(GreetingError::NotTwain) }
}

fn final_error(address: String, error: GreetingError, own: Fingerprint) -> ConnectError {
    match error {
        GreetingError::Key(KeyRefused::Own) => ConnectError::OwnKey(own),
        GreetingError::Key(KeyRefused::Other { expected, found }) => {
            ConnectError::WrongKey { address, expected, found }
        }
        GreetingError::RefusedByPeer => ConnectError::RefusedByPeer { address, own },
        other => ConnectError::Unfit { address, reason: other.to_string() },
    }
}

/// Remembers the latest few attempts, each once.
fn note(tried: &mut Vec<String>, attempt: String) {
    tried.retain(|earlier| *earlier != attempt);
    if tried.len() == 6 {
        tried.remove(0);
    }
    tried.push(attempt);
}

/// The search for the peer; ends when it is dropped, and the listening port is free then.
struct Search {
    stopped: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl Drop for Search {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Search {
    /// Starts listening and dialling.
    fn start(
        &mut self,
        seeker: &Arc<Seeker>,
        local: Option<&str>,
        remote: Option<&str>,
    ) -> Result<Receiver<Event>, ConnectError> {
        if local.is_none() && remote.is_none() {
            return Err(ConnectError::NoAddress);
        }
        let (sender, events) = channel();
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_string()).spawn(run);
            thread.map_err(|source| ConnectError::System { action: "start a thread", source })
        };
        if let Some(address) = local {
            let failed = |source| ConnectError::Listen { address: address.to_string(), source };
            let listener = TcpListener::bind(address).map_err(failed)?;
            listener.set_nonblocking(true).map_err(failed)?;
            let (seeker, sender) = (seeker.clone(), sender.clone());
            let listen = move || seeker.listen(&listener, &sender);
            self.listener = Some(spawn("twain-listen", Box::new(listen))?);
        }
        if let Some(address) = remote {
            let (seeker, address) = (seeker.clone(), address.to_string());
            spawn("twain-dial", Box::new(move || seeker.dial(&address, &sender)))?;
        }
        Ok(events)
    }
}

/// What the threads share.
struct Seeker {
    config: TlsConfig,
    role: Role,
    patience: Patience,
}

impl Seeker {
    fn listen(self: &Arc<Self>, listener: &TcpListener, events: &Sender<Event>) {
        let strangers = Arc::new(AtomicUsize::new(0));
        while self.patience.check().is_ok() {
            let Ok((stream, address)) = listener.accept() else {
                std::thread::sleep(ACCEPT_PAUSE);
                continue;
            };
            if strangers.load(Ordering::Relaxed) >= STRANGERS_AT_ONCE {
                continue;
            }
            strangers.fetch_add(1, Ordering::Relaxed);
            let (seeker, events, counter) = (self.clone(), events.clone(), strangers.clone());
            let spawned = std::thread::Builder::new().spawn(move || {
                let event = match seeker.court(stream, false) {
                    Ok(link) => Event::Link(Box::new(link)),
                    Err(error) => {
                        Event::Failed { dialled: false, address: address.to_string(), error }
                    }
                };
                counter.fetch_sub(1, Ordering::Relaxed);
                // Nobody listens any more when another connection was chosen.
                let _ = events.send(event);
            });
            if spawned.is_err() {
                strangers.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    fn dial(&self, address: &str, events: &Sender<Event>) {
        while self.patience.check().is_ok() {
            let outcome = self.dial_once(address);
            let ends = match &outcome {
                Ok(_) => true,
                Err(error) => error.is_final(),
            };
            let event = match outcome {
                Ok(link) => Event::Link(Box::new(link)),
                Err(error) => Event::Failed { dialled: true, address: address.to_string(), error },
            };
            if events.send(event).is_err() || ends {
                return;
            }
            std::thread::sleep(DIAL_PAUSE);
        }
    }

    fn dial_once(&self, address: &str) -> Result<Link, GreetingError> {
        let mut last = std::io::Error::other("the name has no address");
        for address in address.to_socket_addrs().map_err(GreetingError::Io)? {
            let left = self.patience.deadline.saturating_duration_since(Instant::now());
            let limit = left.min(DIAL_ATTEMPT).max(Duration::from_millis(1));
            match TcpStream::connect_timeout(&address, limit) {
                Ok(stream) => return self.court(stream, true),
                Err(error) => last = error,
            }
        }
        Err(GreetingError::Io(last))
    }

    /// Authenticates, greets and, on the data's side, waits until the model's side has chosen.
    fn court(&self, stream: TcpStream, dialled: bool) -> Result<Link, GreetingError> {
        stream.set_nonblocking(false).map_err(GreetingError::Io)?;
        let mut first = self.patience.clone();
        first.deadline = first.deadline.min(Instant::now() + STRANGER_LIMIT);
        let mut link = Link::establish(stream, dialled, &self.config, self.role, &first)?;
        if self.role == Role::Data {
            expect(&mut link, CHOSEN, &self.patience)?;
        }
        Ok(link)
    }
}
