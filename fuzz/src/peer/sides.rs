//! The sides of each protocol, with fixed seeds and small inputs.

use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, SeedableRng};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;
use twain::key_files::read_srs;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, GraphWitness};
use twain_circuit::{Circuit, ProductTree, Sources, Witness, WitnessValues, lay_out, parameters};
use twain_link::channel::Channel;
use twain_link::handshake::{Manifest, Session, agree};
use twain_link::identity::{Fingerprint, Identity};
use twain_masks::{Demand, DigitMaskSource, IdealMaterial, InlineMaterial};
use twain_ole::{BgvOle, OleGroup, OleSource};
use twain_pair::TwoParty;
use twain_party::{PartySeeds, Role, Seed, Watched};
use twain_plonk::{ProvingKey, Srs, generate_keys, prove};
use twain_store::Store;

type Outcome = Result<(), String>;

fn text(error: impl std::error::Error) -> String {
    error.to_string()
}

fn rng(channel: &dyn Channel) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1 + channel.role() as u8; 32])
}

pub fn handshake(channel: &mut dyn Channel, _: Box<dyn OleSource>) -> Outcome {
    let entries = [("pk", 1), ("settings", 2), ("vk", 3)];
    let entries = entries.map(|(name, byte)| (name.to_string(), [byte; 32]));
    let manifest = Manifest::new(entries).map_err(text)?;
    let role = channel.role();
    let [own, peer] = [role, role.other()].map(|role| Fingerprint([role as u8; 32]));
    let nonce = [10 + role as u8; 32];
    agree(channel, &manifest, [9; 32], own, peer, nonce).map(drop).map_err(text)
}

pub fn inner_products(channel: &mut dyn Channel, _: Box<dyn OleSource>) -> Outcome {
    let operands = [vec![Fr::from(3); 5], vec![-Fr::one(); 5]];
    let operands: Vec<&[Fr]> = operands.iter().map(Vec::as_slice).collect();
    let groups = [OleGroup { length: 5, terms: vec![(0, 0), (1, 1)] }];
    let mut source = BgvOle::new(rng(channel));
    source.inner_products(channel, "products", &operands, &groups).map(drop).map_err(text)
}

pub fn digit_material(channel: &mut dyn Channel, _: Box<dyn OleSource>) -> Outcome {
    let mut demand = Demand { bit_products: 3, conversions: 2, selections: 2, ..Demand::default() };
    demand.masks[3] = 2;
    demand.masks[5] = 1;
    let mut source = InlineMaterial::new(rng(channel));
    source.supply(channel, &demand).map(drop).map_err(text)
}

/// A folder for short-lived files; in memory where the system has such a place.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}

/// The model's and the data's.
pub static IDENTITIES: LazyLock<[Identity; 2]> = LazyLock::new(|| {
    let folder = folder();
    ["model", "data"]
        .map(|side| Identity::load_or_create(&folder.path().join(side)).expect("an identity"))
});

pub fn store(channel: &mut dyn Channel, _: Box<dyn OleSource>) -> Outcome {
    const PLAN: [u8; 32] = [1; 32];
    let [model, data] = IDENTITIES.each_ref().map(Identity::fingerprint);
    let (id, role) = (channel.session_id(), channel.role());
    let session = Session { id, role, model, data };
    let folder = folder();
    let [bundles, marks] = ["bundles", "marks"].map(|name| folder.path().join(name));
    let mut store = Store::open(&bundles, &marks, &IDENTITIES[role as usize]).map_err(text)?;
    for _ in 0..2 {
        let mut bundle = store.make(channel, &session, PLAN).map_err(text)?;
        bundle.write(&[5; 100]).map_err(text)?;
        bundle.commit(channel).map_err(text)?;
    }
    if let Some(mut bundle) = store.reserve(channel, &session, PLAN).map_err(text)? {
        bundle.read_to_end(&mut Vec::new()).map_err(text)?;
    }
    Ok(())
}

/// A circuit, its key, and what both sides put in.
struct Case {
    circuit: Circuit,
    key: ProvingKey,
    srs: Srs,
    inputs: Vec<Vec<Fr>>,
    parameters: Vec<Vec<Fr>>,
}

/// The smallest of the circuits EZKL made that has parameters.
static CASE: LazyLock<Case> = LazyLock::new(|| {
    let vectors = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    let folder = vectors.join("1l_mlp-k9-private");
    let compiled = CompiledModel::read(&folder.join("model.compiled")).expect("a circuit");
    let srs = read_srs(&vectors.join("srs/kzg9.srs"), 9, &mut OsRng, &Watched::default())
        .expect("an SRS");
    let layout = lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit);
    let circuit = layout.expect("it is laid out");
    let key = generate_keys(circuit.cs.clone(), circuit.assembly.clone(), &srs, true);
    let witness = GraphWitness::read(&folder.join("witness.json")).expect("a witness");
    let parameters = parameters(&compiled.model);
    Case { circuit, key: key.expect("a key"), srs, inputs: witness.inputs.clone(), parameters }
});

fn party(channel: &mut dyn Channel, ole: Box<dyn OleSource>) -> Result<TwoParty<'_>, String> {
    let role = channel.role() as u8;
    let seeds = PartySeeds { blinding: Seed([1 + role; 32]), protocol: Seed([3 + role; 32]) };
    TwoParty::new(channel, ole, Box::new(IdealMaterial::new(5)), &seeds).map_err(text)
}

fn witness(party: &mut TwoParty<'_>, role: Role) -> Result<WitnessValues, String> {
    let sources = match role {
        Role::Model => Sources { inputs: None, parameters: Some(&CASE.parameters) },
        Role::Data => Sources { inputs: Some(&CASE.inputs), parameters: None },
    };
    CASE.circuit.run(party, &sources).map_err(text)
}

pub fn pair_witness(channel: &mut dyn Channel, ole: Box<dyn OleSource>) -> Outcome {
    let role = channel.role();
    witness(&mut party(channel, ole)?, role).map(drop)
}

pub fn pair_proof(channel: &mut dyn Channel, ole: Box<dyn OleSource>) -> Outcome {
    let role = channel.role();
    let mut party = party(channel, ole)?;
    let values = witness(&mut party, role)?;
    let instances = [values.instances.clone()];
    let mut source = Witness::new(&CASE.circuit, &values);
    prove(&mut party, &CASE.key, &CASE.srs, &instances, &mut source).map(drop).map_err(text)
}
