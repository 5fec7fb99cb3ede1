//! Tags of the masks of wires, before any input (protocol §25). Input: what both sides know of the
//! statement, this side's masks; output: tagged masks, their checked products, and what else the
//! test takes.

use super::late_inverses::LateTriples;
use super::wire_masks::WireMasks;
use crate::acceptance::{self, ArgumentShape};
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;
use std::sync::Arc;
use twain_algebra::{Domain, Fr};
use twain_link::channel::Channel;
use twain_ole::OleSource;
use twain_party::{PartyError, SecretWire, StatementShape};
use twain_tags::{
    Audited, CheckedPairs, Demand, LookupPair, MaskColumn, Preprocessing, ProductColumns,
    TagSource, Triple,
};

/// What the coins of the test are for.
pub(super) mod coins {
    /// Compresses tuples.
    pub const TUPLES: &str = "witness test: tuples";
    /// Where the sums of the lookups are compared.
    pub const LOOKUPS: &str = "witness test: lookups";
    /// Weighs one side's own polynomials.
    pub const OWN_VALUES: &str = "witness test: own values";
    /// Weighs everything.
    pub const WEIGHTS: &str = "witness test: weights";
}

/// Tagged masks of all wires of a statement, of which the test takes everything once.
pub struct TaggedMasks {
    pub(super) audited: Audited,
    pub(super) shape: Arc<StatementShape>,
    pub(super) wires: WireMasks,
    pub(super) pairs: CheckedPairs,
    /// In the order of [`by_width`].
    pub(super) lookups: Vec<LookupPair>,
    /// For the fractions of secret rows of tables.
    pub(super) of_tables: Vec<Triple>,
    /// For the zero test.
    pub(super) triple: Triple,
    /// What late inverses take.
    pub(super) late_inverses: LateTriples,
    /// What the test of the argument takes afterwards.
    pub(super) argument: (ArgumentShape, Vec<Triple>),
}

/// The columns that are multiplied.
struct Multiplied {
    columns: Vec<MaskColumn>,
    /// By their places among these.
    pairs: Vec<(usize, usize)>,
}

fn multiplied(
    shape: &StatementShape,
    wires: &WireMasks,
    rows: usize,
) -> Result<Multiplied, PartyError> {
    let mut places: BTreeMap<u32, usize> = BTreeMap::new();
    let mut columns = Vec::new();
    for column in shape.pairs.iter().flatten() {
        if !places.contains_key(column) {
            let cells = shape.columns.get(*column as usize);
            let mut cells = cells.cloned().ok_or(PartyError::Bug("a pair of no columns"))?;
            cells.resize(rows, None);
            places.insert(*column, columns.len());
            columns.push(wires.column(&cells)?);
        }
    }
    let pairs = shape.pairs.iter().map(|[left, right]| (places[left], places[right])).collect();
    Ok(Multiplied { columns, pairs })
}

/// A tuple that is not public: which one of an argument's.
#[derive(Clone, Copy)]
pub(super) struct SecretTuple {
    pub lookup: usize,
    /// Among those of [`LookupShape::secret_tuples`](twain_party::LookupShape::secret_tuples).
    pub number: usize,
}

impl SecretTuple {
    /// Its secret components, and their places.
    pub fn components<'s>(
        &self,
        shape: &'s StatementShape,
    ) -> impl Iterator<Item = (usize, SecretWire)> + 's {
        let tuple = shape.lookups[self.lookup].secret_tuples().nth(self.number);
        let cells = tuple.into_iter().flatten().enumerate();
        cells.filter_map(|(place, cell)| Some((place, (*cell)?)))
    }
}

/// All tuples in the order in which they are multiplied: those with as many secret components share
/// columns.
pub(super) fn by_width(shape: &StatementShape) -> Vec<SecretTuple> {
    let mut tuples = Vec::new();
    for (lookup, of) in shape.lookups.iter().enumerate() {
        let count = of.tuples.len() + of.secret_rows.len();
        tuples.extend((0..count).map(|number| SecretTuple { lookup, number }));
    }
    tuples.sort_by_cached_key(|tuple| tuple.components(shape).count());
    tuples
}

/// The masks of looked-up tuples, a list for each number of secret components, in the order of
/// [`by_width`].
fn looked_up(
    shape: &StatementShape,
    wires: &WireMasks,
) -> Result<Vec<Vec<MaskColumn>>, PartyError> {
    let width = |tuple: &SecretTuple| tuple.components(shape).count();
    let order = by_width(shape);
    let lists = order.chunk_by(|left, right| width(left) == width(right)).map(|list| {
        let component = |number: usize| {
            let cell =
                |tuple: &SecretTuple| tuple.components(shape).nth(number).map(|(_, cell)| cell);
            wires.column(&list.iter().map(cell).collect::<Vec<_>>())
        };
        (0..list.first().map_or(0, width)).map(component).collect()
    });
    lists.collect()
}

impl TaggedMasks {
    /// Tags the masks of a statement's wires and makes what the test takes, and that of the
    /// argument after it, then audits all of it. `mask` is this side's mask of a wire that it owns
    /// or shares.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`].
    pub fn prepare(
        channel: &mut dyn Channel,
        (source, ole): (Box<dyn TagSource>, &mut dyn OleSource),
        (shape, argument): (Arc<StatementShape>, ArgumentShape),
        mask: &dyn Fn(u32) -> Fr,
        rng: ChaCha20Rng,
    ) -> Result<Self, PartyError> {
        let domain = Domain::new(shape.k);
        let domain = domain.map_err(|error| PartyError::Unsupported(error.to_string()))?;
        let demand = Demand {
            triple_batches: 1,
            column_batches: 1,
            challenges: vec![
                coins::TUPLES,
                coins::LOOKUPS,
                coins::OWN_VALUES,
                coins::OWN_VALUES,
                coins::WEIGHTS,
                acceptance::coins::POINT,
                acceptance::coins::OPENINGS,
            ],
            ..Demand::default()
        };
        let mut stage = Preprocessing::begin(channel, source, &demand, rng)?;
        let wires = WireMasks::tag(&mut stage, channel, &shape, mask)?;
        let Multiplied { columns, pairs } = multiplied(&shape, &wires, domain.n())?;
        let looked_up = looked_up(&shape, &wires)?;
        let looked_up: Vec<&[MaskColumn]> = looked_up.iter().map(Vec::as_slice).collect();
        let request = ProductColumns {
            domain: &domain,
            columns: &columns,
            pairs: &pairs,
            looked_up: &looked_up,
        };
        // Rows that are left over of looked-up tuples are triples, too.
        let for_columns = request.triples();
        let late = LateTriples::count(&shape.late_inverses);
        let of_tables: usize = shape.lookups.iter().map(|lookup| lookup.secret_rows.len()).sum();
        let afterwards = 1 + of_tables + late.iter().sum::<usize>() + argument.triples();
        let made = for_columns + afterwards.saturating_sub(request.spare_triples());
        let mut triples = stage.triples(channel, ole, made)?;
        let mut rest = triples.split_off(for_columns);
        let mut pairs = stage.product_columns(channel, ole, &request, triples)?;
        let lookups = pairs.take_lookups().into_iter().flatten().collect();
        rest.extend(pairs.take_triples());
        let mut rest = rest.into_iter();
        let triple = rest.next().ok_or(PartyError::Bug("a triple is missing"))?;
        let of_tables = rest.by_ref().take(of_tables).collect();
        let late_inverses = LateTriples::take(late, &mut rest);
        let of_argument = rest.take(argument.triples()).collect();

        // Multiplicities and what the argument is at a point are given by both sides; the audit
        // takes a spare, and proofs about own values some.
        let inputs = shape.lookups.iter().map(|lookup| lookup.table_rows).sum::<usize>();
        let inputs = inputs + argument.inputs();
        let spares = shape.owned_degrees.map(|degree| inputs + 1 + degree.saturating_sub(1));
        let role = channel.role();
        stage.spares(channel, spares[role as usize], spares[role.other() as usize])?;
        let audited = stage.audit(channel)?;
        let of_argument = (argument, of_argument);
        Ok(Self {
            audited,
            shape,
            wires,
            pairs,
            lookups,
            of_tables,
            triple,
            late_inverses,
            argument: of_argument,
        })
    }
}
