//! A folder of files that belong to somebody: opened once, then every name is resolved below it by
//! the kernel, which follows no link and no `..` (`openat2`). New content appears whole or not at
//! all. Names are those that [`check_path`] lets pass.

use crate::error::{Code, ServiceError};
use crate::identifiers::{now, short};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, OpenHow, ResolveFlag, openat2, renameat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, linkat, unlinkat};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use twain_jobs::check_path;

/// Files of an upload on their way are hidden: no job can name them.
const UNFINISHED: &str = ".new-";

/// A folder.
#[derive(Debug)]
pub struct Folder {
    root: OwnedFd,
    path: PathBuf,
    /// The number of the user whose it is, with all that is put into it; none for the server's own.
    owner: Option<u32>,
}

/// A file of a folder.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Entry {
    /// Its name below the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// When it was last written, in milliseconds since the epoch.
    pub modified: i64,
}

fn failed(doing: &str, name: &str, errno: Errno) -> ServiceError {
    match errno {
        Errno::ENOENT => ServiceError::new(Code::NotFound, format!("there is no file {name:?}")),
        Errno::ELOOP | Errno::EXDEV | Errno::ENOTDIR => {
            ServiceError::new(Code::BadPath, format!("{name:?} is behind a link, or no file"))
        }
        Errno::EEXIST => ServiceError::new(Code::Exists, format!("{name:?} is there already")),
        Errno::ENOSPC | Errno::EDQUOT => ServiceError::internal(
            format!("{doing} {name:?}"),
            "the server's disk is full: the operator has to make room",
        ),
        errno => ServiceError::internal(format!("{doing} {name:?}"), errno),
    }
}

/// Makes a folder, and those above it, for its owner only.
pub fn make_private(path: &Path) -> Result<(), ServiceError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| ServiceError::internal(format!("making {}", path.display()), error))
}

impl Folder {
    /// Opens a folder of the server's own, which is made if it is not there.
    pub fn open(path: &Path) -> Result<Self, ServiceError> {
        Self::open_for(path, None)
    }

    /// Opens a folder of a user's, which is made if it is not there.
    pub fn open_for(path: &Path, owner: Option<u32>) -> Result<Self, ServiceError> {
        make_private(path)?;
        let failed = |error| ServiceError::internal(format!("{}", path.display()), error);
        let root: OwnedFd = File::open(path).map_err(failed)?.into();
        let folder = Self { root, path: path.to_path_buf(), owner };
        folder.give(&folder.root).map_err(|errno| failed(errno.into()))?;
        Ok(folder)
    }

    /// Makes a file or a folder of this one its owner's.
    fn give(&self, what: impl AsFd) -> Result<(), Errno> {
        match self.owner {
            Some(owner) => fchown(what, Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner))),
            None => Ok(()),
        }
    }

    /// Where it is, for processes that work in it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn at(&self, name: &str, flags: OFlag) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS;
        let mode = if flags.contains(OFlag::O_CREAT) { 0o600 } else { 0 };
        let mode = Mode::from_bits_truncate(mode);
        let how = OpenHow::new().flags(flags | OFlag::O_CLOEXEC).mode(mode).resolve(resolve);
        openat2(&self.root, name, how)
    }

    /// Opens a file to read.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::BadPath`] for links, folders, and what is no ordinary file.
    pub fn read(&self, name: &str) -> Result<File, ServiceError> {
        check_path(Path::new(name))?;
        // Without blocking: a pipe that somebody put there would wait for its writer.
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK;
        let file =
            File::from(self.at(name, flags).map_err(|errno| failed("opening", name, errno))?);
        match file.metadata() {
            Ok(metadata) if metadata.is_file() => Ok(file),
            _ => Err(ServiceError::new(Code::BadPath, format!("{name:?} is no file"))),
        }
    }

    /// Whether there is such a file.
    pub fn has(&self, name: &str) -> bool {
        self.read(name).is_ok()
    }

    /// The folder a name is in, which is made if it is not there, and the rest of the name.
    fn parent<'a>(&self, name: &'a str) -> Result<(OwnedFd, &'a str), ServiceError> {
        check_path(Path::new(name))?;
        let (folder, rest) = name.split_once('/').unwrap_or((".", name));
        if folder != "." {
            match mkdirat(&self.root, folder, Mode::S_IRWXU) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(errno) => return Err(failed("making", folder, errno)),
            }
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        let opened = self.at(folder, flags).map_err(|errno| failed("opening", folder, errno))?;
        self.give(&opened).map_err(|errno| failed("giving", folder, errno))?;
        Ok((opened, rest))
    }

    /// A new file that has no name yet; [`Folder::keep`] gives it one.
    pub fn create(&self) -> Result<(File, String), ServiceError> {
        let name = format!("{UNFINISHED}{}-{}", now(), short());
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        let file = self.at(&name, flags).map_err(|errno| failed("making", &name, errno))?;
        self.give(&file).map_err(|errno| failed("giving", &name, errno))?;
        Ok((file.into(), name))
    }

    /// Gives a file that [`Folder::create`] made its name, over an older one.
    pub fn keep(&self, unfinished: &str, name: &str) -> Result<(), ServiceError> {
        let (parent, rest) = self.parent(name)?;
        renameat(&self.root, unfinished, &parent, rest).map_err(|errno| {
            self.discard(unfinished);
            failed("writing", name, errno)
        })
    }

    /// Throws such a file away.
    pub fn discard(&self, unfinished: &str) {
        // At worst it stays, hidden, and is removed at the next start.
        let _ = unlinkat(&self.root, unfinished, UnlinkatFlags::NoRemoveDir);
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), ServiceError> {
        check_path(Path::new(name))?;
        let (mut file, unfinished) = self.create()?;
        let written = io::Write::write_all(&mut file, content).and_then(|()| file.sync_all());
        match written {
            Ok(()) => self.keep(&unfinished, name),
            Err(error) => {
                self.discard(&unfinished);
                Err(ServiceError::internal(format!("writing {name:?}"), error))
            }
        }
    }

    /// Takes a file of another folder over, without copying where both are on one file system; the
    /// content is shared until either name is written anew.
    pub fn take(&self, from: &Folder, name: &str) -> Result<(), ServiceError> {
        let mut source = from.read(name)?;
        let unfinished = format!("{UNFINISHED}{}-{}", now(), short());
        let link = Path::new("/proc/self/fd").join(source.as_raw_fd().to_string());
        // The opened file itself is linked, not whatever has its name by now.
        let flags = AtFlags::AT_SYMLINK_FOLLOW;
        let name_here = unfinished.as_str();
        if linkat(AT_FDCWD, &link, &self.root, name_here, flags).is_ok() {
            self.give(&source).map_err(|errno| failed("giving", name, errno))?;
            return self.keep(&unfinished, name);
        }
        let (mut copy, unfinished) = self.create()?;
        match io::copy(&mut source, &mut copy) {
            Ok(_) => self.keep(&unfinished, name),
            Err(error) => {
                self.discard(&unfinished);
                Err(ServiceError::internal(format!("copying {name:?}"), error))
            }
        }
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) -> Result<(), ServiceError> {
        self.read(name)?;
        let (parent, rest) = self.parent(name)?;
        unlinkat(&parent, rest, UnlinkatFlags::NoRemoveDir)
            .map_err(|errno| failed("removing", name, errno))
    }

    /// The files, sorted by name, without those on their way.
    pub fn list(&self) -> Result<Vec<Entry>, ServiceError> {
        let mut entries = Vec::new();
        list(&self.path, "", &mut entries)
            .map_err(|error| ServiceError::internal("listing a folder", error))?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

fn list(folder: &Path, below: &str, entries: &mut Vec<Entry>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_string) else { continue };
        let metadata = match fs::symlink_metadata(entry.path()) {
            Ok(metadata) => metadata,
            // It was replaced meanwhile.
            Err(_) => continue,
        };
        if name.starts_with('.') {
            continue;
        }
        if metadata.is_dir() && below.is_empty() {
            list(&entry.path(), &format!("{name}/"), entries)?;
        } else if metadata.is_file() {
            let modified = metadata.mtime() * 1000 + metadata.mtime_nsec() / 1_000_000;
            entries.push(Entry { name: format!("{below}{name}"), bytes: metadata.len(), modified });
        }
    }
    Ok(())
}

/// SHA-256 of a file's content, as hexadecimal digits.
pub fn digest(mut file: &File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn text(folder: &Folder, name: &str) -> String {
        let mut text = String::new();
        folder.read(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn files_are_written_read_taken_and_removed() {
        let place = tempfile::tempdir().unwrap();
        let [one, other] =
            ["one", "other"].map(|name| Folder::open(&place.path().join(name)).unwrap());
        one.write("a.json", b"old").unwrap();
        one.write("a.json", b"first").unwrap();
        one.write("sub/b.json", b"second").unwrap();
        assert_eq!(text(&one, "a.json"), "first");
        let mode = fs::metadata(place.path().join("one/a.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        other.take(&one, "sub/b.json").unwrap();
        one.write("sub/b.json", b"third").unwrap();
        assert_eq!(text(&other, "sub/b.json"), "second");
        let names = |folder: &Folder| -> Vec<String> {
            folder.list().unwrap().into_iter().map(|entry| entry.name).collect()
        };
        assert_eq!(names(&one), ["a.json", "sub/b.json"]);
        one.remove("a.json").unwrap();
        assert_eq!(one.read("a.json").unwrap_err().code, Code::NotFound);
        assert_eq!(names(&one), ["sub/b.json"]);
    }

    #[test]
    fn links_lead_nowhere() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("secret"), "not yours").unwrap();
        let folder = Folder::open(&place.path().join("project")).unwrap();
        symlink(place.path().join("secret"), folder.path().join("link")).unwrap();
        symlink(place.path(), folder.path().join("out")).unwrap();
        assert_eq!(folder.read("link").unwrap_err().code, Code::BadPath);
        assert_eq!(folder.read("out/secret").unwrap_err().code, Code::BadPath);
        assert_eq!(folder.write("out/new", b"x").unwrap_err().code, Code::BadPath);
        assert!(!place.path().join("new").exists());
        // Writing over a link puts a file in the link's place.
        folder.write("link", b"mine").unwrap();
        assert_eq!(fs::read(place.path().join("secret")).unwrap(), b"not yours");
        assert_eq!(text(&folder, "link"), "mine");
        assert!(folder.list().unwrap().iter().all(|entry| entry.name == "link"));
    }
}
