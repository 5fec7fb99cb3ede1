//! The contract for all circuits, and a circuit's key in the form that it reads: numbers, the
//! arithmetic as code for a small machine, constants and points. Every step of that machine is
//! `a b + c`, so it needs no branches.

use crate::error::EvmError;
use crate::memory::{BASE, Memory, WORD};
use crate::program::{Input, Operation, Value};
use crate::single::{FUNCTIONS, fill, twist_words, word};
use crate::verifier::{Point, Verifier, root};
use ff::Field;
use std::collections::HashMap;
use std::fmt::Write as _;
use twain_algebra::Fr;

const TEMPLATE: &str = include_str!("../contracts/reusable.sol");
/// Words before the transcript's steps.
const HEAD: usize = 29;
/// Steps of the machine in a word.
const STEPS: usize = 5;
/// Terms in a word.
const TERMS: usize = 8;
/// Addresses of the machine count words, in so many bits.
const ADDRESS_BITS: u32 = 16;

/// The Solidity source of the contract that verifies proofs of any circuit.
pub fn reusable() -> String {
    let mut steps = String::new();
    for step in 0..STEPS as u32 {
        let operand = |position: u32| {
            let shift = 256 - ADDRESS_BITS * (3 * step + position + 1) - WORD.ilog2();
            format!("mload(and(shr({shift}, word), 0x1fffe0))")
        };
        let (a, b, c) = (operand(0), operand(1), operand(2));
        let to =
            if step == 0 { "to".into() } else { format!("add(to, {:#x})", WORD as u32 * step) };
        let indent = " ".repeat(20);
        let _ = writeln!(steps, "{indent}mstore({to}, addmod(mulmod({a}, {b}, r), {c}, r))");
    }
    let replacements =
        [("functions", FUNCTIONS.trim_end().to_owned()), ("steps", steps.trim_end().to_owned())];
    fill(TEMPLATE, &replacements)
}

/// A circuit's key for the reusable contract, as words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyArtifact {
    words: Vec<[u8; WORD]>,
}

impl KeyArtifact {
    /// The key of the verifier's circuit. The contract returns instances times
    /// `10^decimals / 2^scale`, one scale for each; those before them, digests, have none.
    ///
    /// # Errors
    /// More decimals than fit, or a circuit that needs more memory than the machine has.
    pub fn new(verifier: &Verifier, scales: &[u8], decimals: u8) -> Result<Self, EvmError> {
        if decimals > MOST_DECIMALS {
            return Err(EvmError::Unsupported(format!("more than {MOST_DECIMALS} decimals")));
        }
        let digests = verifier.instances.checked_sub(scales.len()).ok_or_else(|| {
            EvmError::Unsupported("there are more scales than public values".into())
        })?;
        let machine = Machine::new(verifier);
        let scale_words = scales.len().div_ceil(WORD);
        let code = machine.halves.each_ref().map(|half| half.len() / STEPS);
        let terms = verifier.terms.len().div_ceil(TERMS);
        let before = HEAD + verifier.transcript.len() + code[0] + code[1] + terms + scale_words;
        let constants = BASE + WORD * before;
        let points = constants + WORD * machine.constants.len();
        let end =
            points + WORD * 2 * verifier.terms.iter().filter(|term| is_constant(term)).count();
        let memory = Memory::new(verifier, end);
        let steps = machine.halves[0].len() + machine.halves[1].len();
        if (memory.results + WORD * steps) / WORD >= 1 << ADDRESS_BITS {
            let reason = "a circuit as large as this needs the contract for one circuit";
            return Err(EvmError::Unsupported(reason.into()));
        }
        let address = |operand: Operand| match operand {
            Operand::Input(input) => memory.input(verifier, input),
            Operand::Constant(position) => constants + WORD * position,
            Operand::Result(position) => memory.results + WORD * position,
        };

        let mut words = head(verifier, memory, decimals);
        words.push(number(digests));
        words[20] = number(code[0]);
        words[21] = number(code[1]);
        words[23] = number(address(machine.place[&verifier.inverted]));
        let mut at = memory.proof;
        for squeeze in &verifier.transcript {
            at += squeeze.absorbs;
            words.push(number(at << 8 | squeeze.challenges));
        }
        for half in &machine.halves {
            for steps in half.chunks(STEPS) {
                let operands = steps.iter().flatten().map(|operand| address(*operand) / WORD);
                words.push(packed(operands));
            }
        }
        let mut next_point = points;
        let mut constant_points = Vec::new();
        let mut fields = Vec::new();
        for (point, weight) in &verifier.terms {
            let point = match point {
                Point::Proof(at) => memory.proof + at,
                Point::Constant(point) => {
                    constant_points.extend([word(&point.x), word(&point.y)]);
                    next_point += 2 * WORD;
                    next_point - 2 * WORD
                }
            };
            fields.extend([point / WORD, address(machine.place[weight]) / WORD]);
        }
        words.extend(fields.chunks(2 * TERMS).map(|fields| packed(fields.iter().copied())));
        words.extend(scales.chunks(WORD).map(|scales| {
            let mut word = [0; WORD];
            word[..scales.len()].copy_from_slice(scales);
            word
        }));
        words.extend(machine.constants.iter().map(word));
        words.extend(constant_points);
        Ok(Self { words })
    }

    /// The words, most significant byte first.
    pub fn words(&self) -> &[[u8; WORD]] {
        &self.words
    }
}

/// With more, `10^decimals` times an instance below `2^190` would not fit.
const MOST_DECIMALS: u8 = 19;

fn is_constant(term: &(Point, Value)) -> bool {
    matches!(term.0, Point::Constant(_))
}

fn number(value: usize) -> [u8; WORD] {
    word(&Fr::from(value as u64))
}

/// Fields of 16 bits, from the top.
fn packed(fields: impl Iterator<Item = usize>) -> [u8; WORD] {
    let mut word = [0; WORD];
    for (to, field) in word.chunks_mut(2).zip(fields) {
        to.copy_from_slice(&(field as u16).to_be_bytes());
    }
    word
}

/// The first words, as the contract lists them, but for those that the machine's code decides.
fn head(verifier: &Verifier, memory: Memory, decimals: u8) -> Vec<[u8; WORD]> {
    let evaluations = memory.proof + verifier.evaluations;
    let rows = Fr::from(1u64 << verifier.k);
    let last = -(verifier.blinding_factors as i64) - 1;
    let mut words = vec![
        number(verifier.instances),
        number(verifier.proof_length),
        number(evaluations),
        number(evaluations + WORD * verifier.evaluation_count),
        number(verifier.k as usize),
        number(verifier.blinding_factors),
        word(&root(verifier.k, last)),
        word(&root(verifier.k, 1)),
        word(&root(verifier.k, -1)),
        word(&rows.invert().unwrap_or(Fr::ZERO)),
        word(&verifier.key),
    ];
    words.extend(twist_words(&verifier.s_g2));
    words.extend(
        [
            memory.challenges,
            memory.instances,
            memory.table,
            memory.results,
            verifier.transcript.len(),
            0,
            0,
            verifier.terms.len(),
            0,
            memory.proof + verifier.first,
            memory.challenges + WORD * verifier.x,
            memory.proof + verifier.opening,
            usize::from(decimals),
        ]
        .map(number),
    );
    words
}

/// Where an operand of a step is.
#[derive(Clone, Copy, Debug)]
enum Operand {
    Input(Input),
    /// By position among the constants.
    Constant(usize),
    /// By position among the results.
    Result(usize),
}

/// The program as steps `a b + c`.
struct Machine {
    constants: Vec<Fr>,
    /// What the product's inverse is not needed for, and the rest; whole words.
    halves: [Vec<[Operand; 3]>; 2],
    /// Where each value is.
    place: HashMap<Value, Operand>,
}

impl Machine {
    fn new(verifier: &Verifier) -> Self {
        let mut machine =
            Self { constants: Vec::new(), halves: [Vec::new(), Vec::new()], place: HashMap::new() };
        let program = &verifier.program;
        let results = verifier.results();
        let first = program.needed(&[verifier.inverted]);
        let all = program.needed(&results);
        let fused = fused(verifier, &all, &results);
        let [zero, one, minus_one] =
            [Fr::ZERO, Fr::ONE, -Fr::ONE].map(|value| machine.constant(value));
        for (half, needed) in [first, all].iter().enumerate() {
            let values = (0..program.len()).filter(|value| needed[*value] && !fused[*value]);
            for value in values {
                if machine.place.contains_key(&value) {
                    continue;
                }
                let factors = |product: Value| match program.operation(product) {
                    Operation::Product(a, b) if fused[product] => Some((a, b)),
                    _ => None,
                };
                let step = match program.operation(value) {
                    Operation::Input(input) => {
                        machine.place.insert(value, Operand::Input(input));
                        continue;
                    }
                    Operation::Constant(_) => {
                        let constant = program.as_number(value).unwrap_or(Fr::ZERO);
                        let place = machine.constant(constant);
                        machine.place.insert(value, place);
                        continue;
                    }
                    Operation::Product(a, b) => [machine.place[&a], machine.place[&b], zero],
                    Operation::Difference(a, b) => {
                        [machine.place[&b], minus_one, machine.place[&a]]
                    }
                    Operation::Sum(a, b) => match (factors(a), factors(b)) {
                        (Some((c, d)), _) => {
                            [machine.place[&c], machine.place[&d], machine.place[&b]]
                        }
                        (None, Some((c, d))) => {
                            [machine.place[&c], machine.place[&d], machine.place[&a]]
                        }
                        (None, None) => [machine.place[&a], one, machine.place[&b]],
                    },
                };
                let position = machine.halves.iter().map(Vec::len).sum();
                machine.halves[half].push(step);
                machine.place.insert(value, Operand::Result(position));
            }
            while !machine.halves[half].len().is_multiple_of(STEPS) {
                machine.halves[half].push([zero; 3]);
            }
        }
        machine
    }

    fn constant(&mut self, value: Fr) -> Operand {
        let known = self.constants.iter().position(|known| *known == value);
        Operand::Constant(known.unwrap_or_else(|| {
            self.constants.push(value);
            self.constants.len() - 1
        }))
    }
}

/// The products that a sum takes in, so that they need no step: those used once, one for each sum.
fn fused(verifier: &Verifier, needed: &[bool], results: &[Value]) -> Vec<bool> {
    let program = &verifier.program;
    let mut uses = vec![0; program.len()];
    results.iter().for_each(|result| uses[*result] += 1);
    let values = || (0..program.len()).filter(|value| needed[*value]);
    for value in values() {
        program.operands(value).for_each(|operand| uses[operand] += 1);
    }
    let mut fused = vec![false; program.len()];
    for value in values() {
        if let Operation::Sum(a, b) = program.operation(value) {
            let is_product = |operand: &Value| {
                matches!(program.operation(*operand), Operation::Product(..)) && uses[*operand] == 1
            };
            if let Some(product) = [b, a].into_iter().find(is_product) {
                fused[product] = true;
            }
        }
    }
    fused
}
