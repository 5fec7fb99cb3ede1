//! What a circuit states of its witness, evaluated on values; and the test of it by two sides over
//! tagged masks, of which one may lie.

mod in_process;

use ff::Field;
use in_process::{Case, Secrets, case, seeds};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, GraphWitness, redact};
use twain_circuit::{
    Circuit, MockFailure, ProductTree, Sources, WitnessError, lay_out, mock, parameters,
};
use twain_link::channel::{Channel, MemoryChannel, memory_pair};
use twain_pair::TwoParty;
use twain_party::{
    Alone, Combination, HintBatch, Kind, LateInverse, LookupArgument, LookupStatement,
    Multiplicities, Operand, OwnedPolynomial, PartyError, Role, Seed, Shares, Statement,
    StatementShape, Tested, WireValue, WitnessParty,
};

/// Where a party says something else than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    /// Its share of the first product of the call with this number.
    Product(usize),
    /// Its share of the last output of the batch of hints on shared values with this number.
    Hint(usize),
    /// How often a row of a table is looked up.
    Multiplicity,
    /// The wires of its own that are claimed for the test.
    OwnWires,
}

/// A party that lies in one place, and does not notice that anything is wrong but by the witness
/// test.
struct Lying<'p, P> {
    party: &'p mut P,
    lie: Lie,
    /// What the statement test is done with in place of the party's own.
    test: &'p dyn Fn(&mut P, &dyn Statement) -> Result<(), PartyError>,
    products: usize,
    hints: usize,
}

impl<P: WitnessParty> WitnessParty for Lying<'_, P> {
    fn adds_public(&self) -> bool {
        self.party.adds_public()
    }

    fn holds_values(&self) -> bool {
        self.party.holds_values()
    }

    fn claim(&mut self, wires: &[WireValue]) -> Result<Shares, PartyError> {
        self.party.claim(wires)
    }

    fn inner_products(
        &mut self,
        left: &[WireValue],
        right: &[WireValue],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        let mut products = self.party.inner_products(left, right, ends)?;
        if self.lie == Lie::Product(self.products) {
            products[0] += Fr::ONE;
        }
        self.products += 1;
        Ok(products)
    }

    fn hints(&mut self, batches: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError> {
        let mut outputs = self.party.hints(batches)?;
        let of_batches = batches.iter().zip(&mut outputs);
        for (_, outputs) in of_batches.filter(|(batch, _)| batch.inputs[0].kind == Kind::Shared) {
            if self.lie == Lie::Hint(self.hints) {
                *outputs.last_mut().unwrap() += Fr::ONE;
            }
            self.hints += 1;
        }
        Ok(outputs)
    }

    fn prepare_lookups(&mut self, arguments: &[LookupArgument]) -> Result<(), PartyError> {
        self.party.prepare_lookups(arguments)
    }

    fn multiplicities(
        &mut self,
        arguments: &[LookupArgument],
        rows: usize,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        let mut counted = self.party.multiplicities(arguments, rows)?;
        if self.lie == Lie::Multiplicity {
            counted[0].shares[1] += Fr::ONE;
        }
        Ok(counted)
    }

    fn tests_statements(&self) -> bool {
        true
    }

    fn test_statement(&mut self, statement: &dyn Statement) -> Result<(), PartyError> {
        (self.test)(self.party, statement)
    }

    fn late_inverses(&mut self, wanted: &[LateInverse<WireValue>]) -> Result<Shares, PartyError> {
        match self.party.late_inverses(wanted) {
            // There is no such inverse, which the statement says, too.
            Err(PartyError::Invalid) => Ok(Shares::zero(wanted.len())),
            made => made,
        }
    }

    fn check_zero(&mut self, _: &[Fr]) -> Result<Tested, PartyError> {
        Ok(Tested::by_test())
    }

    fn open_instances(&mut self, tested: Tested, shares: &[Fr]) -> Result<Vec<Fr>, PartyError> {
        self.party.open_instances(tested, shares)
    }
}

/// The statement on values.
fn holds(shape: &StatementShape, statement: &dyn Statement) -> bool {
    let value = |wire: u32| statement.operand(wire).share;
    let challenge = Fr::from(0x1234_5678_9abc_def1).square();
    let combination = statement.combination(challenge);
    let mut sum = combination.constant;
    sum += combination.wires.iter().map(|(wire, weight)| *weight * value(*wire)).sum::<Fr>();
    for ([left, right], weights) in shape.pairs.iter().zip(&combination.products) {
        for (row, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != Fr::ZERO) {
            let cell = |column: &u32| value(shape.columns[*column as usize][row].unwrap().wire);
            sum += *weight * cell(left) * cell(right);
        }
    }
    let owned = [Role::Model, Role::Data].into_iter().flat_map(|owner| statement.owned(owner));
    let of_owned = |polynomial: OwnedPolynomial| {
        let term = |(coefficient, wires): &(Fr, Vec<u32>)| {
            *coefficient * wires.iter().map(|wire| value(*wire)).product::<Fr>()
        };
        polynomial.constant + polynomial.terms.iter().map(term).sum::<Fr>()
    };
    let mut all = vec![sum];
    all.extend(owned.map(of_owned));
    for (shape, lookup) in shape.lookups.iter().zip(statement.lookups()) {
        let fraction = |tuple: &mut dyn Iterator<Item = Fr>| {
            let compressed = tuple.fold(Fr::ZERO, |sum, value| sum * challenge + value);
            (compressed + challenge.double()).invert().unwrap()
        };
        let mut sum = Fr::ZERO;
        for (cells, tuple) in shape.tuples.iter().zip(&lookup.tuples) {
            let components = cells.iter().zip(tuple);
            sum += fraction(&mut components.map(|(cell, affine)| {
                affine.constant + cell.map_or(Fr::ZERO, |c| affine.coefficient * value(c.wire))
            }));
        }
        for (tuple, count) in &lookup.known {
            sum += Fr::from(*count) * fraction(&mut tuple.iter().copied());
        }
        let mut secret_rows = shape.secret_rows.iter().zip(&lookup.secret_rows).peekable();
        for row in 0..shape.table_rows {
            let fraction = match secret_rows.next_if(|((of_row, _), _)| *of_row == row) {
                Some(((_, cells), tuple)) => {
                    fraction(&mut cells.iter().zip(tuple).map(|(cell, affine)| {
                        let secret = cell.map_or(Fr::ZERO, |c| affine.coefficient * value(c.wire));
                        affine.constant + secret
                    }))
                }
                None => fraction(&mut lookup.table.iter().map(|column| column[row])),
            };
            sum -= lookup.multiplicities[row] * fraction;
        }
        assert!(secret_rows.next().is_none());
        all.push(sum);
    }
    let is_made = |late: &LateInverse<u32>| {
        let nonzero = late.nonzero.map_or(Fr::ONE, value);
        nonzero.square() == nonzero && value(late.value) + Fr::ONE != nonzero
    };
    all.iter().all(|value| *value == Fr::ZERO) && shape.late_inverses.iter().all(is_made)
}

struct Laid {
    circuit: Circuit,
    secrets: Secrets,
}

fn repository(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests").join(folder)
}

fn circuit(compiled: &CompiledModel) -> Circuit {
    lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit).unwrap()
}

fn laid(folder: &str) -> Laid {
    let folder = repository(folder);
    let compiled = CompiledModel::read(&folder.join("model.compiled")).unwrap();
    let circuit = circuit(&redact(&compiled).unwrap());
    let inputs = GraphWitness::read(&folder.join("witness.json")).unwrap().inputs.clone();
    Laid { circuit, secrets: Secrets { inputs, parameters: parameters(&compiled.model) } }
}

/// Whether the statement holds on the values of one who has all of them, and lies; and what a check
/// of every constraint, cell by cell, finds. None if the lie takes another value out of its range.
fn alone(laid: &Laid, shape: &StatementShape, lie: Lie) -> Option<(bool, Vec<MockFailure>)> {
    let Secrets { inputs, parameters } = &laid.secrets;
    let sources = Sources { inputs: Some(inputs), parameters: Some(parameters) };
    let result = Cell::new(None);
    let test = |_: &mut Alone, statement: &dyn Statement| {
        result.set(Some(holds(shape, statement)));
        Ok(())
    };
    let mut alone = Alone::new(Seed([1; 32]));
    let mut party = Lying { party: &mut alone, lie, test: &test, products: 0, hints: 0 };
    match laid.circuit.run(&mut party, &sources) {
        Err(WitnessError::Party(PartyError::Invalid)) if lie != Lie::None => None,
        values => {
            let failures = mock(&laid.circuit, &values.unwrap(), 100).unwrap();
            Some((result.get().expect("the statement is tested"), failures))
        }
    }
}

/// The statement is false exactly if a constraint is, but where that is about a cell that the
/// circuit ties to another one: the pair has the other's value in both.
#[test]
fn the_statement_holds_for_a_witness_and_for_no_other() {
    let vectors = ["1l_relu-k8-private", "1l_mlp-k9-private", "tiny_cnn-k11-private"];
    let vectors = vectors.map(|name| format!("vectors/{name}"));
    // With tables of witness values.
    let tables = ["gather", "scatter", "arg-max", "max-pool", "softmax"];
    let tables = tables.map(|name| format!("pair_circuits/weighted-{name}"));
    for folder in vectors.iter().chain(&tables) {
        let laid = laid(folder);
        let shape = laid.circuit.statement_shape().unwrap();
        assert!(shape.lookups.iter().any(|lookup| !lookup.tuples.is_empty()), "{folder}");
        assert_eq!(shape.late_inverses.is_empty(), folder.contains("relu"), "{folder}");
        let of_tables = shape.lookups.iter().any(|lookup| !lookup.secret_rows.is_empty());
        assert_eq!(of_tables, tables.contains(folder), "{folder}");
        assert_eq!(alone(&laid, &shape, Lie::None), Some((true, Vec::new())), "{folder}");
        assert!(!alone(&laid, &shape, Lie::Multiplicity).unwrap().0, "{folder}");
        let mut found = 0;
        let lies = (0..9).map(Lie::Hint).chain((0..2).map(Lie::Product));
        for lie in lies {
            let Some((holds, failures)) = alone(&laid, &shape, lie) else { continue };
            let tied = failures.iter().any(|failure| failure.constraint == "copy");
            // Hints also say how often a row of a table of witness values is looked up.
            let agrees = match holds {
                true => failures.is_empty() || tied,
                false => !failures.is_empty() || of_tables,
            };
            assert!(agrees, "{folder}: {lie:?}");
            found += usize::from(!holds);
        }
        assert!(found > 0 || folder.contains("relu"), "{folder}");
    }
}

/// Hashes of one side's values are its own affair, whatever their degree.
#[test]
fn hashes_are_their_owners_affair() {
    let hashed = laid("pair_circuits/hashed_input_parameters-k11");
    let shape = hashed.circuit.statement_shape().unwrap();
    assert!(shape.owned_degrees.iter().all(|degree| *degree >= 5), "{:?}", shape.owned_degrees);
    assert_eq!(alone(&hashed, &shape, Lie::None), Some((true, Vec::new())));
}

/// What is not tested is refused.
#[test]
fn some_statements_are_not_tested_yet() {
    for (folder, what) in [
        ("pair_circuits/weighted-round", "a lookup of a product"),
        ("circuit_classes/freivalds-k10", "a circuit with a second phase"),
    ] {
        let compiled = CompiledModel::read(&repository(folder).join("model.compiled")).unwrap();
        let refusal = circuit(&compiled).statement_shape().unwrap_err().to_string();
        assert!(refusal.contains(what), "{folder}: {refusal}");
    }
}

/// A statement in which a side says something else of the wires of its own that are claimed for the
/// test.
struct FalseClaims<'a>(&'a dyn Statement);

impl Statement for FalseClaims<'_> {
    fn operand(&self, wire: u32) -> Operand {
        let operand = self.0.operand(wire);
        Operand { share: operand.share + Fr::ONE, ..operand }
    }

    fn combination(&self, challenge: Fr) -> Combination {
        self.0.combination(challenge)
    }

    fn owned(&self, owner: Role) -> Vec<OwnedPolynomial> {
        self.0.owned(owner)
    }

    fn lookups(&self) -> &[LookupStatement] {
        self.0.lookups()
    }
}

/// A pair in which the model's side lies; how the test ends on both sides.
fn tested(case: &Case, lie: Lie) -> [Result<(), PartyError>; 2] {
    let (model, data) = memory_pair([9; 32]);
    let shape = Arc::new(case.circuit.statement_shape().unwrap());
    let side = |mut channel: MemoryChannel| {
        let role = channel.role();
        let seeds = seeds(role);
        let party = TwoParty::inline(&mut channel, &seeds)?;
        let mut party = party.testing(shape.clone(), case.argument_shape(), &seeds)?;
        let inputs = match role {
            Role::Data => case.witness.inputs.clone(),
            Role::Model => vec![Vec::new(); case.witness.inputs.len()],
        };
        let parameters = parameters(&case.compiled.model);
        let parameters = (role == Role::Model).then_some(&parameters[..]);
        let sources = Sources { inputs: Some(&inputs), parameters };
        let lie = if role == Role::Model { lie } else { Lie::None };
        let test = move |party: &mut TwoParty, statement: &dyn Statement| match lie {
            Lie::OwnWires => party.test_statement(&FalseClaims(statement)),
            _ => party.test_statement(statement),
        };
        let mut party = Lying { party: &mut party, lie, test: &test, products: 0, hints: 0 };
        match case.circuit.run(&mut party, &sources) {
            Ok(_) => Ok(()),
            Err(WitnessError::Party(error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    };
    std::thread::scope(|scope| {
        let model = scope.spawn(|| side(model));
        let data = side(data);
        [model.join().unwrap(), data]
    })
}

#[test]
fn a_side_that_lies_is_found() {
    let case = case("1l_mlp-k9-private");
    for lie in [Lie::Hint(0), Lie::Product(0), Lie::Multiplicity] {
        let [_, data] = tested(&case, lie);
        assert!(matches!(data, Err(PartyError::Ended)), "{lie:?}: {data:?}");
    }
}

#[test]
fn a_side_that_lies_about_its_own_values_is_found() {
    let case = case("../pair_circuits/hashed_input_parameters-k11");
    assert!(tested(&case, Lie::None).iter().all(Result::is_ok));
    let [_, data] = tested(&case, Lie::OwnWires);
    assert!(matches!(data, Err(PartyError::Ended)), "{data:?}");
}

/// With the test in it a pair makes the proof that it makes without.
#[test]
fn the_proof_stays_what_it_is() {
    let case = case("1l_mlp-k9-private");
    let shape = Arc::new(case.circuit.statement_shape().unwrap());
    let (model, data) = memory_pair([9; 32]);
    let side = |mut channel: MemoryChannel| {
        let role = channel.role();
        let seeds = seeds(role);
        let party = TwoParty::inline(&mut channel, &seeds).unwrap();
        let argument = case.argument_shape();
        let mut party = party.testing(shape.clone(), argument, &seeds).unwrap();
        assert!(party.tests_statements());
        let made = case.side(&mut party, &case.secrets(), role).unwrap();
        assert!(!party.tests_statements(), "the test was not made");
        made
    };
    let [model, data] = std::thread::scope(|scope| {
        let model = scope.spawn(|| side(model));
        let data = side(data);
        [model.join().unwrap(), data]
    });
    assert_eq!(model, data);
    assert_eq!(model, case.alone(&case.secrets()));
}
