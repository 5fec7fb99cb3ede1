//! `twain peers`: names for peers, so that a session needs neither fingerprint nor address; and
//! names for several identities of one's own.

use crate::error::Error;
use std::path::{Path, PathBuf};
use twain_link::channel::tls::check_address;
use twain_link::identity::{Fingerprint, FingerprintError, Identity, NamedPeer, NamedPeers};

/// Gives a peer a name, in the identity's folder or the default one. The key is known from then on:
/// it was compared over a channel both trust. `address` is `host:port`, of a peer that listens.
///
/// # Errors
/// A name, a fingerprint or an address that is none; a name that is taken; a list that cannot be
/// used.
pub fn add_peer(
    identity: Option<&Path>,
    name: String,
    fingerprint: &str,
    address: Option<String>,
) -> Result<(), Error> {
    address.as_deref().map_or(Ok(()), check_address)?;
    let parsed = fingerprint.parse();
    let fingerprint = parsed.map_err(|error: FingerprintError| Error::Usage(error.to_string()))?;
    let peer = NamedPeer { name, fingerprint, address };
    Ok(NamedPeers::read(identity)?.add(peer)?)
}

/// All peers with names.
///
/// # Errors
/// A list that cannot be used.
pub fn named_peers(identity: Option<&Path>) -> Result<Vec<NamedPeer>, Error> {
    Ok(NamedPeers::read(identity)?.all().to_vec())
}

/// Forgets a name.
///
/// # Errors
/// A name that nobody has; a list that cannot be used.
pub fn remove_peer(identity: Option<&Path>, name: &str) -> Result<(), Error> {
    Ok(NamedPeers::read(identity)?.remove(name)?)
}

/// Makes an identity with a name, which then stands for its folder.
///
/// # Errors
/// A name that is none, or taken; a key that cannot be written.
pub fn new_identity(name: &str) -> Result<Fingerprint, Error> {
    Ok(Identity::create_named(name)?.fingerprint())
}

/// The identities with names.
///
/// # Errors
/// A folder or a key that cannot be used.
pub fn named_identities() -> Result<Vec<(String, Fingerprint)>, Error> {
    let fingerprint = |(name, folder): (String, PathBuf)| {
        Ok((name, Identity::load_or_create(&folder)?.fingerprint()))
    };
    Identity::all_named()?.into_iter().map(fingerprint).collect()
}
