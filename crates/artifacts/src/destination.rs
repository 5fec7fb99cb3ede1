//! Where files are written: so that a reader sees the old or the whole new content, never a part.
//! Links are followed. Devices and pipes cannot be replaced; they are written to as they are.

use crate::{ArtifactError, ArtifactKind};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Most links that lead to each other, as on Linux.
const MOST_LINKS: usize = 40;

/// A place that can be written to. Dropped, it leaves nothing behind.
#[must_use]
pub struct Destination {
    place: Place,
    path: PathBuf,
    kind: ArtifactKind,
}

enum Place {
    /// A temporary file, and the file that it becomes.
    File(NamedTempFile, PathBuf),
    /// A device or a pipe.
    Stream(File),
}

impl Destination {
    /// Opens a place, so that a missing folder is found before there is something to write. Files
    /// that may be confidential are readable by their owner only.
    ///
    /// # Errors
    /// From the file system; a folder of that name.
    pub fn open(path: &Path, kind: ArtifactKind) -> Result<Self, ArtifactError> {
        let path = path.to_path_buf();
        match Place::open(&path, kind) {
            Ok(place) => Ok(Self { place, path, kind }),
            Err(source) => Err(ArtifactError::Write { path, kind, source }),
        }
    }

    /// Takes space for so many bytes, so that a full disk is found early, too.
    ///
    /// # Errors
    /// From the file system.
    pub fn reserve(self, bytes: u64) -> Result<Self, ArtifactError> {
        let Self { place, path, kind } = self;
        match place.reserve(bytes) {
            Ok(()) => Ok(Self { place, path, kind }),
            Err(source) => Err(ArtifactError::Write { path, kind, source }),
        }
    }

    /// Writes what `content` writes; a file is not yet in its place.
    ///
    /// # Errors
    /// From the file system, or from `content`.
    pub(crate) fn fill(
        self,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Prepared, ArtifactError> {
        let Self { place, path, kind } = self;
        match place.fill(content) {
            Ok(()) => Ok(Prepared(Self { place, path, kind })),
            Err(source) => Err(ArtifactError::Write { path, kind, source }),
        }
    }
}

/// A file that is written as a whole, but not yet in its place. Dropped, it leaves nothing behind.
#[must_use]
pub struct Prepared(Destination);

impl Prepared {
    /// Puts it in its place.
    ///
    /// # Errors
    /// From the file system. What was in the place is then still there.
    pub fn place(self) -> Result<(), ArtifactError> {
        let Destination { place, path, kind } = self.0;
        match place {
            Place::Stream(_) => Ok(()),
            Place::File(file, target) => {
                let placed = file.persist(&target).map(drop);
                placed.map_err(|error| ArtifactError::Write { path, kind, source: error.error })
            }
        }
    }

    /// Puts two files in their places: only a failure of the file system between two renamings can
    /// leave the first one alone.
    ///
    /// # Errors
    /// From the file system.
    pub fn place_both(first: Self, second: Self) -> Result<(), ArtifactError> {
        first.place()?;
        second.place()
    }
}

impl Place {
    fn open(path: &Path, kind: ArtifactKind) -> io::Result<Self> {
        let Some(target) = end_of_links(path)? else {
            // With `truncate`, a standard output that is a file would lose what was printed before.
            return Ok(Self::Stream(OpenOptions::new().append(true).open(path)?));
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".twain-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = if kind.is_confidential() { 0o600 } else { 0o666 };
            builder.permissions(std::fs::Permissions::from_mode(mode));
        }
        #[cfg(not(unix))]
        let _ = kind;
        let folder = folder_of(&target);
        let file = builder.tempfile_in(folder).map_err(|error| without_name(folder, error))?;
        Ok(Self::File(file, target))
    }

    fn file(&self) -> &File {
        match self {
            Self::File(file, _) => file.as_file(),
            Self::Stream(file) => file,
        }
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        if let Self::File(file, _) = self {
            let mut file = file.as_file();
            io::copy(&mut io::Read::take(io::repeat(0), bytes), &mut file)?;
            file.sync_all()?;
            file.rewind()?;
        }
        Ok(())
    }

    fn fill(&self, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut writer = BufWriter::with_capacity(1 << 20, self.file());
        content(&mut writer)?;
        let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        if let Self::File(..) = self {
            // What was reserved may be more.
            let end = file.stream_position()?;
            file.set_len(end)?;
            file.sync_all()?;
        }
        Ok(())
    }
}

/// Why there can be no file in a folder; the temporary one's name would only puzzle.
fn without_name(folder: &Path, error: io::Error) -> io::Error {
    let reason = match error.kind() {
        ErrorKind::NotFound => format!("there is no folder {}", folder.display()),
        ErrorKind::PermissionDenied => format!("nothing may be written into {}", folder.display()),
        _ => return error,
    };
    io::Error::new(error.kind(), reason)
}

/// The folder of a file.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The file that a path means, or would if there was one; none for what is no file, as a device.
fn end_of_links(path: &Path) -> io::Result<Option<PathBuf>> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let kind = match std::fs::symlink_metadata(&path) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Some(path)),
            Err(error) => return Err(error),
        };
        if kind.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        if !kind.is_symlink() {
            return Ok(kind.is_file().then_some(path));
        }
        let folder = folder_of(&path).canonicalize()?;
        // There a link stands for an open file, which may have another name now, or none.
        if folder.starts_with("/proc") {
            return Ok(None);
        }
        path = folder.join(std::fs::read_link(&path)?);
    }
    Err(io::Error::other("too many links that lead to each other"))
}
