//! `prove` with a peer: both run the prover over their shares, and both verify the finished proof before
//! either writes it.

use super::commitments::{self, Committed, Ledger};
use super::files::{Common, digest_scalars, series};
use super::forecast::{Forecast, say_what_is_learnt};
use super::outputs;
use super::planning::plan;
use super::secret::Secret;
use super::session::{self, Told, Unready, finish, meet, open_store};
use crate::arguments::{Prove, Reveal, Side};
use crate::commands::prove::now;
use crate::commands::witness::fresh_seed;
use crate::error::Error;
use crate::report::Phases;
use tracing::info_span;
use twain_algebra::Fr;
use twain_artifacts::{
    CompiledModel, GraphWitness, LookupExtremes, OutputFile, PrettyElements, ProcessedElements,
    Proof,
};
use twain_circuit::Witness;
use twain_graph::Visibility;
use twain_mpc::channel::Channel;
use twain_mpc::handshake::{Item, Session};
use twain_mpc::identity::Identity;
use twain_mpc::preprocessing::{Origin, Plan, stored};
use twain_mpc::store::{ReservedBundle, Store, StoreError};
use twain_mpc::{PartySeeds, TwoParty};
use twain_party::{Role, Shares};

/// Proves with the peer.
pub fn prove(arguments: &Prove, side: Side, phases: &Phases) -> Result<(), Error> {
    let role = session::role(side);
    let pair = &arguments.pair;
    let identity = session::identity_of(&pair.identity)?;
    let ready = Ready::new(role, arguments)
        .map_err(|unready| session::tell(role, pair, &identity, unready, phases))?;
    let Ready { common, secret, committed, items, series, plan, forecast } = ready;

    let reveal = arguments.reveal_output;
    let ledger = Ledger::of(&identity);
    say_what_is_learnt(role, &common.compiled.settings.run_args, reveal, phases);
    ledger.warnings(&committed)?.iter().for_each(|warning| phases.say(warning));
    let timeouts = forecast.timeouts(pair);
    forecast.say(phases, &timeouts);
    let (mut channel, session) = meet(role, pair, timeouts, &identity, items, phases)?;
    let bundle = reserve(&mut channel, &session, &identity, series, phases)?;
    let origin = if bundle.is_some() { Origin::Bundle } else { Origin::Inline };
    phases.expect(forecast.phases(origin));
    ledger.add(&committed)?;
    let made = make(&mut channel, &common, bundle, &plan, &secret);
    drop(secret);
    let Made { instances, proof, outputs } = made?;
    let Common { compiled, key, srs, .. } = &common;
    twain_plonk::verify(key.vk(), srs.verifier(), &instances, &proof).map_err(|error| {
        let reason = format!("the pair's proof does not verify ({error}); nothing was written");
        Error::file(&arguments.pk_path, reason)
    })?;
    let timestamp = agree_on_time(&mut channel)?;
    let revealed = outputs::reveal(&mut channel, reveal, outputs)?;
    let pretty = public_elements(compiled, &instances);
    Proof::new(instances, proof, None, pretty, timestamp).write(&arguments.proof_path)?;
    if let Some(outputs) = revealed {
        OutputFile::new(outputs, &compiled.settings).write(&arguments.output_path)?;
    }
    finish(channel, phases, "the proof is written", pair);
    Ok(())
}

/// Everything a side has before it meets the peer.
struct Ready {
    common: Common,
    secret: Secret,
    committed: Vec<Committed>,
    /// What is compared with the peer.
    items: Vec<(String, Item)>,
    /// The name of fitting bundles in the store.
    series: [u8; 32],
    plan: Plan,
    forecast: Forecast,
}

impl Ready {
    fn new(role: Role, arguments: &Prove) -> Result<Self, Unready> {
        let load = info_span!("load").entered();
        let Prove { compiled_circuit, pk_path, srs, pair, reveal_output, .. } = arguments;
        let common = Common::read(compiled_circuit, pk_path, srs, pair)?;
        let args = &common.compiled.settings.run_args;
        outputs::check(*reveal_output, args)
            .told("it was told to reveal outputs, which are public")?;
        let secret = Secret::read(role, &common.compiled, arguments)?;
        let digests = common.digests()?;
        let series = series(&digests);
        let text = |name: &str, text: &str| (name.to_string(), Item::Text(text.into()));
        let mut items: Vec<(String, Item)> =
            digests.into_iter().map(|(name, digest)| (name, digest.into())).collect();
        items.push(text("command", "prove"));
        items.push(text("--reveal-output", reveal_output.map_or("nothing", Reveal::name)));
        if let (true, Some(inputs)) = (args.input_visibility.is_public(), &secret.inputs) {
            let digest = digest_scalars(inputs.iter().flatten());
            items.push(("public inputs".into(), digest.into()));
        }
        let committed = commitments::of_secret(role, &common, &secret);
        let file = arguments.published_commitment.as_deref();
        let published = commitments::published(role, &common.compiled, &committed, file);
        let published = published.told("its published commitment cannot be used")?;
        items.extend(published.map(|item| (commitments::PUBLISHED.to_string(), item)));
        drop(load);
        let planned = plan(&common)?;
        items.push(("plan".into(), planned.plan.digest().into()));
        let forecast = Forecast::new(&planned, common.key.system(), role);
        let plan = planned.plan;
        Ok(Self { common, secret, committed, items, series, plan, forecast })
    }
}

/// A bundle both sides have for this proof, if there is one.
fn reserve(
    channel: &mut dyn Channel,
    session: &Session,
    identity: &Identity,
    series: [u8; 32],
    phases: &Phases,
) -> Result<Option<ReservedBundle>, Error> {
    let bundle = match open_store(identity) {
        Ok(mut store) => store.reserve(channel, session, series).map_err(Error::peer)?,
        Err(error @ StoreError::Locked(_)) => {
            tracing::warn!("{error}");
            Store::decline(channel).map_err(Error::peer)?;
            None
        }
        Err(error) => return Err(Error::peer(error)),
    };
    phases.say(&match &bundle {
        Some(bundle) => format!("Uses bundle {} of the store.", bundle.index()),
        None => "No bundle on both sides: everything is made now (see preprocess).".into(),
    });
    Ok(bundle)
}

/// What the two-party prover gives a side.
struct Made {
    instances: Vec<Vec<Fr>>,
    proof: Vec<u8>,
    /// This side's shares.
    outputs: Vec<Shares>,
}

/// Runs the two-party prover.
fn make(
    channel: &mut dyn Channel,
    Common { circuit, key, srs, .. }: &Common,
    bundle: Option<ReservedBundle>,
    plan: &Plan,
    secret: &Secret,
) -> Result<Made, Error> {
    let adds_public = channel.role() == Role::Model;
    let seeds = PartySeeds { blinding: fresh_seed(), protocol: fresh_seed() };
    let mut party = match bundle {
        Some(bundle) => {
            let (products, material) = stored(bundle.id(), bundle).map_err(Error::peer)?;
            TwoParty::new(channel, Box::new(products), Box::new(material), &seeds)
        }
        None => TwoParty::planned(channel, plan, &seeds),
    };
    let witness = info_span!("witness").entered();
    let values = circuit.run(&mut party, &secret.sources())?;
    drop(witness);
    let instances = vec![values.instances.clone()];
    let mut source = Witness::new(circuit, &values);
    let outputs = source.output_shares(adds_public);
    let proof = twain_plonk::prove(&mut party, key, srs, &instances, &mut source)?;
    Ok(Made { instances, proof, outputs })
}

/// The proof's timestamp is the model's, so that both sides write the same file.
fn agree_on_time(channel: &mut dyn Channel) -> Result<u128, Error> {
    const PHASE: &str = "farewell";
    let own = now();
    match channel.role() {
        Role::Model => {
            channel.send(PHASE, own.to_le_bytes().to_vec()).map_err(Error::peer)?;
            Ok(own)
        }
        Role::Data => {
            let bytes = channel.receive(PHASE, size_of::<u128>()).map_err(Error::peer)?;
            Ok(bytes.try_into().map_or(own, u128::from_le_bytes))
        }
    }
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
