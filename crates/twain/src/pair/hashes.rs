//! `--published-hash`: proofs about the peer's inputs that were hashed before, and no others
//! (protocol §1.4). Input: the published hashes. Each input of a circuit with hashed inputs has a
//! digest of its own in the instance column, in the order of the inputs (spec 04 §7.5).

use crate::error::Error;
use crate::input_hash::InputHash;
use crate::owners::owned_by;
use crate::prover::Prover;
use twain_algebra::Fr;
use twain_circuit::{Warning, warnings};
use twain_party::Role;

/// Refuses digests that no proof of this circuit can be held to.
///
/// # Errors
/// Inputs that are not hashed, or not the peer's; a circuit whose proofs tie nothing.
pub fn check(hashes: &[InputHash], role: Role, prover: &Prover) -> Result<(), Error> {
    let Some(InputHash { input: first, .. }) = hashes.first() else { return Ok(()) };
    let refuse = |text: String| Err(Error::Usage(format!("--published-hash: {text}")));
    let Prover { compiled, owners, .. } = prover;
    if !compiled.settings.run_args.input_visibility.is_hashed_public() {
        let text = "the proof has no hash of it: compile with --input-visibility hashed";
        return refuse(format!("input {first}: {text}"));
    }
    if warnings(&compiled.model, &compiled.settings).contains(&Warning::UntiedEinsums) {
        return refuse(format!(
            "a proof of this circuit cannot be held to it: {}",
            Warning::UntiedEinsums
        ));
    }
    let theirs = owned_by(role.other(), owners);
    match hashes.iter().find(|hash| !theirs.contains(&hash.input)) {
        Some(InputHash { input: place, .. }) => {
            refuse(format!("input {place} is not one of the peer's"))
        }
        None => Ok(()),
    }
}

/// Fails unless the public values of a witness have these digests. What they are of is what the
/// proof will be about, since it does not verify with other public values.
///
/// # Errors
/// The peer computes with another input.
pub fn compare(hashes: &[InputHash], instances: &[Fr]) -> Result<(), Error> {
    match hashes.iter().find(|hash| instances.get(hash.input) != Some(&hash.digest)) {
        Some(InputHash { input: place, .. }) => Err(Error::Peer(format!(
            "the peer's input {place} is another one than its published hash is of; no proof was made"
        ))),
        None => Ok(()),
    }
}
