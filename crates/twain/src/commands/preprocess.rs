//! `preprocess`: with the peer, makes bundles of what proofs of a circuit need and no input or
//! parameter decides. `prove` takes one by itself when both sides have it.

use super::pair::{self, Common};
use super::witness::fresh_seed;
use crate::arguments::Preprocess;
use crate::error::Error;
use crate::report::{Phases, bytes};
use tracing::info_span;
use twain_mpc::PartySeeds;
use twain_mpc::handshake::Item;
use twain_mpc::preprocessing;

/// Makes as many bundles as asked for.
pub fn preprocess(arguments: &Preprocess, phases: &Phases) -> Result<(), Error> {
    let Preprocess { compiled_circuit, pk_path, srs, proofs, pair } = arguments;
    let Some(side) = pair.id else {
        let text = "preprocess needs a peer: give --remote-peer, --local-addr and --id";
        return Err(Error::Usage(text.into()));
    };
    let role = pair::role(side);
    let identity = pair::identity_of(&pair.identity)?;
    let load = info_span!("load").entered();
    let common = Common::read(compiled_circuit, pk_path, srs, pair)
        .map_err(|unready| pair::tell(role, pair, &identity, unready, phases))?;
    let digests = common.digests()?;
    let series = pair::series(&digests);
    let mut store = pair::open_store(&identity).map_err(Error::peer)?;
    drop(load);
    let plan = pair::plan(&common)?.plan;
    let made = plan.making(role);
    let timeouts = pair::timeouts_of_bundles(pair, made, *proofs);
    phases.say(&format!(
        "A bundle takes {} products and {} digit masks in {} calls: {} to send and {} to receive in \
         {} rounds. {}",
        plan.products(),
        plan.masks(),
        plan.calls().len(),
        bytes(made.sent),
        bytes(made.received),
        made.rounds,
        pair::limit_text(&timeouts),
    ));
    let mut items: Vec<(String, Item)> =
        digests.into_iter().map(|(name, digest)| (name, digest.into())).collect();
    items.push(("plan".into(), plan.digest().into()));
    items.push(("command".into(), Item::Text(format!("preprocess --proofs {proofs}"))));
    let (mut channel, session) = pair::meet(role, pair, timeouts, &identity, items, phases)?;
    phases.expect((0..*proofs).map(|_| ("make", made)));
    for number in 1..=*proofs {
        let _making = info_span!("make").entered();
        let mut bundle = store.make(&mut channel, &session, series).map_err(Error::peer)?;
        let seeds = PartySeeds { blinding: fresh_seed(), protocol: fresh_seed() };
        let id = bundle.id();
        let write = &mut |bytes: &[u8]| bundle.write(bytes);
        preprocessing::make(&mut channel, id, &plan, &seeds, write).map_err(Error::peer)?;
        bundle.commit(&mut channel).map_err(Error::peer)?;
        phases.say(&format!("Made bundle {number} of {proofs}."));
    }
    pair::finish(channel, phases, "the bundles are made", pair);
    Ok(())
}
