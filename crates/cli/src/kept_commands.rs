//! `identity`, `peers` and `bundles`: what is kept in an identity's folder, in words.

use crate::print;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use twain::observe::Run;
use twain::pair::CommonFiles;
use twain::{Error, ProverFiles, pair};
use twain_cli::arguments::IdentityAction;
use twain_cli::kept_arguments::{BundlesAction, Count, PeersAction};
use twain_link::identity::Fingerprint;

/// Prints, makes or changes identities.
pub fn identity(
    action: Option<IdentityAction>,
    identity: &Option<PathBuf>,
    run: &Run,
) -> Result<(), Error> {
    match action {
        None => tell(&pair::fingerprint(identity)?, run),
        Some(IdentityAction::New { name }) => tell(&pair::new_identity(&name)?, run),
        Some(IdentityAction::List) => pair::named_identities()?
            .iter()
            .try_for_each(|(name, fingerprint)| print::line(format_args!("{name} {fingerprint}"))),
        Some(IdentityAction::Rotate) => {
            let (erased, fingerprint) = pair::rotate_identity(identity)?;
            run.warn(format!(
                "peers do not know this key yet: tell them; {erased} bundles of the old one are erased"
            ));
            tell(&fingerprint, run)
        }
    }
}

/// A fingerprint, for programs and to copy; for people also to read out.
fn tell(fingerprint: &Fingerprint, run: &Run) -> Result<(), Error> {
    run.step(format!("To read it out: {}", fingerprint.in_groups()));
    print::line(fingerprint)
}

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
