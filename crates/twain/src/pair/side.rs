//! One side of a pair, from what it holds to the proof: what it compares with the peer, the plan,
//! the forecast; then the two-party prover over a channel. The finished proof is verified before it
//! leaves this module.

use super::commitments::{self, Committed};
use super::files::{Common, CommonFiles, digest_scalars};
use super::forecast::Forecast;
use super::hashes;
use super::outputs::{self, Reveal};
use super::published::{self, Published};
use super::secret::Secret;
use super::session::{self, Told, Unready};
use super::tested::{TRUST, Tests};
use crate::alone::{fresh_seed, now};
use crate::error::Error;
use crate::input_hash::InputHash;
use crate::observe::Run;
use crate::prover::Prover;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use twain_algebra::Fr;
use twain_artifacts::InputFile;
use twain_circuit::Witness;
use twain_link::channel::Channel;
use twain_link::handshake::{Item, Manifest};
use twain_pair::TwoParty;
use twain_party::{PartyError, PartySeeds, Phase, Role, Shares};
use twain_store::ReservedBundle;

/// One side of a pair, ready to meet the other.
pub struct Side {
    pub(super) role: Role,
    pub(super) common: Arc<Common>,
    secret: Secret,
    pub(super) committed: Vec<Committed>,
    published: Option<Published>,
    /// Of the peer's inputs.
    hashes: Vec<InputHash>,
    pub(super) reveal: Option<Reveal>,
    trusts_peer: bool,
    /// What is compared with the peer, but for what both do.
    items: Vec<(String, Item)>,
    forecast: Forecast,
}

/// What a side asks of a proof beyond that it verifies.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Who learns outputs that the proof does not publish; the same on both sides.
    pub reveal: Option<Reveal>,
    /// A witness file with a published polycommit of the parameters, which the proof must be about.
    pub published_commitment: Option<PathBuf>,
    /// Published hashes of inputs of the peer's: the proof must be about these.
    pub published_hashes: Vec<InputHash>,
    /// Take the peer's word for following the protocol: nothing that it does is tested. The same on
    /// both sides.
    pub trust_peer: bool,
}

/// What a side has at the end: the same on both sides, but for the outputs.
pub struct Proven {
    /// The instance column.
    pub instances: Vec<Vec<Fr>>,
    /// The proof, which verifies.
    pub proof: Vec<u8>,
    /// Outputs that the proof does not publish, if they were revealed to this side: tensor by
    /// tensor.
    pub outputs: Option<Vec<Vec<Fr>>>,
    /// Milliseconds since the Unix epoch, by the model's side's clock.
    pub timestamp: u128,
}

/// What the two-party prover gives a side.
struct Made {
    instances: Vec<Vec<Fr>>,
    proof: Vec<u8>,
    /// This side's shares.
    outputs: Vec<Shares>,
}

impl Side {
    /// `role`'s side of a proof of a circuit. `input` at a side that has inputs, or if they are
    /// public: a list for each input that is the side's own.
    ///
    /// # Errors
    /// Secrets that do not fit the circuit or are outside its bounds; terms it cannot keep.
    pub fn new(
        role: Role,
        common: Arc<Common>,
        input: Option<&InputFile>,
        terms: &Terms,
        run: &Run,
    ) -> Result<Self, Error> {
        let side = Self::with(role, common, input, Path::new("the input"), terms, run);
        side.map_err(|unready| *unready.error)
    }

    /// The same, from files; the input `data` is a file, `@file`, or JSON itself.
    ///
    /// # Errors
    /// The same; files that do not fit together, what pairs cannot prove.
    pub fn read(role: Role, files: &CommonFiles, data: &str, run: &Run) -> Result<Self, Error> {
        let side = Self::ready(role, files, data, &Terms::default(), run);
        side.map_err(|unready| *unready.error)
    }

    /// The same, with what the peer is told of an error.
    pub(super) fn ready(
        role: Role,
        files: &CommonFiles,
        data: &str,
        terms: &Terms,
        run: &Run,
    ) -> Result<Self, Unready> {
        let common = Arc::new(Common::ready(files, run)?);
        let input = Secret::own_inputs(role, &common.prover)
            .map(|_| InputFile::from_argument(data).map_err(Error::from))
            .transpose()
            .told("its input cannot be read")?;
        Self::with(role, common, input.as_ref(), InputFile::place(data), terms, run)
    }

    fn with(
        role: Role,
        common: Arc<Common>,
        input: Option<&InputFile>,
        place: &Path,
        terms: &Terms,
        run: &Run,
    ) -> Result<Self, Unready> {
        let prover = &common.prover;
        let args = &prover.compiled.settings.run_args;
        let reveal = terms.reveal;
        outputs::check(reveal, args).told("it was told to reveal outputs, which are public")?;
        let hashes = terms.published_hashes.clone();
        hashes::check(&hashes, role, prover).told("its published hashes do not fit the circuit")?;
        let secret = Secret::new(role, prover, input, place)?;
        let text = |name: &str, text: &str| (name.to_string(), Item::Text(text.into()));
        let mut items = common.items();
        items.push(text(TRUST, if terms.trust_peer { "yes" } else { "no" }));
        items.push(text("--reveal-output", reveal.map_or("nothing", Reveal::name)));
        if let (true, Some(inputs)) = (args.input_visibility.is_public(), &secret.inputs) {
            let digest = digest_scalars(inputs.iter().flatten());
            items.push(("public inputs".into(), digest.into()));
        }
        let committed = commitments::of_secret(role, prover, &secret);
        let published = terms.published_commitment.as_deref();
        let published = published.map(|path| Published::read(path, prover)).transpose();
        let told = "its published commitment cannot be used";
        let published = published.told(told)?;
        let item = published::item(role, prover, &committed, published.as_ref()).told(told)?;
        items.extend(item.map(|item| (published::NAME.to_string(), item)));
        let trusts_peer = terms.trust_peer;
        if !trusts_peer {
            common.tests()?;
        }
        let plan = common.plan(run)?;
        items.push(("plan".into(), plan.digest().into()));
        let forecast = Forecast::new(plan, prover.key.system(), role);
        Ok(Self {
            role,
            common,
            secret,
            committed,
            published,
            hashes,
            reveal,
            trusts_peer,
            items,
            forecast,
        })
    }

    /// What is compared with a peer that is to do the same.
    pub(super) fn manifest(&self, command: &str) -> Result<Manifest, Error> {
        let command = ("command".to_string(), Item::Text(command.into()));
        let items = self.items.iter().cloned().chain([command]);
        // A data's side without the file takes any parameters.
        Ok(session::manifest(items)?.excuse(Role::Data, published::NAME))
    }

    /// What a proof is expected to take.
    pub fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// Proves over a channel to the other side, which does the same; everything is made on the
    /// spot.
    ///
    /// # Errors
    /// A witness that does not satisfy the circuit, a link or a peer that fails.
    pub fn prove_over(&self, channel: &mut dyn Channel, run: &Run) -> Result<Proven, Error> {
        self.prove_with(channel, None, run)
    }

    /// The same, from a bundle if there is one.
    pub(super) fn prove_with(
        &self,
        channel: &mut dyn Channel,
        bundle: Option<ReservedBundle>,
        run: &Run,
    ) -> Result<Proven, Error> {
        let Made { instances, proof, outputs } = self.make(channel, bundle, run)?;
        let Prover { key, srs, .. } = &self.common.prover;
        run.enter(Phase::Verify)?;
        twain_plonk::verify(key.vk(), srs.verifier(), &instances, &proof)
            .map_err(|_| PartyError::Ended)?;
        if let Some(published) = &self.published {
            published.check(&proof)?;
        }
        run.enter(Phase::Finish)?;
        let timestamp = agree_on_time(channel)?;
        let outputs = outputs::reveal(channel, self.reveal, outputs)?;
        Ok(Proven { instances, proof, outputs, timestamp })
    }

    /// Runs the two-party prover.
    fn make(
        &self,
        channel: &mut dyn Channel,
        bundle: Option<ReservedBundle>,
        run: &Run,
    ) -> Result<Made, Error> {
        let Prover { circuit, key, srs, .. } = &self.common.prover;
        let adds_public = channel.role() == Role::Model;
        let seeds = PartySeeds { blinding: fresh_seed(), protocol: fresh_seed() };
        let party = match bundle {
            Some(bundle) => TwoParty::from_bundle(channel, bundle.id(), bundle, &seeds)?,
            None => TwoParty::planned(channel, self.common.plan(run)?, &seeds)?,
        };
        let party = party.watched_by(run.watched());
        let mut party = match self.trusts_peer {
            true => party,
            false => {
                let Tests { statement, argument } = self.common.tests()?;
                party.testing(statement.clone(), argument.clone(), &seeds)?
            }
        };
        let values = circuit.run(&mut party, &self.secret.sources())?;
        hashes::compare(&self.hashes, &values.instances)?;
        let instances = vec![values.instances.clone()];
        let mut source = Witness::new(circuit, &values);
        let outputs = source.output_shares(adds_public);
        let proof = twain_plonk::prove(&mut party, key, srs, &instances, &mut source)?;
        Ok(Made { instances, proof, outputs })
    }
}

/// The proof's timestamp is the model's, so that both sides write the same file.
fn agree_on_time(channel: &mut dyn Channel) -> Result<u128, Error> {
    const PHASE: &str = "farewell";
    let own = now();
    match channel.role() {
        Role::Model => {
            channel.send(PHASE, own.to_le_bytes().to_vec())?;
            Ok(own)
        }
        Role::Data => {
            let bytes = channel.receive(PHASE, size_of::<u128>())?;
            Ok(bytes.try_into().map_or(own, u128::from_le_bytes))
        }
    }
}
