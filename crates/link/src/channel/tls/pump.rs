//! The two threads that move bytes between a TLS connection and the queues of its channel.
//!
//! Bounds and why they cannot deadlock: `send` waits only while more than `QUEUE_LIMIT` bytes are
//! queued, and the reader stops when so many arrived that nobody asked for. But while this side's
//! `receive` waits for a longer frame, that frame's length is the limit, and while its `send` waits,
//! the limit is `FLOOD_LIMIT`. So of two sides that both wait in `send`, both still read, and both
//! queues drain.

use super::Timeouts;
use super::frames::{FrameFilter, SIGN_OF_LIFE};
use super::greeting::is_wait;
use crate::channel::Fault;
use rustls::Connection;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes queued towards the peer beyond which `send` waits, and bytes from the peer that nobody
/// asked for beyond which it is not read.
const QUEUE_LIMIT: usize = 64 << 20;
/// The same for bytes from the peer while `send` waits.
const FLOOD_LIMIT: usize = 4 << 30;
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
}

struct State {
    outbound: VecDeque<Vec<u8>>,
    /// Bytes of `outbound` and of the frame being written.
    outbound_bytes: usize,
    inbound: VecDeque<u8>,
    /// What `receive` waits for.
    wanted: usize,
    send_waits: bool,
    reader_pauses: bool,
    /// TLS itself has something to send.
    tls_waits: bool,
    /// When the peer was last heard, and when payload last moved.
    heard: Instant,
    moved: Instant,
    fault: Option<Fault>,
    /// The channel is being closed since.
    closing: Option<Instant>,
    writer_done: bool,
    reader_done: bool,
}

impl State {
    fn inbound_limit(&self) -> usize {
        if self.send_waits { FLOOD_LIMIT } else { QUEUE_LIMIT.max(self.wanted) }
    }

    fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }
}

/// How long the writer may take to end after a fault.
const WRITER_END: Duration = Duration::from_millis(500);

enum ToWrite {
    Frame(Vec<u8>),
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
        let state = State {
            outbound: VecDeque::new(),
            outbound_bytes: 0,
            inbound: VecDeque::new(),
            wanted: 0,
            send_waits: false,
            reader_pauses: false,
            tls_waits: false,
            heard: now,
            moved: now,
            fault: None,
            closing: None,
            writer_done: false,
            reader_done: false,
        };
        let changed = Condvar::new();
        Self { state: Mutex::new(state), changed, tls: Mutex::new(tls), stream, timeouts }
    }

    /// Queues a frame given as parts; waits while the queue is long.
    pub(super) fn send(&self, parts: [Vec<u8>; 2]) -> Result<(), Fault> {
        let mut state = lock(&self.state);
        if state.outbound_bytes >= QUEUE_LIMIT {
            state.send_waits = true;
            self.changed.notify_all();
            let waited = self.wait(state, |state| state.outbound_bytes < QUEUE_LIMIT);
            state = lock(&self.state);
            state.send_waits = false;
            waited?;
        }
        if let Some(fault) = &state.fault {
            return Err(fault.clone());
        }
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            state.outbound_bytes += part.len();
            state.outbound.push_back(part);
        }
        self.changed.notify_all();
        Ok(())
    }

    /// Takes exactly as many bytes as `bytes` holds from what arrived.
    pub(super) fn receive(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        let mut state = lock(&self.state);
        if state.inbound.len() < bytes.len() {
            state.wanted = bytes.len();
            self.changed.notify_all();
            self.wait(state, |state| state.inbound.len() >= bytes.len())?;
            state = lock(&self.state);
            state.wanted = 0;
        }
        state.inbound.read_exact(bytes).map_err(|error| Fault::Broken(error.to_string()))?;
        if state.inbound.is_empty() && state.inbound.capacity() > QUEUE_LIMIT {
            state.inbound = VecDeque::new();
        }
        self.changed.notify_all();
        Ok(())
    }

    /// Waits until `done`, at most until the peer is found gone or idle.
    fn wait(
        &self,
        mut state: MutexGuard<'_, State>,
        done: impl Fn(&State) -> bool,
    ) -> Result<(), Fault> {
        let Timeouts { silence, frame } = self.timeouts;
        let start = Instant::now();
        while !done(&state) {
            if let Some(fault) = &state.fault {
                return Err(fault.clone());
            }
            let quiet = state.heard.max(start).elapsed();
            if quiet >= silence && !state.reader_pauses {
                state.fail(Fault::Silent(silence));
                continue;
            }
            let idle = state.moved.max(start).elapsed();
            if idle >= frame {
                state.fail(Fault::Late(frame));
                continue;
            }
            let next = silence.saturating_sub(quiet).min(frame - idle);
            let next = next.max(Duration::from_millis(1));
            let (guard, _) =
                self.changed.wait_timeout(state, next).unwrap_or_else(PoisonError::into_inner);
            state = guard;
        }
        Ok(())
    }

    /// Sends what is queued and says farewell, within `patience`; then, if asked, waits within
    /// `patience` until the peer has done the same.
    pub(super) fn close(&self, patience: Duration, wait_for_peer: bool) -> Result<(), Fault> {
        let mut state = lock(&self.state);
        state.closing.get_or_insert_with(Instant::now);
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
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
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
        let outcome = self.write_frames();
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
                ToWrite::Frame(bytes) => {
                    for chunk in bytes.chunks(CHUNK) {
                        self.encrypt(chunk, &mut ciphertext)?;
                        self.write_out(&ciphertext)?;
                        let mut state = lock(&self.state);
                        state.outbound_bytes -= chunk.len();
                        state.moved = Instant::now();
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
        } else if let Some(bytes) = state.outbound.pop_front() {
            ToWrite::Frame(bytes)
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
                let before = state.inbound.len();
                filter.push(&plaintext, &mut state.inbound);
                state.heard = Instant::now();
                if state.inbound.len() > before {
                    state.moved = state.heard;
                }
                self.changed.notify_all();
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
        let enough = |state: &mut State| {
            let enough = state.inbound.len() >= state.inbound_limit()
                && state.fault.is_none()
                && state.closing.is_none();
            state.reader_pauses |= enough;
            enough
        };
        let waited = self.changed.wait_while(lock(&self.state), enough);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut state.reader_pauses) {
            state.heard = Instant::now();
        }
    }

    fn read_some(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match (&self.stream).read(buffer) {
                Err(error) if is_wait(&error) => {
                    let state = lock(&self.state);
                    let lingered = state.closing.is_some_and(|since| since.elapsed() > LINGER);
                    if lingered || (state.fault.is_some() && state.closing.is_none()) {
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
