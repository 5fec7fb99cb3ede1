//! `twain bundles`: what `preprocess` made and no proof has used yet.

use super::files::{Common, CommonFiles};
use super::session::{identity_of, open_store};
use crate::error::Error;
use crate::observe::Run;
use std::path::PathBuf;
use twain_link::identity::Fingerprint;
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
