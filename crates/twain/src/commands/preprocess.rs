//! `preprocess`: with the peer, makes bundles of what proofs of a circuit need and no input or
//! parameter decides. `prove` takes one by itself when both sides have it.

use super::pair::{self, Common};
use super::witness::fresh_seed;
use crate::arguments::Preprocess;
use crate::error::Error;
use crate::observe::{Run, bytes};
use twain_party::PartySeeds;
use twain_link::handshake::Item;
use twain_pair::preprocessing;
use twain_store::Store;
use twain_party::Phase;

/// Makes as many bundles as asked for.
pub fn preprocess(arguments: &Preprocess, run: &Run) -> Result<(), Error> {
    let Preprocess { compiled_circuit, pk_path, srs, proofs, pair } = arguments;
    let Some(side) = pair.id else {
        let text = "preprocess needs a peer: give --remote-peer, --local-addr and --id";
        return Err(Error::Usage(text.into()));
    };
    let role = pair::role(side);
    let identity = pair::identity_of(&pair.identity)?;
    run.enter(Phase::Load)?;
    let common = Common::read(compiled_circuit, pk_path, srs, pair, run)
        .map_err(|unready| pair::tell(role, pair, &identity, unready, run))?;
    let digests = common.digests()?;
    let series = pair::series(&digests);
    let mut store = Store::open(&pair::store_folder(&identity), &identity)?;
    let plan = pair::plan(&common, run)?;
    let made = plan.making(role);
    run.step(format!(
        "A bundle takes {} products and {} digit masks in {} calls: {} to send and {} to receive in \
         {} rounds.",
        plan.products(),
        plan.masks(),
        plan.calls().len(),
        bytes(made.sent),
        bytes(made.received),
        made.rounds,
    ));
    let mut items: Vec<(String, Item)> =
        digests.into_iter().map(|(name, digest)| (name, digest.into())).collect();
    items.push(("plan".into(), plan.digest().into()));
    items.push(("command".into(), Item::Text(format!("preprocess --proofs {proofs}"))));
    let (mut channel, session) = pair::meet(role, pair, &identity, &pair::manifest(items)?, run)?;
    run.expect((0..*proofs).map(|_| (Phase::Preprocess, made)));
    for number in 1..=*proofs {
        run.enter(Phase::Preprocess)?;
        let mut bundle = store.make(&mut channel, &session, series)?;
        let seeds = PartySeeds { blinding: fresh_seed(), protocol: fresh_seed() };
        let id = bundle.id();
        let write = &mut |bytes: &[u8]| bundle.write(bytes);
        preprocessing::make(&mut channel, id, &plan, &seeds, write)?;
        bundle.commit(&mut channel)?;
        run.step(format!("Made bundle {number} of {proofs}."));
    }
    pair::finish(channel, run, "the bundles are made", pair)
}
