//! Large files read in parts: a proving key or an SRS never needs to be in memory as a whole.
//!
//! Plain positioned reads rather than a memory map: a file that shrinks while it is read is an error
//! value here and would be a fatal signal there.

use crate::FormatError;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use twain_algebra::{Interrupt, Uninterrupted};

/// Bytes read at once; then somebody may end the reading.
const CHUNK: usize = 1 << 20;

/// Where the bytes are.
pub(crate) struct Source {
    store: Store,
    length: u64,
    interrupt: Box<dyn Interrupt + Send>,
}

enum Store {
    File(Mutex<File>),
    Bytes(Vec<u8>),
}

impl Source {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            store: Store::File(Mutex::new(file)),
            length,
            interrupt: Box::new(Uninterrupted),
        })
    }

    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        Self { store: Store::Bytes(bytes), length, interrupt: Box::new(Uninterrupted) }
    }

    /// The same, whose elements are read unless somebody ends it.
    pub(crate) fn interrupted_by(self, interrupt: impl Interrupt + Send + 'static) -> Self {
        Self { interrupt: Box::new(interrupt), ..self }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Fills `buffer` with the bytes at `offset`.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        let end = offset.checked_add(buffer.len() as u64).filter(|end| *end <= self.length);
        let Some(end) = end else {
            return Err(FormatError::Truncated(self.length));
        };
        match &self.store {
            Store::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(offset))?;
                file.read_exact(buffer)?;
            }
            // in range: the length is that of the bytes
            Store::Bytes(bytes) => buffer.copy_from_slice(&bytes[offset as usize..end as usize]),
        }
        Ok(())
    }

    pub(crate) fn array<const N: usize>(&self, offset: u64) -> Result<[u8; N], FormatError> {
        let mut array = [0; N];
        self.read(offset, &mut array)?;
        Ok(array)
    }

    /// Reads `count` elements of `size` bytes at `offset`. `decode` gets an element's bytes, and
    /// `None` from it is an error that says `what` is wrong.
    pub(crate) fn elements<T>(
        &self,
        offset: u64,
        count: usize,
        size: usize,
        what: &str,
        decode: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, FormatError> {
        let total = (count as u64).checked_mul(size as u64);
        let fits =
            total.and_then(|total| offset.checked_add(total)).is_some_and(|end| end <= self.length);
        if !fits {
            return Err(FormatError::Truncated(self.length));
        }
        let mut elements = Vec::with_capacity(count);
        let mut buffer = vec![0; (CHUNK / size).min(count) * size];
        while elements.len() < count {
            if self.interrupt.is_interrupted() {
                return Err(FormatError::Cancelled);
            }
            let start = offset + (elements.len() * size) as u64;
            let part = (count - elements.len()).min(CHUNK / size) * size;
            self.read(start, &mut buffer[..part])?;
            for (index, bytes) in buffer[..part].chunks_exact(size).enumerate() {
                elements.push(decode(bytes).ok_or_else(|| FormatError::Invalid {
                    offset: start + (index * size) as u64,
                    reason: what.to_string(),
                })?);
            }
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn reading_ends_when_it_is_interrupted() {
        let elements = |end: usize| {
            let asked = Arc::new(AtomicUsize::new(0));
            let ends = asked.clone();
            let source = Source::from_bytes(vec![7; 3 * CHUNK]);
            let source = source.interrupted_by(move || ends.fetch_add(1, Ordering::Relaxed) >= end);
            let read = source.elements(0, 3 * CHUNK / 32, 32, "", |bytes| bytes.first().copied());
            (read, asked.load(Ordering::Relaxed))
        };
        let (read, asked) = elements(usize::MAX);
        assert_eq!((read.unwrap().len(), asked), (3 * CHUNK / 32, 3));
        for end in 0..3 {
            let (read, asked) = elements(end);
            assert!(matches!(read, Err(FormatError::Cancelled)));
            assert_eq!(asked, end + 1);
        }
    }
}
