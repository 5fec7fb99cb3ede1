//! The store on a real file system: one process at a time, and `kill -9` at any instant.

use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, RngCore, SeedableRng};
use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use twain_link::channel::{Channel, MemoryChannel, memory_pair};
use twain_link::handshake::Session;
use twain_link::identity::Identity;
use twain_store::{Store, StoreError};

const PLAN: [u8; 32] = [1; 32];
const PLAYGROUND: &str = "TWAIN_TEST_STORE";

#[test]
fn one_process_at_a_time_may_use_a_store() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let identity = Identity::load_or_create(directory.path()).expect("made");
    let path = directory.path().join("bundles");
    let marks = directory.path().join("marks");
    let store = Store::open(&path, &marks, &identity).expect("opened");
    let error = Store::open(&path, &marks, &identity).err().expect("in use");
    assert!(matches!(&error, StoreError::Locked(locked) if *locked == path), "{error}");
    drop(store);
    Store::open(&path, &marks, &identity).expect("free again");
}

/// Makes and uses bundles until it is killed; writes down each one before it would be used.
fn use_bundles(
    directory: &Path,
    mut channel: MemoryChannel,
    session: &Session,
    identity: &Identity,
) -> Result<(), Box<dyn std::error::Error>> {
    let log = OpenOptions::new().create(true).append(true).open(directory.join("used"))?;
    let mut store = Store::open(&directory.join("bundles"), &directory.join("marks"), identity)?;
    loop {
        let mut bundle = store.make(&mut channel, session, PLAN)?;
        bundle.write(&[2; 3000])?;
        bundle.commit(&mut channel)?;
        if let Some(bundle) = store.reserve(&mut channel, session, PLAN)? {
            writeln!(&log, "{}", hex::encode(bundle.id()))?;
        }
    }
}

/// Not a test of its own: what the child of the next test runs.
#[test]
fn child() {
    let Some(directory) = std::env::var_os(PLAYGROUND) else { return };
    let directories = ["model", "data"].map(|side| Path::new(&directory).join(side));
    let [model, data] =
        directories.each_ref().map(|path| Identity::load_or_create(path).expect("an identity"));
    let mut id = [0; 32];
    OsRng.fill_bytes(&mut id);
    let (at_model, at_data) = memory_pair(id);
    let session = |channel: &MemoryChannel| Session {
        id,
        role: channel.role(),
        model: model.fingerprint(),
        data: data.fingerprint(),
    };
    let sessions = [session(&at_model), session(&at_data)];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use_bundles(&directories[0], at_model, &sessions[0], &model).expect("no fault");
        });
        use_bundles(&directories[1], at_data, &sessions[1], &data).expect("no fault");
    });
}

#[test]
fn killed_at_any_instant_no_bundle_is_used_twice() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let this = std::env::current_exe().expect("known");
    let used = |side: &str| std::fs::read_to_string(directory.path().join(side).join("used"));
    let mut rounds = 0;
    while rounds < 12 {
        let mut child = Command::new(&this)
            .args(["child", "--exact"])
            .env(PLAYGROUND, directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        std::thread::sleep(Duration::from_millis(u64::from(100 + rng.next_u32() % 150)));
        assert!(child.try_wait().expect("known").is_none(), "the child failed by itself");
        child.kill().expect("killed");
        child.wait().expect("ended");
        rounds += 1;
    }
    for side in ["model", "data"] {
        let used = used(side).expect("bundles were used");
        let ids: Vec<&str> = used.lines().collect();
        let distinct: HashSet<&str> = ids.iter().copied().collect();
        assert!(ids.len() > 5, "{} bundles", ids.len());
        assert_eq!(distinct.len(), ids.len());
    }
    for entry in std::fs::read_dir(directory.path().join("model/bundles")).expect("listed") {
        let mode = entry.and_then(|entry| entry.metadata()).expect("known").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
