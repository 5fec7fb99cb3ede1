//! The two threads that move bytes between a TLS connection and the queues of its channel.
//!
//! Bounds: the reader stops when `QUEUE_LIMIT` bytes have arrived beyond those that the program
//! said to be due; `receive` makes it go on to the frame's length. `send` waits while more than
//! `QUEUE_LIMIT` bytes are queued; once the reader has stopped, those do not count that the program
//! sent since it last received something. So what a peer sends unasked takes no more than the
//! limit, and what it does not take in no more than the limit and what this side sends in one go.
//!
//! Why honest sides cannot block each other: both run through the same sends and receives. Let both
//! wait in `send`, this side not being ahead, and look at what it sent before it last received. Of
//! this the peer, having gone by the same receive, has received all but what is due there and,
//! where frames are exchanged in a row, the last (less than the limit). All that fits into what the
//! peer reads, so none of it is queued here; and this side's reader, if it has not stopped, lets
//! the peer go on.

use super::frames::{self, FrameFilter, SIGN_OF_LIFE, STOPPED};
use super::greeting::is_wait;
use super::queues::{QUEUE_LIMIT, State};
use super::timeouts::Timeouts;
use crate::channel::Fault;
use rustls::Connection;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Plaintext encrypted at a time.
const CHUNK: usize = 128 << 10;
/// Ciphertext read at a time.
const READ_BUFFER: usize = 128 << 10;
/// How long the reader stays after this side is done, so that the system does not answer the peer's
/// last bytes with a reset that discards this side's last bytes.
const LINGER: Duration = Duration::from_secs(5);

/// What the channel and its two threads share. The two locks are never held together.
pub(super) struct Pump {
    state: Mutex<State>,
    changed: Condvar,
    tls: Mutex<Connection>,
    stream: TcpStream,
    timeouts: Timeouts,
    started: Instant,
}

/// What one call of the program's may wait for in all.
struct Wait {
    since: Instant,
    limit: Duration,
}

impl Wait {
    /// From now on, until the link has carried `bytes`.
    fn new(timeouts: &Timeouts, bytes: usize) -> Self {
        Self { since: Instant::now(), limit: timeouts.wait(bytes) }
    }
}

/// How long the writer may take to end after a fault.
const WRITER_END: Duration = Duration::from_millis(500);

enum ToWrite {
    Frame([Vec<u8>; 2]),
    /// So that the peer knows this side is there.
    SignOfLife,
    /// What TLS itself has to say.
    Tls,
    End,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that runs under these locks leaves them half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pump {
    /// For an authenticated connection whose socket's waits are short slices.
    pub(super) fn new(tls: Connection, stream: TcpStream, timeouts: Timeouts) -> Self {
        let now = Instant::now();
        let (state, tls) = (Mutex::new(State::new(now)), Mutex::new(tls));
        let changed = Condvar::new();
        Self { state, changed, tls, stream, timeouts, started: now }
    }

    /// Queues a frame; waits while the queue is long.
    pub(super) fn send(&self, frame: [Vec<u8>; 2]) -> Result<(), Fault> {
        let state = lock(&self.state);
        let wait = Wait::new(&self.timeouts, state.outbound_bytes);
        let mut state = self.wait(state, &wait, State::has_room)?;
        if let Some(fault) = &state.fault {
            return Err(fault.clone());
        }
        let bytes = frame.iter().map(Vec::len).sum::<usize>();
        state.outbound_bytes += bytes;
        state.sent += bytes;
        state.outbound.push_back(frame);
        self.changed.notify_all();
        Ok(())
    }

    /// Takes the next frame, of exactly `length` bytes.
    pub(super) fn receive(&self, length: usize) -> Result<Vec<u8>, Fault> {
        let state = lock(&self.state);
        // The peer may need all that is queued towards it before it can answer.
        let wait = Wait::new(&self.timeouts, state.outbound_bytes.saturating_add(length));
        let mut header = [0; frames::HEADER_LENGTH];
        let state = self.take(state, &wait, &mut header)?;
        if header != frames::header(length) {
            let got = u64::from_le_bytes(header);
            return Err(Fault::Length { got, expected: length as u64 });
        }
        let mut frame = vec![0; length];
        let mut state = self.take(state, &wait, &mut frame)?;
        state.due = state.due.saturating_sub(header.len() + length);
        state.sent = 0;
        Ok(frame)
    }

    /// The peer sends a frame of `length` bytes, whatever this side sends until it is received.
    pub(super) fn note_due(&self, length: usize) {
        let mut state = lock(&self.state);
        state.due = state.due.saturating_add(frames::HEADER_LENGTH + length);
        self.changed.notify_all();
    }

    /// Takes exactly as many bytes as `bytes` holds from what arrived.
    fn take<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        wait: &Wait,
        bytes: &mut [u8],
    ) -> Result<MutexGuard<'a, State>, Fault> {
        state.wanted = bytes.len();
        self.changed.notify_all();
        let mut state = self.wait(state, wait, |state| state.inbound.len() >= bytes.len())?;
        state.wanted = 0;
        state.inbound.read_exact(bytes).map_err(|error| Fault::Broken(error.to_string()))?;
        if state.inbound.is_empty() && state.inbound.capacity() > QUEUE_LIMIT {
            state.inbound = VecDeque::new();
        }
        self.changed.notify_all();
        Ok(state)
    }

    /// Waits until `done`, at most until the peer is found gone or idle, or the session over its
    /// limit.
    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        wait: &Wait,
        done: impl Fn(&State) -> bool,
    ) -> Result<MutexGuard<'a, State>, Fault> {
        let Timeouts { silence, session, .. } = self.timeouts;
        loop {
            let lasted = self.started.elapsed();
            if lasted >= session {
                state.fail(Fault::Overtime(session));
            } else if done(&state) {
                return Ok(state);
            }
            let quiet = state.heard.max(wait.since).elapsed();
            let waited = wait.since.elapsed();
            if quiet >= silence && !state.reader_pauses {
                state.fail(Fault::Silent(silence));
            } else if waited >= wait.limit {
                state.fail(Fault::Late(wait.limit));
            }
            if let Some(fault) = &state.fault {
                let fault = fault.clone();
                self.changed.notify_all();
                return Err(fault);
            }
            let next = silence.saturating_sub(quiet);
            let next = next.min(wait.limit.saturating_sub(waited));
            let next = next.min(session.saturating_sub(lasted)).max(Duration::from_millis(1));
            let (guard, _) =
                self.changed.wait_timeout(state, next).unwrap_or_else(PoisonError::into_inner);
            state = guard;
        }
    }

    /// Ends whatever waits, now and later.
    pub(super) fn cancel(&self) {
        lock(&self.state).fail(Fault::Cancelled);
        self.changed.notify_all();
    }

    /// Sends what is queued and says farewell, within `patience`; then, if asked, waits within
    /// `patience` until the peer has done the same.
    pub(super) fn close(&self, patience: Duration, wait_for_peer: bool) -> Result<(), Fault> {
        let mut state = lock(&self.state);
        state.closing = Some((Instant::now(), patience.max(LINGER)));
        self.changed.notify_all();
        let open =
            |state: &mut State| state.fault.is_none() && (wait_for_peer || !state.writer_done);
        let waited = self.changed.wait_timeout_while(state, patience, open);
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            state.fail(Fault::Late(patience));
        }
        self.changed.notify_all();
        let fault = state.fault.clone();
        // With a fault the writer ends at once, or when it finds no room within a slice.
        let writing = |state: &mut State| !state.writer_done;
        let waited = self.changed.wait_timeout_while(state, WRITER_END, writing);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.closing = Some((Instant::now(), LINGER));
        if !state.writer_done {
            let _ = self.stream.shutdown(Shutdown::Both);
        }
        let all_sent = state.outbound_bytes == 0;
        drop(state);
        match fault {
            // The peer's farewell ends a session as it should.
            Some(Fault::Closed) if all_sent => Ok(()),
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    /// The writer's thread.
    pub(super) fn write_all(&self) {
        let outcome = self.write_frames().and_then(|()| self.write_stop());
        let farewell = self.write_farewell();
        let _ = self.stream.shutdown(Shutdown::Write);
        let mut state = lock(&self.state);
        if let Err(error) = outcome.and(farewell) {
            state.fail(Fault::Broken(error.to_string()));
        }
        state.writer_done = true;
        self.changed.notify_all();
    }

    /// Writes until the channel is closed and the queue empty, or there is a fault.
    fn write_frames(&self) -> std::io::Result<()> {
        let mut ciphertext = Vec::new();
        loop {
            match self.next_to_write() {
                ToWrite::Frame(parts) => {
                    for chunk in parts.iter().flat_map(|part| part.chunks(CHUNK)) {
                        self.encrypt(chunk, &mut ciphertext)?;
                        self.write_out(&ciphertext)?;
                        let mut state = lock(&self.state);
                        state.outbound_bytes -= chunk.len();
                        self.changed.notify_all();
                    }
                }
                ToWrite::SignOfLife => {
                    self.encrypt(&SIGN_OF_LIFE, &mut ciphertext)?;
                    self.write_out(&ciphertext)?;
                }
                ToWrite::Tls => {
                    self.encrypt(&[], &mut ciphertext)?;
                    self.write_out(&ciphertext)?;
                }
                ToWrite::End => return Ok(()),
            }
        }
    }

    /// Waits for something to write.
    fn next_to_write(&self) -> ToWrite {
        let idle = |state: &mut State| {
            state.fault.is_none()
                && state.outbound.is_empty()
                && state.closing.is_none()
                && !state.tls_waits
        };
        let limit = self.timeouts.silence / 4;
        let waited = self.changed.wait_timeout_while(lock(&self.state), limit, idle);
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.fault.is_some() {
            ToWrite::End
        } else if std::mem::take(&mut state.tls_waits) {
            ToWrite::Tls
        } else if let Some(frame) = state.outbound.pop_front() {
            ToWrite::Frame(frame)
        } else if timeout.timed_out() {
            ToWrite::SignOfLife
        } else {
            ToWrite::End
        }
    }

    /// The ciphertext of `plaintext` and of whatever TLS has to say.
    fn encrypt(&self, plaintext: &[u8], ciphertext: &mut Vec<u8>) -> std::io::Result<()> {
        ciphertext.clear();
        let mut tls = lock(&self.tls);
        tls.writer().write_all(plaintext)?;
        while tls.wants_write() {
            tls.write_tls(ciphertext)?;
        }
        Ok(())
    }

    /// Tells the peer if it is this side's operator who ends the session.
    fn write_stop(&self) -> std::io::Result<()> {
        if lock(&self.state).fault != Some(Fault::Cancelled) {
            return Ok(());
        }
        let mut ciphertext = Vec::new();
        self.encrypt(&STOPPED, &mut ciphertext)?;
        self.write_out(&ciphertext)
    }

    fn write_farewell(&self) -> std::io::Result<()> {
        lock(&self.tls).send_close_notify();
        let mut ciphertext = Vec::new();
        self.encrypt(&[], &mut ciphertext)?;
        self.write_out(&ciphertext)
    }

    /// Writes to the socket, giving up when there is a fault and no room.
    fn write_out(&self, mut bytes: &[u8]) -> std::io::Result<()> {
        while !bytes.is_empty() {
            match (&self.stream).write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if is_wait(&error) => {
                    if lock(&self.state).fault.is_some() {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The reader's thread.
    pub(super) fn read_all(&self) {
        let fault = self.read_frames();
        let mut state = lock(&self.state);
        state.fail(fault);
        state.reader_done = true;
        self.changed.notify_all();
    }

    /// Reads until the end, and says which.
    fn read_frames(&self) -> Fault {
        let mut ciphertext = vec![0; READ_BUFFER];
        let mut plaintext = Vec::new();
        let mut filter = FrameFilter::default();
        // The greeting may have read the beginning of the first frame.
        let mut count = 0;
        loop {
            plaintext.clear();
            let ended = self.decrypt(ciphertext.get(..count).unwrap_or_default(), &mut plaintext);
            {
                let mut state = lock(&self.state);
                filter.push(&plaintext, &mut state.inbound);
                state.heard = Instant::now();
                if state.closing.is_some() {
                    // Nobody will ask for it.
                    state.inbound.clear();
                }
                self.changed.notify_all();
            }
            if filter.stopped() {
                return Fault::Stopped;
            }
            if let Some(fault) = ended {
                return fault;
            }
            self.pause();
            count = match self.read_some(&mut ciphertext) {
                Ok(0) => return Fault::Broken("it ended without a farewell".to_string()),
                Ok(count) => count,
                Err(error) => return Fault::Broken(error.to_string()),
            };
        }
    }

    /// Waits while there is enough that nobody asked for.
    fn pause(&self) {
        let enough =
            |state: &State| state.is_full() && state.fault.is_none() && state.closing.is_none();
        let mut state = lock(&self.state);
        if !enough(&state) {
            return;
        }
        state.reader_pauses = true;
        // `send` may have waited for the peer to take something, and must not while it is not read.
        self.changed.notify_all();
        let waited = self.changed.wait_while(state, |state| enough(state));
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.reader_pauses = false;
        state.heard = Instant::now();
    }

    fn read_some(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let outcome = (&self.stream).read(buffer);
            let state = lock(&self.state);
            // Also of a peer that goes on sending.
            if state.closing.is_some_and(|(since, limit)| since.elapsed() > limit) {
                return Err(ErrorKind::TimedOut.into());
            }
            match outcome {
                Err(error) if is_wait(&error) => {
                    if state.fault.is_some() && state.closing.is_none() {
                        return Err(error);
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// Decrypts what arrived; the fault that ends the link, if any.
    fn decrypt(&self, mut ciphertext: &[u8], plaintext: &mut Vec<u8>) -> Option<Fault> {
        let mut tls = lock(&self.tls);
        let mut ended = None;
        loop {
            let before = ciphertext.len();
            // TLS takes nothing for the end of the stream.
            if before > 0
                && let Err(error) = tls.read_tls(&mut ciphertext)
            {
                ended = Some(Fault::Broken(error.to_string()));
            }
            match tls.process_new_packets() {
                Ok(state) => {
                    if state.peer_has_closed() {
                        ended = Some(Fault::Closed);
                    }
                }
                Err(error) => ended = Some(Fault::Forged(error.to_string())),
            }
            // Reads until it would block; at the end of the stream there is nothing more either.
            let _ = tls.reader().read_to_end(plaintext);
            if ended.is_some() || ciphertext.is_empty() || ciphertext.len() == before {
                break;
            }
        }
        let tls_waits = tls.wants_write();
        drop(tls);
        if tls_waits {
            lock(&self.state).tls_waits = true;
        }
        ended
    }
}

#[cfg(test)]
impl Pump {
    /// How the link ended, if it did.
    pub(super) fn fault(&self) -> Option<Fault> {
        lock(&self.state).fault.clone()
    }

    /// Bytes that wait to be written.
    pub(super) fn queued(&self) -> usize {
        lock(&self.state).outbound_bytes
    }

    /// The most bytes from the peer that were ever held at once, or more: what is reserved for
    /// them.
    pub(super) fn reserved(&self) -> usize {
        lock(&self.state).inbound.capacity()
    }
}
