//! Runs a witness program over a party's shares. Public wires hold their value on every side;
//! all others hold this party's share.

use super::{InstanceRow, Level, Local, LocalInstructions, Program, Sources, Wire};
use super::{MINUS_ONE, ONE};
use crate::WitnessError;
use ff::Field;
use twain_algebra::Fr;
use twain_party::{
    Alone, Hint, HintBatch, Kind, LateInverse, Operand, PartyError, Phase, Shares, Watched,
    WireValue, WitnessParty, evaluate_hint, signed_integer,
};

/// Local instructions that are run, which takes some milliseconds, between two looks whether to go
/// on.
const INSTRUCTIONS: usize = 1 << 14;

/// The values of a run.
#[derive(Clone, Debug)]
pub struct WitnessValues {
    /// By wire: the value if it is public, otherwise this party's share.
    pub(crate) values: Shares,
    /// The instance column.
    pub instances: Vec<Fr>,
}

impl Program {
    /// Runs the program: levels of products and hints, the validity test, the opening of the public
    /// outputs, and what follows from them.
    ///
    /// # Errors
    /// Sources that do not fit ([`Program::check_sources`]), before anything is sent; a failed step
    /// of the party. [`PartyError::Invalid`] tells every side that the witness does not satisfy the
    /// circuit, and nothing else.
    pub fn run<P: WitnessParty>(
        &self,
        party: &mut P,
        sources: &Sources,
    ) -> Result<WitnessValues, WitnessError> {
        self.run_with(party, sources, |_, _| Ok(()))
    }

    /// As [`Program::run`], with something to be done before the validity test.
    pub(crate) fn run_with<P: WitnessParty>(
        &self,
        party: &mut P,
        sources: &Sources,
        before_test: impl FnOnce(&mut P, &[Fr]) -> Result<(), PartyError>,
    ) -> Result<WitnessValues, WitnessError> {
        party.watched().enter(Phase::Witness)?;
        // Alone nothing is masked, and EZKL takes elements of any size where no range is checked.
        match party.holds_values() {
            true => self.check_shapes(sources)?,
            false => self.check_sources(sources)?,
        }
        let mut values = self.start(sources, party)?;
        self.levels(&self.levels, party, &mut values)?;
        before_test(party, &values)?;
        self.late_inverses(party, &mut values)?;
        self.test_and_open(party, values)
    }

    /// As [`Program::run`], for a user who knows all values: says which value is out of range or
    /// which claim does not hold.
    ///
    /// # Errors
    /// As [`Program::run`], with [`WitnessError::OutOfRange`] and [`WitnessError::Unequal`].
    pub fn run_alone(
        &self,
        party: &mut Alone,
        sources: &Sources,
    ) -> Result<WitnessValues, WitnessError> {
        party.watched().enter(Phase::Witness)?;
        self.check_shapes(sources)?;
        let mut values = self.start(sources, party)?;
        if let Err(error) = self.levels(&self.levels, party, &mut values) {
            return Err(self.out_of_range(&values).unwrap_or(error));
        }
        self.late_inverses(party, &mut values)?;
        let differ = |(l, r): &&(Wire, Wire)| values[*l as usize] != values[*r as usize];
        if let Some((left, right)) = self.equalities.iter().find(differ) {
            return Err(WitnessError::Unequal {
                step: self.step_of_wire(*right).into(),
                left: show(values[*left as usize]),
                right: show(values[*right as usize]),
            });
        }
        self.test_and_open(party, values)
    }

    /// The first hint whose input is out of its range. Values not computed yet are 0, and fit.
    fn out_of_range(&self, values: &[Fr]) -> Option<WitnessError> {
        let batches = self.levels.iter().flat_map(|level| &level.hints);
        for batch in batches {
            let hint = &self.hints[batch.hint as usize];
            let range = match hint {
                Hint::Decompose { base, legs } => format!("below {base}^{legs} in size"),
                Hint::Table(table) => format!("an argument of the table {}", table.name),
                Hint::DivideRound { .. } => "below 2^127 in size".into(),
                Hint::Unit { low, high, .. } => format!("from {low} to {high}"),
                Hint::NotNegative
                | Hint::Reciprocal { .. }
                | Hint::SquareRoot { .. }
                | Hint::Exponent { .. } => "below 2^127 in size, as its result".into(),
                Hint::Inverse | Hint::InverseOrZero | Hint::IsZero | Hint::ChunkIndex { .. } => {
                    continue;
                }
            };
            let value = |wire: &Wire| values[*wire as usize];
            let fails = |v: &Fr| evaluate_hint(hint, *v, &mut Vec::new()).is_err();
            if let Some(value) = batch.inputs.iter().map(value).find(fails) {
                let step = self.step_of_wire(batch.first_output).into();
                return Some(WitnessError::OutOfRange { step, value: show(value), range });
            }
        }
        None
    }

    /// The constants and the sources.
    fn start(&self, sources: &Sources, party: &impl WitnessParty) -> Result<Shares, WitnessError> {
        let mut values = Shares::zero(self.wires());
        for (wire, value) in &self.constants {
            values[*wire as usize] = *value;
        }
        self.fill(&mut values, sources, party)?;
        Ok(values)
    }

    /// The values that depend on the circuit's challenges, into `values` of a run.
    pub(crate) fn run_second<P: WitnessParty>(
        &self,
        party: &mut P,
        values: &mut [Fr],
        challenges: &[Fr],
    ) -> Result<(), WitnessError> {
        check_length(challenges.len().min(self.challenges.len()), self.challenges.len())?;
        for (wire, value) in self.challenges.iter().zip(challenges) {
            values[*wire as usize] = *value;
        }
        self.levels(&self.second_levels, party, values)
    }

    fn levels<P: WitnessParty>(
        &self,
        levels: &[Level],
        party: &mut P,
        values: &mut [Fr],
    ) -> Result<(), WitnessError> {
        let watched = party.watched();
        for level in levels {
            watched.check()?;
            self.local(&level.local, party, values, &watched)?;
            self.claims(level, party, values)?;
            self.products(level, party, values)?;
            self.hints(level, party, values)?;
        }
        Ok(())
    }

    fn local<P: WitnessParty>(
        &self,
        level: &LocalInstructions,
        party: &P,
        values: &mut [Fr],
        watched: &Watched,
    ) -> Result<(), WitnessError> {
        let public = |wire: Wire| self.kind(wire) == Kind::Public;
        // Public summands of a share are added by one party only: the owner, if there is one.
        let whole = |out: Wire| public(out) || party.adds_public_to(self.kind(out));
        let (mut term, mut pair) = (0, 0);
        let mut outputs = Vec::new();
        for (index, instruction) in level.instructions.iter().enumerate() {
            if index % INSTRUCTIONS == 0 {
                watched.check()?;
            }
            match *instruction {
                Local::Linear { out, end } => {
                    let whole = whole(out);
                    let mut sum = Fr::ZERO;
                    for &(coefficient, wire) in &level.terms[term..end] {
                        if !whole && public(wire) {
                            continue;
                        }
                        let value = values[wire as usize];
                        match coefficient {
                            ONE => sum += value,
                            MINUS_ONE => sum -= value,
                            coefficient => sum += value * values[coefficient as usize],
                        }
                    }
                    term = end;
                    values[out as usize] = sum;
                }
                Local::InnerProduct { out, end } => {
                    let whole = whole(out);
                    let mut sum = Fr::ZERO;
                    for &(left, right) in &level.pairs[pair..end] {
                        if whole || !(public(left) && public(right)) {
                            sum += values[left as usize] * values[right as usize];
                        }
                    }
                    pair = end;
                    values[out as usize] = sum;
                }
                Local::Hint { hint, input, first_output } => {
                    outputs.clear();
                    let hint = &self.hints[hint as usize];
                    evaluate_hint(hint, values[input as usize], &mut outputs)?;
                    let first = first_output as usize;
                    values[first..first + outputs.len()].copy_from_slice(&outputs);
                }
            }
        }
        Ok(())
    }

    /// Names the part of the circuit that a party cannot do something in.
    pub(crate) fn at_step(&self, error: PartyError) -> PartyError {
        match error {
            PartyError::UnsupportedValue { wire, reason } => {
                PartyError::Unsupported(format!("{}: {reason}", self.step_of_wire(wire)))
            }
            other => other,
        }
    }

    /// What a party needs to know of a wire.
    pub(crate) fn operand(&self, wire: Wire, values: &[Fr]) -> Operand {
        let bits = u16::from(self.bits[wire as usize]);
        Operand { share: values[wire as usize], kind: self.kind(wire), bits }
    }

    fn operands(&self, wires: &[Wire], values: &[Fr]) -> Vec<Operand> {
        wires.iter().map(|wire| self.operand(*wire, values)).collect()
    }

    fn wire_values(&self, wires: &[Wire], values: &[Fr]) -> Vec<WireValue> {
        let value = |wire: &Wire| WireValue { wire: *wire, operand: self.operand(*wire, values) };
        wires.iter().map(value).collect()
    }

    /// Claims wires, whose shares are others from then on. Who holds the values has nothing to
    /// claim.
    fn claims<P: WitnessParty>(
        &self,
        level: &Level,
        party: &mut P,
        values: &mut [Fr],
    ) -> Result<(), WitnessError> {
        if level.claims.is_empty() || party.holds_values() {
            return Ok(());
        }
        let shares = party.claim(&self.wire_values(&level.claims, values))?;
        check_length(shares.len(), level.claims.len())?;
        for (wire, share) in level.claims.iter().zip(shares.iter()) {
            values[*wire as usize] = *share;
        }
        Ok(())
    }

    /// This party's summand of a wire's value.
    pub(crate) fn share(&self, wire: Wire, adds_public: bool, values: &[Fr]) -> Fr {
        match self.kind(wire) {
            Kind::Public if !adds_public => Fr::ZERO,
            _ => values[wire as usize],
        }
    }

    fn products<P: WitnessParty>(
        &self,
        level: &Level,
        party: &mut P,
        values: &mut [Fr],
    ) -> Result<(), WitnessError> {
        let products = &level.products;
        if products.ends.is_empty() {
            return Ok(());
        }
        let left = self.wire_values(&products.left, values);
        let right = self.wire_values(&products.right, values);
        let shares = party.inner_products(&left, &right, &products.ends)?;
        check_length(shares.len(), products.outs.len())?;
        for (out, share) in products.outs.iter().zip(shares) {
            values[*out as usize] = share;
        }
        Ok(())
    }

    fn hints<P: WitnessParty>(
        &self,
        level: &Level,
        party: &mut P,
        values: &mut [Fr],
    ) -> Result<(), WitnessError> {
        if level.hints.is_empty() {
            return Ok(());
        }
        let inputs = level.hints.iter();
        let inputs = inputs.map(|batch| self.operands(&batch.inputs, values));
        let inputs: Vec<Vec<Operand>> = inputs.collect();
        let batches = level.hints.iter().zip(&inputs).map(|(batch, inputs)| HintBatch {
            hint: self.hints[batch.hint as usize].clone(),
            inputs,
            first_output: batch.first_output,
        });
        let batches: Vec<HintBatch> = batches.collect();
        let outputs = party.hints(&batches).map_err(|error| self.at_step(error))?;
        check_length(outputs.len(), batches.len())?;
        for (batch, outputs) in batches.iter().zip(outputs) {
            check_length(outputs.len(), batch.inputs.len() * batch.hint.outputs())?;
            let first = batch.first_output as usize;
            values[first..first + outputs.len()].copy_from_slice(&outputs);
        }
        Ok(())
    }

    fn late_inverses<P: WitnessParty>(
        &self,
        party: &mut P,
        values: &mut [Fr],
    ) -> Result<(), WitnessError> {
        if self.late_inverses.is_empty() {
            return Ok(());
        }
        let of_wire = |wire| WireValue { wire, operand: self.operand(wire, values) };
        let wanted = self.late_inverses.iter().map(|late| LateInverse {
            value: of_wire(late.value),
            nonzero: late.nonzero.map(of_wire),
            inverse: late.inverse,
        });
        let shares = party.late_inverses(&wanted.collect::<Vec<_>>())?;
        check_length(shares.len(), self.late_inverses.len())?;
        for (late, share) in self.late_inverses.iter().zip(shares.iter()) {
            values[late.inverse as usize] = *share;
        }
        Ok(())
    }

    fn test_and_open<P: WitnessParty>(
        &self,
        party: &mut P,
        values: Shares,
    ) -> Result<WitnessValues, WitnessError> {
        let adds_public = party.adds_public();
        let share = |wire: Wire| self.share(wire, adds_public, &values);
        let differences = self.equalities.iter().map(|(left, right)| share(*left) - share(*right));
        let differences = Shares::new(differences.collect());
        let tested = party.check_zero(&differences)?;

        let opened = self.instances.iter().filter_map(|row| match row {
            InstanceRow::Opened(value) => Some(share(*value)),
            InstanceRow::Known(_) => None,
        });
        let opened = Shares::new(opened.collect());
        let outputs = party.open_instances(tested, &opened)?;
        check_length(outputs.len(), opened.len())?;
        let mut outputs = outputs.into_iter();
        let instance = |row: &InstanceRow| match row {
            InstanceRow::Known(wire) => Some(values[*wire as usize]),
            InstanceRow::Opened(_) => outputs.next(),
        };
        let instances = self.instances.iter().filter_map(instance).collect();
        Ok(WitnessValues { values, instances })
    }
}

/// A party that returns the wrong number of values would leave wires undefined.
fn check_length(given: usize, wanted: usize) -> Result<(), WitnessError> {
    if given == wanted {
        return Ok(());
    }
    let text = format!("a step of the party returned {given} values for {wanted}");
    Err(PartyError::Unsupported(text).into())
}

pub(crate) fn show(value: Fr) -> String {
    signed_integer(value).map_or_else(|| format!("{value:?}"), |integer| integer.to_string())
}
