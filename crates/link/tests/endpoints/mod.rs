//! What tests of endpoints over loopback share.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;
use twain_link::channel::tls::Timeouts;
use twain_link::identity::Identity;

/// Longer than anything takes that succeeds.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Limits of a session that ends soon when the peer is gone.
pub const QUICK: Timeouts = Timeouts {
    silence: Duration::from_millis(2000),
    step: Duration::from_secs(20),
    rate: 64_000,
    session: Duration::from_secs(3600),
};

/// A key of its own.
pub fn identity() -> Identity {
    let directory = tempfile::tempdir().expect("temporary directory");
    Identity::load_or_create(directory.path()).expect("made")
}

/// An address nobody listens on.
pub fn free_address() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
    listener.local_addr().expect("bound").to_string()
}

/// Runs both at once.
pub fn both<A: Send, B: Send>(
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        (first.join().expect("joined"), second)
    })
}
