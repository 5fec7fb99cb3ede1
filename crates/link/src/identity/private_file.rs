//! Files that only their owner may read: made whole or not at all, refused when others can read
//! them.

use super::error::IdentityError;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> IdentityError {
    let path = path.to_path_buf();
    move |source| IdentityError::File { action, path, source }
}

/// The content of the file, at most `longest` bytes of it; none if there is no such file.
pub(super) fn read_private(
    path: &Path,
    longest: u64,
) -> Result<Option<Zeroizing<Vec<u8>>>, IdentityError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", path)(error)),
    };
    let mode = file.metadata().map_err(failed("examine", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(IdentityError::TooOpen { path: path.to_path_buf(), mode });
    }
    let mut content = Zeroizing::new(Vec::with_capacity(longest as usize));
    file.take(longest).read_to_end(&mut content).map_err(failed("read", path))?;
    Ok(Some(content))
}

/// Makes the directory, for its owner only, if it is not there.
fn make_private(directory: &Path) -> Result<(), IdentityError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(failed("make", directory))
}

/// Writes the file unless it exists by then. Nobody ever sees a part of it.
pub(super) fn create_once(
    directory: &Path,
    path: &Path,
    content: &[u8],
) -> Result<(), IdentityError> {
    make_private(directory)?;
    let (temporary, mut file) = temporary_file(directory)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| match std::fs::hard_link(&temporary, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => File::open(directory)?.sync_all(),
        })
        .map_err(failed("write", path));
    std::fs::remove_file(&temporary).map_err(failed("remove", &temporary))?;
    written
}

/// Writes the file, in the place of one that may be there. Nobody ever sees a part of it.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), IdentityError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    make_private(directory)?;
    let (temporary, mut file) = temporary_file(directory)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&temporary, path))
        .and_then(|()| File::open(directory)?.sync_all());
    written.map_err(|error| {
        // Gone already if it was renamed.
        let _ = std::fs::remove_file(&temporary);
        failed("write", path)(error)
    })
}

/// A new file that no other process or thread writes.
fn temporary_file(directory: &Path) -> Result<(std::path::PathBuf, File), IdentityError> {
    let mut attempt = 0u32;
    loop {
        let name = format!(".new-{}-{attempt}", std::process::id());
        let path = directory.join(name);
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < 1000 => {
                attempt += 1;
            }
            Err(error) => return Err(failed("make", &path)(error)),
        }
    }
}
