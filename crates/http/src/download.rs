//! A file whose digest is known, from a server that is not trusted. What has arrived stays on disk
//! across broken connections and ended processes, and the rest is asked for with range requests.

use crate::{Agent, Patience};
use blake2b_simd::State;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::Body;
use ureq::http::Response;

/// Bytes read at once.
const PIECE: usize = 1 << 16;

/// What to download.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Where it is.
    pub url: &'a str,
    /// BLAKE2b-512 of the whole file.
    pub digest: &'a [u8; 64],
    /// More bytes than it can have: a server that sends more is not believed.
    pub limit: u64,
}

/// When to give up.
#[derive(Clone, Copy, Debug)]
pub struct Persistence {
    /// With each connection.
    pub patience: Patience,
    /// Connections in a row that bring nothing new.
    pub attempts: u32,
    /// Before the second of them; twice as long before the third, and so on.
    pub pause: Duration,
}

impl Default for Persistence {
    fn default() -> Self {
        Self { patience: Patience::default(), attempts: 5, pause: Duration::from_secs(1) }
    }
}

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes on disk.
    pub done: u64,
    /// Bytes in all, if the server says so.
    pub of: Option<u64>,
}

/// Why there is no such file.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The server cannot be reached, or the connection broke again and again.
    #[error("{url}: {reason}; {kept} bytes are kept: the same command goes on from there")]
    Connection {
        /// The server's address for the file.
        url: String,
        /// The last failure.
        reason: String,
        /// Bytes on disk.
        kept: u64,
    },
    /// The server does not have it.
    #[error("{url}: the server answers {status}: give another address with --url")]
    Status {
        /// The server's address for the file.
        url: String,
        /// What it answers.
        status: String,
    },
    /// The server sends another file.
    #[error("{url}: {reason}; nothing is kept: give another address with --url")]
    Content {
        /// The server's address for the file.
        url: String,
        /// How one sees that.
        reason: &'static str,
    },
    /// The file cannot be written.
    #[error("{}: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// Another process is at it.
    #[error("{}: another process is downloading it", .0.display())]
    Busy(PathBuf),
    /// It was told to end.
    #[error("cancelled")]
    Cancelled,
}

/// Downloads a file to `path`, which may hold its beginning, and checks its digest. `tell` hears
/// how far it is, every 64 KiB, and may end it.
///
/// # Errors
/// [`DownloadError`]. What has arrived stays at `path`, unless it is of another file.
pub fn download(
    wanted: &Wanted<'_>,
    path: &Path,
    persistence: &Persistence,
    tell: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<(), DownloadError> {
    let agent = Agent::new(persistence.patience);
    let mut part = Part::open(path, tell)?;
    let mut from_before = part.length > 0;
    let mut failures = 0;
    loop {
        let before = part.length;
        let fetched = fetch(&agent, wanted, &mut part, tell)?;
        let reason = match fetched {
            Fetched::Whole if part.has_digest(wanted.digest) => return Ok(()),
            Fetched::Whole if from_before => {
                // An earlier run may have begun with another server's file.
                from_before = false;
                part.clear()?;
                continue;
            }
            Fetched::Whole => {
                part.clear()?;
                let reason = "what it sends does not have the digest of the ceremony's file";
                return Err(DownloadError::Content { url: wanted.url.into(), reason });
            }
            Fetched::Broken(reason) => reason,
        };
        failures = if part.length > before { 0 } else { failures + 1 };
        if failures >= persistence.attempts {
            let (url, kept) = (wanted.url.into(), part.length);
            return Err(DownloadError::Connection { url, reason, kept });
        }
        wait(persistence.pause * 2u32.pow(failures.min(6)), &part, tell)?;
    }
}

/// How a connection ended.
enum Fetched {
    /// The server says that nothing is missing.
    Whole,
    /// Before that.
    Broken(String),
}

/// One connection: what is missing, appended.
fn fetch(
    agent: &Agent,
    wanted: &Wanted<'_>,
    part: &mut Part,
    tell: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Fetched, DownloadError> {
    let response = match agent.get(wanted.url, part.length) {
        Ok(response) => response,
        Err(ureq::Error::BadUri(_) | ureq::Error::Http(_)) => {
            let status = "nothing: this is no address of a file".into();
            return Err(DownloadError::Status { url: wanted.url.into(), status });
        }
        Err(error) => return Ok(Fetched::Broken(error.to_string())),
    };
    let of = match response.status().as_u16() {
        200 => {
            // The whole file, whatever was asked for.
            part.clear()?;
            header(&response, "content-length").and_then(|length| length.parse().ok())
        }
        206 => match range(&response) {
            Some((first, of)) if first == part.length => of,
            _ => {
                part.clear()?;
                return Ok(Fetched::Broken("the server sends another range than asked for".into()));
            }
        },
        // Nothing is left to send.
        416 if part.length > 0 => return Ok(Fetched::Whole),
        408 | 425 | 429 | 500..=599 => {
            return Ok(Fetched::Broken(format!("the server answers {}", response.status())));
        }
        _ => {
            let (url, status) = (wanted.url.into(), response.status().to_string());
            return Err(DownloadError::Status { url, status });
        }
    };
    let too_long = |part: &mut Part| {
        part.clear()?;
        let reason = "what it sends is longer than the ceremony's file";
        Err(DownloadError::Content { url: wanted.url.into(), reason })
    };
    if of.is_some_and(|of| of > wanted.limit) {
        return too_long(part);
    }
    let most = of.unwrap_or(wanted.limit);
    let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
    let mut piece = vec![0; PIECE];
    loop {
        if tell(Progress { done: part.length, of }).is_break() {
            return Err(DownloadError::Cancelled);
        }
        match body.read(&mut piece) {
            Ok(0) if of.is_some_and(|of| part.length < of) => {
                return Ok(Fetched::Broken("the connection ended early".into()));
            }
            Ok(0) => return Ok(Fetched::Whole),
            Ok(read) if part.length + read as u64 > most => return too_long(part),
            Ok(read) => part.append(&piece[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Fetched::Broken(error.to_string())),
        }
    }
}

/// Waits, in steps short enough to be ended.
fn wait(
    time: Duration,
    part: &Part,
    tell: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<(), DownloadError> {
    const STEP: Duration = Duration::from_millis(200);
    let mut left = time;
    while !left.is_zero() {
        if tell(Progress { done: part.length, of: None }).is_break() {
            return Err(DownloadError::Cancelled);
        }
        std::thread::sleep(left.min(STEP));
        left = left.saturating_sub(STEP);
    }
    Ok(())
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

/// First byte and length of the whole file, of `Content-Range: bytes 5-9/10`, where the length may
/// be `*`.
fn range(response: &Response<Body>) -> Option<(u64, Option<u64>)> {
    let text = header(response, "content-range")?.strip_prefix("bytes ")?;
    let (range, length) = text.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, length.trim().parse().ok()))
}

/// The beginning of the file on disk, which only this process writes to.
struct Part<'a> {
    file: File,
    path: &'a Path,
    length: u64,
    hash: State,
}

impl<'a> Part<'a> {
    fn open(
        path: &'a Path,
        tell: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Self, DownloadError> {
        let disk = |source| DownloadError::Disk { path: path.to_path_buf(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(disk)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DownloadError::Busy(path.to_path_buf())),
            // A file system without locks: two processes at once are its user's affair.
            Err(TryLockError::Error(_)) => {}
        }
        let (mut length, mut hash, mut piece) = (0, State::new(), vec![0; PIECE]);
        loop {
            match file.read(&mut piece).map_err(disk)? {
                0 => return Ok(Self { file, path, length, hash }),
                read => {
                    hash.update(&piece[..read]);
                    length += read as u64;
                }
            }
            if tell(Progress { done: length, of: None }).is_break() {
                return Err(DownloadError::Cancelled);
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DownloadError> {
        self.file.write_all(bytes).map_err(|source| self.disk(source))?;
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn clear(&mut self) -> Result<(), DownloadError> {
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(|e| self.disk(e))?;
        (self.length, self.hash) = (0, State::new());
        Ok(())
    }

    fn has_digest(&self, digest: &[u8; 64]) -> bool {
        self.hash.finalize().as_array() == digest
    }

    fn disk(&self, source: io::Error) -> DownloadError {
        DownloadError::Disk { path: self.path.to_path_buf(), source }
    }
}
