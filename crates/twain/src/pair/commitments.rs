//! Polycommit values: how many proofs were started under one commitment, since each publishes one
//! linear equation of what is committed (protocol §1.2).

use super::files::digest;
use super::refusals::LINEAR_EQUATION;
use super::secret::Secret;
use crate::alone::Committer;
use crate::error::Error;
use crate::owners::owned_by;
use crate::prover::Prover;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use twain_algebra::{Fr, G1Affine, signed_integer};
use twain_artifacts::point_to_hex;
use twain_link::identity::Identity;
use twain_party::Role;

/// Bits that one equation over the field tells.
const EQUATION_BITS: usize = 254;
const PARAMETERS: &str = "parameters";

/// Values of this side that a polycommit column holds.
pub struct Committed {
    what: &'static str,
    values: usize,
    /// Bits of the largest value and its sign.
    bits: usize,
    digest: [u8; 32],
}

impl Committed {
    /// The digest, if it is of the commitment to the parameters.
    pub fn of_parameters(&self) -> Option<[u8; 32]> {
        (self.what == PARAMETERS).then_some(self.digest)
    }
}

/// What of this side's secret is committed to.
pub fn of_secret(role: Role, prover: &Prover, secret: &Secret) -> Vec<Committed> {
    let args = &prover.compiled.settings.run_args;
    let committer = Committer::new(&prover.srs, prover.circuit.columns.geometry.usable_rows);
    let commit = |what, tensors: Vec<&[Fr]>| {
        let points = tensors.iter().flat_map(|tensor| committer.commit(tensor));
        let sizes = tensors.iter().flat_map(|tensor| tensor.iter());
        let bits = |value: &Fr| match signed_integer(*value) {
            Some(integer) => (u128::BITS - integer.unsigned_abs().leading_zeros()) as usize + 1,
            None => EQUATION_BITS,
        };
        Committed {
            what,
            values: tensors.iter().map(|tensor| tensor.len()).sum(),
            bits: sizes.map(bits).max().unwrap_or(1),
            digest: digest_points(&points.collect::<Vec<_>>()),
        }
    };
    let mut committed = Vec::new();
    if let (true, Some(inputs)) = (args.input_visibility.is_polycommit(), &secret.inputs) {
        let own = owned_by(role, &prover.owners);
        let own = own.into_iter().filter_map(|place| inputs.get(place));
        committed.push(commit("inputs", own.map(Vec::as_slice).collect()));
    }
    if let (true, Some(parameters)) = (args.param_visibility.is_polycommit(), &secret.parameters) {
        // As one tensor (spec 04 §7.6).
        let mut all = parameters.concat();
        committed.push(commit(PARAMETERS, vec![&all[..]]));
        twain_algebra::erase(&mut all);
    }
    committed
}

/// The digest by which sides compare commitments.
pub fn digest_points(points: &[G1Affine]) -> [u8; 32] {
    digest(points.iter().map(point_to_hex))
}

/// The list of proofs started: a line with the commitment's digest for each.
pub struct Ledger(PathBuf);

impl Ledger {
    /// The list in the identity's folder.
    pub fn of(identity: &Identity) -> Self {
        Self(identity.directory().join("committed_proofs"))
    }

    /// Proofs started under a commitment.
    fn count(&self, digest: &[u8; 32]) -> Result<usize, Error> {
        let mut text = String::new();
        match File::open(&self.0) {
            Ok(mut file) => file.read_to_string(&mut text).map(|_| ()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|error| Error::file(&self.0, error))?;
        let name = hex::encode(digest);
        Ok(text.lines().filter(|line| *line == name).count())
    }

    /// Adds a proof under each commitment, before any of it leaves this side.
    pub fn add(&self, committed: &[Committed]) -> Result<(), Error> {
        if committed.is_empty() {
            return Ok(());
        }
        let lines: String =
            committed.iter().map(|own| format!("{}\n", hex::encode(own.digest))).collect();
        let open = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.0);
        let write = |mut file: File| {
            file.write_all(lines.as_bytes())?;
            file.sync_all()
        };
        open.and_then(write).map_err(|error| Error::file(&self.0, error))
    }

    /// What this side's user must know before a proof is started.
    pub fn warnings(&self, committed: &[Committed]) -> Result<Vec<String>, Error> {
        let warning = |Committed { what, values, bits, digest }: &Committed| {
            let before = self.count(digest)?;
            let enough = (values * bits).div_ceil(EQUATION_BITS);
            Ok(format!(
                "Your {what} are polycommit: {LINEAR_EQUATION}. Proofs started from this machine \
                 under this commitment so far: {before}. With {values} values of {bits} bits about \
                 {enough} tell them all."
            ))
        };
        committed.iter().map(warning).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_are_counted_by_commitment() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger(folder.path().join("committed_proofs"));
        let own = |byte| Committed { what: "inputs", values: 16, bits: 9, digest: [byte; 32] };
        let before = |byte: u8| ledger.count(&[byte; 32]).unwrap();
        assert_eq!(before(1), 0);
        ledger.add(&[]).unwrap();
        ledger.add(&[own(1)]).unwrap();
        ledger.add(&[own(2), own(1)]).unwrap();
        assert_eq!((before(1), before(2), before(3)), (2, 1, 0));
        let text = ledger.warnings(&[own(1)]).unwrap().concat();
        assert!(
            text.contains("so far: 2. With 16 values of 9 bits about 1 tell them all"),
            "{text}"
        );
    }
}
