//! From a TCP connection to an authenticated one: the TLS handshake, then a greeting (version and
//! role), each with a deadline. Nothing here takes more than a few bytes from the peer.

use super::config::{KeyRefused, TlsConfig, speaks_twain};
use crate::identity::Fingerprint;
use rustls::{AlertDescription, CertificateError, Connection, Error as TlsError, OtherError};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use twain_party::Role;

/// The version of everything the two parties say to each other, and of what they keep of it
/// (bundles). Raised by every change of what a message means: there is no form to fall back to.
pub const PROTOCOL_VERSION: u16 = 8;

/// How long a wait on a socket lasts before deadline and cancellation are looked at.
const SLICE: Duration = Duration::from_millis(100);
/// How long a refused peer is given to read why.
const LINGER: Duration = Duration::from_millis(500);

const MAGIC: [u8; 5] = *b"twain";
const GREETING_LENGTH: usize = MAGIC.len() + 3;

/// Why a connection did not become the peer's.
#[derive(Debug, thiserror::Error)]
pub(super) enum GreetingError {
    #[error(transparent)]
    Key(#[from] KeyRefused),
    #[error("the peer refuses this side's key")]
    RefusedByPeer,
    #[error("it does not know this side's key yet")]
    NotKnownToPeer,
    #[error("its user is being asked to confirm this side's key")]
    AskedByPeer,
    #[error("its user did not confirm this side's key")]
    DeclinedByPeer,
    #[error("it is not a Twain peer")]
    NotTwain,
    #[error("the peer speaks version {peer} of the protocol, this side version {PROTOCOL_VERSION}")]
    Version { peer: u16 },
    #[error("both sides are {0}: one must have the other --id")]
    SameRole(Role),
    #[error("TLS: {0}")]
    Tls(TlsError),
    #[error("the name has no address: {0}")]
    Name(std::io::Error),
    #[error("{0}")]
    Io(std::io::Error),
    #[error("it did not answer in time")]
    Late,
    #[error("it was closed")]
    Closed,
    #[error("no longer needed")]
    Cancelled,
}

impl GreetingError {
    /// Whether the connection is not the peer's, whatever the time: trying again does not help.
    pub(super) fn is_final(&self) -> bool {
        use GreetingError::{DeclinedByPeer, Key, RefusedByPeer, SameRole, Version};
        matches!(self, Key(_) | RefusedByPeer | DeclinedByPeer | Version { .. } | SameRole(_))
    }
}

/// When to stop waiting.
#[derive(Clone)]
pub(super) struct Patience {
    pub(super) deadline: Instant,
    pub(super) cancelled: Arc<AtomicBool>,
}

impl Patience {
    pub(super) fn check(&self) -> Result<(), GreetingError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(GreetingError::Cancelled);
        }
        if Instant::now() >= self.deadline {
            return Err(GreetingError::Late);
        }
        Ok(())
    }
}

/// A connection whose other end holds the key named by `fingerprint`.
pub(super) struct Link {
    pub(super) tls: Connection,
    pub(super) stream: TcpStream,
    pub(super) address: SocketAddr,
    pub(super) fingerprint: Fingerprint,
}

impl Link {
    /// Authenticates and greets.
    pub(super) fn establish(
        stream: TcpStream,
        dialled: bool,
        config: &TlsConfig,
        role: Role,
        patience: &Patience,
    ) -> Result<Self, GreetingError> {
        let address = stream.peer_addr().map_err(GreetingError::Io)?;
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(SLICE)))
            .and_then(|()| stream.set_write_timeout(Some(SLICE)))
            .map_err(GreetingError::Io)?;
        let tls = if dialled { config.client() } else { config.server() };
        let mut link = Self {
            tls: tls.map_err(GreetingError::Tls)?,
            stream,
            address,
            fingerprint: Fingerprint([0; 32]),
        };
        let greeted = link.authenticate(patience).and_then(|()| link.greet(role, patience));
        match greeted {
            Ok(()) => Ok(link),
            Err(error) => {
                link.linger();
                Err(error)
            }
        }
    }

    fn authenticate(&mut self, patience: &Patience) -> Result<(), GreetingError> {
        while self.tls.is_handshaking() {
            patience.check()?;
            retry(self.tls.complete_io(&mut self.stream).map(drop))?;
        }
        match self.tls.peer_certificates() {
            Some([public_key]) => self.fingerprint = Fingerprint::of_public_key(public_key),
            _ => return Err(GreetingError::NotTwain),
        }
        if speaks_twain(&self.tls) { Ok(()) } else { Err(GreetingError::NotTwain) }
    }

    fn greet(&mut self, role: Role, patience: &Patience) -> Result<(), GreetingError> {
        self.write(&greeting(role), patience)?;
        let mut answer = [0; GREETING_LENGTH];
        self.read(&mut answer, patience)?;
        check_greeting(&answer, role)
    }

    /// Sends a few bytes.
    pub(super) fn write(&mut self, bytes: &[u8], patience: &Patience) -> Result<(), GreetingError> {
        self.tls.writer().write_all(bytes).map_err(GreetingError::Io)?;
        while self.tls.wants_write() {
            patience.check()?;
            retry(self.tls.write_tls(&mut self.stream).map(drop))?;
        }
        Ok(())
    }

    /// Receives exactly as many bytes as `bytes` holds.
    pub(super) fn read(
        &mut self,
        bytes: &mut [u8],
        patience: &Patience,
    ) -> Result<(), GreetingError> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.tls.reader().read(&mut bytes[filled..]) {
                Ok(0) => return Err(GreetingError::Closed),
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    patience.check()?;
                    match self.tls.read_tls(&mut self.stream) {
                        Ok(0) => return Err(GreetingError::Closed),
                        outcome => retry(outcome.map(drop))?,
                    }
                    let processed = self.tls.process_new_packets();
                    if let Err(error) = processed {
                        // The peer should hear why.
                        let _ = self.tls.write_tls(&mut self.stream);
                        return Err(tls_error(&error));
                    }
                }
                Err(error) => return Err(io_error(error)),
            }
        }
        Ok(())
    }

    /// Says farewell and waits a moment for the peer to read what was sent: closing at once could
    /// make the system discard it.
    pub(super) fn linger(&mut self) {
        self.tls.send_close_notify();
        let _ = self.tls.write_tls(&mut self.stream);
        let _ = self.stream.shutdown(Shutdown::Write);
        let start = Instant::now();
        let mut ignored = [0; 1024];
        while start.elapsed() < LINGER {
            match self.stream.read(&mut ignored) {
                Err(error) if is_wait(&error) => {}
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}

fn greeting(role: Role) -> [u8; GREETING_LENGTH] {
    let mut bytes = [0; GREETING_LENGTH];
    bytes[..5].copy_from_slice(&MAGIC);
    bytes[5..7].copy_from_slice(&PROTOCOL_VERSION.to_le_bytes());
    bytes[7] = role_byte(role);
    bytes
}

fn check_greeting(bytes: &[u8; GREETING_LENGTH], role: Role) -> Result<(), GreetingError> {
    let [magic @ .., low, high, peer_role] = bytes;
    if *magic != MAGIC {
        return Err(GreetingError::NotTwain);
    }
    let peer = u16::from_le_bytes([*low, *high]);
    if peer != PROTOCOL_VERSION {
        return Err(GreetingError::Version { peer });
    }
    if *peer_role == role_byte(role) {
        return Err(GreetingError::SameRole(role));
    }
    if *peer_role != role_byte(role.other()) {
        return Err(GreetingError::NotTwain);
    }
    Ok(())
}

/// A role on the wire and in files.
pub(crate) fn role_byte(role: Role) -> u8 {
    match role {
        Role::Model => b'M',
        Role::Data => b'D',
    }
}

/// Whether a socket's answer means that nothing happened within the slice.
pub(in crate::channel) fn is_wait(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn retry(outcome: std::io::Result<()>) -> Result<(), GreetingError> {
    match outcome {
        Err(error) if !is_wait(&error) => Err(io_error(error)),
        _ => Ok(()),
    }
}

fn io_error(error: std::io::Error) -> GreetingError {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
        return tls_error(error);
    }
    match error.kind() {
        ErrorKind::UnexpectedEof => GreetingError::Closed,
        _ => GreetingError::Io(error),
    }
}

fn tls_error(error: &TlsError) -> GreetingError {
    match error {
        TlsError::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
            match inner.downcast_ref::<KeyRefused>() {
                Some(refused) => GreetingError::Key(*refused),
                None => GreetingError::Tls(error.clone()),
            }
        }
        TlsError::AlertReceived(
            AlertDescription::CertificateUnknown
            | AlertDescription::BadCertificate
            | AlertDescription::AccessDenied,
        ) => GreetingError::RefusedByPeer,
        TlsError::AlertReceived(AlertDescription::NoApplicationProtocol) => GreetingError::NotTwain,
        _ => GreetingError::Tls(error.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn only_the_other_role_s_greeting_passes(bytes: [u8; GREETING_LENGTH]) {
            for role in [Role::Model, Role::Data] {
                let passes = check_greeting(&bytes, role).is_ok();
                prop_assert_eq!(passes, bytes == greeting(role.other()));
            }
        }
    }

    #[test]
    fn what_differs_is_named() {
        let ours = greeting(Role::Model);
        let same = check_greeting(&ours, Role::Model);
        assert!(matches!(same, Err(GreetingError::SameRole(Role::Model))));
        for other in [PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1] {
            let mut theirs = greeting(Role::Data);
            theirs[5..7].copy_from_slice(&other.to_le_bytes());
            let version = check_greeting(&theirs, Role::Model);
            assert!(matches!(version, Err(GreetingError::Version { peer }) if peer == other));
        }
        assert!(check_greeting(&greeting(Role::Data), Role::Model).is_ok());
    }
}
