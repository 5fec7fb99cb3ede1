//! `twain bundles`: what `preprocess` made and no proof has used yet.

use super::files::{Common, CommonFiles};
use super::session::{STORE, identity_of, open_store};
use crate::error::Error;
use crate::observe::Run;
use std::io::ErrorKind;
use std::path::PathBuf;
use twain_link::identity::{Fingerprint, Identity};
use twain_party::Role;
use twain_store::BundleInfo;

/// The usable bundles of the identity in a folder (or the default one). What may no longer be used is
/// erased.
///
/// # Errors
/// A store that cannot be used, or that another process uses.
pub fn bundles(identity: &Option<PathBuf>) -> Result<Vec<BundleInfo>, Error> {
    let identity = identity_of(identity)?;
    Ok(open_store(&identity)?.bundles()?)
}

/// How many bundles this side has that a proof of the circuit with the peer of this fingerprint
/// would take. Asks nobody.
///
/// # Errors
/// As [`bundles`]; files that do not fit together.
pub fn count_bundles(
    role: Role,
    files: &CommonFiles,
    identity: &Option<PathBuf>,
    peer: Fingerprint,
    run: &Run,
) -> Result<usize, Error> {
    let common = Common::read(files, run)?;
    let fits = |bundle: &&BundleInfo| {
        bundle.role == role && bundle.plan == common.series && bundle.peer() == peer
    };
    Ok(bundles(identity)?.iter().filter(fits).count())
}

/// Erases the bundle whose identifier begins with these hexadecimal digits, or all if there are none; how
/// many.
///
/// # Errors
/// As [`bundles`]; digits that no bundle's identifier begins with, or that of more than one does.
pub fn remove_bundles(identity: &Option<PathBuf>, digits: Option<&str>) -> Result<usize, Error> {
    let identity = identity_of(identity)?;
    let mut store = open_store(&identity)?;
    let mut chosen = store.bundles()?;
    if let Some(digits) = digits {
        chosen.retain(|bundle| hex::encode(bundle.id).starts_with(digits));
        if chosen.len() != 1 || digits.is_empty() {
            let text = format!("{} bundles begin with {digits:?}, not one", chosen.len());
            return Err(Error::Usage(text));
        }
    }
    chosen.iter().try_for_each(|bundle| store.remove(bundle))?;
    Ok(chosen.len())
}

/// Gives this side a new key, and erases the bundles that the old one kept: how many, and the new fingerprint. Peers must
/// be told.
///
/// # Errors
/// As [`bundles`]; a key that cannot be written.
pub fn rotate_identity(identity: &Option<PathBuf>) -> Result<(usize, Fingerprint), Error> {
    let erased = remove_bundles(identity, None)?;
    let folder = identity_of(identity)?.directory().to_path_buf();
    // What says which bundles are used is under the old key, and so were all bundles.
    for name in STORE {
        let path = folder.join(name);
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::file(path, error));
            }
            _ => {}
        }
    }
    Ok((erased, Identity::rotate(&folder)?.fingerprint()))
}
