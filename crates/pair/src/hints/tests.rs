//! The digit protocols against their ideal functionality (plain integers), over a link within the
//! process; what they show of the values; how many messages they take.

use super::Hints;
use ff::{Field, PrimeField};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use twain_algebra::Fr;
use twain_link::channel::{Channel, MemoryChannel, Recorder, Way, memory_pair};
use twain_link::scalars::decode_scalars;
use twain_masks::{DigitMaskSource, IdealMaterial, InlineMaterial};
use twain_ole::{IdealOle, ideal_pair};
use twain_party::{
    Alone, Hint, HintBatch, Kind, LateInverse, LookupArgument, LookupUse, Multiplicities, Operand,
    PartyError, Role, Seed, StaticTable, WireValue, WitnessParty, evaluate_hint, signed_integer,
};

fn field(value: i128) -> Fr {
    let magnitude = Fr::from_u128(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

/// Material from oblivious transfers or from the dealer.
#[derive(Clone, Copy)]
enum Source {
    Inline,
    Ideal,
    /// A dealer whose masks are all 0.
    NoMask,
}

struct Side {
    link: Recorder<MemoryChannel>,
    hints: Hints,
    ole: IdealOle,
}

impl Side {
    fn new(link: MemoryChannel, ole: IdealOle, source: Source, seed: u64) -> Self {
        let rng = |i: u64| ChaCha20Rng::seed_from_u64(10 * seed + 2 * i + link.role() as u64);
        let source: Box<dyn DigitMaskSource> = match source {
            Source::Inline => Box::new(InlineMaterial::new(rng(1))),
            Source::Ideal => Box::new(IdealMaterial::new(seed)),
            Source::NoMask => {
                let mut dealer = IdealMaterial::new(seed);
                dealer.position = |_, _| 0;
                Box::new(dealer)
            }
        };
        let hints = Hints::new(source, rng(2));
        Self { link: Recorder::new(link), hints, ole }
    }

    fn hints(&mut self, batches: &[HintBatch]) -> Result<Vec<Vec<Fr>>, PartyError> {
        self.hints.hints(&mut self.link, batches)
    }
}

/// Runs both sides; the model's result first.
fn run<T: Send>(
    source: Source,
    seed: u64,
    party: impl Fn(&mut Side) -> Result<T, PartyError> + Sync,
) -> Result<(T, T), PartyError> {
    let (model, data) = memory_pair([seed as u8; 32]);
    let (model_ole, data_ole) = ideal_pair(seed);
    std::thread::scope(|scope| {
        let data = scope.spawn(|| party(&mut Side::new(data, data_ole, source, seed)));
        let model = party(&mut Side::new(model, model_ole, source, seed));
        let data = data.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((model?, data?))
    })
}

const KINDS: [Kind; 4] =
    [Kind::Shared, Kind::Owned(Role::Data), Kind::Public, Kind::Owned(Role::Model)];

/// A party's operand of a value.
fn operand(role: Role, value: i128, kind: Kind, bits: u16, rng: &mut ChaCha20Rng) -> Operand {
    let noise = Fr::random(rng);
    let share = match (kind, role) {
        (Kind::Shared, Role::Model) => noise,
        (Kind::Shared, Role::Data) => field(value) - noise,
        (Kind::Public, Role::Model) => field(value),
        (Kind::Owned(owner), role) if owner == role => field(value),
        _ => Fr::ZERO,
    };
    Operand { share, kind, bits }
}

fn operands(role: Role, values: &[i128], kind: impl Fn(usize) -> Kind, bits: u16) -> Vec<Operand> {
    let mut rng = ChaCha20Rng::seed_from_u64(77);
    let each = values.iter().enumerate();
    each.map(|(i, &value)| operand(role, value, kind(i), bits, &mut rng)).collect()
}

fn sum(model: &[Fr], data: &[Fr]) -> Vec<Fr> {
    assert_eq!(model.len(), data.len());
    model.iter().zip(data).map(|(m, d)| m + d).collect()
}

/// Outputs of a list of hints, each with its values and their bound, against plain evaluation.
fn check(source: Source, kind: impl Fn(usize) -> Kind + Sync, cases: &[(Hint, Vec<i128>, u16)]) {
    let (model, data) = run(source, 3, |side| {
        let role = side.link.role();
        let inputs: Vec<_> =
            cases.iter().map(|(_, values, bits)| operands(role, values, &kind, *bits)).collect();
        let batches: Vec<_> = cases
            .iter()
            .zip(&inputs)
            .map(|((hint, ..), inputs)| HintBatch { hint: hint.clone(), inputs, first_output: 0 })
            .collect();
        let outputs = side.hints(&batches)?;
        Ok((outputs, side.hints.take_claims()))
    })
    .unwrap();
    for (i, (hint, values, _)) in cases.iter().enumerate() {
        let mut expected = Vec::new();
        for value in values {
            evaluate_hint(hint, field(*value), &mut expected).unwrap();
        }
        assert_eq!(sum(&model.0[i], &data.0[i]), expected, "{hint:?}");
    }
    assert!(sum(&model.1, &data.1).iter().all(|claim| bool::from(claim.is_zero())));
}

fn all_hints() -> Vec<(Hint, Vec<i128>, u16)> {
    let table =
        StaticTable { name: "t".into(), low: -5, values: (0..13).map(|i| 40 - i * i).collect() };
    let edge = (1 << 28) - 1;
    let around = vec![0, 1, -1, 2, -2, 63, -63, 64, 65, -64, -65, 191, -192, 12345, -54321];
    let mut cases = vec![
        (
            Hint::Decompose { base: 1 << 14, legs: 2 },
            vec![0, 1, -1, 16384, -16383, edge, -edge],
            30,
        ),
        (Hint::Decompose { base: 1 << 14, legs: 2 }, vec![-5], 28),
        (Hint::Decompose { base: 128, legs: 3 }, vec![127, -128, 2097151, -2097151, 0], 21),
        (Hint::Decompose { base: 2, legs: 1 }, vec![0, 1, -1], 1),
        (Hint::Decompose { base: 1000, legs: 3 }, vec![0, 1, -1, 1000, -999, 999_999_999], 31),
        (Hint::Decompose { base: 3, legs: 2 }, vec![8, -8, 3, -2], 4),
        (Hint::InverseOrZero, vec![0, -1, -2, 3], 2),
        (Hint::IsZero, vec![0, 1, -1, 4711, edge, -edge, 0], 29),
        (Hint::Unit { low: -100, high: 150, chunk: 51 }, vec![-100, -50, -49, 0, 150], 9),
        (Hint::Table(table.into()), vec![-5, 0, 7], 12),
        (Hint::unit(5), vec![0, 1, 4, 4], 3),
        (Hint::unit(1), vec![0], 1),
        (Hint::DivideRound { divisor: 5 }, vec![], 20),
        (Hint::NotNegative, vec![0, 1, -1, edge, -edge], 28),
    ];
    let wide = vec![0, 1, -1, edge, -edge, 1 << 39, 3 << 38, -(3 << 38), (1 << 40) - 1];
    for divisor in [1 << 21, 1 << 39, 1000 << 20, 3u128.pow(20)] {
        cases.push((Hint::DivideRound { divisor }, wide.clone(), 40));
    }
    for divisor in [1, 2, 3, 6, 7, 64, 128, 255, 1000] {
        cases.push((Hint::DivideRound { divisor }, around.clone(), 17));
    }
    cases
}

#[test]
fn hints_equal_plain_evaluation() {
    check(Source::Inline, |_| Kind::Shared, &all_hints());
}

#[test]
fn hints_of_all_owners_together() {
    check(Source::Ideal, |i| KINDS[i % 4], &all_hints());
    check(Source::Ideal, |i| KINDS[(i + 1) % 4], &all_hints());
}

#[test]
fn owned_values_need_no_message() {
    for kind in &KINDS[1..] {
        let (model, data) = run(Source::Inline, 1, |side| {
            let inputs = operands(side.link.role(), &[5, -7], |_| *kind, 28);
            let hint = Hint::Decompose { base: 1 << 14, legs: 2 };
            side.hints(&[HintBatch { hint, inputs: &inputs, first_output: 0 }])?;
            Ok(side.link.traffic().sent)
        })
        .unwrap();
        assert_eq!((model, data), (0, 0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn random_values(
        small in prop::collection::vec(-(1i128 << 14) + 1..1 << 14, 0..9),
        wide in prop::collection::vec(-(1i128 << 40) + 1..1i128 << 40, 0..5),
        divisor in 2u128..3000,
        kind in 0usize..4,
    ) {
        check(Source::Ideal, |i| KINDS[(i * kind) % 4], &[
            (Hint::Decompose { base: 128, legs: 2 }, small.clone(), 20),
            (Hint::Decompose { base: 1 << 10, legs: 4 }, wide.clone(), 41),
            (Hint::Decompose { base: 1050, legs: 4 }, wide.clone(), 41),
            (Hint::DivideRound { divisor }, small, 14),
            (Hint::DivideRound { divisor: divisor + 1 }, wide.clone(), 40),
            (Hint::IsZero, wide, 40),
        ]);
    }
}

/// Of values that are not 0, and of some that may be, in one message each way.
#[test]
fn inverses_of_shared_values() {
    let values = [3, -1, 0, 1 << 40, 0];
    let (model, data) = run(Source::Ideal, 3, |side| {
        let of = |values: &[i128]| operands(side.link.role(), values, |_| Kind::Shared, 254);
        let of_wire = |operand| WireValue { wire: 0, operand };
        let nonzero = of(&values.map(|value| i128::from(value != 0)));
        let wanted: Vec<_> = of(&values)
            .into_iter()
            .zip(nonzero)
            .zip(values)
            .map(|((value, nonzero), plain)| LateInverse {
                value: of_wire(value),
                nonzero: Some(of_wire(nonzero)).filter(|_| plain != 3),
                inverse: 0,
            })
            .collect();
        let inverses = side.hints.inverses(&mut side.link, &mut side.ole, &wanted)?;
        assert_eq!(side.link.traffic().rounds, 1);
        Ok((inverses, side.hints.take_claims()))
    })
    .unwrap();
    let expected = values.map(|value| field(value).invert().unwrap_or(Fr::ZERO));
    assert_eq!(sum(&model.0, &data.0), expected);
    assert_eq!(sum(&model.1, &data.1), [Fr::ZERO]);
}

/// Rounds without those of the material.
#[test]
fn a_comparison_takes_at_most_six_rounds() {
    let rounds = |hint: Hint, bits| {
        let (model, _) = run(Source::Ideal, 2, |side| {
            let inputs = operands(side.link.role(), &[3, -3, 0], |_| Kind::Shared, bits);
            side.hints(&[HintBatch { hint: hint.clone(), inputs: &inputs, first_output: 0 }])?;
            Ok(side.link.traffic().rounds)
        })
        .unwrap();
        model
    };
    // Opening, two folds, signs; then a round for each digit.
    assert_eq!(rounds(Hint::Decompose { base: 1 << 14, legs: 2 }, 28), 4 + 2);
    assert_eq!(rounds(Hint::DivideRound { divisor: 128 }, 28), 4 + 1);
    assert_eq!(rounds(Hint::InverseOrZero, 2), 1);
}

#[test]
fn traffic_does_not_depend_on_values() {
    let traffic = |values: [i128; 3]| {
        let traffic = run(Source::Inline, 2, |side| {
            let inputs = operands(side.link.role(), &values, |_| Kind::Shared, 30);
            let batch = |hint| HintBatch { hint, inputs: &inputs, first_output: 0 };
            side.hints(&[
                batch(Hint::Decompose { base: 1 << 10, legs: 3 }),
                batch(Hint::DivideRound { divisor: 10 }),
                batch(Hint::IsZero),
            ])?;
            Ok((side.link.traffic().rounds, side.link.shape()))
        });
        traffic.unwrap()
    };
    assert_eq!(traffic([0, 1, -1]), traffic([(1 << 30) - 1, -(1 << 29), 77]));
}

/// Values of one session, all alike, whose openings are looked at.
const OPENED: usize = 800;

/// What is opened in `phase` when a hint's every input is `value`: the sums of both parts.
fn opened(source: Source, hint: &Hint, value: Fr, bits: u16, phase: &str) -> Vec<Fr> {
    let (model, _) = run(source, 5, |side| {
        // Shares that are not random, as they may be.
        let share = if side.link.role() == Role::Data { value } else { Fr::ZERO };
        let inputs = [Operand { share, kind: Kind::Shared, bits }; OPENED];
        side.hints(&[HintBatch { hint: hint.clone(), inputs: &inputs, first_output: 0 }])?;
        let own = elements(&side.link.sent(phase), value);
        let peer = elements(&side.link.received(phase), value);
        Ok(sum(&own, &peer))
    })
    .unwrap();
    model
}

/// The field elements of a frame, which stand last in it.
fn elements(frames: &[u8], value: Fr) -> Vec<Fr> {
    assert!(!frames.is_empty(), "nothing was opened of {value:?}");
    decode_scalars(&frames[frames.len() % 32..], "test").unwrap()
}

/// Chi-square statistic of bits `from..from + 4` against those of a uniform field element.
fn chi_square(values: &[Fr], from: usize) -> f64 {
    let nibble = |value: &Fr| {
        let bytes = value.to_repr();
        let part = bytes.as_ref()[from / 8] >> (from % 8);
        let next = bytes.as_ref().get(from / 8 + 1).copied().unwrap_or(0);
        usize::from((part | next.checked_shl(8 - from as u32 % 8).unwrap_or(0)) & 15)
    };
    // The order in units of 2^from; below 2^53 of its digits decide the distribution.
    let order = 21888242871839275222246405745257275088548364400416034343698204186575808495617f64
        / 2f64.powi(from as i32);
    let expected = |nibble: usize| {
        let whole = (order / 16.0).floor();
        let rest = (order - 16.0 * whole - nibble as f64).clamp(0.0, 1.0);
        (whole + rest) / order * values.len() as f64
    };
    let mut counts = [0f64; 16];
    values.iter().for_each(|value| counts[nibble(value)] += 1.0);
    let each = counts.iter().enumerate().map(|(i, count)| (count, expected(i)));
    each.map(|(count, mean)| match mean > 0.0 {
        true => (count - mean).powi(2) / mean,
        false if *count > 0.0 => f64::INFINITY,
        false => 0.0,
    })
    .sum()
}

/// The largest statistic of all four-bit positions of a field element.
fn worst(values: &[Fr]) -> (f64, usize) {
    assert!(values.len() >= OPENED);
    let each = (0..63).map(|i| (chi_square(values, 4 * i), 4 * i));
    each.chain([(chi_square(values, 250), 250)])
        .fold((0.0, 0), |worst, new| if new.0 > worst.0 { new } else { worst })
}

/// Openings are uniform over the whole field, whatever the value is: also far out of range, as a
/// peer that wants to see it would make it (a weight of `2^230` times an input is one).
#[test]
fn what_is_opened_is_uniform_whatever_the_value() {
    // 15 degrees of freedom: exceeded with probability 1e-9, of some 2,500 statistics.
    const LIMIT: f64 = 75.0;
    let two_to = |bits: u64| Fr::from(2).pow_vartime([bits]);
    let values = [
        Fr::ZERO,
        Fr::from(200),
        -Fr::from(255),
        -two_to(201),
        two_to(230) * Fr::from(77),
        two_to(253),
    ];
    let table = StaticTable { name: "t".into(), low: -255, values: (0..511).collect() };
    let hints = [
        (Hint::Decompose { base: 16, legs: 2 }, vec!["masked values", "masked digits"]),
        (Hint::Decompose { base: 10, legs: 2 }, vec!["masked digits"]),
        (Hint::DivideRound { divisor: 16 }, vec!["masked values", "masked digits"]),
        (Hint::DivideRound { divisor: 17 }, vec!["masked digits"]),
        (Hint::Table(table.into()), vec!["masked values"]),
        (Hint::Unit { low: -255, high: 255, chunk: 51 }, vec!["masked values"]),
        (Hint::NotNegative, vec!["masked values"]),
    ];
    for (hint, phases) in &hints {
        for phase in phases {
            for value in values {
                let sums = opened(Source::Ideal, hint, value, 8, phase);
                let (statistic, from) = worst(&sums);
                assert!(statistic < LIMIT, "{hint:?}, {value:?}, {phase}: {statistic} at {from}");
            }
            // The same test finds a missing mask. (A remainder by a divisor that is no power of two
            // is masked in the words beside.)
            if !matches!(hint, Hint::DivideRound { divisor: 17 } | Hint::Decompose { base: 10, .. })
            {
                let naked = opened(Source::NoMask, hint, Fr::ONE, 8, phase);
                assert!(worst(&naked).0 > 10.0 * LIMIT, "{hint:?}, {phase}");
            }
        }
    }
    let real = opened(Source::Inline, &hints[0].0, two_to(230), 8, "masked digits");
    assert!(worst(&real).0 < LIMIT);
}

#[test]
fn wrong_values_stay_hidden_and_are_claimed() {
    let legs = 2;
    let values = [1 << 14, -(1 << 14), 1 << 15, -(1 << 15), 99999, -(1 << 19) + 5, 3];
    let (model, data) = run(Source::Ideal, 8, |side| {
        let role = side.link.role();
        let inputs = operands(role, &values, |_| Kind::Shared, 20);
        let owned = operands(role, &[1 << 14], |_| Kind::Owned(Role::Data), 20);
        let decompose = Hint::Decompose { base: 128, legs };
        let column = Hint::Unit { low: 0, high: 99, chunk: 10 };
        let digits =
            side.hints(&[HintBatch { hint: decompose.clone(), inputs: &inputs, first_output: 0 }])?;
        let valid = side.hints.take_claims();
        side.hints(&[HintBatch { hint: column, inputs: &inputs, first_output: 100 }])?;
        let looked_up = side.hints.take_claims();
        side.hints(&[HintBatch { hint: decompose, inputs: &owned, first_output: 200 }])?;
        Ok((digits, valid, looked_up, side.hints.take_claims()))
    })
    .unwrap();
    let outputs = sum(&model.0[0], &data.0[0]);
    for (value, output) in values.iter().zip(outputs.chunks(3)) {
        let output: Vec<i128> = output.iter().filter_map(|v| signed_integer(*v)).collect();
        assert_eq!(output.len(), 3, "{value}");
        assert!((-1..=1).contains(&output[0]), "sign of {value}: {}", output[0]);
        assert!(output[1..].iter().all(|digit| (0..128).contains(digit)), "{value}: {output:?}");
        let recomposed = output[0] * (output[1] * 128 + output[2]);
        assert_eq!(recomposed == *value, value.abs() < 1 << 14);
    }
    let zero = |claims: Vec<Fr>| claims.iter().map(|c| bool::from(c.is_zero())).collect::<Vec<_>>();
    assert!(zero(sum(&model.1, &data.1)).into_iter().all(|zero| zero));
    let claims = zero(sum(&model.2, &data.2));
    assert_eq!(claims.len(), 2 * values.len() + 1);
    for (value, claims) in values.iter().zip(claims.chunks(2)) {
        assert_eq!(claims.iter().all(|zero| *zero), (0..100).contains(value), "{value}");
    }
    assert_eq!(zero(sum(&model.3, &data.3)), [false]);
}

#[test]
fn what_pairs_cannot_do_is_refused_before_anything_is_sent() {
    let refused = [
        (Hint::Decompose { base: (1 << 19) + 1, legs: 2 }, 20),
        (Hint::Decompose { base: 1 << 21, legs: 2 }, 20),
        (Hint::Decompose { base: 1, legs: 2 }, 20),
        (Hint::Decompose { base: 1 << 14, legs: 2 }, 254),
        (Hint::Decompose { base: 1 << 14, legs: 2 }, 185),
        (Hint::DivideRound { divisor: 524_309 }, 20),
        (Hint::DivideRound { divisor: 0 }, 20),
        (Hint::InverseOrZero, 7),
        (Hint::Inverse, 20),
        (Hint::IsZero, 254),
        (Hint::Unit { low: 0, high: 1 << 21, chunk: 99 }, 20),
        (Hint::unit((1 << 20) + 1), 20),
        (Hint::SquareRoot { factor: 1 }, 20),
    ];
    for (hint, bits) in refused {
        let result = run(Source::Inline, 1, |side| {
            let inputs = operands(side.link.role(), &[1], |_| Kind::Shared, bits);
            let result =
                side.hints(&[HintBatch { hint: hint.clone(), inputs: &inputs, first_output: 9 }]);
            assert!(side.link.frames().iter().all(|frame| frame.way != Way::Sent));
            result
        });
        match result {
            Err(PartyError::UnsupportedValue { wire: 9, .. }) => {}
            other => panic!("{hint:?}: {:?}", other.map(|_| ())),
        }
    }
}

/// Multiplicities against those of a single prover.
fn check_counts(
    side_columns: impl Fn(&mut Side) -> Result<Vec<Multiplicities>, PartyError> + Sync,
    arguments: &[LookupArgument],
    rows: usize,
) {
    let (model, data) = run(Source::Ideal, 4, |side| {
        let columns = side_columns(side)?;
        Ok((columns, side.hints.take_claims()))
    })
    .unwrap();
    let expected = Alone::new(Seed([0; 32])).multiplicities(arguments, rows).unwrap();
    for (i, expected) in expected.iter().enumerate() {
        let [model, data] = [&model.0[i], &data.0[i]];
        assert_eq!(sum(&model.shares, &data.shares), expected.shares.to_vec(), "argument {i}");
        for half in [model, data] {
            let limit = Fr::from(2).pow_vartime([u64::from(half.bits)]);
            for (row, share) in half.shares.iter().enumerate() {
                let zero = bool::from(share.is_zero());
                assert!(zero || half.kinds.assigned(row).is_some(), "argument {i}, row {row}");
                assert!(half.bits == 254 || (*share).min(-share) < limit);
            }
        }
    }
    assert_eq!(expected.len(), model.0.len());
    assert!(sum(&model.1, &data.1).iter().all(|claim| bool::from(claim.is_zero())));
}

fn plain(wire: u32, value: i128) -> LookupUse {
    let operand = |value| Operand { share: field(value), kind: Kind::Shared, bits: 40 };
    LookupUse { wire, operand: operand(value), column: None }
}

#[test]
fn digits_and_signs_are_counted() {
    let values = [0, 5, -5, 127, -16383, 300, 300];
    let hint = Hint::Decompose { base: 128, legs: 2 };
    // Wires 10.. are the outputs; the last value's are looked up twice.
    let mut wires: Vec<(u32, i128)> = Vec::new();
    for value in &values {
        let mut outputs = Vec::new();
        evaluate_hint(&hint, field(*value), &mut outputs).unwrap();
        wires.extend(
            (10 + wires.len() as u32..).zip(outputs.into_iter().filter_map(signed_integer)),
        );
    }
    wires.extend_from_within(wires.len() - 3..);
    let kind = |wire: u32| KINDS[(wire as usize - 10) / 3 % 4];
    fn argument(table: (i128, i128), uses: &[LookupUse]) -> LookupArgument<'_> {
        let (low, high) = table;
        LookupArgument { low, high, chunk: 200, column: 0, uses, defaults: 3, default_row: 199 }
    }
    let of = |sign: bool| wires.iter().filter(move |(w, _)| ((w - 10) % 3 == 0) == sign);
    let signs: Vec<_> = of(true).map(|&(wire, value)| plain(wire, value)).collect();
    let digits: Vec<_> = of(false).map(|&(wire, value)| plain(wire, value)).collect();
    let side_columns = |side: &mut Side| {
        let role = side.link.role();
        let inputs = operands(role, &values, |i| KINDS[i % 4], 14);
        let outputs =
            side.hints(&[HintBatch { hint: hint.clone(), inputs: &inputs, first_output: 10 }])?;
        let own = |uses: &[LookupUse]| -> Vec<LookupUse> {
            let each = uses.iter().map(|item| {
                let share = outputs[0][item.wire as usize - 10];
                let operand = Operand { share, kind: kind(item.wire), bits: 14 };
                LookupUse { operand, ..*item }
            });
            each.collect()
        };
        let (signs, digits) = (own(&signs), own(&digits));
        let before = side.link.traffic().sent;
        let arguments = [argument((-1, 1), &signs), argument((0, 127), &digits)];
        side.hints.prepare_lookups(&mut side.link, &arguments)?;
        let columns = side.hints.multiplicities(role, &arguments, 256);
        assert_eq!(side.link.traffic().sent, before, "nothing has to be sent");
        columns
    };
    check_counts(side_columns, &[argument((-1, 1), &signs), argument((0, 127), &digits)], 256);
}

#[test]
fn tables_of_several_columns_and_unknown_wires_are_counted() {
    let values = [-100, -50, -50, -49, 0, 77, 99, 100];
    fn arguments(uses: &[LookupUse]) -> Vec<LookupArgument<'_>> {
        let column = |column| LookupArgument {
            low: -100,
            high: 100,
            chunk: 51,
            column,
            uses,
            defaults: 2,
            default_row: if column == 1 { 0 } else { 60 },
        };
        (0..4).map(column).collect()
    }
    let uses: Vec<_> = (0..).zip(values).map(|(wire, value)| plain(wire, value)).collect();
    for with_hint in [true, false] {
        let side_columns = |side: &mut Side| {
            let role = side.link.role();
            let inputs = operands(role, &values, |i| KINDS[i % 4], 10);
            let hint = Hint::Unit { low: -100, high: 100, chunk: 51 };
            if with_hint {
                side.hints(&[HintBatch { hint, inputs: &inputs, first_output: 50 }])?;
            }
            let own: Vec<_> = (0..)
                .zip(&inputs)
                .map(|(wire, operand)| LookupUse {
                    wire,
                    operand: *operand,
                    column: Some(50 + 4 * wire),
                })
                .collect();
            let before = side.link.traffic().rounds;
            side.hints.prepare_lookups(&mut side.link, &arguments(&own))?;
            let columns = side.hints.multiplicities(role, &arguments(&own), 64);
            let rounds = side.link.traffic().rounds - before;
            assert_eq!(rounds, u64::from(!with_hint));
            columns
        };
        check_counts(side_columns, &arguments(&uses), 64);
    }
}

#[test]
fn values_outside_the_table_are_claimed() {
    for kind in KINDS {
        let (model, data) = run(Source::Ideal, 4, |side| {
            let mut rng = ChaCha20Rng::seed_from_u64(5);
            let mut operand = operand(side.link.role(), 3, kind, 8, &mut rng);
            if kind == Kind::Public {
                operand.share = Fr::from(3);
            }
            let uses = [LookupUse { wire: 1, operand, column: None }];
            let arguments = [LookupArgument {
                low: 0,
                high: 2,
                chunk: 3,
                column: 0,
                uses: &uses,
                defaults: 0,
                default_row: 0,
            }];
            side.hints.prepare_lookups(&mut side.link, &arguments)?;
            let claims = side.hints.take_claims();
            if kind == Kind::Public {
                let counted = side.hints.multiplicities(side.link.role(), &arguments, 8);
                assert!(matches!(counted, Err(PartyError::Invalid)), "both know");
            }
            Ok(claims)
        })
        .unwrap();
        let claims = sum(&model, &data);
        if kind == Kind::Public {
            continue;
        }
        assert!(claims.iter().any(|claim| !bool::from(claim.is_zero())), "{kind:?}");
    }
}
