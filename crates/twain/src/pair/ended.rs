//! Sessions with a peer that ended without a result. A peer that deviates may learn a bit of this
//! side's secret by whether a session ends, so all such ends are counted, whatever ended them, and
//! after some of them this side's user must agree to every further session (protocol §12). Input: the
//! peer's key. Output: a line a session in the identity's folder.

use crate::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use twain_link::identity::{Fingerprint, Identity};

/// Sessions that may end before the user is asked to agree to more.
const ALLOWED: u32 = 3;

/// The list of sessions that ended without a result: a line with the peer's fingerprint for each.
pub struct EndedSessions(PathBuf);

impl EndedSessions {
    /// The list in the identity's folder.
    pub fn of(identity: &Identity) -> Self {
        Self(identity.directory().join("ended_sessions"))
    }

    /// A session with `peer`, counted unless it says in the end that it has its result. `agreed` is how
    /// many may have ended, by the user's word.
    ///
    /// # Errors
    /// More have ended than are allowed; a list that cannot be read or written.
    pub fn begin(&self, peer: Fingerprint, agreed: Option<u32>) -> Result<Underway, Error> {
        let count = self.count(&peer)?;
        if count >= ALLOWED.max(agreed.map_or(0, |agreed| agreed.saturating_add(1))) {
            return Err(Error::EndedSessions { count, peer: peer.to_string() });
        }
        // What is at fault with the list is found now, not when the session ends.
        let open = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.0);
        let list = open.map_err(|error| Error::file(&self.0, error))?;
        Ok(Underway { list, peer, has_result: false })
    }

    fn count(&self, peer: &Fingerprint) -> Result<u32, Error> {
        let mut text = String::new();
        match File::open(&self.0) {
            Ok(mut file) => file.read_to_string(&mut text).map(drop),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|error| Error::file(&self.0, error))?;
        let name = peer.to_string();
        let count = text.lines().filter(|line| *line == name).count();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

/// A session that counts as ended without a result when it is dropped.
pub struct Underway {
    list: File,
    peer: Fingerprint,
    has_result: bool,
}

impl Underway {
    /// The session has its result, and does not count.
    pub fn has_result(mut self) {
        self.has_result = true;
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if !self.has_result {
            // The session's own error is what the user is told.
            let _ = writeln!(self.list, "{}", self.peer).and_then(|()| self.list.sync_all());
        }
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
            sessions.begin(peer, None).unwrap().has_result();
            drop(sessions.begin(peer, None).unwrap());
        }
        let refused = |agreed| sessions.begin(peer, agreed).err().map(|error| error.fault());
        assert_eq!(refused(None), Some(Fault::Identity));
        assert_eq!(refused(Some(2)), Some(Fault::Identity));
        // The word given covers what has ended so far, and not the next end.
        drop(sessions.begin(peer, Some(3)).unwrap());
        assert_eq!(refused(Some(3)), Some(Fault::Identity));
        assert_eq!(refused(Some(4)), None);
        sessions.begin(other, None).unwrap().has_result();
    }
}
