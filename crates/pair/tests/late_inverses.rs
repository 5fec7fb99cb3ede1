//! Inverses that are made once the rest of a statement is tested: what they are, when the session
//! ends before they are, and that its end says no more than that.

use ff::Field;
use std::sync::Arc;
use std::thread;
use twain_algebra::Fr;
use twain_link::channel::{Channel, MemoryChannel, Recorder, Way, memory_pair};
use twain_masks::IdealMaterial;
use twain_ole::ideal_pair;
use twain_pair::{ArgumentShape, TwoParty};
use twain_party::{
    Combination, Kind, LateInverse, LookupStatement, Node, Numerator, Operand, OwnedPolynomial,
    PartyError, PartySeeds, Role, SecretWire, Seed, Shares, Statement, StatementShape, WireValue,
    WitnessParty,
};
use twain_tags::ideal_tags;

/// A circuit that says nothing beside what its inverses are: value `i` is wire `3 i`, `nonzero` the
/// next, and its inverse the one after.
struct Nothing(Vec<Operand>);

impl Statement for Nothing {
    fn operand(&self, wire: u32) -> Operand {
        self.0[wire as usize]
    }
    fn combination(&self, _: Fr) -> Combination {
        Combination::default()
    }
    fn owned(&self, _: Role) -> Vec<OwnedPolynomial> {
        Vec::new()
    }
    fn lookups(&self) -> &[LookupStatement] {
        &[]
    }
}

/// A session on values and what is said of their being 0, none if that they are not is known.
struct Ended {
    result: Result<Shares, PartyError>,
    /// What was sent and received, by phase.
    phases: Vec<(&'static str, Way)>,
}

fn session(values: &[(u64, Option<u64>)]) -> [Ended; 2] {
    let (model, data) = memory_pair([3; 32]);
    let (ole, products) = (ideal_pair(1), ideal_pair(2));
    let tags = ideal_tags(3);
    let cells = (0..3 * values.len() as u32)
        .map(|wire| Some(SecretWire { wire, kind: Kind::Shared }))
        .collect();
    let wanted = values.iter().zip((0..).step_by(3));
    let wanted = wanted.map(|((_, nonzero), value)| LateInverse {
        value,
        nonzero: nonzero.map(|_| value + 1),
        inverse: value + 2,
    });
    let shape = Arc::new(StatementShape {
        k: 4,
        columns: vec![cells],
        late_inverses: wanted.collect(),
        ..StatementShape::default()
    });
    let side = |end: MemoryChannel, ole, tags, mut products| {
        let role = end.role();
        let mut link = Recorder::new(end);
        let seeds =
            PartySeeds { blinding: Seed([role as u8; 32]), protocol: Seed([role as u8 + 2; 32]) };
        let result = (|| {
            let material = Box::new(IdealMaterial::new(1));
            let party = TwoParty::new(&mut link, Box::new(ole), material, &seeds)?;
            let sources: (Box<dyn twain_tags::TagSource>, &mut dyn twain_ole::OleSource) =
                (Box::new(tags), &mut products);
            let argument = ArgumentShape::new(&numerator(), 1);
            let mut party = party.testing_from(sources, shape.clone(), argument, &seeds)?;
            let operand = |value: Fr| {
                let noise = value + Fr::from(77);
                let share = if role == Role::Model { noise } else { -Fr::from(77) };
                Operand { share, kind: Kind::Shared, bits: 254 }
            };
            let mut operands = Vec::new();
            for (value, nonzero) in values {
                let all = [*value, nonzero.unwrap_or(1), 0];
                operands.extend(all.map(|value| operand(Fr::from(value))));
            }
            let of_wire = |wire: u32| WireValue { wire, operand: operands[wire as usize] };
            let claimed = shape.late_inverses.iter();
            let claimed = claimed.flat_map(|late| [late.value, late.value + 1]);
            party.claim(&claimed.map(of_wire).collect::<Vec<_>>())?;
            party.test_statement(&Nothing(operands.clone()))?;
            let wanted = shape.late_inverses.iter().map(|late| LateInverse {
                value: of_wire(late.value),
                nonzero: late.nonzero.map(of_wire),
                inverse: late.inverse,
            });
            let inverses = party.late_inverses(&wanted.collect::<Vec<_>>())?;
            party.check_zero(&[]).map(|_| inverses)
        })();
        let phases = link.frames().iter().map(|frame| (frame.phase, frame.way)).collect();
        Ended { result, phases }
    };
    thread::scope(|scope| {
        let model = scope.spawn(|| side(model, ole.0, tags.0, products.0));
        let data = side(data, ole.1, tags.1, products.1);
        [model.join().unwrap(), data]
    })
}

/// A numerator of nothing.
fn numerator() -> Numerator {
    Numerator { k: 4, nodes: vec![Node::Constant(Fr::ZERO)], usable_rows: 10 }
}

#[test]
fn inverses_and_zeros() {
    for values in [
        vec![(5, Some(1))],
        vec![(5, Some(1)), (0, Some(0)), (1, None)],
        vec![(0, Some(0)), (0, Some(0)), (7, Some(1)), (9, None), (1 << 60, Some(1))],
    ] {
        let [model, data] = session(&values);
        // Its scalar has no tag: it would tell a guess at a hidden value.
        let is_open = |(phase, _): &(&str, Way)| *phase == "validity test";
        assert!(!model.phases.iter().chain(&data.phases).any(is_open));
        let (model, data) = (model.result.unwrap(), data.result.unwrap());
        let sums = model.iter().zip(data.iter()).map(|(m, d)| m + d);
        let expected = values.iter().map(|(v, _)| Fr::from(*v).invert().unwrap_or(Fr::ZERO));
        assert!(sums.eq(expected), "{values:?}");
    }
}

/// What is not a bit is found by the test, before anything is multiplied for an inverse.
#[test]
fn what_is_no_bit_ends_the_test() {
    for nonzero in [2, 5] {
        for side in session(&[(3, Some(1)), (4, Some(nonzero)), (0, Some(0))]) {
            assert!(matches!(side.result, Err(PartyError::Ended)), "{nonzero}");
            assert!(side.phases.iter().all(|(phase, _)| *phase != "product of what is inverted"));
        }
    }
}

/// A value that has no inverse ends the session as one of all: at the same place whichever it is,
/// and before any of the products is opened by itself.
#[test]
fn a_value_without_an_inverse_is_not_named() {
    let bad = [(0, Some(1)), (0, None)];
    let mut seen = Vec::new();
    for bad in bad {
        for place in 0..3 {
            let mut values = vec![(3, Some(1)), (4, None), (0, Some(0))];
            values.insert(place, bad);
            let ends = session(&values);
            for side in ends {
                assert!(matches!(side.result, Err(PartyError::Ended)), "{bad:?} at {place}");
                assert_eq!(side.phases.last().unwrap().0, "product of what is inverted");
                seen.push(side.phases.len());
            }
        }
    }
    seen[..6].windows(2).for_each(|pair| assert_eq!(pair[0], pair[1]));
    seen[6..].windows(2).for_each(|pair| assert_eq!(pair[0], pair[1]));
}
