//! The contract for one circuit: its key and its arithmetic as code.

use crate::memory::{Memory, WORD};
use crate::program::{Operation, Value};
use crate::verifier::{Point, Verifier, root};
use ff::{Field, PrimeField};
use std::fmt::Write as _;
use twain_algebra::{Fr, G2Affine};

const TEMPLATE: &str = include_str!("../contracts/single.sol");
/// What both contracts are made of.
pub(crate) const FUNCTIONS: &str = include_str!("../contracts/functions.yul");
/// What `rows` reads of the circuit.
const CIRCUIT_WORDS: usize = 6;
/// Deepest expression: compilers walk them recursively.
const DEPTH: usize = 24;

/// The Solidity source of a contract that verifies proofs of the verifier's circuit.
pub fn single(verifier: &Verifier) -> String {
    let circuit = crate::memory::BASE;
    let memory = Memory::new(verifier, circuit + CIRCUIT_WORDS * WORD);
    let mut code = Code::new(verifier, memory);
    let first_half = code.first_half();
    let second_half = code.second_half();
    let evaluations = memory.proof + verifier.evaluations;
    let rows = Fr::from(1u64 << verifier.k);
    let inverse = |value: Fr| scalar(value.invert().unwrap_or(Fr::ZERO));
    let last = -(verifier.blinding_factors as i64) - 1;
    let replacements = [
        ("functions", FUNCTIONS.trim_end().to_owned()),
        ("proof_length", verifier.proof_length.to_string()),
        ("instance_count", verifier.instances.to_string()),
        ("instance_bytes", (WORD * verifier.instances).to_string()),
        ("instances", hex(memory.instances)),
        ("proof", hex(memory.proof)),
        ("evaluations_end", hex(evaluations + WORD * verifier.evaluation_count)),
        ("evaluations", hex(evaluations)),
        ("transcript", transcript(verifier, memory)),
        ("first_half", first_half),
        ("second_half", second_half),
        ("key", scalar(verifier.key)),
        ("circuit", hex(circuit)),
        ("k", verifier.k.to_string()),
        ("blinding", verifier.blinding_factors.to_string()),
        ("table", hex(memory.table)),
        ("first_root", scalar(root(verifier.k, last))),
        ("omega_inverse", scalar(root(verifier.k, -1))),
        ("omega", scalar(root(verifier.k, 1))),
        ("rows_inverse", inverse(rows)),
        ("x", hex(memory.challenges + WORD * verifier.x)),
        ("product", code.expression(verifier.inverted)),
        ("first", hex(memory.proof + verifier.first)),
        ("terms", code.terms()),
        ("opening", hex(memory.proof + verifier.opening)),
        (
            "s_g2",
            twist_words(&verifier.s_g2).map(|word| format!("0x{}", hex::encode(word))).join(", "),
        ),
    ];
    fill(TEMPLATE, &replacements)
}

/// A template with each `$name` replaced: whole names only.
pub(crate) fn fill(template: &str, replacements: &[(&str, String)]) -> String {
    let mut parts = template.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let value = replacements.iter().find(|(known, _)| *known == name);
        text.push_str(value.map_or("", |(_, value)| value));
        text.push_str(rest);
    }
    text
}

/// A scalar as a literal.
fn scalar(value: Fr) -> String {
    let mut bytes: [u8; 32] = value.to_repr().into();
    bytes.reverse();
    let digits = hex::encode(bytes);
    let digits = digits.trim_start_matches('0');
    format!("0x{}", if digits.is_empty() { "0" } else { digits })
}

fn hex(address: usize) -> String {
    format!("{address:#x}")
}

/// A coordinate, or a scalar, as a word of the EVM: most significant byte first.
pub(crate) fn word(value: &impl PrimeField<Repr: AsRef<[u8]>>) -> [u8; 32] {
    let mut word = [0; 32];
    let repr = value.to_repr();
    word.iter_mut().zip(repr.as_ref().iter().rev()).for_each(|(to, from)| *to = *from);
    word
}

/// A point of G2 as precompiled contracts take it: the second coefficient of each coordinate first.
pub(crate) fn twist_words(point: &G2Affine) -> [[u8; 32]; 4] {
    [point.x.c1(), point.x.c0(), point.y.c1(), point.y.c0()].map(word)
}

fn transcript(verifier: &Verifier, memory: Memory) -> String {
    let mut text = String::new();
    let (mut start, mut at, mut challenge) = (memory.instances, memory.proof, memory.challenges);
    for squeeze in &verifier.transcript {
        at += squeeze.absorbs;
        let _ = writeln!(
            text,
            "            state := squeeze(state, {start:#x}, {at:#x}, {}, {challenge:#x})",
            squeeze.challenges
        );
        start = at;
        challenge += WORD * squeeze.challenges;
    }
    text.trim_end().to_owned()
}

/// The arithmetic as text. A value that is used once stands where it is used.
struct Code<'a> {
    verifier: &'a Verifier,
    memory: Memory,
    uses: Vec<usize>,
    /// Nesting of the value's expression.
    depth: Vec<usize>,
    /// Where a value is kept, once it has been computed.
    kept: Vec<Option<usize>>,
    next: usize,
}

impl<'a> Code<'a> {
    fn new(verifier: &'a Verifier, memory: Memory) -> Self {
        let values = verifier.program.len();
        let results = verifier.results();
        let needed = verifier.program.needed(&results);
        let mut uses = vec![0; values];
        results.iter().for_each(|result| uses[*result] += 1);
        for value in (0..values).filter(|value| needed[*value]) {
            verifier.program.operands(value).for_each(|operand| uses[operand] += 1);
        }
        let (depth, kept) = (vec![0; values], vec![None; values]);
        Self { verifier, memory, uses, depth, kept, next: memory.results }
    }

    fn first_half(&mut self) -> String {
        let needed = self.verifier.program.needed(&[self.verifier.inverted]);
        self.statements(&needed)
    }

    fn second_half(&mut self) -> String {
        self.statements(&self.verifier.program.needed(&self.verifier.results()))
    }

    /// Computes and keeps what is used several times, of the values needed.
    fn statements(&mut self, needed: &[bool]) -> String {
        let mut text = String::new();
        for value in (0..needed.len()).filter(|value| needed[*value]) {
            let operation = self.verifier.program.operation(value);
            if matches!(operation, Operation::Input(_) | Operation::Constant(_))
                || self.kept[value].is_some()
            {
                continue;
            }
            let operands = self.verifier.program.operands(value);
            self.depth[value] = 1 + operands.map(|operand| self.depth[operand]).max().unwrap_or(0);
            if self.uses[value] > 1 || self.depth[value] > DEPTH {
                let expression = self.expression(value);
                let _ = writeln!(text, "            mstore({:#x}, {expression})", self.next);
                self.kept[value] = Some(self.next);
                self.depth[value] = 0;
                self.next += WORD;
            }
        }
        text.trim_end().to_owned()
    }

    fn expression(&self, value: Value) -> String {
        if let Some(address) = self.kept[value] {
            return format!("mload({address:#x})");
        }
        match self.verifier.program.operation(value) {
            Operation::Input(input) => {
                format!("mload({:#x})", self.memory.input(self.verifier, input))
            }
            Operation::Constant(_) => {
                scalar(self.verifier.program.as_number(value).unwrap_or(Fr::ZERO))
            }
            Operation::Sum(a, b) => {
                format!("addmod({}, {}, mload(0))", self.expression(a), self.expression(b))
            }
            Operation::Difference(a, b) => {
                let (a, b) = (self.expression(a), self.expression(b));
                format!("addmod({a}, sub(mload(0), {b}), mload(0))")
            }
            Operation::Product(a, b) => {
                format!("mulmod({}, {}, mload(0))", self.expression(a), self.expression(b))
            }
        }
    }

    fn terms(&self) -> String {
        let mut text = String::new();
        for (point, weight) in &self.verifier.terms {
            let weight = self.expression(*weight);
            let _ = match point {
                Point::Proof(at) => {
                    writeln!(text, "            termAt({:#x}, {weight})", self.memory.proof + at)
                }
                Point::Constant(point) => {
                    let (x, y) = (hex::encode(word(&point.x)), hex::encode(word(&point.y)));
                    writeln!(text, "            term(0x{x}, 0x{y}, {weight})")
                }
            };
        }
        text.trim_end().to_owned()
    }
}
