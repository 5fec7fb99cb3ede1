//! `prove` without a peer.

use super::load_circuit;
use super::witness::{check_instances, evaluate, fresh_seed};
use crate::error::{AtFile, Error};
use crate::files;
use crate::key_files::{ExtendedForm, read_proving_key, read_srs};
use crate::observe::Run;
use rand_core::OsRng;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use twain_artifacts::{CompiledModel, GraphWitness, Proof, Split};
use twain_circuit::Witness;
use twain_graph::Visibility;
use twain_party::{Alone, Phase};

/// What a proof is made from, and where it goes.
#[derive(Clone, Debug)]
pub struct Prove {
    /// The witness.
    pub witness: PathBuf,
    /// The compiled circuit.
    pub compiled_circuit: PathBuf,
    /// The proving key.
    pub pk_path: PathBuf,
    /// The SRS, if not EZKL's default for the number of rows.
    pub srs_path: Option<PathBuf>,
    /// Where the proof goes.
    pub proof_path: PathBuf,
    /// Whether the proof is verified before it is written.
    pub verify: bool,
    /// Accept that the proof says nothing of the einsums.
    pub allow_unbound_einsums: bool,
}

/// Proves, checks the proof unless told not to, and writes it.
///
/// # Errors
/// Files that do not fit together, a witness that does not satisfy the circuit, or
/// [`Fault::Cancelled`](crate::Fault::Cancelled).
pub fn prove(arguments: &Prove, run: &Run) -> Result<(), Error> {
    run.enter(Phase::Load)?;
    let (compiled, circuit) = load_circuit(&arguments.compiled_circuit)?;
    super::refuse_untied_einsums(
        &arguments.compiled_circuit,
        &compiled,
        arguments.allow_unbound_einsums,
    )?;
    super::warn_of_looseness(&compiled, run);
    let witness = GraphWitness::read(&arguments.witness)?;
    let logrows = compiled.settings.run_args.logrows;
    let srs_path = files::srs_path(&arguments.srs_path, logrows)?;
    let format = files::key_format()?;
    let (key, srs) = rayon::join(
        || {
            read_proving_key(
                &arguments.pk_path,
                format,
                circuit.cs.clone(),
                logrows,
                ExtendedForm::faster(),
            )
        },
        || read_srs(&srs_path, logrows, &mut OsRng),
    );
    let (key, srs) = (key?, srs?);
    let mut party = Alone::new(fresh_seed()).watched_by(run.watched());
    let values = evaluate(&mut party, &compiled, &circuit, &witness.inputs);
    let values = values.at(&arguments.witness)?;
    check_instances(&arguments.witness, &witness, &compiled, &values)?;
    let mut source = Witness::new(&circuit, &values);
    let instances = vec![values.instances.clone()];
    let proof = twain_plonk::prove(&mut party, &key, &srs, &instances, &mut source)?;
    if arguments.verify {
        run.enter(Phase::Verify)?;
        twain_plonk::verify(key.vk(), srs.verifier(), &instances, &proof).map_err(|error| {
            let reason = format!("the proof made with it does not verify ({error}): is it the key of this circuit, made with this SRS?");
            Error::file(&arguments.pk_path, reason)
        })?;
    }
    run.enter(Phase::Finish)?;
    let pretty = witness.pretty_public_inputs(&compiled.settings.run_args);
    Proof::new(instances, proof, split(&compiled, &witness), pretty, now())
        .write(&arguments.proof_path)?;
    Ok(())
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
