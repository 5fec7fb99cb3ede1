//! Whoever dials in, or answers a call, and sends any bytes before TLS is established.
//!
//! Fuzzed bytes are one that chooses the side (bit 0) and who dialled (bit 1), then the stream.

use super::sides::IDENTITIES;
use crate::memory::within;
use std::io::Write;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::time::Duration;
use twain_link::channel::tls::court;
use twain_party::Role;

/// As much as the system takes in without a reader.
const LONGEST: usize = 16 << 10;
/// What a side may take for a connection that is nobody's yet.
const MEMORY: usize = 1 << 20;
/// The stream ends, so a side waits for nothing; the fuzzer's own time limit ends one that does.
const LIMIT: Duration = Duration::from_secs(3600);

/// A stream of bytes from a stranger, who then hangs up; never the peer.
pub fn stranger(bytes: &[u8]) {
    let Some((&first, stream)) = bytes.split_first() else { return };
    let role = if first & 1 == 0 { Role::Model } else { Role::Data };
    let dialled = first & 2 != 0;
    let [own, peer] = [role, role.other()].map(|role| &IDENTITIES[role as usize]);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let mut far = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
    let (near, _) = listener.accept().expect("accepted");
    far.write_all(&stream[..stream.len().min(LONGEST)]).expect("buffered");
    far.shutdown(Shutdown::Write).expect("connected");
    let outcome = within(MEMORY, || court(near, dialled, role, own, peer.fingerprint(), LIMIT));
    assert!(outcome.is_err(), "only the holder of the peer's key is the peer");
}
