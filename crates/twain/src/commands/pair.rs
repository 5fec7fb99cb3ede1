//! `prove` with a peer, and `identity`.
//!
//! Each side reads what is its own, checks it before it connects, agrees with the peer that both hold
//! the same circuit, keys and SRS, and runs the prover over its shares. Both verify the finished
//! proof before either writes it.

use super::load_circuit;
use super::witness::fresh_seed;
use crate::arguments::{Pair, Prove, Side, SrsPath};
use crate::error::{AtFile, Error};
use crate::files;
use crate::report::{self, Phases};
use sha2::{Digest, Sha256};
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use tracing::info_span;
use twain::key_files::{ExtendedForm, read_proving_key, read_srs};
use twain_algebra::Fr;
use twain_artifacts::{
    CompiledModel, GraphWitness, InputFile, LookupExtremes, ProcessedElements, Proof, redact,
};
use twain_circuit::{Circuit, Sources, Witness, parameters, refused_in_pairs};
use twain_graph::numbers::field_to_integer;
use twain_graph::{RunArgs, Visibility};
use twain_mpc::channel::Channel;
use twain_mpc::channel::tls::{ConnectOptions, PeerPolicy, Timeouts, TlsChannel, connect};
use twain_mpc::handshake::{Manifest, Session, handshake};
use twain_mpc::identity::{Fingerprint, Identity, KnownPeers};
use twain_mpc::preprocessing::stored;
use twain_mpc::store::{ReservedBundle, Store, StoreError};
use twain_mpc::{PartySeeds, TwoParty};
use twain_party::Role;
use twain_plonk::{ProvingKey, Srs};

/// Parameters are integers below `2^40` in size: the masks of the protocol are made for that.
const PARAMETER_BITS: u32 = 40;

/// What both sides of a pair hold alike.
pub(super) struct Common {
    pub compiled: CompiledModel,
    pub circuit: Circuit,
    pub key: ProvingKey,
    pub srs: Srs,
}

impl Common {
    /// Reads the files and refuses what makes no sense between two parties.
    pub fn read(
        compiled_circuit: &Path,
        pk_path: &Path,
        srs: &SrsPath,
        pair: &Pair,
    ) -> Result<Self, Error> {
        let (compiled, circuit) = load_circuit(compiled_circuit)?;
        super::warn_of_looseness(&compiled);
        check_visibilities(&compiled.settings.run_args, pair)?;
        if let Some(reason) = refused_in_pairs(&circuit) {
            return Err(Error::file(compiled_circuit, format!("in a pair: {reason}")));
        }
        let logrows = compiled.settings.run_args.logrows;
        let format = files::key_format()?;
        let srs_path = files::srs_path(&srs.srs_path, logrows)?;
        let extended = ExtendedForm::faster();
        let (key, srs) = rayon::join(
            || read_proving_key(pk_path, format, circuit.cs.clone(), logrows, extended),
            || read_srs(&srs_path, logrows),
        );
        Ok(Self { compiled, circuit, key: key?, srs: srs? })
    }

    /// Digests of all of it.
    pub fn digests(&self) -> Result<Vec<(String, [u8; 32])>, Error> {
        let Self { compiled, key, srs, .. } = self;
        let redacted = redact(compiled).map_err(|error| Error::Usage(error.to_string()))?;
        let mut circuit = Vec::new();
        redacted.encode(&mut circuit).map_err(|error| Error::Usage(error.to_string()))?;
        let settings = serde_json::to_vec(&compiled.settings)
            .map_err(|error| Error::Usage(error.to_string()))?;
        let columns = key.fixed().values.iter().chain(&key.sigma().values);
        let points = srs.g().points(0..srs.g().len());
        let points = points.iter().flat_map(|point| [point.x.to_bytes(), point.y.to_bytes()]);
        let digests = [
            ("circuit without parameters", digest([circuit.as_slice()])),
            ("settings", digest([settings.as_slice()])),
            ("proving key", digest_scalars(columns.flatten())),
            ("verifying key", digest_scalars([&key.vk().transcript_repr()])),
            ("SRS", digest(points)),
        ];
        Ok(digests.map(|(name, digest)| (name.to_string(), digest)).into())
    }
}

/// What the store keeps bundles under: everything their plan follows from, this program's version
/// included.
pub(super) fn series(digests: &[(String, [u8; 32])]) -> [u8; 32] {
    let version: &[u8] = concat!("twain ", env!("CARGO_PKG_VERSION")).as_bytes();
    let parts = digests.iter().flat_map(|(name, digest)| [name.as_bytes(), digest]);
    digest([version].into_iter().chain(parts))
}

/// Connects to the peer, who must hold the same and have been told to do the same.
pub(super) fn meet(
    role: Role,
    pair: &Pair,
    identity: &Identity,
    mut digests: Vec<(String, [u8; 32])>,
    command: &str,
    phases: &Phases,
) -> Result<(TlsChannel, Session), Error> {
    let _connecting = info_span!("connect").entered();
    digests.push(("command".into(), digest([command])));
    let manifest = Manifest::new(digests).map_err(Error::peer)?;
    let mut channel = reach(role, pair, identity)?;
    phases.watch(channel.meter().totals());
    let session = handshake(&mut channel, &manifest).map_err(Error::peer)?;
    Ok((channel, session))
}

/// The side's role.
pub(super) fn role(side: Side) -> Role {
    match side {
        Side::Model => Role::Model,
        Side::Data => Role::Data,
    }
}

/// Where an identity's bundles are.
pub(super) fn store_folder(identity: &Identity) -> PathBuf {
    identity.directory().join("bundles")
}

/// Proves with the peer.
pub fn prove(arguments: &Prove, side: Side, phases: &Phases) -> Result<(), Error> {
    let role = role(side);
    let load = info_span!("load").entered();
    let Prove { compiled_circuit, pk_path, srs, pair, .. } = arguments;
    let common = Common::read(compiled_circuit, pk_path, srs, pair)?;
    let secret = Secret::read(role, &common.compiled, arguments)?;
    let digests = common.digests()?;
    let series = series(&digests);
    let identity = identity_of(&pair.identity)?;
    drop(load);

    say_what_is_learnt(role, &common.compiled.settings.run_args);
    let (mut channel, session) = meet(role, pair, &identity, digests, "prove", phases)?;
    let bundle = reserve(&mut channel, &session, &identity, series)?;
    let made = make(&mut channel, &common, bundle, &secret);
    drop(secret);
    let (instances, proof) = made?;
    let Common { compiled, key, srs, .. } = &common;
    twain_plonk::verify(key.vk(), srs.verifier(), &instances, &proof).map_err(|error| {
        let reason = format!("the pair's proof does not verify ({error}); nothing was written");
        Error::file(pk_path, reason)
    })?;
    let timestamp = agree_on_time(&mut channel, role)?;
    let pretty = public_elements(compiled, &instances);
    Proof::new(instances, proof, None, pretty, timestamp).write(&arguments.proof_path)?;
    finish(channel, phases, "the proof is written", pair);
    Ok(())
}

/// Ends the session and prints what it took.
pub(super) fn finish(channel: TlsChannel, phases: &Phases, done: &str, pair: &Pair) {
    phases.finish();
    match channel.finish(pair.idle_timeout) {
        Ok(meter) => report::print_costs(phases, meter.phases()),
        Err(error) => {
            tracing::warn!("{done}, but the peer's farewell is missing: {error}");
            report::print_costs(phases, &[]);
        }
    }
}

/// A bundle both sides have for this proof, if there is one.
fn reserve(
    channel: &mut dyn Channel,
    session: &Session,
    identity: &Identity,
    series: [u8; 32],
) -> Result<Option<ReservedBundle>, Error> {
    let bundle = match Store::open(&store_folder(identity), identity) {
        Ok(mut store) => store.reserve(channel, session, series).map_err(Error::peer)?,
        Err(error @ StoreError::Locked(_)) => {
            tracing::warn!("{error}");
            Store::decline(channel).map_err(Error::peer)?;
            None
        }
        Err(error) => return Err(Error::peer(error)),
    };
    match &bundle {
        Some(bundle) => eprintln!("Uses bundle {} of the store.", bundle.index()),
        None => eprintln!("No bundle on both sides: everything is made now (see preprocess)."),
    }
    Ok(bundle)
}

/// Runs the two-party prover.
fn make(
    channel: &mut dyn Channel,
    Common { circuit, key, srs, .. }: &Common,
    bundle: Option<ReservedBundle>,
    secret: &Secret,
) -> Result<(Vec<Vec<Fr>>, Vec<u8>), Error> {
    let seeds = PartySeeds { blinding: fresh_seed(), protocol: fresh_seed() };
    let mut party = match bundle {
        Some(bundle) => {
            let (products, material) = stored(bundle.id(), bundle).map_err(Error::peer)?;
            TwoParty::new(channel, Box::new(products), Box::new(material), &seeds)
        }
        None => TwoParty::inline(channel, &seeds),
    };
    let witness = info_span!("witness").entered();
    let values = circuit.program.run(&mut party, &secret.sources())?;
    drop(witness);
    let instances = vec![values.instances.clone()];
    let mut source = Witness::new(circuit, &values);
    let proof = twain_plonk::prove(&mut party, key, srs, &instances, &mut source)?;
    Ok((instances, proof))
}

/// What this side puts in.
#[derive(Default)]
struct Secret {
    inputs: Option<Vec<Vec<Fr>>>,
    parameters: Option<Vec<Vec<Fr>>>,
}

impl Secret {
    /// Reads it and checks that it fits, before anything is sent.
    fn read(role: Role, compiled: &CompiledModel, arguments: &Prove) -> Result<Self, Error> {
        let public_input = compiled.settings.run_args.input_visibility.is_public();
        let mut secret = Secret::default();
        if role == Role::Data || public_input {
            let data = &arguments.data;
            secret.inputs =
                Some(InputFile::from_argument(data)?.quantize(&compiled.model).at(data)?);
        }
        if role == Role::Model {
            let parameters = parameters(&compiled.model);
            let limit = 1i128 << PARAMETER_BITS;
            let wide = |value: &Fr| field_to_integer(value).unsigned_abs() >= limit.unsigned_abs();
            let all = || parameters.iter().flatten();
            if all().any(wide) {
                let reason = format!(
                    "a parameter has {PARAMETER_BITS} bits or more, too wide for a pair: use a \
                     smaller --param-scale"
                );
                return Err(Error::file(&arguments.compiled_circuit, reason));
            }
            if all().count() > 1 && all().all(|value| *value == Fr::zero()) {
                let reason = "all its parameters are 0: this is the redacted circuit; the model's \
                              side needs the full one";
                return Err(Error::file(&arguments.compiled_circuit, reason));
            }
            secret.parameters = Some(parameters);
        }
        Ok(secret)
    }

    fn sources(&self) -> Sources<'_> {
        Sources { inputs: self.inputs.as_deref(), parameters: self.parameters.as_deref() }
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let tensors = self.inputs.iter_mut().chain(&mut self.parameters).flatten();
        tensors.for_each(|tensor| twain_algebra::erase(tensor));
    }
}

/// Refuses what makes no sense between two parties, or gives a secret away.
fn check_visibilities(args: &RunArgs, pair: &Pair) -> Result<(), Error> {
    let refuse = |text: &str| Err(Error::Usage(text.into()));
    if args.param_visibility == Visibility::Fixed {
        return refuse(
            "param_visibility is fixed: the parameters are part of the keys, which the data's side \
             holds; compile the circuit with private or hashed parameters",
        );
    }
    if [&args.input_visibility, &args.output_visibility].contains(&&Visibility::Fixed) {
        return refuse(
            "fixed inputs or outputs are part of the keys: compile with another visibility",
        );
    }
    let all = [&args.input_visibility, &args.param_visibility, &args.output_visibility];
    if all.contains(&&Visibility::KZGCommit) && !pair.allow_polycommit {
        return refuse(
            "polycommit visibility: its column has no random rows, so every proof publishes one \
             exact linear equation of the committed values, and small models fall to a single \
             proof; compile with hashed visibility, or accept it with --allow-polycommit",
        );
    }
    Ok(())
}

fn digest(parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.into_iter().for_each(|part| hash.update(part.as_ref()));
    hash.finalize().into()
}

fn digest_scalars<'a>(scalars: impl IntoIterator<Item = &'a Fr>) -> [u8; 32] {
    digest(scalars.into_iter().map(|scalar| scalar.to_bytes()))
}

/// Tells the user what leaves the house.
fn say_what_is_learnt(role: Role, args: &RunArgs) {
    let (own, other) = match role {
        Role::Model => ("the parameters", "the inputs"),
        Role::Data => ("the inputs", "the parameters"),
    };
    eprintln!(
        "The peer will learn: the structure of the circuit, the instances ({}), the proof, and \
         whether a value left the circuit's range. It does not learn {own}, you do not learn {other}.",
        match args.output_visibility.is_public() {
            true => "the model's output among them",
            false => "the output is not among them",
        }
    );
}

pub(super) fn identity_of(folder: &Option<PathBuf>) -> Result<Identity, Error> {
    let folder = match folder {
        Some(folder) => folder.clone(),
        None => Identity::default_directory().map_err(Error::peer)?,
    };
    Identity::load_or_create(&folder).map_err(Error::peer)
}

/// Connects to the peer.
fn reach(role: Role, pair: &Pair, identity: &Identity) -> Result<TlsChannel, Error> {
    let policy = match &pair.peer {
        Some(text) => PeerPolicy::Pinned(text.parse::<Fingerprint>().map_err(Error::peer)?),
        None => {
            let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
            let ask =
                terminal.then(|| Box::new(confirm) as Box<dyn FnMut(&str, &Fingerprint) -> bool>);
            PeerPolicy::Known(KnownPeers::new(identity.directory().join("known_peers"), ask))
        }
    };
    let options = ConnectOptions {
        role,
        identity,
        local: pair.local_addr.as_deref(),
        remote: pair.remote_peer.as_deref(),
        peer: policy,
        connect_timeout: pair.connect_timeout,
        timeouts: Timeouts { silence: pair.idle_timeout, ..Timeouts::default() },
    };
    connect(options).map_err(Error::peer)
}

fn confirm(name: &str, found: &Fingerprint) -> bool {
    eprint!("The peer at {name} shows the key {found}, not seen before. Trust it? [yes/no] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

/// The proof's timestamp is the model's, so that both sides write the same file.
fn agree_on_time(channel: &mut TlsChannel, role: Role) -> Result<u128, Error> {
    const PHASE: &str = "farewell";
    let own = super::prove::now();
    match role {
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
fn public_elements(
    compiled: &CompiledModel,
    instances: &[Vec<Fr>],
) -> Option<twain_artifacts::PrettyElements> {
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

/// Prints this machine's fingerprint.
pub fn identity(folder: Option<PathBuf>) -> Result<(), Error> {
    println!("{}", identity_of(&folder)?.fingerprint());
    Ok(())
}
