//! `preprocess`: with the peer, makes bundles of what proofs of a circuit need and no input or
//! parameter decides. `prove` takes one by itself when both sides have it.

use super::pair::{self, Common};
use super::witness::fresh_seed;
use crate::arguments::Preprocess;
use crate::error::Error;
use crate::report::Phases;
use tracing::info_span;
use twain_algebra::Fr;
use twain_circuit::{Source, Sources, Witness};
use twain_mpc::PartySeeds;
use twain_mpc::preprocessing::{self, Plan, Planner};
use twain_mpc::store::Store;

/// Makes as many bundles as asked for.
pub fn preprocess(arguments: &Preprocess, phases: &Phases) -> Result<(), Error> {
    let Preprocess { compiled_circuit, pk_path, srs, proofs, pair } = arguments;
    let Some(side) = pair.id else {
        let text = "preprocess needs a peer: give --remote-peer, --local-addr and --id";
        return Err(Error::Usage(text.into()));
    };
    let role = pair::role(side);
    let load = info_span!("load").entered();
    let common = Common::read(compiled_circuit, pk_path, srs, pair)?;
    let mut digests = common.digests()?;
    let series = pair::series(&digests);
    let identity = pair::identity_of(&pair.identity)?;
    let mut store = Store::open(&pair::store_folder(&identity), &identity).map_err(Error::peer)?;
    drop(load);
    let plan = plan(&common)?;
    eprintln!(
        "A proof takes {} products and {} digit masks in {} calls.",
        plan.products(),
        plan.masks(),
        plan.calls().len()
    );
    digests.push(("plan".into(), plan.digest()));
    let command = format!("preprocess {proofs} proofs");
    let (mut channel, session) = pair::meet(role, pair, &identity, digests, &command, phases)?;
    for number in 1..=*proofs {
        let _making = info_span!("make").entered();
        let mut bundle = store.make(&mut channel, &session, series).map_err(Error::peer)?;
        let seeds = PartySeeds { blinding: fresh_seed(), protocol: fresh_seed() };
        let id = bundle.id();
        let write = &mut |bytes: &[u8]| bundle.write(bytes);
        preprocessing::make(&mut channel, id, &plan, &seeds, write).map_err(Error::peer)?;
        bundle.commit(&mut channel).map_err(Error::peer)?;
        eprintln!("Made bundle {number} of {proofs}.");
    }
    pair::finish(channel, phases, "the bundles are made", pair);
    Ok(())
}

/// What one proof of the circuit asks of its sources.
fn plan(Common { circuit, key, srs, .. }: &Common) -> Result<Plan, Error> {
    let _planning = info_span!("plan").entered();
    let zeros = |sources: &[Source]| -> Vec<Vec<Fr>> {
        sources.iter().map(|source| vec![Fr::zero(); source.length]).collect()
    };
    let program = &circuit.program;
    let (inputs, parameters) = (zeros(program.inputs()), zeros(program.parameters()));
    let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
    let mut planner = Planner::default();
    let values = program.run(&mut planner, &sources)?;
    let instances = vec![values.instances.clone()];
    let mut witness = Witness::new(circuit, &values);
    twain_plonk::prove(&mut planner, key, srs, &instances, &mut witness)?;
    Ok(planner.finish())
}
