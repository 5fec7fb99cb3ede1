//! `prove` without a peer.

use super::witness::{check_instances, evaluate, fresh_seed};
use crate::error::{AtFile, Error};
use crate::files::space_of_proof;
use crate::observe::Run;
use crate::prover::{Prover, ProverFiles};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use twain_artifacts::{ArtifactKind, CompiledModel, Destination, GraphWitness, Proof, Split};
use twain_circuit::Witness;
use twain_graph::Visibility;
use twain_party::{Alone, Phase};

/// What a proof is made from, and where it goes.
#[derive(Clone, Debug)]
pub struct Prove {
    /// The circuit, the proving key, the SRS.
    pub prover: ProverFiles,
    /// The witness.
    pub witness: PathBuf,
    /// Where the proof goes.
    pub proof_path: PathBuf,
    /// Whether the proof is verified before it is written.
    pub verify: bool,
}

/// Proves, checks the proof unless told not to, and writes it; the number of its public values.
///
/// # Errors
/// Files that do not fit together, a witness that does not satisfy the circuit, or
/// [`Fault::Cancelled`](crate::Fault::Cancelled).
pub fn prove(arguments: &Prove, run: &Run) -> Result<usize, Error> {
    let Prove { prover, witness: path, proof_path, verify } = arguments;
    run.enter(Phase::Load)?;
    let place = Destination::open(proof_path, ArtifactKind::Proof)?;
    let witness = GraphWitness::read(path)?;
    let prover = Prover::read(prover, run)?;
    let place = place.reserve(space_of_proof(&prover.compiled.settings))?;
    let proof = prover.prove_from(path, &witness, *verify, run)?;
    let values = proof.instances.iter().map(Vec::len).sum();
    proof.write_to(place)?;
    Ok(values)
}

impl Prover {
    /// Proves for a witness, and checks the proof if `verify` says so.
    ///
    /// # Errors
    /// A witness of another circuit, or that does not satisfy it; keys of another;
    /// [`Fault::Cancelled`](crate::Fault::Cancelled).
    pub fn prove(&self, witness: &GraphWitness, verify: bool, run: &Run) -> Result<Proof, Error> {
        self.prove_from(Path::new("the witness"), witness, verify, run)
    }

    /// The same, for a witness that lies at `path`.
    fn prove_from(
        &self,
        path: &Path,
        witness: &GraphWitness,
        verify: bool,
        run: &Run,
    ) -> Result<Proof, Error> {
        let Prover { compiled, circuit, key, srs, pk_path, .. } = self;
        super::warn_of_looseness(compiled, run);
        let mut party = Alone::new(fresh_seed()).watched_by(run.watched());
        let values = evaluate(&mut party, compiled, circuit, &witness.inputs).at(path)?;
        check_instances(path, witness, compiled, &values)?;
        let mut source = Witness::new(circuit, &values);
        let instances = vec![values.instances.clone()];
        let proof = twain_plonk::prove(&mut party, key, srs, &instances, &mut source)?;
        if verify {
            run.enter(Phase::Verify)?;
            twain_plonk::verify(key.vk(), srs.verifier(), &instances, &proof).map_err(|error| {
            let reason = format!(
                "the proof made with it does not verify ({error}): is it the key of this circuit, \
                 made with this SRS?"
            );
            Error::file(pk_path, reason)
        })?;
        }
        run.enter(Phase::Finish)?;
        let pretty = witness.pretty_public_inputs(&compiled.settings.run_args);
        Ok(Proof::new(instances, proof, split(compiled, witness), pretty, now()))
    }
}

/// Milliseconds since the Unix epoch.
pub fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis())
}

/// Which leading points of the proof are the commitments to the outputs, if outputs are committed.
fn split(compiled: &CompiledModel, witness: &GraphWitness) -> Option<Split> {
    if compiled.settings.run_args.output_visibility != Visibility::KZGCommit {
        return None;
    }
    let points = |processed: &Option<twain_artifacts::Processed>| -> usize {
        let lists = processed.as_ref().and_then(|processed| processed.polycommit.as_ref());
        lists.map_or(0, |lists| lists.iter().map(Vec::len).sum())
    };
    let start = points(&witness.processed_inputs) + points(&witness.processed_params);
    Some(Split { start, end: start + points(&witness.processed_outputs) })
}
