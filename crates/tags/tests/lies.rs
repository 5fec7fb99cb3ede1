//! A peer that lies in a consistent way, where a changed frame is not enough: about what it has
//! tagged, what it multiplies, and what its key is. Each ends the session, and would not if the
//! check were not there (`cargo xtask mutants`).

mod common;

use common::*;
use twain_algebra::{Domain, Fr};
use twain_link::channel::Channel;
use twain_ole::{OleGroup, OleSource};
use twain_party::{CellKinds, Kind, PartyError, Role};
use twain_tags::{Correlation, Demand, Key, MaskColumn, Preprocessing, ProductColumns, TagSource};

/// A source of tags in whose call number `call` something is changed.
struct LyingTags<F> {
    inner: Box<dyn TagSource>,
    calls: usize,
    lie: F,
}

/// What a lie sees and changes: the number of the call, the values that are tagged, and what comes
/// of it.
trait TagLie: FnMut(usize, &mut Vec<Fr>, Option<&mut Correlation>) + Send {}
impl<F: FnMut(usize, &mut Vec<Fr>, Option<&mut Correlation>) + Send> TagLie for F {}

impl<F: TagLie> TagSource for LyingTags<F> {
    fn begin(&mut self, channel: &mut dyn Channel, session: [u8; 32]) -> Result<Key, PartyError> {
        self.inner.begin(channel, session)
    }

    fn block(&self) -> usize {
        self.inner.block()
    }

    fn tag(
        &mut self,
        channel: &mut dyn Channel,
        own: &[Fr],
        theirs: usize,
    ) -> Result<Correlation, PartyError> {
        let mut own = own.to_vec();
        (self.lie)(self.calls, &mut own, None);
        let mut made = self.inner.tag(channel, &own, theirs)?;
        (self.lie)(self.calls, &mut own, Some(&mut made));
        self.calls += 1;
        Ok(made)
    }
}

/// A source of products to which other operands are given, or whose results are changed.
struct LyingOle<F> {
    inner: Box<dyn OleSource>,
    calls: usize,
    lie: F,
}

/// The number of the call, the operands, and the results when they are there.
trait OleLie: FnMut(usize, &mut Vec<Vec<Fr>>, Option<&mut Vec<Vec<Fr>>>) + Send {}
impl<F: FnMut(usize, &mut Vec<Vec<Fr>>, Option<&mut Vec<Vec<Fr>>>) + Send> OleLie for F {}

impl<F: OleLie> OleSource for LyingOle<F> {
    fn inner_products(
        &mut self,
        channel: &mut dyn Channel,
        phase: &'static str,
        operands: &[&[Fr]],
        groups: &[OleGroup],
    ) -> Result<Vec<Vec<Fr>>, PartyError> {
        let mut operands: Vec<Vec<Fr>> = operands.iter().map(|operand| operand.to_vec()).collect();
        (self.lie)(self.calls, &mut operands, None);
        let slices: Vec<&[Fr]> = operands.iter().map(Vec::as_slice).collect();
        let mut made = self.inner.inner_products(channel, phase, &slices, groups)?;
        (self.lie)(self.calls, &mut operands, Some(&mut made));
        self.calls += 1;
        Ok(made)
    }
}

/// How far a session got.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Reached {
    Nothing,
    Begun,
    Triples,
    Columns,
    Audited,
}

/// The preprocessing of a session; calls of the source of tags: 0 the block of equal keys, 1
/// spares, 2 to 5 columns and looked-up wires, 6 triples, 7 random columns, 8 products, 9 the high
/// part. Calls of the source of products: 0 triples, 1 columns. How far the honest side gets.
fn preprocess(ends: [End; 2], honest: Role) -> Reached {
    let progress = [Reached::Nothing; 2].map(std::sync::Mutex::new);
    let side = |channel: &mut dyn Channel, mut end: End| {
        let reached = |step| *progress[end.role as usize].lock().unwrap() = step;
        let demand = Demand { triple_batches: 1, column_batches: 1, ..Demand::default() };
        let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
        reached(Reached::Begun);
        stage.spares(channel, 4, 4)?;
        let ole = &mut *end.ole;
        let domain = Domain::new(2).expect("few rows");
        let columns = columns(&mut stage, channel, domain.n())?;
        let masks = scalars(400 + end.role as u64, 3);
        let masks = stage.tag_shares(channel, &masks)?;
        let looked_up = MaskColumn { masks, kinds: CellKinds::Uniform(Kind::Shared) };
        let request = ProductColumns {
            domain: &domain,
            columns: &columns,
            pairs: &PAIRS,
            looked_up: &[std::slice::from_ref(&looked_up)],
        };
        let triples = stage.triples(channel, ole, request.triples())?;
        reached(Reached::Triples);
        stage.product_columns(channel, ole, &request, triples)?;
        reached(Reached::Columns);
        stage.audit(channel)?;
        reached(Reached::Audited);
        Ok(())
    };
    let [model, data] = run(ends, side);
    let result = if honest == Role::Model { model } else { data };
    // It was found here, and not by the other side, which runs the same code but for the lie.
    if let Err(error) = result {
        assert!(error.to_string().contains("session has ended"), "{honest:?}: {error}");
    }
    *progress[honest as usize].lock().unwrap()
}

#[test]
fn an_honest_session_gets_through() {
    assert_eq!(BOTH.map(|honest| preprocess(ends(1), honest)), [Reached::Audited; 2]);
}

/// How far the honest side gets if the other one's source of tags does this.
fn with_tags(cheater: Role, lie: impl TagLie + Clone + 'static) -> Reached {
    let ends = ends(1).map(|mut end| {
        if end.role == cheater {
            end.tags = Box::new(LyingTags { inner: end.tags, calls: 0, lie: lie.clone() });
        }
        end
    });
    preprocess(ends, cheater.other())
}

/// The same for its source of products.
fn with_products(cheater: Role, lie: impl OleLie + Clone + 'static) -> Reached {
    let ends = ends(1).map(|mut end| {
        if end.role == cheater {
            end.ole = Box::new(LyingOle { inner: end.ole, calls: 0, lie: lie.clone() });
        }
        end
    });
    preprocess(ends, cheater.other())
}

/// How far a side gets whose own tags are what they are if the peer's key or answer is wrong.
fn hit(victim: Role, lie: impl TagLie + Clone + 'static) -> Reached {
    let ends = ends(1).map(|mut end| {
        if end.role == victim {
            end.tags = Box::new(LyingTags { inner: end.tags, calls: 0, lie: lie.clone() });
        }
        end
    });
    preprocess(ends, victim)
}

const ONE: Fr = Fr::one();
const BOTH: [Role; 2] = [Role::Model, Role::Data];

/// A key into which an answer has put the receiver's own values: found by the audit, if nothing
/// before has needed that key.
#[test]
fn a_polluted_key_ends_it() {
    for victim in BOTH {
        for call in 1..10 {
            let reached = hit(victim, move |number, own, made| {
                if let Some(made) = made.filter(|_| number == call)
                    && let (Some(key), Some(value)) = (made.keys.first_mut(), own.first())
                {
                    *key += value;
                }
            });
            // The third column is the data's alone: the one has no value there, the other no key.
            if call == 4 {
                assert_eq!(reached, Reached::Audited);
                continue;
            }
            assert!(reached < Reached::Audited, "{victim:?}, call {call}");
            // Spares are not looked at before.
            assert!(call > 1 || reached == Reached::Columns, "{victim:?}, {reached:?}");
        }
    }
}

/// Triples that are wrong by a known number, or by a multiple of the other side's factor, among
/// those that are kept and among those that are spent; and other values tagged than multiplied.
#[test]
fn a_wrong_triple_ends_it() {
    for cheater in BOTH {
        for place in [0, 3, 4, 7] {
            let known = with_products(cheater, move |call, _, made| {
                if let Some(made) = made.filter(|_| call == 0) {
                    made[0][place] += ONE;
                }
            });
            assert_eq!(known, Reached::Begun, "{cheater:?}, {place}");
            // In the one that is kept and in the one that is spent on it.
            let twice = with_products(cheater, move |call, _, made| {
                if let Some(made) = made.filter(|_| call == 0) {
                    made[0][place % 4] += ONE;
                    made[0][place % 4 + 4] += ONE;
                }
            });
            assert_eq!(twice, Reached::Begun, "{cheater:?}, {place}");
            for operand in 0..2 {
                let multiple = with_products(cheater, move |call, operands, made| {
                    if call == 0 && made.is_none() {
                        operands[operand][place] += ONE;
                    }
                });
                assert_eq!(multiple, Reached::Begun, "{cheater:?}, {place} of {operand}");
            }
        }
    }
}

/// A product of masks that is wrong on a row by a known number or by a multiple of the other side's
/// mask, or on the coset in either way; on any of the pairs, those of looked-up wires too.
#[test]
fn a_wrong_product_of_masks_ends_it() {
    for cheater in BOTH {
        let groups = std::sync::Arc::new(std::sync::Mutex::new([0, 0]));
        let seen = groups.clone();
        let honest = with_products(cheater, move |call, operands, made| {
            if let Some(made) = made.filter(|_| call == 1) {
                *seen.lock().unwrap() = [operands.len(), made.len()];
            }
        });
        assert_eq!(honest, Reached::Audited);
        let [operands, results] = *groups.lock().unwrap();
        // Rows: shared with mixed in three kinds of rows, the data's with shared, a lookup; three
        // pairs on the coset, of five columns. The data's with itself is no product of two sides.
        assert_eq!([operands, results], [2 * 5 + 5, 5 + 3]);
        for result in 0..results {
            let known = with_products(cheater, move |call, _, made| {
                if let Some(made) = made.filter(|_| call == 1) {
                    made[result][0] += ONE;
                }
            });
            assert_eq!(known, Reached::Triples, "{cheater:?}, result {result}");
        }
        let mut found = Vec::new();
        for operand in 0..operands {
            let multiple = with_products(cheater, move |call, operands, made| {
                if call == 1 && made.is_none() {
                    operands[operand][0] += ONE;
                }
            });
            assert!([Reached::Triples, Reached::Audited].contains(&multiple));
            if multiple == Reached::Triples {
                found.push(operand);
            }
        }
        // Two operands for each of the five results on rows, then the columns on the coset: of what
        // a side has no part in these rows, its operand is not looked at.
        let due = match cheater {
            Role::Model => [1, 2, 4, 5, 7, 8, 9, 10, 11, 13, 14].to_vec(),
            Role::Data => [0, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14].to_vec(),
        };
        assert_eq!(found, due, "{cheater:?}");
    }
}

/// Errors in two pairs that would cancel if their weights did not differ; and other products or
/// other high parts tagged than those that were made.
#[test]
fn errors_of_pairs_do_not_cancel() {
    for cheater in BOTH {
        // The last three results are the coset's; the two of the first and the second pair are at
        // one point.
        let reached = with_products(cheater, |call, _, made| {
            if let Some(made) = made.filter(|_| call == 1) {
                let coset = made.len() - 3;
                made[coset][1] += ONE;
                made[coset + 1][1] -= ONE;
            }
        });
        assert_eq!(reached, Reached::Triples, "{cheater:?}");
        for call in [8, 9] {
            let reached = with_tags(cheater, move |number, own, _| {
                if number == call {
                    own[1] += ONE;
                }
            });
            assert_eq!(reached, Reached::Triples, "{cheater:?}, call {call}");
        }
        // The same row of the first pair and of the second, whose results are those of its row 1,
        // of its row 3, of its row 0; of all rows of the second.
        let reached = with_products(cheater, |call, _, made| {
            if let Some(made) = made.filter(|_| call == 1) {
                made[0][0] += ONE;
                made[3][1] -= ONE;
            }
        });
        assert_eq!(reached, Reached::Triples, "{cheater:?}");
    }
}

/// A side that says it holds another value than it has tagged cannot make the tag that belongs to
/// it, also if it computes the weights anew. Its combined tag is right for the value it has tagged.
#[test]
fn a_false_value_has_no_tag() {
    for cheater in BOTH {
        // The source tags `x + 1`; the side goes on with `x` and the tag of `x + 1`.
        for call in 1..10 {
            let reached = with_tags(cheater, move |number, own, made| {
                if number == call
                    && made.is_none()
                    && let Some(value) = own.first_mut()
                {
                    *value += ONE;
                }
            });
            // The model has no part of the third column.
            if (cheater, call) == (Role::Model, 4) {
                assert_eq!(reached, Reached::Audited);
                continue;
            }
            assert!(reached < Reached::Audited, "{cheater:?}, call {call}");
        }
    }
}

/// Masks of which the model says that they are the data's, or that they are no one's, while it has
/// tagged a share of them: it would be in the tagged columns, and in none of their products. Either
/// side refuses, whether that is a column or what is looked up.
#[test]
fn a_part_of_anothers_mask_is_refused() {
    for kind in [Kind::Owned(Role::Data), Kind::Owned(Role::Model), Kind::Public] {
        for in_looked_up in [false, true] {
            let side = |channel: &mut dyn Channel, mut end: End| {
                let demand = Demand { triple_batches: 1, column_batches: 1, ..Demand::default() };
                let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
                let mut column = |kind| {
                    let masks = stage.tag_shares(channel, &scalars(3, 2))?;
                    Ok::<_, PartyError>(MaskColumn { masks, kinds: CellKinds::Uniform(kind) })
                };
                let (shared, wrong) = (column(Kind::Shared)?, column(kind)?);
                let (columns, looked_up) =
                    if in_looked_up { ([shared], wrong) } else { ([wrong], shared) };
                let domain = Domain::new(1).expect("few rows");
                let request = ProductColumns {
                    domain: &domain,
                    columns: &columns,
                    pairs: &[(0, 0)],
                    looked_up: &[std::slice::from_ref(&looked_up)],
                };
                let triples = stage.triples(channel, &mut *end.ole, request.triples())?;
                stage.product_columns(channel, &mut *end.ole, &request, triples).map(drop)
            };
            for result in run(ends(1), side) {
                let error = result.expect_err("a part that must not be");
                assert!(matches!(error, PartyError::Bug(_)), "{kind:?}: {error}");
            }
        }
    }
}

/// Keys that two answers have polluted such that it cancels, but for the weights of the audit,
/// which go on from call to call.
#[test]
fn pollutions_of_two_answers_do_not_cancel() {
    for victim in BOTH {
        for lies in [false, true] {
            let ends = ends(1).map(|mut end| {
                if end.role == victim {
                    // Calls: 0 the block of equal keys, 1 and 2 spares.
                    let lie = move |call, _: &mut Vec<Fr>, made: Option<&mut Correlation>| match (
                        call,
                        made.filter(|_| lies),
                    ) {
                        (1, Some(made)) => made.keys[3] += ONE,
                        (2, Some(made)) => made.keys[3] -= ONE,
                        _ => {}
                    };
                    end.tags = Box::new(LyingTags { inner: end.tags, calls: 0, lie });
                }
                end
            });
            let results = run(ends, |channel, end| {
                let demand = Demand::default();
                let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
                stage.spares(channel, 5, 5)?;
                stage.spares(channel, 5, 5)?;
                stage.audit(channel).map(drop)
            });
            let [model, data] = results.map(|result| matches!(result, Err(PartyError::Ended)));
            let [own, peer] = if victim == Role::Model { [model, data] } else { [data, model] };
            assert_eq!([own, peer], [lies, false], "{victim:?}");
        }
    }
}
