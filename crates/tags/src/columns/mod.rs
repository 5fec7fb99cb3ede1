//! Product columns (protocol §24, P6): products of masks, cell by cell of pairs of columns, all
//! checked at one random point.
//!
//! Input: columns of tagged masks, pairs of them, the masks of looked-up wires. Output:
//! [`CheckedPairs`]: tagged products on the rows, shares of the products of the columns' polynomials
//! on the first coset, and for each looked-up wire `f` a random `I` and `f·I`, both tagged.
//!
//! `T_k = x_k·y_k` is `U_k + t·V_k` with `t = X^n - 1` (counts §4.1). The rows fix `U_k`, the first
//! coset `V_k`, and both come from OLEs, where a peer may err as it likes. So the shares of `U_k` are
//! tagged on all rows; then, with `λ` of a coin, the coefficients of one `V = Σ λ^k V_k`; then, with `ζ` of
//! another, `Σ λ^k (U_k(ζ) - x_k(ζ)·y_k(ζ)) + t(ζ)·V(ζ)` must be 0, which is computed from tagged values
//! with a triple a pair. An error in a row or on the coset, known to the peer or times a mask of this
//! side's, was fixed before `ζ`, and passes for `2n` values of it at most.

mod mask_column;
mod products;

pub use mask_column::MaskColumn;

use crate::coins::CoinUse;
use crate::preprocessing::Preprocessing;
use crate::products::Triple;
use crate::values::{Public, Tagged, TaggedVector};
use ff::Field;
use products::{PairProducts, pair_products};
use twain_algebra::domain::ZETA;
use twain_algebra::{Domain, Fr, vector};
use twain_link::channel::Channel;
use twain_ole::OleSource;
use twain_party::{CellKinds, Kind, PartyError, Shares};

/// What is to be multiplied: the same on both sides but for the values.
pub struct ProductColumns<'a> {
    /// The rows.
    pub domain: &'a Domain,
    /// Each of as many masks as there are rows.
    pub columns: &'a [MaskColumn],
    /// Pairs of columns, by their places.
    pub pairs: &'a [(usize, usize)],
    /// The masks of looked-up wires that are not public, any number of them.
    pub looked_up: &'a MaskColumn,
}

impl ProductColumns<'_> {
    /// Pairs of a column of looked-up wires and one of random numbers.
    fn lookup_pairs(&self) -> usize {
        self.looked_up.masks.len().div_ceil(self.domain.n())
    }

    /// How many triples the check takes: one for each pair, and one.
    pub fn triples(&self) -> usize {
        match self.pairs.len() + self.lookup_pairs() {
            0 => 0,
            pairs => pairs + 1,
        }
    }

    fn check(&self) -> Result<(), PartyError> {
        let fits = |column: &MaskColumn| column.masks.len() == self.domain.n();
        let exists = |&(x, y): &(usize, usize)| x.max(y) < self.columns.len();
        match self.columns.iter().all(fits) && self.pairs.iter().all(exists) {
            true => Ok(()),
            false => Err(PartyError::Bug("columns of masks that do not fit their rows or pairs")),
        }
    }
}

/// Products of masks that have passed the check, and made by nothing else.
pub struct CheckedPairs {
    rows: Vec<TaggedVector>,
    coset: Vec<Shares>,
    lookup_factors: TaggedVector,
    lookup_products: TaggedVector,
    triples: Vec<Triple>,
}

impl CheckedPairs {
    /// The tagged products of each pair, row by row.
    pub fn rows(&self) -> &[TaggedVector] {
        &self.rows
    }

    /// For each pair, and then for those of looked-up wires, this side's share of the product of the two
    /// columns' polynomials on the first coset.
    pub fn coset(&self) -> &[Shares] {
        &self.coset
    }

    /// A random number `I` for each looked-up wire.
    pub fn lookup_factors(&self) -> &TaggedVector {
        &self.lookup_factors
    }

    /// `f·I` for each looked-up wire with mask `f`.
    pub fn lookup_products(&self) -> &TaggedVector {
        &self.lookup_products
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
        request.check()?;
        if triples.len() != request.triples() {
            return Err(PartyError::Bug("product columns take one triple a pair and one more"));
        }
        let virtual_columns = self.lookup_columns(channel, request)?;
        let columns: Vec<&MaskColumn> = request.columns.iter().chain(&virtual_columns).collect();
        let mut pairs = request.pairs.to_vec();
        pairs.extend((request.columns.len()..columns.len()).step_by(2).map(|f| (f, f + 1)));
        let products = pair_products(channel, ole, request.domain, &columns, &pairs)?;
        let rows =
            self.checked_rows(channel, request.domain, &columns, &pairs, &products, triples)?;
        Ok(sort(request, &columns, rows, products.coset))
    }

    /// The columns of looked-up wires, each followed by its column of random numbers. Rows that are left
    /// over hold random numbers in both.
    fn lookup_columns(
        &mut self,
        channel: &mut dyn Channel,
        request: &ProductColumns<'_>,
    ) -> Result<Vec<MaskColumn>, PartyError> {
        let (n, wires) = (request.domain.n(), &request.looked_up.masks);
        let all = request.lookup_pairs() * n;
        if all == 0 {
            return Ok(Vec::new());
        }
        let random = self.random(channel, 2 * all - wires.len())?;
        let wire = |i: usize| match i < wires.len() {
            true => (wires.get(i), request.looked_up.kinds.row(i)),
            false => (random.get(all + i - wires.len()), Kind::Shared),
        };
        let columns = (0..all).step_by(n).flat_map(|first| {
            let (masks, kinds): (Vec<Tagged>, Vec<Kind>) = (first..first + n).map(wire).unzip();
            let kinds = CellKinds::Rows(kinds.into_iter().map(Some).collect());
            let factors = random.slice(first..first + n);
            [
                MaskColumn { masks: masks.into_iter().collect(), kinds },
                MaskColumn { masks: factors, kinds: CellKinds::Uniform(Kind::Shared) },
            ]
        });
        Ok(columns.collect())
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

/// The values of Lagrange's polynomials of the rows at a point, and of `X^n - 1`; none if the point is
/// a row.
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

/// Tells the products of pairs from those of looked-up wires and from what is left over.
fn sort(
    request: &ProductColumns<'_>,
    columns: &[&MaskColumn],
    mut rows: Vec<TaggedVector>,
    coset: Vec<Shares>,
) -> CheckedPairs {
    let (n, wires) = (request.domain.n(), request.looked_up.masks.len());
    let of_lookups = rows.split_off(request.pairs.len().min(rows.len()));
    let columns = columns.get(request.columns.len()..).unwrap_or(&[]);
    let row = |i: usize| {
        let (pair, row) = (i / n, i % n);
        let [f, factor] = [0, 1].map(|column| columns[2 * pair + column].masks.get(row));
        (f, factor, of_lookups[pair].get(row))
    };
    CheckedPairs {
        lookup_factors: (0..wires).map(|i| row(i).1).collect(),
        lookup_products: (0..wires).map(|i| row(i).2).collect(),
        triples: (wires..of_lookups.len() * n)
            .map(|i| {
                let (a, b, c) = row(i);
                Triple::of_checked_row(a, b, c)
            })
            .collect(),
        rows,
        coset,
    }
}
