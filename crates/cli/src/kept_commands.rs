//! `peers` and `bundles`: what is kept in an identity's folder, in words.

use crate::print;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use twain::observe::Run;
use twain::pair::CommonFiles;
use twain::{Error, ProverFiles, pair};
use twain_cli::kept_arguments::{BundlesAction, Count, PeersAction};

/// Changes or prints the names of peers.
pub fn peers(action: PeersAction, identity: Option<&Path>) -> Result<(), Error> {
    match action {
        PeersAction::Add { name, fingerprint, address } => {
            pair::add_peer(identity, name, &fingerprint, address)
        }
        PeersAction::List => pair::named_peers(identity)?.iter().try_for_each(print::line),
        PeersAction::Remove { name } => pair::remove_peer(identity, &name),
    }
}

/// Prints or erases bundles. Names of peers stand for their keys.
pub fn bundles(action: BundlesAction, identity: &Option<PathBuf>, run: &Run) -> Result<(), Error> {
    match action {
        BundlesAction::Count(count) => {
            let Count { compiled_circuit, pk_path, srs_path, id, peer } = *count;
            // Nothing is proven, and nothing published, by counting.
            let allow_unbound_einsums = true;
            let prover = ProverFiles { compiled_circuit, pk_path, srs_path, allow_unbound_einsums };
            let files = CommonFiles { prover, allow_polycommit: true, own_inputs: None };
            print::line(pair::count_bundles(id.into(), &files, identity, peer, run)?)
        }
        BundlesAction::Remove { id, .. } => {
            let count = pair::remove_bundles(identity, id.as_deref())?;
            print::line(format_args!("erased {count}"))
        }
        BundlesAction::List => {
            let named = pair::named_peers(identity.as_deref())?;
            pair::bundles(identity)?.iter().try_for_each(|bundle| {
                let peer = bundle.peer();
                let name = named.iter().find(|named| named.fingerprint == peer);
                let peer = name.map_or(peer.to_string(), |named| named.name.clone());
                let made = SystemTime::UNIX_EPOCH + Duration::from_secs(bundle.made);
                let hours = made.elapsed().unwrap_or_default().as_secs() / 3600;
                print::line(format_args!(
                    "{} for {} as {} with {peer}, {hours} hours old, {} bytes",
                    digits(&bundle.id),
                    digits(&bundle.plan),
                    bundle.role,
                    bundle.bytes
                ))
            })
        }
    }
}

/// Enough of an identifier to tell apart what a user has.
fn digits(identifier: &[u8; 32]) -> String {
    identifier[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
