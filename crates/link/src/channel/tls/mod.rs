//! The link to the peer: frames over TLS 1.3 over TCP (protocol §17), with a thread that writes and
//! one that reads, so that sending never waits for the peer's program.
//!
//! Input: addresses, this side's identity and whom to accept. Output: a [`Channel`] to the one peer
//! whose key was accepted.

mod config;
mod connect;
mod error;
mod frames;
mod greeting;
mod pump;
mod queues;
mod search;
#[cfg(test)]
mod tests;
mod timeouts;

pub use connect::{ConnectOptions, Heard, PeerPolicy, Unwatched, Watcher, check_address, connect};
pub use error::ConnectError;
pub use frames::FrameFilter;
pub use greeting::PROTOCOL_VERSION;
pub use search::court;
pub use timeouts::Timeouts;

use super::{Channel, ChannelError, Fault, TrafficMeter};
use crate::identity::Fingerprint;
use greeting::Link;
#[cfg(feature = "test-utils")]
pub(in crate::channel) use greeting::is_wait;
use pump::Pump;
use std::sync::{Arc, Weak};
use std::time::Duration;
use twain_party::Role;

const EXPORTER_LABEL: &[u8] = b"EXPORTER-twain session v1";
/// How long a channel that is dropped may take to send what is queued.
const DROP_PATIENCE: Duration = Duration::from_secs(2);

/// An authenticated, encrypted link to the peer.
pub struct TlsChannel {
    role: Role,
    own: Fingerprint,
    peer: Fingerprint,
    peer_name: String,
    exporter: [u8; 32],
    session_id: [u8; 32],
    pump: Arc<Pump>,
    meter: TrafficMeter,
    /// The two programs expect different frames: nothing that follows would have a meaning.
    out_of_step: Option<Fault>,
    closed: bool,
}

/// Ends a link's session from another thread.
pub struct Canceller(Weak<Pump>);

impl Canceller {
    /// Whatever waits for the peer, now or later, ends with [`Fault::Cancelled`]; the peer is told.
    pub fn cancel(&self) {
        if let Some(pump) = self.0.upgrade() {
            pump.cancel();
        }
    }
}

impl TlsChannel {
    /// What ends the session from another thread; it does not keep the link open.
    pub fn canceller(&self) -> Canceller {
        Canceller(Arc::downgrade(&self.pump))
    }

    fn start(
        link: Link,
        role: Role,
        own: Fingerprint,
        timeouts: Timeouts,
    ) -> std::io::Result<Self> {
        let exporter = link
            .tls
            .export_keying_material([0; 32], EXPORTER_LABEL, None)
            .map_err(std::io::Error::other)?;
        let side = match role.other() {
            Role::Model => "model",
            Role::Data => "data",
        };
        let peer_name = format!("the {side} side at {} ({})", link.address, link.fingerprint);
        let mut tls = link.tls;
        tls.set_buffer_limit(None);
        let pump = Arc::new(Pump::new(tls, link.stream, timeouts));
        let channel = Self {
            role,
            own,
            peer: link.fingerprint,
            peer_name,
            exporter,
            session_id: exporter,
            pump: pump.clone(),
            meter: TrafficMeter::default(),
            out_of_step: None,
            closed: false,
        };
        let reader = pump.clone();
        let thread = |name: &str| std::thread::Builder::new().name(name.to_string());
        thread("twain-read").spawn(move || reader.read_all())?;
        thread("twain-write").spawn(move || pump.write_all())?;
        Ok(channel)
    }

    /// The peer's key.
    pub fn peer(&self) -> Fingerprint {
        self.peer
    }

    /// This side's key.
    pub fn own(&self) -> Fingerprint {
        self.own
    }

    /// The secret both ends of this TLS connection share, and no other (RFC 8446, 7.5).
    pub(crate) fn exporter(&self) -> [u8; 32] {
        self.exporter
    }

    /// Sets the session's identifier; until then it is the exporter's value.
    pub(crate) fn bind(&mut self, session_id: [u8; 32]) {
        self.session_id = session_id;
    }

    /// Ends the session: sends what is queued, says farewell, and waits for the peer's farewell,
    /// each within `patience`.
    ///
    /// # Errors
    /// If not all could be sent, or the peer's farewell did not come: the peer may then lack the
    /// last frame.
    pub fn finish(mut self, patience: Duration) -> Result<TrafficMeter, ChannelError> {
        self.closed = true;
        match self.pump.close(patience, true) {
            Ok(()) => Ok(std::mem::take(&mut self.meter)),
            Err(fault) => Err(self.error("farewell", fault)),
        }
    }

    fn check_step(&self, phase: &'static str) -> Result<(), ChannelError> {
        match &self.out_of_step {
            Some(fault) => Err(self.error(phase, fault.clone())),
            None => Ok(()),
        }
    }

    fn error(&self, phase: &'static str, fault: Fault) -> ChannelError {
        ChannelError { phase, peer: self.peer_name.clone(), fault }
    }
}

impl Drop for TlsChannel {
    fn drop(&mut self) {
        if !self.closed {
            // Whatever is wrong with the link, the session is over.
            let _ = self.pump.close(DROP_PATIENCE, false);
        }
    }
}

impl Channel for TlsChannel {
    fn role(&self) -> Role {
        self.role
    }

    fn send(&mut self, phase: &'static str, frame: Vec<u8>) -> Result<(), ChannelError> {
        self.check_step(phase)?;
        let length = frame.len();
        let header = frames::header(length).to_vec();
        self.pump.send([header, frame]).map_err(|fault| self.error(phase, fault))?;
        self.meter.sent(phase, length);
        Ok(())
    }

    fn receive(&mut self, phase: &'static str, length: usize) -> Result<Vec<u8>, ChannelError> {
        self.check_step(phase)?;
        let frame = self.pump.receive(length).map_err(|fault| {
            if matches!(fault, Fault::Length { .. }) {
                self.out_of_step = Some(fault.clone());
            }
            self.error(phase, fault)
        })?;
        self.meter.received(phase, length);
        Ok(frame)
    }

    fn note_due(&mut self, length: usize) {
        self.pump.note_due(length);
    }

    fn session_id(&self) -> [u8; 32] {
        self.session_id
    }

    fn meter(&self) -> &TrafficMeter {
        &self.meter
    }
}
