//! One side of a pair, from what it holds to the proof: what it compares with the peer, the plan, the
//! forecast; then the two-party prover over a channel. The finished proof is verified before it
//! leaves this module.

use super::commitments::{self, Committed};
use super::files::{Common, CommonFiles, digest_scalars, series};
use super::forecast::Forecast;
use super::outputs::{self, Reveal};
use super::planning::plan;
use super::published::{self, Published};
use super::secret::Secret;
use super::session::{self, Told, Unready};
use crate::alone::{fresh_seed, now};
use crate::error::Error;
use crate::observe::Run;
use std::path::Path;
use twain_algebra::Fr;
use twain_circuit::Witness;
use twain_link::channel::Channel;
use twain_link::handshake::{Item, Manifest};
use twain_pair::TwoParty;
use twain_pair::preprocessing::{Plan, stored};
use twain_party::{PartySeeds, Phase, Role, Shares};
use twain_store::ReservedBundle;

/// One side of a pair, ready to meet the other.
pub struct Side {
    pub(super) common: Common,
    secret: Secret,
    pub(super) committed: Vec<Committed>,
    published: Option<Published>,
    pub(super) reveal: Option<Reveal>,
    /// What is compared with the peer.
    pub(super) manifest: Manifest,
    /// The name of fitting bundles in the store.
    pub(super) series: [u8; 32],
    plan: Plan,
    forecast: Forecast,
}

/// What a side has at the end: the same on both sides, but for the outputs.
pub struct Proven {
    /// The instance column.
    pub instances: Vec<Vec<Fr>>,
    /// The proof, which verifies.
    pub proof: Vec<u8>,
    /// Outputs that the proof does not publish, if they were revealed to this side: tensor by tensor.
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
    /// Reads what `role`'s side holds: the files, and at the data's side (or if inputs are public) the
    /// input `data`: a file, `@file`, or JSON itself.
    ///
    /// # Errors
    /// Files that do not fit together, secrets outside the circuit's bounds, what pairs cannot prove.
    pub fn read(role: Role, files: &CommonFiles, data: &str, run: &Run) -> Result<Self, Error> {
        Self::ready(role, files, data, None, None, run).map_err(|unready| *unready.error)
    }

    /// The same, with who learns outputs that the proof does not publish, and a witness file with a
    /// published commitment to the parameters.
    pub(super) fn ready(
        role: Role,
        files: &CommonFiles,
        data: &str,
        reveal: Option<Reveal>,
        published: Option<&Path>,
        run: &Run,
    ) -> Result<Self, Unready> {
        run.enter(Phase::Load)?;
        let common = Common::read(files, run)?;
        let args = &common.compiled.settings.run_args;
        outputs::check(reveal, args).told("it was told to reveal outputs, which are public")?;
        let secret = Secret::read(role, &common, &files.compiled_circuit, data)?;
        let digests = common.digests()?;
        let series = series(&digests);
        let text = |name: &str, text: &str| (name.to_string(), Item::Text(text.into()));
        let mut items: Vec<(String, Item)> =
            digests.into_iter().map(|(name, digest)| (name, digest.into())).collect();
        items.push(text("command", "prove"));
        items.push(text("--reveal-output", reveal.map_or("nothing", Reveal::name)));
        if let (true, Some(inputs)) = (args.input_visibility.is_public(), &secret.inputs) {
            let digest = digest_scalars(inputs.iter().flatten());
            items.push(("public inputs".into(), digest.into()));
        }
        let committed = commitments::of_secret(role, &common, &secret);
        let published = published.map(|path| Published::read(path, &common)).transpose();
        let told = "its published commitment cannot be used";
        let published = published.told(told)?;
        let item = published::item(role, &common, &committed, published.as_ref()).told(told)?;
        items.extend(item.map(|item| (published::NAME.to_string(), item)));
        let plan = plan(&common, run)?;
        items.push(("plan".into(), plan.digest().into()));
        // A data's side without the file takes any parameters.
        let manifest = session::manifest(items)?.excuse(Role::Data, published::NAME);
        let forecast = Forecast::new(&plan, common.key.system(), role);
        Ok(Self { common, secret, committed, published, reveal, manifest, series, plan, forecast })
    }

    /// What a proof is expected to take.
    pub fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// Proves over a channel to the other side, which does the same; everything is made on the spot.
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
        let Common { key, srs, .. } = &self.common;
        run.enter(Phase::Verify)?;
        twain_plonk::verify(key.vk(), srs.verifier(), &instances, &proof).map_err(|error| {
            Error::Peer(format!(
                "the pair's proof does not verify ({error}); nothing was written: one of the sides \
                 did not follow the protocol"
            ))
        })?;
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
        let Common { circuit, key, srs, .. } = &self.common;
        let adds_public = channel.role() == Role::Model;
        let seeds = PartySeeds { blinding: fresh_seed(), protocol: fresh_seed() };
        let party = match bundle {
            Some(bundle) => {
                let (products, material) = stored(bundle.id(), bundle)?;
                TwoParty::new(channel, Box::new(products), Box::new(material), &seeds)
            }
            None => TwoParty::planned(channel, &self.plan, &seeds),
        };
        let mut party = party.watched_by(run.watched());
        let values = circuit.run(&mut party, &self.secret.sources())?;
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
