//! Two real endpoints over loopback TLS: who is let in, and how a session ends when the network or
//! the peer misbehaves.

mod endpoints;

use endpoints::{PATIENCE, QUICK, both, free_address, identity};
use std::time::{Duration, Instant};
use twain_link::channel::emulator::{ByteFault, Direction, LinkProfile, TcpEmulator};
use twain_link::channel::tls::{
    ConnectError, ConnectOptions, PeerPolicy, TlsChannel, Unwatched, connect,
};
use twain_link::channel::{Channel, ChannelError, Fault};
use twain_link::handshake::{HandshakeError, Item, Manifest, handshake};
use twain_link::identity::{Fingerprint, Identity};
use twain_party::Role;

struct End<'a> {
    role: Role,
    identity: &'a Identity,
    local: Option<&'a str>,
    remote: Option<&'a str>,
    peer: Fingerprint,
}

impl End<'_> {
    fn connect_within(&self, connect_timeout: Duration) -> Result<TlsChannel, ConnectError> {
        connect(ConnectOptions {
            role: self.role,
            identity: self.identity,
            local: self.local,
            remote: self.remote,
            peer: PeerPolicy::Pinned(self.peer),
            connect_timeout,
            watcher: &Unwatched,
            timeouts: QUICK,
        })
    }

    fn connect(&self) -> Result<TlsChannel, ConnectError> {
        self.connect_within(PATIENCE)
    }
}

/// A connected pair; the model's side listens.
fn pair(profile: LinkProfile) -> (TlsChannel, TlsChannel, TcpEmulator) {
    let (model, data) = (identity(), identity());
    let address = free_address();
    let emulator = TcpEmulator::start(address.parse().expect("address"), profile).expect("started");
    let remote = emulator.address().to_string();
    let (m, d) = both(
        || {
            let peer = data.fingerprint();
            let local = Some(address.as_str());
            End { role: Role::Model, identity: &model, local, remote: None, peer }.connect()
        },
        || {
            let peer = model.fingerprint();
            let remote = Some(remote.as_str());
            End { role: Role::Data, identity: &data, local: None, remote, peer }.connect()
        },
    );
    (m.expect("connected"), d.expect("connected"), emulator)
}

fn manifest(vk: u8) -> Manifest {
    Manifest::new([("pk".to_string(), [1; 32]), ("vk".to_string(), [vk; 32])]).expect("well formed")
}

#[test]
fn both_may_listen_and_dial_and_agree_on_one_connection() {
    for _ in 0..5 {
        let (model, data) = (identity(), identity());
        let (at_model, at_data) = (free_address(), free_address());
        let (m, d) = both(
            || {
                let (local, remote) = (Some(at_model.as_str()), Some(at_data.as_str()));
                let peer = data.fingerprint();
                let mut channel = End { role: Role::Model, identity: &model, local, remote, peer }
                    .connect()
                    .expect("connected");
                let session = handshake(&mut channel, &manifest(2)).expect("agreed");
                assert_eq!(channel.exchange("x", vec![1; 3], 5).expect("exchanged"), [2; 5]);
                assert_eq!(session.peer(), data.fingerprint());
                assert_eq!(channel.session_id(), session.id);
                channel.finish(PATIENCE).expect("finished");
                session.id
            },
            || {
                let (local, remote) = (Some(at_data.as_str()), Some(at_model.as_str()));
                let peer = model.fingerprint();
                let mut channel = End { role: Role::Data, identity: &data, local, remote, peer }
                    .connect()
                    .expect("connected");
                let session = handshake(&mut channel, &manifest(2)).expect("agreed");
                assert_eq!(channel.exchange("x", vec![2; 5], 3).expect("exchanged"), [1; 3]);
                let meter = channel.finish(PATIENCE).expect("finished");
                let (name, traffic) = meter.phases()[1];
                assert_eq!((name, traffic.sent, traffic.received, traffic.rounds), ("x", 5, 3, 1));
                session.id
            },
        );
        assert_eq!(m, d);
    }
}

#[test]
fn another_key_is_refused_and_named_on_both_sides() {
    let (model, data, other) = (identity(), identity(), identity());
    let address = free_address();
    // The data's side pins somebody else; the model's side is dialled.
    let (m, d) = both(
        || {
            let local = Some(address.as_str());
            let peer = data.fingerprint();
            End { role: Role::Model, identity: &model, local, remote: None, peer }
                .connect_within(Duration::from_secs(2))
        },
        || {
            let remote = Some(address.as_str());
            let peer = other.fingerprint();
            End { role: Role::Data, identity: &data, local: None, remote, peer }.connect()
        },
    );
    let error = d.err().expect("refused");
    assert!(
        matches!(&error, ConnectError::WrongKey { found, expected, .. }
            if *found == model.fingerprint() && *expected == other.fingerprint()),
        "{error}"
    );
    let error = m.err().expect("nobody came").to_string();
    assert!(error.contains("refuses this side's key"), "{error}");

    // The dialled side pins somebody else.
    let (m, d) = both(
        || {
            let local = Some(address.as_str());
            let peer = other.fingerprint();
            End { role: Role::Model, identity: &model, local, remote: None, peer }
                .connect_within(Duration::from_secs(2))
        },
        || {
            let remote = Some(address.as_str());
            let peer = model.fingerprint();
            End { role: Role::Data, identity: &data, local: None, remote, peer }.connect()
        },
    );
    let error = d.err().expect("refused");
    assert!(matches!(&error, ConnectError::RefusedByPeer { .. }), "{error}");
    let error = m.err().expect("nobody came").to_string();
    assert!(error.contains(&data.fingerprint().to_string()), "{error}");
}

#[test]
fn one_s_own_key_is_refused() {
    let own = identity();
    let address = free_address();
    let end = |peer| End {
        role: Role::Model,
        identity: &own,
        local: Some(&address),
        remote: Some(&address),
        peer,
    };
    let error = end(own.fingerprint()).connect().err().expect("refused");
    assert!(matches!(error, ConnectError::OwnKey(key) if key == own.fingerprint()), "{error}");
    let error = end(identity().fingerprint()).connect().err().expect("refused");
    assert!(matches!(error, ConnectError::OwnKey(key) if key == own.fingerprint()), "{error}");
}

#[test]
fn two_sides_of_one_role_are_refused_on_both() {
    for (role, name) in [(Role::Model, "the model's side"), (Role::Data, "the data's side")] {
        let (first, second) = (identity(), identity());
        let address = free_address();
        let (a, b) = both(
            || {
                let local = Some(address.as_str());
                let peer = second.fingerprint();
                End { role, identity: &first, local, remote: None, peer }.connect()
            },
            || {
                let remote = Some(address.as_str());
                let peer = first.fingerprint();
                End { role, identity: &second, local: None, remote, peer }.connect()
            },
        );
        for result in [a, b] {
            let error = result.err().expect("refused");
            assert!(matches!(&error, ConnectError::Unfit { .. }), "{error}");
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}

#[test]
fn strangers_do_not_disturb() {
    let (model, data) = (identity(), identity());
    let address = free_address();
    let (m, d) = both(
        || {
            let local = Some(address.as_str());
            let peer = data.fingerprint();
            End { role: Role::Model, identity: &model, local, remote: None, peer }.connect()
        },
        || {
            use std::io::Write;
            let dial = || std::net::TcpStream::connect(&address);
            let silent = std::iter::repeat_with(dial).find_map(Result::ok).expect("listening");
            let mut noisy = dial().expect("listening");
            noisy.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("written");
            let remote = Some(address.as_str());
            let peer = model.fingerprint();
            let connected =
                End { role: Role::Data, identity: &data, local: None, remote, peer }.connect();
            drop(silent);
            connected
        },
    );
    m.and(d).map(drop).expect("connected");
}

#[test]
fn nobody_there_ends_in_time_and_says_what_was_tried() {
    let (own, other) = (identity(), identity());
    let remote = free_address();
    let peer = other.fingerprint();
    let start = Instant::now();
    let error = End { role: Role::Data, identity: &own, local: None, remote: Some(&remote), peer }
        .connect_within(Duration::from_millis(500))
        .err()
        .expect("nobody");
    assert!(start.elapsed() < Duration::from_secs(3));
    assert!(error.to_string().contains(&remote), "{error}");
    let error = End { role: Role::Data, identity: &own, local: None, remote: None, peer }
        .connect()
        .err()
        .expect("no address");
    assert!(matches!(error, ConnectError::NoAddress));
}

#[test]
fn differing_digests_are_named_on_both_sides() {
    let (mut model, mut data, _emulator) = pair(LinkProfile::default());
    let (m, d) = both(
        move || handshake(&mut model, &manifest(2)),
        move || handshake(&mut data, &manifest(3)),
    );
    for result in [m, d] {
        let Err(HandshakeError::Differences(differences)) = result else {
            panic!("the difference was not found");
        };
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].name, "vk");
        let items = [2, 3].map(|byte| Some(Item::Digest([byte; 32])));
        let found = [differences[0].model.clone(), differences[0].data.clone()];
        assert_eq!(found, items);
    }
}

#[test]
fn both_sides_may_send_more_than_any_queue_first() {
    // The two queues, and what is on its way.
    const FRAMES: u64 = 16;
    let (model, data, _emulator) = pair(LinkProfile::default());
    let run = |mut channel: TlsChannel, own: u8, other: u8| {
        for _ in 0..FRAMES {
            channel.send("large", vec![own; 20 << 20])?;
        }
        for _ in 0..FRAMES {
            assert!(channel.receive("large", 20 << 20)?.iter().all(|byte| *byte == other));
        }
        channel.finish(PATIENCE)
    };
    let (m, d) = both(move || run(model, 1, 2), move || run(data, 2, 1));
    assert_eq!(m.expect("sent").total().sent, (FRAMES * 20) << 20);
    assert_eq!(d.expect("sent").total().received, (FRAMES * 20) << 20);
}

#[test]
fn a_slow_peer_is_not_a_dead_one() {
    let (mut model, mut data, _emulator) = pair(LinkProfile::default());
    let (m, d) = both(
        move || {
            // More than the other side reads unasked, so that its reader pauses.
            model.send("slow", vec![1; 100 << 20])?;
            model.receive("slow", 1)
        },
        move || {
            std::thread::sleep(3 * QUICK.silence);
            data.receive("slow", 100 << 20)?;
            std::thread::sleep(2 * QUICK.silence);
            data.send("slow", vec![1])
        },
    );
    assert_eq!(m.expect("answered"), [1]);
    d.expect("sent");
}

#[test]
fn a_frame_of_another_length_ends_the_session() {
    let (mut model, mut data, _emulator) = pair(LinkProfile::default());
    let (m, d) = both(
        move || model.exchange("step 3", vec![0; 10], 10),
        move || data.exchange("step 3", vec![0; 11], 10),
    );
    let error = m.expect_err("refused");
    assert_eq!(error.fault, Fault::Length { got: 11, expected: 10 });
    assert_eq!(error.phase, "step 3");
    assert!(error.to_string().contains("data side"), "{error}");
    assert_eq!(d.expect("the frame was right"), [0; 10]);
}

const PHASES: [&str; 3] = ["first", "second", "third"];

/// Three exchanges of frames that need several TLS records; `before` runs before each.
fn session(
    mut channel: TlsChannel,
    mut before: impl FnMut(&'static str),
) -> Result<(), ChannelError> {
    for phase in PHASES {
        before(phase);
        channel.exchange(phase, vec![7; 100_000], 100_000)?;
    }
    channel.finish(2 * QUICK.silence).map(drop)
}

/// Ends both sides of a session by `fault`, shortly after the phase numbered `index` has begun.
fn strike(fault: ByteFault, direction: Direction, index: usize) {
    let at = PHASES[index];
    let (model, data, emulator) = pair(LinkProfile::default());
    let inject = &|phase| {
        if phase == at {
            // Not the type of a TLS record, which says nothing: TLS ignores a change.
            emulator.inject(direction, 100 + 1000 * index, fault);
        }
    };
    // By the side that sends in this direction, before it does.
    let inject_if = |when| {
        move |phase| {
            if direction == when {
                inject(phase)
            }
        }
    };
    let start = Instant::now();
    let (m, d) = both(
        || session(model, inject_if(Direction::Backward)),
        || session(data, inject_if(Direction::Forward)),
    );
    let case = format!("{fault:?} {direction:?} {at}");
    assert!(start.elapsed() < Duration::from_secs(8), "{case}");
    let (Err(m), Err(d)) = (&m, &d) else {
        panic!("{case}: {m:?} {d:?}");
    };
    // The bytes struck may still be the last step's, and the side whose frame arrived whole may be
    // one step further.
    let near = |error: &&ChannelError| {
        let step = PHASES.iter().position(|name| *name == error.phase).unwrap_or(3);
        step.abs_diff(index) <= 1
    };
    assert!([m, d].iter().all(near), "{case}: {m:?} {d:?}");
    if matches!(fault, ByteFault::Corrupt | ByteFault::Replay) {
        let noticed = [m, d].iter().any(|error| matches!(error.fault, Fault::Forged(_)));
        assert!(noticed, "{case}: {m:?} {d:?}");
    }
}

#[test]
fn every_fault_in_every_phase_ends_both_sides_in_time() {
    let faults = [ByteFault::Cut, ByteFault::Corrupt, ByteFault::Replay, ByteFault::Stall];
    std::thread::scope(|scope| {
        for fault in faults {
            for direction in [Direction::Forward, Direction::Backward] {
                scope.spawn(move || {
                    for index in 0..PHASES.len() {
                        strike(fault, direction, index);
                    }
                });
            }
        }
    });
}

#[test]
fn a_link_with_latency_and_little_bandwidth_carries_a_session() {
    let profile = LinkProfile { latency: Duration::from_millis(20), bandwidth: Some(2_000_000) };
    let (model, data, _emulator) = pair(profile);
    let start = Instant::now();
    let (m, d) = both(|| session(model, |_| ()), || session(data, |_| ()));
    m.and(d).expect("carried");
    // Three rounds of 50 ms of bytes and 20 ms of way.
    assert!(start.elapsed() >= Duration::from_millis(3 * 70 - 10));
}
