//! What one side of a protocol sees of the other's secret: as much whichever of two secrets it is.
//!
//! Each protocol runs in many sessions of fresh randomness, for two secrets of the peer and the
//! same input of the viewer. Compared is the viewer's *view*: every frame it receives, the sums of
//! what both sides send at once (what an opening shows), and its outputs. Lengths and phases must
//! be equal, and the distributions of some bits must agree (`twain_link::channel::view`, fixed
//! seeds). Sessions of the whole prover are compared in the same way in
//! `crates/twain/tests/views.rs`.
//!
//! The mutant of every test is the same protocol with masks that are not fresh: all sessions draw
//! the same. A mask both runs share hides nothing of what differs, and the test must say so.

use ff::Field;
use std::thread;
use twain_algebra::Fr;
use twain_link::channel::view::{LIMIT, View, distance, observe};
use twain_link::channel::{Channel, Frame, MemoryChannel, Recorder, Way, memory_pair};
use twain_masks::IdealMaterial;
use twain_ole::{IdealOle, ideal_pair};
use twain_pair::TwoParty;
use twain_party::{
    Hint, HintBatch, Inverted, Kind, LateInverse, LookupArgument, LookupUse, Operand, PartyError,
    PartySeeds, ProverParty, Role, Seed, StaticTable, WireForm, WireTerm, WireValue, WitnessParty,
};

/// Sessions for each secret.
const SESSIONS: u64 = 40;
/// Values in one session, all alike.
const BATCH: usize = 16;

/// One side of a protocol on a batch of shared values; returns what it learns beside the frames.
type Protocol = dyn Fn(&mut TwoParty, &[Operand]) -> Result<Vec<Fr>, PartyError> + Sync;

fn seed_of(session: u64, role: Role) -> PartySeeds {
    let mut bytes = [0u8; 32];
    bytes[..8].copy_from_slice(&session.to_le_bytes());
    bytes[8] = role as u8;
    PartySeeds { blinding: Seed(bytes), protocol: Seed(bytes) }
}

/// The frames of both ends of a session in which the viewer's share is 3 and the value `secret`.
fn session(
    protocol: &Protocol,
    viewer: Role,
    secret: Fr,
    bits: u16,
    seed: u64,
) -> (Vec<Frame>, Vec<Fr>) {
    let (model, data) = memory_pair([7; 32]);
    let (model_ole, data_ole) = ideal_pair(seed);
    let side = |end: MemoryChannel, ole: IdealOle| {
        let role = end.role();
        let mut recorder = Recorder::new(end);
        let seeds = seed_of(seed, role);
        let masks = Box::new(IdealMaterial::new(seed));
        let mut party = TwoParty::new(&mut recorder, Box::new(ole), masks, &seeds).unwrap();
        let own = Fr::from(3);
        let share = if role == viewer { own } else { secret - own };
        let operand = Operand { share, kind: Kind::Shared, bits };
        let learnt = protocol(&mut party, &[operand; BATCH]).unwrap();
        (recorder.frames().to_vec(), learnt)
    };
    thread::scope(|scope| {
        let model = scope.spawn(|| side(model, model_ole));
        let data = side(data, data_ole);
        let model = model.join().unwrap();
        if viewer == Role::Model { model } else { data }
    })
}

/// The view over all sessions, and the shape each of them had.
fn view(
    protocol: &Protocol,
    viewer: Role,
    secret: Fr,
    bits: u16,
    seed: impl Fn(u64) -> u64,
) -> (View, Vec<(&'static str, Way, usize)>) {
    let mut view = View::new();
    let mut shape = None;
    for i in 0..SESSIONS {
        let (frames, learnt) = session(protocol, viewer, secret, bits, seed(i));
        observe(&mut view, &frames, &learnt);
        let new: Vec<_> = frames.iter().map(|f| (f.phase, f.way, f.bytes.len())).collect();
        assert_eq!(*shape.get_or_insert(new.clone()), new, "sessions differ in shape");
    }
    (view, shape.unwrap_or_default())
}

/// The view of each of `viewers` is the same for both secrets, and is not if masks are not fresh.
fn hides_from(viewers: &[Role], name: &str, secrets: [Fr; 2], bits: u16, protocol: &Protocol) {
    for &viewer in viewers {
        let of = |secret: usize, seed: &dyn Fn(u64) -> u64| {
            view(protocol, viewer, secrets[secret], bits, seed)
        };
        let (one, shape) = of(0, &|i| 1 + i);
        let (other, same_shape) = of(1, &|i| 1000 + i);
        assert_eq!(shape, same_shape, "{name}, seen by {viewer:?}");
        assert!(shape.iter().any(|(_, way, _)| *way == Way::Received), "{name}: nothing is seen");
        let (statistic, place) = distance(&one, &other);
        assert!(statistic < LIMIT, "{name}, seen by {viewer:?}: {statistic} in {place}");
        let (mutant, place) = distance(&of(0, &|_| 5).0, &of(1, &|_| 5).0);
        assert!(mutant > 3.0 * LIMIT, "{name}, seen by {viewer:?}: {mutant} in {place}");
    }
}

fn hides(name: &str, secrets: [Fr; 2], bits: u16, protocol: &Protocol) {
    hides_from(&[Role::Model, Role::Data], name, secrets, bits, protocol);
}

/// Of two secrets in range, and of one in range and one far out of it: a peer that shifts a value
/// by `2^230` must not see it.
fn hides_hint(hint: Hint, secrets: [u64; 2], bits: u16) {
    let name = format!("{hint:?}");
    let [one, other] = secrets.map(Fr::from);
    let far = other * Fr::from(2).pow_vartime([230]) + one;
    for secrets in [[one, other], [one, far]] {
        let hint = hint.clone();
        hides(&name, secrets, bits, &move |party, inputs| {
            party.hints(&[HintBatch { hint: hint.clone(), inputs, first_output: 0 }])?;
            Ok(Vec::new())
        });
    }
}

fn numbered(values: &[Operand]) -> Vec<WireValue> {
    (0..).zip(values).map(|(wire, operand)| WireValue { wire, operand: *operand }).collect()
}

/// The values as claimed wires, with the shares they have then.
fn claimed(party: &mut TwoParty, values: &[Operand]) -> Result<Vec<WireValue>, PartyError> {
    let mut wires = numbered(values);
    let shares = party.claim(&wires)?;
    wires.iter_mut().zip(shares.iter()).for_each(|(wire, share)| wire.operand.share = *share);
    Ok(wires)
}

/// Of values in range and of any others.
#[test]
fn claims() {
    let far = Fr::from(2).pow_vartime([230]);
    for secrets in [[Fr::ZERO, Fr::ONE], [Fr::from(3), far], [Fr::ONE, -Fr::ONE]] {
        hides("claims", secrets, 8, &|party, values| Ok(party.claim(&numbered(values))?.to_vec()));
    }
}

/// What a wire is multiplied by shows nothing more of it.
#[test]
fn products_of_wires() {
    let far = Fr::from(2).pow_vartime([230]);
    for secrets in [[Fr::ZERO, Fr::ONE], [Fr::from(3), far]] {
        hides("products", secrets, 8, &|party, values| {
            let wires = claimed(party, values)?;
            let ends: Vec<u32> = (1..=BATCH as u32).collect();
            // Squares, and each by the first.
            let first = vec![wires[0]; BATCH];
            let squares = party.inner_products(&wires, &wires, &ends)?;
            let products = party.inner_products(&wires, &first, &ends)?;
            Ok([squares, products].concat())
        });
    }
}

#[test]
fn inverses() {
    hides("inverse", [Fr::ONE, -Fr::ONE], 254, &|party, values| {
        let inverted = |operand: &Operand| Inverted { operand: *operand, form: None };
        let inverted: Vec<Inverted> = values.iter().map(inverted).collect();
        let inversion = party.begin_inverses(&inverted, &[0], &values[..1])?;
        Ok(party.finish_inverses(inversion)?.to_vec())
    });
}

/// Each twice, as if looked up in two tables.
#[test]
fn inverses_of_wires() {
    let far = Fr::from(2).pow_vartime([230]);
    for secrets in [[Fr::ONE, -Fr::ONE], [Fr::from(3), far]] {
        hides("inverse of wires", secrets, 254, &|party, values| {
            let wires = claimed(party, values)?;
            let inverted = |value: &WireValue| {
                let (factor, offset) = (Fr::from(5), Fr::from(77));
                let first = WireTerm { wire: value.wire, kind: Kind::Shared, factor };
                let form = Some(WireForm { offset, ..first.into() });
                Inverted { operand: value.operand, form }
            };
            let inverted: Vec<Inverted> = wires.repeat(2).iter().map(inverted).collect();
            let by = wires[0].operand;
            let inversion = party.begin_inverses(&inverted, &[0], &[by])?;
            Ok(party.finish_inverses(inversion)?.to_vec())
        });
    }
}

/// Each wire twice, as of two cells. The data's side draws its factors itself and receives nothing
/// but claims, so the model's view is all there is.
#[test]
fn factors() {
    let far = Fr::from(2).pow_vartime([230]);
    for secrets in [[Fr::ONE, -Fr::from(77)], [Fr::from(3), far]] {
        hides_from(&[Role::Model], "factors", secrets, 254, &|party, values| {
            let wires = claimed(party, values)?.repeat(2);
            let conversion = party.prepare_factors(&wires)?;
            let shifts = [[Fr::ONE; BATCH], [Fr::from(2); BATCH]].concat();
            let conversion = party.begin_factors(conversion, &shifts)?;
            let factors = party.finish_factors(conversion)?;
            // Their quotients, as well: under one factor they would be those of the shifted values.
            let (first, second) = factors.split_at(BATCH);
            let quotients = first.iter().zip(second).map(|(a, b)| *a * b.invert().unwrap());
            Ok(factors.iter().copied().chain(quotients).collect())
        });
    }
}

#[test]
fn validity_test_of_wrong_values() {
    hides("validity test", [Fr::ONE, -Fr::from(1 << 20)], 254, &|party, values| {
        for value in values {
            assert!(matches!(party.check_zero(&[value.share]), Err(PartyError::Ended)));
        }
        Ok(Vec::new())
    });
}

#[test]
fn decompositions() {
    hides_hint(Hint::Decompose { base: 16, legs: 2 }, [0, 255], 9);
    hides_hint(Hint::Decompose { base: 1 << 10, legs: 1 }, [1, 1023], 10);
    hides_hint(Hint::Decompose { base: 10, legs: 2 }, [0, 99], 7);
}

#[test]
fn divisions() {
    hides_hint(Hint::DivideRound { divisor: 16 }, [0, 24], 8);
    hides_hint(Hint::DivideRound { divisor: 17 }, [0, 25], 8);
    hides_hint(Hint::DivideRound { divisor: 18 }, [3, 26], 8);
}

#[test]
fn lookups() {
    let table =
        StaticTable { name: "squares".into(), low: 0, values: (0..100).map(|i| i * i).collect() };
    hides_hint(Hint::Table(table.into()), [0, 99], 7);
    hides_hint(Hint::Unit { low: 0, high: 99, chunk: 10 }, [5, 50], 7);
    hides_hint(Hint::unit(9), [0, 8], 4);
    hides_hint(Hint::InverseOrZero, [0, 31], 5);
    hides_hint(Hint::IsZero, [0, 1], 20);
}

#[test]
fn late_inverses_of_a_trusted_peer() {
    hides("late inverses", [Fr::ONE, Fr::from(5)], 20, &|party, values| {
        let wanted = (0..).zip(values).map(|(wire, operand)| LateInverse {
            value: WireValue { wire, operand: *operand },
            nonzero: None,
            inverse: 100 + wire,
        });
        party.late_inverses(&wanted.collect::<Vec<_>>()).map(|_| Vec::new())
    });
}

#[test]
fn multiplicities_of_values_that_no_hint_made() {
    hides("multiplicities", [Fr::ZERO, Fr::from(15)], 5, &|party, values| {
        let uses: Vec<LookupUse> = (0..)
            .zip(values)
            .map(|(wire, operand)| LookupUse { wire, operand: *operand, column: None })
            .collect();
        let (low, high, chunk) = (0, 15, 16);
        let argument = LookupArgument {
            low,
            high,
            chunk,
            column: 0,
            uses: &uses,
            defaults: 0,
            default_row: 0,
        };
        party.prepare_lookups(&[argument])?;
        Ok(Vec::new())
    });
}
