//! What the store asks of a file system, so that tests can let it fail at every step: files in one
//! directory, of which nothing is certain after a crash but what was synced.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A directory of private files.
pub(super) trait Disk: Send + Sync {
    /// The names of all files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Makes a file that must not exist.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file that must exist, to read and write.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Renames a file, in place of any other of that name. Lasts when the names are synced.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file. Lasts when the names are synced.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes new, changed and removed names last.
    fn sync_names(&self) -> io::Result<()>;
}

/// An open file.
pub(super) trait DiskFile: Send {
    /// Its length in bytes.
    fn length(&self) -> io::Result<u64>;
    /// Fills `bytes` from `offset` on.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;
    /// Writes `bytes` from `offset` on. Lasts when the file is synced.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes the content last.
    fn sync(&self) -> io::Result<()>;
}

/// A directory of the operating system.
pub(super) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// The directory, made for its owner only if it does not exist.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self { path: path.to_path_buf() })
    }
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            // A name that is not text is none of the store's.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        Ok(Box::new(options.open(self.path.join(name))?))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(true).open(self.path.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(bytes, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }
}

const WIPE_CHUNK: usize = 1 << 20;

/// Overwrites the file from `offset` on with zeros.
pub(super) fn wipe(file: &dyn DiskFile, mut offset: u64) -> io::Result<()> {
    let length = file.length()?;
    let zeros = vec![0; WIPE_CHUNK.min(usize::try_from(length).unwrap_or(WIPE_CHUNK))];
    while offset < length {
        let count = zeros.len().min(usize::try_from(length - offset).unwrap_or(zeros.len()));
        file.write_at(offset, &zeros[..count])?;
        offset += count as u64;
    }
    Ok(())
}
