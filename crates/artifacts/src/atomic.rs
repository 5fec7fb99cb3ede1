//! Writing files so that a reader sees the old or the whole new content, never a part.

use crate::{ArtifactError, ArtifactKind};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Writes what `content` writes to a temporary file beside `path`, then puts it in its place. Files
/// that may be confidential are readable by their owner only.
pub(crate) fn write_atomically(
    path: &Path,
    kind: ArtifactKind,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ArtifactError> {
    Prepared::new(path, kind, content)?.place()
}

/// A file that is written as a whole, but not yet in its place. Dropped, it leaves nothing behind.
#[must_use]
pub struct Prepared {
    file: NamedTempFile,
    path: PathBuf,
    kind: ArtifactKind,
}

impl Prepared {
    pub(crate) fn new(
        path: &Path,
        kind: ArtifactKind,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Self, ArtifactError> {
        let path = path.to_path_buf();
        match write(&path, kind, content) {
            Ok(file) => Ok(Self { file, path, kind }),
            Err(source) => Err(ArtifactError::Write { path, kind, source }),
        }
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// From the file system. What was in the place is then still there.
    pub fn place(self) -> Result<(), ArtifactError> {
        let Self { file, path, kind } = self;
        let placed = file.persist(&path).map(drop);
        placed.map_err(|error| ArtifactError::Write { path, kind, source: error.error })
    }

    /// Puts two files in their places, after checking that nothing stands in the second one's way:
    /// only a failure of the file system between two renamings can leave the first one alone.
    ///
    /// # Errors
    /// From the file system.
    pub fn place_both(first: Self, second: Self) -> Result<(), ArtifactError> {
        if second.path.is_dir() {
            let source = io::ErrorKind::IsADirectory.into();
            return Err(ArtifactError::Write { path: second.path, kind: second.kind, source });
        }
        first.place()?;
        second.place()
    }
}

fn write(
    path: &Path,
    kind: ArtifactKind,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
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
    let mut file = BufWriter::with_capacity(1 << 20, builder.tempfile_in(folder)?);
    content(&mut file)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    Ok(file)
}
