//! `prove` with a peer, over files: both sides meet, prove, and write the same proof.

use super::commitments::Ledger;
use super::files::CommonFiles;
use super::forecast::{limit_text, say_what_is_learnt};
use super::invitation;
use super::outputs::Reveal;
use super::session::{self, Peer, finish, meet, open_store};
use super::side::Side;
use crate::error::Error;
use crate::observe::{Event, Run};
use std::path::PathBuf;
use twain_algebra::Fr;
use twain_artifacts::{
    CompiledModel, GraphWitness, LookupExtremes, OutputFile, PrettyElements, ProcessedElements,
    Proof,
};
use twain_graph::Visibility;
use twain_link::channel::Channel;
use twain_link::handshake::Session;
use twain_link::identity::Identity;
use twain_pair::preprocessing::Origin;
use twain_party::Role;
use twain_store::{ReservedBundle, Store, StoreError};

/// What a pair's proof is made from on this side, and where it goes.
#[derive(Clone, Debug)]
pub struct ProveFiles {
    /// What both sides hold.
    pub common: CommonFiles,
    /// The input, at the data's side: a file, `@file`, or JSON itself.
    pub data: String,
    /// Where the proof goes.
    pub proof_path: PathBuf,
    /// Who learns outputs that the proof does not publish; the same on both sides.
    pub reveal: Option<Reveal>,
    /// Where revealed outputs go.
    pub output_path: PathBuf,
    /// A witness with a published polycommit of the parameters, which the proof must be about.
    pub published_commitment: Option<PathBuf>,
}

/// Proves with the peer, as `role`'s side, and writes the proof.
///
/// # Errors
/// Whatever [`Side::read`] and [`Side::prove_over`] say; a peer that cannot be met, or holds other
/// things; [`Fault::Cancelled`](crate::Fault::Cancelled).
pub fn prove(role: Role, files: &ProveFiles, peer: &Peer, run: &Run) -> Result<(), Error> {
    let identity = session::identity_of(&peer.identity)?;
    let ProveFiles { common, data, reveal, .. } = files;
    let side = Side::ready(role, common, data, *reveal, files.published_commitment.as_deref(), run)
        .map_err(|unready| session::tell(role, peer, &identity, unready, run))?;
    invitation::check(peer, &common.compiled_circuit, &side.common)?;
    let ledger = Ledger::of(&identity);
    let compiled = &side.common.compiled;
    say_what_is_learnt(role, &compiled.settings.run_args, side.reveal, run);
    ledger.warnings(&side.committed)?.into_iter().for_each(|warning| run.warn(warning));
    let timeouts = side.forecast().timeouts(peer);
    run.tell(Event::Forecast(side.forecast().clone()));
    run.step(limit_text(&timeouts));
    let (mut channel, session) = meet(role, peer, timeouts, &identity, &side.manifest, run)?;
    let bundle = reserve(&mut channel, &session, &identity, side.series, run)?;
    let origin = if bundle.is_some() { Origin::Bundle } else { Origin::Inline };
    run.expect(side.forecast().phases(origin));
    ledger.add(&side.committed)?;
    let proven = side.prove_with(&mut channel, bundle, run)?;
    let pretty = public_elements(compiled, &proven.instances);
    Proof::new(proven.instances, proven.proof, None, pretty, proven.timestamp)
        .write(&files.proof_path)?;
    if let Some(outputs) = proven.outputs {
        OutputFile::new(outputs, &compiled.settings).write(&files.output_path)?;
    }
    finish(channel, run, "the proof is written", peer)
}

/// A bundle both sides have for this proof, if there is one.
fn reserve(
    channel: &mut dyn Channel,
    session: &Session,
    identity: &Identity,
    series: [u8; 32],
    run: &Run,
) -> Result<Option<ReservedBundle>, Error> {
    let bundle = match open_store(identity) {
        Ok(mut store) => store.reserve(channel, session, series)?,
        Err(error @ StoreError::Locked(_)) => {
            run.warn(error.to_string());
            Store::decline(channel)?;
            None
        }
        Err(error) => return Err(error.into()),
    };
    run.step(match &bundle {
        Some(bundle) => format!("Uses bundle {} of the store.", bundle.index()),
        None => "No bundle on both sides: everything is made now (see preprocess).".into(),
    });
    Ok(bundle)
}

/// The instances for people: the outputs, if they are public.
fn public_elements(compiled: &CompiledModel, instances: &[Vec<Fr>]) -> Option<PrettyElements> {
    let settings = &compiled.settings;
    let args = &settings.run_args;
    let mut values = instances.iter().flatten().copied();
    let mut shapes = settings.model_instance_shapes.iter();
    let mut take = |public: bool, tensors: usize| -> Vec<Vec<Fr>> {
        let shapes = shapes.by_ref().take(if public { tensors } else { 0 });
        shapes.map(|shape| values.by_ref().take(shape.iter().product()).collect()).collect()
    };
    // With hashed tensors the column begins with their digests; the file then shows none of it.
    if [&args.input_visibility, &args.param_visibility].into_iter().any(Visibility::is_hashed) {
        return None;
    }
    let inputs = take(args.input_visibility.is_public(), settings.model_input_scales.len());
    let outputs = take(args.output_visibility.is_public(), settings.model_output_scales.len());
    let nothing = (ProcessedElements::default(), LookupExtremes::default());
    GraphWitness::new(inputs, outputs, nothing.0, nothing.1, settings).pretty_public_inputs(args)
}
