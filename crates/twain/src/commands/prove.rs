//! `prove` without a peer.

use super::load_circuit;
use super::witness::{check_instances, fresh_seed, run};
use crate::arguments::{CheckMode, Prove};
use crate::error::{AtFile, Error};
use crate::files;
use crate::report::{self, Phases};
use rand_core::OsRng;
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::info_span;
use twain::key_files::{ExtendedForm, read_proving_key, read_srs};
use twain_artifacts::{CompiledModel, GraphWitness, Proof, Split};
use twain_circuit::Witness;
use twain_graph::Visibility;
use twain_party::Alone;

/// Proves, checks the proof unless told not to, and writes it.
pub fn prove(arguments: &Prove, phases: &Phases) -> Result<(), Error> {
    let span = info_span!("circuit and files").entered();
    let (compiled, circuit) = load_circuit(&arguments.compiled_circuit)?;
    super::warn_of_looseness(&compiled);
    let witness = GraphWitness::read(&arguments.witness)?;
    let logrows = compiled.settings.run_args.logrows;
    let srs_path = files::srs_path(&arguments.srs.srs_path, logrows)?;
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
    span.exit();
    let span = info_span!("witness").entered();
    let values = run(&compiled, &circuit, &witness.inputs).at(&arguments.witness)?;
    check_instances(&arguments.witness, &witness, &compiled, &values)?;
    span.exit();
    let mut party = Alone::new(fresh_seed());
    let mut source = Witness::new(&circuit, &values);
    let instances = vec![values.instances.clone()];
    let proof = twain_plonk::prove(&mut party, &key, &srs, &instances, &mut source)?;
    if arguments.check_mode == CheckMode::Safe {
        let _span = info_span!("verify").entered();
        twain_plonk::verify(key.vk(), srs.verifier(), &instances, &proof).map_err(|error| {
            let reason = format!("the proof made with it does not verify ({error}): is it the key of this circuit, made with this SRS?");
            Error::file(&arguments.pk_path, reason)
        })?;
    }
    let pretty = witness.pretty_public_inputs(&compiled.settings.run_args);
    Proof::new(instances, proof, split(&compiled, &witness), pretty, now())
        .write(&arguments.proof_path)?;
    phases.finish();
    report::print_costs(phases, &[]);
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
