//! Disks in memory that crash on demand, for tests. After a crash a disk holds what was synced and,
//! of the rest, whatever it likes: of the changes of names a beginning of their order, of each
//! file's content all, none or a part.

use super::disk::{Disk, DiskFile};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Clone, Default)]
struct Content {
    now: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Clone)]
enum Change {
    Set(String, usize),
    Rename(String, String),
    Remove(String),
}

#[derive(Clone, Default)]
struct State {
    contents: Vec<Content>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    unsynced: Vec<Change>,
}

/// What the disks of one machine share.
#[derive(Default)]
struct Power {
    steps: usize,
    crash_at: Option<usize>,
}

fn apply(names: &mut BTreeMap<String, usize>, change: &Change) {
    match change {
        Change::Set(name, content) => {
            names.insert(name.clone(), *content);
        }
        Change::Rename(from, to) => {
            if let Some(content) = names.remove(from) {
                names.insert(to.clone(), content);
            }
        }
        Change::Remove(name) => {
            names.remove(name);
        }
    }
}

impl State {
    fn change(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.unsynced.push(change);
    }
}

/// The disk; clones are the same disk.
#[derive(Clone, Default)]
pub(super) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
    power: Arc<Mutex<Power>>,
}

/// The folders of a side, which crash at the same instant.
#[derive(Clone)]
pub(super) struct Machine {
    /// The store.
    pub(super) store: SimulatedDisk,
    /// The marks outside of it.
    pub(super) marks: SimulatedDisk,
}

impl Default for Machine {
    fn default() -> Self {
        let store = SimulatedDisk::default();
        let marks = store.beside(State::default());
        Self { store, marks }
    }
}

impl Machine {
    /// Lets the machine crash at the step numbered `step` from now on.
    pub(super) fn crash_after(&self, step: usize) {
        let mut power = self.store.power();
        power.crash_at = Some(power.steps + step);
    }

    /// Steps (writes, syncs, changes of names) so far.
    pub(super) fn steps(&self) -> usize {
        self.store.power().steps
    }

    /// The machine as it is found after a crash now.
    pub(super) fn restart(&self, seed: u64) -> Self {
        let store = SimulatedDisk::default().beside(self.store.after_crash(seed));
        let marks = store.beside(self.marks.after_crash(!seed));
        Self { store, marks }
    }

    /// A copy of the machine, as a backup or a snapshot takes it.
    pub(super) fn snapshot(&self) -> Self {
        let store = SimulatedDisk::default().beside(self.store.state().clone());
        let marks = store.beside(self.marks.state().clone());
        Self { store, marks }
    }

    /// This machine with a copy's store, and its own marks or none.
    pub(super) fn with_store_of(&self, copy: &Self, keeps_marks: bool) -> Self {
        let store = SimulatedDisk::default().beside(copy.store.state().clone());
        let marks = if keeps_marks { self.marks.state().clone() } else { State::default() };
        let marks = store.beside(marks);
        Self { store, marks }
    }
}

impl SimulatedDisk {
    /// Another disk of the same machine.
    fn beside(&self, state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)), power: self.power.clone() }
    }

    fn after_crash(&self, seed: u64) -> State {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut state = self.state().clone();
        let kept = rng.next_u32() as usize % (state.unsynced.len() + 1);
        for change in &state.unsynced[..kept] {
            apply(&mut state.synced_names, change);
        }
        for content in &mut state.contents {
            match rng.next_u32() % 3 {
                0 => content.now.clone_from(&content.synced),
                1 => {
                    let kept = rng.next_u32() as usize % (content.now.len() + 1);
                    content.now.truncate(kept);
                    let rest = content.synced.get(kept..).unwrap_or_default();
                    content.now.extend_from_slice(rest);
                }
                _ => {}
            }
            content.synced.clone_from(&content.now);
        }
        state.names.clone_from(&state.synced_names);
        state.unsynced.clear();
        state
    }

    /// Cuts a file off.
    pub(super) fn truncate(&self, name: &str, length: usize) {
        let mut state = self.state();
        let content = state.names[name];
        state.contents[content].now.truncate(length);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    fn power(&self) -> MutexGuard<'_, Power> {
        self.power.lock().expect("not poisoned")
    }

    /// A step that a crash may prevent.
    fn step(&self) -> Result<MutexGuard<'_, State>> {
        let mut power = self.power();
        power.steps += 1;
        match power.crash_at {
            Some(at) if power.steps > at => Err(Error::other("crash")),
            _ => Ok(self.state()),
        }
    }

    fn find(&self, name: &str) -> Result<usize> {
        self.state().names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    content: usize,
}

impl Disk for SimulatedDisk {
    fn list(&self) -> Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> Result<Box<dyn DiskFile>> {
        if self.find(name).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let mut state = self.step()?;
        let content = state.contents.len();
        state.contents.push(Content::default());
        state.change(Change::Set(name.to_string(), content));
        Ok(Box::new(SimulatedFile { disk: self.clone(), content }))
    }

    fn open(&self, name: &str) -> Result<Box<dyn DiskFile>> {
        Ok(Box::new(SimulatedFile { disk: self.clone(), content: self.find(name)? }))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.find(from)?;
        self.step()?.change(Change::Rename(from.to_string(), to.to_string()));
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.find(name)?;
        self.step()?.change(Change::Remove(name.to_string()));
        Ok(())
    }

    fn sync_names(&self) -> Result<()> {
        let mut state = self.step()?;
        state.synced_names = state.names.clone();
        state.unsynced.clear();
        Ok(())
    }
}

impl DiskFile for SimulatedFile {
    fn length(&self) -> Result<u64> {
        Ok(self.disk.state().contents[self.content].now.len() as u64)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let state = self.disk.state();
        let rest = state.contents[self.content].now.get(offset as usize..).unwrap_or_default();
        let part = rest.get(..bytes.len()).ok_or(ErrorKind::UnexpectedEof)?;
        bytes.copy_from_slice(part);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut state = self.disk.step()?;
        let now = &mut state.contents[self.content].now;
        let end = offset as usize + bytes.len();
        now.resize(now.len().max(end), 0);
        now[offset as usize..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        let mut state = self.disk.step()?;
        let content = &mut state.contents[self.content];
        content.synced = content.now.clone();
        Ok(())
    }
}
