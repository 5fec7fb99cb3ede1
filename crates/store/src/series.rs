//! Series of bundles, and the names of their files.

use super::bundle::Header;
use sha2::{Digest, Sha256};
use twain_link::channel::tls::PROTOCOL_VERSION;
use twain_link::handshake::Session;
use twain_link::identity::Fingerprint;
use twain_party::Role;

pub(super) const BUNDLE: &str = ".bundle";
pub(super) const PENDING: &str = ".pending";

/// The bundles of one plan between two keys, as one role, made under one version of the protocol.
pub(super) struct Series {
    pub(super) name: String,
}

impl Series {
    fn new(plan: &[u8; 32], model: Fingerprint, data: Fingerprint, role: Role) -> Self {
        Self::of_version(PROTOCOL_VERSION, plan, model, data, role)
    }

    pub(super) fn of_version(
        version: u16,
        plan: &[u8; 32],
        model: Fingerprint,
        data: Fingerprint,
        role: Role,
    ) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"twain series v2");
        hash.update(version.to_le_bytes());
        for part in [plan, &model.0, &data.0] {
            hash.update(part);
        }
        hash.update([u8::from(role == Role::Model)]);
        Self { name: hex::encode(&hash.finalize()[..16]) }
    }

    pub(super) fn of_session(session: &Session, plan: &[u8; 32]) -> Self {
        Self::new(plan, session.model, session.data, session.role)
    }

    pub(super) fn of_header(header: &Header) -> Self {
        Self::new(&header.plan, header.model, header.data, header.role)
    }

    pub(super) fn file(&self, index: u64, suffix: &str) -> String {
        format!("{}-{index:016x}{suffix}", self.name)
    }
}

/// Series and number of a bundle's file.
pub(super) fn parse_bundle_name(name: &str) -> Option<(&str, u64)> {
    let (series, index) = name.strip_suffix(BUNDLE)?.split_once('-')?;
    Some((series, u64::from_str_radix(index, 16).ok()?))
}
