//! `preprocess`: with the peer, makes bundles of what proofs of a circuit need and no input or
//! parameter decides. `prove` takes one by itself when both sides have it.

use super::files::{Common, CommonFiles};
use super::invited;
use super::limits::{limit_text, timeouts_of_bundles};
use super::session::{self, Peer};
use crate::alone::fresh_seed;
use crate::error::Error;
use crate::observe::{Run, bytes};
use twain_link::handshake::Item;
use twain_pair::preprocessing;
use twain_party::PartySeeds;
use twain_party::{Phase, Role};

/// Makes as many bundles as asked for (`proofs`, the same number on both sides).
///
/// # Errors
/// As [`prove`](super::prove()).
pub fn preprocess(
    role: Role,
    files: &CommonFiles,
    proofs: u32,
    peer: &Peer,
    run: &Run,
) -> Result<(), Error> {
    peer.check()?;
    let identity = session::identity_of(&peer.identity)?;
    let common = Common::ready(files, run)
        .map_err(|unready| session::tell(role, peer, &identity, unready, run))?;
    common.preprocess(role, proofs, peer, run)
}

impl Common {
    /// As [`preprocess()`], for a circuit in memory.
    ///
    /// # Errors
    /// As [`prove`](super::prove()).
    pub fn preprocess(&self, role: Role, proofs: u32, peer: &Peer, run: &Run) -> Result<(), Error> {
        invited::check(peer, self)?;
        let identity = session::identity_of(&peer.identity)?;
        let mut store = session::open_store(&identity)?;
        let plan = self.plan(run)?;
        let made = plan.making(role);
        let timeouts = timeouts_of_bundles(peer, made, proofs);
        run.step(format!(
            "A bundle takes {} products and {} digit masks in {} calls: {} to send and {} to receive \
             in {} rounds. {}",
            plan.products(),
            plan.masks(),
            plan.calls().len(),
            bytes(made.sent),
            bytes(made.received),
            made.rounds,
            limit_text(&timeouts),
        ));
        let mut items = self.items();
        items.push(("plan".into(), plan.digest().into()));
        items.push(("command".into(), Item::Text(format!("preprocess --proofs {proofs}"))));
        let (mut channel, session, underway) =
            session::meet(role, peer, timeouts, &identity, &session::manifest(items)?, run)?;
        run.expect((0..proofs).map(|_| (Phase::Preprocess, made)));
        for number in 1..=proofs {
            run.enter(Phase::Preprocess)?;
            let mut bundle = store.make(&mut channel, &session, self.series)?;
            let seeds = PartySeeds { blinding: fresh_seed(), protocol: fresh_seed() };
            let id = bundle.id();
            let write = &mut |bytes: &[u8]| bundle.write(bytes);
            preprocessing::make(&mut channel, id, plan, &seeds, write)?;
            bundle.commit(&mut channel)?;
            run.step(format!("Made bundle {number} of {proofs}."));
        }
        session::finish(channel, underway, run, "the bundles are made", peer)
    }
}
