//! What waits on its way between the program and the two threads that move bytes, and what is wrong
//! with the link, if something is.

use crate::channel::Fault;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes queued towards the peer beyond which `send` waits, and bytes from the peer that nobody
/// asked for beyond which it is not read.
pub(super) const QUEUE_LIMIT: usize = 64 << 20;

/// The two queues and the link's condition. The program's thread, the writer and the reader change
/// it, each under the lock.
pub(super) struct State {
    /// Whole frames, so that one that was begun is also ended: header and payload.
    pub(super) outbound: VecDeque<[Vec<u8>; 2]>,
    /// Bytes of `outbound` and of the frame being written.
    pub(super) outbound_bytes: usize,
    pub(super) inbound: VecDeque<u8>,
    /// What `receive` waits for.
    pub(super) wanted: usize,
    /// What the program said to be due, and has not received yet.
    pub(super) due: usize,
    /// What was sent since the program last received something.
    pub(super) sent: usize,
    pub(super) reader_pauses: bool,
    /// TLS itself has something to send.
    pub(super) tls_waits: bool,
    /// When the peer was last heard.
    pub(super) heard: Instant,
    pub(super) fault: Option<Fault>,
    /// The channel is being closed since, and the reader stays for so long.
    pub(super) closing: Option<(Instant, Duration)>,
    pub(super) writer_done: bool,
    pub(super) reader_done: bool,
}

impl State {
    /// Of a link that was heard of `now`.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            outbound: VecDeque::new(),
            outbound_bytes: 0,
            inbound: VecDeque::new(),
            wanted: 0,
            due: 0,
            sent: 0,
            reader_pauses: false,
            tls_waits: false,
            heard: now,
            fault: None,
            closing: None,
            writer_done: false,
            reader_done: false,
        }
    }

    /// Whether as much has arrived as may wait here.
    pub(super) fn is_full(&self) -> bool {
        self.inbound.len() >= QUEUE_LIMIT.saturating_add(self.due).max(self.wanted)
    }

    /// Whether `send` may queue more. Once the reader has stopped, what the peer has not taken in
    /// since before the program last received something is what counts.
    pub(super) fn has_room(&self) -> bool {
        let counts = if self.reader_pauses { self.sent } else { 0 };
        self.outbound_bytes.saturating_sub(counts) < QUEUE_LIMIT
    }

    pub(super) fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }
}
