//! `prove` with a peer, over files: both sides meet, prove, and write the same proof.

use super::commitments::Ledger;
use super::ended::Underway;
use super::files::CommonFiles;
use super::invited;
use super::learnt::say_what_is_learnt;
use super::limits::{limit_text, timeouts_of_proof};
use super::outputs::may_know;
use super::session::{self, Peer, Told, Unready, open_store};
use super::side::{Proven, Side, Terms};
use crate::error::Error;
use crate::files::space_of_proof;
use crate::observe::{Event, Run};
use crate::prover::Prover;
use std::path::PathBuf;
use twain_algebra::Fr;
use twain_artifacts::{
    ArtifactError, ArtifactKind, CompiledModel, Destination, GraphWitness, LookupExtremes,
    OutputFile, PrettyElements, ProcessedElements, Proof,
};
use twain_graph::{Settings, Visibility};
use twain_link::channel::Channel;
use twain_link::channel::tls::TlsChannel;
use twain_link::handshake::Session;
use twain_link::identity::Identity;
use twain_pair::preprocessing::Origin;
use twain_party::Role;
use twain_store::{ReservedBundle, Store, StoreError};

/// What the peer is told if this side cannot write its files.
const CANNOT_WRITE: &str = "it cannot write its results";

/// What a pair's proof is made from on this side, and where it goes.
#[derive(Clone, Debug)]
pub struct ProveFiles {
    /// What both sides hold.
    pub common: CommonFiles,
    /// The input, at the data's side: a file, `@file`, or JSON itself.
    pub data: String,
    /// What is asked of the proof.
    pub terms: Terms,
    /// Where the proof goes.
    pub proof_path: PathBuf,
    /// Where revealed outputs go.
    pub output_path: PathBuf,
}

/// Proves with the peer, as `role`'s side, and writes the proof; the number of its public
/// values.
///
/// # Errors
/// Whatever [`Side::read`] and [`Side::prove_over`] say; a peer that cannot be met, or holds other
/// things; [`Fault::Cancelled`](crate::Fault::Cancelled).
pub fn prove(role: Role, files: &ProveFiles, peer: &Peer, run: &Run) -> Result<usize, Error> {
    peer.check()?;
    let identity = session::identity_of(&peer.identity)?;
    // Whatever stands in the way of writing must not show when the peer has the proof already.
    let ready = Places::open(role, files).and_then(|places| {
        let side = Side::ready(role, &files.common, &files.data, &files.terms, run)?;
        let places = places.reserve(&side.common.prover.compiled.settings)?;
        Ok((side, places))
    });
    let (side, places) =
        ready.map_err(|unready| session::tell(role, peer, &identity, unready, run))?;
    let mut meeting = side.meet(peer, identity, run)?;
    let proven = meeting.prove(run)?;
    let compiled = &side.common.prover.compiled;
    let values = proven.instances.iter().map(Vec::len).sum();
    let pretty = public_elements(compiled, &proven.instances);
    Proof::new(proven.instances, proven.proof, None, pretty, proven.timestamp)
        .write_to(places.proof)?;
    if let (Some(outputs), Some(place)) = (proven.outputs, places.outputs) {
        OutputFile::new(outputs, &compiled.settings).write_to(place)?;
    }
    meeting.finish("the proof is written", run)?;
    Ok(values)
}

/// Where the results go.
struct Places {
    proof: Destination,
    /// If this side may know outputs that the proof does not publish.
    outputs: Option<Destination>,
}

impl Places {
    fn open(role: Role, files: &ProveFiles) -> Result<Self, Unready> {
        let open = || {
            let proof = Destination::open(&files.proof_path, ArtifactKind::Proof)?;
            let outputs = may_know(files.terms.reveal, role)
                .then(|| Destination::open(&files.output_path, ArtifactKind::Output));
            Ok::<_, ArtifactError>(Self { proof, outputs: outputs.transpose()? })
        };
        open().map_err(Error::from).told(CANNOT_WRITE)
    }

    fn reserve(self, settings: &Settings) -> Result<Self, Unready> {
        let bytes = space_of_proof(settings);
        let reserve = || {
            let outputs = self.outputs.map(|outputs| outputs.reserve(bytes)).transpose()?;
            Ok::<_, ArtifactError>(Self { proof: self.proof.reserve(bytes)?, outputs })
        };
        reserve().map_err(Error::from).told(CANNOT_WRITE)
    }
}

/// A side that has met its peer, for one proof.
pub struct Meeting<'a> {
    side: &'a Side,
    peer: &'a Peer,
    identity: Identity,
    ledger: Ledger,
    channel: TlsChannel,
    session: Session,
    underway: Underway,
    /// The one proof of the session was begun.
    is_used: bool,
}

impl Side {
    /// Meets the peer, which must hold the same and have been told to do the same. Says before what
    /// will be learnt, and what it takes.
    ///
    /// # Errors
    /// A peer that cannot be met, or holds other things; an identity that cannot be used;
    /// [`Fault::Cancelled`](crate::Fault::Cancelled).
    pub fn connect<'a>(&'a self, peer: &'a Peer, run: &Run) -> Result<Meeting<'a>, Error> {
        peer.check()?;
        self.meet(peer, session::identity_of(&peer.identity)?, run)
    }

    fn meet<'a>(
        &'a self,
        peer: &'a Peer,
        identity: Identity,
        run: &Run,
    ) -> Result<Meeting<'a>, Error> {
        invited::check(peer, &self.common)?;
        let ledger = Ledger::of(&identity);
        let Prover { compiled, owners, .. } = &self.common.prover;
        let args = &compiled.settings.run_args;
        say_what_is_learnt(self.role, owners, args, self.reveal, run);
        ledger.warnings(&self.committed)?.into_iter().for_each(|warning| run.warn(warning));
        let timeouts = timeouts_of_proof(peer, self.forecast());
        run.tell(Event::Forecast(self.forecast().clone()));
        run.step(limit_text(&timeouts));
        let (channel, session, underway) =
            session::meet(self.role, peer, timeouts, &identity, &self.manifest("prove")?, run)?;
        let is_used = false;
        Ok(Meeting { side: self, peer, identity, ledger, channel, session, underway, is_used })
    }
}

impl Meeting<'_> {
    /// Proves, from a bundle if both sides have one; once.
    ///
    /// # Errors
    /// A second call: each attempt may tell the peer something, and sessions are what is counted.
    /// As [`Side::prove_over`]; a store of bundles that cannot be used.
    pub fn prove(&mut self, run: &Run) -> Result<Proven, Error> {
        let Self { side, identity, ledger, channel, session, .. } = self;
        if std::mem::replace(&mut self.is_used, true) {
            let text = "a session is for one proof: meet the peer again for another one";
            return Err(Error::Usage(text.into()));
        }
        let bundle = reserve(channel, session, identity, side.common.series, run)?;
        let origin = if bundle.is_some() { Origin::Bundle } else { Origin::Inline };
        run.expect(side.forecast().phases(origin));
        ledger.add(&side.committed)?;
        side.prove_with(channel, bundle, run)
    }

    /// Ends the session in good order, so that the peer knows that this side is `done` with what it
    /// wanted. That the peer does not say the same is only told to `run`.
    ///
    /// # Errors
    /// [`Fault::Cancelled`](crate::Fault::Cancelled).
    pub fn finish(self, done: &str, run: &Run) -> Result<(), Error> {
        session::finish(self.channel, self.underway, run, done, self.peer)
    }
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
