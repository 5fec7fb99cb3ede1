//! What a side of a pair puts in must be in the ranges that masks rely on. Before it was checked
//! here, with all bits, the program of one side was enough to read the other's secret: parameters
//! `-2^201`, `-2^212`, `-2^223` in each row of the dense layer of `1l_mlp-k9-private` (their lower
//! 128 bits are 0, which passed for the number 0) made the first opened dividend
//! `-(2^201 a + 2^212 b + 2^223 c)` plus what covers it, of 200 bits: the model's side read the
//! inputs 197, 68 and 156 off it. So did the data's side the rows of weights, 5, -65 and 6 in the
//! first, with inputs `2^201`, `2^212`, `2^223` and `--ignore-range-check-inputs-outputs`. The
//! validity test came after.

use ff::Field;
use std::path::Path;
use twain_algebra::Fr;
use twain_artifacts::CompiledModel;
use twain_circuit::{
    Circuit, ProductTree, Source, Sources, WitnessError, lay_out, lay_out_owned, mock, parameters,
};
use twain_graph::{InputType, NodeKind, PolyOp, SupportedOp};
use twain_party::{
    Alone, HintBatch, LateInverse, LookupArgument, Multiplicities, PartyError, Role, Seed, Shares,
    Tested, WireValue, WitnessParty,
};

const DENSE: &str = "vectors/1l_mlp-k9-private";

fn compiled(folder: &str) -> CompiledModel {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests").join(folder);
    CompiledModel::read(&file.join("model.compiled")).unwrap()
}

fn circuit_of(compiled: &CompiledModel) -> Circuit {
    lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit).unwrap()
}

/// As `--ignore-range-check-inputs-outputs` compiles it.
fn without_range_checks(folder: &str) -> Circuit {
    let mut compiled = compiled(folder);
    compiled.settings.run_args.ignore_range_check_inputs_outputs = true;
    for kind in compiled.model.graph.nodes.values_mut() {
        let NodeKind::Node(node) = kind else { continue };
        match &mut node.op {
            SupportedOp::Input(input) => input.decomp = false,
            SupportedOp::Constant(constant) => constant.decomp = false,
            _ => {}
        }
    }
    circuit_of(&compiled)
}

fn power_of_two(exponent: u64) -> Fr {
    Fr::from(2).pow([exponent])
}

/// Elements beyond every range, of both signs: those whose lower 128 bits are 0, or those of a
/// small number; about half of the modulus; one beyond the largest that `largest` bits hold.
fn too_wide(bits: u64) -> Vec<Fr> {
    let half = Fr::from(2).invert().unwrap();
    let mut wide: Vec<Fr> =
        [bits, 63, 64, 126, 127, 128, 201, 212, 223, 230, 252].map(power_of_two).to_vec();
    wide.extend([half, half - Fr::ONE, power_of_two(201) + Fr::ONE, power_of_two(128) - Fr::ONE]);
    let negative: Vec<Fr> = wide.iter().map(|value| -*value).collect();
    wide.extend(negative);
    wide
}

fn largest(bits: u64) -> [Fr; 2] {
    let largest = power_of_two(bits) - Fr::ONE;
    [largest, -largest]
}

/// A side of a pair that must not say a word.
struct Silent(Role);

impl WitnessParty for Silent {
    fn adds_public(&self) -> bool {
        self.0 == Role::Model
    }

    fn claim(&mut self, _: &[WireValue]) -> Result<Shares, PartyError> {
        unreachable!("claims")
    }

    fn inner_products(
        &mut self,
        _: &[WireValue],
        _: &[WireValue],
        _: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        unreachable!("products")
    }

    fn hints(&mut self, _: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError> {
        unreachable!("hints")
    }

    fn prepare_lookups(&mut self, _: &[LookupArgument]) -> Result<(), PartyError> {
        unreachable!("lookups")
    }

    fn multiplicities(
        &mut self,
        _: &[LookupArgument],
        _: usize,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        unreachable!("multiplicities")
    }

    fn late_inverses(&mut self, _: &[LateInverse<WireValue>]) -> Result<Shares, PartyError> {
        unreachable!("late inverses")
    }

    fn check_zero(&mut self, _: &[Fr]) -> Result<Tested, PartyError> {
        unreachable!("the validity test")
    }

    fn open_instances(&mut self, _: Tested, _: &[Fr]) -> Result<Vec<Fr>, PartyError> {
        unreachable!("openings")
    }
}

fn zeros(sources: &[Source]) -> Vec<Vec<Fr>> {
    sources.iter().map(|source| vec![Fr::ZERO; source.length]).collect()
}

/// What a side of a pair says to its secret, beforehand and when it runs the program.
fn refusal(circuit: &Circuit, role: Role, sources: &Sources) -> Option<(String, usize)> {
    let outside = |error: WitnessError| match &error {
        WitnessError::OutOfBound { tensor, index, low, high, .. } => {
            assert!(low <= high, "{error}");
            Some((tensor.clone(), *index))
        }
        _ => panic!("{error}"),
    };
    let before = circuit.program.check_sources(sources).err().and_then(outside);
    if before.is_some() {
        let run = circuit.run(&mut Silent(role), sources).err().and_then(outside);
        assert_eq!(before, run, "what was not checked before must be stopped all the same");
    }
    before
}

/// Inputs of `bits` bits are taken, wider ones refused.
fn inputs_are_bounded(circuit: &Circuit, bits: u64, about: &str) {
    let sources = |inputs: &[Vec<Fr>]| {
        let sources = Sources { inputs: Some(inputs), parameters: None };
        refusal(circuit, Role::Data, &sources)
    };
    let mut inputs = zeros(circuit.program.inputs());
    let last = inputs[0].len() - 1;
    for value in largest(bits) {
        inputs[0].fill(value);
        assert_eq!(sources(&inputs), None, "{about}: {value:?}");
    }
    for value in too_wide(bits) {
        let mut inputs = zeros(circuit.program.inputs());
        inputs[0][last] = value;
        let named = Some(("input 0".to_string(), last));
        assert_eq!(sources(&inputs), named, "{about}: {value:?}");
    }
}

/// Parameters of 40 bits are taken, wider ones refused.
fn parameters_are_bounded(circuit: &Circuit, about: &str) {
    let program = &circuit.program;
    // Public inputs are given on both sides.
    let inputs = zeros(program.inputs());
    let refused = |parameters: &[Vec<Fr>]| {
        let sources = Sources { inputs: Some(&inputs), parameters: Some(parameters) };
        refusal(circuit, Role::Model, &sources)
    };
    let secret: Vec<usize> = (0..program.parameters().len())
        .filter(|i| !program.parameters()[*i].wires.is_empty())
        .collect();
    assert!(!secret.is_empty(), "{about}");
    for tensor in secret {
        let Source { name, length, .. } = &program.parameters()[tensor];
        for value in largest(40) {
            let mut parameters = zeros(program.parameters());
            parameters[tensor].fill(value);
            assert_eq!(refused(&parameters), None, "{about}, {name}: {value:?}");
        }
        for value in too_wide(40) {
            let mut parameters = zeros(program.parameters());
            parameters[tensor][length / 2] = value;
            let named = Some((name.clone(), length / 2));
            assert_eq!(refused(&parameters), named, "{about}: {value:?}");
        }
    }
}

#[test]
fn inputs_of_every_visibility() {
    for folder in [
        DENSE,
        "circuit_classes/hashed_input-k11",
        "circuit_classes/committed_input_output-k9",
        "circuit_classes/hashed_params_public_input-k11",
        "pair_circuits/hashed_input_parameters-k11",
        "circuits/hashed-all",
    ] {
        let compiled = compiled(folder);
        let args = &compiled.settings.run_args;
        let base = args.decomp_base as u64;
        assert!(base.is_power_of_two());
        let bits = u64::from(base.ilog2()) * args.decomp_legs as u64;
        inputs_are_bounded(&circuit_of(&compiled), bits, folder);
    }
    inputs_are_bounded(&without_range_checks(DENSE), 24, "without range checks");
}

/// The model's side's inputs are held to the same range, by the model's side; an input of the other
/// side's it does not have.
#[test]
fn inputs_that_the_model_s_side_owns() {
    for folder in ["circuits/logic", "circuits/scatter-elements-rows"] {
        let CompiledModel { model, settings, .. } = &compiled(folder);
        let count = model.graph.inputs.len();
        let mut owners = vec![Role::Data; count];
        owners[0] = Role::Model;
        let tree = ProductTree::FullySplit;
        let circuit = lay_out_owned(model, settings, tree, &owners).unwrap();
        let parameters = zeros(circuit.program.parameters());
        let refused = |inputs: &[Vec<Fr>]| {
            let sources = Sources { inputs: Some(inputs), parameters: Some(&parameters) };
            refusal(&circuit, Role::Model, &sources)
        };
        let mut inputs = zeros(circuit.program.inputs());
        inputs[1..].iter_mut().for_each(Vec::clear);
        for value in largest(24) {
            inputs[0].fill(value);
            assert_eq!(refused(&inputs), None, "{folder}: {value:?}");
        }
        for value in too_wide(24) {
            inputs[0].fill(Fr::ZERO);
            inputs[0][1] = value;
            let named = Some(("input 0".to_string(), 1));
            assert_eq!(refused(&inputs), named, "{folder}: {value:?}");
        }
        // Who owns an input must have it.
        let none = Sources { inputs: None, parameters: Some(&parameters) };
        for role in [Role::Model, Role::Data] {
            let error = circuit.run(&mut Silent(role), &none).unwrap_err().to_string();
            let own = if role == Role::Model { 0 } else { 1 };
            assert_eq!(error, format!("input {own}, which this side owns, is missing"));
        }
    }
    let CompiledModel { model, settings, .. } = &compiled("circuits/logic");
    let one = lay_out_owned(model, settings, ProductTree::FullySplit, &[Role::Model]);
    assert_eq!(one.unwrap_err().to_string(), "1 owners of 2 inputs");
}

#[test]
fn parameters_of_every_visibility() {
    for folder in [
        DENSE,
        "vectors/1l_mlp-k9-polycommit",
        "circuit_classes/hashed_params_public_input-k11",
        "pair_circuits/hashed_input_parameters-k11",
    ] {
        parameters_are_bounded(&circuit_of(&compiled(folder)), folder);
    }
    parameters_are_bounded(&without_range_checks(DENSE), "without range checks");
}

/// The model's side knows public inputs too, and refuses them by itself.
#[test]
fn public_inputs_on_the_model_s_side() {
    let compiled = compiled("circuit_classes/hashed_params_public_input-k11");
    let circuit = circuit_of(&compiled);
    let parameters = parameters(&compiled.model);
    let mut inputs = zeros(circuit.program.inputs());
    inputs[0][1] = power_of_two(201);
    let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
    let named = Some(("input 0".to_string(), 1));
    assert_eq!(refusal(&circuit, Role::Model, &sources), named);
}

/// The first is named, of all tensors, and no value.
#[test]
fn the_first_is_named_without_its_value() {
    let circuit = circuit_of(&compiled(DENSE));
    let mut parameters = zeros(circuit.program.parameters());
    parameters.iter_mut().for_each(|tensor| tensor[2..].fill(power_of_two(41)));
    let sources = Sources { inputs: None, parameters: Some(&parameters) };
    let error = circuit.program.check_sources(&sources).unwrap_err().to_string();
    let name = &circuit.program.parameters()[0].name;
    let expected = format!(
        "element 2 of {name} is not in the range -1099511627775 to 1099511627775, for which the \
         masks of two parties are made: use smaller values or a smaller --param-scale"
    );
    assert_eq!(error, expected);
    assert_eq!(circuit.program.check_sources(&Sources::default()).ok(), Some(()));
}

/// Where EZKL's circuit checks no range, it proves elements of any size; so do we alone.
#[test]
fn alone_any_element_is_taken_that_the_circuit_takes() {
    let hashed = circuit_of(&compiled("pair_circuits/hashed_input_parameters-k11"));
    for circuit in [hashed, without_range_checks(DENSE)] {
        let mut inputs = zeros(circuit.program.inputs());
        inputs[0][0] = -power_of_two(201);
        // Weights that are all 0 keep what follows in range.
        let parameters = zeros(circuit.program.parameters());
        let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
        assert!(circuit.program.check_sources(&sources).is_err(), "not for a pair");
        let mut alone = Alone::new(Seed([7; 32]));
        let values = circuit.program.run_alone(&mut alone, &sources).unwrap();
        assert_eq!(mock(&circuit, &values, 10).unwrap(), []);
        assert!(circuit.run(&mut alone, &sources).is_ok());
    }
}

/// A party that computes nothing, and notes how wide the operands of lookups may be.
#[derive(Default)]
struct Widths(Vec<u16>);

impl WitnessParty for Widths {
    fn adds_public(&self) -> bool {
        true
    }

    fn claim(&mut self, wires: &[WireValue]) -> Result<Shares, PartyError> {
        Ok(Shares::zero(wires.len()))
    }

    fn inner_products(
        &mut self,
        _: &[WireValue],
        _: &[WireValue],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        Ok(vec![Fr::ZERO; ends.len()])
    }

    fn hints(&mut self, batches: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError> {
        let outputs = |batch: &HintBatch| vec![Fr::ZERO; batch.inputs.len() * batch.hint.outputs()];
        Ok(batches.iter().map(outputs).collect())
    }

    fn prepare_lookups(&mut self, arguments: &[LookupArgument]) -> Result<(), PartyError> {
        let bits = arguments.iter().filter(|argument| (argument.low, argument.high) == (0, 1));
        self.0.extend(bits.flat_map(|argument| argument.uses).map(|item| item.operand.bits));
        Ok(())
    }

    fn multiplicities(
        &mut self,
        _: &[LookupArgument],
        _: usize,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        unreachable!("multiplicities")
    }

    fn late_inverses(&mut self, wanted: &[LateInverse<WireValue>]) -> Result<Shares, PartyError> {
        Ok(Shares::zero(wanted.len()))
    }

    fn check_zero(&mut self, _: &[Fr]) -> Result<Tested, PartyError> {
        Ok(Tested::by_test())
    }

    fn open_instances(&mut self, _: Tested, shares: &[Fr]) -> Result<Vec<Fr>, PartyError> {
        Ok(shares.to_vec())
    }
}

/// The circuit with another operation in a node, or another type of its input, and tables of bits.
fn changed(change: impl Fn(&mut SupportedOp)) -> Circuit {
    let mut compiled = compiled(DENSE);
    compiled.settings.required_range_checks.push((0, 1));
    for kind in compiled.model.graph.nodes.values_mut() {
        if let NodeKind::Node(node) = kind {
            change(&mut node.op);
        }
    }
    circuit_of(&compiled)
}

/// The operand of a Boolean operation is 0 or 1 in a valid witness, which is tested after it was
/// opened under a mask: for that it is as wide as what it was computed from.
#[test]
fn operands_of_boolean_operations() {
    let circuit = changed(|op| {
        if matches!(op, SupportedOp::Linear(PolyOp::LeakyReLU { .. })) {
            *op = SupportedOp::Linear(PolyOp::Not);
        }
    });
    let (inputs, parameters) =
        (zeros(circuit.program.inputs()), zeros(circuit.program.parameters()));
    let sources = Sources { inputs: Some(&inputs), parameters: Some(&parameters) };
    let mut party = Widths::default();
    circuit.run(&mut party, &sources).unwrap();
    assert_eq!(party.0.len(), 4);
    assert!(party.0.iter().all(|bits| *bits > 40), "{:?}", party.0);
}

/// A source that the circuit constrains to 0 and 1 is tested before anything, so it is as narrow.
#[test]
fn boolean_inputs() {
    let circuit = changed(|op| {
        if let SupportedOp::Input(input) = op {
            input.datum_type = InputType::Bool;
        }
    });
    let refused = |value: Fr| {
        let mut inputs = zeros(circuit.program.inputs());
        inputs[0][1] = value;
        let sources = Sources { inputs: Some(&inputs), parameters: None };
        refusal(&circuit, Role::Data, &sources).is_some()
    };
    assert!(!refused(Fr::ZERO) && !refused(Fr::ONE));
    assert!(refused(-Fr::ONE) && refused(Fr::from(2)) && refused(power_of_two(201)));
}
