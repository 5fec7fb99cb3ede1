//! Two stores against each other on simulated disks: whatever crashes, whichever store is put back
//! to an older copy, and whatever the peer then says, no bundle is used in two sessions.

use super::agree::acknowledgement;
use super::disk::Disk;
use super::simulated::{Machine, SimulatedDisk};
use super::{LONGEST_LIFE, Series, Store, StoreError};
use proptest::prelude::*;
use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, LazyLock};
use twain_link::channel::tls::PROTOCOL_VERSION;
use twain_link::channel::{Channel, MemoryChannel, memory_pair};
use twain_link::handshake::Session;
use twain_link::identity::{Fingerprint, Identity};
use twain_party::Role;

const PLAN: [u8; 32] = [7; 32];

fn identity() -> Identity {
    let directory = tempfile::tempdir().expect("temporary directory");
    Identity::load_or_create(directory.path()).expect("made")
}

static IDENTITIES: LazyLock<[Identity; 2]> = LazyLock::new(|| [identity(), identity()]);

fn session(number: u8, role: Role) -> Session {
    let [model, data] = IDENTITIES.each_ref().map(Identity::fingerprint);
    Session { id: [number; 32], role, model, data }
}

/// When tests take place.
const NOW: u64 = 1_800_000_000;

fn open_at(machine: &Machine, role: Role, now: u64) -> Result<Store<'static>, StoreError> {
    let identity = &IDENTITIES[usize::from(role == Role::Data)];
    let Machine { store, marks } = machine.clone();
    Store::on_disks([Arc::new(store), Arc::new(marks)], identity, 16, None, now)
}

fn open(machine: &Machine, role: Role) -> Result<Store<'static>, StoreError> {
    open_at(machine, role, NOW)
}

fn payload(id: [u8; 32], role: Role) -> Vec<u8> {
    [&id[..], &[u8::from(role == Role::Data); 20]].concat()
}

/// What a side does in a session.
#[derive(Clone, Copy, Debug)]
enum Action {
    Make,
    Reserve,
}

/// One side of a session; the bundle that was handed out, if any.
fn act(
    disk: &Machine,
    mut channel: MemoryChannel,
    number: u8,
    action: Action,
) -> Result<Option<[u8; 32]>, StoreError> {
    let role = channel.role();
    let mut store = open(disk, role)?;
    match action {
        Action::Make => {
            let mut bundle = store.make(&mut channel, &session(number, role), PLAN)?;
            bundle.write(&payload(bundle.id(), role))?;
            bundle.commit(&mut channel)?;
            Ok(None)
        }
        Action::Reserve => {
            let reserved = store.reserve(&mut channel, &session(number, role), PLAN)?;
            let Some(mut bundle) = reserved else { return Ok(None) };
            // The session goes on from here, even if the disk now fails.
            let mut content = Vec::new();
            if bundle.read_to_end(&mut content).is_ok() {
                assert_eq!(content, payload(bundle.id(), role));
            }
            Ok(Some(bundle.id()))
        }
    }
}

fn both(
    disks: &[Machine; 2],
    number: u8,
    action: Action,
) -> [Result<Option<[u8; 32]>, StoreError>; 2] {
    let (model, data) = memory_pair([number; 32]);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| act(&disks[1], data, number, action));
        let this = act(&disks[0], model, number, action);
        [this, other.join().expect("joined")]
    })
}

fn run(disks: &[Machine; 2], number: u8, action: Action) -> [Option<[u8; 32]>; 2] {
    both(disks, number, action).map(|outcome| outcome.expect("no fault"))
}

#[test]
fn bundles_are_made_used_once_in_order_and_gone() {
    let disks = [Machine::default(), Machine::default()];
    assert_eq!(run(&disks, 0, Action::Reserve), [None, None]);
    run(&disks, 1, Action::Make);
    run(&disks, 2, Action::Make);
    let made = open(&disks[0], Role::Model).expect("opened").bundles().expect("listed");
    let ids: Vec<_> = made.iter().map(|bundle| Some(bundle.id)).collect();
    assert_eq!(made.iter().map(|bundle| bundle.index).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(run(&disks, 3, Action::Reserve), [ids[0]; 2]);
    assert_eq!(run(&disks, 4, Action::Reserve), [ids[1]; 2]);
    assert_eq!(run(&disks, 5, Action::Reserve), [None, None]);
    for (disk, role) in disks.iter().zip([Role::Model, Role::Data]) {
        assert!(open(disk, role).expect("opened").bundles().expect("listed").is_empty());
    }
}

#[test]
fn an_old_copy_of_one_side_brings_nothing_back() {
    let disks = [Machine::default(), Machine::default()];
    for number in 0..3 {
        run(&disks, number, Action::Make);
    }
    let backup = disks[0].snapshot();
    let first = run(&disks, 3, Action::Reserve);
    let restored = [backup, disks[1].clone()];
    let second = run(&restored, 4, Action::Reserve);
    assert!(first[0].is_some() && second[0].is_some());
    assert_eq!((first[0], second[0]), (first[1], second[1]));
    assert_ne!(first, second);
    // The last one is there on both sides; the other side has no more.
    assert!(run(&restored, 5, Action::Reserve)[0].is_some());
    assert_eq!(run(&restored, 6, Action::Reserve), [None, None]);
}

/// A session with a peer that agrees to whatever number this side names, and says it has synced the
/// mark.
fn reserve_from_a_cheat(machine: &Machine, number: u8, now: u64) -> Option<[u8; 32]> {
    let (own, mut cheat) = memory_pair([number; 32]);
    std::thread::scope(|scope| {
        scope.spawn(move || -> Result<(), StoreError> {
            let offer = cheat.receive("", 40)?;
            let id: [u8; 32] = offer[8..].try_into().expect("32 bytes");
            cheat.send("", offer)?;
            cheat.send("", acknowledgement(b"reserved", &id, Role::Data))?;
            Ok(cheat.receive("", 32).map(drop)?)
        });
        let mut own = own;
        let mut store = open_at(machine, Role::Model, now).expect("opened");
        let reserved = store.reserve(&mut own, &session(number, Role::Model), PLAN);
        reserved.expect("no fault").map(|bundle| bundle.id())
    })
}

#[test]
fn an_old_copy_of_a_store_gives_a_cheating_peer_nothing() {
    let disks = [Machine::default(), Machine::default()];
    for number in 0..3 {
        run(&disks, number, Action::Make);
    }
    let backup = disks[0].snapshot();
    let mut used = vec![run(&disks, 3, Action::Reserve)[0].expect("there is one")];
    let mut machine = disks[0].clone();
    for number in 4..6 {
        machine = machine.with_store_of(&backup, true);
        used.push(reserve_from_a_cheat(&machine, number, NOW).expect("there is one"));
    }
    machine = machine.with_store_of(&backup, true);
    assert_eq!(reserve_from_a_cheat(&machine, 6, NOW), None);
    assert!((0..3).all(|i| !used[..i].contains(&used[i])), "used twice");
    // What is not defended against: the marks put back as well.
    assert_eq!(reserve_from_a_cheat(&backup.snapshot(), 7, NOW), Some(used[0]));
}

#[test]
fn without_the_outer_mark_all_bundles_are_erased() {
    let disks = [Machine::default(), Machine::default()];
    for number in 0..2 {
        run(&disks, number, Action::Make);
    }
    let old = disks[0].snapshot();
    let damaged = disks[0].snapshot();
    let name = Series::of_session(&session(0, Role::Model), &PLAN).name;
    damaged.marks.truncate(&format!("{name}.mark"), 39);
    for machine in [damaged, disks[0].with_store_of(&disks[0], false)] {
        assert!(open(&machine, Role::Model).expect("opened").bundles().expect("listed").is_empty());
        // New ones can be made; those from before stay void.
        let disks = [machine, disks[1].snapshot()];
        run(&disks, 2, Action::Make);
        let machine = disks[0].with_store_of(&old, true);
        assert_eq!(reserve_from_a_cheat(&machine, 3, NOW), None);
        assert!(run(&disks, 4, Action::Reserve)[0].is_some());
    }
}

#[test]
fn a_bundle_lives_for_a_week() {
    let disks = [Machine::default(), Machine::default()];
    run(&disks, 0, Action::Make);
    for (now, lives) in [
        (NOW + LONGEST_LIFE, true),
        (NOW + LONGEST_LIFE + 1, false),
        (NOW - LONGEST_LIFE - 1, false),
    ] {
        let machine = disks[0].snapshot();
        assert_eq!(reserve_from_a_cheat(&machine, 1, now).is_some(), lives, "{now}");
        assert!(open(&machine, Role::Model).expect("opened").bundles().expect("listed").is_empty());
    }
}

#[test]
fn a_plan_a_session_or_an_identity_of_others_has_no_bundles() {
    let disks = [Machine::default(), Machine::default()];
    run(&disks, 0, Action::Make);
    let (mut channel, mut peer) = memory_pair([0; 32]);
    peer.send("", [&u64::MAX.to_le_bytes()[..], &[0; 32]].concat()).expect("queued");
    let mut store = open(&disks[0], Role::Model).expect("opened");
    let own = session(1, Role::Model);
    assert!(store.reserve(&mut channel, &own, [8; 32]).expect("agreed").is_none());
    let others = Session { model: Fingerprint([0; 32]), ..own };
    assert!(matches!(store.reserve(&mut channel, &others, PLAN), Err(StoreError::Session)));
}

/// What another version of the protocol made is not what this one would take it for.
#[test]
fn bundles_of_another_version_are_erased_and_not_read() {
    let disks = [Machine::default(), Machine::default()];
    let bundles = |machine: &Machine| {
        let disk: &SimulatedDisk = &machine.store;
        let mut names = disk.list().expect("listed");
        names.retain(|name| name.ends_with(".bundle"));
        names
    };
    for number in 0..2 {
        run(&disks, number, Action::Make);
    }
    // The older one of the two turns into one of the version before.
    for (disk, role) in disks.iter().zip([Role::Model, Role::Data]) {
        let Session { model, data, .. } = session(0, role);
        let older = Series::of_version(PROTOCOL_VERSION - 1, &PLAN, model, data, role);
        let name = Series::of_session(&session(0, role), &PLAN).file(0, ".bundle");
        assert!(bundles(disk).contains(&name));
        disk.store.rename(&name, &older.file(0, ".bundle")).expect("renamed");
        assert_eq!(bundles(disk).len(), 2);
    }
    let left = open(&disks[0], Role::Model).expect("opened").bundles().expect("listed");
    assert_eq!(left.iter().map(|bundle| bundle.index).collect::<Vec<_>>(), [1]);
    assert_eq!(run(&disks, 3, Action::Reserve), [Some(left[0].id); 2]);
    assert_eq!(run(&disks, 4, Action::Reserve), [None; 2]);
    assert!(disks.iter().all(|disk| bundles(disk).is_empty()));
}

#[test]
fn a_damaged_state_is_noticed() {
    let disks = [Machine::default(), Machine::default()];
    run(&disks, 0, Action::Make);
    let state = format!("{}.state", Series::of_session(&session(0, Role::Model), &PLAN).name);
    disks[0].store.truncate(&state, 10);
    assert!(matches!(open(&disks[0], Role::Model), Err(StoreError::Damaged(_))));
}

/// Every step of making and reserving, on either side, as the place of a crash; afterwards the
/// other side, or its store alone, may be put back to a copy from before.
#[test]
fn a_crash_at_any_step_is_harmless() {
    for action in [Action::Make, Action::Reserve] {
        for side in [0, 1] {
            let mut step = 0;
            loop {
                let disks = [Machine::default(), Machine::default()];
                for number in 0..2 {
                    run(&disks, number, Action::Make);
                }
                let copy = disks[1 - side].snapshot();
                let before = disks[side].steps();
                disks[side].crash_after(step);
                let crashed = both(&disks, 2, action);
                let finished = disks[side].steps() <= before + step;
                for seed in 0..9 {
                    let mut disks = disks.each_ref().map(|disk| disk.restart(seed));
                    match seed % 3 {
                        0 => {}
                        1 => disks[1 - side] = copy.snapshot(),
                        _ => disks[1 - side] = disks[1 - side].with_store_of(&copy, true),
                    }
                    let mut used: Vec<_> = crashed
                        .iter()
                        .filter_map(|outcome| outcome.as_ref().ok().copied()?)
                        .collect();
                    used.dedup();
                    for number in 3..7 {
                        let [model, data] = run(&disks, number, Action::Reserve);
                        assert_eq!(model, data);
                        if let Some(id) = model {
                            assert!(!used.contains(&id), "{action:?} {side} {step} {seed}");
                            used.push(id);
                        }
                    }
                    // The store works on.
                    run(&disks, 7, Action::Make);
                    assert!(run(&disks, 8, Action::Reserve)[0].is_some());
                }
                if finished {
                    break;
                }
                step += 1;
            }
            assert!(step > 5, "{action:?}: {step} steps");
        }
    }
}

/// What may happen between and during sessions.
#[derive(Clone, Debug)]
struct Event {
    action: Action,
    crashes: [Option<usize>; 2],
    backup: bool,
    restore: Restore,
    seed: u64,
}

/// What is put back to the latest copy before a session.
#[derive(Clone, Debug)]
enum Restore {
    Nothing,
    /// Everything on the one side of which a copy was made.
    Machine,
    /// The store, on any side.
    Store(usize),
}

fn restore() -> impl Strategy<Value = Restore> {
    prop_oneof![
        6 => Just(Restore::Nothing),
        1 => Just(Restore::Machine),
        2 => (0usize..2).prop_map(Restore::Store),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let crash = || proptest::option::weighted(0.3, 0usize..25);
    let action = prop_oneof![Just(Action::Make), Just(Action::Reserve)];
    (action, [crash(), crash()], prop::bool::weighted(0.2), restore(), any::<u64>()).prop_map(
        |(action, crashes, backup, restore, seed)| Event { action, crashes, backup, restore, seed },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Crashes on both sides, old copies of the stores put back on both, and of the marks on one.
    #[test]
    fn no_history_uses_a_bundle_twice(
        events in proptest::collection::vec(event(), 1..16),
        restored_side in 0usize..2,
    ) {
        let mut disks = [Machine::default(), Machine::default()];
        let mut backups = [Machine::default(), Machine::default()];
        let mut used: HashMap<[u8; 32], usize> = HashMap::new();
        for (number, event) in events.iter().enumerate() {
            if event.backup {
                backups = disks.each_ref().map(Machine::snapshot);
            }
            match event.restore {
                Restore::Nothing => {}
                Restore::Machine => disks[restored_side] = backups[restored_side].snapshot(),
                Restore::Store(side) => {
                    disks[side] = disks[side].with_store_of(&backups[side], true);
                }
            }
            for (disk, crash) in disks.iter().zip(event.crashes) {
                if let Some(step) = crash {
                    disk.crash_after(step);
                }
            }
            for outcome in both(&disks, number as u8, event.action) {
                if let Ok(Some(id)) = outcome {
                    let first = *used.entry(id).or_insert(number);
                    prop_assert_eq!(first, number, "used in two sessions");
                }
            }
            for (disk, crash) in disks.iter_mut().zip(event.crashes) {
                if crash.is_some() {
                    *disk = disk.restart(event.seed);
                }
            }
        }
    }

    /// A peer that says anything gets an error or nothing, never a bundle it did not name.
    #[test]
    fn any_peer_ends_in_an_error_or_nothing(answers in proptest::collection::vec(
        proptest::collection::vec(any::<u8>(), 0..48), 1..5), make: bool)
    {
        let disks = [Machine::default(), Machine::default()];
        run(&disks, 0, Action::Make);
        let (mut channel, mut peer) = memory_pair([0; 32]);
        for answer in answers {
            peer.send("", answer).expect("queued");
        }
        drop(peer);
        let mut store = open(&disks[0], Role::Model).expect("opened");
        if make {
            let made = store.make(&mut channel, &session(1, Role::Model), PLAN);
            prop_assert!(made.and_then(|bundle| bundle.commit(&mut channel)).is_err());
        } else {
            let reserved = store.reserve(&mut channel, &session(1, Role::Model), PLAN);
            prop_assert!(!matches!(reserved, Ok(Some(_))));
        }
    }
}
