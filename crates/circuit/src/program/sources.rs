//! What a run is given from outside, and whether it fits: shapes, and for two parties the range of
//! every element.
//!
//! Static bounds of wires follow from the ranges of the sources, and masked openings hide a value
//! only within its bound (protocol §4). So a side of a pair puts in nothing beyond them: whatever
//! the visibility of a tensor is, and whether or not the circuit constrains it, each of its wires
//! has a range in the program, and [`Program::run`] takes no element that is not in it.

use super::{Program, Source, SourceRange};
use crate::WitnessError;
use ff::Field;
use rayon::prelude::*;
use twain_algebra::Fr;
use twain_party::{Kind, WitnessParty, signed_integer};

/// Fewer elements than this are not worth a second thread.
const PARALLEL: usize = 1 << 12;

/// The values given from outside: `None`, or an empty tensor in the list, for what the other side
/// owns. What a side does not own it does not compute with, if it is given all the same.
#[derive(Clone, Copy, Default)]
pub struct Sources<'a> {
    /// Elements of each input of the model, of those this side owns. Public inputs are needed on
    /// both sides.
    pub inputs: Option<&'a [Vec<Fr>]>,
    /// Elements of each constant, in the order of [`Program::parameters`].
    pub parameters: Option<&'a [Vec<Fr>]>,
}

impl Program {
    /// Checks what a side of a pair puts in, as [`Program::run`] does: its shapes, and that each
    /// element, as an integer, is in the range for which the masks of two parties are made.
    ///
    /// # Errors
    /// [`WitnessError::Sources`] for shapes; [`WitnessError::OutOfBound`] names the first element
    /// out of its range, and not its value.
    pub fn check_sources(&self, sources: &Sources) -> Result<(), WitnessError> {
        self.check_shapes(sources)?;
        let inputs = (self.inputs(), sources.inputs, "--input-scale");
        let parameters = (self.parameters(), sources.parameters, "--param-scale");
        let mut found = None;
        for (sources, tensors, scale) in [inputs, parameters] {
            for (source, tensor) in sources.iter().zip(tensors.unwrap_or_default()) {
                let outside = self.first_outside(source, tensor);
                found = found.or(outside.map(|(index, low, high)| WitnessError::OutOfBound {
                    tensor: source.name.clone(),
                    index,
                    low,
                    high,
                    scale,
                }));
            }
        }
        found.map_or(Ok(()), Err)
    }

    /// The first element out of its range, and the range. Looks at all elements however many are.
    fn first_outside(&self, source: &Source, tensor: &[Fr]) -> Option<(usize, i128, i128)> {
        let Source { wires, .. } = source;
        let after = self.source_ranges.partition_point(|range| range.wires.end <= wires.start);
        let ranges = self.source_ranges[after..].iter();
        let mut found = None;
        for SourceRange { wires: part, low, high } in
            ranges.take_while(|range| range.wires.start < wires.end)
        {
            let first = (part.start - wires.start) as usize;
            let elements = tensor.par_iter().enumerate().skip(first).take(part.len());
            let outside = elements.with_min_len(PARALLEL).filter(|(_, value)| {
                signed_integer(**value).is_none_or(|integer| (integer < *low) | (integer > *high))
            });
            found = found.or(outside.map(|(index, _)| (index, *low, *high)).min());
        }
        found
    }

    pub(super) fn check_shapes(&self, sources: &Sources) -> Result<(), WitnessError> {
        self.check_lengths(self.inputs(), sources.inputs, "inputs")?;
        let given = self.inputs().iter().zip(sources.inputs.unwrap_or_default());
        for (Source { name, wires, .. }, tensor) in given {
            if wires.is_empty() && tensor.iter().any(|value| *value != Fr::ZERO) {
                let text = format!("{name} is fixed: the keys are those of zeros");
                return Err(WitnessError::Sources(text));
            }
        }
        self.check_lengths(self.parameters(), sources.parameters, "constants")
    }

    fn check_lengths(
        &self,
        sources: &[Source],
        tensors: Option<&[Vec<Fr>]>,
        what: &str,
    ) -> Result<(), WitnessError> {
        let fail = |text: String| Err(WitnessError::Sources(text));
        let Some(tensors) = tensors else {
            let mut wires = sources.iter().flat_map(|source| source.wires.clone());
            return match wires.any(|wire| self.kind(wire) == Kind::Public) {
                true => fail(format!("the public {what} are missing")),
                false => Ok(()),
            };
        };
        if tensors.len() != sources.len() {
            let (given, wanted) = (tensors.len(), sources.len());
            return fail(format!("{given} {what} were given, the model has {wanted}"));
        }
        for (source, tensor) in sources.iter().zip(tensors) {
            let Source { name, length, .. } = source;
            let left_out = tensor.is_empty() && self.source_kind(source) != Kind::Public;
            if tensor.len() != *length && !left_out {
                let given = tensor.len();
                return fail(format!("{name} has {length} elements, {given} were given"));
            }
        }
        Ok(())
    }

    /// Writes what is public and what this side owns to its wires. Of all else its share is 0,
    /// whatever it was given: a value both sides put in would count twice. What is given has the
    /// right shapes.
    pub(super) fn fill(
        &self,
        values: &mut [Fr],
        sources: &Sources,
        party: &impl WitnessParty,
    ) -> Result<(), WitnessError> {
        let inputs = (self.inputs(), sources.inputs);
        let parameters = (self.parameters(), sources.parameters);
        for (sources, tensors) in [inputs, parameters] {
            for (index, source) in sources.iter().enumerate() {
                let kind = self.source_kind(source);
                let knows = kind == Kind::Public || party.adds_public_to(kind);
                if source.wires.is_empty() || !knows {
                    continue;
                }
                let tensor = tensors.and_then(|tensors| tensors.get(index));
                let Some(tensor) = tensor.filter(|tensor| tensor.len() == source.length) else {
                    let text = format!("{}, which this side owns, is missing", source.name);
                    return Err(WitnessError::Sources(text));
                };
                let wires = source.wires.start as usize..source.wires.end as usize;
                values[wires].copy_from_slice(tensor);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Bound, Recorder, Wire};
    use std::ops::Range;

    /// What a circuit constrains a source to, masks rely on as well.
    #[test]
    fn ranges_are_cut_down_to_what_the_circuit_implies() {
        let mut recorder = Recorder::new();
        let wires = recorder.sources(5, Kind::Owned(twain_party::Role::Data), (-100, 100));
        recorder.claim(wires.start + 2, Bound::BIT);
        recorder.claim(wires.start + 3, Bound::BIT);
        recorder.refine(wires.start + 4, Bound::new(-1000.0, 3.0));
        recorder.inputs.push(Source { name: "x".into(), wires: wires.clone(), length: 5 });
        // Of what is computed, a claim says nothing before it is tested.
        let sum = recorder.add(wires.start, wires.start + 1);
        recorder.claim(sum, Bound::BIT);
        assert_eq!(recorder.bound(sum), Bound::symmetric(200.0));
        let program = recorder.finish([].into_iter(), [].into_iter(), [].into_iter()).unwrap();
        let range = |places: Range<Wire>, low, high| {
            let wires = wires.start + places.start..wires.start + places.end;
            SourceRange { wires, low, high }
        };
        let expected = [range(0..2, -100, 100), range(2..4, 0, 1), range(4..5, -100, 3)];
        assert_eq!(program.source_ranges, expected);
        let refused = |place: usize, value: Fr| {
            let mut tensor = vec![Fr::ZERO; 5];
            tensor[place] = value;
            let sources = Sources { inputs: Some(&[tensor]), parameters: None };
            match program.check_sources(&sources) {
                Ok(()) => false,
                Err(WitnessError::OutOfBound { index, .. }) => index == place,
                Err(error) => panic!("{error}"),
            }
        };
        let number = |integer: i64| match integer < 0 {
            true => -Fr::from(integer.unsigned_abs()),
            false => Fr::from(integer.unsigned_abs()),
        };
        for (place, low, high) in [(0, -100, 100), (1, -100, 100), (3, 0, 1), (4, -100, 3)] {
            assert!(!refused(place, number(low)) && !refused(place, number(high)));
            assert!(refused(place, number(low - 1)) && refused(place, number(high + 1)));
        }
    }

    /// Ranges are exact where bounds of wires are rounded.
    #[test]
    fn ranges_are_exact() {
        let mut recorder = Recorder::new();
        let high = (1 << 40) - 1;
        recorder.sources(1, Kind::Owned(twain_party::Role::Model), (-high, high));
        let program = recorder.finish([].into_iter(), [].into_iter(), [].into_iter()).unwrap();
        assert!(
            matches!(program.source_ranges[..], [SourceRange { low, high: h, .. }] if (low, h) == (-high, high))
        );
    }
}
