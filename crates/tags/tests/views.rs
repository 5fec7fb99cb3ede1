//! What one side sees of the other's values: as much whichever of two values it is (as
//! `crates/pair/tests/views.rs`). Each protocol runs in many sessions of fresh randomness for two
//! secrets of the peer; the mutant of every test is the same with all sessions drawing the same.

mod common;

use common::*;
use ff::Field;
use twain_algebra::{Domain, Fr};
use twain_link::channel::view::{LIMIT, View, distance, observe};
use twain_link::channel::{Channel, Frame, MemoryChannel, Recorder, Way, memory_pair};
use twain_party::{CellKinds, Kind, PartyError, Role};
use twain_tags::{Demand, MaskColumn, Preprocessing, ProductColumns, Public, Tagged};

/// Sessions for each secret.
const SESSIONS: u64 = 150;

/// A protocol of a side whose value is the last argument.
type Protocol = dyn Fn(&mut dyn Channel, End, Fr) -> Result<(), PartyError> + Sync;

/// What the viewer sees in a session in which its own value is 3 and the peer's is `secret`.
fn session(protocol: &Protocol, viewer: Role, secret: Fr, seed: u64) -> Vec<Frame> {
    let side = |channel: MemoryChannel, end: End| {
        let mut recorder = Recorder::new(channel);
        let value = if end.role == viewer { Fr::from(3) } else { secret };
        protocol(&mut recorder, end, value)?;
        Ok(recorder.frames().to_vec())
    };
    let [model, data] = run_over(memory_pair([7; 32]), ends(seed), side);
    let frames = if viewer == Role::Model { model } else { data };
    frames.unwrap_or_else(|error| panic!("{error}"))
}

fn view(
    protocol: &Protocol,
    viewer: Role,
    secret: Fr,
    seed: impl Fn(u64) -> u64,
) -> (View, Vec<(&'static str, Way, usize)>) {
    let (mut view, mut shape) = (View::new(), None);
    for i in 0..SESSIONS {
        let frames = session(protocol, viewer, secret, seed(i));
        observe(&mut view, &frames, &[]);
        let new: Vec<_> = frames.iter().map(|f| (f.phase, f.way, f.bytes.len())).collect();
        assert_eq!(*shape.get_or_insert(new.clone()), new, "sessions differ in shape");
    }
    (view, shape.unwrap_or_default())
}

/// Both sides' views are the same for both secrets, and are not if what should be fresh is not; a
/// message of each of `phases` is what gives the secret away then.
fn hides(name: &str, secrets: [Fr; 2], phases: &[&str], protocol: &Protocol) {
    for viewer in [Role::Model, Role::Data] {
        let (one, shape) = view(protocol, viewer, secrets[0], |i| 10 + i);
        let (other, same_shape) = view(protocol, viewer, secrets[1], |i| 10_000 + i);
        assert_eq!(shape, same_shape, "{name}, seen by {viewer:?}");
        let (statistic, place) = distance(&one, &other);
        assert!(statistic < LIMIT, "{name}, seen by {viewer:?}: {statistic} in {place}");
        let stale = secrets.map(|secret| view(protocol, viewer, secret, |_| 5).0);
        for phase in phases {
            let of = |view: &View| -> View {
                let kept = view.iter().filter(|(name, _)| name.starts_with(phase));
                kept.map(|(name, samples)| (name.clone(), samples.clone())).collect()
            };
            let (mutant, place) = distance(&of(&stale[0]), &of(&stale[1]));
            assert!(mutant > 3.0 * LIMIT, "{name}, seen by {viewer:?}: {mutant} in {place}");
        }
    }
}

fn two_secrets() -> [Fr; 2] {
    [Fr::from(3), Fr::from(3).invert().unwrap()]
}

/// A session with inputs.
fn with_inputs(
    channel: &mut dyn Channel,
    mut end: End,
    own: &[Fr],
    then: impl Fn(
        &mut dyn Channel,
        &mut twain_tags::Audited,
        [Vec<Tagged>; 2],
        Vec<twain_tags::Triple>,
    ) -> Result<(), PartyError>,
) -> Result<(), PartyError> {
    let demand = Demand { triple_batches: 1, challenges: vec!["proof"; 2], ..Demand::default() };
    let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
    stage.spares(channel, own.len() + 5, own.len() + 5)?;
    let triples = stage.triples(channel, &mut *end.ole, 2)?;
    let mut audited = stage.audit(channel)?;
    let inputs = audited.input(channel, own, own.len())?;
    let inputs = inputs.each_ref().map(|half| half.to_vector().iter().collect());
    then(channel, &mut audited, inputs, triples)
}

#[test]
fn inputs_and_products_show_nothing() {
    let phases = ["tagged inputs", "tagged products"];
    hides("a product", two_secrets(), &phases, &|channel, end, secret| {
        with_inputs(channel, end, &[secret], |channel, audited, [x, y], triples| {
            let pairs = [(x[0].clone(), y[0].clone()), (&x[0] + &y[0], x[0].clone())];
            audited.side().multiply(channel, &pairs, triples).map(drop)
        })
    });
}

/// A zero test of 0 made of different values, and of different values that are not 0, which ends
/// the session with a number that says no more.
#[test]
fn a_zero_test_shows_whether_it_is_zero() {
    let phases = ["tagged inputs", "zero test"];
    hides("a zero", two_secrets(), &phases[..1], &|channel, end, secret| {
        let own = [secret, -secret];
        with_inputs(channel, end, &own, |channel, audited, [x, y], mut triples| {
            let sum = &(&x[0] + &x[1]) + &(&y[0] + &y[1]);
            audited.side().zero_test(channel, &sum, triples.pop().expect("two were made"))
        })
    });
    hides("no zero", two_secrets(), &phases, &|channel, end, secret| {
        with_inputs(channel, end, &[secret], |channel, audited, [x, y], mut triples| {
            let sum = &(&x[0] * Public(Fr::from(2))) + &(&y[0] * Public(Fr::from(2)));
            let triple = triples.pop().expect("two were made");
            assert!(audited.side().zero_test(channel, &sum, triple).is_err());
            Ok(())
        })
    });
}

#[test]
fn a_proof_shows_nothing_but_that_it_holds() {
    let phases = ["tagged inputs", "proof about own values"];
    hides("a proof", two_secrets(), &phases, &|channel, end, secret| {
        let role = end.role;
        let own = powers_row(secret, Fr::from(3));
        with_inputs(channel, end, &own, |channel, audited, inputs, _| {
            for (owner, row) in [Role::Model, Role::Data].into_iter().zip(inputs) {
                let challenge = audited.challenge(channel, "proof")?;
                audited.prove(channel, owner, &Powers, &[row], challenge)?;
            }
            assert!(role == audited.side().role());
            Ok(())
        })
    });
}

/// Values that are tagged, whatever they are, show in no test of tags. (Masks are random; here they
/// are not, so that it would be seen.)
#[test]
fn the_audit_and_product_columns_show_no_mask() {
    hides("an audit", two_secrets(), &["audit of tags"], &|channel, end, secret| {
        let mut stage = Preprocessing::begin(channel, end.tags, &Demand::default(), end.rng)?;
        stage.spares(channel, 1, 1)?;
        stage.tag_shares(channel, &[secret; 3])?;
        stage.audit(channel).map(drop)
    });
    let phases = ["tagged products", "audit of tags", "inverses of lookups"];
    hides("product columns", two_secrets(), &phases, &|channel, mut end, secret| {
        let demand = Demand { triple_batches: 1, column_batches: 1, ..Demand::default() };
        let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
        stage.spares(channel, 1, 1)?;
        let mut column = |length: usize| {
            let masks = stage.tag_shares(channel, &vec![secret; length])?;
            Ok::<_, PartyError>(MaskColumn { masks, kinds: CellKinds::Uniform(Kind::Shared) })
        };
        let columns = [column(2)?, column(2)?];
        let looked_up = column(3)?;
        let domain = Domain::new(1).expect("few rows");
        let request = ProductColumns {
            domain: &domain,
            columns: &columns,
            pairs: &[(0, 1)],
            looked_up: &[std::slice::from_ref(&looked_up)],
        };
        let triples = stage.triples(channel, &mut *end.ole, request.triples())?;
        let mut checked = stage.product_columns(channel, &mut *end.ole, &request, triples)?;
        let mut audited = stage.audit(channel)?;
        let wanted = denominators(&[Fr::from(9); 3]);
        audited.side().inverses(channel, lookups(&mut checked), &wanted).map(drop)
    });
}

/// Triples are made of random numbers alone; what their check shows of these is covered by those
/// that are spent.
#[test]
fn a_triple_that_is_kept_is_not_in_its_check() {
    let opened = |seed| {
        let side = |mut channel: Recorder<MemoryChannel>, mut end: End| {
            let demand = Demand { triple_batches: 1, ..Demand::default() };
            let mut stage = Preprocessing::begin(&mut channel, end.tags, &demand, end.rng)?;
            let triples = stage.triples(&mut channel, &mut *end.ole, 1)?;
            // `0·0` by the triple: its factors themselves are opened.
            let zeros = [(Tagged::zero(), Tagged::zero())];
            stage.side().multiply(&mut channel, &zeros, triples)?;
            let check = channel.received("check of triples");
            let factors = channel.received("tagged products");
            Ok((check, factors))
        };
        let (model, data) = memory_pair([7; 32]);
        let [(check, factors), _] =
            succeed(run_over((Recorder::new(model), Recorder::new(data)), ends(seed), side));
        // `e`, `f`, their tag, the error and its tag; then the two factors and their tag.
        assert_eq!([check.len(), factors.len()], [5 * 32, 3 * 32]);
        (check[32..64].to_vec(), factors[32..64].to_vec())
    };
    let sessions = (0..64).map(|seed| opened(20 + seed));
    // `f = b - b'` would be `-b` without the one that is spent.
    use twain_link::scalars::decode_scalars;
    for (check, factors) in sessions {
        let [f, b] = [check, factors].map(|bytes| decode_scalars(&bytes, "test").unwrap()[0]);
        assert!(f != b && f != -b);
    }
}

/// What a proof sends hangs on the spares in each of its numbers: with all else the same, values,
/// tags and coin, another spare makes another message. (Keys are not in a view, so it would not
/// show there.)
#[test]
fn a_proof_is_under_spares() {
    let demand = Demand { challenges: vec!["proof"], ..Demand::default() };
    let sent = |skipped: usize| {
        let side = |mut channel: Recorder<MemoryChannel>, end: End| {
            let mut stage = Preprocessing::begin(&mut channel, end.tags, &demand, end.rng)?;
            stage.spares(&mut channel, 20, 20)?;
            let mut audited = stage.audit(&mut channel)?;
            let row = powers_row(Fr::from(2), Fr::from(3));
            let [values, _] = audited.input(&mut channel, &row, 4)?;
            audited.input(&mut channel, &vec![Fr::ONE; skipped], skipped)?;
            let row: Vec<Tagged> = (0..4).map(|i| values.get(i)).collect();
            let challenge = audited.challenge(&mut channel, "proof")?;
            audited.prove(&mut channel, Role::Model, &Powers, &[row], challenge)?;
            Ok(channel.received("proof about own values"))
        };
        let (model, data) = memory_pair([7; 32]);
        succeed(run_over((Recorder::new(model), Recorder::new(data)), ends(3), side))[1].clone()
    };
    let [one, other] = [sent(1), sent(5)];
    assert_eq!([one.len(), other.len()], [5 * 32; 2]);
    assert!(sent(1) == one, "all else is the same");
    assert!(one.chunks(32).zip(other.chunks(32)).all(|(one, other)| one != other));
}
