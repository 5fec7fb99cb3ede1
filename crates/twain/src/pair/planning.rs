//! Finding out, without the peer, what a proof of the circuit asks of its sources and sends: the prover
//! runs on zeros over a party that only notes it.

use crate::error::Error;
use crate::prover::Prover;
use twain_algebra::Fr;
use twain_circuit::{Source, Sources, Witness};
use twain_pair::preprocessing::Plan;
use twain_pair::rehearse;
use twain_party::Watched;

/// Plans a proof, unless who watches ends it.
pub fn plan(prover: &Prover, watched: &Watched) -> Result<Plan, Error> {
    let Prover { circuit, key, srs, .. } = prover;
    let zeros = |sources: &[Source]| -> Vec<Vec<Fr>> {
        sources.iter().map(|source| vec![Fr::zero(); source.length]).collect()
    };
    let program = &circuit.program;
    let (inputs, parameters) = (zeros(program.inputs()), zeros(program.parameters()));
    let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
    rehearse(watched, |party| {
        let values = circuit.run(party, &sources)?;
        let instances = vec![values.instances.clone()];
        let mut witness = Witness::new(circuit, &values);
        twain_plonk::prove(party, key, srs, &instances, &mut witness)?;
        Ok(())
    })
}
