//! The witness program: how every value of the circuit follows from inputs, parameters and public
//! values, as vector instructions over wires in dependency levels (protocol §1.3).
//!
//! A wire is a value; a value that stands in several cells is one wire, and so are values that the
//! circuit's copies make equal (`wires`). A level starts with local instructions (linear
//! combinations, products of which one party knows both operands or all know one), in order; then
//! wires are claimed, and come all its products and all its hints, one batch each. So the number of
//! batches is the depth of the network in interactive steps, whatever its width. Everything here is
//! decided by the circuit alone: all parties of a proof hold the same program.

mod bound;
mod record;
mod run;
mod sources;
mod ties;
mod wires;

pub(crate) use bound::Bound;
pub(crate) use record::Recorder;
pub use run::WitnessValues;
pub(crate) use run::show;
pub use sources::Sources;

use std::ops::Range;
use twain_algebra::Fr;
use twain_party::{Hint, Kind, LateInverse};

/// Number of a value.
pub type Wire = u32;
/// Number of a hint function.
pub(crate) type HintId = u32;

/// The constant 1.
pub(crate) const ONE: Wire = 0;
/// The constant -1.
pub(crate) const MINUS_ONE: Wire = 1;
/// The constant 0.
pub(crate) const ZERO: Wire = 2;

/// How the values of a circuit are computed.
#[derive(Clone, Debug)]
pub struct Program {
    /// Who knows each wire.
    pub(crate) kinds: Vec<Kind>,
    /// For each value the one that stands for it in cells.
    pub(crate) wires: Vec<Wire>,
    /// For each wire, the bits of its absolute value at most (254: unknown).
    pub(crate) bits: Vec<u8>,
    /// Wires that are part of the circuit.
    pub(crate) constants: Vec<(Wire, Fr)>,
    /// Wires of the model's inputs; none for fixed inputs.
    pub(crate) inputs: Vec<Source>,
    /// Wires of the parameters, by constant node in the order of the nodes; none for fixed ones.
    pub(crate) parameters: Vec<Source>,
    /// The ranges of all wires of inputs and parameters, in the order of the wires.
    pub(crate) source_ranges: Vec<SourceRange>,
    pub(crate) hints: Vec<Hint>,
    pub(crate) levels: Vec<Level>,
    /// Inverses that nothing else here depends on, after all levels; as the wires in cells.
    pub(crate) late_inverses: Vec<LateInverse<Wire>>,
    /// What depends on challenges: the values of the second phase's columns.
    pub(crate) second_levels: Vec<Level>,
    /// Wires of the challenges.
    pub(crate) challenges: Vec<Wire>,
    /// Pairs of wires that are equal in a valid witness but not by construction.
    pub(crate) equalities: Vec<(Wire, Wire)>,
    /// The instance column, row by row.
    pub(crate) instances: Vec<InstanceRow>,
    /// Parts of the circuit in the order of their first wires, for messages.
    pub(crate) steps: Vec<Step>,
}

/// A tensor given from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name, for messages.
    pub name: String,
    /// Its wires; none if its values are part of the circuit.
    pub wires: Range<Wire>,
    /// Number of elements.
    pub length: usize,
}

/// Consecutive wires of a source, and which integers they may be in a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceRange {
    pub wires: Range<Wire>,
    /// The smallest.
    pub low: i128,
    /// The largest.
    pub high: i128,
}

/// A value of the instance column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceRow {
    /// A public input, known from the start.
    Known(Wire),
    /// A value of the model that is opened once the witness is known to be valid.
    Opened(Wire),
}

/// A part of the circuit: what a node of the graph or a comparison of outputs laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The node, as `node 5 (Linear Conv)`.
    pub name: String,
    /// First wire that it made.
    pub first_wire: Wire,
    /// Its first cell, as linear coordinate of the main variables.
    pub first_cell: usize,
}

/// One level of the program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Level {
    pub local: LocalInstructions,
    /// Wires that are claimed before the products.
    pub claims: Vec<Wire>,
    pub products: Products,
    pub hints: Vec<HintInputs>,
}

/// Instructions that need no message, to be done in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct LocalInstructions {
    pub instructions: Vec<Local>,
    /// Terms of the linear combinations: a constant wire as coefficient, and the wire.
    pub terms: Vec<(Wire, Wire)>,
    /// Factors of the inner products.
    pub pairs: Vec<(Wire, Wire)>,
}

/// An instruction that needs no message. `end` is where its terms or pairs end; they start where
/// those of the instruction before it end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Local {
    Linear {
        out: Wire,
        end: usize,
    },
    InnerProduct {
        out: Wire,
        end: usize,
    },
    /// A hint on a public value, done by everyone.
    Hint {
        hint: HintId,
        input: Wire,
        first_output: Wire,
    },
}

/// Inner products of one level: the factors of the `j`-th end at `ends[j]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Products {
    pub left: Vec<Wire>,
    pub right: Vec<Wire>,
    pub ends: Vec<u32>,
    pub outs: Vec<Wire>,
}

/// A hint on several wires; the outputs follow each other from `first_output`.
#[derive(Clone, Debug)]
pub(crate) struct HintInputs {
    pub hint: HintId,
    pub inputs: Vec<Wire>,
    pub first_output: Wire,
}

impl Program {
    /// Number of wires.
    pub fn wires(&self) -> usize {
        self.kinds.len()
    }

    /// Who knows a wire.
    pub fn kind(&self, wire: Wire) -> Kind {
        self.kinds[wire as usize]
    }

    /// Batches of products and of hints: what the number of messages depends on.
    pub fn batches(&self) -> usize {
        let count = |level: &Level| {
            usize::from(!level.products.ends.is_empty()) + usize::from(!level.hints.is_empty())
        };
        self.levels.iter().chain(&self.second_levels).map(count).sum()
    }

    /// Products between values of different owners or shared ones.
    pub fn interactive_products(&self) -> usize {
        let levels = self.levels.iter().chain(&self.second_levels);
        levels.map(|level| level.products.left.len()).sum()
    }

    /// The inputs a run takes, in order.
    pub fn inputs(&self) -> &[Source] {
        &self.inputs
    }

    /// Who knows an input or a parameter; one that is part of the circuit is public.
    pub fn source_kind(&self, source: &Source) -> Kind {
        match source.wires.is_empty() {
            true => Kind::Public,
            false => self.kind(source.wires.start),
        }
    }

    /// The parameters a run takes, in order.
    pub fn parameters(&self) -> &[Source] {
        &self.parameters
    }

    /// The instance column.
    pub fn instances(&self) -> &[InstanceRow] {
        &self.instances
    }

    /// The part of the circuit that made a wire.
    pub fn step_of_wire(&self, wire: Wire) -> &str {
        let after = self.steps.partition_point(|step| step.first_wire <= wire);
        self.steps[..after].last().map_or("the circuit", |step| &step.name)
    }

    /// The part of the circuit that wrote a cell of the main variables.
    pub fn step_of_cell(&self, linear: usize) -> &str {
        let after = self.steps.partition_point(|step| step.first_cell <= linear);
        self.steps[..after].last().map_or("the circuit", |step| &step.name)
    }
}
