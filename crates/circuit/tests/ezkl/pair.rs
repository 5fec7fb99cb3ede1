//! The witness program on shares: two sides with an ideal functionality, which shows both sides all
//! operands, computes alone and splits the result again. Checks what each side adds, which kinds
//! are stated, and that owned values never leave their owner's share.

use crate::case::{Case, vector};
use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::HashSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use twain_algebra::Fr;
use twain_circuit::{InstanceRow, Sources, Witness, WitnessError, WitnessValues, parameters};
use twain_party::{
    Alone, HintBatch, Kind, LateInverse, LookupArgument, LookupUse, Multiplicities, Operand,
    PartyError, Role, Seed, Shares, Tested, WireValue, WitnessParty,
};
use twain_plonk::AdviceColumn;

struct IdealParty {
    role: Role,
    to: Sender<Vec<Fr>>,
    from: Receiver<Vec<Fr>>,
    /// The same on both sides: splits results.
    splitter: ChaCha20Rng,
    alone: Alone,
    calls: usize,
    claimed: HashSet<u32>,
}

impl IdealParty {
    fn new(role: Role, to: Sender<Vec<Fr>>, from: Receiver<Vec<Fr>>) -> Self {
        let (splitter, alone) = (ChaCha20Rng::seed_from_u64(5), Alone::new(Seed([0; 32])));
        Self { role, to, from, splitter, alone, calls: 0, claimed: HashSet::new() }
    }

    fn sums(&mut self, shares: &[Fr]) -> Vec<Fr> {
        self.calls += 1;
        self.to.send(shares.to_vec()).expect("the other side");
        let other = self.from.recv().expect("the other side");
        assert_eq!(other.len(), shares.len());
        shares.iter().zip(other).map(|(a, b)| a + b).collect()
    }

    /// The operands with their values in place of the shares.
    fn whole(&mut self, operands: &[Operand]) -> Vec<Operand> {
        let share = |operand: &Operand| match operand.kind {
            Kind::Public if self.role == Role::Data => Fr::ZERO,
            Kind::Owned(owner) if owner != self.role => {
                assert_eq!(operand.share, Fr::ZERO, "a share of the other side's value");
                Fr::ZERO
            }
            _ => operand.share,
        };
        let shares: Vec<Fr> = operands.iter().map(share).collect();
        let sums = self.sums(&shares);
        let whole = |(operand, value): (&Operand, Fr)| {
            if operand.kind == Kind::Public {
                assert_eq!(operand.share, value, "a public value is known on both sides");
            }
            Operand { share: value, ..*operand }
        };
        operands.iter().zip(sums).map(whole).collect()
    }

    fn whole_wires(&mut self, wires: &[WireValue]) -> Vec<WireValue> {
        let operands: Vec<Operand> = wires.iter().map(|wire| wire.operand).collect();
        let whole = wires.iter().zip(self.whole(&operands));
        whole.map(|(wire, operand)| WireValue { operand, ..*wire }).collect()
    }

    fn split(&mut self, value: Fr, kind: Kind) -> Fr {
        let random = Fr::random(&mut self.splitter);
        let of_data = match kind {
            Kind::Public | Kind::Owned(Role::Model) => Fr::ZERO,
            Kind::Owned(Role::Data) => value,
            Kind::Shared => random,
        };
        if self.role == Role::Data { of_data } else { value - of_data }
    }
}

impl WitnessParty for IdealParty {
    fn adds_public(&self) -> bool {
        self.role == Role::Model
    }

    fn claim(&mut self, wires: &[WireValue]) -> Result<Shares, PartyError> {
        for WireValue { wire, operand } in wires {
            assert_ne!(operand.kind, Kind::Public, "public values are not claimed");
            assert!(self.claimed.insert(*wire), "wire {wire} is claimed twice");
        }
        let wires = self.whole_wires(wires);
        let split = wires.iter().map(|wire| self.split(wire.operand.share, wire.operand.kind));
        Ok(Shares::new(split.collect()))
    }

    fn inner_products(
        &mut self,
        left: &[WireValue],
        right: &[WireValue],
        ends: &[u32],
    ) -> Result<Vec<Fr>, PartyError> {
        for (left, right) in left.iter().zip(right) {
            let kinds = [left.operand.kind, right.operand.kind];
            if kinds[0].join(kinds[1]) == Kind::Shared && !kinds.contains(&Kind::Public) {
                assert!(self.claimed.contains(&left.wire) && self.claimed.contains(&right.wire));
            }
        }
        let (left, right) = (self.whole_wires(left), self.whole_wires(right));
        let products = self.alone.inner_products(&left, &right, ends)?;
        Ok(products.into_iter().map(|product| self.split(product, Kind::Shared)).collect())
    }

    fn hints(&mut self, batches: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError> {
        let mut all = Vec::new();
        for batch in batches {
            let inputs = self.whole(batch.inputs);
            assert!(
                inputs.iter().all(|input| input.kind != Kind::Public),
                "public hints are local"
            );
            let first_output = batch.first_output;
            let hint = batch.hint.clone();
            let whole = HintBatch { hint, inputs: &inputs, first_output };
            let outputs = self.alone.hints(&[whole])?.remove(0);
            let per_input = batch.hint.outputs();
            let split = outputs.into_iter().enumerate();
            all.push(
                split.map(|(i, value)| self.split(value, inputs[i / per_input].kind)).collect(),
            );
        }
        Ok(all)
    }

    fn late_inverses(&mut self, wanted: &[LateInverse<WireValue>]) -> Result<Shares, PartyError> {
        let wires = wanted.iter().flat_map(|late| [Some(late.value), late.nonzero]).flatten();
        let wires: Vec<WireValue> = wires.collect();
        assert!(wires.iter().all(|value| self.claimed.contains(&value.wire)));
        let mut whole = self.whole_wires(&wires).into_iter();
        let whole = wanted.iter().map(|late| LateInverse {
            value: whole.next().expect("a value each"),
            nonzero: late.nonzero.and_then(|_| whole.next()),
            inverse: late.inverse,
        });
        let whole: Vec<_> = whole.collect();
        for late in wanted {
            assert!(self.claimed.insert(late.inverse), "an inverse is claimed twice");
        }
        let inverses = self.alone.late_inverses(&whole)?;
        let split = inverses.iter().map(|inverse| self.split(*inverse, Kind::Shared));
        Ok(Shares::new(split.collect()))
    }

    fn prepare_lookups(&mut self, _: &[LookupArgument]) -> Result<(), PartyError> {
        Ok(())
    }

    fn multiplicities(
        &mut self,
        arguments: &[LookupArgument],
        rows: usize,
    ) -> Result<Vec<Multiplicities>, PartyError> {
        let mut all = Vec::new();
        for argument in arguments {
            let operands: Vec<Operand> = argument.uses.iter().map(|item| item.operand).collect();
            let whole = self.whole(&operands);
            let uses = argument.uses.iter().zip(whole);
            let uses: Vec<LookupUse> =
                uses.map(|(item, operand)| LookupUse { operand, ..*item }).collect();
            let argument = LookupArgument { uses: &uses, ..*argument };
            let column = self.alone.multiplicities(&[argument], rows)?.remove(0);
            let split = column.shares.iter().map(|value| self.split(*value, Kind::Shared));
            all.push(Shares::new(split.collect()).into());
        }
        Ok(all)
    }

    fn check_zero(&mut self, values: &[Fr]) -> Result<Tested, PartyError> {
        let sums = self.sums(values);
        self.alone.check_zero(&sums)
    }

    fn open_instances(&mut self, _: Tested, shares: &[Fr]) -> Result<Vec<Fr>, PartyError> {
        Ok(self.sums(shares))
    }
}

/// What one side ends with.
struct Side {
    values: Result<WitnessValues, WitnessError>,
    calls: usize,
    columns: Vec<AdviceColumn>,
    multiplicities: Vec<Multiplicities>,
}

fn run_pair(case: &Case, inputs: &[Vec<Fr>], parameters: &[Vec<Fr>]) -> [Side; 2] {
    let (to_data, from_model) = channel();
    let (to_model, from_data) = channel();
    let side = |role, to, from, sources: Sources| {
        let mut party = IdealParty::new(role, to, from);
        let values = case.circuit.run(&mut party, &sources);
        let calls = party.calls;
        let (mut columns, mut multiplicities) = (Vec::new(), Vec::new());
        if let Ok(values) = &values {
            let witness = Witness::new(&case.circuit, values);
            columns = witness.columns(party.adds_public(), 0);
            multiplicities = witness.count(&mut party).expect("multiplicities");
        }
        Side { values, calls, columns, multiplicities }
    };
    std::thread::scope(|scope| {
        let model = Sources { inputs: None, parameters: Some(parameters) };
        let data = Sources { inputs: Some(inputs), parameters: None };
        let model = scope.spawn(move || side(Role::Model, to_data, from_data, model));
        let data = side(Role::Data, to_model, from_model, data);
        [model.join().expect("the model's side"), data]
    })
}

fn compare(name: &str) {
    let case = Case::new(vector(name));
    let parameters = parameters(&case.compiled.model);
    let [model, data] = run_pair(&case, &case.witness().inputs, &parameters);
    let alone = case.run().expect("a witness");
    let witness = Witness::new(&case.circuit, &alone);
    assert_eq!(model.values.expect("values").instances, alone.instances);
    assert_eq!(data.values.expect("values").instances, alone.instances);
    // Two operand lists and the claims a batch of products at most, the test and the opening.
    assert!(model.calls <= 3 * case.circuit.program.batches() + 40, "{} calls", model.calls);
    // What is opened keeps its shares in cells.
    let program = &case.circuit.program;
    let opened = program.instances().iter().filter_map(|row| match row {
        InstanceRow::Opened(wire) => Some(program.kind(*wire)),
        InstanceRow::Known(_) => None,
    });
    let opened: Vec<Kind> = opened.collect();
    assert!(!opened.is_empty() && !opened.contains(&Kind::Public));
    let columns = witness.columns(true, 0);
    for ((whole, model), data) in columns.iter().zip(&model.columns).zip(&data.columns) {
        assert_eq!(whole.kinds, model.kinds);
        assert_eq!(whole.kinds, data.kinds);
        for (row, value) in whole.values.iter().enumerate() {
            assert_eq!(model.values[row] + data.values[row], *value);
            match whole.kinds.row(row) {
                Kind::Public | Kind::Owned(Role::Model) => assert_eq!(data.values[row], Fr::ZERO),
                Kind::Owned(Role::Data) => assert_eq!(model.values[row], Fr::ZERO),
                Kind::Shared => {}
            }
        }
    }
    let counts = witness.count(&mut Alone::new(Seed([0; 32]))).expect("multiplicities");
    for ((whole, model), data) in counts.iter().zip(&model.multiplicities).zip(&data.multiplicities)
    {
        let sum = model.shares.iter().zip(data.shares.iter()).map(|(a, b)| a + b);
        assert!(sum.eq(whole.shares.iter().copied()));
    }
}

#[test]
fn shares_add_up_to_the_witness() {
    compare("1l_relu-k8-private");
    compare("credit_mlp-k10-private");
    compare("tiny_cnn-k11-private");
}

#[test]
fn a_wrong_witness_stops_both_sides_before_anything_is_opened() {
    let case = Case::new(vector("1l_mlp-k9-private"));
    let inputs = case.witness().inputs.clone();
    // In range; what the layer makes of it is not.
    let mut parameters = parameters(&case.compiled.model);
    parameters[0].fill(Fr::from(1 << 39));
    for side in run_pair(&case, &inputs, &parameters) {
        assert!(matches!(side.values, Err(WitnessError::Party(PartyError::Invalid))));
    }
}
