//! The readers of files.

use crate::memory::within;
use twain_algebra::Fr;
use twain_artifacts::key::{KeyFormat, KeyPolynomial, KeyShape, ProvingKeyFile, VerifyingKeyFile};
use twain_artifacts::srs::{PointCheck, PowersOfTau, SrsFile};
use twain_artifacts::{
    CompiledModel, GraphWitness, InputFile, Proof, clear_values, parse_settings, redact,
};
use twain_circuit::{ProductTree, Sources, configure, lay_out, parameters};
use twain_party::{Alone, Seed};

/// Memory that reading `bytes` justifies: some times their number (an element of a list takes two
/// bytes of JSON and many in memory), and buffers.
fn justified(bytes: &[u8]) -> usize {
    128 * bytes.len() + (4 << 20)
}

/// settings.json, and the constraint system it asks for.
pub fn settings(bytes: &[u8]) {
    let read = within(justified(bytes), || parse_settings(bytes));
    let Ok(settings) = read else { return };
    let text = serde_json::to_vec(&settings).expect("settings are JSON");
    let again = parse_settings(&text).expect("what was written is read");
    assert_eq!(serde_json::to_vec(&again).expect("settings are JSON"), text);
    if settings.run_args.validate().is_ok() {
        let _ = configure(&settings, ProductTree::FullySplit);
    }
}

/// model.compiled.
pub fn compiled_model(bytes: &[u8]) {
    let read = within(justified(bytes), || CompiledModel::parse(bytes));
    let Ok(compiled) = read else { return };
    let mut once = Vec::new();
    compiled.encode(&mut once).expect("memory takes it");
    let again = CompiledModel::parse(&once).expect("what was written is read");
    let mut twice = Vec::new();
    again.encode(&mut twice).expect("memory takes it");
    assert!(once == twice);
    let _ = clear_values(&compiled);
    let _ = redact(&compiled);
}

/// What a circuit of [`MOST_CELLS`] cells, and the constraint system of any, may take.
const CIRCUIT_MEMORY: usize = 1 << 30;
/// What a larger circuit takes is no fault.
const MOST_CELLS: usize = 1 << 18;

/// The circuit of a model.compiled, which the data's owner has from the model's owner; run on
/// zeros.
pub fn circuit(bytes: &[u8]) {
    let Ok(compiled) = CompiledModel::parse(bytes) else { return };
    if compiled.settings.run_args.logrows <= 12 {
        within(CIRCUIT_MEMORY, || run_on_zeros(&compiled));
    }
}

fn run_on_zeros(CompiledModel { model, settings, .. }: &CompiledModel) {
    let Ok((system, _)) = configure(settings, ProductTree::FullySplit) else { return };
    if system.advice_phases().len() << settings.run_args.logrows > MOST_CELLS {
        return;
    }
    let Ok(circuit) = lay_out(model, settings, ProductTree::FullySplit) else { return };
    let parameters = parameters(model);
    let sizes = model.graph.inputs.iter().map(|input| {
        let node = model.graph.nodes.get(input);
        node.and_then(|node| node.out_dims().first()).map_or(0, |dims| dims.iter().product())
    });
    let inputs: Vec<Vec<Fr>> = sizes.map(|size| vec![Fr::zero(); size]).collect();
    let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
    let _ = circuit.program.run_alone(&mut Alone::new(Seed([0; 32])), &sources);
}

/// input.json.
pub fn input(bytes: &[u8]) {
    let _ = within(justified(bytes), || InputFile::parse(bytes));
}

/// witness.json.
pub fn witness(bytes: &[u8]) {
    let read = within(justified(bytes), || GraphWitness::parse(bytes));
    let Ok(witness) = read else { return };
    let text = serde_json::to_vec(&witness).expect("a witness is JSON");
    assert!(GraphWitness::parse(&text).expect("it is read again") == witness);
}

/// proof.json.
pub fn proof(bytes: &[u8]) {
    let _ = within(justified(bytes), || Proof::parse(bytes));
}

/// kzgK.srs.
pub fn srs(bytes: &[u8]) {
    within(justified(bytes), || {
        let Ok(srs) = SrsFile::parse(bytes) else { return };
        let _ = srs.g(srs.k(), PointCheck::OnCurve);
        let _ = srs.g_lagrange(PointCheck::Coordinates);
    });
}

/// A .ptau file.
pub fn powers_of_tau(bytes: &[u8]) {
    within(justified(bytes), || {
        let Ok(powers) = PowersOfTau::parse(bytes) else { return };
        let _ = powers.g(powers.power(), PointCheck::OnCurve);
    });
}

/// vk.key.
pub fn verifying_key(bytes: &[u8]) {
    let shape = KeyShape { permutation_columns: 8, selectors: 16 };
    for format in [KeyFormat::RawBytes, KeyFormat::Processed] {
        let read = within(justified(bytes), || VerifyingKeyFile::parse(bytes, format, shape));
        let Ok(key) = read else { continue };
        let mut again = Vec::new();
        key.encode(format, &mut again).expect("memory takes it");
        assert!(again == bytes);
    }
}

/// pk.key.
pub fn proving_key(bytes: &[u8]) {
    let shape = KeyShape { permutation_columns: 3, selectors: 1 };
    for format in [KeyFormat::RawBytes, KeyFormat::Processed] {
        within(justified(bytes), || {
            let Ok(key) = ProvingKeyFile::parse(bytes, format, shape, 4) else { return };
            for index in 0..4 {
                let _ = key.polynomial(KeyPolynomial::FixedValues(index));
                let _ = key.polynomial(KeyPolynomial::PermutationCoset(index));
            }
        });
    }
}

/// An ONNX file.
pub fn onnx(bytes: &[u8]) {
    let _ = twain_onnx::load(bytes, &[("batch_size".into(), 1)], &Default::default());
}
