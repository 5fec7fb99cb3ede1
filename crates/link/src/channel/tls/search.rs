//! The threads that look for the peer: one listens, one dials, and each connection is courted (TLS,
//! the key, the greeting) by itself. Whoever [`connect`](super::connect::connect)s hears what
//! became of each.
//!
//! While the peer's key is not known yet, a connection only tells whose key is at its other end.
//! Both ends are told so, and the other end comes again. While the user is asked about a key, time
//! stands still: for this side at once, for the other, who hears of it again and again, from then
//! on.

use super::config::{KeyRefused, TlsConfig};
use super::error::ConnectError;
use super::greeting::{GreetingError, Link, Patience};
use crate::identity::{Fingerprint, Identity, KnownPeersError};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use twain_party::Role;

const DIAL_ATTEMPT: Duration = Duration::from_secs(5);
const DIAL_PAUSE: Duration = Duration::from_millis(250);
/// How long a cancelled search goes on.
const CANCEL_PAUSE: Duration = Duration::from_millis(100);
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// Strangers on the listening port get this long, and so many at once.
const STRANGER_LIMIT: Duration = Duration::from_secs(10);
const STRANGERS_AT_ONCE: usize = 8;

/// The model's side takes this connection.
const CHOSEN: [u8; 1] = *b"C";
/// The data's side has seen that.
const READY: [u8; 1] = *b"R";
/// Instead of either: this side does not know the other's key yet, ...
const NOT_KNOWN: [u8; 1] = *b"N";
/// ... its user is being asked about it, ...
const ASKED: [u8; 1] = *b"W";
/// ... or has said no.
const DECLINED: [u8; 1] = *b"X";
/// How often the other end hears that the user is being asked.
const ASK_PAUSE: Duration = Duration::from_secs(1);
/// How long it is tried to tell the other end of a no.
const DECLINE_LIMIT: Duration = Duration::from_secs(3);

/// What became of a connection.
pub(super) struct Event {
    /// Whether this side dialled.
    pub(super) dialled: bool,
    /// The address dialled, or the host that dialled.
    pub(super) address: String,
    /// Whether a key was expected: whoever came further than that has it.
    pub(super) expecting: bool,
    /// The link, if the peer is at its other end.
    pub(super) outcome: Result<Box<Link>, GreetingError>,
}

/// The moment so long from now; a year from now if it is later.
fn deadline(limit: Duration) -> Instant {
    Instant::now() + limit.min(Duration::from_secs(365 * 24 * 3600))
}

/// The search for the peer; ends when it is dropped, and the listening port is free then.
pub(super) struct Search {
    seeker: Arc<Seeker>,
    remote: Option<String>,
    sender: Sender<Event>,
    events: Receiver<Event>,
    listener: Option<JoinHandle<()>>,
    listens_at: Option<SocketAddr>,
    limit: Duration,
}

impl Drop for Search {
    fn drop(&mut self) {
        self.seeker.cancelled.store(true, Ordering::Relaxed);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Search {
    /// Listens at `local` and dials `remote`, as `role`, for so long.
    pub(super) fn start(
        config: TlsConfig,
        role: Role,
        local: Option<&str>,
        remote: Option<&str>,
        limit: Duration,
    ) -> Result<Self, ConnectError> {
        if local.is_none() && remote.is_none() {
            return Err(ConnectError::NoAddress);
        }
        let seeker = Arc::new(Seeker::new(config, role, limit));
        let (sender, events) = channel();
        let remote = remote.map(str::to_string);
        let (listener, listens_at) = (None, None);
        let mut search = Search { seeker, remote, sender, events, listener, listens_at, limit };
        if let Some(address) = local {
            let failed = |source| ConnectError::Listen { address: address.to_string(), source };
            let listener = TcpListener::bind(address).map_err(failed)?;
            listener.set_nonblocking(true).map_err(failed)?;
            search.listens_at = listener.local_addr().ok();
            let (seeker, sender) = (search.seeker.clone(), search.sender.clone());
            let listen = move || seeker.listen(&listener, &sender);
            search.listener = Some(spawn("twain-listen", listen)?);
        }
        search.dial(Duration::ZERO)?;
        Ok(search)
    }

    /// Where this side listens, if it does.
    pub(super) fn listens_at(&self) -> Option<SocketAddr> {
        self.listens_at
    }

    /// The next thing that happens; none when the time is over.
    ///
    /// # Errors
    /// [`ConnectError::Cancelled`].
    pub(super) fn next(&self, cancelled: impl Fn() -> bool) -> Result<Option<Event>, ConnectError> {
        loop {
            if cancelled() {
                return Err(ConnectError::Cancelled);
            }
            let left = self.seeker.left();
            match self.events.recv_timeout(left.min(CANCEL_PAUSE)) {
                Ok(event) => return Ok(Some(event)),
                Err(RecvTimeoutError::Timeout) if left > CANCEL_PAUSE => {}
                Err(_) => return Ok(None),
            }
        }
    }

    /// From now on the peer is whom `config` expects.
    pub(super) fn expect(&self, config: TlsConfig) {
        // The key is learnt once.
        let _ = self.seeker.known.set(config);
    }

    /// The peer's user is being asked about this side: there is as much time again from now on.
    pub(super) fn wait_for_answer(&self) {
        let mut state = self.seeker.state();
        state.deadline = state.deadline.max(deadline(self.limit));
    }

    /// Asks the user about a key, by `ask`. That takes nothing of the time to search; the other end
    /// is told of it meanwhile, and of a no.
    ///
    /// # Errors
    /// Those of `ask`; [`ConnectError::Cancelled`] if that is why there is no yes.
    pub(super) fn ask(
        &self,
        key: Fingerprint,
        ask: impl FnOnce() -> Result<(), KnownPeersError>,
        cancelled: impl Fn() -> bool,
    ) -> Result<(), ConnectError> {
        let (seeker, left) = (&self.seeker, self.seeker.left());
        seeker.answer(Some((key, ASKED)), Duration::MAX);
        if let Some(address) = self.remote.clone() {
            let seeker = seeker.clone();
            // If there is no thread for it, the other end is not told.
            let _ = spawn("twain-ask", move || {
                while seeker.answer_to(key) == ASKED {
                    let _ = seeker.dial_once(&address, &seeker.first);
                    std::thread::sleep(ASK_PAUSE);
                }
            });
        }
        let answer = ask();
        match (&answer, &self.remote) {
            (Err(KnownPeersError::Declined { .. }), _) if cancelled() => {
                return Err(ConnectError::Cancelled);
            }
            (Err(KnownPeersError::Declined { .. }), Some(address)) => {
                seeker.answer(Some((key, DECLINED)), DECLINE_LIMIT);
                let _ = seeker.dial_once(address, &seeker.first);
            }
            _ => seeker.answer(None, left),
        }
        Ok(answer?)
    }

    /// Dials again, after a pause, when a connection that was dialled has ended.
    pub(super) fn dial_again(&self) -> Result<(), ConnectError> {
        self.dial(DIAL_PAUSE)
    }

    fn dial(&self, pause: Duration) -> Result<(), ConnectError> {
        if let Some(address) = self.remote.clone() {
            let (seeker, sender) = (self.seeker.clone(), self.sender.clone());
            spawn("twain-dial", move || {
                std::thread::sleep(pause);
                seeker.dial(&address, &sender);
            })?;
        }
        Ok(())
    }

    /// The model's side takes the connection, the data's side (which was told) confirms.
    pub(super) fn agree(&self, link: &mut Link) -> Result<(), GreetingError> {
        let patience = &self.seeker.patience();
        match self.seeker.role {
            Role::Model => {
                link.write(&CHOSEN, patience)?;
                expect(link, READY, patience)
            }
            Role::Data => link.write(&READY, patience),
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ConnectError> {
    let thread = std::thread::Builder::new().name(name.to_string()).spawn(run);
    thread.map_err(|source| ConnectError::System { action: "start a thread", source })
}

fn expect(link: &mut Link, signal: [u8; 1], patience: &Patience) -> Result<(), GreetingError> {
    let mut byte = [0; 1];
    link.read(&mut byte, patience)?;
    match byte {
        byte if byte == signal => Ok(()),
        NOT_KNOWN => Err(GreetingError::NotKnownToPeer),
        ASKED => Err(GreetingError::AskedByPeer),
        DECLINED => Err(GreetingError::DeclinedByPeer),
        _ => Err(GreetingError::NotTwain),
    }
}

/// What [`connect`](super::connect::connect) does with one connection while nobody knows who is at
/// its other end: TLS, the key, the greeting. For fuzzing.
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
    let seeker = Seeker::new(config, role, limit);
    seeker.court(stream, dialled, seeker.config()).map(drop).map_err(|error| error.to_string())
}

/// What the threads share.
struct Seeker {
    first: TlsConfig,
    /// Once the key was learnt that was not known at first.
    known: OnceLock<TlsConfig>,
    role: Role,
    cancelled: Arc<AtomicBool>,
    state: Mutex<State>,
}

struct State {
    deadline: Instant,
    /// What who shows this key is told, instead of its not being known.
    answer: Option<(Fingerprint, [u8; 1])>,
}

impl Seeker {
    fn new(config: TlsConfig, role: Role, limit: Duration) -> Self {
        let state = State { deadline: deadline(limit), answer: None };
        let (known, cancelled) = (OnceLock::new(), Arc::default());
        Self { first: config, known, role, cancelled, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under this lock leaves it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn patience(&self) -> Patience {
        Patience { deadline: self.state().deadline, cancelled: self.cancelled.clone() }
    }

    fn left(&self) -> Duration {
        self.state().deadline.saturating_duration_since(Instant::now())
    }

    /// What somebody is told from now on, and how long the search goes on.
    fn answer(&self, answer: Option<(Fingerprint, [u8; 1])>, limit: Duration) {
        *self.state() = State { deadline: deadline(limit), answer };
    }

    /// What the holder of a key is told while none is expected.
    fn answer_to(&self, key: Fingerprint) -> [u8; 1] {
        let answer = self.state().answer.filter(|(whom, _)| *whom == key);
        answer.map_or(NOT_KNOWN, |(_, signal)| signal)
    }

    fn config(&self) -> &TlsConfig {
        self.known.get().unwrap_or(&self.first)
    }

    fn listen(self: &Arc<Self>, listener: &TcpListener, events: &Sender<Event>) {
        let strangers = Arc::new(AtomicUsize::new(0));
        while self.patience().check().is_ok() {
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
                let config = seeker.config();
                let outcome = seeker.court(stream, false, config).map(Box::new);
                counter.fetch_sub(1, Ordering::Relaxed);
                let (address, expecting) = (address.ip().to_string(), config.expects_a_key());
                // Nobody listens any more when another connection was chosen.
                let _ = events.send(Event { dialled: false, address, expecting, outcome });
            });
            if spawned.is_err() {
                strangers.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    fn dial(&self, address: &str, events: &Sender<Event>) {
        while self.patience().check().is_ok() {
            let config = self.config();
            let outcome = self.dial_once(address, config);
            let ends = match &outcome {
                Ok(_) => true,
                Err(error) => error.is_final(),
            };
            let (address, expecting) = (address.to_string(), config.expects_a_key());
            let outcome = outcome.map(Box::new);
            let event = Event { dialled: true, address, expecting, outcome };
            if events.send(event).is_err() || ends {
                return;
            }
            std::thread::sleep(DIAL_PAUSE);
        }
    }

    fn dial_once(&self, address: &str, config: &TlsConfig) -> Result<Link, GreetingError> {
        let mut last = std::io::Error::other("the name has no address");
        for address in address.to_socket_addrs().map_err(GreetingError::Name)? {
            let limit = self.left().min(DIAL_ATTEMPT).max(Duration::from_millis(1));
            match TcpStream::connect_timeout(&address, limit) {
                Ok(stream) => return self.court(stream, true, config),
                Err(error) => last = error,
            }
        }
        Err(GreetingError::Io(last))
    }

    /// Authenticates, greets and, on the data's side, waits until the model's side has chosen. A
    /// key is refused while none is expected: the user decides about it, and not while the other
    /// end waits.
    fn court(
        &self,
        stream: TcpStream,
        dialled: bool,
        config: &TlsConfig,
    ) -> Result<Link, GreetingError> {
        stream.set_nonblocking(false).map_err(GreetingError::Io)?;
        let mut first = self.patience();
        first.deadline = first.deadline.min(Instant::now() + STRANGER_LIMIT);
        let mut link = Link::establish(stream, dialled, config, self.role, &first)?;
        if !config.expects_a_key() {
            let found = link.fingerprint;
            // If it cannot be told, it has hung up and comes again as well.
            let _ = link.write(&self.answer_to(found), &first);
            link.linger();
            return Err(KeyRefused::NotKnown { found }.into());
        }
        if self.role == Role::Data {
            expect(&mut link, CHOSEN, &self.patience())?;
        }
        Ok(link)
    }
}
