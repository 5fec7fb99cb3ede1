//! Where the contracts keep what in memory. Addresses are in bytes; all are multiples of a word.

use crate::program::Input;
use crate::verifier::Verifier;

/// Bytes of a word.
pub const WORD: usize = 32;
/// After the group's order and the words for precompiled contracts: what `rows` writes.
const ROWS: usize = 0x1a0;
/// After that.
pub const BASE: usize = 0x280;

/// The addresses for one circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Challenges, in their order.
    pub challenges: usize,
    /// The instances, with the proof after them; the word before is free for the transcript's
    /// state.
    pub instances: usize,
    /// The proof.
    pub proof: usize,
    /// The table of Lagrange polynomials.
    pub table: usize,
    /// Results of the arithmetic.
    pub results: usize,
}

impl Memory {
    /// From an address on.
    pub fn new(verifier: &Verifier, from: usize) -> Self {
        let challenges = from;
        let instances = challenges + WORD * (verifier.challenges() + 1);
        let proof = instances + WORD * verifier.instances;
        let table = proof + verifier.proof_length;
        let rows = verifier.blinding_factors + 1 + verifier.instances.max(1);
        Self { challenges, instances, proof, table, results: table + WORD * rows }
    }

    /// Where an input is.
    pub fn input(&self, verifier: &Verifier, input: Input) -> usize {
        match input {
            Input::Challenge(position) => self.challenges + WORD * position,
            Input::Evaluation(position) => self.proof + verifier.evaluations + WORD * position,
            Input::Power => ROWS,
            Input::VanishingInverse => ROWS + WORD,
            Input::FirstRow => ROWS + 2 * WORD,
            Input::LastRow => ROWS + 3 * WORD,
            Input::ActiveRows => ROWS + 4 * WORD,
            Input::Instance => ROWS + 5 * WORD,
            Input::Inverse => ROWS + 6 * WORD,
        }
    }
}
