//! Who is logged in to the pages: a token typed once becomes a cookie, which is kept in memory only
//! and ends with the server, after 12 hours, or with the token.

use super::lock::lock;
use crate::identifiers::{now, secret, sha256};
use std::collections::HashMap;
use std::sync::Mutex;

const LASTS: i64 = 12 * 3600 * 1000;
const MOST: usize = 1000;

/// A session.
#[derive(Clone, Debug)]
pub struct Session {
    /// The identifier of the token.
    pub token: String,
    /// What forms must send back: other sites cannot know it.
    pub form: String,
    ends: i64,
}

/// The sessions, by the digest of their cookie.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    /// Begins one; the cookie's value.
    pub fn begin(&self, token: &str) -> String {
        let cookie = secret();
        let mut sessions = lock(&self.0);
        sessions.retain(|_, session| session.ends > now());
        if sessions.len() >= MOST {
            sessions.clear();
        }
        let session = Session { token: token.into(), form: secret(), ends: now() + LASTS };
        sessions.insert(sha256(cookie.as_bytes()), session);
        cookie
    }

    /// The session of a cookie.
    pub fn find(&self, cookie: &str) -> Option<Session> {
        let session = lock(&self.0).get(&sha256(cookie.as_bytes())).cloned();
        session.filter(|session| session.ends > now())
    }

    /// Ends one.
    pub fn end(&self, cookie: &str) {
        lock(&self.0).remove(&sha256(cookie.as_bytes()));
    }
}
