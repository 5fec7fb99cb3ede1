//! Bundles of correlations made ahead of time, each consumed at most once (protocol §20).
//!
//! A bundle is all that one proof of one circuit consumes; what is in it is opaque here. Bundles of
//! one version of the protocol, plan, pair of keys and role form a *series*, numbered from 0. Those
//! of another version are erased when the store is opened, not read. The files of a store:
//!
//! - `SERIES.state`: the mark (lowest number that may still be used) and the next number to make;
//! - `SERIES-NUMBER.bundle`: a bundle both sides have acknowledged;
//! - `SERIES-NUMBER.pending`, `SERIES.new`: unfinished; removed when the store is opened;
//!
//! and in a folder beside it, which must not be put back together with it, `SERIES.mark`: the mark
//! again.
//!
//! Why no bundle is used twice: before a side uses number `i` it has synced the mark `i + 1`,
//! outside of the store first, and has heard that the peer did the same. Of the two marks the
//! larger counts, bundles below it are erased, and all are if the outer one is missing; a peer's
//! word makes a side pass over bundles, never go back. So neither a crash at any instant nor an old
//! copy of the store brings a bundle back, whatever the peer says. With an old copy of both folders
//! only the peer's numbers do, if it is honest; and a bundle is used for a week at most.
//!
//! Input: a directory, an identity, and a session with the peer (`docs/protocol.md`, store of
//! bundles). Making takes a stream of bytes in, reserving gives it out, to both sides or to none:
//!
//! ```
//! use std::io::Read;
//! use twain_link::channel::{Channel, MemoryChannel, memory_pair};
//! use twain_link::{handshake::Session, identity::Identity};
//! use twain_store::{Store, StoreError};
//!
//! const PLAN: [u8; 32] = [1; 32];
//! let directory = tempfile::tempdir()?;
//! let [model, data] = ["model", "data"].map(|side| directory.path().join(side));
//! let keys = [Identity::load_or_create(&model)?, Identity::load_or_create(&data)?];
//! let side = |mut link: MemoryChannel, path: &std::path::Path| -> Result<Vec<u8>, StoreError> {
//!     let [model, data] = keys.each_ref().map(Identity::fingerprint);
//!     let session = Session { id: [7; 32], role: link.role(), model, data };
//!     let mut store = Store::open(&path.join("bundles"), &path.join("marks"), &keys[link.role() as usize])?;
//!     let mut making = store.make(&mut link, &session, PLAN)?;
//!     making.write(b"half of a bundle")?;
//!     making.commit(&mut link)?;
//!     let mut payload = Vec::new();
//!     if let Some(mut bundle) = store.reserve(&mut link, &session, PLAN)? {
//!         bundle.read_to_end(&mut payload)?;
//!     }
//!     assert!(store.reserve(&mut link, &session, PLAN)?.is_none(), "each serves once");
//!     Ok(payload)
//! };
//! let (at_model, at_data) = memory_pair([7; 32]);
//! let (at_model, at_data) = std::thread::scope(|scope| {
//!     let end = scope.spawn(|| side(at_data, &data));
//!     (side(at_model, &model), end.join().expect("no panic"))
//! });
//! assert_eq!([at_model?, at_data?], [b"half of a bundle"; 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agree;
mod bundle;
mod disk;
mod error;
mod series;
#[cfg(test)]
mod simulated;
mod state;
#[cfg(test)]
mod tests;

pub use agree::{BundleWriter, ReservedBundle};
pub use error::StoreError;

use bundle::{BLOCK_LENGTH, Header};
use disk::{Directory, Disk, wipe};
use series::{PENDING, Series, parse_bundle_name};
use state::{NEW, STATE, States};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use twain_link::identity::{Fingerprint, Identity};
use twain_party::Role;

const LOCK_FILE: &str = "lock";
/// How old a bundle may be, in seconds: a week.
const LONGEST_LIFE: u64 = 7 * 24 * 3600;

/// A bundle that both sides have acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleInfo {
    /// Names the bundle on both sides.
    pub id: [u8; 32],
    /// What it is made for.
    pub plan: [u8; 32],
    /// The key of the model's side.
    pub model: Fingerprint,
    /// The key of the data's side.
    pub data: Fingerprint,
    /// This side.
    pub role: Role,
    /// Its number within the series.
    pub index: u64,
    /// When it was made, in seconds since 1970 by this side's clock.
    pub made: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

impl BundleInfo {
    /// The other side's key.
    pub fn peer(&self) -> Fingerprint {
        match self.role {
            Role::Model => self.data,
            Role::Data => self.model,
        }
    }
}

/// One identity's bundles, in a directory that one process at a time may use.
pub struct Store<'a> {
    disk: Arc<dyn Disk>,
    states: States,
    identity: &'a Identity,
    block_length: u32,
    /// Seconds since 1970 when the store was opened.
    now: u64,
    /// Held while the store is open or one of its bundles is in use.
    lock: Option<Arc<File>>,
}

impl<'a> Store<'a> {
    /// Opens the store in `directory`, or makes one, removes what crashes left over, and erases
    /// bundles that may no longer be used. `marks` is the folder for the other copy of the marks:
    /// not within `directory`, and not put back from a backup together with it.
    ///
    /// # Errors
    /// If another process has it open.
    pub fn open(
        directory: &Path,
        marks: &Path,
        identity: &'a Identity,
    ) -> Result<Self, StoreError> {
        let disk = Directory::open(directory)?;
        let path = directory.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        let lock = options.write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked(directory.into())),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let disks: [Arc<dyn Disk>; 2] = [Arc::new(disk), Arc::new(Directory::open(marks)?)];
        // A clock before 1970 says nothing of a bundle's age: none is young enough then.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        Self::on_disks(disks, identity, BLOCK_LENGTH, Some(Arc::new(lock)), now)
    }

    fn on_disks(
        [disk, outside]: [Arc<dyn Disk>; 2],
        identity: &'a Identity,
        block_length: u32,
        lock: Option<Arc<File>>,
        now: u64,
    ) -> Result<Self, StoreError> {
        let states = States::new(disk.clone(), outside, identity)?;
        let store = Self { disk, states, identity, block_length, now, lock };
        store.states.sweep_outside()?;
        for name in store.disk.list()? {
            let spent = match parse_bundle_name(&name) {
                Some((series, index)) => store.is_spent(&name, series, index)?,
                None => name.ends_with(PENDING) || name.ends_with(NEW),
            };
            if spent {
                store.destroy(&name)?;
            } else if let Some(series) = name.strip_suffix(STATE) {
                // A damaged state is found before anything is sent.
                store.states.read(series)?;
            }
        }
        // Listed anew, since some are gone.
        for name in store.disk.list()? {
            if let Some((series, _)) = parse_bundle_name(&name)
                && let Some((header, _)) = store.header(&name)?
                && Series::of_header(&header).name != series
            {
                store.destroy(&name)?;
            }
        }
        Ok(store)
    }

    /// Whether the bundle in a file may no longer be used: its number is below the mark, there is
    /// no mark outside of the store, it is too old, or of an older version of the program.
    fn is_spent(&self, name: &str, series: &str, index: u64) -> Result<bool, StoreError> {
        let Some(header) = Header::read(self.disk.open(name)?.as_ref())? else { return Ok(true) };
        Ok(self.states.outside_mark(series)?.is_none()
            || index < self.states.read(series)?.mark
            || header.made.abs_diff(self.now) > LONGEST_LIFE)
    }

    /// All usable bundles.
    pub fn bundles(&self) -> Result<Vec<BundleInfo>, StoreError> {
        let mut bundles = Vec::new();
        for name in self.disk.list()? {
            if let Some((series, index)) = parse_bundle_name(&name)
                && let Some((header, bytes)) = self.header(&name)?
                && header.index == index
                && Series::of_header(&header).name == series
            {
                let Header { id, plan, model, data, role, made, .. } = header;
                bundles.push(BundleInfo { id, plan, model, data, role, index, made, bytes });
            }
        }
        bundles.sort_by_key(|bundle| (bundle.plan, bundle.model, bundle.data, bundle.index));
        Ok(bundles)
    }

    /// Erases a bundle. The peer's half is passed over when both name what they have.
    ///
    /// # Errors
    /// A store that has no such bundle.
    pub fn remove(&mut self, bundle: &BundleInfo) -> Result<(), StoreError> {
        for name in self.disk.list()? {
            if parse_bundle_name(&name).is_some()
                && self.header(&name)?.is_some_and(|(header, _)| header.id == bundle.id)
            {
                self.destroy(&name)?;
                return Ok(self.disk.sync_names()?);
            }
        }
        Err(StoreError::NoBundle)
    }

    /// The header of a bundle's file and its length; none if it is none of this store's.
    fn header(&self, name: &str) -> Result<Option<(Header, u64)>, StoreError> {
        let file = self.disk.open(name)?;
        let own = |header: &Header| match header.role {
            Role::Model => header.model,
            Role::Data => header.data,
        };
        let header = Header::read(file.as_ref())?;
        let header = header.filter(|header| own(header) == self.identity.fingerprint());
        Ok(header.map(|header| Ok::<_, io::Error>((header, file.length()?))).transpose()?)
    }

    /// Overwrites and removes a file.
    fn destroy(&self, name: &str) -> io::Result<()> {
        wipe(self.disk.open(name)?.as_ref(), 0)?;
        self.disk.remove(name)
    }
}
