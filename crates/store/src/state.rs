//! What must survive of a series, so that no bundle is used twice: its mark, kept in two folders,
//! and the next number to make. Small files, each replaced as a whole and authenticated with a key
//! of the identity.

use super::disk::Disk;
use super::error::StoreError;
use aws_lc_rs::hmac;
use std::io;
use std::sync::Arc;
use twain_link::identity::Identity;

/// A file in the store: mark and next number.
pub(super) const STATE: &str = ".state";
/// A file outside of the store: the mark again.
const MARK: &str = ".mark";
/// Either of them, unfinished.
pub(super) const NEW: &str = ".new";
const TAG_LENGTH: usize = 32;

/// What is kept of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SeriesState {
    /// The lowest number that may still be used.
    pub(super) mark: u64,
    /// The next number to make.
    pub(super) next: u64,
}

/// The states of all series of a store.
pub(super) struct States {
    store: Arc<dyn Disk>,
    outside: Arc<dyn Disk>,
    key: hmac::Key,
}

impl States {
    /// In the store, and in a folder that is not put back with it.
    pub(super) fn new(
        store: Arc<dyn Disk>,
        outside: Arc<dyn Disk>,
        identity: &Identity,
    ) -> Result<Self, StoreError> {
        let key = identity.derive_key(b"", b"store state")?;
        Ok(Self { store, outside, key: hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()) })
    }

    /// A series' state; its mark is the larger of the two. Without the outer one nothing made so
    /// far may be used.
    pub(super) fn read(&self, series: &str) -> Result<SeriesState, StoreError> {
        let damaged = StoreError::Damaged("a series' state");
        let state = match self.fields(self.store.as_ref(), &format!("{series}{STATE}"))? {
            Content::Missing => SeriesState::default(),
            Content::Of([mark, next]) => SeriesState { mark, next },
            Content::Damaged => return Err(damaged),
        };
        let outside = self.outside_mark(series)?.unwrap_or(state.next);
        Ok(SeriesState { mark: state.mark.max(outside), ..state })
    }

    /// The mark outside of the store; none if there is none that can be trusted.
    pub(super) fn outside_mark(&self, series: &str) -> Result<Option<u64>, StoreError> {
        Ok(match self.fields(self.outside.as_ref(), &format!("{series}{MARK}"))? {
            Content::Of([mark]) => Some(mark),
            Content::Missing | Content::Damaged => None,
        })
    }

    /// Replaces a series' state; it lasts when this returns, and outside of the store first.
    pub(super) fn write(&self, series: &str, state: SeriesState) -> Result<(), StoreError> {
        if self.outside_mark(series)? != Some(state.mark) {
            self.replace(self.outside.as_ref(), series, MARK, &[state.mark])?;
        }
        self.replace(self.store.as_ref(), series, STATE, &[state.mark, state.next])
    }

    /// Removes what crashes left over outside of the store.
    pub(super) fn sweep_outside(&self) -> io::Result<()> {
        for name in self.outside.list()?.iter().filter(|name| name.ends_with(NEW)) {
            self.outside.remove(name)?;
        }
        Ok(())
    }

    fn fields<const N: usize>(
        &self,
        disk: &dyn Disk,
        name: &str,
    ) -> Result<Content<N>, StoreError> {
        let file = match disk.open(name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::Missing),
            Err(error) => return Err(error.into()),
        };
        if file.length()? != (8 * N + TAG_LENGTH) as u64 {
            return Ok(Content::Damaged);
        }
        let mut bytes = vec![0; 8 * N + TAG_LENGTH];
        file.read_at(0, &mut bytes)?;
        let (fields, tag) = bytes.split_at(8 * N);
        if hmac::verify(&self.key, &authenticated(name, fields), tag).is_err() {
            return Ok(Content::Damaged);
        }
        let (fields, _) = fields.as_chunks::<8>();
        let mut numbers = [0; N];
        for (number, field) in numbers.iter_mut().zip(fields) {
            *number = u64::from_le_bytes(*field);
        }
        Ok(Content::Of(numbers))
    }

    fn replace(
        &self,
        disk: &dyn Disk,
        series: &str,
        suffix: &str,
        fields: &[u64],
    ) -> Result<(), StoreError> {
        let (name, new) = (format!("{series}{suffix}"), format!("{series}{NEW}"));
        let mut bytes = fields.iter().flat_map(|field| field.to_le_bytes()).collect::<Vec<_>>();
        let tag = hmac::sign(&self.key, &authenticated(&name, &bytes));
        bytes.extend(tag.as_ref());
        // Left over if an earlier attempt failed.
        if disk.open(&new).is_ok() {
            disk.remove(&new)?;
        }
        let file = disk.create(&new)?;
        file.write_at(0, &bytes)?;
        file.sync()?;
        disk.rename(&new, &name)?;
        Ok(disk.sync_names()?)
    }
}

enum Content<const N: usize> {
    Missing,
    Damaged,
    Of([u64; N]),
}

fn authenticated(name: &str, fields: &[u8]) -> Vec<u8> {
    [name.as_bytes(), fields].concat()
}
