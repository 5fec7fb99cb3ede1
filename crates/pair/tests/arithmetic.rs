//! Products, conversions and inverses between two parties against plain arithmetic (the ideal
//! functionality), for every combination of owners and several batch sizes.

use ff::Field;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::thread;
use twain_algebra::Fr;
use twain_link::channel::{Channel, memory_pair};
use twain_masks::InlineMaterial;
use twain_ole::{IdealOle, ideal_pair};
use twain_pair::TwoParty;
use twain_party::{
    Inverted, Kind, KnownPolynomial, Operand, PartyError, PartySeeds, ProverParty,
    QuotientOperands, Role, Seed, WireForm, WireTerm, WireValue, WitnessParty,
};

const KINDS: [Kind; 4] =
    [Kind::Public, Kind::Owned(Role::Model), Kind::Owned(Role::Data), Kind::Shared];

/// Runs both sides with an ideal OLE.
fn run<T: Send>(
    body: impl Fn(&mut TwoParty, Role) -> Result<T, PartyError> + Sync,
) -> (Result<T, PartyError>, Result<T, PartyError>) {
    let (mut model_end, mut data_end) = memory_pair([7; 32]);
    let (model_ole, data_ole) = ideal_pair(1);
    let side = |end: &mut dyn Channel, ole: IdealOle, x: u8| {
        let seeds = PartySeeds { blinding: Seed([x; 32]), protocol: Seed([x + 1; 32]) };
        let masks = InlineMaterial::new(ChaCha20Rng::from_seed([x; 32]));
        let role = end.role();
        body(&mut TwoParty::new(end, Box::new(ole), Box::new(masks), &seeds)?, role)
    };
    thread::scope(|scope| {
        let model = scope.spawn(|| side(&mut model_end, model_ole, 1));
        let data = scope.spawn(|| side(&mut data_end, data_ole, 3));
        (model.join().unwrap(), data.join().unwrap())
    })
}

/// A value split as its kind says. `public_at_both`: as the witness calls want it.
fn split(value: Fr, kind: Kind, mask: Fr, role: Role, public_at_both: bool) -> Operand {
    let share = match (kind, role) {
        (Kind::Public, Role::Data) if !public_at_both => Fr::ZERO,
        (Kind::Public, _) => value,
        (Kind::Owned(owner), _) => {
            if owner == role {
                value
            } else {
                Fr::ZERO
            }
        }
        (Kind::Shared, Role::Model) => mask,
        (Kind::Shared, Role::Data) => value - mask,
    };
    Operand { share, kind, bits: 254 }
}

fn values(seed: u64, count: usize) -> Vec<Fr> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let edges = [Fr::ONE, -Fr::ONE, Fr::from(2), -Fr::from(1 << 20)];
    (0..count).map(|i| if i % 3 == 0 { edges[i / 3 % 4] } else { Fr::random(&mut rng) }).collect()
}

/// Claims those that are shared; their shares are others then.
fn claim_shared(party: &mut TwoParty, wires: &mut [WireValue]) -> Result<(), PartyError> {
    let shared = wires.iter_mut().filter(|value| value.operand.kind == Kind::Shared);
    let mut shared: Vec<&mut WireValue> = shared.collect();
    let values: Vec<WireValue> = shared.iter().map(|value| **value).collect();
    let claimed = party.claim(&values)?;
    for (value, share) in shared.iter_mut().zip(claimed.iter()) {
        value.operand.share = *share;
    }
    Ok(())
}

fn add(model: &[Fr], data: &[Fr]) -> Vec<Fr> {
    model.iter().zip(data).map(|(m, d)| m + d).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn inner_products_of_all_owners(
        lengths in proptest::collection::vec(0usize..5, 0..40),
        kinds in proptest::collection::vec((0usize..4, 0usize..4), 200),
        seed: u64,
    ) {
        let total: usize = lengths.iter().sum();
        let ends: Vec<u32> = lengths.iter().scan(0, |end, l| { *end += *l as u32; Some(*end) }).collect();
        let (x, y, masks) = (values(seed, total), values(!seed, total), values(seed / 2, 2 * total));
        let (model, data) = run(|party, role| {
            let operands = |v: &[Fr], side: usize| -> Vec<Operand> {
                (0..total).map(|i| {
                    let kind = KINDS[if side == 0 { kinds[i % 200].0 } else { kinds[i % 200].1 }];
                    split(v[i], kind, masks[side * total + i], role, true)
                }).collect()
            };
            // Every factor is a wire of its own; what is owned by one side is claimed when it must
            // be.
            let wires = |first: u32, operands: Vec<Operand>| -> Vec<WireValue> {
                let numbered = (first..).zip(operands);
                numbered.map(|(wire, operand)| WireValue { wire, operand }).collect()
            };
            let mut left = wires(0, operands(&x, 0));
            let mut right = wires(1000, operands(&y, 1));
            claim_shared(party, &mut left)?;
            claim_shared(party, &mut right)?;
            let products = party.inner_products(&left, &right, &ends)?;
            // A second time, from the same masks and without a new opening.
            let again = party.inner_products(&left, &right, &ends)?;
            assert!(products == again);
            let operands = |of: &[WireValue]| of.iter().map(|value| value.operand).collect::<Vec<_>>();
            let plain = party.products_of_shares(&operands(&left), &operands(&right), &ends)?;
            Ok((products, plain))
        });
        let ((model, plain_model), (data, plain_data)) = (model.unwrap(), data.unwrap());
        prop_assert_eq!(add(&model, &data), add(&plain_model, &plain_data));
        let sums = add(&model, &data);
        let mut start = 0;
        for (sum, end) in sums.iter().zip(&ends) {
            let plain: Fr = (start..*end as usize).map(|i| x[i] * y[i]).sum();
            prop_assert_eq!(*sum, plain);
            start = *end as usize;
        }
    }

    #[test]
    fn factors_and_back_and_inverses(count in 0usize..60, kinds in proptest::collection::vec(0usize..4, 60), seed: u64) {
        let (x, masks, shifts) =
            (values(seed, count), values(!seed, count), values(seed / 3, count));
        let kinds: Vec<Kind> = kinds[..count].iter().map(|&k| KINDS[k]).collect();
        let (model, data) = run(|party, role| {
            let operand = |i: usize| split(x[i], kinds[i], masks[i], role, false);
            let operands: Vec<Operand> = (0..count).map(operand).collect();
            let numbered = (0..).zip(&operands);
            let mut wires: Vec<WireValue> =
                numbered.map(|(wire, operand)| WireValue { wire, operand: *operand }).collect();
            claim_shared(party, &mut wires)?;
            let multiples: Vec<u32> = (0..count as u32).rev().collect();
            let conversion = party.prepare_factors(&wires)?;
            let conversion = party.begin_factors(conversion, &shifts)?;
            // Steps of other operations in between.
            let inverted = |operand: &Operand| Inverted { operand: *operand, form: None };
            let inverted: Vec<Inverted> = operands.iter().map(inverted).collect();
            let inversion = party.begin_inverses(&inverted, &multiples, &operands)?;
            let factors = party.finish_factors(conversion)?;
            let additive = party.to_additive(factors.clone(), &kinds)?.to_vec();
            Ok((factors.to_vec(), additive, party.finish_inverses(inversion)?))
        });
        let ((mf, ma, mi), (df, da, di)) = (model.unwrap(), data.unwrap());
        for i in 0..count {
            let shifted = x[i] + shifts[i];
            prop_assert_eq!(mf[i] * df[i], shifted);
            prop_assert_eq!(ma[i] + da[i], shifted);
            prop_assert_eq!((mi[i] + di[i]) * x[i], Fr::ONE);
            let multiple = mi[count + i] + di[count + i];
            prop_assert_eq!(multiple * x[count - 1 - i], x[i]);
        }
    }

    /// Of what follows from wires, some of them twice, among values that do not.
    #[test]
    fn inverses_of_wires(
        count in 0usize..40,
        kinds in proptest::collection::vec(0usize..4, 40),
        seed: u64,
    ) {
        let [x, masks, by, offsets] =
            [seed, !seed, seed / 3, seed / 5].map(|seed| values(seed, count));
        let kinds: Vec<Kind> = kinds[..count].iter().map(|&k| KINDS[k]).collect();
        let inverted = |i: usize| x[i] * by[i] + offsets[i];
        // The same with the first wire, if it is secret and another one.
        let factor = Fr::from(3);
        let of_first = kinds.first().copied().unwrap_or(Kind::Public);
        let term = WireTerm { wire: 0, kind: of_first, factor };
        let first = |i: usize| (i > 0 && of_first != Kind::Public).then_some(term);
        let of_two = |i: usize| inverted(i) + first(i).map_or(Fr::ZERO, |_| factor * x[0]);
        let nonzero = |i| inverted(i) != Fr::ZERO && of_two(i) != Fr::ZERO && x[i] != Fr::ZERO;
        prop_assume!((0..count).all(nonzero));
        let (model, data) = run(|party, role| {
            let operand = |i: usize| split(x[i], kinds[i], masks[i], role, false);
            let numbered = (0..count).map(|i| WireValue { wire: i as u32, operand: operand(i) });
            let mut wires: Vec<WireValue> = numbered.collect();
            claim_shared(party, &mut wires)?;
            if matches!(of_first, Kind::Owned(_)) {
                party.claim(&wires[..1])?;
            }
            let mut all = Vec::new();
            for (i, WireValue { wire, operand }) in wires.iter().enumerate() {
                all.push(Inverted { operand: *operand, form: None });
                let first_term = WireTerm { wire: *wire, kind: operand.kind, factor: by[i] };
                let form = WireForm { offset: offsets[i], ..first_term.into() };
                if operand.kind == Kind::Shared {
                    // Its share is not looked at.
                    let unknown = Operand { share: Fr::ZERO, ..*operand };
                    all.extend([Inverted { operand: unknown, form: Some(form) }; 2]);
                    let form = Some(WireForm { second: first(i), ..form });
                    all.push(Inverted { operand: unknown, form });
                }
            }
            let multiples: Vec<u32> = (0..all.len() as u32).collect();
            let one = split(Fr::ONE, Kind::Owned(Role::Model), Fr::ZERO, role, false);
            let begun = party.begin_inverses(&all, &multiples, &vec![one; all.len()])?;
            party.finish_inverses(begun)
        });
        let sums = add(&model.unwrap(), &data.unwrap());
        let mut expected = Vec::new();
        for i in 0..count {
            expected.push(x[i].invert().unwrap());
            if kinds[i] == Kind::Shared {
                expected.extend([inverted(i).invert().unwrap(); 2]);
                expected.push(of_two(i).invert().unwrap());
            }
        }
        prop_assert_eq!(&sums[..expected.len()], &expected[..]);
        prop_assert_eq!(&sums[expected.len()..], &expected[..]);
    }
}

#[test]
fn the_validity_test_tells_zero_from_anything_else() {
    let shares = values(5, 7);
    for wrong in [None, Some(0), Some(6)] {
        let (model, data) = run(|party, role| {
            let mut own = shares.clone();
            if role == Role::Data {
                own.iter_mut().for_each(|v| *v = -*v);
                if let Some(i) = wrong {
                    own[i] += Fr::ONE;
                }
            }
            party.check_zero(&own).map(drop)
        });
        for result in [model, data] {
            match wrong {
                None => assert!(result.is_ok()),
                Some(_) => assert!(matches!(result, Err(PartyError::Ended))),
            }
        }
    }
}

/// `(a * b - c) + l * ((a + p) * (b * a - d) - e)` with `c`, `e` such that both vanish on the rows,
/// the second sum only on the usable ones, where `l` is not zero.
#[test]
fn the_quotient_is_that_of_the_sums() {
    use twain_algebra::{Domain, vector};
    use twain_party::{CellKinds, Node, Numerator, PublicPolynomial, SecretPolynomial};

    let (k, n, usable) = (5, 32usize, 26);
    let domain = Domain::new(k).unwrap();
    let [a, b, d, p] = [1, 2, 3, 4].map(|s| values(s, n));
    let active: Vec<Fr> = (0..n).map(|i| if i < usable { Fr::ONE } else { Fr::ZERO }).collect();
    let c: Vec<Fr> = (0..n).map(|i| a[i] * b[(i + 1) % n]).collect();
    let e: Vec<Fr> = (0..n).map(|i| (a[i] + p[i]) * (b[i] * a[i] - d[i])).collect();
    let e: Vec<Fr> =
        e.iter().enumerate().map(|(i, v)| if i < usable { *v } else { a[i] }).collect();
    let coefficients = |values: &[Fr]| {
        let mut values = values.to_vec();
        domain.intt(&mut values);
        values
    };
    let publics = [coefficients(&p), coefficients(&active)];
    let secrets = [a.clone(), b, c, d, e];
    let kinds = [
        Kind::Shared,
        Kind::Owned(Role::Data),
        Kind::Shared,
        Kind::Owned(Role::Model),
        Kind::Shared,
    ];
    let masks: Vec<Vec<Fr>> = (0..5).map(|i| values(10 + i, n)).collect();
    let public = |i| PublicPolynomial::Given(i);
    let numerator = Numerator {
        k,
        usable_rows: usable,
        nodes: vec![
            Node::Secret(0, 0),         // 0: a
            Node::Secret(1, 1),         // 1: b'
            Node::Product(0, 1),        // 2
            Node::Secret(2, 0),         // 3: c
            Node::Difference(2, 3),     // 4: a b' - c
            Node::Public(public(0), 0), // 5: p
            Node::Sum(0, 5),            // 6: a + p
            Node::Secret(1, 0),         // 7: b
            Node::Product(7, 0),        // 8
            Node::Secret(3, 0),         // 9: d
            Node::Difference(8, 9),     // 10: b a - d
            Node::Secret(4, 0),         // 11: e
            Node::Constant(-Fr::ONE),   // 12
            Node::InnerProduct {
                terms: vec![(Fr::ONE, 6, 10), (Fr::ONE, 12, 11)],
                vanishes_on_active_rows: true,
            }, // 13
            Node::Public(public(1), 0), // 14: l
            Node::Product(14, 13),      // 15
            Node::Sum(4, 15),           // 16
        ],
    };
    let publics =
        publics.each_ref().map(|coefficients| KnownPolynomial { coefficients, cosets: &[] });
    let (model, data) = run(|party, role| {
        let columns: Vec<(Vec<Fr>, CellKinds)> = (0..5)
            .map(|i| {
                let share =
                    |row: usize| split(secrets[i][row], kinds[i], masks[i][row], role, false).share;
                (coefficients(&(0..n).map(share).collect::<Vec<_>>()), CellKinds::Uniform(kinds[i]))
            })
            .collect();
        let columns: Vec<SecretPolynomial> = columns
            .iter()
            .map(|(coefficients, kinds)| SecretPolynomial { coefficients, kinds, wires: &[] })
            .collect();
        let mut any = numerator.clone();
        any.nodes[12] = Node::Constant(Fr::from(5));
        let operands = QuotientOperands { publics: publics.to_vec(), secrets: columns, pieces: 4 };
        let begun = party.begin_quotient(&any, operands)?;
        party.finish_quotient(begun, &numerator)
    });
    let (model, data) = (model.unwrap(), data.unwrap());
    let point = Fr::from(12345);
    let at = |values: &[Fr], x: Fr| vector::eval_polynomial(&coefficients(values), x);
    let [av, bv, cv, dv, ev] = [0, 1, 2, 3, 4].map(|i| at(&secrets[i], point));
    let rotated = at(&secrets[1], domain.rotate(point, 1));
    let whole =
        av * rotated - cv + at(&active, point) * ((av + at(&p, point)) * (bv * av - dv) - ev);
    let vanishing = point.pow_vartime([n as u64]) - Fr::ONE;
    let quotient = model.iter().zip(&data).rev().fold(Fr::ZERO, |sum, (m, d)| {
        let piece = vector::eval_polynomial(m, point) + vector::eval_polynomial(d, point);
        sum * (vanishing + Fr::ONE) + piece
    });
    assert_eq!(quotient * vanishing, whole);
}

/// A gate of degree 6, as Poseidon's: powers of a sum, one product upon another.
#[test]
fn the_quotient_of_a_fifth_power() {
    use twain_algebra::{Domain, vector};
    use twain_party::{CellKinds, Node, Numerator, PublicPolynomial, SecretPolynomial};

    let (k, n) = (4, 16usize);
    let domain = Domain::new(k).unwrap();
    let [a, p] = [1, 2].map(|s| values(s, n));
    let power = |row: usize| (a[row] + p[row]).pow_vartime([5]);
    let secrets = [a.clone(), (0..n).map(power).collect()];
    let coefficients = |values: &[Fr]| {
        let mut values = values.to_vec();
        domain.intt(&mut values);
        values
    };
    let public = coefficients(&p);
    let numerator = Numerator {
        k,
        usable_rows: n,
        nodes: vec![
            Node::Secret(0, 0),                          // 0: a
            Node::Public(PublicPolynomial::Given(0), 0), // 1: p
            Node::Sum(0, 1),                             // 2: a + p
            Node::Product(2, 2),                         // 3
            Node::Product(3, 3),                         // 4
            Node::Product(2, 4),                         // 5: (a + p)^5
            Node::Secret(1, 0),                          // 6: b
            Node::Difference(5, 6),                      // 7
            Node::Product(1, 7),                         // 8
        ],
    };
    let masks: Vec<Vec<Fr>> = (0..2).map(|i| values(10 + i, n)).collect();
    let (model, data) = run(|party, role| {
        let columns: Vec<Vec<Fr>> = (0..2)
            .map(|i| {
                let share = |row: usize| {
                    split(secrets[i][row], Kind::Shared, masks[i][row], role, false).share
                };
                coefficients(&(0..n).map(share).collect::<Vec<_>>())
            })
            .collect();
        let kinds = CellKinds::Uniform(Kind::Shared);
        let columns: Vec<SecretPolynomial> = columns
            .iter()
            .map(|coefficients| SecretPolynomial { coefficients, kinds: &kinds, wires: &[] })
            .collect();
        let publics = vec![KnownPolynomial { coefficients: &public, cosets: &[] }];
        let operands = QuotientOperands { publics, secrets: columns, pieces: 5 };
        let begun = party.begin_quotient(&numerator, operands)?;
        party.finish_quotient(begun, &numerator)
    });
    let (model, data) = (model.unwrap(), data.unwrap());
    let point = Fr::from(12345);
    let at = |values: &[Fr]| vector::eval_polynomial(&coefficients(values), point);
    let whole = at(&p) * ((at(&a) + at(&p)).pow_vartime([5]) - at(&secrets[1]));
    let vanishing = point.pow_vartime([n as u64]) - Fr::ONE;
    let quotient = model.iter().zip(&data).rev().fold(Fr::ZERO, |sum, (m, d)| {
        let piece = vector::eval_polynomial(m, point) + vector::eval_polynomial(d, point);
        sum * (vanishing + Fr::ONE) + piece
    });
    assert_eq!(quotient * vanishing, whole);
}
