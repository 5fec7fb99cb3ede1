//! A pair's proof: two sides, one with the model and one with the data, over a link within the
//! process. It verifies under EZKL's key, and equals the proof made alone with both seeds.

use std::path::{Path, PathBuf};
use std::thread;
use twain::key_files::read_srs;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, GraphWitness, redact};
use twain_circuit::{Circuit, ProductTree, Source, Sources, Witness, lay_out, parameters};
use twain_mpc::channel::{Channel, MemoryChannel, memory_pair};
use twain_mpc::handshake::Session;
use twain_mpc::identity::Identity;
use twain_mpc::preprocessing::{Plan, Planner, make, stored};
use twain_mpc::store::{ReservedBundle, Store};
use twain_mpc::{PartySeeds, TwoParty};
use twain_party::{Alone, Role, Seed};
use twain_plonk::{ProvingKey, Srs, generate_keys, prove, verify};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors")
}

struct Case {
    compiled: CompiledModel,
    circuit: Circuit,
    key: ProvingKey,
    srs: Srs,
    witness: GraphWitness,
}

fn case(name: &str) -> Case {
    let folder = vectors().join(name);
    let settings = twain_artifacts::read_settings(&folder.join("settings.json")).unwrap();
    let k = settings.run_args.logrows;
    case_in(&folder, &vectors().join(format!("srs/kzg{k}.srs")))
}

fn case_in(folder: &Path, srs: &Path) -> Case {
    let compiled = CompiledModel::read(&folder.join("model.compiled")).unwrap();
    let srs = read_srs(srs, compiled.settings.run_args.logrows).unwrap();
    // Keys come from the redacted circuit: all the data's side has.
    let redacted = redact(&compiled).unwrap();
    let circuit = lay_out(&redacted.model, &redacted.settings, ProductTree::FullySplit).unwrap();
    let key = generate_keys(circuit.cs.clone(), circuit.assembly.clone(), &srs, true).unwrap();
    let witness = GraphWitness::read(&folder.join("witness.json")).unwrap();
    Case { compiled, circuit, key, srs, witness }
}

const MODEL_BLINDING: [u8; 32] = [1; 32];
const DATA_BLINDING: [u8; 32] = [2; 32];

/// Where a side takes its correlations from.
trait Correlations: Sync {
    fn party<'a>(&self, channel: &'a mut dyn Channel, seeds: &PartySeeds) -> TwoParty<'a>;
}

struct Inline;

impl Correlations for Inline {
    fn party<'a>(&self, channel: &'a mut dyn Channel, seeds: &PartySeeds) -> TwoParty<'a> {
        TwoParty::inline(channel, seeds)
    }
}

fn side(
    case: &Case,
    mut channel: impl Channel,
    correlations: &dyn Correlations,
) -> (Vec<Fr>, Vec<u8>) {
    let parameters = parameters(&case.compiled.model);
    let (sources, blinding, protocol) = match channel.role() {
        Role::Model => {
            (Sources { inputs: None, parameters: Some(&parameters) }, MODEL_BLINDING, [3; 32])
        }
        Role::Data => (
            Sources { inputs: Some(&case.witness.inputs), parameters: None },
            DATA_BLINDING,
            [4; 32],
        ),
    };
    let seeds = PartySeeds { blinding: Seed(blinding), protocol: Seed(protocol) };
    let mut party = correlations.party(&mut channel, &seeds);
    let values = case.circuit.program.run(&mut party, &sources).unwrap();
    let mut source = Witness::new(&case.circuit, &values);
    let instances = values.instances.clone();
    let proof =
        prove(&mut party, &case.key, &case.srs, std::slice::from_ref(&instances), &mut source)
            .unwrap();
    (instances, proof)
}

type Made = (Vec<Fr>, Vec<u8>);

fn both(case: &Case, correlations: &dyn Correlations) -> (Made, Made) {
    let (model_end, data_end) = memory_pair([9; 32]);
    thread::scope(|scope| {
        let model = scope.spawn(|| side(case, model_end, correlations));
        let data = scope.spawn(|| side(case, data_end, correlations));
        (model.join().unwrap(), data.join().unwrap())
    })
}

/// The proof made by one who knows both secrets and both seeds.
fn alone(case: &Case, instances: &[Fr]) -> Vec<u8> {
    let parameters = parameters(&case.compiled.model);
    let sources = Sources { inputs: Some(&case.witness.inputs), parameters: Some(&parameters) };
    let mut alone = Alone::as_pair(Seed(MODEL_BLINDING), Seed(DATA_BLINDING));
    let values = case.circuit.program.run_alone(&mut alone, &sources).unwrap();
    let mut source = Witness::new(&case.circuit, &values);
    prove(&mut alone, &case.key, &case.srs, &[instances.to_vec()], &mut source).unwrap()
}

fn pair_equals_alone(name: &str) {
    check_pair(&case(name), &Inline);
}

fn check_pair(case: &Case, correlations: &dyn Correlations) {
    let (model, data) = both(case, correlations);
    assert_eq!(model, data);
    let (instances, proof) = model;
    let srs = case.srs.verifier();
    verify(case.key.vk(), srs, std::slice::from_ref(&instances), &proof).unwrap();
    assert_eq!(instances, case.witness.instances(&case.compiled.settings.run_args));
    assert_eq!(proof, alone(case, &instances));
}

const SERIES: [u8; 32] = [5; 32];

/// Two machines' identities and stores of bundles.
struct Machines {
    folders: [tempfile::TempDir; 2],
    identities: [Identity; 2],
}

impl Machines {
    fn new() -> Self {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let identities = [0, 1].map(|i| Identity::load_or_create(folders[i].path()).unwrap());
        Machines { folders, identities }
    }

    fn open(&self, role: Role) -> Store<'_> {
        let side = role as usize;
        Store::open(&self.folders[side].path().join("bundles"), &self.identities[side]).unwrap()
    }

    fn session(&self, channel: &dyn Channel) -> Session {
        let [model, data] = self.identities.each_ref().map(Identity::fingerprint);
        Session { id: channel.session_id(), role: channel.role(), model, data }
    }

    fn reserve(&self, channel: &mut dyn Channel) -> Option<ReservedBundle> {
        let session = self.session(channel);
        self.open(channel.role()).reserve(channel, &session, SERIES).unwrap()
    }

    fn preprocess(&self, plan: &Plan) {
        let side = |mut channel: MemoryChannel| {
            let session = self.session(&channel);
            let mut store = self.open(channel.role());
            let mut bundle = store.make(&mut channel, &session, SERIES).unwrap();
            let seed = [10 + channel.role() as u8; 32];
            let seeds = PartySeeds { blinding: Seed([0; 32]), protocol: Seed(seed) };
            let id = bundle.id();
            make(&mut channel, id, plan, &seeds, &mut |bytes| bundle.write(bytes)).unwrap();
            bundle.commit(&mut channel).unwrap();
        };
        on_both_sides([8; 32], side);
    }
}

impl Correlations for Machines {
    fn party<'a>(&self, channel: &'a mut dyn Channel, seeds: &PartySeeds) -> TwoParty<'a> {
        let bundle = self.reserve(channel).unwrap();
        let (products, material) = stored(bundle.id(), bundle).unwrap();
        TwoParty::new(channel, Box::new(products), Box::new(material), seeds)
    }
}

fn on_both_sides<T: Send>(session: [u8; 32], side: impl Fn(MemoryChannel) -> T + Sync) -> [T; 2] {
    let (model, data) = memory_pair(session);
    thread::scope(|scope| {
        let other = scope.spawn(|| side(data));
        [side(model), other.join().unwrap()]
    })
}

/// What the proof of a circuit asks of its sources, from the circuit and the keys alone.
fn plan(case: &Case) -> Plan {
    let zeros = |sources: &[Source]| -> Vec<Vec<Fr>> {
        sources.iter().map(|source| vec![Fr::zero(); source.length]).collect()
    };
    let program = &case.circuit.program;
    let (inputs, parameters) = (zeros(program.inputs()), zeros(program.parameters()));
    let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
    let mut planner = Planner::default();
    let values = program.run(&mut planner, &sources).unwrap();
    let mut source = Witness::new(&case.circuit, &values);
    let instances = [values.instances.clone()];
    prove(&mut planner, &case.key, &case.srs, &instances, &mut source).unwrap();
    planner.finish()
}

#[test]
fn a_bundle_makes_one_proof() {
    let case = case("1l_mlp-k9-private");
    let machines = Machines::new();
    machines.preprocess(&plan(&case));
    check_pair(&case, &machines);
    // It is spent.
    let left = on_both_sides([10; 32], |mut channel| machines.reserve(&mut channel).is_some());
    assert_eq!(left, [false; 2]);
}

#[test]
fn another_circuits_bundle_ends_the_session() {
    let (case, other) = (case("1l_relu-k8-private"), case("1l_mlp-k9-private"));
    let machines = Machines::new();
    machines.preprocess(&plan(&case));
    let outcomes = on_both_sides([9; 32], |mut channel| {
        let seeds = PartySeeds { blinding: Seed([1; 32]), protocol: Seed([2; 32]) };
        let parameters = parameters(&other.compiled.model);
        let sources = match channel.role() {
            Role::Model => Sources { inputs: None, parameters: Some(&parameters) },
            Role::Data => Sources { inputs: Some(&other.witness.inputs), parameters: None },
        };
        let mut party = machines.party(&mut channel, &seeds);
        other.circuit.program.run(&mut party, &sources).err().map(|error| error.to_string())
    });
    for outcome in outcomes {
        let text = outcome.expect("no witness from another circuit's bundle");
        assert!(text.contains("the bundle was made for"), "{text}");
    }
}

#[test]
fn relu() {
    pair_equals_alone("1l_relu-k8-private");
}

#[test]
fn dense_layer() {
    pair_equals_alone("1l_mlp-k9-private");
}

#[test]
fn two_dense_layers() {
    pair_equals_alone("credit_mlp-k10-private");
}

/// A folder with `model.compiled` and `witness.json`, and an SRS of its size, from the environment.
#[test]
#[ignore = "needs TWAIN_PAIR_CASE and TWAIN_PAIR_SRS"]
fn folder_from_the_environment() {
    let folder = std::env::var("TWAIN_PAIR_CASE").unwrap();
    let srs = std::env::var("TWAIN_PAIR_SRS").unwrap();
    let case = case_in(Path::new(&folder), Path::new(&srs));
    let (model, data) = both(&case, &Inline);
    assert_eq!(model.0, data.0);
    let joined = alone(&case, &model.0);
    let differs = model.1.chunks(64).zip(joined.chunks(64)).position(|(a, b)| a != b);
    let system = case.key.system();
    println!(
        "advice {} lookups {} chunks {} pieces {} degree {}",
        system.advice_phases().len(),
        system.lookups().len(),
        system.permutation_chunks().count(),
        system.quotient_pieces(),
        system.degree()
    );
    assert_eq!(differs, None);
}

/// Gates of degree 6, and a quotient whose products share ciphertexts of many blocks.
#[test]
fn hashed_input_and_parameters() {
    pair_equals_alone("../pair_circuits/hashed_input_parameters-k11");
}
