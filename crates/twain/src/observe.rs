//! What a session tells whoever runs it: its phases and what they cost, how far it is, what its
//! user must know; and how it is ended early. In: an [`Observer`] and a [`Cancel`]. There is no
//! global state, so any number of sessions run in one process.

mod json;
mod usage;

pub use json::traffic_to_json;
pub use usage::{Usage, bytes};

use crate::error::Error;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use twain_link::channel::tls::{Canceller, Heard, Watcher};
use twain_link::channel::{Traffic, TrafficTotals};
use twain_link::identity::Fingerprint;
use twain_party::{Phase, Watch, Watched};

/// What a phase took, over all times it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Wall time.
    pub wall: Duration,
    /// Processor time of all threads of the process.
    pub cpu: Duration,
    /// What went over the link.
    pub traffic: Traffic,
    /// Largest resident memory of the process when the phase last ended, in bytes.
    pub peak_memory: u64,
}

/// Something a user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// What the circuit, a file or a flag leaves loose or gives away.
    Warning(String),
    /// Who will learn what, before anything is sent.
    Learns(String),
    /// What is done now, or has been done.
    Step(String),
}

impl Notice {
    /// Its text.
    pub fn text(&self) -> &str {
        match self {
            Notice::Warning(text) | Notice::Learns(text) | Notice::Step(text) => text,
        }
    }
}

/// What happens in a session.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A phase begins, perhaps again.
    Began(Phase),
    /// A phase ends; what it has cost so far, over all times it came.
    Ended(Phase, Cost),
    /// Bytes carried in the running phase, over all times it came, and how many are expected in all
    /// (0: not known). At most once a second.
    Progress {
        /// The running phase.
        phase: Phase,
        /// Bytes both ways so far.
        done: u64,
        /// Bytes both ways expected.
        of: u64,
        /// What has gone over the link since the session began.
        traffic: Traffic,
    },
    /// Calibration tries something out: after so many trials of so many.
    Trial {
        /// Trials so far.
        done: usize,
        /// Trials in all, before the best are checked.
        of: usize,
        /// What is tried.
        what: String,
    },
    /// What the session is expected to take, before it connects.
    Forecast(crate::pair::Forecast),
    /// Something the user should know.
    Notice(Notice),
    /// A file is downloaded: so many bytes are there of so many (0: not known). At most once a
    /// second.
    Downloaded {
        /// Bytes that are there.
        done: u64,
        /// Bytes of the whole file.
        of: u64,
    },
    /// The session listens for its peer.
    Listening(SocketAddr),
    /// The peer is there.
    Connected {
        /// The address dialled, or the host that dialled.
        address: String,
        /// Its key's.
        fingerprint: Fingerprint,
    },
    /// The session was told to end.
    Cancelled,
}

/// Hears what happens in a session. Called from its threads, which wait for it; must not block, but
/// for [`Observer::confirm`].
pub trait Observer: Send + Sync {
    /// Something happens.
    fn event(&self, event: &Event);

    /// Whether there is somebody who can answer [`Observer::confirm`].
    fn can_confirm(&self) -> bool {
        false
    }

    /// Whether the user trusts a key not seen before, which the peer at `address` (the one that was
    /// dialled) shows.
    fn confirm(&self, _address: &str, _fingerprint: &Fingerprint) -> bool {
        false
    }
}

/// Hears nothing, for programs that want only the result.
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event) {}
}

/// Ends a session early, from any thread: at the latest a second later it returns
/// [`Fault::Cancelled`](crate::error::Fault::Cancelled).
#[derive(Clone, Default)]
pub struct Cancel(Arc<Cancelled>);

#[derive(Default)]
struct Cancelled {
    flag: AtomicBool,
    links: Mutex<Vec<Canceller>>,
}

impl Cancel {
    /// Ends every session that was given this.
    pub fn cancel(&self) {
        self.0.flag.store(true, Ordering::SeqCst);
        self.links().iter().for_each(Canceller::cancel);
    }

    /// Whether it was.
    pub fn is_cancelled(&self) -> bool {
        self.0.flag.load(Ordering::SeqCst)
    }

    /// Ends what waits on this link, too.
    pub(crate) fn ends(&self, link: Canceller) {
        let mut links = self.links();
        if self.is_cancelled() {
            link.cancel();
        }
        links.push(link);
    }

    fn links(&self) -> MutexGuard<'_, Vec<Canceller>> {
        self.0.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One session's report to its observer, and its accounts. Clones are the same session.
#[derive(Clone)]
pub struct Run {
    accounts: Arc<Accounts>,
    /// Ends with the last clone.
    _ticker: Arc<Ticker>,
}

struct Accounts {
    observer: Arc<dyn Observer>,
    cancel: Cancel,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Option<Started>,
    /// In the order the phases first began.
    costs: Vec<(Phase, Cost)>,
    link: Option<TrafficTotals>,
    expected: Vec<(Phase, u64)>,
    messages: Vec<(&'static str, Traffic)>,
    told_of_cancel: bool,
}

/// The state of things when a phase began.
struct Started {
    phase: Phase,
    at: Instant,
    cpu: Duration,
    traffic: Traffic,
}

impl Run {
    /// A session that tells `observer`, until `cancel` ends it.
    pub fn new(observer: Arc<dyn Observer>, cancel: Cancel) -> Self {
        let accounts = Arc::new(Accounts { observer, cancel, state: Mutex::default() });
        let ticker = Ticker::start(Arc::clone(&accounts));
        Self { accounts, _ticker: Arc::new(ticker) }
    }

    /// A session nobody hears of.
    pub fn silent() -> Self {
        Self::new(Arc::new(Silent), Cancel::default())
    }

    /// For parties.
    pub fn watched(&self) -> Watched {
        Watched::by(self.accounts.clone())
    }

    /// A phase begins.
    ///
    /// # Errors
    /// [`Fault::Cancelled`](crate::error::Fault::Cancelled).
    pub fn enter(&self, phase: Phase) -> Result<(), Error> {
        Ok(self.watched().enter(phase)?)
    }

    /// Tells the observer something.
    pub fn tell(&self, event: Event) {
        self.accounts.observer.event(&event);
    }

    /// Warns the user.
    pub fn warn(&self, text: impl Into<String>) {
        self.tell(Event::Notice(Notice::Warning(text.into())));
    }

    /// Tells the user what is done.
    pub fn step(&self, text: impl Into<String>) {
        self.tell(Event::Notice(Notice::Step(text.into())));
    }

    /// Who hears of it.
    pub fn observer(&self) -> &Arc<dyn Observer> {
        &self.accounts.observer
    }

    /// What ends it.
    pub fn cancel(&self) -> &Cancel {
        &self.accounts.cancel
    }

    /// Counts what this link carries as well.
    pub fn watch_link(&self, link: TrafficTotals) {
        self.accounts.state().link = Some(link);
    }

    /// What phases are expected to carry.
    pub fn expect(&self, phases: impl IntoIterator<Item = (Phase, Traffic)>) {
        let mut state = self.accounts.state();
        for (phase, Traffic { sent, received, .. }) in phases {
            match state.expected.iter_mut().find(|(known, _)| *known == phase) {
                Some((_, bytes)) => *bytes += sent + received,
                None => state.expected.push((phase, sent + received)),
            }
        }
    }

    /// Keeps the traffic by what the messages were for: finer than the phases, and across them.
    pub fn keep_messages(&self, messages: &[(&'static str, Traffic)]) {
        self.accounts.state().messages = messages.to_vec();
    }

    /// Traffic by what the messages were for, of a session with a peer that has ended.
    pub fn messages(&self) -> Vec<(&'static str, Traffic)> {
        self.accounts.state().messages.clone()
    }

    /// The last phase ends; what each took, in the order they first began.
    pub fn finish(&self) -> Vec<(Phase, Cost)> {
        self.accounts.end();
        self.accounts.state().costs.clone()
    }

    /// What has gone over the link, if there is one.
    pub fn traffic(&self) -> Option<Traffic> {
        self.accounts.state().link.as_ref().map(TrafficTotals::read)
    }
}

impl Watcher for Run {
    fn hear(&self, heard: Heard) {
        match heard {
            Heard::Listening(address) => self.tell(Event::Listening(address)),
            Heard::Connected(address, fingerprint) => {
                self.tell(Event::Connected { address, fingerprint });
            }
            Heard::Note(text) => self.warn(text),
            Heard::AskedByPeer(own) => {
                self.step(format!("Waiting for the other side to confirm your key, {own}."));
            }
            _ => {}
        }
    }

    fn cancelled(&self) -> bool {
        self.watched().check().is_err()
    }
}

impl State {
    fn traffic(&self) -> Traffic {
        self.link.as_ref().map_or_else(Traffic::default, TrafficTotals::read)
    }

    fn cost(&self, phase: Phase) -> Cost {
        let known = self.costs.iter().find(|(known, _)| *known == phase);
        known.map_or_else(Cost::default, |(_, cost)| *cost)
    }
}

impl Accounts {
    /// The state, also after a thread that held it has panicked: it is numbers only.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        let mut state = self.state();
        let Some(Started { phase, at, cpu, traffic }) = state.running.take() else { return };
        let used = Usage::now();
        let mut cost = state.cost(phase);
        cost.wall += at.elapsed();
        cost.cpu += used.cpu.saturating_sub(cpu);
        cost.traffic += state.traffic() - traffic;
        cost.peak_memory = used.peak_memory;
        match state.costs.iter_mut().find(|(known, _)| *known == phase) {
            Some(known) => known.1 = cost,
            None => state.costs.push((phase, cost)),
        }
        drop(state);
        self.observer.event(&Event::Ended(phase, cost));
    }

    fn tick(&self) {
        let state = self.state();
        let Some(Started { phase, traffic: before, .. }) = &state.running else { return };
        let (phase, traffic) = (*phase, state.traffic());
        let (now, earlier) = (traffic - *before, state.cost(phase).traffic);
        let done = now.sent + now.received + earlier.sent + earlier.received;
        let of = state.expected.iter().find(|(known, _)| *known == phase);
        let of = of.map_or(0, |(_, bytes)| *bytes);
        drop(state);
        self.observer.event(&Event::Progress { phase, done, of, traffic });
    }
}

impl Watch for Accounts {
    fn enter(&self, phase: Phase) {
        self.end();
        let mut state = self.state();
        let (cpu, traffic) = (Usage::now().cpu, state.traffic());
        state.running = Some(Started { phase, at: Instant::now(), cpu, traffic });
        drop(state);
        self.observer.event(&Event::Began(phase));
    }

    fn cancelled(&self) -> bool {
        let cancelled = self.cancel.is_cancelled();
        if cancelled && !std::mem::replace(&mut self.state().told_of_cancel, true) {
            self.observer.event(&Event::Cancelled);
        }
        cancelled
    }
}

/// Tells the observer once a second how far the session is.
struct Ticker {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(accounts: Arc<Accounts>) -> Self {
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            while stopped
                .recv_timeout(Duration::from_secs(1))
                .is_err_and(|e| e == mpsc::RecvTimeoutError::Timeout)
            {
                accounts.tick();
            }
        };
        // Without a thread the session goes on, and nobody hears how far it is.
        let thread = std::thread::Builder::new().name("progress".into()).spawn(work).ok();
        Self { stop: Some(stop), thread }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It panics only if the observer does.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Diary(Mutex<Vec<Event>>);

    impl Observer for Diary {
        fn event(&self, event: &Event) {
            self.0.lock().unwrap().push(event.clone());
        }
    }

    #[test]
    fn phases_are_accounted_for_in_their_order() {
        let diary = Arc::new(Diary::default());
        let run = Run::new(diary.clone(), Cancel::default());
        for phase in [Phase::Witness, Phase::Lookups, Phase::Witness, Phase::Witness] {
            run.enter(phase).unwrap();
        }
        let costs = run.finish();
        let phases: Vec<Phase> = costs.iter().map(|(phase, _)| *phase).collect();
        assert_eq!(phases, [Phase::Witness, Phase::Lookups]);
        assert!(costs.iter().all(|(_, cost)| cost.peak_memory > 0));
        let began = diary.0.lock().unwrap().iter().filter(|e| matches!(e, Event::Began(_))).count();
        assert_eq!(began, 4);
    }

    #[test]
    fn a_cancelled_session_says_so_once() {
        let diary = Arc::new(Diary::default());
        let cancel = Cancel::default();
        let run = Run::new(diary.clone(), cancel.clone());
        run.enter(Phase::Witness).unwrap();
        cancel.cancel();
        assert!(run.enter(Phase::Quotient).is_err());
        assert!(run.enter(Phase::Quotient).is_err());
        let told = diary.0.lock().unwrap().iter().filter(|e| **e == Event::Cancelled).count();
        assert_eq!(told, 1);
    }
}
