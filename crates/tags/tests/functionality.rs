//! Each protocol computes what it should, over ideal tags and products.

mod common;

use common::*;
use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use twain_algebra::{Domain, Fr};
use twain_link::channel::{Channel, MemoryChannel, Recorder, memory_pair};
use twain_ole::BgvOle;
use twain_party::{CellKinds, Kind, Role};
use twain_tags::{
    Demand, Denominator, MaskColumn, Preprocessing, Public, RingTags, Tagged, TaggedVector,
};

#[test]
fn all_of_it_gives_what_it_should() {
    let secrets = [Fr::from(5), Fr::from(7)];
    let [model, data] = succeed(run(ends(1), |channel, end| everything(channel, end, secrets)));
    assert_eq!(model, data);
    assert_eq!(model[..3], [144, 5, 7].map(|x| Public(Fr::from(x))));
}

/// The same over ring-LWE encryption, where it can be seen that every coin is shown after what it
/// tests.
#[test]
fn so_it_does_over_encryption_with_coins_in_their_places() {
    let ends = ends(1).map(|mut end| {
        let rng = |purpose| ChaCha20Rng::seed_from_u64(10 * end.role as u64 + purpose);
        end.tags = Box::new(RingTags::new(rng(1)));
        end.ole = Box::new(BgvOle::new(rng(2)));
        end
    });
    let secrets = [Fr::from(5), Fr::from(7)];
    let (model, data) = memory_pair([7; 32]);
    let links = (Recorder::new(model), Recorder::new(data));
    let side = |mut channel: Recorder<MemoryChannel>, end: End| {
        let opened = everything(&mut channel, end, secrets)?;
        let mut phases: Vec<&str> = channel.frames().iter().map(|frame| frame.phase).collect();
        phases.dedup();
        Ok((opened, phases))
    };
    let coin = "coins of tags";
    for (opened, phases) in succeed(run_over(links, ends, side)) {
        assert_eq!(opened[..3], [144, 5, 7].map(|x| Public(Fr::from(x))));
        let triples = ["triples", "tags", coin, "check of triples"];
        let columns = ["tags", "product columns", "tags", coin, "tags", coin];
        let expected = [
            &[coin, "tags", coin, "equal keys", "tags"][..],
            &triples,
            &columns,
            &["tagged products", "random multiples", "zero test"],
            &triples,
            &[coin, "audit of tags", "tagged inputs", coin, "proof about own values"],
            &[coin, "proof about own values"],
            &["tagged products", "everything", "random multiples", "zero test"],
            &["random multiples", "zero test", "inverses of lookups", "everything"],
        ];
        assert_eq!(phases, expected.concat());
    }
}

/// Linear operations, products and openings of values of every owner.
#[test]
fn linear_operations_and_products_are_those_of_the_field() {
    let inputs = [scalars(1, 2), scalars(2, 2)];
    let demand = Demand { triple_batches: 1, ..Demand::default() };
    let side = |channel: &mut dyn Channel, mut end: End| {
        let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
        stage.spares(channel, 3, 3)?;
        let triples = stage.triples(channel, &mut *end.ole, 4)?;
        let mut audited = stage.audit(channel)?;
        let [m, d] = audited.input(channel, &inputs[end.role as usize], 2)?;
        let side = audited.side();
        let shared = &(&m.get(0) * Public(Fr::from(3))) - &d.get(0);
        let values = [
            m.get(0),
            d.get(0),
            shared.clone(),
            &shared + &side.public(Public(Fr::from(9)), Kind::Shared),
        ];
        let pairs: Vec<(Tagged, Tagged)> = values
            .iter()
            .zip([&values[1], &values[1], &values[2], &values[0]])
            .map(|(x, y)| (x.clone(), y.clone()))
            .collect();
        let mut all: Vec<Tagged> = side.multiply(channel, &pairs, triples)?;
        all.extend(values);
        for owner in [Role::Model, Role::Data] {
            let of = if owner == Role::Model { &m } else { &d };
            all.push(&-&of.get(1) + &side.public(Public(Fr::ONE), Kind::Owned(owner)));
        }
        side.open(channel, "test", &all)
    };
    let [model, data] = succeed(run(ends(2), side));
    assert_eq!(model, data);
    let (m, d) = (inputs[0][0], inputs[1][0]);
    let shared = m * Fr::from(3) - d;
    let values = [m, d, shared, shared + Fr::from(9)];
    let mut expected = vec![m * d, d * d, shared * shared, values[3] * m];
    expected.extend(values);
    expected.extend([Fr::ONE - inputs[0][1], Fr::ONE - inputs[1][1]]);
    assert_eq!(model, expected.into_iter().map(Public).collect::<Vec<_>>());
}

/// None, one, and one block more or less of everything; as many on either side, or not.
#[test]
fn any_number_of_values_is_tagged_and_given() {
    let demand = Demand { triple_batches: 1, ..Demand::default() };
    for (of_model, of_data) in [(0, 0), (1, 0), (0, 1), (1, 1), (15, 17), (16, 16), (33, 2)] {
        let numbers = |role: Role| match role {
            Role::Model => of_model,
            Role::Data => of_data,
        };
        let side = |channel: &mut dyn Channel, mut end: End| {
            let (own, theirs) = (numbers(end.role), numbers(end.role.other()));
            let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
            let values = scalars(end.role as u64, own);
            let tagged = stage.tag(channel, &values, theirs)?;
            stage.spares(channel, own + 1, theirs + 1)?;
            let triples = stage.triples(channel, &mut *end.ole, own.min(theirs))?;
            let mut audited = stage.audit(channel)?;
            // Each side's inputs are the values it had tagged.
            let given = audited.input(channel, &values, theirs)?;
            assert!(given.each_ref().map(|half| half.len()) == [of_model, of_data]);
            let side = audited.side();
            let [tagged, input] = [&tagged, &given].map(|[model, data]| {
                let [model, data] = [model, data].map(|half| half.to_vector());
                model.iter().chain(data.iter()).collect::<Vec<Tagged>>()
            });
            let difference: Vec<Tagged> = tagged.iter().zip(&input).map(|(a, b)| a - b).collect();
            let pairs = tagged.iter().zip(&input).take(triples.len());
            let pairs: Vec<_> = pairs.map(|(a, b)| (a.clone(), b.clone())).collect();
            let products = side.multiply(channel, &pairs, triples)?;
            Ok([difference, tagged, products].map(|values| side.open(channel, "test", &values)))
        };
        let [model, data] = succeed(run(ends(3), side));
        let [model, data] = [model, data].map(|lists| lists.map(|list| list.unwrap()));
        assert_eq!(model, data);
        assert!(model[0].iter().all(|difference| difference.0 == Fr::ZERO));
        let values = [scalars(0, of_model), scalars(1, of_data)].concat();
        assert_eq!(model[1], values.iter().map(|x| Public(*x)).collect::<Vec<_>>());
        for (product, x) in model[2].iter().zip(&values) {
            assert_eq!(product.0, x.square());
        }
    }
}

fn opened(
    side: &mut twain_tags::Side,
    channel: &mut dyn Channel,
    values: &TaggedVector,
) -> Vec<Fr> {
    let values: Vec<Tagged> = values.iter().collect();
    side.open(channel, "test", &values).unwrap().into_iter().map(|value| value.0).collect()
}

/// Products of columns on few and more rows, and of any number of looked-up wires; the coset's
/// shares belong to the products of the columns' polynomials.
#[test]
fn product_columns_are_products() {
    let demand = Demand { triple_batches: 1, column_batches: 1, ..Demand::default() };
    for (k, wires) in [(0, 0), (0, 1), (1, 0), (2, 3), (2, 4), (2, 5), (5, 1)] {
        let side = |channel: &mut dyn Channel, mut end: End| {
            let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
            stage.spares(channel, 1, 1)?;
            let (columns, looked_up, mut checked) =
                pairs(&mut stage, channel, &mut *end.ole, k, wires)?;
            let mut audited = stage.audit(channel)?;
            let side = audited.side();
            let columns: Vec<Vec<Fr>> = columns
                .iter()
                .map(|MaskColumn { masks, .. }| opened(side, channel, masks))
                .collect();
            let rows: Vec<Vec<Fr>> =
                checked.rows().iter().map(|rows| opened(side, channel, rows)).collect();
            let f = opened(side, channel, &looked_up.masks);
            let summands = scalars(8, wires);
            let inverses =
                side.inverses(channel, lookups(&mut checked), &denominators(&summands))?;
            assert!(checked.take_lookups().is_empty());
            let inverses = opened(side, channel, &inverses.into_iter().collect());
            assert!((0..wires).all(|i| (f[i] + summands[i]) * inverses[i] == Fr::ONE));
            // What is left over are triples.
            let triples = checked.take_triples();
            assert!(checked.take_triples().is_empty());
            let ones: Vec<_> =
                triples.iter().map(|_| (looked_up.masks.get(0), looked_up.masks.get(0))).collect();
            let squares = side.multiply(channel, &ones, triples)?;
            let squares = opened(side, channel, &squares.into_iter().collect());
            assert!(squares.iter().all(|square| *square == f[0].square()));
            Ok((columns, rows, checked.coset().to_vec(), squares.len()))
        };
        let [(columns, rows, model, left), (.., data, _)] = succeed(run(ends(4), side));
        let n = 1 << k;
        assert_eq!(left, wires.div_ceil(n) * n - wires);
        let domain = Domain::new(k).unwrap();
        let on_coset = |column: &Vec<Fr>| {
            let mut values = column.clone();
            domain.intt(&mut values);
            domain.coset_ntt(&values, twain_algebra::domain::ZETA)
        };
        for ((x, y), (k, rows)) in PAIRS.into_iter().zip(rows.iter().enumerate()) {
            let (x, y) = (&columns[x], &columns[y]);
            assert!((0..n).all(|row| x[row] * y[row] == rows[row]));
            let (x, y) = (on_coset(x), on_coset(y));
            assert!((0..n).all(|i| x[i] * y[i] == model[k][i] + data[k][i]));
        }
    }
}

/// A true statement passes and a false one does not, for degrees 2, 4 and 5 and any number of rows.
#[test]
fn proofs_hold_for_what_is_so() {
    struct Power(usize);
    impl twain_tags::Relation for Power {
        fn degree(&self) -> usize {
            self.0
        }
        /// `(x + 1)^d = y`, and `2x - x - x`, whose degree is 1.
        fn evaluate<T: twain_tags::Term>(&self, values: &[T]) -> Vec<T> {
            let x = values[0].shifted(Fr::ONE);
            let power = (1..self.0).fold(x.clone(), |power, _| power.times(&x));
            let zero = values[0].scaled(Fr::from(2)).minus(&values[0]).minus(&values[0]);
            vec![power.minus(&values[1]), zero]
        }
    }
    let demand = Demand { challenges: vec!["proof"; 2], ..Demand::default() };
    for (degree, rows, error) in [
        (1, 2, 0),
        (2, 0, 0),
        (2, 1, 0),
        (4, 3, 0),
        (5, 17, 0),
        (1, 1, 1),
        (2, 1, 1),
        (4, 3, 1),
        (5, 17, 1),
    ] {
        let side = |channel: &mut dyn Channel, end: End| {
            let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
            stage.spares(channel, 2 * rows + degree, 2 * rows + degree)?;
            let mut audited = stage.audit(channel)?;
            let x = scalars(9, rows);
            let power = |x: &Fr| (*x + Fr::ONE).pow_vartime([degree as u64]);
            let mut own: Vec<Fr> = x.iter().flat_map(|x| [*x, power(x)]).collect();
            if let Some(last) = own.last_mut() {
                *last += Fr::from(error);
            }
            let [values, _] = match end.role {
                Role::Model => audited.input(channel, &own, 0)?,
                Role::Data => audited.input(channel, &[], own.len())?,
            };
            let rows: Vec<Vec<Tagged>> =
                (0..rows).map(|i| vec![values.get(2 * i), values.get(2 * i + 1)]).collect();
            let challenge = audited.challenge(channel, "proof")?;
            audited.prove(channel, Role::Model, &Power(degree), &rows, challenge)
        };
        let [model, data] = run(ends(5), side);
        model.unwrap();
        assert_eq!(data.is_ok(), error == 0, "degree {degree}, {rows} rows, {error} added");
    }
}

/// A challenge from before the values it is to test is refused, on both sides and without a
/// message, whether they are inputs or opened, to both or to one; for a proof and for a test of the
/// caller's.
#[test]
fn a_challenge_comes_after_what_it_tests() {
    let demand = Demand { challenges: vec!["proof"], ..Demand::default() };
    for (step, of_caller) in (0..4).flat_map(|step| [(step, false), (step, true)]) {
        let side = |mut channel: Recorder<MemoryChannel>, end: End| {
            let mut stage = Preprocessing::begin(&mut channel, end.tags, &demand, end.rng)?;
            stage.spares(&mut channel, 20, 20)?;
            let mut audited = stage.audit(&mut channel)?;
            let row = powers_row(Fr::from(2), Fr::from(3));
            let [values, _] = audited.input(&mut channel, &row, 4)?;
            let row: Vec<Tagged> = (0..4).map(|i| values.get(i)).collect();
            let challenge = audited.challenge(&mut channel, "proof")?;
            match step {
                0 => drop(audited.input(&mut channel, &[Fr::ONE], 1)?),
                1 => drop(audited.side().open(&mut channel, "test", &row)?),
                2 => drop(audited.side().open_part(&mut channel, "test", Role::Model, &row)?),
                _ => {}
            }
            let frames = channel.frames().len();
            let before = audited.side().failure().log2_without_search();
            let result = match of_caller {
                true => audited.side().weigh(challenge, 1 << 20).map(drop),
                false => audited.prove(&mut channel, Role::Model, &Powers, &[row], challenge),
            };
            assert_eq!(result.is_ok(), step == 3);
            if step < 3 {
                assert!(matches!(result, Err(twain_party::PartyError::Bug(_))));
                assert_eq!(channel.frames().len(), frames);
            } else {
                assert!(audited.side().failure().log2_without_search() > before, "it is counted");
            }
            Ok(())
        };
        let (model, data) = memory_pair([7; 32]);
        succeed(run_over((Recorder::new(model), Recorder::new(data)), ends(6), side));
    }
}

/// What a proof is about has no part of the other side: it would prove a share of it. Either side
/// refuses, without a message.
#[test]
fn a_proof_is_about_values_of_one_side() {
    let demand = Demand { challenges: vec!["proof"], ..Demand::default() };
    let side = |channel: &mut dyn Channel, end: End| {
        let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
        stage.spares(channel, 9, 9)?;
        let mut audited = stage.audit(channel)?;
        let values = audited.input(channel, &powers_row(Fr::from(2), Fr::from(3)), 4)?;
        let challenge = audited.challenge(channel, "proof")?;
        let [own, theirs] = values.each_ref().map(|half| half.to_vector());
        let row: Vec<Tagged> = (0..4)
            .map(|i| if i == 3 { &own.get(3) + &theirs.get(3) } else { own.get(i) })
            .collect();
        audited.prove(channel, Role::Model, &Powers, &[row], challenge)
    };
    for result in run(ends(6), side) {
        assert!(matches!(result, Err(twain_party::PartyError::Bug(_))));
    }
}

/// Lists of tuples, with more and fewer than there are rows, of which components may be public: one
/// inverse of a combination for each tuple, and triples of what is left over.
#[test]
fn tuples_of_masks_have_one_inverse() {
    let demand = Demand { triple_batches: 1, column_batches: 1, ..Demand::default() };
    let domain = Domain::new(1).expect("few rows");
    let side = |channel: &mut dyn Channel, mut end: End| {
        let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
        stage.spares(channel, 1, 1)?;
        let mut shared = |seed: u64, count| {
            let masks = stage.tag_shares(channel, &scalars(seed + end.role as u64, count))?;
            let kinds = CellKinds::Uniform(Kind::Shared);
            Ok::<_, twain_party::PartyError>(MaskColumn { masks, kinds })
        };
        let pairs = [shared(10, 3)?, shared(20, 3)?];
        let public = MaskColumn {
            masks: (0..3).map(|_| Tagged::zero()).collect(),
            kinds: CellKinds::Rows(vec![None; 3]),
        };
        let (first, second, none) = ([shared(30, 3)?, public], [shared(40, 1)?], []);
        let request = twain_tags::ProductColumns {
            domain: &domain,
            columns: &[],
            pairs: &[],
            looked_up: &[&pairs, &first, &none, &second],
        };
        let triples = stage.triples(channel, &mut *end.ole, request.triples())?;
        let mut checked = stage.product_columns(channel, &mut *end.ole, &request, triples)?;
        let mut audited = stage.audit(channel)?;
        let side = audited.side();
        // Three tuples fill two blocks of two rows, twice, and one tuple half of one.
        assert_eq!(checked.take_triples().len(), 3);
        let [of_pairs, of_first, of_none, of_second] =
            <[_; 4]>::try_from(checked.take_lookups()).ok().expect("as many as were asked for");
        assert!(of_none.is_empty());
        for (columns, lookups) in [(&pairs[..], of_pairs), (&first, of_first), (&second, of_second)]
        {
            let count = columns[0].masks.len();
            let values: Vec<Vec<Fr>> =
                columns.iter().map(|column| opened(side, channel, &column.masks)).collect();
            let weights: Vec<Vec<Fr>> =
                (0..count).map(|i| scalars(50 + i as u64, columns.len() + 1)).collect();
            let wanted: Vec<Denominator> = weights
                .iter()
                .map(|w| Denominator { weights: w[1..].to_vec(), summand: w[0] })
                .collect();
            let inverses = side.inverses(channel, lookups, &wanted)?;
            let inverses = opened(side, channel, &inverses.into_iter().collect());
            for (i, inverse) in inverses.into_iter().enumerate() {
                let terms = values.iter().zip(&weights[i][1..]).map(|(values, w)| values[i] * w);
                assert_eq!(inverse * (weights[i][0] + terms.sum::<Fr>()), Fr::ONE);
            }
        }
        Ok(())
    };
    succeed(run(ends(9), side));
}

/// A number that has no inverse ends the session.
#[test]
fn nothing_is_divided_by_zero() {
    let demand = Demand { triple_batches: 1, column_batches: 1, ..Demand::default() };
    let side = |channel: &mut dyn Channel, mut end: End| {
        let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
        let (_, looked_up, mut checked) = pairs(&mut stage, channel, &mut *end.ole, 0, 1)?;
        let f = opened(stage.side(), channel, &looked_up.masks);
        let lookups = lookups(&mut checked);
        stage.side().inverses(channel, lookups, &denominators(&[-f[0]])).map(drop)
    };
    for result in run(ends(6), side) {
        assert!(matches!(result, Err(twain_party::PartyError::Ended)));
    }
}

/// After a proof that was false there is no other try, with another coin or another step, and
/// nothing is sent: the object gives only the end. So it is while tags are made.
#[test]
fn after_a_failed_check_there_is_nothing() {
    let demand = Demand { challenges: vec!["proof"; 3], triple_batches: 2, ..Demand::default() };
    let side = |mut channel: Recorder<MemoryChannel>, mut end: End| {
        let role = end.role;
        let mut stage = Preprocessing::begin(&mut channel, end.tags, &demand, end.rng)?;
        stage.spares(&mut channel, 30, 30)?;
        let mut triples = stage.triples(&mut channel, &mut *end.ole, 2)?;
        let mut audited = stage.audit(&mut channel)?;
        let false_row = [2, 3, 5, 32].map(Fr::from);
        let [row, _] = audited.input(&mut channel, &false_row, 4)?;
        let row: Vec<Tagged> = (0..4).map(|i| row.get(i)).collect();
        let challenge = audited.challenge(&mut channel, "proof")?;
        let another = audited.challenge(&mut channel, "proof")?;
        let rows = [row.clone()];
        let proof = audited.prove(&mut channel, Role::Model, &Powers, &rows, challenge);
        assert_eq!(proof.is_ok(), role == Role::Model);
        if role == Role::Model {
            return Ok(());
        }
        let frames = channel.frames().len();
        let channel = &mut channel;
        let mut ends = vec![
            proof.err(),
            audited.input(channel, &[], 0).err(),
            audited.challenge(channel, "proof").err(),
            audited.prove(channel, Role::Model, &Powers, &[], another).err(),
        ];
        let side = audited.side();
        ends.extend([
            side.open(channel, "test", &[]).err(),
            side.open_part(channel, "test", Role::Data, &row).err(),
            side.zero_test(channel, &row[0], triples.pop().expect("two")).err(),
            side.multiply(channel, &[(row[0].clone(), row[1].clone())], triples).err(),
            side.inverses(channel, Vec::new(), &[]).err(),
        ]);
        for (i, end) in ends.iter().enumerate() {
            assert!(matches!(end, Some(twain_party::PartyError::Ended)), "step {i}: {end:?}");
        }
        assert_eq!(channel.frames().len(), frames);
        Ok(())
    };
    let (model, data) = memory_pair([7; 32]);
    succeed(run_over((Recorder::new(model), Recorder::new(data)), ends(6), side));

    // Both make the same mistake: they have not asked for the coin of a second batch.
    let demand = Demand { triple_batches: 1, ..Demand::default() };
    let side = |channel: &mut dyn Channel, mut end: End| {
        let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
        stage.spares(channel, 30, 30)?;
        stage.triples(channel, &mut *end.ole, 2)?;
        let second = stage.triples(channel, &mut *end.ole, 2).err();
        assert!(matches!(second, Some(twain_party::PartyError::Bug(_))));
        let domain = Domain::new(0).expect("a row");
        let masks = TaggedVector::default();
        let looked_up = MaskColumn { masks, kinds: twain_party::CellKinds::Uniform(Kind::Shared) };
        let request = twain_tags::ProductColumns {
            domain: &domain,
            columns: &[],
            pairs: &[],
            looked_up: &[std::slice::from_ref(&looked_up)],
        };
        let ends = [
            stage.tag(channel, &[], 0).err(),
            stage.spares(channel, 1, 1).err(),
            stage.triples(channel, &mut *end.ole, 0).err(),
            stage.product_columns(channel, &mut *end.ole, &request, Vec::new()).err(),
            stage.side().open(channel, "test", &[]).err(),
            stage.audit(channel).err(),
        ];
        for (i, end) in ends.iter().enumerate() {
            assert!(matches!(end, Some(twain_party::PartyError::Ended)), "step {i}: {end:?}");
        }
        Ok(())
    };
    succeed(run(ends(6), side));
}

/// Two stages of one session share no hash: with the same randomness in both, commitments to coins
/// and ring keys are others.
#[test]
fn stages_of_one_session_are_told_apart() {
    let begun = |instance| {
        let ends = ends(1).map(|mut end| {
            end.tags = Box::new(RingTags::new(ChaCha20Rng::seed_from_u64(end.role as u64)));
            end
        });
        let demand = Demand { instance, ..Demand::default() };
        let side = |mut channel: Recorder<MemoryChannel>, end: End| {
            Preprocessing::begin(&mut channel, end.tags, &demand, end.rng)?;
            Ok(channel.frames().to_vec())
        };
        let (model, data) = memory_pair([7; 32]);
        succeed(run_over((Recorder::new(model), Recorder::new(data)), ends, side))
    };
    let [first, second] = [begun(0), begun(1)];
    assert!(first == begun(0));
    for (first, second) in first.iter().zip(&second) {
        // Both sides' coins, ring keys and encryptions.
        assert!((0..6).all(|i| first[i].bytes != second[i].bytes));
    }
}

/// Two errors that cancel but for their weights are found: in one row and in two.
#[test]
fn errors_in_a_proof_do_not_cancel() {
    let demand = Demand { challenges: vec!["proof"], ..Demand::default() };
    for places in [[2, 3], [2, 6]] {
        let side = |channel: &mut dyn Channel, end: End| {
            let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
            stage.spares(channel, 16, 16)?;
            let mut audited = stage.audit(channel)?;
            let mut own = [powers_row(Fr::from(2), Fr::from(3)); 2].concat();
            own[places[0]] += Fr::ONE;
            own[places[1]] -= Fr::ONE;
            let [values, _] = audited.input(channel, &own, 8)?;
            let rows = [0, 4].map(|first| (first..first + 4).map(|i| values.get(i)).collect());
            let challenge = audited.challenge(channel, "proof")?;
            audited.prove(channel, Role::Model, &Powers, &rows, challenge)
        };
        let [model, data] = run(ends(6), side);
        model.unwrap();
        assert!(matches!(data, Err(twain_party::PartyError::Ended)), "{places:?}");
    }
}
