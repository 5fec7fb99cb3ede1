//! The two ends of an invitation: a side makes one for its circuit and its key; the side that was
//! invited refuses it when it is over or for another circuit, before anybody is dialled.

use super::files::{Common, circuit_digest};
use super::invitation::{Invitation, is_address};
use super::session::{Peer, identity_of};
use crate::alone::{load_circuit, now};
use crate::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The invitation of the identity in a folder (or the default one) for a compiled circuit, to be
/// dialled at `address` for so long.
///
/// # Errors
/// A circuit or an identity that cannot be used; an address that is not `HOST:PORT`.
pub fn invite(
    identity: &Option<PathBuf>,
    compiled_circuit: &Path,
    address: &str,
    lasts: Duration,
) -> Result<Invitation, Error> {
    if !is_address(address) {
        return Err(Error::Usage(format!("--address: {address:?} is not HOST:PORT")));
    }
    let (compiled, _) = load_circuit(compiled_circuit)?;
    Ok(Invitation {
        address: address.into(),
        fingerprint: identity_of(identity)?.fingerprint(),
        circuit: circuit_digest(&compiled)?,
        expires: seconds_now().saturating_add(lasts.as_secs()),
    })
}

fn seconds_now() -> u64 {
    u64::try_from(now() / 1000).unwrap_or(u64::MAX)
}

/// Refuses the invitation that a peer is known by, if there is one, when it is over or for another
/// circuit.
pub(super) fn check(peer: &Peer, common: &Common) -> Result<(), Error> {
    let Some(invitation) = &peer.invitation else { return Ok(()) };
    if invitation.expires < seconds_now() {
        let text = "the invitation has expired: ask the peer for another one";
        return Err(Error::Usage(text.into()));
    }
    let prover = &common.prover;
    if circuit_digest(&prover.compiled)? != invitation.circuit {
        let text = "the invitation is for another circuit: ask the peer for its redacted circuit";
        return Err(Error::file(&prover.circuit_path, text));
    }
    Ok(())
}
