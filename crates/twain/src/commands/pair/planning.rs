//! Finding out, without the peer, what a proof of the circuit asks of its sources and sends: the prover
//! runs on zeros over a party that only notes it.

use super::files::Common;
use crate::error::Error;
use std::sync::{Arc, Mutex};
use tracing::info_span;
use tracing::span::Id;
use tracing::subscriber::with_default;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::Registry;
use twain_algebra::Fr;
use twain_circuit::{Source, Sources, Witness};
use twain_pair::preprocessing::{Mark, Plan, Planner, Progress};

/// What one proof of a circuit takes of the sources, and when.
pub struct Planned {
    pub plan: Plan,
    /// The prover's phases in their order, and where each ends.
    pub phases: Vec<(&'static str, Mark)>,
}

/// Plans a proof.
pub fn plan(Common { circuit, key, srs, .. }: &Common) -> Result<Planned, Error> {
    let _planning = info_span!("plan").entered();
    let zeros = |sources: &[Source]| -> Vec<Vec<Fr>> {
        sources.iter().map(|source| vec![Fr::zero(); source.length]).collect()
    };
    let program = &circuit.program;
    let (inputs, parameters) = (zeros(program.inputs()), zeros(program.parameters()));
    let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
    let mut planner = Planner::default();
    let phases = Arc::default();
    let ends = PhaseEnds { progress: planner.progress(), phases: Arc::clone(&phases) };
    // The phases are not those of a proof, whose costs are told: they have a subscriber of their own.
    with_default(Registry::default().with(ends), || -> Result<(), Error> {
        let witness = info_span!("witness").entered();
        let values = circuit.run(&mut planner, &sources)?;
        drop(witness);
        let instances = vec![values.instances.clone()];
        let mut witness = Witness::new(circuit, &values);
        twain_plonk::prove(&mut planner, key, srs, &instances, &mut witness)?;
        Ok(())
    })?;
    let phases = phases.lock().map(|mut phases| std::mem::take(&mut *phases)).unwrap_or_default();
    Ok(Planned { plan: planner.finish(), phases })
}

/// Marks the places where the outermost spans end.
struct PhaseEnds {
    progress: Progress,
    phases: Arc<Mutex<Vec<(&'static str, Mark)>>>,
}

impl Layer<Registry> for PhaseEnds {
    fn on_close(&self, id: Id, context: Context<'_, Registry>) {
        let Some(span) = context.span(&id).filter(|span| span.parent().is_none()) else { return };
        if let Ok(mut phases) = self.phases.lock() {
            phases.push((span.name(), self.progress.mark()));
        }
    }
}
