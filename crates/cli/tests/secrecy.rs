//! Neither side of a pair ever holds the other's secret: not in what it receives, not in what it
//! writes. And what a side receives has the same length whatever the secret is.

#[path = "../../twain/tests/in_process/mod.rs"]
mod in_process;
mod processes;
mod traces;

use in_process::{Case, Made, Secrets, case, seeds};
use processes::{Running, Side, Site, free_ports};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use traces::Traces;
use twain_algebra::Fr;
use twain_artifacts::{CompiledModel, GraphWitness};
use twain_circuit::{Witness, parameters};
use twain_link::channel::{Channel, MemoryChannel, Recorder, Way, memory_pair};
use twain_link::scalars::exchange_scalars;
use twain_masks::IdealMaterial;
use twain_ole::{OleGroup, OleSource};
use twain_pair::TwoParty;
use twain_pair::wires::{MaskPair, MaskProducts, Masking};
use twain_party::{Kind, PartyError, Role, Shares};

const DENSE: &str = "1l_mlp-k9-private";
/// Sorts, and looks up in tables, what neither side knows.
const LARGEST: &str = "../pair_circuits/weighted-arg-max";

/// How a side makes its correlations.
#[derive(Clone, Copy)]
enum Protocol {
    /// As the program does.
    Real,
    /// Products without masks: the operands are sent as they are.
    Unmasked,
}

/// The mutant: an OLE that shows each side the other's operands, wires without masks, factors that
/// are 1.
struct Unmasked;

impl MaskProducts for Unmasked {
    fn mask(&self, masking: Masking) -> Fr {
        match masking {
            Masking::Wire(_) => Fr::zero(),
            // What is divided by.
            Masking::Factor(_) => Fr::one(),
        }
    }

    fn products(
        &mut self,
        _: &mut dyn Channel,
        _: &mut dyn OleSource,
        pairs: &[MaskPair],
    ) -> Result<Shares, PartyError> {
        Ok(Shares::zero(pairs.len()))
    }
}

impl OleSource for Unmasked {
    fn inner_products(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let peer = channel.role().other();
        let mut lengths: Vec<usize> = Vec::new();
        for group in groups {
            for &(model, data) in &group.terms {
                let index = [model, data][peer as usize] as usize;
                lengths.resize(lengths.len().max(index + 1), 0);
                lengths[index] = group.length;
            }
        }
        let own: Vec<Fr> = operands.iter().flat_map(|operand| operand.iter().copied()).collect();
        let all = exchange_scalars(channel, phase, &own, lengths.iter().sum())?;
        let mut all = all.into_iter();
        let shown: Vec<Vec<Fr>> =
            lengths.iter().map(|&length| all.by_ref().take(length).collect()).collect();
        let model = channel.role() == Role::Model;
        let product = |group: &OleGroup, j: usize| -> Fr {
            let terms = group.terms.iter();
            terms.map(|&(m, d)| operands[m as usize][j] * shown[d as usize][j]).sum()
        };
        let share = |group: &OleGroup| match model {
            true => (0..group.length).map(|j| product(group, j)).collect(),
            false => vec![Fr::zero(); group.length],
        };
        Ok(groups.iter().map(share).collect())
    }
}

type Recording = (Recorder<MemoryChannel>, Made);

fn record(case: &Case, secrets: &Secrets, protocol: Protocol) -> [Recording; 2] {
    let (model, data) = memory_pair([9; 32]);
    let side = |end: MemoryChannel| {
        let role = end.role();
        let mut recorder = Recorder::new(end);
        let made = match protocol {
            Protocol::Real => case.side_over(&mut recorder, secrets),
            Protocol::Unmasked => {
                let masks = Box::new(IdealMaterial::new(7));
                let mut party =
                    TwoParty::new(&mut recorder, Box::new(Unmasked), masks, &seeds(role))
                        .unwrap()
                        .with_mask_products(Box::new(Unmasked));
                case.side(&mut party, secrets, role)
            }
        };
        (recorder, made.unwrap())
    };
    thread::scope(|scope| {
        let model = scope.spawn(|| side(model));
        let data = scope.spawn(|| side(data));
        [model.join().unwrap(), data.join().unwrap()]
    })
}

fn integers(values: &[i64]) -> Vec<Fr> {
    let field = |value: &i64| match Fr::from(value.unsigned_abs()) {
        size if *value < 0 => -size,
        size => size,
    };
    values.iter().map(field).collect()
}

/// Secrets of which `owner`'s cannot be mistaken for anything else. (Not both: products of large values
/// leave the circuit's range.)
fn telling(case: &Case, owner: Role) -> Secrets {
    let mut secrets = case.secrets();
    let divisor = if secrets.inputs[0].len() == 3 { 1 } else { 3 };
    match owner {
        Role::Data => {
            let all = [200_003, -150_011, 99_991, -77_773].map(|value| value / divisor);
            secrets.inputs = vec![integers(&all[..secrets.inputs[0].len()])];
        }
        Role::Model => {
            let sign = |i: i64| if i % 2 == 0 { 1 } else { -1 };
            let weights = secrets.parameters.iter_mut().max_by_key(|tensor| tensor.len());
            let weights = weights.expect("weights");
            let values: Vec<i64> =
                (0..weights.len() as i64).map(|i| (65_537 + 111 * i) * sign(i) / divisor).collect();
            *weights = integers(&values);
        }
    }
    secrets
}

/// Everything that `role` must not see: the other's secret, and what follows from both.
fn secrets_from(role: Role, case: &Case, secrets: &Secrets) -> Traces {
    let scale = case.compiled.settings.run_args.input_scale.unsigned_abs();
    let mut hidden = Traces::default();
    match role {
        Role::Model => {
            secrets.inputs.iter().for_each(|tensor| hidden.tensor("the input", tensor, scale));
        }
        Role::Data => {
            let tensors = secrets.parameters.iter();
            tensors.for_each(|tensor| hidden.tensor("a parameter", tensor, scale));
        }
    }
    let mut known = Traces::default();
    let (_, values) = case.values(secrets);
    values.instances.iter().for_each(|value| known.value("an instance", *value));
    for column in Witness::new(&case.circuit, &values).columns(true, 0) {
        for (row, value) in column.values.iter().enumerate() {
            match column.kinds.assigned(row) {
                Some(Kind::Shared) => hidden.value("what follows from both", *value),
                Some(Kind::Owned(owner)) if owner != role => {
                    hidden.value("what follows from the other's", *value);
                }
                _ => known.value("its own", *value),
            }
        }
    }
    hidden.except(&known);
    hidden
}

#[test]
fn what_a_side_receives_holds_nothing_of_the_other_s() {
    [DENSE, LARGEST].into_iter().for_each(receives_nothing_of_the_other_s);
}

fn receives_nothing_of_the_other_s(name: &str) {
    let case = case(name);
    for owner in [Role::Model, Role::Data] {
        let secrets = telling(&case, owner);
        let ends = record(&case, &secrets, Protocol::Real);
        assert_eq!(ends[0].1, ends[1].1);
        assert_eq!(ends[0].1, case.alone(&secrets));
        for (end, _) in &ends {
            let hidden = secrets_from(end.role(), &case, &secrets);
            assert!(hidden.len() > 100, "{} patterns", hidden.len());
            for frame in end.frames().iter().filter(|frame| frame.way == Way::Received) {
                let found = hidden.find(&frame.bytes);
                assert!(found.is_empty(), "{:?} sees {found:?} in {}", end.role(), frame.phase);
            }
        }
        // The search finds what the mutant gives away.
        let viewer = &record(&case, &secrets, Protocol::Unmasked)[owner.other() as usize].0;
        let hidden = secrets_from(viewer.role(), &case, &secrets);
        let received = viewer.frames().iter().filter(|frame| frame.way == Way::Received);
        let found: Vec<_> = received.flat_map(|frame| hidden.find(&frame.bytes)).collect();
        let secret = if owner == Role::Data { "the input" } else { "a parameter" };
        assert!(found.iter().any(|(name, _)| name.starts_with(secret)), "{owner:?}: {found:?}");
    }
}

#[test]
fn what_a_side_receives_has_the_same_shape_whatever_the_secret() {
    [DENSE, LARGEST].into_iter().for_each(receives_the_same_shape);
}

fn receives_the_same_shape(name: &str) {
    let case = case(name);
    let large = telling(&case, Role::Data);
    let mut small = large.clone();
    for tensor in small.inputs.iter_mut().chain(&mut small.parameters) {
        tensor.fill(Fr::zero());
    }
    let large = record(&case, &large, Protocol::Real);
    let small = record(&case, &small, Protocol::Real);
    for (large, small) in large.iter().zip(&small) {
        assert_eq!(large.0.shape(), small.0.shape());
        assert_eq!(large.0.meter().total(), small.0.meter().total());
        assert_ne!(large.1, small.1);
    }
}

/// The files below a folder.
fn files(folder: &Path) -> HashMap<PathBuf, Vec<u8>> {
    let mut all = HashMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

#[test]
fn what_a_side_writes_holds_nothing_of_the_other_s() {
    let site = Site::vector(DENSE);
    let source = processes::repository("tests/vectors").join(DENSE);
    let compiled = CompiledModel::read(&source.join("model.compiled")).unwrap();
    let witness = GraphWitness::read(&source.join("witness.json")).unwrap();
    let scale = compiled.settings.run_args.input_scale.unsigned_abs();
    let mut inputs = Traces::default();
    witness.inputs.iter().for_each(|tensor| inputs.tensor("the input", tensor, scale));
    inputs.numbers("the input", &[1.5417295, 0.5346153, 1.2172532]);
    let mut weights = Traces::default();
    let tensors = parameters(&compiled.model);
    tensors.iter().for_each(|tensor| weights.tensor("a parameter", tensor, scale));
    // The owners' own files show that the search finds what is there.
    let found = |traces: &Traces, file: PathBuf| !traces.find(&fs::read(file).unwrap()).is_empty();
    assert!(found(&inputs, site.file(Side::Data, "input.json")));
    assert!(found(&weights, site.file(Side::Model, "model.compiled")));
    assert!(!found(&weights, site.file(Side::Data, "model.compiled")), "redacted");

    let before = Side::BOTH.map(|side| files(&site.folder(side)));
    let ports = free_ports();
    let start = |side: Side| {
        let (own, remote) = (ports[side as usize], ports[side.other() as usize]);
        let mut command = site.prove(side, own, remote);
        command.args(["--peer", site.fingerprint(side.other()), "--log-format", "json"]);
        // Whatever it would leave elsewhere.
        command.env("HOME", site.folder(side)).env("TMPDIR", site.folder(side));
        command.env_remove("XDG_CONFIG_HOME").env("RUST_LOG", "trace");
        Running::start(command, site.file(side, "proof.json"))
    };
    let ended = [start(Side::Model), start(Side::Data)].map(Running::end);
    for (side, (ended, before)) in Side::BOTH.into_iter().zip(ended.into_iter().zip(before)) {
        let hidden = if side == Side::Model { &inputs } else { &weights };
        assert_eq!(hidden.find(ended.stderr.as_bytes()), [], "{side:?} prints it");
        ended.succeeded();
        let after = files(&site.folder(side));
        let written: Vec<_> =
            after.iter().filter(|(path, bytes)| before.get(*path) != Some(bytes)).collect();
        assert!(written.iter().any(|(path, _)| path.ends_with("proof.json")));
        for (path, bytes) in written {
            assert_eq!(hidden.find(bytes), [], "{side:?} writes it to {}", path.display());
        }
    }
}
