//! Sessions with a peer that ended without a result. A peer that deviates may learn something
//! of this side's secret from one: a bit by whether it ends, or more from what a proof of a wrong product shows
//! (protocol §16). So all such ends are counted, whatever ended them, and after some of them this side's user must
//! agree to every further session (protocol §12). Input:
//! the peer's key. Output: lines of a file in the identity's folder.

use crate::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use twain_link::identity::{Fingerprint, Identity};

/// Sessions that may end before the user is asked to agree to more.
const ALLOWED: u32 = 3;

/// The list of sessions: a line when one begins, another one when it has its result.
pub struct EndedSessions(PathBuf);

const BEGUN: &str = "begun";
const HAS_RESULT: &str = "has its result";

impl EndedSessions {
    /// The list in the identity's folder.
    pub fn of(identity: &Identity) -> Self {
        Self(identity.directory().join("ended_sessions"))
    }

    /// A session with `peer`. It counts as ended without a result until it says that it has one,
    /// however this process ends; so do those that are still under way. `agreed` is how many there
    /// may be, by the user's word.
    ///
    /// # Errors
    /// There are more than are allowed; a list that cannot be read or written.
    pub fn begin(&self, peer: Fingerprint, agreed: Option<u32>) -> Result<Underway, Error> {
        let list = self.locked()?;
        let count = self.count(&list, &peer)?;
        if count >= ALLOWED.max(agreed.map_or(0, |agreed| agreed.saturating_add(1))) {
            return Err(Error::EndedSessions { count, peer: peer.to_string() });
        }
        self.add(&list, &peer, BEGUN)?;
        Ok(Underway { sessions: Self(self.0.clone()), peer })
    }

    /// The list, for this process alone until it is dropped.
    fn locked(&self) -> Result<File, Error> {
        let mut options = OpenOptions::new();
        let list = options.read(true).append(true).create(true).mode(0o600).open(&self.0);
        let list = list.and_then(|list| list.lock().map(|()| list));
        list.map_err(|error| Error::file(&self.0, error))
    }

    fn count(&self, mut list: &File, peer: &Fingerprint) -> Result<u32, Error> {
        let mut text = String::new();
        list.read_to_string(&mut text).map_err(|error| Error::file(&self.0, error))?;
        let lines = |state: &str| {
            let line = line(peer, state);
            text.lines().filter(|text| *text == line).count()
        };
        Ok(u32::try_from(lines(BEGUN).saturating_sub(lines(HAS_RESULT))).unwrap_or(u32::MAX))
    }

    fn add(&self, mut list: &File, peer: &Fingerprint, state: &str) -> Result<(), Error> {
        // The line before it may have been cut off.
        let line = format!("\n{}\n", line(peer, state));
        let written = list.write_all(line.as_bytes()).and_then(|()| list.sync_data());
        written.map_err(|error| Error::file(&self.0, error))
    }
}

fn line(peer: &Fingerprint, state: &str) -> String {
    format!("{peer} {state}")
}

/// A session that counts as ended without a result.
#[must_use = "it counts as ended until it has its result"]
pub struct Underway {
    sessions: EndedSessions,
    peer: Fingerprint,
}

impl Underway {
    /// The session has its result, and does not count.
    ///
    /// # Errors
    /// A list that cannot be written.
    pub fn has_result(self) -> Result<(), Error> {
        let list = self.sessions.locked()?;
        self.sessions.add(&list, &self.peer, HAS_RESULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fault;

    #[test]
    fn three_sessions_may_end_then_each_more_is_agreed_to() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::load_or_create(&folder.path().join("own")).unwrap();
        let peer =
            |name| Identity::load_or_create(&folder.path().join(name)).unwrap().fingerprint();
        let (peer, other) = (peer("peer"), peer("other"));
        let sessions = EndedSessions::of(&identity);
        for _ in 0..ALLOWED {
            sessions.begin(peer, None).unwrap().has_result().unwrap();
            drop(sessions.begin(peer, None).unwrap());
        }
        // Whatever a line that was cut off holds, the next one counts.
        let mut list = OpenOptions::new().append(true).open(&sessions.0).unwrap();
        list.write_all(b"sha256:12").unwrap();
        let refused = |agreed| sessions.begin(peer, agreed).err().map(|error| error.fault());
        assert_eq!(refused(None), Some(Fault::Identity));
        assert_eq!(refused(Some(2)), Some(Fault::Identity));
        // The word given covers what has ended so far, and not the next end.
        drop(sessions.begin(peer, Some(3)).unwrap());
        assert_eq!(refused(Some(3)), Some(Fault::Identity));
        assert_eq!(refused(Some(4)), None);
        sessions.begin(other, None).unwrap().has_result().unwrap();
    }
}
