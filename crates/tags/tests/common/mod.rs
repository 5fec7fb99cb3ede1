//! Two sides in one process over ideal tags and products, and all that is built on them once.
#![allow(dead_code)] // each test program uses a part

use ff::Field;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use twain_algebra::{Domain, Fr};
use twain_link::channel::{Channel, memory_pair};
use twain_ole::{OleSource, ideal_pair};
use twain_party::{CellKinds, Kind, PartyError, Role};
use twain_tags::{
    CheckedPairs, Demand, Denominator, LookupPair, MaskColumn, Preprocessing, ProductColumns,
    Public, Relation, TagSource, Tagged, Term, ideal_tags,
};

/// What a side works with.
pub struct End {
    pub role: Role,
    pub tags: Box<dyn TagSource>,
    pub ole: Box<dyn OleSource>,
    pub rng: ChaCha20Rng,
}

/// Both sides' ends over ideal functionalities, the model's first.
pub fn ends(seed: u64) -> [End; 2] {
    let (model_tags, data_tags) = ideal_tags(seed);
    let (model_ole, data_ole) = ideal_pair(seed + 1);
    let end = |role, tags, ole| End {
        role,
        tags: Box::new(tags),
        ole: Box::new(ole),
        rng: ChaCha20Rng::seed_from_u64(4 * seed + role as u64),
    };
    [end(Role::Model, model_tags, model_ole), end(Role::Data, data_tags, data_ole)]
}

/// Runs both sides, each in a thread; neither waits for one that has failed.
pub fn run<T: Send>(
    ends: [End; 2],
    side: impl Fn(&mut dyn Channel, End) -> Result<T, PartyError> + Sync,
) -> [Result<T, PartyError>; 2] {
    run_over(memory_pair([7; 32]), ends, |mut channel, end| side(&mut channel, end))
}

/// The same over any ends of a link.
pub fn run_over<C: Send, T: Send>(
    (model, data): (C, C),
    [model_end, data_end]: [End; 2],
    side: impl Fn(C, End) -> Result<T, PartyError> + Sync,
) -> [Result<T, PartyError>; 2] {
    std::thread::scope(|scope| {
        let data = scope.spawn(|| side(data, data_end));
        let model = side(model, model_end);
        [model, data.join().expect("no panic")]
    })
}

/// Both results of a run that must succeed.
pub fn succeed<T>(results: [Result<T, PartyError>; 2]) -> [T; 2] {
    results.map(|result| result.unwrap_or_else(|error| panic!("{error}")))
}

/// A generator for values that are not secret.
pub fn scalars(seed: u64, count: usize) -> Vec<Fr> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..count).map(|_| Fr::random(&mut rng)).collect()
}

/// `x·y = z` and `x^5 = v`, of four values in a row.
pub struct Powers;

impl Relation for Powers {
    fn degree(&self) -> usize {
        5
    }

    fn evaluate<T: Term>(&self, values: &[T]) -> Vec<T> {
        let [x, y, z, v] = values else { return Vec::new() };
        let square = x.times(x);
        vec![x.times(y).minus(z), square.times(&square).times(x).minus(v)]
    }
}

/// A row that [`Powers`] holds for.
pub fn powers_row(x: Fr, y: Fr) -> [Fr; 4] {
    [x, y, x * y, x.square().square() * x]
}

/// Rows of the product columns of [`everything`].
pub const ROWS: usize = 4;

/// Columns for [`PAIRS`]: shared, owned by either side, mixed.
pub fn columns(
    stage: &mut Preprocessing,
    channel: &mut dyn Channel,
    n: usize,
) -> Result<Vec<MaskColumn>, PartyError> {
    let role = channel.role();
    let mixed = [Some(Kind::Shared), Some(Kind::Owned(Role::Model)), None];
    let mixed = mixed.into_iter().chain([Some(Kind::Owned(Role::Data))]).cycle().take(n).collect();
    let kinds = [
        CellKinds::Uniform(Kind::Shared),
        CellKinds::Rows(mixed),
        CellKinds::Uniform(Kind::Owned(Role::Data)),
    ];
    let column = |(kinds, seed): (CellKinds, u64)| {
        let of = |owner: Role| {
            let owned = [Kind::Shared, Kind::Owned(owner)];
            (0..n).filter(|&row| owned.contains(&kinds.row(row))).collect::<Vec<usize>>()
        };
        let masks = scalars(seed + role as u64, n);
        let own: Vec<Fr> = of(role).into_iter().map(|row| masks[row]).collect();
        let tagged = stage.tag(channel, &own, of(role.other()).len())?;
        // A cell is the sum of what the sides that have a part of it have tagged.
        let mut cells = vec![Tagged::zero(); n];
        for (owner, tagged) in [Role::Model, Role::Data].into_iter().zip(&tagged) {
            for (i, row) in of(owner).into_iter().enumerate() {
                cells[row] = &cells[row] + &tagged.get(i);
            }
        }
        Ok(MaskColumn { masks: cells.into_iter().collect(), kinds })
    };
    kinds.into_iter().zip([100, 200, 300]).map(column).collect()
}

/// The pairs of [`columns`]; the last one is of columns of one side.
pub const PAIRS: [(usize, usize); 3] = [(0, 1), (2, 0), (2, 2)];

/// Makes product columns of `n` rows, with so many looked-up wires.
pub fn pairs(
    stage: &mut Preprocessing,
    channel: &mut dyn Channel,
    ole: &mut dyn OleSource,
    k: u32,
    wires: usize,
) -> Result<(Vec<MaskColumn>, MaskColumn, CheckedPairs), PartyError> {
    let domain = Domain::new(k).expect("few rows");
    let columns = columns(stage, channel, domain.n())?;
    let masks = scalars(400 + channel.role() as u64, wires);
    let masks = stage.tag_shares(channel, &masks)?;
    let looked_up = MaskColumn { masks, kinds: CellKinds::Uniform(Kind::Shared) };
    let request = ProductColumns {
        domain: &domain,
        columns: &columns,
        pairs: &PAIRS,
        looked_up: &[std::slice::from_ref(&looked_up)],
    };
    let triples = stage.triples(channel, ole, request.triples())?;
    let checked = stage.product_columns(channel, ole, &request, triples)?;
    Ok((columns, looked_up, checked))
}

/// What makes inverses of all looked-up wires.
pub fn lookups(checked: &mut CheckedPairs) -> Vec<LookupPair> {
    checked.take_lookups().into_iter().flatten().collect()
}

/// One looked-up wire and a summand each.
pub fn denominators(summands: &[Fr]) -> Vec<Denominator> {
    let denominator = |summand: &Fr| Denominator { weights: vec![Fr::ONE], summand: *summand };
    summands.iter().map(denominator).collect()
}

/// One session in which each kind of message occurs; returns all that is opened. Inputs of both
/// sides are `secrets`, of which a side knows its own.
pub fn everything(
    channel: &mut dyn Channel,
    mut end: End,
    secrets: [Fr; 2],
) -> Result<Vec<Public>, PartyError> {
    let secret = secrets[end.role as usize];
    let demand = Demand {
        triple_batches: 2,
        column_batches: 1,
        challenges: vec!["test of proofs"; 2],
        instance: 0,
    };
    let mut stage = Preprocessing::begin(channel, end.tags, &demand, end.rng)?;
    stage.spares(channel, 16, 16)?;
    let (columns, _, mut checked) = pairs(&mut stage, channel, &mut *end.ole, 2, 3)?;
    let triples = stage.triples(channel, &mut *end.ole, 3)?;
    let mut audited = stage.audit(channel)?;

    // Each side gives its secret and a row of a relation that is its own affair.
    let mut own = vec![secret];
    own.extend(powers_row(secret, Fr::from(3)));
    let inputs = audited.input(channel, &own, own.len())?;
    for (owner, values) in [Role::Model, Role::Data].into_iter().zip(&inputs) {
        let row: Vec<Tagged> = (1..values.len()).map(|i| values.get(i)).collect();
        let challenge = audited.challenge(channel, "test of proofs")?;
        audited.prove(channel, owner, &Powers, &[row], challenge)?;
    }
    let side = audited.side();
    let mut triples = triples;
    let [x, y] = inputs.each_ref().map(|values| values.get(0));
    let shared = &x + &y;
    let [last, first, second] = [(); 3].map(|()| triples.pop().expect("three were made"));
    let pairs = [(shared.clone(), x.clone()), (shared, y.clone())];
    let products = side.multiply(channel, &pairs, vec![first, second])?;
    // (x + y)·x + (x + y)·y - (x + y)² is 0, and (x + y)² is public.
    let sum = &products[0] + &products[1];
    let square = side.open(channel, "everything", std::slice::from_ref(&sum))?[0];
    side.zero_test(channel, &(&sum - &side.public(square, Kind::Shared)), last)?;
    let zero = checked.take_triples().pop().expect("one row is left over");
    let mask = columns[0].masks.get(1);
    let double = &mask * Public(Fr::from(2));
    side.zero_test(channel, &(&(&double - &mask) - &mask), zero)?;
    let wanted = denominators(&[11, 12, 13].map(Fr::from));
    let inverses = side.inverses(channel, lookups(&mut checked), &wanted)?;
    let mut opened = vec![square];
    for (owner, value) in [(Role::Model, x), (Role::Data, y)] {
        opened.extend(side.open_part(channel, "everything", owner, &[value])?);
    }
    let rows: Vec<Tagged> = checked.rows().iter().flat_map(|rows| rows.iter()).collect();
    opened.extend(side.open(channel, "everything", &rows)?);
    opened.extend(side.open(channel, "everything", &inverses)?);
    Ok(opened)
}
