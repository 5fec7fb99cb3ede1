//! A pair's proof: two sides, one with the model and one with the data, over a link within the
//! process. It verifies under EZKL's key, and equals the proof made alone with both seeds.

use std::path::{Path, PathBuf};
use std::thread;
use twain::key_files::read_srs;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, GraphWitness, redact};
use twain_circuit::{Circuit, ProductTree, Sources, Witness, lay_out, parameters};
use twain_mpc::channel::{Channel, memory_pair};
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

fn side(case: &Case, mut channel: impl Channel) -> (Vec<Fr>, Vec<u8>) {
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
    let mut party = TwoParty::inline(&mut channel, &seeds);
    let values = case.circuit.program.run(&mut party, &sources).unwrap();
    let mut source = Witness::new(&case.circuit, &values);
    let instances = values.instances.clone();
    let proof =
        prove(&mut party, &case.key, &case.srs, std::slice::from_ref(&instances), &mut source)
            .unwrap();
    (instances, proof)
}

type Made = (Vec<Fr>, Vec<u8>);

fn both(case: &Case) -> (Made, Made) {
    let (model_end, data_end) = memory_pair([9; 32]);
    thread::scope(|scope| {
        let model = scope.spawn(|| side(case, model_end));
        let data = scope.spawn(|| side(case, data_end));
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
    let case = case(name);
    let (model, data) = both(&case);
    assert_eq!(model, data);
    let (instances, proof) = model;
    let srs = case.srs.verifier();
    verify(case.key.vk(), srs, std::slice::from_ref(&instances), &proof).unwrap();
    assert_eq!(instances, case.witness.instances(&case.compiled.settings.run_args));
    assert_eq!(proof, alone(&case, &instances));
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
    let (model, data) = both(&case);
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
