//! A pair's proof: two sides, one with the model and one with the data, over a link within the
//! process. It verifies under EZKL's key, and equals the proof made alone with both seeds.

mod in_process;

use in_process::{Case, Made, Secrets, case, case_in, seeds};
use std::path::Path;
use std::thread;
use twain_artifacts::CompiledModel;
use twain_graph::Visibility;
use twain_link::channel::{Channel, MemoryChannel, memory_pair};
use twain_link::handshake::Session;
use twain_link::identity::Identity;
use twain_pair::TwoParty;
use twain_pair::preprocessing::{Plan, make};
use twain_party::{PartySeeds, Role, Seed};
use twain_plonk::{generate_keys, verify};
use twain_store::{ReservedBundle, Store};

/// Where a side takes its correlations from.
trait Correlations: Sync {
    fn party<'a>(&self, channel: &'a mut dyn Channel, seeds: &PartySeeds) -> TwoParty<'a>;
}

struct Inline;

impl Correlations for Inline {
    fn party<'a>(&self, channel: &'a mut dyn Channel, seeds: &PartySeeds) -> TwoParty<'a> {
        TwoParty::inline(channel, seeds).unwrap()
    }
}

fn both(case: &Case, secrets: &Secrets, correlations: &dyn Correlations) -> [Made; 2] {
    on_both_sides([9; 32], |mut channel| {
        let role = channel.role();
        let mut party = correlations.party(&mut channel, &seeds(role));
        case.side(&mut party, secrets, role).unwrap()
    })
}

fn pair_equals_alone(name: &str) {
    check_pair(&case(name), &Inline);
}

/// The same where the inputs have these owners, for keys that were made without them.
fn owned_pair_equals_alone(name: &str, owners: &[Role]) {
    let before = case(name);
    let (system, cells) = (before.circuit.cs.clone(), before.circuit.assembly.clone());
    let case = before.owned_by(owners);
    let same = case.circuit.assembly.copies == cells.copies
        && case.circuit.assembly.selectors == cells.selectors
        && case.circuit.assembly.fixed == cells.fixed;
    assert!(same && case.circuit.cs == system, "{name}: {owners:?}");
    check_pair(&case, &Inline);
}

fn check_pair(case: &Case, correlations: &dyn Correlations) {
    let [model, data] = both(case, &case.secrets(), correlations);
    assert_eq!(model, data);
    let (instances, proof) = &model;
    let srs = case.srs.verifier();
    verify(case.key.vk(), srs, std::slice::from_ref(instances), proof).unwrap();
    assert_eq!(*instances, case.witness.instances(&case.compiled.settings.run_args));
    assert_eq!(model, case.alone(&case.secrets()));
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
        let [bundles, marks] =
            ["bundles", "marks"].map(|name| self.folders[side].path().join(name));
        Store::open(&bundles, &marks, &self.identities[side]).unwrap()
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
        TwoParty::from_bundle(channel, bundle.id(), bundle, seeds).unwrap()
    }
}

fn on_both_sides<T: Send>(session: [u8; 32], side: impl Fn(MemoryChannel) -> T + Sync) -> [T; 2] {
    let (model, data) = memory_pair(session);
    thread::scope(|scope| {
        let other = scope.spawn(|| side(data));
        [side(model), other.join().unwrap()]
    })
}

fn a_bundle_makes_one_proof(name: &str) {
    a_bundle_makes_one_proof_of(&case(name));
}

fn a_bundle_makes_one_proof_of(case: &Case) {
    let machines = Machines::new();
    machines.preprocess(&case.plan());
    check_pair(case, &machines);
    // It is spent.
    let left = on_both_sides([10; 32], |mut channel| machines.reserve(&mut channel).is_some());
    assert_eq!(left, [false; 2]);
}

#[test]
fn a_bundle_makes_one_proof_of_a_dense_layer() {
    a_bundle_makes_one_proof("1l_mlp-k9-private");
}

#[test]
fn a_bundle_makes_one_proof_with_tables_of_secrets() {
    a_bundle_makes_one_proof("../pair_circuits/weighted-arg-max");
}

#[test]
fn a_bundle_makes_one_proof_with_tables_of_several_columns() {
    a_bundle_makes_one_proof("../circuits/gru");
}

#[test]
fn a_bundle_makes_one_proof_of_two_phases() {
    a_bundle_makes_one_proof("../circuits/freivalds");
}

#[test]
fn a_bundle_makes_one_proof_between_two_owners() {
    a_bundle_makes_one_proof_of(&case(LOGIC).owned_by(&[Role::Model, Role::Data]));
}

#[test]
fn another_circuits_bundle_ends_the_session() {
    let (case, other) = (case("1l_relu-k8-private"), case("1l_mlp-k9-private"));
    let machines = Machines::new();
    machines.preprocess(&case.plan());
    let outcomes = on_both_sides([9; 32], |mut channel| {
        let role = channel.role();
        let mut party = machines.party(&mut channel, &seeds(role));
        let ended = other.side(&mut party, &other.secrets(), role);
        ended.err().map(|error| error.to_string())
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

#[test]
fn largest_elements_of_windows() {
    pair_equals_alone("../pair_circuits/weighted-max-pool");
}

#[test]
fn computed_indices() {
    pair_equals_alone("../pair_circuits/weighted-gather");
}

/// Sorted lists, exponentials, and reciprocals from a table around 0.
#[test]
fn softmax() {
    pair_equals_alone("../pair_circuits/weighted-softmax");
}

/// Reciprocals of values of 28 bits.
#[test]
fn reciprocals() {
    pair_equals_alone("../pair_circuits/weighted-reciprocal");
}

/// Reciprocals of too many steps, digit by digit.
#[test]
fn reciprocals_at_a_large_scale() {
    pair_equals_alone("../pair_circuits/weighted-reciprocal-wide");
}

/// Digits that are remainders.
#[test]
fn a_base_that_is_no_power_of_two() {
    pair_equals_alone("../pair_circuits/weighted-base-100");
}

/// What a computed index does not replace is looked up in order.
#[test]
fn scatter_to_a_computed_index() {
    pair_equals_alone("../pair_circuits/weighted-scatter");
}

/// A square root digit by digit, and its reciprocal.
#[test]
fn square_roots() {
    pair_equals_alone("../pair_circuits/weighted-rsqrt");
}

#[test]
fn logarithms() {
    pair_equals_alone("../pair_circuits/weighted-ln");
}

/// Tables of functions in several columns, of values neither side knows, in a loop.
#[test]
fn gated_recurrent_unit() {
    pair_equals_alone("../circuits/gru");
}

/// A digit's table of two columns, and the parity of values neither side knows.
#[test]
fn rounding_to_even() {
    pair_equals_alone("../pair_circuits/weighted-round");
}

/// Tables and lookups in several columns each, of values one side owns.
#[test]
fn tables_of_owned_values() {
    pair_equals_alone("../circuits/arg-max-k8");
    pair_equals_alone("../circuits/scatter-elements-rows");
}

/// The widest values that are not refused, of either side, and of both signs.
#[test]
fn parameters_and_inputs_at_their_bounds() {
    let case = case("1l_mlp-k9-private");
    let secrets = [((1i64 << 40) - 1, 0, 7), (9, (1 << 24) - 1, -(1 << 24) + 1)];
    for (weight, x, y) in secrets {
        let field = twain_graph::numbers::integer_to_field;
        let mut secrets = case.secrets();
        secrets.inputs[0] = [x, y, 0].map(|value: i64| field(value.into())).to_vec();
        secrets.parameters[0] =
            [weight, 1, -weight].repeat(4).into_iter().map(|v| field(v.into())).collect();
        let [model, data] = both(&case, &secrets, &Inline);
        assert_eq!(model, data);
        assert_eq!(model, case.alone(&secrets));
    }
}

const LOGIC: &str = "../circuits/logic";

/// Inputs of both sides and no model: comparisons and Booleans.
#[test]
fn two_owners_and_no_model() {
    assert!(case(LOGIC).secrets().parameters.is_empty());
    for owners in [[Role::Model, Role::Data], [Role::Data, Role::Model]] {
        owned_pair_equals_alone(LOGIC, &owners);
    }
}

/// Inputs of the model's side beside its parameters: an index, and what it is an index of.
#[test]
fn two_owners_and_a_model() {
    for owners in [[Role::Model, Role::Data], [Role::Data, Role::Model]] {
        owned_pair_equals_alone("../pair_circuits/weighted-gather", &owners);
    }
}

/// Products of what is owned in turns, in two phases; a table with rows of either.
#[test]
fn inputs_that_alternate() {
    let alternating = [Role::Model, Role::Data, Role::Model];
    owned_pair_equals_alone("../circuits/freivalds-three", &alternating);
    owned_pair_equals_alone("../circuits/scatter-elements-rows", &alternating);
}

/// Tables and lookups of values that the model's side owns: of functions, of ranges, of its own
/// values.
#[test]
fn tables_of_values_of_the_model_s_side() {
    owned_pair_equals_alone("../circuits/sigmoid-tanh", &[Role::Model]);
    owned_pair_equals_alone("../circuits/arg-max-k8", &[Role::Model]);
    owned_pair_equals_alone("../circuits/scatter-elements-rows", &[Role::Model; 3]);
}

/// A plan is made on zeros, which are not in every table of a function of the model's side's input.
#[test]
fn a_table_without_zero() {
    let mut case = case("../circuits/sigmoid-tanh");
    case.compiled.settings.run_args.lookup_range = (1, 400);
    case = case.owned_by(&[Role::Model]);
    let Case { circuit, srs, .. } = &case;
    case.key = generate_keys(circuit.cs.clone(), circuit.assembly.clone(), srs, true).unwrap();
    let mut secrets = case.secrets();
    secrets.inputs[0].iter_mut().enumerate().for_each(|(i, x)| *x = (40 + i as u64).into());
    assert!(!case.plan().calls().is_empty());
    let [model, data] = both(&case, &secrets, &Inline);
    assert_eq!(model, data);
    assert_eq!(model, case.alone(&secrets));
}

/// The widest inputs of both sides; with the greatest difference, which is out of the circuit's
/// range, both sides stop without a word of whose value it is.
#[test]
fn inputs_of_two_owners_at_their_bounds() {
    let case = case(LOGIC).owned_by(&[Role::Model, Role::Data]);
    let largest = twain_algebra::Fr::from((1 << 24) - 1);
    let [small, large] = [3, 4].map(twain_algebra::Fr::from);
    let mut secrets = case.secrets();
    secrets.inputs = vec![vec![largest, -largest, small], vec![large, -small, -largest + large]];
    let [model, data] = both(&case, &secrets, &Inline);
    assert_eq!(model, data);
    assert_eq!(model, case.alone(&secrets));
    secrets.inputs = vec![vec![largest; 3], vec![-largest; 3]];
    let ended = on_both_sides([9; 32], |mut channel| {
        let error = case.side_over(&mut channel, &secrets).err();
        error.map(|error| error.to_string())
    });
    let said = twain_party::PartyError::Ended.to_string();
    assert_eq!(ended, [Some(said.clone()), Some(said)]);
}

/// A weight of one element.
#[test]
fn products_with_a_single_weight() {
    pair_equals_alone("../onnx/small/gemm_1_1");
}

/// Indices that comparisons make, level after level of a tree.
#[test]
fn a_tree_by_computed_indices() {
    pair_equals_alone("../onnx/small/tree_by_index");
}

/// Functions of values neither side knows, in whose tables some entries are too large for anything:
/// of large arguments, of 0, of the ends of a domain.
#[test]
fn functions_with_entries_too_far_apart() {
    pair_equals_alone("../onnx/small/softplus");
    pair_equals_alone("../onnx/small/mish");
    pair_equals_alone("../onnx/small/arctangent");
}

/// All small circuits of the repository, with every other input the model's side's, from the first
/// on.
#[test]
#[ignore = "takes minutes"]
fn every_circuit_with_inputs_of_the_model_s_side() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let folders = ["circuits", "circuit_classes", "pair_circuits", "vectors", "onnx/small"];
    let folders = folders.map(|name| std::fs::read_dir(tests.join(name)).unwrap());
    let mut proven = 0;
    for folder in folders.into_iter().flatten() {
        let folder = folder.unwrap().path();
        let compiled = CompiledModel::read(&folder.join("model.compiled"));
        let (Ok(compiled), true) = (compiled, folder.join("witness.json").exists()) else {
            continue;
        };
        let args = &compiled.settings.run_args;
        let srs = tests.join(format!("vectors/srs/kzg{}.srs", args.logrows));
        let known = |visibility: &Visibility| visibility.is_public() || visibility.is_fixed();
        let nobody_s = known(&args.input_visibility) || args.param_visibility.is_fixed();
        if nobody_s || args.logrows > 11 || !srs.exists() {
            continue;
        }
        println!("{}", folder.display());
        let case = case_in(&folder, &srs);
        let inputs = case.owners.len();
        let owners = [Role::Model, Role::Data].into_iter().cycle().take(inputs);
        check_pair(&case.owned_by(&owners.collect::<Vec<_>>()), &Inline);
        proven += 1;
    }
    assert!(proven > 40, "{proven}");
}

/// A folder with `model.compiled` and `witness.json`, and an SRS of its size, from the environment.
#[test]
#[ignore = "needs TWAIN_PAIR_CASE and TWAIN_PAIR_SRS"]
fn folder_from_the_environment() {
    let folder = std::env::var("TWAIN_PAIR_CASE").unwrap();
    let srs = std::env::var("TWAIN_PAIR_SRS").unwrap();
    let case = case_in(Path::new(&folder), Path::new(&srs));
    let [model, data] = both(&case, &case.secrets(), &Inline);
    assert_eq!(model.0, data.0);
    let joined = case.alone(&case.secrets()).1;
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
