//! Writing files so that a reader sees the old or the whole new content, never a part.

use crate::{ArtifactError, ArtifactKind};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes what `content` writes to a temporary file beside `path`, then puts it in its place. Files
/// that may be confidential are readable by their owner only.
pub(crate) fn write_atomically(
    path: &Path,
    kind: ArtifactKind,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ArtifactError> {
    write(path, kind, content).map_err(|source| ArtifactError::Write {
        path: path.to_path_buf(),
        kind,
        source,
    })
}

fn write(
    path: &Path,
    kind: ArtifactKind,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
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
    file.persist(path)?;
    Ok(())
}
