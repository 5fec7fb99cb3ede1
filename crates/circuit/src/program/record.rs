//! Records a witness program while a circuit is laid out. Nothing here ever sees a secret value:
//! only constants of the circuit are folded.

use super::ties::Tied;
use super::{
    Bound, HintId, HintInputs, InstanceRow, Level, Local, LocalInstructions, Program, Source,
    SourceRange, Step, Wire,
};
use super::{MINUS_ONE, ONE, ZERO};
use crate::LayoutError;
use ff::{Field, PrimeField};
use std::collections::HashMap;
use std::ops::Range;
use twain_algebra::Fr;
use twain_party::{Hint, Kind, LateInverse, evaluate_hint};

/// Level of a wire that is part of the circuit.
pub(super) const CONSTANT: u32 = u32::MAX;

/// Levels from here on depend on challenges.
const AFTER_CHALLENGE: u32 = 1 << 30;

/// Level of a late inverse, which no level has: nothing is computed with it.
pub(super) const LATE: u32 = CONSTANT - 1;

/// A program under construction.
pub(crate) struct Recorder {
    pub(super) kinds: Vec<Kind>,
    bounds: Vec<Bound>,
    pub(super) levels: Vec<u32>,
    /// Values that are one wire.
    pub(super) tied: Tied,
    /// For a decomposed wire, the wire of its recomposition, which takes its place from then on;
    /// otherwise the wire itself.
    current: Vec<Wire>,
    constants: HashMap<[u8; 32], Wire>,
    constant_values: HashMap<Wire, Fr>,
    hints: Vec<Hint>,
    pub(super) program_levels: Vec<Level>,
    pub(super) second_levels: Vec<Level>,
    /// Powers of each challenge, from the first on.
    challenges: Vec<Vec<Wire>>,
    equalities: Vec<(Wire, Wire)>,
    pub inputs: Vec<Source>,
    pub parameters: Vec<Source>,
    /// The ranges of all wires that [`Recorder::sources`] made.
    source_ranges: Vec<SourceRange>,
    pub instances: Vec<InstanceRow>,
    pub steps: Vec<Step>,
    pub(super) late_inverses: Vec<LateInverse<Wire>>,
    /// Something depends on one of them.
    pub(super) computes_with_late: bool,
    too_large: bool,
    /// Buffers of `linear` and `accumulate`.
    terms: Vec<(Wire, Wire)>,
    products: Vec<(Wire, Wire)>,
    pairs: Vec<(Wire, Wire)>,
}

impl Recorder {
    pub fn new() -> Self {
        let mut recorder = Self {
            kinds: Vec::new(),
            bounds: Vec::new(),
            levels: Vec::new(),
            tied: Tied::default(),
            current: Vec::new(),
            constants: HashMap::new(),
            constant_values: HashMap::new(),
            hints: Vec::new(),
            program_levels: Vec::new(),
            second_levels: Vec::new(),
            challenges: Vec::new(),
            equalities: Vec::new(),
            inputs: Vec::new(),
            parameters: Vec::new(),
            source_ranges: Vec::new(),
            instances: Vec::new(),
            steps: Vec::new(),
            late_inverses: Vec::new(),
            computes_with_late: false,
            too_large: false,
            terms: Vec::new(),
            products: Vec::new(),
            pairs: Vec::new(),
        };
        // In the order of the numbers ONE, MINUS_ONE, ZERO.
        for value in [Fr::ONE, -Fr::ONE, Fr::ZERO] {
            recorder.constant(value);
        }
        recorder
    }

    /// Number of wires so far.
    pub fn wires(&self) -> Wire {
        self.kinds.len() as Wire
    }

    fn wire(&mut self, kind: Kind, bound: Bound, level: u32) -> Wire {
        if self.kinds.len() >= Wire::MAX as usize {
            // Reported by `finish`; until then all later wires share a number.
            self.too_large = true;
            return ZERO;
        }
        let wire = self.wires();
        self.kinds.push(kind);
        self.bounds.push(bound);
        self.levels.push(level);
        self.current.push(wire);
        self.tied.push(wire);
        wire
    }

    /// The wire of a value that is part of the circuit; equal values have one wire.
    pub fn constant(&mut self, value: Fr) -> Wire {
        let key: [u8; 32] = value.to_repr().into();
        if let Some(wire) = self.constants.get(&key) {
            return *wire;
        }
        let wire = self.wire(Kind::Public, Bound::exact(value), CONSTANT);
        self.constants.insert(key, wire);
        self.constant_values.insert(wire, value);
        wire
    }

    /// The value of a wire that is part of the circuit.
    pub fn constant_value(&self, wire: Wire) -> Option<Fr> {
        match self.levels[wire as usize] {
            CONSTANT => self.constant_values.get(&wire).copied(),
            _ => None,
        }
    }

    /// Consecutive wires of values given from outside, integers from `low` to `high`: a pair's run
    /// takes no others.
    pub fn sources(&mut self, count: usize, kind: Kind, (low, high): (i128, i128)) -> Range<Wire> {
        let bound = Bound::new(low as f64, high as f64);
        let first = self.wires();
        for _ in 0..count {
            self.wire(kind, bound, 0);
        }
        let wires = first..self.wires();
        self.source_ranges.push(SourceRange { wires: wires.clone(), low, high });
        wires
    }

    /// The next row of the instance column: a value that is opened once the witness is known to be
    /// valid. In cells it stays what it is: its shares are those under its mask.
    pub fn opened(&mut self, value: Wire) -> Wire {
        let value = self.now(value);
        self.instances.push(InstanceRow::Opened(value));
        value
    }

    /// The wires of the first `count` powers of a challenge.
    pub fn challenge_powers(&mut self, challenge: u32, count: usize) -> Vec<Wire> {
        let challenge = challenge as usize;
        while self.challenges.len() <= challenge {
            let wire = self.wire(Kind::Public, Bound::UNKNOWN, AFTER_CHALLENGE);
            self.challenges.push(vec![wire]);
        }
        while self.challenges[challenge].len() < count {
            let powers = &self.challenges[challenge];
            let (first, last) = (powers[0], powers[powers.len() - 1]);
            let next = self.mul(last, first);
            self.challenges[challenge].push(next);
        }
        self.challenges[challenge].clone()
    }

    /// The wire that stands for `wire` by now: what was decomposed is replaced by its
    /// recomposition.
    pub fn now(&self, wire: Wire) -> Wire {
        self.current[wire as usize]
    }

    pub fn kind(&self, wire: Wire) -> Kind {
        self.kinds[wire as usize]
    }

    pub fn bound(&self, wire: Wire) -> Bound {
        self.bounds[wire as usize]
    }

    /// States that the circuit takes only values in `bound`. Of a source, that is its range from
    /// then on. Any other value is tested for it too late: it may be out of it when masks are to
    /// hide it.
    pub fn claim(&mut self, wire: Wire, bound: Bound) {
        let after = self.source_ranges.partition_point(|range| range.wires.end <= wire);
        if self.source_ranges.get(after).is_some_and(|range| range.wires.contains(&wire)) {
            self.refine(wire, bound);
        }
    }

    /// States that a wire's values are in `bound` in any run, by how they are computed.
    pub fn refine(&mut self, wire: Wire, bound: Bound) {
        let known = &mut self.bounds[wire as usize];
        *known = known.intersection(bound);
    }

    /// Lets later instructions take `replacement`, equal to `wire` in a valid witness, in its
    /// place.
    pub fn replace(&mut self, wire: Wire, replacement: Wire) {
        self.equal(wire, replacement);
        self.current[wire as usize] = replacement;
    }

    /// States that two wires are equal in a valid witness.
    pub fn equal(&mut self, left: Wire, right: Wire) {
        if left != right {
            self.equalities.push((left, right));
        }
    }

    fn level_of(&mut self, wire: Wire) -> u32 {
        match self.levels[wire as usize] {
            CONSTANT => 0,
            LATE => {
                // Reported by `finish`.
                self.computes_with_late = true;
                0
            }
            level => level,
        }
    }

    pub(super) fn at(&mut self, level: u32) -> &mut Level {
        let (levels, level) = match level.checked_sub(AFTER_CHALLENGE) {
            Some(level) => (&mut self.second_levels, level as usize),
            None => (&mut self.program_levels, level as usize),
        };
        if levels.len() <= level {
            levels.resize_with(level + 1, Level::default);
        }
        &mut levels[level]
    }

    fn local(&mut self, level: u32) -> &mut LocalInstructions {
        &mut self.at(level).local
    }

    /// A linear combination: pairs of a constant wire and a wire.
    pub fn linear(&mut self, terms: &[(Wire, Wire)]) -> Wire {
        let mut kept = std::mem::take(&mut self.terms);
        kept.clear();
        let mut constant = Fr::ZERO;
        let (mut kind, mut level) = (Kind::Public, 0);
        let mut bound = Bound::new(0.0, 0.0);
        for &(coefficient, wire) in terms {
            let wire = self.now(wire);
            if coefficient == ZERO || wire == ZERO {
                continue;
            }
            bound = bound.sum(self.bound(coefficient).product(self.bound(wire)));
            if let Some(value) = self.constant_value(wire) {
                constant += value * self.constant_value(coefficient).unwrap_or(Fr::ONE);
                continue;
            }
            kind = kind.join(self.kind(wire));
            level = level.max(self.level_of(wire));
            kept.push((coefficient, wire));
        }
        if constant != Fr::ZERO || kept.is_empty() {
            let wire = self.constant(constant);
            kept.push((ONE, wire));
        }
        let out = match kept[..] {
            [(ONE, wire)] => wire,
            _ => {
                let out = self.wire(kind, bound, level);
                let local = self.local(level);
                local.terms.extend_from_slice(&kept);
                let end = local.terms.len();
                local.instructions.push(Local::Linear { out, end });
                out
            }
        };
        self.terms = kept;
        out
    }

    pub fn add(&mut self, left: Wire, right: Wire) -> Wire {
        self.linear(&[(ONE, left), (ONE, right)])
    }

    pub fn sub(&mut self, left: Wire, right: Wire) -> Wire {
        self.linear(&[(ONE, left), (MINUS_ONE, right)])
    }

    pub fn mul(&mut self, left: Wire, right: Wire) -> Wire {
        self.accumulate(None, &[(left, right)])
    }

    /// `previous` plus the sum of the products.
    pub fn accumulate(&mut self, previous: Option<Wire>, factors: &[(Wire, Wire)]) -> Wire {
        let mut terms = std::mem::take(&mut self.products);
        let mut pairs = std::mem::take(&mut self.pairs);
        terms.clear();
        pairs.clear();
        terms.extend(previous.map(|wire| (ONE, wire)));
        let (mut kind, mut level, mut interactive) = (Kind::Public, 0, false);
        let mut bound = Bound::new(0.0, 0.0);
        for &(left, right) in factors {
            let (left, right) = (self.now(left), self.now(right));
            if self.levels[left as usize] == CONSTANT {
                terms.push((left, right));
                continue;
            }
            if self.levels[right as usize] == CONSTANT {
                terms.push((right, left));
                continue;
            }
            let (l, r) = (self.kind(left), self.kind(right));
            let joined = l.join(r);
            interactive |= joined == Kind::Shared && l != Kind::Public && r != Kind::Public;
            kind = kind.join(joined);
            level = level.max(self.level_of(left)).max(self.level_of(right));
            bound = bound.sum(match left == right {
                true => self.bound(left).square(),
                false => self.bound(left).product(self.bound(right)),
            });
            pairs.push((left, right));
        }
        if !pairs.is_empty() {
            let out = self.wire(kind, bound, level + u32::from(interactive));
            if interactive {
                let products = &mut self.at(level).products;
                products.left.extend(pairs.iter().map(|(left, _)| left));
                products.right.extend(pairs.iter().map(|(_, right)| right));
                let end = u32::try_from(products.left.len());
                products.ends.push(end.unwrap_or_default());
                products.outs.push(out);
                self.too_large |= end.is_err();
            } else {
                let local = self.local(level);
                local.pairs.extend_from_slice(&pairs);
                let end = local.pairs.len();
                local.instructions.push(Local::InnerProduct { out, end });
            }
            terms.push((ONE, out));
        }
        let out = self.linear(&terms);
        self.products = terms;
        self.pairs = pairs;
        out
    }

    /// The number of a hint function.
    pub fn hint_id(&mut self, hint: Hint) -> HintId {
        let found = self.hints.iter().position(|known| *known == hint);
        found.unwrap_or_else(|| {
            self.hints.push(hint);
            self.hints.len() - 1
        }) as HintId
    }

    /// Applies a hint to every input; outputs are in order, `bounds` those of one application.
    ///
    /// # Errors
    /// A constant of the circuit outside the range of the hint.
    pub fn hint(
        &mut self,
        hint: HintId,
        inputs: &[Wire],
        bounds: &[Bound],
    ) -> Result<Vec<Wire>, LayoutError> {
        let mut outputs = Vec::with_capacity(inputs.len() * bounds.len());
        for &input in inputs {
            let input = self.now(input);
            if let Some(value) = self.constant_value(input) {
                let mut values = Vec::with_capacity(bounds.len());
                evaluate_hint(&self.hints[hint as usize], value, &mut values).map_err(|_| {
                    LayoutError::Operands("a constant is outside the range of the circuit".into())
                })?;
                outputs.extend(values.into_iter().map(|value| self.constant(value)));
                continue;
            }
            let (kind, level) = (self.kind(input), self.level_of(input));
            let public = kind == Kind::Public;
            let first_output = self.wires();
            for bound in bounds {
                outputs.push(self.wire(kind, *bound, level + u32::from(!public)));
            }
            if public {
                let instruction = Local::Hint { hint, input, first_output };
                self.local(level).instructions.push(instruction);
                continue;
            }
            let batches = &mut self.at(level).hints;
            match batches.last_mut() {
                Some(batch) if batch.hint == hint && batch.end(bounds.len()) == first_output => {
                    batch.inputs.push(input);
                }
                _ => batches.push(HintInputs { hint, inputs: vec![input], first_output }),
            }
        }
        Ok(outputs)
    }

    /// `1/(value + z) - z` with `z = 1 - nonzero`, which is `[value = 0]`. Of a shared value it
    /// goes into cells and is computed with no further.
    ///
    /// # Errors
    /// A constant of the circuit for which that does not exist.
    pub fn inverse(&mut self, value: Wire, nonzero: Wire) -> Result<Wire, LayoutError> {
        let (value, nonzero) = (self.now(value), self.now(nonzero));
        // Neither is a late inverse.
        self.level_of(value);
        self.level_of(nonzero);
        if self.kind(value).join(self.kind(nonzero)) == Kind::Shared {
            let inverse = self.wire(Kind::Shared, Bound::UNKNOWN, LATE);
            let nonzero = Some(nonzero).filter(|nonzero| *nonzero != ONE);
            self.late_inverses.push(LateInverse { value, nonzero, inverse });
            return Ok(inverse);
        }
        let zero = self.sub(ONE, nonzero);
        let shifted = self.add(value, zero);
        let hint = self.hint_id(Hint::Inverse);
        let inverse = self.hint(hint, &[shifted], &[Bound::UNKNOWN])?;
        Ok(self.sub(inverse.first().copied().unwrap_or(ZERO), zero))
    }

    /// The program of a circuit in whose cells these values stand, which multiplies these pairs and
    /// has these in tables of witness values.
    ///
    /// # Errors
    /// [`LayoutError::TooLarge`] if 32 bits do not number its wires; late inverses that are not
    /// what they must be.
    pub fn finish(
        mut self,
        in_cells: impl Iterator<Item = Wire>,
        multiplied: impl Iterator<Item = (Wire, Wire)>,
        in_tables: impl Iterator<Item = Wire>,
    ) -> Result<Program, LayoutError> {
        if self.too_large {
            return Err(LayoutError::TooLarge);
        }
        self.take_wires();
        let late_inverses = self.take_late_inverses()?;
        self.claim_wires(in_cells, multiplied, in_tables);
        let mut constants: Vec<(Wire, Fr)> = self.constant_values.into_iter().collect();
        constants.sort_unstable_by_key(|(wire, _)| *wire);
        let ranges = self.source_ranges.iter();
        let source_ranges = ranges.flat_map(|range| range.refined(&self.bounds)).collect();
        Ok(Program {
            kinds: self.kinds,
            wires: self.tied.firsts(),
            bits: self.bounds.iter().map(|bound| bound.bits()).collect(),
            constants,
            inputs: self.inputs,
            parameters: self.parameters,
            source_ranges,
            hints: self.hints,
            levels: self.program_levels,
            late_inverses,
            second_levels: self.second_levels,
            challenges: self.challenges.iter().map(|powers| powers[0]).collect(),
            equalities: self.equalities,
            instances: self.instances,
            steps: self.steps,
        })
    }
}

impl SourceRange {
    /// The parts with the same bound, cut down to it: what follows from the circuit is relied upon
    /// as what was stated at first.
    fn refined(&self, bounds: &[Bound]) -> Vec<SourceRange> {
        let mut first = self.wires.start;
        let bounds = &bounds[first as usize..self.wires.end as usize];
        let parts = bounds.chunk_by(|left, right| left == right).map(|same| {
            let wires = first..first + same.len() as Wire;
            first = wires.end;
            let (low, high) = same[0].integers().unwrap_or((i128::MIN, i128::MAX));
            SourceRange { wires, low: low.max(self.low), high: high.min(self.high) }
        });
        parts.collect()
    }
}

impl HintInputs {
    /// The wire after the last output.
    fn end(&self, outputs: usize) -> Wire {
        self.first_output + (self.inputs.len() * outputs) as Wire
    }
}
