//! A peer that is alive but does not go on, or goes on without listening, ends the session within
//! its limits; a slow link or a slow peer does not.

use super::queues::QUEUE_LIMIT;
use super::*;
use crate::channel::Overlap;
use crate::channel::emulator::{LinkProfile, TcpEmulator};
use crate::identity::Identity;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const PATIENCE: Duration = Duration::from_secs(20);
/// Signs of life come every quarter of a second.
const LIMITS: Timeouts = Timeouts {
    silence: Duration::from_secs(1),
    step: Duration::from_secs(2),
    rate: 1_000_000,
    session: Duration::from_secs(3600),
};
/// Time for threads to be woken on a busy machine.
const SLACK: Duration = Duration::from_secs(2);

fn identity() -> Identity {
    let directory = tempfile::tempdir().expect("temporary directory");
    Identity::load_or_create(directory.path()).expect("made")
}

/// The model's and the data's end of a link, which ends with the emulator; without a profile, of
/// one that holds no more than the system does.
fn pair(
    limits: Timeouts,
    profile: Option<LinkProfile>,
) -> (TlsChannel, TlsChannel, Option<TcpEmulator>) {
    let identities = [identity(), identity()];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let emulator = profile.map(|profile| TcpEmulator::start(address, profile).expect("started"));
    let dialled = emulator.as_ref().map_or(address, TcpEmulator::address);
    let (local, remote) = (address.to_string(), dialled.to_string());
    let end = |role: Role| {
        connect(ConnectOptions {
            role,
            identity: &identities[role as usize],
            local: (role == Role::Model).then_some(&local),
            remote: (role == Role::Data).then_some(&remote),
            peer: PeerPolicy::Pinned(identities[role.other() as usize].fingerprint()),
            connect_timeout: PATIENCE,
            watcher: &Unwatched,
            timeouts: limits,
        })
        .expect("connected")
    };
    std::thread::scope(|scope| {
        let model = scope.spawn(|| end(Role::Model));
        let data = end(Role::Data);
        (model.join().expect("joined"), data, emulator)
    })
}

/// How the honest side, which runs `honest`, ends while the peer runs `peer` again and again.
fn against(
    limits: Timeouts,
    honest: impl FnOnce(&mut TlsChannel) -> Result<(), ChannelError>,
    peer: impl Fn(&mut TlsChannel) -> Result<(), Fault> + Sync,
) -> (ChannelError, Duration) {
    let (mut model, mut data, _emulator) = pair(limits, None);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                if over.load(Ordering::Relaxed) || peer(&mut data).is_err() {
                    break;
                }
            }
        });
        let start = Instant::now();
        let outcome = honest(&mut model);
        let took = start.elapsed();
        over.store(true, Ordering::Relaxed);
        (outcome.expect_err("the peer does not do its part"), took)
    })
}

/// Whether a wait ended when its limit was over, and said so.
fn is_late(outcome: &(ChannelError, Duration), bytes: usize) {
    let (error, took) = outcome;
    let limit = LIMITS.wait(bytes);
    assert_eq!((error.phase, &error.fault), ("step 7", &Fault::Late(limit)));
    assert!((limit..limit + SLACK).contains(took), "{took:?}");
}

/// Only signs of life.
fn keeps_alive(channel: &mut TlsChannel) -> Result<(), Fault> {
    std::thread::sleep(Duration::from_millis(5));
    channel.pump.fault().map_or(Ok(()), Err)
}

#[test]
fn signs_of_life_alone_do_not_keep_a_step_waiting() {
    let wait = |channel: &mut TlsChannel| channel.receive("step 7", 1_000_000).map(drop);
    let outcome = against(LIMITS, wait, keeps_alive);
    assert_eq!(LIMITS.wait(1_000_000), Duration::from_secs(3));
    is_late(&outcome, 1_000_000);
}

#[test]
fn a_byte_now_and_then_is_no_progress() {
    let outcome = against(
        LIMITS,
        |channel| channel.receive("step 7", 1000).map(drop),
        |channel| {
            std::thread::sleep(Duration::from_millis(100));
            // The frame's header, then its payload, in records of one byte.
            let sent = channel.meter.total().sent as usize;
            channel.meter.sent("trickle", 1);
            let byte = frames::header(1000).get(sent).copied().unwrap_or(7);
            channel.pump.send([vec![byte], Vec::new()])
        },
    );
    is_late(&outcome, 1000);
}

#[test]
fn a_peer_that_takes_nothing_ends_the_session() {
    let frame = 10 << 20;
    let mut queued = 0;
    let outcome = against(
        Timeouts { rate: 100_000_000, ..LIMITS },
        |channel| {
            loop {
                queued = channel.pump.queued();
                channel.send("step 7", vec![0; frame])?;
            }
        },
        keeps_alive,
    );
    let (ChannelError { phase, fault, .. }, took) = outcome;
    assert_eq!(phase, "step 7");
    let Fault::Late(limit) = fault else { panic!("{fault:?}") };
    assert!(limit >= LIMITS.step && limit < 2 * LIMITS.step, "{limit:?}");
    assert!(took >= limit && took < limit + PATIENCE, "{took:?}");
    assert!((QUEUE_LIMIT..QUEUE_LIMIT + frame + 8).contains(&queued), "{queued}");
}

#[test]
fn a_session_of_steps_that_are_each_in_time_ends_at_its_limit() {
    let session = Duration::from_secs(4);
    let outcome = against(
        Timeouts { session, ..LIMITS },
        |channel| {
            loop {
                channel.exchange("step 7", vec![0; 10], 10)?;
            }
        },
        |channel| {
            std::thread::sleep(Duration::from_millis(1500));
            channel.exchange("step 7", vec![0; 10], 10).map(drop).map_err(|error| error.fault)
        },
    );
    let (error, took) = outcome;
    assert_eq!((error.phase, &error.fault), ("step 7", &Fault::Overtime(session)));
    assert!(error.to_string().contains("--session-timeout"), "{error}");
    assert!(took < session + SLACK, "{took:?}");
}

/// Sends as fast as it is taken, and receives nothing.
fn floods(channel: &mut TlsChannel) -> Result<(), Fault> {
    if channel.pump.queued() >= QUEUE_LIMIT / 2 {
        return keeps_alive(channel);
    }
    channel.send("flood", vec![0; 1 << 20]).map_err(|error| error.fault)
}

#[test]
fn a_flood_while_this_side_sends_is_held_back_and_ends_the_session() {
    let mut reserved = 0;
    let outcome = against(
        LIMITS,
        |channel| {
            // More than fits into the queue, and than the peer reads unasked.
            for _ in 0..20 {
                channel.send("much", vec![0; 20 << 20])?;
                reserved = channel.pump.reserved();
            }
            // By now the peer could have sent without end.
            std::thread::sleep(Duration::from_secs(2));
            reserved = channel.pump.reserved();
            channel.receive("step 7", 10).map(drop)
        },
        floods,
    );
    let (error, took) = outcome;
    assert_eq!(error.fault, Fault::Length { got: 1 << 20, expected: 10 });
    assert_eq!(error.phase, "step 7");
    assert!(took < PATIENCE, "{took:?}");
    // The peer did send more than is read unasked; a queue reserves up to twice what it holds.
    assert!((QUEUE_LIMIT..=2 * QUEUE_LIMIT + (1 << 20)).contains(&reserved), "{reserved}");
}

#[test]
fn a_flood_of_expected_frames_without_listening_ends_the_session() {
    let limits = Timeouts { rate: 1_000_000_000, ..LIMITS };
    let outcome = against(
        limits,
        |channel| {
            loop {
                channel.exchange("step 7", vec![0; 1 << 20], 1 << 20)?;
            }
        },
        floods,
    );
    let (error, took) = outcome;
    assert_eq!(error.phase, "step 7");
    let Fault::Late(limit) = error.fault else { panic!("{error}") };
    assert!(took < limit + PATIENCE, "{took:?}");
}

#[test]
fn a_flood_does_not_keep_a_session_from_ending() {
    let (mut model, mut data, _emulator) = pair(LIMITS, None);
    std::thread::scope(|scope| {
        scope.spawn(move || while floods(&mut data).is_ok() {});
        // More than the peer reads unasked: it does not hear the farewell.
        for _ in 0..5 {
            model.send("much", vec![0; 20 << 20]).expect("queued");
        }
        let (start, pump) = (Instant::now(), model.pump.clone());
        let error = model.finish(Duration::from_secs(2)).expect_err("the peer says no farewell");
        assert_eq!(error.fault, Fault::Late(Duration::from_secs(2)));
        assert!(start.elapsed() < Duration::from_secs(2) + SLACK, "{:?}", start.elapsed());
        assert!(pump.reserved() <= 2 * QUEUE_LIMIT, "{}", pump.reserved());
        // The reader's thread ends, too.
        while Arc::strong_count(&pump) > 1 {
            assert!(start.elapsed() < PATIENCE, "still reading");
            std::thread::sleep(Duration::from_millis(50));
        }
    });
}

/// 100 ms and 20 Mbit/s: each frame takes longer than a peer may compute.
#[test]
fn a_slow_link_passes() {
    let profile = LinkProfile { latency: Duration::from_millis(100), bandwidth: Some(2_500_000) };
    let (mut model, mut data, _emulator) = pair(LIMITS, Some(profile));
    let length = 8 << 20;
    let run = |channel: &mut TlsChannel| {
        let start = Instant::now();
        let frame = channel.exchange("slow", vec![3; length], length)?;
        assert!(start.elapsed() > LIMITS.step, "the link is no slower than a peer may be");
        assert_eq!(frame, vec![3; length]);
        Ok::<_, ChannelError>(())
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| run(&mut model));
        run(&mut data).expect("carried");
        other.join().expect("joined").expect("carried");
    });
}

/// Each step takes longer than a silent peer may, and less than one that computes.
#[test]
fn a_slow_peer_passes() {
    let (mut model, mut data, _emulator) = pair(LIMITS, None);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..3 {
                std::thread::sleep(LIMITS.silence + Duration::from_millis(400));
                data.exchange("slow", vec![1], 1).expect("in time");
            }
        });
        for _ in 0..3 {
            model.exchange("slow", vec![1], 1).expect("in time");
        }
    });
}

/// What is sent ahead, and what is due, is more than any queue; the last frames are sent while the
/// second are due.
#[test]
fn both_sides_may_send_ahead_of_what_is_due() {
    let (model, data, _emulator) = pair(LIMITS, None);
    let run = |channel: TlsChannel| {
        let mut channel = Overlap::new(channel);
        let length = 20 << 20;
        let send = |channel: &mut Overlap<TlsChannel>, byte: u8| {
            for _ in 0..9 {
                channel.send("much", vec![byte; length])?;
                channel.expect("much", length);
            }
            Ok::<_, ChannelError>(())
        };
        let take = |channel: &mut Overlap<TlsChannel>, byte: u8| {
            for _ in 0..9 {
                assert!(channel.take()?.iter().all(|got| *got == byte));
            }
            Ok::<_, ChannelError>(())
        };
        send(&mut channel, 1)?;
        send(&mut channel, 2)?;
        take(&mut channel, 1)?;
        send(&mut channel, 3)?;
        take(&mut channel, 2)?;
        take(&mut channel, 3)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| run(model));
        run(data).expect("carried");
        other.join().expect("joined").expect("carried");
    });
}
