//! What two stores say to each other: making a bundle, and reserving one for a session.

use super::Store;
use super::bundle::{BlockReader, BlockWriter, Header};
use super::disk::Disk;
use super::error::StoreError;
use super::series::{BUNDLE, PENDING, Series};
use super::state::SeriesState;
use rand_core::{OsRng, RngCore};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::sync::Arc;
use twain_link::channel::Channel;
use twain_link::handshake::Session;
use twain_link::identity::Fingerprint;
use twain_party::Role;

const MAKE_PHASE: &str = "store: make a bundle";
const RESERVE_PHASE: &str = "store: reserve a bundle";

/// "I have none."
const NONE: u64 = u64::MAX;
/// More bundles than any pair makes: a peer cannot use up the numbers.
const LARGEST_STEP: u64 = 1 << 40;

/// The answer to a number or an identifier, so that acknowledgements of different steps differ.
pub(super) fn acknowledgement(step: &[u8], id: &[u8; 32], role: Role) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(b"twain store v1");
    hash.update(step);
    hash.update(id);
    hash.update([u8::from(role == Role::Model)]);
    hash.finalize().to_vec()
}

/// Says that this side has done `step`, and waits until the peer says so.
fn acknowledge(
    channel: &mut dyn Channel,
    phase: &'static str,
    step: &[u8],
    id: &[u8; 32],
    role: Role,
) -> Result<(), StoreError> {
    let answer = channel.exchange(phase, acknowledgement(step, id, role), 32)?;
    if answer == acknowledgement(step, id, role.other()) {
        Ok(())
    } else {
        Err(StoreError::Peer("it acknowledges another step or bundle"))
    }
}

impl Store<'_> {
    fn check_session(&self, session: &Session) -> Result<(), StoreError> {
        let own = match session.role {
            Role::Model => session.model,
            Role::Data => session.data,
        };
        if own == self.identity.fingerprint() { Ok(()) } else { Err(StoreError::Session) }
    }

    /// Begins a bundle for `plan` together with the peer's store, which does the same.
    pub fn make(
        &mut self,
        channel: &mut dyn Channel,
        session: &Session,
        plan: [u8; 32],
    ) -> Result<BundleWriter<'_>, StoreError> {
        self.check_session(session)?;
        let series = Series::of_session(session, &plan);
        let state = self.states.read(&series.name)?;
        let next = state.next.max(state.mark);
        let answer = channel.exchange(MAKE_PHASE, next.to_le_bytes().to_vec(), 8)?;
        let theirs = answer.try_into().map_err(|_| StoreError::Peer("a number is cut off"))?;
        let index = next.max(u64::from_le_bytes(theirs));
        if index - next > LARGEST_STEP || index >= NONE - 1 {
            return Err(StoreError::Peer("its next bundle's number is out of reach"));
        }
        self.states.write(&series.name, SeriesState { mark: state.mark, next: index + 1 })?;

        let id = Sha256::new()
            .chain_update(b"twain bundle v1")
            .chain_update(session.id)
            .chain_update(index.to_le_bytes())
            .finalize();
        let mut salt = [0; 32];
        OsRng.fill_bytes(&mut salt);
        let header = Header {
            id: id.into(),
            plan,
            model: session.model,
            data: session.data,
            salt,
            index,
            made: self.now,
            block_length: self.block_length,
            role: session.role,
        };
        let pending = series.file(index, PENDING);
        let file = self.disk.create(&pending)?;
        let blocks = Some(BlockWriter::new(file, self.identity, &header)?);
        Ok(BundleWriter { store: self, header, series, blocks, committed: false })
    }

    /// Reserves a bundle for `plan` that both sides have; none if there is none. When it returns,
    /// the bundle can never be reserved again, on either side.
    pub fn reserve(
        &mut self,
        channel: &mut dyn Channel,
        session: &Session,
        plan: [u8; 32],
    ) -> Result<Option<ReservedBundle>, StoreError> {
        self.check_session(session)?;
        let series = Series::of_session(session, &plan);
        let state = self.states.read(&series.name)?;
        let usable = self.usable(&series, &plan, session, state.mark)?;
        let Some(header) = negotiate(channel, &usable)? else {
            return Ok(None);
        };
        // From here on the bundle is spent, whatever happens.
        let mark = header.index + 1;
        self.states.write(&series.name, SeriesState { mark, next: state.next.max(mark) })?;
        acknowledge(channel, RESERVE_PHASE, b"reserved", &header.id, session.role)?;
        // What was skipped is of no use any more.
        for skipped in usable.iter().filter(|skipped| skipped.index < header.index) {
            self.destroy(&series.file(skipped.index, BUNDLE))?;
        }
        let name = series.file(header.index, BUNDLE);
        let blocks = BlockReader::new(self.disk.open(&name)?, self.identity, &header)?;
        let (disk, lock) = (self.disk.clone(), self.lock.clone());
        let Header { id, index, .. } = header;
        Ok(Some(ReservedBundle { disk, name, id, index, blocks, _lock: lock }))
    }

    /// What a side says instead of [`Store::reserve`] if it has no store to reserve from.
    pub fn decline(channel: &mut dyn Channel) -> Result<(), StoreError> {
        negotiate(channel, &[]).map(|_| ())
    }

    /// The bundles of the series from `mark` on, in order.
    fn usable(
        &self,
        series: &Series,
        plan: &[u8; 32],
        session: &Session,
        mark: u64,
    ) -> Result<Vec<Header>, StoreError> {
        let fits = |header: &Header| {
            let keys: [Fingerprint; 2] = [header.model, header.data];
            header.plan == *plan
                && keys == [session.model, session.data]
                && header.role == session.role
                && header.index >= mark
                && header.index < NONE - 1
        };
        let mut usable = Vec::new();
        for name in self.disk.list()? {
            if name.starts_with(&series.name)
                && name.ends_with(BUNDLE)
                && let Some((header, _)) = self.header(&name)?
                && fits(&header)
                && name == series.file(header.index, BUNDLE)
            {
                usable.push(header);
            }
        }
        usable.sort_by_key(|header| header.index);
        Ok(usable)
    }
}

/// Finds the first bundle both sides have: each names its next, the smaller number gives way.
fn negotiate(channel: &mut dyn Channel, usable: &[Header]) -> Result<Option<Header>, StoreError> {
    let mut floor = 0;
    loop {
        let own = usable.iter().find(|header| header.index >= floor);
        let (index, id) = own.map_or((NONE, [0; 32]), |header| (header.index, header.id));
        let offer = [&index.to_le_bytes()[..], &id].concat();
        let answer = channel.exchange(RESERVE_PHASE, offer, 40)?;
        let (their_index, their_id) =
            answer.split_first_chunk().ok_or(StoreError::Peer("a number is cut off"))?;
        let their_index = u64::from_le_bytes(*their_index);
        if their_index < floor {
            return Err(StoreError::Peer("it offers a bundle that was passed over"));
        }
        let Some(own) = own.filter(|_| their_index != NONE) else {
            return Ok(None);
        };
        // Every round but the last passes over a bundle of one side, so there are not more rounds
        // than bundles.
        floor = match own.index == their_index {
            true if *their_id == own.id => return Ok(Some(own.clone())),
            true => own.index + 1,
            false => own.index.max(their_index),
        };
    }
}

/// A bundle being made. Dropped before [`BundleWriter::commit`], it leaves nothing usable.
pub struct BundleWriter<'s> {
    store: &'s Store<'s>,
    header: Header,
    series: Series,
    blocks: Option<BlockWriter>,
    committed: bool,
}

impl BundleWriter<'_> {
    /// Names the bundle on both sides; enters the derivations of what is in it.
    pub fn id(&self) -> [u8; 32] {
        self.header.id
    }

    /// Appends to the payload.
    pub fn write(&mut self, payload: &[u8]) -> Result<(), StoreError> {
        match &mut self.blocks {
            Some(blocks) => blocks.write(payload),
            None => Err(StoreError::Damaged("a bundle was written after its end")),
        }
    }

    /// Makes the bundle last, and usable once the peer has done the same.
    pub fn commit(mut self, channel: &mut dyn Channel) -> Result<(), StoreError> {
        if let Some(blocks) = self.blocks.take() {
            blocks.finish()?;
        }
        let disk = &self.store.disk;
        disk.sync_names()?;
        acknowledge(channel, MAKE_PHASE, b"complete", &self.header.id, self.header.role)?;
        let name = |suffix| self.series.file(self.header.index, suffix);
        disk.rename(&name(PENDING), &name(BUNDLE))?;
        disk.sync_names()?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for BundleWriter<'_> {
    fn drop(&mut self) {
        if !self.committed {
            // If it fails, opening the store does it again.
            let _ = self.store.destroy(&self.series.file(self.header.index, PENDING));
        }
    }
}

/// A bundle that belongs to this session alone. Reading consumes it; dropping it destroys the rest.
pub struct ReservedBundle {
    disk: Arc<dyn Disk>,
    name: String,
    id: [u8; 32],
    index: u64,
    blocks: BlockReader,
    _lock: Option<Arc<File>>,
}

impl ReservedBundle {
    /// Its number in the series, for messages.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Names the bundle on both sides, as when it was made.
    pub fn id(&self) -> [u8; 32] {
        self.id
    }
}

impl io::Read for ReservedBundle {
    fn read(&mut self, payload: &mut [u8]) -> io::Result<usize> {
        self.blocks.read(payload).map_err(|error| match error {
            StoreError::Disk(error) => error,
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        })
    }
}

impl Drop for ReservedBundle {
    fn drop(&mut self) {
        // The mark protects from reuse; if this fails, opening the store does it again.
        let wiped = self.blocks.wipe();
        let _ = wiped.and_then(|()| self.disk.remove(&self.name));
    }
}
