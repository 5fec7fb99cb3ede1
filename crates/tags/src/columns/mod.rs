//! Product columns (protocol §24, P6): products of masks, cell by cell of pairs of columns, all
//! checked at one random point.
//!
//! Input: columns of tagged masks, pairs of them, the masks of looked-up tuples. Output:
//! [`CheckedPairs`]: tagged products on the rows, shares of the products of the columns'
//! polynomials on the first coset, and for each looked-up tuple of masks `f_t` a random `I` and
//! `f_t·I`, all tagged.
//!
//! `T_k = x_k·y_k` is `U_k + t·V_k` with `t = X^n - 1` (counts §4.1). The rows fix `U_k`, the first
//! coset `V_k`, and both come from OLEs, where a peer may err as it likes. So the shares of `U_k`
//! are tagged on all rows; then, with `λ` of a coin, the coefficients of one `V = Σ λ^k V_k`; then,
//! with `ζ` of another, `Σ λ^k (U_k(ζ) - x_k(ζ)·y_k(ζ)) + t(ζ)·V(ζ)` must be 0, which is computed
//! from tagged values with a triple a pair. An error in a row or on the coset, known to the peer or
//! times a mask of this side's, was fixed before `ζ`, and passes for `2n` values of it at most.

mod lookup_pair;
mod mask_column;
mod products;

pub use lookup_pair::{Denominator, LookupPair};
pub use mask_column::MaskColumn;

use crate::coins::CoinUse;
use crate::preprocessing::Preprocessing;
use crate::products::Triple;
use crate::side::Guarded;
use crate::values::{Public, Tagged, TaggedVector};
use ff::Field;
use products::{PairProducts, pair_products};
use twain_algebra::domain::ZETA;
use twain_algebra::{Domain, Fr, vector};
use twain_link::channel::Channel;
use twain_ole::OleSource;
use twain_party::{CellKinds, Kind, PartyError, Role, Shares};

/// What is to be multiplied: the same on both sides but for the values.
pub struct ProductColumns<'a> {
    /// The rows.
    pub domain: &'a Domain,
    /// Each of as many masks as there are rows.
    pub columns: &'a [MaskColumn],
    /// Pairs of columns, by their places.
    pub pairs: &'a [(usize, usize)],
    /// The masks of looked-up tuples, list by list: columns of the same length, any number, of
    /// which each holds a component of all tuples of its list. A component that is public has no
    /// mask.
    pub looked_up: &'a [&'a [MaskColumn]],
}

/// A list of looked-up tuples, cut into columns: each block of `n` tuples has the columns of its
/// components and after them one of random numbers.
struct Tuples<'a> {
    components: &'a [MaskColumn],
    /// How many tuples.
    count: usize,
}

impl<'a> Tuples<'a> {
    fn of(components: &'a [MaskColumn]) -> Self {
        Self { components, count: components.first().map_or(0, |column| column.masks.len()) }
    }

    fn blocks(&self, n: usize) -> usize {
        self.count.div_ceil(n)
    }
}

impl ProductColumns<'_> {
    fn tuples(&self) -> impl Iterator<Item = Tuples<'_>> {
        self.looked_up.iter().map(|components| Tuples::of(components))
    }

    /// Pairs of a column of looked-up wires and one of random numbers.
    fn lookup_pairs(&self) -> usize {
        let n = self.domain.n();
        self.tuples().map(|tuples| tuples.blocks(n) * tuples.components.len()).sum()
    }

    /// How many triples the check takes: one for each pair, and one.
    pub fn triples(&self) -> usize {
        match self.pairs.len() + self.lookup_pairs() {
            0 => 0,
            pairs => pairs + 1,
        }
    }

    /// How many triples come out: rows of looked-up tuples that are left over.
    pub fn spare_triples(&self) -> usize {
        let n = self.domain.n();
        self.tuples().map(|tuples| tuples.blocks(n) * n - tuples.count).sum()
    }

    fn check(&self, role: Role) -> Result<(), PartyError> {
        let fits = |column: &MaskColumn| column.masks.len() == self.domain.n();
        let exists = |&(x, y): &(usize, usize)| x.max(y) < self.columns.len();
        let mut tuples = self.tuples();
        let even = tuples.all(|tuples| {
            let mut lengths = tuples.components.iter().map(|column| column.masks.len());
            lengths.all(|length| length == tuples.count)
        });
        if !even || !self.columns.iter().all(fits) || !self.pairs.iter().all(exists) {
            return Err(PartyError::Bug("columns of masks that do not fit their rows or pairs"));
        }
        let mut columns = self.columns.iter().chain(self.looked_up.iter().copied().flatten());
        match columns.all(|column| column.fits_its_kinds(role)) {
            true => Ok(()),
            false => Err(PartyError::Bug("a side has a part of a mask that is not its own")),
        }
    }
}

/// Products of masks that have passed the check, and made by nothing else.
pub struct CheckedPairs {
    rows: Vec<TaggedVector>,
    coset: Vec<Shares>,
    lookups: Vec<Vec<LookupPair>>,
    triples: Vec<Triple>,
}

impl CheckedPairs {
    /// The tagged products of each pair, row by row.
    pub fn rows(&self) -> &[TaggedVector] {
        &self.rows
    }

    /// For each pair, and then for those of looked-up wires, this side's share of the product of
    /// the two columns' polynomials on the first coset.
    pub fn coset(&self) -> &[Shares] {
        &self.coset
    }

    /// What makes an inverse for each looked-up tuple, list by list: all that are not taken yet.
    pub fn take_lookups(&mut self) -> Vec<Vec<LookupPair>> {
        std::mem::take(&mut self.lookups)
    }

    /// Triples from the rows that were left over: all that are not taken yet.
    pub fn take_triples(&mut self) -> Vec<Triple> {
        std::mem::take(&mut self.triples)
    }
}

impl Preprocessing {
    /// Makes products of columns of masks and checks them. `triples` are as many as
    /// [`ProductColumns::triples`] says.
    ///
    /// # Errors
    /// The link fails, or [`PartyError::Ended`] if a product is wrong.
    pub fn product_columns(
        &mut self,
        channel: &mut dyn Channel,
        ole: &mut dyn OleSource,
        request: &ProductColumns<'_>,
        triples: Vec<Triple>,
    ) -> Result<CheckedPairs, PartyError> {
        self.guarded(|stage| {
            request.check(stage.side.role())?;
            if triples.len() != request.triples() {
                return Err(PartyError::Bug("product columns take one triple a pair and one more"));
            }
            let virtual_columns = stage.lookup_columns(channel, request)?;
            let columns: Vec<&MaskColumn> =
                request.columns.iter().chain(&virtual_columns).collect();
            let mut pairs = request.pairs.to_vec();
            let mut next = request.columns.len();
            for tuples in request.tuples() {
                let width = tuples.components.len();
                for _ in 0..tuples.blocks(request.domain.n()) {
                    pairs.extend((next..next + width).map(|f| (f, next + width)));
                    next += width + 1;
                }
            }
            let products = pair_products(channel, ole, request.domain, &columns, &pairs)?;
            let rows = stage.checked_rows(
                channel,
                request.domain,
                &columns,
                &pairs,
                &products,
                triples,
            )?;
            Ok(sort(request, &columns, rows, products.coset))
        })
    }

    /// The columns of looked-up tuples, each block followed by its column of random numbers. In
    /// rows that are left over the first component is a random number too, and the others are 0.
    fn lookup_columns(
        &mut self,
        channel: &mut dyn Channel,
        request: &ProductColumns<'_>,
    ) -> Result<Vec<MaskColumn>, PartyError> {
        let n = request.domain.n();
        let needed = |tuples: Tuples<'_>| 2 * tuples.blocks(n) * n - tuples.count;
        let needed: usize = request.tuples().map(needed).sum();
        if needed == 0 {
            return Ok(Vec::new());
        }
        let random = self.random(channel, needed)?;
        let (mut columns, mut used) = (Vec::new(), 0);
        for tuples in request.tuples() {
            for first in (0..tuples.count).step_by(n) {
                let real = n.min(tuples.count - first);
                for (number, column) in tuples.components.iter().enumerate() {
                    let cell = |row: usize| match (row < real, number) {
                        (true, _) => {
                            let row = first + row;
                            (column.masks.get(row), column.kinds.assigned(row))
                        }
                        (false, 0) => (random.get(used + row - real), Some(Kind::Shared)),
                        (false, _) => (Tagged::zero(), None),
                    };
                    let (masks, kinds): (Vec<Tagged>, Vec<_>) = (0..n).map(cell).unzip();
                    let masks = masks.into_iter().collect();
                    columns.push(MaskColumn { masks, kinds: CellKinds::Rows(kinds) });
                }
                used += n - real;
                let kinds = CellKinds::Uniform(Kind::Shared);
                columns.push(MaskColumn { masks: random.slice(used..used + n), kinds });
                used += n;
            }
        }
        Ok(columns)
    }

    /// Tags the products on the rows, and checks them together with those on the coset.
    fn checked_rows(
        &mut self,
        channel: &mut dyn Channel,
        domain: &Domain,
        columns: &[&MaskColumn],
        pairs: &[(usize, usize)],
        products: &PairProducts,
        mut triples: Vec<Triple>,
    ) -> Result<Vec<TaggedVector>, PartyError> {
        let Some(last) = triples.pop() else { return Ok(Vec::new()) };
        let n = domain.n();
        let mut all = Shares::zero(pairs.len() * n);
        for (part, rows) in all.chunks_exact_mut(n).zip(&products.rows) {
            part.copy_from_slice(rows);
        }
        let tagged = self.tag_shares(channel, &all)?;
        let rows: Vec<TaggedVector> =
            (0..pairs.len()).map(|k| tagged.slice(k * n..(k + 1) * n)).collect();
        let [lambda] = self.coins.toss(channel, CoinUse::ColumnWeights)?;
        self.side.failure.charge_coin(pairs.len())?;
        let weights = vector::powers(lambda.value(), pairs.len());
        let high = high_part(domain, products, &weights)?;
        let high = self.tag_shares(channel, &high)?;
        let [point] = self.coins.toss(channel, CoinUse::ColumnPoint)?;
        self.side.failure.charge_coin(2 * n)?;

        let (lagrange, vanishing) = lagrange(domain, point.value()).ok_or(PartyError::Ended)?;
        let at_point = |column: usize| columns[column].masks.inner_product(&lagrange);
        let factors: Vec<(Tagged, Tagged)> =
            pairs.iter().map(|&(x, y)| (at_point(x), at_point(y))).collect();
        let at_point = self.side.multiply(channel, &factors, triples)?;
        let powers = vector::powers(point.value(), n);
        let mut difference = &high.inner_product(&powers) * Public(vanishing);
        for ((rows, product), weight) in rows.iter().zip(&at_point).zip(&weights) {
            let error = &rows.inner_product(&lagrange) - product;
            difference = &difference + &(&error * Public(*weight));
        }
        self.side.zero_test(channel, &difference, last)?;
        Ok(rows)
    }
}

/// The coefficients of this side's part of `Σ λ^k V_k`, from rows and coset.
fn high_part(
    domain: &Domain,
    products: &PairProducts,
    weights: &[Fr],
) -> Result<Shares, PartyError> {
    let n = domain.n();
    let combine = |values: &[Shares]| -> Shares {
        let terms: Vec<(&[Fr], Fr)> =
            values.iter().zip(weights).map(|(values, weight)| (&values[..], *weight)).collect();
        vector::linear_combination(&terms, n).into()
    };
    let mut low = combine(&products.rows);
    domain.intt(&mut low);
    domain.coset_ntt_in_place(&mut low, ZETA);
    let mut high = combine(&products.coset);
    vector::sub_assign(&mut high, &low);
    let vanishing = ZETA.pow_vartime([n as u64]) - Fr::ONE;
    let no_coset = PartyError::Bug("the first coset is not among the rows");
    let Some(inverse) = Option::<Fr>::from(vanishing.invert()) else { return Err(no_coset) };
    vector::scale(&mut high, inverse);
    domain.coset_intt(&mut high, ZETA).map_err(|_| no_coset)?;
    Ok(high)
}

/// The values of Lagrange's polynomials of the rows at a point, and of `X^n - 1`; none if the point
/// is a row.
fn lagrange(domain: &Domain, point: Fr) -> Option<(Vec<Fr>, Fr)> {
    let vanishing = point.pow_vartime([domain.n() as u64]) - Fr::ONE;
    if vanishing.is_zero_vartime() {
        return None;
    }
    let mut weights = vector::powers(domain.omega(), domain.n());
    let mut inverses: Vec<Fr> = weights.iter().map(|row| point - row).collect();
    vector::batch_invert(&mut inverses);
    vector::mul_assign(&mut weights, &inverses);
    vector::scale(&mut weights, vanishing * domain.n_inv());
    Some((weights, vanishing))
}

/// Tells the products of pairs from those of looked-up tuples and from what is left over.
fn sort(
    request: &ProductColumns<'_>,
    columns: &[&MaskColumn],
    mut rows: Vec<TaggedVector>,
    coset: Vec<Shares>,
) -> CheckedPairs {
    let n = request.domain.n();
    let of_lookups = rows.split_off(request.pairs.len().min(rows.len()));
    let mut columns = columns.get(request.columns.len()..).unwrap_or(&[]).iter();
    let mut products = of_lookups.iter();
    let (mut lookups, mut triples) = (Vec::new(), Vec::new());
    for tuples in request.tuples() {
        let mut pairs = Vec::with_capacity(tuples.count);
        for first in (0..tuples.count).step_by(n) {
            let width = tuples.components.len();
            let block: Vec<_> = columns.by_ref().take(width + 1).collect();
            let products: Vec<_> = products.by_ref().take(width).collect();
            let Some((factors, of_masks)) = block.split_last() else { break };
            let real = n.min(tuples.count - first);
            pairs.extend((0..real).map(|row| LookupPair {
                factor: factors.masks.get(row),
                products: products.iter().map(|product| product.get(row)).collect(),
            }));
            triples.extend((real..n).map(|row| {
                Triple::of_checked_row(
                    of_masks[0].masks.get(row),
                    factors.masks.get(row),
                    products[0].get(row),
                )
            }));
        }
        lookups.push(pairs);
    }
    CheckedPairs { rows, coset, lookups, triples }
}
