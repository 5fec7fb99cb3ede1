//! Bundles of correlations made ahead of time, each consumed at most once (protocol §20).
//!
//! A bundle is all that one proof of one circuit consumes; what is in it is opaque here. Bundles of
//! one version of the protocol, plan, pair of keys and role form a *series*, numbered from 0. Those of
//! another version are erased when the store is opened, not read. The files of a store:
//!
//! - `SERIES.state`: the mark (lowest number that may still be used) and the next number to make;
//! - `SERIES-NUMBER.bundle`: a bundle both sides have acknowledged;
//! - `SERIES-NUMBER.pending`, `SERIES.new`: unfinished; removed when the store is opened.
//!
//! Why no bundle is used twice: before a side uses number `i` it has synced the mark `i + 1` and has
//! heard that the peer did the same; each session starts at the larger of the two sides' next usable
//! numbers. So neither a crash at any instant nor an old copy of *one* side's store brings a bundle
//! back: the other side's mark wins. Old copies on both sides, from before the same session, cannot
//! be noticed.
//!
//! Input: a directory, an identity, and a session with the peer (`docs/protocol.md`, store of bundles).
//! Making takes a stream of bytes in, reserving gives it out, to both sides or to none:
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
//!     let mut store = Store::open(&path.join("bundles"), &keys[link.role() as usize])?;
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
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;

pub use agree::{BundleWriter, ReservedBundle};

use aws_lc_rs::hmac;
use bundle::{BLOCK_LENGTH, Header};
use disk::{Directory, Disk, wipe};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use twain_link::channel::ChannelError;
use twain_link::channel::tls::PROTOCOL_VERSION;
use twain_link::handshake::Session;
use twain_link::identity::{Fingerprint, Identity, IdentityError};
use twain_party::Role;

const LOCK_FILE: &str = "lock";
const BUNDLE: &str = ".bundle";
const PENDING: &str = ".pending";
const STATE: &str = ".state";
const NEW_STATE: &str = ".new";
const STATE_LENGTH: usize = 16 + 32;

/// Why the store does not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system failed.
    #[error("the store of bundles: {0}")]
    Disk(#[from] io::Error),
    /// Another process uses the store.
    #[error("{0} is in use by another process: one session at a time can use a store of bundles")]
    Locked(PathBuf),
    /// A file is not as it was written.
    #[error(
        "the store of bundles is damaged ({0}): delete it, on this side only, and make new ones"
    )]
    Damaged(&'static str),
    /// The link to the peer failed.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The peer does not follow the protocol.
    #[error("the peer's store of bundles: {0}")]
    Peer(&'static str),
    /// The session is not one of this identity.
    #[error("the session's keys are not those of this store")]
    Session,
    /// No key could be derived.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The cipher refused.
    #[error("the cipher of the store failed")]
    Cipher,
}

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
    /// Bytes on disk.
    pub bytes: u64,
}

/// One identity's bundles, in a directory that one process at a time may use.
pub struct Store<'a> {
    disk: Arc<dyn Disk>,
    identity: &'a Identity,
    block_length: u32,
    /// Held while the store is open or one of its bundles is in use.
    lock: Option<Arc<File>>,
}

impl<'a> Store<'a> {
    /// Opens the store in `directory`, or makes one, and removes what crashes left over and what no
    /// session can use any more.
    ///
    /// # Errors
    /// If another process has it open.
    pub fn open(directory: &Path, identity: &'a Identity) -> Result<Self, StoreError> {
        let disk = Directory::open(directory)?;
        let path = directory.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        let lock = options.write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked(directory.into())),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        Self::on_disk(Arc::new(disk), identity, BLOCK_LENGTH, Some(Arc::new(lock)))
    }

    fn on_disk(
        disk: Arc<dyn Disk>,
        identity: &'a Identity,
        block_length: u32,
        lock: Option<Arc<File>>,
    ) -> Result<Self, StoreError> {
        let store = Self { disk, identity, block_length, lock };
        for name in store.disk.list()? {
            if name.ends_with(PENDING) || name.ends_with(NEW_STATE) {
                store.destroy(&name)?;
            } else if let Some(series) = name.strip_suffix(STATE) {
                store.discard_below(series, store.state(series)?.mark)?;
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

    /// All usable bundles.
    pub fn bundles(&self) -> Result<Vec<BundleInfo>, StoreError> {
        let mut bundles = Vec::new();
        for name in self.disk.list()? {
            if let Some((series, index)) = parse_bundle_name(&name)
                && let Some((header, bytes)) = self.header(&name)?
                && header.index == index
                && Series::of_header(&header).name == series
            {
                let Header { id, plan, model, data, role, .. } = header;
                bundles.push(BundleInfo { id, plan, model, data, role, index, bytes });
            }
        }
        bundles.sort_by_key(|bundle| (bundle.plan, bundle.model, bundle.data, bundle.index));
        Ok(bundles)
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

    /// Destroys the bundles that may no longer be used.
    fn discard_below(&self, series: &str, mark: u64) -> io::Result<()> {
        for name in self.disk.list()? {
            if parse_bundle_name(&name).is_some_and(|(of, index)| of == series && index < mark) {
                self.destroy(&name)?;
            }
        }
        Ok(())
    }

    fn state(&self, series: &str) -> Result<SeriesState, StoreError> {
        let name = format!("{series}{STATE}");
        let file = match self.disk.open(&name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(SeriesState::default());
            }
            Err(error) => return Err(error.into()),
        };
        let damaged = || StoreError::Damaged("a series' state");
        if file.length()? != STATE_LENGTH as u64 {
            return Err(damaged());
        }
        let mut bytes = [0; STATE_LENGTH];
        file.read_at(0, &mut bytes)?;
        let (fields, tag) = bytes.split_at(16);
        hmac::verify(&self.state_key()?, &authenticated(series, fields), tag)
            .map_err(|_| damaged())?;
        let field = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).map_err(|_| damaged());
        Ok(SeriesState { mark: field(&fields[..8])?, next: field(&fields[8..])? })
    }

    /// Replaces a series' state; it lasts when this returns.
    fn set_state(&self, series: &str, state: SeriesState) -> Result<(), StoreError> {
        let mut bytes = [state.mark.to_le_bytes(), state.next.to_le_bytes()].concat();
        let tag = hmac::sign(&self.state_key()?, &authenticated(series, &bytes));
        bytes.extend(tag.as_ref());
        let new = format!("{series}{NEW_STATE}");
        // Left over if an earlier attempt failed.
        if self.disk.open(&new).is_ok() {
            self.disk.remove(&new)?;
        }
        let file = self.disk.create(&new)?;
        file.write_at(0, &bytes)?;
        file.sync()?;
        self.disk.rename(&new, &format!("{series}{STATE}"))?;
        Ok(self.disk.sync_names()?)
    }

    fn state_key(&self) -> Result<hmac::Key, StoreError> {
        let key = self.identity.derive_key(b"", b"store state")?;
        Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
    }
}

fn authenticated(series: &str, fields: &[u8]) -> Vec<u8> {
    [series.as_bytes(), fields].concat()
}

/// What must survive of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct SeriesState {
    /// The lowest number that may still be used.
    mark: u64,
    /// The next number to make.
    next: u64,
}

/// The bundles of one plan between two keys, as one role, made under one version of the protocol.
struct Series {
    name: String,
}

impl Series {
    fn new(plan: &[u8; 32], model: Fingerprint, data: Fingerprint, role: Role) -> Self {
        Self::of_version(PROTOCOL_VERSION, plan, model, data, role)
    }

    fn of_version(
        version: u16,
        plan: &[u8; 32],
        model: Fingerprint,
        data: Fingerprint,
        role: Role,
    ) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"twain series v2");
        hash.update(version.to_le_bytes());
        for part in [plan, &model.0, &data.0] {
            hash.update(part);
        }
        hash.update([u8::from(role == Role::Model)]);
        Self { name: hex::encode(&hash.finalize()[..16]) }
    }

    fn of_session(session: &Session, plan: &[u8; 32]) -> Self {
        Self::new(plan, session.model, session.data, session.role)
    }

    fn of_header(header: &Header) -> Self {
        Self::new(&header.plan, header.model, header.data, header.role)
    }

    fn file(&self, index: u64, suffix: &str) -> String {
        format!("{}-{index:016x}{suffix}", self.name)
    }
}

/// Series and number of a bundle's file.
fn parse_bundle_name(name: &str) -> Option<(&str, u64)> {
    let (series, index) = name.strip_suffix(BUNDLE)?.split_once('-')?;
    Some((series, u64::from_str_radix(index, 16).ok()?))
}
